/** The planes that guide the denoiser: albedo 0-2, normal 3-5, depth 6 (-1 where nothing was hit). */
import type { PixelRect } from '../../../domain/scene.ts';
import type { PlanarImage } from '../imageProcessor.ts';

const GUIDE_CHANNELS = 7;

/** How far from the background a pixel may be that `whitenSilhouettes` takes for one of a silhouette. */
export const SILHOUETTE_REACH = 2;

/** What lies in `rect` of interleaved pixels, as planes. */
export function cutPlanes(
  data: Float32Array,
  width: number,
  { x0, y0, x1, y1 }: PixelRect,
  stride: number,
  channels: number,
  gain = 1,
): PlanarImage {
  const [w, h] = [x1 - x0, y1 - y0];
  const planes = new Float32Array(w * h * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < h; y++) {
      const from = ((y0 + y) * width + x0) * stride + channel;
      const to = (channel * h + y) * w;
      for (let x = 0; x < w; x++) planes[to + x] = gain * data[from + x * stride]!;
    }
  }
  return { width: w, height: h, channels, data: planes };
}

/** Row-major, as `DenoiseInput` has them: normals zero and depth +Infinity where nothing was hit. */
interface GuideInput {
  width: number;
  height: number;
  albedo: Float32Array;
  normal: Float32Array;
  depth: Float32Array;
}

/** Guides of a part of a picture. */
export function guidePlanes(input: GuideInput, rect: PixelRect): PlanarImage {
  const { width, albedo, normal, depth } = input;
  const [w, h] = [rect.x1 - rect.x0, rect.y1 - rect.y0];
  const pixels = w * h;
  const data = new Float32Array(pixels * GUIDE_CHANNELS);
  data.set(cutPlanes(albedo, width, rect, 3, 3).data, 0);
  data.set(cutPlanes(normal, width, rect, 3, 3).data, pixels * 3);
  const distances = cutPlanes(depth, width, rect, 1, 1).data;
  for (let i = 0; i < pixels; i++) data[pixels * 6 + i] = Number.isFinite(distances[i]!) ? distances[i]! : -1;
  whitenSilhouettes(data, input, rect);
  return { width: w, height: h, channels: GUIDE_CHANNELS, data };
}

/**
 * Along silhouettes some samples of a pixel hit the surface and others the background, which has light but no albedo; light
 * over albedo would be far too bright there. The missing share, read from the length of the mean normal, counts as white.
 */
function whitenSilhouettes(guide: Float32Array, { width, height, depth }: GuideInput, rect: PixelRect): void {
  const [w, h] = [rect.x1 - rect.x0, rect.y1 - rect.y0];
  const pixels = w * h;
  /** By the whole picture, so that a tile's edge is none. */
  const isNearBackground = (x: number, y: number): boolean => {
    const reach = SILHOUETTE_REACH;
    for (let j = Math.max(0, y - reach); j <= Math.min(height - 1, y + reach); j++) {
      for (let i = Math.max(0, x - reach); i <= Math.min(width - 1, x + reach); i++) {
        const there = depth[j * width + i]!;
        if (!Number.isFinite(there) || there < 0) return true;
      }
    }
    return false;
  };
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const i = y * w + x;
      if (guide[pixels * 6 + i]! < 0) continue;
      const covered = Math.hypot(guide[pixels * 3 + i]!, guide[pixels * 4 + i]!, guide[pixels * 5 + i]!);
      if (covered > 0.99 || !isNearBackground(rect.x0 + x, rect.y0 + y)) continue;
      for (let channel = 0; channel < 3; channel++) guide[pixels * channel + i]! += 1 - covered;
    }
  }
}
