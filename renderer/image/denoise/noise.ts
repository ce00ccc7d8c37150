/**
 * The light's noise: as the tracer measured it, or from the picture by the mask of J. Immerkær, "Fast Noise Variance Estimation",
 * CVIU 1996.
 */
import type { Planes, Tile } from './planes.ts';

/** Square of Immerkær's mask: noise variance at one pixel, a very noisy estimate itself. */
export function noiseResponse(this: Tile, luma: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const l = Math.max(x - 1, 0);
  const r = Math.min(x + 1, this.constants.w - 1);
  const u = Math.max(y - 1, 0);
  const d = Math.min(y + 1, this.constants.h - 1);
  const answer =
    luma[0]![u]![l]! -
    2 * luma[0]![u]![x]! +
    luma[0]![u]![r]! -
    2 * luma[0]![y]![l]! +
    4 * luma[0]![y]![x]! -
    2 * luma[0]![y]![r]! +
    luma[0]![d]![l]! -
    2 * luma[0]![d]![x]! +
    luma[0]![d]![r]!;
  return (answer * answer) / 36;
}

/**
 * Light in planes 0-2, its luminance variance over 5×5 in plane 3. It is the fourth power of the mean fourth root, which a line
 * of detail lifts less than it lifts a mean; 2.19 makes that right for normally distributed noise.
 */
export function withEstimate(this: Tile, light: Planes, response: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (this.thread.z < 3) return light[this.thread.z]![y]![x]!;
  let sum = 0;
  for (let t = 0; t < 25; t++) {
    const i = (t % 5) - 2;
    const j = Math.floor(t / 5) - 2;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    sum += Math.sqrt(Math.sqrt(response[0]![ny]![nx]!));
  }
  const root = sum / 25;
  return 2.19 * root * root * root * root;
}

/** Measured variance of the picture's luminance as one of the light's luminance. */
export function varianceOfLight(this: Tile, measured: Planes, beauty: Planes, luma: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (guide[6]![y]![x]! < 0) return 0;
  const shown = 0.2126 * beauty[0]![y]![x]! + 0.7152 * beauty[1]![y]![x]! + 0.0722 * beauty[2]![y]![x]!;
  const ratio = Math.min(luma[0]![y]![x]! / Math.max(shown, 0.000001), 50);
  return measured[0]![y]![x]! * ratio * ratio;
}

/** Light in planes 0-2, its measured luminance variance in plane 3. */
export function withMeasured(this: Tile, light: Planes, variance: Planes, scale: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (this.thread.z < 3) return light[this.thread.z]![y]![x]!;
  return variance[0]![y]![x]! * scale[0]![y]![x]! * scale[0]![y]![x]!;
}
