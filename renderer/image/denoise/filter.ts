/** One pass of the filter: nine taps, weighted by how alike the surfaces are, and the light as far as noise does not explain. */
import type { IKernelFunctionThis } from 'gpu.js';
import type { FilterTile, Planes, Tile } from './planes.ts';

/** `b`: how much of the stated variance is there. */
type NoiseTile = IKernelFunctionThis<{ w: number; h: number; b: number }>;
/** `s`: distance between taps; `k`: standard deviations that count as noise. */
type PairTile = IKernelFunctionThis<{ w: number; h: number; s: number; k: number }>;

/**
 * Luminance (plane 0) and how noisy it is (plane 1, variance). Not a mean over neighbours: beside a lamp's reflection, whose
 * samples disagree a lot, that would let quiet pixels take in its light. It is the pixel's own, no more than the mean of 3×3,
 * and no less than half of what most of the 3×3 have (the mean of fourth roots, to which one loud neighbour adds little). A pixel
 * that no light found states no noise at all, though it may well be chance: it has 32 times what most have, so that among lit ones
 * it takes much from them. Among quiet or dark ones that is still next to nothing.
 */
export function lumaNoise(this: NoiseTile, state: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (this.thread.z < 1) return 0.2126 * state[0]![y]![x]! + 0.7152 * state[1]![y]![x]! + 0.0722 * state[2]![y]![x]!;
  let mean = 0;
  let root = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    const weight = (2 - Math.abs(i)) * (2 - Math.abs(j)) * 0.0625;
    const variance = Math.max(state[3]![ny]![nx]!, 0);
    mean += weight * variance;
    root += weight * Math.sqrt(Math.sqrt(variance));
  }
  const own = Math.max(state[3]![y]![x]!, 0);
  const most = root * root * root * root;
  let noise = Math.max(Math.min(own, mean), 0.5 * most);
  if (own === 0 && state[0]![y]![x]! + state[1]![y]![x]! + state[2]![y]![x]! === 0) noise = 32 * most;
  return this.constants.b * noise + 0.000000001;
}

/**
 * Difference in luminance to each of the nine taps (one plane each), squared, over what noise explains: Rousselle et al. 2012,
 * equation 3. Below zero where the two are more alike than noise would have them.
 */
export function pairDistance(this: PairTile, noise: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const t = this.thread.z;
  if (t === 4) return 0;
  const nx = Math.min(Math.max(x + ((t % 3) - 1) * this.constants.s, 0), this.constants.w - 1);
  const ny = Math.min(Math.max(y + (Math.floor(t / 3) - 1) * this.constants.s, 0), this.constants.h - 1);
  const d = noise[0]![y]![x]! - noise[0]![ny]![nx]!;
  const here = noise[1]![y]![x]!;
  const there = noise[1]![ny]![nx]!;
  return (d * d - here - Math.min(here, there)) / (this.constants.k * this.constants.k * (here + there));
}

/** Slope of depth in x (plane 0) and y (plane 1): the smaller of the two one-sided differences, which stays on the surface. */
export function depthSlope(this: Tile, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = guide[6]![y]![x]!;
  let before = 0;
  let after = 0;
  if (this.thread.z < 1) {
    before = z - guide[6]![y]![Math.max(x - 1, 0)]!;
    after = guide[6]![y]![Math.min(x + 1, this.constants.w - 1)]! - z;
  } else {
    before = z - guide[6]![Math.max(y - 1, 0)]![x]!;
    after = guide[6]![Math.min(y + 1, this.constants.h - 1)]![x]! - z;
  }
  if (Math.abs(before) < Math.abs(after)) return before;
  return after;
}

/**
 * Weights of the nine taps of one pass, one plane each. Light is compared by the patch of 3×3 around both pixels, and a tap that is
 * very much noisier than the pixel counts for less, as the best mean of unequal measurements has it.
 */
export function tapWeights(
  this: FilterTile,
  distance: Planes,
  noise: Planes,
  albedo: Planes,
  guide: Planes,
  slope: Planes,
): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const t = this.thread.z;
  const i = (t % 3) - 1;
  const j = Math.floor(t / 3) - 1;
  const gauss = (2 - Math.abs(i)) * (2 - Math.abs(j)) * 0.0625;
  if (t === 4) return gauss;
  const nx = Math.min(Math.max(x + i * this.constants.s, 0), this.constants.w - 1);
  const ny = Math.min(Math.max(y + j * this.constants.s, 0), this.constants.h - 1);
  const depth = guide[6]![y]![x]!;
  const depthThere = guide[6]![ny]![nx]!;
  // What was not hit is the environment, seen directly: it has no noise.
  if (depth < 0 || depthThere < 0) return 0;
  const n0 = guide[3]![y]![x]! - guide[3]![ny]![nx]!;
  const n1 = guide[4]![y]![x]! - guide[4]![ny]![nx]!;
  const n2 = guide[5]![y]![x]! - guide[5]![ny]![nx]!;
  const a0 = albedo[0]![y]![x]! - albedo[0]![ny]![nx]!;
  const a1 = albedo[1]![y]![x]! - albedo[1]![ny]![nx]!;
  const a2 = albedo[2]![y]![x]! - albedo[2]![ny]![nx]!;
  const rise = slope[0]![y]![x]! * (nx - x) + slope[1]![y]![x]! * (ny - y);
  const offPlane = Math.abs(depthThere - depth - rise);
  let e = (n0 * n0 + n1 * n1 + n2 * n2) * 12;
  e += (a0 * a0 + a1 * a1 + a2 * a2) * 60;
  e += offPlane / (0.015 * Math.abs(depth) + 0.6 * Math.abs(rise) + 0.000001);
  let patch = 0;
  for (let p = 0; p < 9; p++) {
    const px = Math.min(Math.max(x + (p % 3) - 1, 0), this.constants.w - 1);
    const py = Math.min(Math.max(y + Math.floor(p / 3) - 1, 0), this.constants.h - 1);
    patch += distance[t]![py]![px]!;
  }
  e += Math.max(patch / 9, 0);
  e = Math.min(e, 10000);
  const trust = Math.min(1, (64 * noise[1]![y]![x]!) / noise[1]![ny]![nx]!);
  return (gauss * trust) / (1 + e + 0.5 * e * e + 0.16667 * e * e * e);
}

/** Weighted mean of nine taps; the variance plane by squared weights, as variances of means go. */
export function filterTaps(this: FilterTile, state: Planes, weights: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  let sum = 0;
  let total = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i * this.constants.s, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j * this.constants.s, 0), this.constants.h - 1);
    const weight = weights[t]![y]![x]!;
    total += weight;
    let factor = weight;
    if (z > 2) factor = weight * weight;
    sum += factor * state[z]![ny]![nx]!;
  }
  if (z > 2) return sum / (total * total);
  return sum / total;
}
