/** How a tile's film lies in a buffer, and how it is taken apart again. */
import { LAYERS, type LayerName } from '../../../domain/layers.ts';
import { NAME_LAYERS, NAMES_PER_PIXEL, NEAREST_LAYERS, sumChannels, type TracePartial } from '../partial.ts';

/** Parts of the film behind the sums, in the order of `Dispatch` in twins/film.wgsl. */
const PARTS = ['nearest', 'depth', 'position', 'motion', 'uv', 'cryptomatte_object', 'cryptomatte_material'] as const;
type Part = (typeof PARTS)[number];

/** Words of one pixel of a part. */
function widthOf(part: Part, layers: readonly LayerName[]): number {
  if (part === 'nearest' || part === 'depth') return 1;
  if (!layers.includes(part)) return 0;
  return part === 'cryptomatte_object' || part === 'cryptomatte_material'
    ? 2 * NAMES_PER_PIXEL
    : LAYERS[part].channels.length;
}

export interface Tile {
  /** In the picture. */
  x0: number;
  y0: number;
  width: number;
  height: number;
}

/** Sums of all pixels first, then the parts one after the other; each part pixel by pixel. */
export class FilmPlan {
  /** Summed channels a pixel; each takes two words. */
  readonly channels: number;
  /** Words in front of each part. */
  readonly offsets: number[] = [];
  readonly words: number;
  /** Where depths lie and how many there are: they start as Infinity, all else as zero. */
  readonly startOfDepths: number;
  readonly depths: number;
  /** Where adaptive sampling says which blocks get samples, a word each; behind all else. */
  readonly startOfBlocks: number;
  /** Of the summed channels: luminance, which the layer `variance` brings; its square follows. -1 without. */
  readonly luminanceChannel: number;
  readonly #layers: readonly LayerName[];

  constructor(pixels: number, layers: readonly LayerName[], blocks = 0) {
    this.#layers = layers;
    this.channels = sumChannels(layers).length;
    let at = pixels * this.channels * 2;
    for (const part of PARTS) {
      this.offsets.push(at);
      at += pixels * widthOf(part, layers);
    }
    this.startOfBlocks = at;
    this.words = at + blocks;
    this.luminanceChannel = sumChannels(layers).indexOf('luminance');
    this.startOfDepths = this.offsets[PARTS.indexOf('depth')]!;
    this.depths = pixels;
  }

  /** Words of a pixel, all parts together. */
  static wordsPerPixel(layers: readonly LayerName[]): number {
    return new FilmPlan(1, layers).words;
  }

  /** The arrays of a partial that these words hold; views, not copies. */
  read(words: Uint32Array<ArrayBuffer>): Pick<TracePartial, 'sums' | 'nearestSample' | 'depth' | 'nearest' | 'names'> {
    const of = (part: Part): Uint32Array<ArrayBuffer> => {
      const start = this.offsets[PARTS.indexOf(part)]!;
      return words.subarray(start, start + this.depths * widthOf(part, this.#layers));
    };
    const floats = (part: Part): Float32Array => {
      const { buffer, byteOffset, length } = of(part);
      return new Float32Array(buffer, byteOffset, length);
    };
    const nearest = NEAREST_LAYERS.filter((layer) => this.#layers.includes(layer));
    const names = NAME_LAYERS.filter((layer) => this.#layers.includes(layer));
    return {
      sums: words.subarray(0, this.depths * this.channels * 2),
      nearestSample: of('nearest'),
      depth: floats('depth'),
      nearest: Object.fromEntries(nearest.map((layer) => [layer, floats(layer)])),
      names: Object.fromEntries(names.map((layer) => [layer, of(layer)])),
    };
  }
}
