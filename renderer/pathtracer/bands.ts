/**
 * Large pictures in bands of rows: a frame of 8192x4608 with all layers is 9.8 GB as floats, which neither the tracer's memory
 * (4 GiB) nor a farm's node holds. A band is traced, written and forgotten, but for the rows that denoising the next one looks at. No
 * bit depends on the bands: samples know no tiles, and the denoiser has all that it looks at.
 */
import { LAYERS, type LayerName } from '../../domain/layers.ts';
import type { PixelRect } from '../../domain/scene.ts';
import { ExrWriter } from '../image/exr/write.ts';
import type { RowSpan } from '../image/imageProcessor.ts';
import { BASIC_LAYERS } from './partial.ts';
import type { TracedPixels, TraceOptions } from './tracer.ts';
import { BLOCK } from './wasm/assembly/layout.ts';

/** Most that the layers of a band take, bytes; while it is written they are there about three times. */
const BAND_BYTES = 2 ** 29;

const channelsIn = (layer: LayerName): number => LAYERS[layer].channels.length;

/** Bytes of a pixel of what was traced. */
const bytesOf = ({ rect, beauty, albedo, normal, depth, layers }: TracedPixels): number =>
  [beauty, albedo, normal, depth, ...Object.values(layers)].reduce((sum, data) => sum + data.byteLength, 0) /
  ((rect.x1 - rect.x0) * (rect.y1 - rect.y0));

/** What was traced in bands: itself where it is small enough. */
export const cutBands = (pixels: TracedPixels): TracedPixels[] =>
  bandsOf(pixels.rect, bytesOf(pixels)).map((rect) => bandOf(pixels, rect));

/** Bytes that a tracer fills in for a pixel. */
const pixelBytes = ({ layers }: TraceOptions): number =>
  [...new Set([...BASIC_LAYERS, ...layers])].reduce((sum, layer) => sum + 4 * channelsIn(layer), 0);

/** Pixels of a short band: some tens of milliseconds of a quick look. */
const SHORT_BAND_PIXELS = 2 ** 17;

/** Bands of a rectangle that are there for their being short: one is written while the next is traced. */
export const shortBands = (rect: PixelRect): PixelRect[] => bandsOf(rect, 1, SHORT_BAND_PIXELS);

/** Bands of a rectangle, top down, as large as the memory for one allows; each but the last of whole chunks of an EXR. */
export function bandsOf(rect: PixelRect, bytesPerPixel: number, bandBytes = BAND_BYTES): PixelRect[] {
  const rowBytes = (rect.x1 - rect.x0) * bytesPerPixel;
  const step = ExrWriter.bandRows;
  const rows = Math.max(1, Math.floor(bandBytes / rowBytes / step)) * step;
  const bands: PixelRect[] = [];
  for (let y0 = rect.y0; y0 < rect.y1; y0 += rows) bands.push({ ...rect, y0, y1: Math.min(rect.y1, y0 + rows) });
  return bands;
}

/** The bands to trace a rectangle in; one where that is small enough. */
export function tracedBands(rect: PixelRect, options: TraceOptions, bandBytes = BAND_BYTES): PixelRect[] {
  // Adaptive sampling decides block by block: a band that cut one would trace it twice.
  if (options.adaptive && rect.y0 % BLOCK !== 0) return [rect];
  return bandsOf(rect, pixelBytes(options), bandBytes);
}

/** Rows `[from, to)` of a layer's array, which stays where it is. */
export const rowsOf = (data: Float32Array, layer: LayerName, width: number, { from, to }: RowSpan): Float32Array =>
  data.subarray(from * width * channelsIn(layer), to * width * channelsIn(layer));

/** What of the pixels lies in `rect`, a band of theirs. */
export function bandOf(pixels: TracedPixels, rect: PixelRect): TracedPixels {
  const { rect: whole, beauty, albedo, normal, depth, layers } = pixels;
  const rows = (data: Float32Array, layer: LayerName): Float32Array =>
    rowsOf(data, layer, whole.x1 - whole.x0, { from: rect.y0 - whole.y0, to: rect.y1 - whole.y0 });
  return {
    ...pixels,
    rect,
    ...{ beauty: rows(beauty, 'beauty'), albedo: rows(albedo, 'albedo'), normal: rows(normal, 'normal') },
    depth: rows(depth, 'depth'),
    layers: Object.fromEntries(
      (Object.entries(layers) as [LayerName, Float32Array][]).map(([layer, data]) => [layer, rows(data, layer)]),
    ),
  };
}

/** What denoising the beauty needs beside it. */
export const GUIDES: ReadonlySet<LayerName> = new Set([...BASIC_LAYERS, 'variance']);

/** Rows of a unit with what a denoiser must see of their neighbours. */
export interface RowsInContext {
  /** The rows that are ready. */
  rect: PixelRect;
  /** They and the rows around them. */
  context: TracedPixels;
}

/**
 * Holds bands, top down, until rows have all the neighbours that a denoiser looks at, and forgets what no later rows need. Holds
 * only layers that are wanted.
 */
export class RowWindow {
  readonly #rect: PixelRect;
  readonly #wanted: ReadonlySet<LayerName> | 'all';
  readonly #reach: number;
  #held: TracedPixels | null = null;
  /** First row that was not yet ready. */
  #next: number;

  /** @param reach rows above and below one that it needs */
  constructor(rect: PixelRect, wanted: ReadonlySet<LayerName> | 'all', reach: number) {
    this.#rect = rect;
    this.#wanted = wanted;
    this.#reach = reach;
    this.#next = rect.y0;
  }

  /** Takes the next rows. Returns those that are ready with them and were not before: whole chunks of an EXR, or null for none. */
  add(band: TracedPixels): RowsInContext | null {
    const { y0, y1 } = this.#rect;
    this.#held = this.#append(band);
    const last = band.rect.y1;
    const step = ExrWriter.bandRows;
    const ready = last === y1 ? y1 : y0 + Math.floor((last - this.#reach - y0) / step) * step;
    if (ready <= this.#next) return null;
    const rect = { ...this.#rect, y0: this.#next, y1: ready };
    this.#next = ready;
    const around = { ...rect, y0: Math.max(y0, rect.y0 - this.#reach), y1: Math.min(y1, ready + this.#reach) };
    return { rect, context: bandOf(this.#held, around) };
  }

  #append(band: TracedPixels): TracedPixels {
    const wanted = (Object.keys(band.layers) as LayerName[]).filter(
      (layer) => this.#wanted === 'all' || this.#wanted.has(layer),
    );
    const slim = { ...band, layers: Object.fromEntries(wanted.map((layer) => [layer, band.layers[layer]!])) };
    if (!this.#held) return slim;
    const { rect } = this.#held;
    const needed = { ...rect, y0: Math.max(rect.y0, this.#next - this.#reach) };
    return joined(bandOf(this.#held, needed), slim);
  }
}

/** Two bands with the same layers, one below the other. */
function joined(upper: TracedPixels, lower: TracedPixels): TracedPixels {
  const join = (above: Float32Array, below: Float32Array): Float32Array => {
    const out = new Float32Array(above.length + below.length);
    out.set(above);
    out.set(below, above.length);
    return out;
  };
  return {
    ...lower,
    rect: { ...lower.rect, y0: upper.rect.y0 },
    ...{ beauty: join(upper.beauty, lower.beauty), albedo: join(upper.albedo, lower.albedo) },
    ...{ normal: join(upper.normal, lower.normal), depth: join(upper.depth, lower.depth) },
    layers: Object.fromEntries(
      (Object.entries(lower.layers) as [LayerName, Float32Array][]).map(([layer, rows]) => [
        layer,
        join(upper.layers[layer]!, rows),
      ]),
    ),
  };
}
