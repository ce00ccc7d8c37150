/** Inverse distribution of the pixel filter, from which camera samples are placed. */
import type { PixelFilterKind, RenderSettings } from '../../../domain/scene.ts';
import { FILTER_CELLS } from './assembly/layout.ts';

/** Filters on -1..1, of any height. */
const SHAPES: Record<PixelFilterKind, (x: number) => number> = {
  box: () => 1,
  triangle: (x) => 1 - Math.abs(x),
  // The radius is three standard deviations.
  gaussian: (x) => Math.exp(-4.5 * x * x),
  // Four-term Blackman-Harris window (Harris 1978).
  'blackman-harris': (x) => {
    const phase = Math.PI * (x + 1);
    return 0.35875 - 0.48829 * Math.cos(phase) + 0.14128 * Math.cos(2 * phase) - 0.01168 * Math.cos(3 * phase);
  },
};

/**
 * `FILTER_CELLS + 1` distances from the pixel's centre, in pixels: beyond entry i lies (i / FILTER_CELLS)² / 2 of the filter on either
 * side. From the radius to 0.
 */
export function makeFilterTable({ kind, radius }: RenderSettings['filter']): Float32Array {
  const steps = 16_384;
  const table = new Float32Array(FILTER_CELLS + 1);
  // Of one half, from its end inwards.
  const cumulative = new Float64Array(steps + 1);
  const shape = SHAPES[kind];
  for (let i = 0; i < steps; i++) cumulative[i + 1] = cumulative[i]! + shape((i + 0.5) / steps - 1);
  const half = cumulative[steps]!;
  let at = 0;
  for (let cell = 0; cell <= FILTER_CELLS; cell++) {
    const wanted = (cell / FILTER_CELLS) ** 2 * half;
    while (at < steps - 1 && cumulative[at + 1]! < wanted) at++;
    const width = cumulative[at + 1]! - cumulative[at]!;
    const inside = width > 0 ? Math.min(1, Math.max(0, (wanted - cumulative[at]!) / width)) : 0;
    table[cell] = (1 - (at + inside) / steps) * radius;
  }
  return table;
}
