/**
 * Decides by statistics whether two pictures of a Monte Carlo renderer show the same light: for tiers, builds or devices whose
 * bits need not be equal.
 *
 * Each pixel and channel is tested (Welch 1947: a z-test that knows that its variances are estimates, and is one when they rest
 * on many samples), then each block of 2×2, 4×4 … pixels up to the whole picture, where small differences that noise hides in
 * a pixel show. One significance is given for all of these tests together (Šidák 1967). The idea is that of Subr and Arvo
 * 2007, "Statistical Hypothesis Testing for Assessing Monte Carlo Estimators", and of the tests of Mitsuba 3.
 */
import jstat from 'jstat';
import { FarmError } from '../../domain/errors.ts';

/** What is known of a picture's values: row-major, channels of a pixel follow one another. */
export interface MeasuredPicture {
  width: number;
  height: number;
  channels: number;
  mean: Float64Array;
  /** Of the mean, not of a sample. */
  variance: Float64Array;
  /** Degrees of freedom on which each variance rests: one less than the number of independent samples. */
  freedom: Float64Array;
}

export interface PictureTestOptions {
  /** Probability that two pictures of the same light are told apart all the same. */
  alpha?: number;
  /**
   * What values may differ by without noise, as a share of the larger one: two tiers round differently, and where nothing is
   * random (an emitter, a plain sky) rounding is all that is left.
   */
  tolerance?: number;
}

export interface PictureVerdict {
  agrees: boolean;
  /** Tests made, and the p-value below which one of them rejects. */
  tests: number;
  threshold: number;
  /** Tests that rejected. */
  rejected: number;
  /** The test with the smallest p-value. */
  worst: {
    p: number;
    /** Side of the block in pixels (1: a pixel), and its first pixel. */
    side: number;
    x: number;
    y: number;
    channel: number;
    /** Means over the block. */
    values: [number, number];
  };
}

/** Rounding of one, in quanta of the film: values near zero. */
const LEAST_DIFFERENCE = 2 ** -22;
/** Beyond this Student's distribution is the normal one, as far as a verdict goes. */
const MOST_FREEDOM = 5000;

/**
 * Collects independent renders of one picture (other seeds, else the same) and knows mean and variance of each value. Whole
 * renders, because samples of a low-discrepancy sequence depend on one another: their spread within a pixel says too much.
 */
export class PictureStatistics {
  readonly #size: { width: number; height: number; channels: number };
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  #count = 0;

  constructor(width: number, height: number, channels: number) {
    this.#size = { width, height, channels };
    this.#mean = new Float64Array(width * height * channels);
    this.#squares = new Float64Array(this.#mean.length);
  }

  /** Takes a render; `stride` numbers lie from one pixel to the next. Throws `RequestInvalid` for another size. */
  add(values: ArrayLike<number>, stride = this.#size.channels): void {
    const { width, height, channels } = this.#size;
    if (values.length !== width * height * stride || stride < channels) {
      throw refusal(`a render of ${values.length} numbers; ${width * height} pixels of ${stride} were announced`);
    }
    this.#count++;
    // Welford 1962: no difference of large sums.
    for (let i = 0; i < this.#mean.length; i++) {
      const value = values[Math.floor(i / channels) * stride + (i % channels)]!;
      const step = value - this.#mean[i]!;
      this.#mean[i]! += step / this.#count;
      this.#squares[i]! += step * (value - this.#mean[i]!);
    }
  }

  /** Throws `RequestInvalid` before the second render: one alone has no spread. */
  measured(): MeasuredPicture {
    const freedom = this.#count - 1;
    if (freedom < 1) throw refusal(`${this.#count} renders of a picture; at least two are needed`);
    return {
      ...this.#size,
      mean: this.#mean.slice(),
      variance: this.#squares.map((sum) => sum / (freedom * this.#count)),
      freedom: new Float64Array(this.#mean.length).fill(freedom),
    };
  }
}

/**
 * Tests whether two pictures have the same expected values. They must be independent: traced with different seeds. A value
 * without variance on both sides must be equal within the tolerance; no number (NaN) is equal to anything. Throws
 * `RequestInvalid` when sizes differ.
 */
export function testPictures(
  a: MeasuredPicture,
  b: MeasuredPicture,
  { alpha = 0.01, tolerance = 1e-5 }: PictureTestOptions = {},
): PictureVerdict {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) {
    throw refusal(
      `pictures of ${a.width}×${a.height}×${a.channels} and ${b.width}×${b.height}×${b.channels} values cannot be compared`,
    );
  }
  const pyramids = [sumsOf(a), sumsOf(b)] as const;
  const tests = pyramids[0].reduce((sum, { total }) => sum + total.length, 0);
  const threshold = -Math.expm1(Math.log1p(-alpha) / Math.max(1, tests));
  const worst: PictureVerdict['worst'] = { p: 2, side: 1, x: 0, y: 0, channel: 0, values: [0, 0] };
  let rejected = 0;
  pyramids[0].forEach((level, depth) => {
    const other = pyramids[1][depth]!;
    for (let i = 0; i < level.total.length; i++) {
      const p = probability(level, other, i, tolerance);
      if (p < threshold) rejected++;
      if (p >= worst.p) continue;
      const cell = Math.floor(i / a.channels);
      const pixels = level.pixels[cell]!;
      worst.p = p;
      worst.side = 2 ** depth;
      worst.x = (cell % level.width) * worst.side;
      worst.y = Math.floor(cell / level.width) * worst.side;
      worst.channel = i % a.channels;
      worst.values = [level.total[i]! / pixels, other.total[i]! / pixels];
    }
  });
  return { agrees: rejected === 0, tests, threshold, rejected, worst };
}

/** Sums over blocks of one size. */
interface Level {
  width: number;
  height: number;
  total: Float64Array;
  variance: Float64Array;
  freedom: Float64Array;
  /** Of each block; those at the right and lower border may hold fewer. */
  pixels: Float64Array;
}

/** Pixels first, then blocks of twice the side, until one block is left. Pixels do not depend on one another. */
function sumsOf({ width, height, channels, mean, variance, freedom }: MeasuredPicture): Level[] {
  const levels: Level[] = [
    { width, height, total: mean, variance, freedom, pixels: new Float64Array(width * height).fill(1) },
  ];
  for (let last = levels[0]!; last.width > 1 || last.height > 1; last = levels.at(-1)!) {
    levels.push(halved(last, channels));
  }
  return levels;
}

function halved(fine: Level, channels: number): Level {
  const width = Math.ceil(fine.width / 2);
  const height = Math.ceil(fine.height / 2);
  const cells = width * height;
  const make = (count: number): Float64Array => new Float64Array(count);
  const [total, variance, spread] = [make(cells * channels), make(cells * channels), make(cells * channels)];
  const pixels = make(cells);
  for (let y = 0; y < fine.height; y++) {
    for (let x = 0; x < fine.width; x++) {
      const from = y * fine.width + x;
      const to = (y >> 1) * width + (x >> 1);
      pixels[to]! += fine.pixels[from]!;
      for (let k = 0; k < channels; k++) {
        const [i, j] = [from * channels + k, to * channels + k];
        total[j]! += fine.total[i]!;
        variance[j]! += fine.variance[i]!;
        if (fine.variance[i]! > 0) spread[j]! += fine.variance[i]! ** 2 / fine.freedom[i]!;
      }
    }
  }
  // Satterthwaite 1946: a sum of estimated variances is about as sure as one that rests on so many samples.
  const freedom = variance.map((sum, i) => (spread[i]! > 0 ? sum ** 2 / spread[i]! : 1));
  return { width, height, total, variance, freedom, pixels };
}

/** Two-sided p-value of one value. */
function probability(a: Level, b: Level, i: number, tolerance: number): number {
  const [one, other] = [a.total[i]!, b.total[i]!];
  const allowed = tolerance * Math.max(Math.abs(one), Math.abs(other)) + LEAST_DIFFERENCE;
  const difference = Math.max(0, Math.abs(one - other) - allowed);
  const variance = a.variance[i]! + b.variance[i]!;
  if (!Number.isFinite(difference) || !Number.isFinite(variance)) return 0;
  if (difference === 0) return 1;
  if (variance === 0) return 0;
  const spread = a.variance[i]! ** 2 / a.freedom[i]! + b.variance[i]! ** 2 / b.freedom[i]!;
  const freedom = Math.min(MOST_FREEDOM, variance ** 2 / spread);
  const t = difference ** 2 / variance;
  return jstat.ibeta(freedom / (freedom + t), freedom / 2, 0.5);
}

const refusal = (why: string): FarmError =>
  new FarmError('RequestInvalid', `The pictures cannot be tested: ${why}.`, { field: 'pictures' });
