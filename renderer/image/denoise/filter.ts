/** One pass of the À-Trous filter: nine taps, weighted by how alike the surfaces are, and the light as far as noise does not explain. */
import type { IKernelFunctionThis } from 'gpu.js';
import type { FilterTile, Planes, Tile } from './planes.ts';

/** `k`: standard deviations that count as noise. */
type ToleranceTile = IKernelFunctionThis<{ w: number; h: number; k: number }>;

/** Luminance (plane 0), and one over the difference in luminance that noise explains (plane 1; variance blurred over 3×3). */
export function lumaTolerance(this: ToleranceTile, state: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const luma = 0.2126 * state[0]![y]![x]! + 0.7152 * state[1]![y]![x]! + 0.0722 * state[2]![y]![x]!;
  if (this.thread.z < 1) return luma;
  let variance = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    variance += (2 - Math.abs(i)) * (2 - Math.abs(j)) * 0.0625 * state[3]![ny]![nx]!;
  }
  return 1 / (this.constants.k * Math.sqrt(Math.max(variance, 0)) + 0.004 * luma + 0.0005);
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

/** Weights of the nine taps of one pass, one plane each. */
export function tapWeights(this: FilterTile, tolerance: Planes, albedo: Planes, guide: Planes, slope: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const t = this.thread.z;
  const i = (t % 3) - 1;
  const j = Math.floor(t / 3) - 1;
  const nx = Math.min(Math.max(x + i * this.constants.s, 0), this.constants.w - 1);
  const ny = Math.min(Math.max(y + j * this.constants.s, 0), this.constants.h - 1);
  const depth = guide[6]![y]![x]!;
  const depthThere = guide[6]![ny]![nx]!;
  // What was not hit is the environment, seen directly: it has no noise.
  if (t !== 4 && (depth < 0 || depthThere < 0)) return 0;
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
  e += Math.abs(tolerance[0]![y]![x]! - tolerance[0]![ny]![nx]!) * tolerance[1]![y]![x]!;
  e = Math.min(e, 10000);
  const gauss = (2 - Math.abs(i)) * (2 - Math.abs(j)) * 0.0625;
  return gauss / (1 + e + 0.5 * e * e + 0.16667 * e * e * e);
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
