/**
 * Tables from which the tracer samples an environment by its luminance: rows and columns of equal solid angle, so rows are
 * uniform in y. With MIS compensation (Karlík et al. 2019, "MIS Compensation: Optimizing Sampling Techniques in Multiple
 * Importance Sampling") the mean is subtracted first: what is uniform is left to BSDF sampling, which finds it well.
 */
import type { EnvironmentMap } from '../scene/description.ts';
import { ENV_GUIDE } from './assembly/layout.ts';

export interface EnvironmentTable {
  /** Size of the stored picture: 1 x 1 where all pixels are the same. */
  width: number;
  height: number;
  /** Four a pixel: mantissas of R, G, B and their exponent e, value = mantissa * 2^(e - 127). */
  pixels: Uint16Array;
  /** What directions are picked from; null where they are picked evenly over the sphere. */
  sampling: SamplingTable | null;
  /** Mean luminance over the sphere, intensity not applied. */
  meanLuminance: number;
}

export interface SamplingTable {
  columns: number;
  rows: number;
  /** `rows + 1` from 0 to 1. */
  marginal: Float32Array;
  /** `rows` times `columns + 1` from 0 to 1. */
  conditional: Float32Array;
  /** For each of `ENV_GUIDE` equal parts of 0..1 (and 1 itself) the row where that part begins. */
  marginalGuide: Uint16Array;
  /** The same for the columns of every row. */
  conditionalGuide: Uint16Array;
}

/** Mean luminance of cells of equal solid angle, row by row. */
interface Grid {
  columns: number;
  rows: number;
  weights: Float64Array;
}

/** Of the mean; 0 turns compensation off. */
const COMPENSATION = 1;

/** Makes the tables. Negative and non-finite radiance counts as black. */
export function makeEnvironmentTable(map: EnvironmentMap): EnvironmentTable {
  const isConstant = map.data.subarray(0, 3 * map.width * map.height).every((value, i) => value === map.data[i % 3]);
  const [width, height] = isConstant ? [1, 1] : [map.width, map.height];
  const { data } = map;
  const pixels = new Uint16Array(width * height * 4);
  const luminance = new Float32Array(width * height);
  const clean = (value: number): number => (value > 0 && Number.isFinite(value) ? value : 0);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = [clean(data[3 * i]!), clean(data[3 * i + 1]!), clean(data[3 * i + 2]!)];
    luminance[i] = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    packPixel(pixels, 4 * i, r, g, b);
  }
  if (isConstant) return { width, height, pixels, sampling: null, meanLuminance: luminance[0]! };
  const grid = weighCells(luminance, width, height);
  const sum = grid.weights.reduce((a, b) => a + b, 0);
  const mean = sum / grid.weights.length;
  let kept = 0;
  const weights = grid.weights.map((value) => Math.max(0, value - COMPENSATION * mean));
  for (const value of weights) kept += value;
  // A nearly uniform environment has nothing left to aim at; a black one neither.
  const sampling = kept > 0.02 * sum ? tabulate({ ...grid, weights }) : null;
  return { width, height, pixels, sampling, meanLuminance: mean };
}

/** About a cell a pixel, which keeps the tables of small pictures within a processor's near caches; a power of two. */
function cellsFor(pixels: number): number {
  return Math.min(1024, Math.max(256, 2 ** Math.ceil(Math.log2(pixels))));
}

/** The exponent that gives the largest mantissa its full 16 bits. */
function packPixel(pixels: Uint16Array, at: number, r: number, g: number, b: number): void {
  const largest = Math.max(r, g, b);
  if (!(largest > 2 ** -100)) return;
  let exponent = Math.ceil(Math.log2(largest)) - 16;
  if (Math.round(largest * 2 ** -exponent) > 65_535) exponent++;
  const scale = 2 ** -exponent;
  pixels[at] = Math.round(r * scale);
  pixels[at + 1] = Math.round(g * scale);
  pixels[at + 2] = Math.round(b * scale);
  pixels[at + 3] = exponent + 127;
}

/** Mean luminance of each cell, by placing sub-samples of every texel (interpolated as the tracer does) into the cells. */
function weighCells(luminance: Float32Array, width: number, height: number): Grid {
  const [columns, rows] = [cellsFor(width), cellsFor(height)];
  const sums = new Float64Array(columns * rows);
  const counts = new Float64Array(columns * rows);
  const across = Math.max(2, Math.ceil((2 * columns) / width));
  const down = Math.max(2, Math.ceil((3 * rows) / height));
  const line = new Float32Array(width + 1);
  for (let j = 0; j < height * down; j++) {
    const v = (j + 0.5) / down - 0.5;
    const y = Math.floor(v);
    const upper = Math.max(0, y) * width;
    const lower = Math.min(height - 1, y + 1) * width;
    for (let x = 0; x < width; x++) {
      line[x] = luminance[upper + x]! * (1 - v + y) + luminance[lower + x]! * (v - y);
    }
    line[width] = line[0]!;
    const theta = ((j + 0.5) / (height * down)) * Math.PI;
    const weight = Math.sin(theta);
    const row = Math.min(rows - 1, Math.floor(((1 - Math.cos(theta)) / 2) * rows)) * columns;
    const columnsPerStep = columns / (width * across);
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < across; k++) {
        // From the middle of texel x to the middle of the next one.
        const f = (k + 0.5) / across;
        const column = Math.floor((x * across + k + 0.5 + across / 2) * columnsPerStep);
        const cell = row + (column < columns ? column : column - columns);
        sums[cell]! += (line[x]! * (1 - f) + line[x + 1]! * f) * weight;
        counts[cell]! += weight;
      }
    }
  }
  return { columns, rows, weights: sums.map((sum, cell) => (counts[cell]! > 0 ? sum / counts[cell]! : 0)) };
}

function tabulate({ columns, rows, weights }: Grid): SamplingTable {
  const marginal = new Float32Array(rows + 1);
  const conditional = new Float32Array(rows * (columns + 1));
  const total = weights.reduce((a, b) => a + b, 0);
  let above = 0;
  for (let row = 0; row < rows; row++) {
    const cells = weights.subarray(row * columns, (row + 1) * columns);
    const rowSum = cells.reduce((a, b) => a + b, 0);
    let before = 0;
    for (let column = 0; column < columns; column++) {
      before += cells[column]!;
      conditional[row * (columns + 1) + column + 1] = rowSum > 0 ? before / rowSum : (column + 1) / columns;
    }
    above += rowSum;
    marginal[row + 1] = above / total;
    conditional[row * (columns + 1) + columns] = 1;
  }
  marginal[rows] = 1;
  const marginalGuide = new Uint16Array(ENV_GUIDE + 1);
  const conditionalGuide = new Uint16Array(rows * (ENV_GUIDE + 1));
  fillGuide(marginal, marginalGuide);
  for (let row = 0; row < rows; row++) {
    fillGuide(
      conditional.subarray(row * (columns + 1), (row + 1) * (columns + 1)),
      conditionalGuide.subarray(row * (ENV_GUIDE + 1), (row + 1) * (ENV_GUIDE + 1)),
    );
  }
  return { columns, rows, marginal, conditional, marginalGuide, conditionalGuide };
}

/** guide[k] = the last cell that begins at or before k / ENV_GUIDE. */
function fillGuide(cdf: Float32Array, guide: Uint16Array): void {
  let cell = 0;
  for (let k = 0; k <= ENV_GUIDE; k++) {
    while (cell < cdf.length - 2 && cdf[cell + 1]! <= k / ENV_GUIDE) cell++;
    guide[k] = cell;
  }
}
