/** How many paths one dispatch may follow: as many as were measured to take a tenth of a second, so that none is long. */

const TARGET_SECONDS = 0.1;
/** Before anything is measured; a software driver needs some tenths of a second for these. */
const FIRST_PATHS = 2048;
const GROWTH = 8;

export class Pace {
  #paths = FIRST_PATHS;

  /** Paths of the next dispatch. */
  get paths(): number {
    return this.#paths;
  }

  /** Learns from a dispatch of so many paths. A dispatch that was smaller than asked for teaches less. */
  learn(paths: number, seconds: number): void {
    const wanted = (paths / Math.max(seconds, 1e-4)) * TARGET_SECONDS;
    this.#paths = Math.max(64, Math.floor(Math.min(wanted, Math.max(paths, 64) * GROWTH)));
  }

  /** Starts small again: another scene may be slower. */
  reset(): void {
    this.#paths = Math.min(this.#paths, FIRST_PATHS * GROWTH);
  }
}

/** A part of a tile's pixels and samples. */
export interface Slice {
  /** Rows of the tile. */
  row: number;
  rows: number;
  sample: number;
  samples: number;
}

/**
 * Cuts a tile into slices of about as many paths as `pace` says at each moment: all rows with several samples, or some rows
 * with one sample. Every (pixel, sample) is in exactly one slice.
 */
export function* slices(width: number, height: number, first: number, count: number, pace: Pace): Generator<Slice> {
  const end = first + count;
  for (let sample = first; sample < end; ) {
    const samples = Math.min(end - sample, Math.max(1, Math.floor(pace.paths / (width * height))));
    for (let row = 0; row < height; ) {
      const rows = Math.min(height - row, Math.max(1, Math.floor(pace.paths / (width * samples))));
      yield { row, rows, sample, samples };
      row += rows;
    }
    sample += samples;
  }
}
