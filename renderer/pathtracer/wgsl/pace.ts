/**
 * How much one dispatch may do: drivers end a device whose dispatches take seconds, and while one runs nothing else of the
 * machine draws. A dispatch aims at a tenth of a second, and what is predicted of it never passes half a second, even if every
 * path in it were as long as paths may get: cost is measured a ray, which differs little from one part of a picture to the
 * next, where the cost of a path differs much.
 */

const TARGET_SECONDS = 0.1;
/** What no dispatch is predicted to pass. */
export const LIMIT_SECONDS = 0.5;
/** Pixels of a workgroup: with one sample each, the first dispatch, and the smallest but for paths that are dearer yet. */
export const WORKGROUP = { x: 8, y: 4 } as const;
const FIRST_PATHS = WORKGROUP.x * WORKGROUP.y;
/** Rays that the first dispatch can cast at most, as nobody knows what one takes: 0.2 s at 50 µs each, which is slow for a software driver. */
const FIRST_RAYS = 4096;
const GROWTH = 4;
/** How much of the dearest ray so far is believed after another dispatch. */
const MEMORY = 0.8;

export class Pace {
  #paths = FIRST_PATHS;
  #longestPath = 1;
  /** Seconds a ray, of the dearest dispatch that is remembered. */
  #dearest = 0;

  /** Paths of the next dispatch, at most. */
  get paths(): number {
    return this.#paths;
  }

  /** Most rays that a path of what follows can cast. */
  set longestPath(rays: number) {
    this.#longestPath = Math.max(1, rays);
    this.#paths = Math.max(1, Math.floor(Math.min(this.#paths, this.#mostPaths())));
  }

  /** Seconds that so many paths take if all of them are as long as can be and rays as dear as the dearest; 0 when unknown. */
  worstSeconds(paths: number): number {
    return paths * this.#longestPath * this.#dearest;
  }

  /** Whether so many may be dispatched: more than `paths` as long as that is not predicted to pass the limit. */
  allows(paths: number): boolean {
    return paths <= this.#paths || (this.#dearest > 0 && this.worstSeconds(paths) <= LIMIT_SECONDS);
  }

  /** Learns from a dispatch. One that was smaller than asked for lets the next grow less. */
  learn(paths: number, rays: number, seconds: number): void {
    // Less than a clock tick's worth of time is no time.
    const taken = Math.max(seconds, 1e-5);
    this.#dearest = Math.max(taken / Math.max(rays, 1), this.#dearest * MEMORY);
    const wanted = (paths / taken) * TARGET_SECONDS;
    const grown = Math.max(paths, FIRST_PATHS) * GROWTH;
    this.#paths = Math.max(1, Math.floor(Math.min(wanted, grown, this.#mostPaths())));
  }

  /** Starts small again: another scene may be slower. */
  reset(): void {
    this.#dearest = 0;
    this.#paths = Math.max(1, Math.floor(Math.min(FIRST_PATHS, this.#mostPaths())));
  }

  #mostPaths(): number {
    return this.#dearest === 0 ? FIRST_RAYS / this.#longestPath : LIMIT_SECONDS / (this.#longestPath * this.#dearest);
  }
}

/**
 * Most rays of a path: at each of its hits one onward and one to a light, and the first. A surface that is cut out or
 * a boundary without effect casts none of its own.
 */
export const longestPathOf = (maxDepth: number): number => 2 * maxDepth + 1;

/** A part of a tile's pixels and samples. */
export interface Slice {
  /** Pixels of the tile. */
  column: number;
  columns: number;
  row: number;
  rows: number;
  sample: number;
  samples: number;
}

/**
 * Cuts a tile into slices of no more paths than `pace` says at each moment: all pixels with several samples, else bands of rows,
 * else parts of one band, else some pixels of a workgroup, whose other threads rest. Every (pixel, sample) is in exactly one slice.
 */
export function* slices(width: number, height: number, first: number, count: number, pace: Pace): Generator<Slice> {
  const end = first + count;
  for (let sample = first; sample < end; ) {
    const samples = Math.min(end - sample, Math.max(1, Math.floor(pace.paths / (width * height))));
    for (let row = 0; row < height; ) {
      const bands = Math.max(1, Math.floor(pace.paths / (samples * width * WORKGROUP.y)));
      const rows = Math.min(height - row, bands * WORKGROUP.y);
      for (let column = 0; column < width; ) {
        const blocks = Math.max(1, Math.floor(pace.paths / (samples * rows * WORKGROUP.x)));
        const columns = Math.min(width - column, blocks * WORKGROUP.x);
        yield* shares({ column, columns, row, rows, sample, samples }, pace);
        column += columns;
      }
      row += rows;
    }
    sample += samples;
  }
}

/** The samples of a slice's pixels, in fewer at a time where dispatches turned out dearer since it was cut. */
function* shares(slice: Slice, pace: Pace): Generator<Slice> {
  const { columns, rows } = slice;
  const end = slice.sample + slice.samples;
  for (let sample = slice.sample; sample < end; ) {
    const samples = Math.min(end - sample, Math.max(1, Math.floor(pace.paths / (columns * rows))));
    if (pace.allows(columns * rows * samples)) yield { ...slice, sample, samples };
    else yield* pixels({ ...slice, sample, samples }, pace);
    sample += samples;
  }
}

/** The pixels of a slice in parts of about one size, as `Pace` lets none grow at once after a small one. */
function* pixels(slice: Slice, pace: Pace): Generator<Slice> {
  const [right, bottom] = [slice.column + slice.columns, slice.row + slice.rows];
  for (let row = slice.row; row < bottom; ) {
    const rows = share(bottom - row, WORKGROUP.y, pace.paths / slice.columns);
    for (let column = slice.column; column < right; ) {
      const columns = share(right - column, WORKGROUP.x, pace.paths / rows);
      yield { ...slice, column, columns, row, rows };
      column += columns;
    }
    row += rows;
  }
}

/** How many of `left` to take where `most` may be: an equal part of them, in whole workgroups where that is allowed. */
function share(left: number, step: number, most: number): number {
  const allowed = Math.max(1, Math.floor(most));
  const equal = Math.ceil(left / Math.ceil(left / allowed));
  const whole = Math.ceil(equal / step) * step;
  return Math.min(left, whole <= allowed ? whole : equal);
}
