/**
 * From linear light to what a screen shows: exposure, the Khronos PBR Neutral curve, sRGB (IEC 61966-2-1).
 *
 * Khronos Group, "PBR Neutral Tone Mapping" (2024): colours up to 0.8 stay as authored, brighter ones are compressed and run
 * towards white. Scene colours therefore keep the look that they have in glTF viewers.
 */
import type { IKernelFunctionThis } from 'gpu.js';
import { toPlanes } from './denoise.ts';
import type { ImageProcessor, ImageStage, PlanarImage } from './imageProcessor.ts';

type Planes = number[][][];

/** 0-255, not yet rounded. Planes of `light` are linear RGB, plane 3 is alpha (colours are premultiplied). */
function neutralToneMap(this: IKernelFunctionThis<{ w: number; h: number }>, light: Planes, gain: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  const alpha = light[3]![y]![x]!;
  if (z > 2) return Math.min(Math.max(alpha, 0), 1) * 255;
  const scale = gain[0]![y]![x]! / Math.max(alpha, 0.000001);
  const r = Math.max(light[0]![y]![x]! * scale, 0);
  const g = Math.max(light[1]![y]![x]! * scale, 0);
  const b = Math.max(light[2]![y]![x]! * scale, 0);
  let value = r;
  if (z === 1) value = g;
  if (z === 2) value = b;
  const darkest = Math.min(r, Math.min(g, b));
  let offset = 0.04;
  if (darkest < 0.08) offset = darkest - 6.25 * darkest * darkest;
  value = value - offset;
  const peak = Math.max(r, Math.max(g, b)) - offset;
  if (peak >= 0.76) {
    // 0.76 = 0.8 - 0.04: where compression starts; 0.24 = 1 - 0.76.
    const compressed = 1 - (0.24 * 0.24) / (peak + 0.24 - 0.76);
    value = value * (compressed / peak);
    const desaturation = 1 - 1 / (0.15 * (peak - compressed) + 1);
    value = value * (1 - desaturation) + compressed * desaturation;
  }
  value = Math.min(Math.max(value, 0), 1);
  if (value <= 0.0031308) return value * 12.92 * 255;
  return (1.055 * value ** 0.4166667 - 0.055) * 255;
}

const TONE_MAP_STAGE: ImageStage = {
  key: 'neutral',
  halo: 0,
  outputChannels: 4,
  build({ kernel }) {
    const run = kernel(neutralToneMap as never, 4) as unknown as (...inputs: unknown[]) => unknown;
    return (light, gain) => run(light, gain);
  },
};

/** A picture for screens: RGBA8, straight alpha, row 0 on top. `exposure` is in stops. NaN becomes black. */
export async function toneMap(
  beauty: Float32Array,
  width: number,
  height: number,
  exposure: number,
  processor: ImageProcessor,
): Promise<Uint8Array> {
  const pixels = width * height;
  const gain: PlanarImage = { width, height, channels: 1, data: new Float32Array(pixels).fill(2 ** exposure) };
  const mapped = await processor.run(TONE_MAP_STAGE, [toPlanes(beauty, width, height, 4, 4), gain]);
  const out = new Uint8Array(pixels * 4);
  for (let channel = 0; channel < 4; channel++) {
    for (let i = 0; i < pixels; i++) out[i * 4 + channel] = mapped.data[channel * pixels + i]! + 0.5;
  }
  return out;
}
