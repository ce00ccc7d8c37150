/**
 * Large pictures in bands of rows: a frame of 8192x4608 with all layers is 9.8 GB as floats, which neither the tracer's memory
 * (4 GiB) nor a farm's node holds. A band is traced, written and forgotten. No bit depends on the bands: samples know no tiles.
 */
import { LAYERS, type LayerName } from '../../domain/layers.ts';
import type { PixelRect } from '../../domain/scene.ts';
import { ExrWriter } from '../image/exr/write.ts';
import { BASIC_LAYERS } from './partial.ts';
import type { TracedPixels, TraceOptions } from './tracer.ts';
import { BLOCK } from './wasm/assembly/layout.ts';

/** Most that the layers of a band take, bytes; while it is written they are there about three times. */
const BAND_BYTES = 2 ** 29;

const channelsIn = (layer: LayerName): number => LAYERS[layer].channels.length;

/** Bytes that a tracer fills in for a pixel. */
const pixelBytes = ({ layers }: TraceOptions): number =>
  [...new Set([...BASIC_LAYERS, ...layers])].reduce((sum, layer) => sum + 4 * channelsIn(layer), 0);

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
export const rowsOf = (
  data: Float32Array,
  layer: LayerName,
  width: number,
  [from, to]: readonly [number, number],
): Float32Array => data.subarray(from * width * channelsIn(layer), to * width * channelsIn(layer));

/** What of the pixels lies in `rect`, a band of theirs. */
export function bandOf(pixels: TracedPixels, rect: PixelRect): TracedPixels {
  const { rect: whole, beauty, albedo, normal, depth, layers } = pixels;
  const rows = (data: Float32Array, layer: LayerName): Float32Array =>
    rowsOf(data, layer, whole.x1 - whole.x0, [rect.y0 - whole.y0, rect.y1 - whole.y0]);
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

/** Puts bands together again, those layers that are asked for. */
export class TracedRows {
  readonly #rect: PixelRect;
  readonly #wanted: ReadonlySet<LayerName> | 'all';
  #whole: TracedPixels | null = null;

  constructor(rect: PixelRect, wanted: ReadonlySet<LayerName> | 'all') {
    this.#rect = rect;
    this.#wanted = wanted;
  }

  add(band: TracedPixels): void {
    const { y0, y1 } = band.rect;
    const rect = this.#rect;
    if (y0 === rect.y0 && y1 === rect.y1) {
      this.#whole = band;
      return;
    }
    this.#whole ??= this.#empty(band);
    const place = bandOf(this.#whole, band.rect);
    for (const layer of ['beauty', 'albedo', 'normal', 'depth'] as const) place[layer].set(band[layer]);
    for (const [layer, data] of Object.entries(place.layers) as [LayerName, Float32Array][]) {
      data.set(band.layers[layer]!);
    }
  }

  /** All rows. Throws `RangeError` when none were added. */
  whole(): TracedPixels {
    if (!this.#whole) throw new RangeError('no rows were added');
    return this.#whole;
  }

  #empty(band: TracedPixels): TracedPixels {
    const rect = this.#rect;
    const pixels = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
    const of = (layer: LayerName): Float32Array => new Float32Array(pixels * channelsIn(layer));
    const wanted = (Object.keys(band.layers) as LayerName[]).filter(
      (layer) => this.#wanted === 'all' || this.#wanted.has(layer),
    );
    return {
      ...band,
      rect,
      ...{ beauty: of('beauty'), albedo: of('albedo'), normal: of('normal'), depth: of('depth') },
      layers: Object.fromEntries(wanted.map((layer) => [layer, of(layer)])),
    };
  }
}
