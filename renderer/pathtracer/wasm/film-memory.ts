/** The film of one request in the tracer's memory: where the layers lie while they are traced, and how they come out. */
import { LAYER_NAMES, LAYERS, type LayerName } from '../../../domain/layers.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { BASIC_LAYERS, NAME_LAYERS, NEAREST_LAYERS, sumChannels, type TracePartial } from '../partial.ts';
import type { TracedPixels, TraceRequest } from '../tracer.ts';
import * as layout from './assembly/layout.ts';
import type { Heap } from './heap.ts';

/** The rectangle that is traced for `rect`: whole blocks where adaptive sampling decides block by block. */
export function tracedRect({ rect, width, height, options }: TraceRequest): PixelRect {
  if (!options.adaptive) return rect;
  const down = (value: number): number => value - (value % layout.BLOCK);
  const up = (value: number, limit: number): number => Math.min(limit, down(value + layout.BLOCK - 1));
  return { x0: down(rect.x0), y0: down(rect.y0), x1: up(rect.x1, width), y1: up(rect.y1, height) };
}

/** Layers that a request fills in, in the order of `LAYERS`. */
export function filledLayers(request: TraceRequest): LayerName[] {
  return LAYER_NAMES.filter((layer) => BASIC_LAYERS.has(layer) || request.options.layers.includes(layer));
}

/** The word that says to a tracer which layers to fill: a bit each, by the place in `LAYERS`. */
export const layerBits = (layers: readonly LayerName[]): number =>
  layers.reduce((bits, layer) => bits | (1 << LAYER_NAMES.indexOf(layer)), 0) >>> 0;

const pixelsIn = ({ x0, y0, x1, y1 }: PixelRect): number => (x1 - x0) * (y1 - y0);

/** Means of the layers, written by the tracer pixel by pixel. */
export class FilmMemory {
  readonly #heap: Heap;
  readonly #traced: PixelRect;
  readonly #addresses = new Map<LayerName, number>();

  /** Throws `SceneTooLarge` when the layers do not fit beside the scene. */
  constructor(heap: Heap, request: TraceRequest) {
    this.#heap = heap;
    this.#traced = tracedRect(request);
    try {
      for (const layer of filledLayers(request)) {
        const bytes = pixelsIn(this.#traced) * LAYERS[layer].channels.length * 4;
        this.#addresses.set(layer, heap.allocate(bytes));
      }
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Tells the job where the layers are. */
  describe(job: DataView): void {
    let bits = 0;
    for (const [layer, address] of this.#addresses) {
      const index = LAYER_NAMES.indexOf(layer);
      bits |= 1 << index;
      job.setUint32(layout.JOB_FILM + 4 * index, address, true);
    }
    job.setUint32(layout.JOB_LAYERS, bits >>> 0, true);
  }

  /** Copies the request's rectangle out. */
  read(rect: PixelRect): Pick<TracedPixels, 'beauty' | 'albedo' | 'normal' | 'depth' | 'layers'> {
    const all = new Map([...this.#addresses.keys()].map((layer) => [layer, this.#readLayer(layer, rect)]));
    const layers = Object.fromEntries([...all].filter(([layer]) => !BASIC_LAYERS.has(layer)));
    return {
      beauty: all.get('beauty')!,
      albedo: all.get('albedo')!,
      normal: all.get('normal')!,
      depth: all.get('depth')!,
      layers,
    };
  }

  free(): void {
    for (const address of this.#addresses.values()) this.#heap.free(address);
    this.#addresses.clear();
  }

  #readLayer(layer: LayerName, rect: PixelRect): Float32Array {
    const traced = this.#traced;
    const width = LAYERS[layer].channels.length;
    const values = this.#heap.floats(this.#addresses.get(layer)!, pixelsIn(traced) * width);
    if (pixelsIn(rect) === pixelsIn(traced)) return values.slice();
    const row = (rect.x1 - rect.x0) * width;
    const out = new Float32Array((rect.y1 - rect.y0) * row);
    for (let y = rect.y0; y < rect.y1; y++) {
      const from = ((y - traced.y0) * (traced.x1 - traced.x0) + rect.x0 - traced.x0) * width;
      out.set(values.subarray(from, from + row), (y - rect.y0) * row);
    }
    return out;
  }
}

/** Exact sums, one film record a pixel. */
export class SumMemory {
  readonly #heap: Heap;
  readonly #request: TraceRequest;
  readonly #layers: LayerName[];
  readonly #stride: number;
  readonly #address: number;

  /** Throws `SceneTooLarge` when the records do not fit beside the scene. */
  constructor(heap: Heap, request: TraceRequest) {
    this.#heap = heap;
    this.#request = request;
    this.#layers = filledLayers(request);
    const keepsNames = NAME_LAYERS.some((layer) => this.#layers.includes(layer));
    this.#stride = keepsNames ? layout.FILM_STRIDE_NAMES : layout.FILM_STRIDE;
    this.#address = heap.allocate(pixelsIn(request.rect) * this.#stride);
  }

  describe(job: DataView): void {
    job.setUint32(layout.JOB_LAYERS, layerBits(this.#layers), true);
    job.setUint32(layout.JOB_SUMS, this.#address, true);
  }

  read(rays: number): TracePartial {
    const { width, height, seed, frame, rect, sampleStart, sampleCount } = this.#request;
    const pixels = pixelsIn(rect);
    const words = new Uint32Array(this.#heap.memory.buffer, this.#address, (pixels * this.#stride) / 4);
    const floats = new Float32Array(words.buffer, this.#address, words.length);
    const gather = <T extends Uint32Array | Float32Array>(from: T, out: T, offsets: readonly number[]): T => {
      for (let pixel = 0, at = 0; pixel < pixels; pixel++) {
        const record = (pixel * this.#stride) / 4;
        for (const offset of offsets) out[at++] = from[record + offset]!;
      }
      return out;
    };
    const run = (offset: number, count: number): number[] => Array.from({ length: count }, (_, i) => offset / 4 + i);
    const gatherFloats = (offset: number, count: number): Float32Array =>
      gather(floats, new Float32Array(pixels * count), run(offset, count));
    const gatherWords = (offset: number, count: number): Uint32Array =>
      gather(words, new Uint32Array(pixels * count), run(offset, count));
    const sums = sumChannels(this.#layers).flatMap((channel) => run(sumOffset(channel), 2));
    const nearest = NEAREST_LAYERS.filter((layer) => this.#layers.includes(layer));
    const names = NAME_LAYERS.filter((layer) => this.#layers.includes(layer));
    return {
      ...{ width, height, seed, frame, rect: { ...rect }, layers: this.#layers, rays },
      ranges: [[sampleStart, sampleStart + sampleCount]],
      sums: gather(words, new Uint32Array(pixels * sums.length), sums),
      nearestSample: gatherWords(layout.FILM_NEAREST_SAMPLE, 1),
      depth: gatherFloats(layout.FILM_DEPTH, 1),
      nearest: Object.fromEntries(
        nearest.map((layer) => [layer, gatherFloats(NEAREST_OFFSET[layer], LAYERS[layer].channels.length)]),
      ),
      names: Object.fromEntries(
        names.map((layer) => [layer, gatherWords(NAMES_OFFSET[layer], layout.CRYPTO_BYTES / 4)]),
      ),
    };
  }

  free(): void {
    this.#heap.free(this.#address);
  }
}

const NEAREST_OFFSET = { position: layout.FILM_POSITION, motion: layout.FILM_MOTION, uv: layout.FILM_UV } as const;

const NAMES_OFFSET = {
  cryptomatte_object: layout.FILM_CRYPTO,
  cryptomatte_material: layout.FILM_CRYPTO + layout.CRYPTO_BYTES,
} as const;

/** Where in a film record the sum of a channel of `sumChannels` lies, bytes. */
function sumOffset(channel: string): number {
  if (channel === 'luminance') return layout.SUM_LUMINANCE;
  if (channel === 'luminanceSquared') return layout.SUM_LUMINANCE_SQUARED;
  if (channel === 'luminanceSquaredRest') return layout.SUM_LUMINANCE_SQUARED + 8;
  const [layer, suffix] = channel.split('.') as [LayerName, string];
  const place = LAYER_NAMES.indexOf(layer) - layout.LAYER_DIFFUSE_DIRECT;
  const statistic = ['Y', 'YY', 'YYRest'].indexOf(suffix);
  if (LAYERS[layer].isLight && statistic >= 0) {
    return layout.SUM_LIGHT_STATISTICS + layout.STATISTICS_BYTES * place + 8 * statistic;
  }
  const index = (LAYERS[layer].channels as readonly string[]).indexOf(suffix);
  const bases: Partial<Record<LayerName, number>> = {
    beauty: layout.SUM_BEAUTY,
    albedo: layout.SUM_ALBEDO,
    normal: layout.SUM_NORMAL,
  };
  const base = bases[layer] ?? layout.SUM_LIGHT + 24 * place;
  return base + 8 * index;
}
