/** The planes that guide the denoiser: albedo 0-2, normal 3-5, depth 6 (-1 where nothing was hit). */
import type { PlanarImage } from '../imageProcessor.ts';

const GUIDE_CHANNELS = 7;

/** Interleaved pixels as planes. */
export function toPlanes(
  data: Float32Array,
  width: number,
  height: number,
  stride: number,
  channels: number,
): PlanarImage {
  const pixels = width * height;
  const planes = new Float32Array(pixels * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < pixels; i++) planes[channel * pixels + i] = data[i * stride + channel]!;
  }
  return { width, height, channels, data: planes };
}

/** Row-major, as `DenoiseInput` has them: normals zero and depth +Infinity where nothing was hit. */
interface GuideInput {
  width: number;
  height: number;
  albedo: Float32Array;
  normal: Float32Array;
  depth: Float32Array;
}

/** Guides of a picture. */
export function guidePlanes({ width, height, albedo, normal, depth }: GuideInput): PlanarImage {
  const pixels = width * height;
  const data = new Float32Array(pixels * GUIDE_CHANNELS);
  data.set(toPlanes(albedo, width, height, 3, 3).data, 0);
  data.set(toPlanes(normal, width, height, 3, 3).data, pixels * 3);
  for (let i = 0; i < pixels; i++) data[pixels * 6 + i] = Number.isFinite(depth[i]!) ? depth[i]! : -1;
  whitenSilhouettes(data, width, height);
  return { width, height, channels: GUIDE_CHANNELS, data };
}

/**
 * Along silhouettes some samples of a pixel hit the surface and others the background, which has light but no albedo; light
 * over albedo would be far too bright there. The missing share, read from the length of the mean normal, counts as white.
 */
function whitenSilhouettes(guide: Float32Array, width: number, height: number): void {
  const pixels = width * height;
  const depthAt = pixels * 6;
  const isNearBackground = (x: number, y: number): boolean => {
    for (let j = Math.max(0, y - 2); j <= Math.min(height - 1, y + 2); j++) {
      for (let i = Math.max(0, x - 2); i <= Math.min(width - 1, x + 2); i++) {
        if (guide[depthAt + j * width + i]! < 0) return true;
      }
    }
    return false;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (guide[depthAt + i]! < 0) continue;
      const covered = Math.hypot(guide[pixels * 3 + i]!, guide[pixels * 4 + i]!, guide[pixels * 5 + i]!);
      if (covered > 0.99 || !isNearBackground(x, y)) continue;
      for (let channel = 0; channel < 3; channel++) guide[pixels * channel + i]! += 1 - covered;
    }
  }
}
