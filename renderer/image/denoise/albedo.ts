/** How noisy the albedo is, which guides the filter, and the albedo without that noise. */
import type { FilterTile, Planes, Tile } from './planes.ts';

/** Size of Immerkær's mask on the albedo's luminance: noise, or fine texture. */
export function albedoResponse(this: Tile, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  let answer = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    const luma = 0.2126 * guide[0]![ny]![nx]! + 0.7152 * guide[1]![ny]![nx]! + 0.0722 * guide[2]![ny]![nx]!;
    answer += (2 - 3 * Math.abs(i)) * (2 - 3 * Math.abs(j)) * luma;
  }
  return Math.abs(answer);
}

/**
 * Noise of the albedo (variance): the quietest of four quarters around the pixel. Glass, whose albedo is that of whatever a
 * random path met, is noisy all around; a texture nearly always has a calm side.
 */
export function albedoNoise(this: Tile, response: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  let quietest = 1000000;
  for (let q = 0; q < 4; q++) {
    let sum = 0;
    for (let t = 0; t < 9; t++) {
      const i = (t % 3) - 2 + (q % 2) * 2;
      const j = Math.floor(t / 3) - 2 + Math.floor(q / 2) * 2;
      const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
      const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
      sum += response[0]![ny]![nx]!;
    }
    quietest = Math.min(quietest, sum);
  }
  // Mean of |mask| over nine, times sqrt(pi / 2) / 6 (Immerkær, equation 3), squared.
  const sigma = (quietest / 9) * 0.2089;
  return sigma * sigma;
}

/** The albedo smoothed by as much as it is noisy. */
export function calmAlbedo(this: FilterTile, albedo: Planes, guide: Planes, noise: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  const own = albedo[z]![y]![x]!;
  const variance = noise[0]![y]![x]!;
  if (variance < 0.00002 || guide[6]![y]![x]! < 0) return own;
  let sum = 0;
  let total = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i * this.constants.s, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j * this.constants.s, 0), this.constants.h - 1);
    const n0 = guide[3]![y]![x]! - guide[3]![ny]![nx]!;
    const n1 = guide[4]![y]![x]! - guide[4]![ny]![nx]!;
    const n2 = guide[5]![y]![x]! - guide[5]![ny]![nx]!;
    const a0 = albedo[0]![y]![x]! - albedo[0]![ny]![nx]!;
    const a1 = albedo[1]![y]![x]! - albedo[1]![ny]![nx]!;
    const a2 = albedo[2]![y]![x]! - albedo[2]![ny]![nx]!;
    let e = (n0 * n0 + n1 * n1 + n2 * n2) * 12;
    e += (a0 * a0 + a1 * a1 + a2 * a2) / (30 * variance);
    if (guide[6]![ny]![nx]! < 0) e = 1000;
    const weight = 1 / (1 + e + e * e);
    sum += weight * albedo[z]![ny]![nx]!;
    total += weight;
  }
  return sum / total;
}
