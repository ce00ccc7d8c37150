/** Light as the filter takes it: without the surface's colour, and without fireflies. */
import type { IKernelFunctionThis } from 'gpu.js';
import type { Planes, Tile } from './planes.ts';

/** `k`: deviations of its neighbours that a firefly stands out by. */
type FireflyTile = IKernelFunctionThis<{ w: number; h: number; k: number }>;

/** Light arriving at the surface: colour over albedo. What was not hit stays as it is. */
export function demodulate(this: Tile, beauty: Planes, albedo: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  if (guide[6]![y]![x]! < 0) return beauty[z]![y]![x]!;
  return beauty[z]![y]![x]! / Math.max(albedo[z]![y]![x]!, 0.02);
}

/** Of linear Rec.709 light. */
export function luminance(this: Tile, light: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  return 0.2126 * light[0]![y]![x]! + 0.7152 * light[1]![y]![x]! + 0.0722 * light[2]![y]![x]!;
}

/** Colour again: light times albedo. */
export function remodulate(this: Tile, state: Planes, albedo: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  if (guide[6]![y]![x]! < 0) return state[z]![y]![x]!;
  return state[z]![y]![x]! * Math.max(albedo[z]![y]![x]!, 0.02);
}

/** Factor that brings a lone bright pixel (a firefly) down to its second brightest neighbour; 1 elsewhere. */
export function fireflyScale(this: Tile, luma: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (guide[6]![y]![x]! < 0) return 1;
  let first = 0;
  let second = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    let value = luma[0]![ny]![nx]!;
    if (t === 4) value = 0;
    second = Math.max(second, Math.min(first, value));
    first = Math.max(first, value);
  }
  const own = luma[0]![y]![x]!;
  if (own > second) return second / own;
  return 1;
}

/**
 * The same by measured variance: brought down is only what its neighbours' noise does not explain, and kept is what the
 * pixel's own samples agree on, which is a small highlight: what a single one of the samples brought stands one standard deviation
 * above the rest. Cutting every local maximum, as `fireflyScale` does, would darken.
 */
export function measuredFireflyScale(this: FireflyTile, luma: Planes, variance: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (guide[6]![y]![x]! < 0) return 1;
  let second = 0;
  let first = 0;
  let sum = 0;
  let noise = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    let value = luma[0]![ny]![nx]!;
    let spread = variance[0]![ny]![nx]!;
    if (t === 4) {
      value = 0;
      spread = 0;
    }
    second = Math.max(second, Math.min(first, value));
    first = Math.max(first, value);
    sum += value;
    noise += spread;
  }
  const own = luma[0]![y]![x]!;
  const limit = Math.max(second, sum / 8 + this.constants.k * Math.sqrt(Math.max(noise / 8, 0)));
  const isCertain = own - limit > 0.97 * Math.sqrt(Math.max(variance[0]![y]![x]!, 0));
  if (own > limit && !isCertain) return limit / own;
  return 1;
}

/** Light times what the firefly test said. */
export function scaleLight(this: Tile, light: Planes, scale: Planes): number {
  return light[this.thread.z]![this.thread.y]![this.thread.x]! * scale[0]![this.thread.y]![this.thread.x]!;
}

/**
 * The denoised light as far as its noise can be seen, else the noisy: what a filter smears would be seen instead. Noise counts as on
 * a screen, whose values go roughly with the root of light (100 is white): one of 8 and more is filtered for good. Light and noise
 * are means over 3×3, as one pixel says little of either.
 */
export function keepQuiet(this: Tile, calm: Planes, noisy: Planes, variance: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  let light = 0;
  let noise = 0;
  for (let t = 0; t < 9; t++) {
    const nx = Math.min(Math.max(x + (t % 3) - 1, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + Math.floor(t / 3) - 1, 0), this.constants.h - 1);
    light += 0.2126 * noisy[0]![ny]![nx]! + 0.7152 * noisy[1]![ny]![nx]! + 0.0722 * noisy[2]![ny]![nx]!;
    noise += Math.max(variance[0]![ny]![nx]!, 0);
  }
  const seen = 50 * Math.sqrt(noise / Math.max(light, 0.0009));
  const own = noisy[z]![y]![x]!;
  return own + Math.min(seen / 8, 1) * (calm[z]![y]![x]! - own);
}
