/**
 * Adaptive sampling on the GPU: rounds of samples for all blocks of a tile that are still noisy, by the rule of the CPU tier
 * (`traceBlock` in `wasm/assembly/index.ts`), number by number, so that both tiers stop at the same samples.
 */
import type { AdaptiveSampling } from '../../../domain/scene.ts';
import { QUANTA, SQUARES } from '../partial.ts';
import * as layout from '../wasm/assembly/layout.ts';
import type { FilmPlan, Tile } from './filmPlan.ts';

const { BLOCK } = layout;

interface Block {
  /** Pixels of the tile. */
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** The blocks of a tile, which are cut at multiples of `BLOCK` of the picture, and the samples that each has. */
export class AdaptiveBlocks {
  /** Blocks in a row. */
  readonly columns: number;
  /** 1 for each block that gets samples in this round; the kernel reads it. */
  readonly open: Uint32Array<ArrayBuffer>;
  readonly #blocks: Block[] = [];
  /** Samples of each block's pixels. */
  readonly #taken: Uint32Array;
  readonly #threshold: number;
  readonly #gain: number;
  readonly #minimum: number;
  readonly #most: number;
  /** Samples of this round. */
  #from = 0;
  #until: number;

  /** @param most samples that a pixel gets; `exposure` as in `TraceOptions` */
  constructor(tile: Tile, { threshold, minSamples }: AdaptiveSampling, exposure: number, most: number) {
    const rows = Math.ceil((tile.y0 + tile.height) / BLOCK) - Math.floor(tile.y0 / BLOCK);
    this.columns = Math.ceil((tile.x0 + tile.width) / BLOCK) - Math.floor(tile.x0 / BLOCK);
    for (let i = 0; i < rows * this.columns; i++) {
      const x = (Math.floor(tile.x0 / BLOCK) + (i % this.columns)) * BLOCK - tile.x0;
      const y = (Math.floor(tile.y0 / BLOCK) + Math.floor(i / this.columns)) * BLOCK - tile.y0;
      const clip = (value: number, end: number): number => Math.min(end, Math.max(0, value));
      this.#blocks.push({
        x0: clip(x, tile.width),
        y0: clip(y, tile.height),
        x1: clip(x + BLOCK, tile.width),
        y1: clip(y + BLOCK, tile.height),
      });
    }
    this.open = new Uint32Array(this.#blocks.length).fill(1);
    this.#taken = new Uint32Array(this.#blocks.length);
    // The CPU tier keeps both as floats.
    this.#threshold = Math.fround(threshold);
    this.#gain = Math.fround(2 ** exposure);
    this.#minimum = minSamples;
    this.#most = most;
    this.#until = Math.min(most, this.#minimum);
  }

  /** Samples of the round that is to be traced for the open blocks; null when no block is open. */
  get round(): { first: number; count: number } | null {
    return this.open.some((is) => is === 1) ? { first: this.#from, count: this.#until - this.#from } : null;
  }

  /** Ends a round: closes the blocks that are quiet enough by the tile's film, and those that have all samples. */
  finishRound(sums: Uint32Array, film: FilmPlan, width: number): void {
    const luminance = film.luminanceChannel;
    for (const [index, block] of this.#blocks.entries()) {
      if (this.open[index] === 0) continue;
      this.#taken[index] = this.#until;
      const pixels = (block.x1 - block.x0) * (block.y1 - block.y0);
      let variance = 0;
      for (let y = block.y0; y < block.y1; y++) {
        for (let x = block.x0; x < block.x1; x++) {
          const at = 2 * ((y * width + x) * film.channels + luminance);
          variance += toneMappedVariance(
            wide(sums, at),
            wide(sums, at + 2) * SQUARES + wide(sums, at + 4),
            this.#until,
            this.#gain,
          );
        }
      }
      const isQuiet = variance <= this.#threshold * this.#threshold * pixels;
      if (this.#until >= this.#most || isQuiet) this.open[index] = 0;
    }
    this.#from = this.#until;
    this.#until = Math.min(this.#most, this.#from + Math.max(4, this.#from >> 1));
  }

  /** Samples of each pixel of the tile. */
  counts(width: number, height: number): Uint32Array {
    const counts = new Uint32Array(width * height);
    for (const [index, { x0, y0, x1, y1 }] of this.#blocks.entries()) {
      for (let y = y0; y < y1; y++) counts.fill(this.#taken[index]!, y * width + x0, y * width + x1);
    }
    return counts;
  }
}

const wide = (sums: Uint32Array, at: number): number => (sums[at + 1]! | 0) * 2 ** 32 + sums[at]!;

/** `toneMappedVariance` of `wasm/assembly/film.ts`, operation by operation; sums in quanta and in squared quanta. */
function toneMappedVariance(luminance: number, squared: number, n: number, gain: number): number {
  const variance = n < 2 ? 0 : Math.max(0, squared / n - (luminance / n) ** 2) / ((n - 1) * QUANTA ** 2);
  const average = luminance / (n * QUANTA);
  const slope = gain / ((1 + gain * average) * (1 + gain * average));
  return variance * slope * slope;
}
