/** Puts tiles together to the rectangle that was asked for. */
import { LAYERS, type LayerName } from '../../../domain/layers.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { NAMES_PER_PIXEL, sumChannels, type TracePartial } from '../partial.ts';
import type { TracedPixels, TraceRequest } from '../tracer.ts';
import type { Tile } from './filmPlan.ts';

/** Copies tiles of `width` values a pixel into one array; what lies outside the rectangle is left out. */
function join<T extends Float32Array | Uint32Array>(
  into: T,
  rect: PixelRect,
  width: number,
  tiles: readonly { tile: Tile; values: T }[],
): T {
  const row = (rect.x1 - rect.x0) * width;
  for (const { tile, values } of tiles) {
    const x0 = Math.max(tile.x0, rect.x0);
    const x1 = Math.min(tile.x0 + tile.width, rect.x1);
    const y1 = Math.min(tile.y0 + tile.height, rect.y1);
    for (let y = Math.max(tile.y0, rect.y0); y < y1 && x0 < x1; y++) {
      const at = ((y - tile.y0) * tile.width + x0 - tile.x0) * width;
      const from = values.subarray(at, at + (x1 - x0) * width);
      into.set(from as never, (y - rect.y0) * row + (x0 - rect.x0) * width);
    }
  }
  return into;
}

const pixelsIn = ({ x0, y0, x1, y1 }: PixelRect): number => (x1 - x0) * (y1 - y0);

/** The layers of all tiles. */
export function joinPixels(
  request: TraceRequest,
  parts: readonly { tile: Tile; pixels: TracedPixels }[],
): TracedPixels {
  const { rect } = request;
  const layer = (name: LayerName, of: (pixels: TracedPixels) => Float32Array): Float32Array => {
    const width = LAYERS[name].channels.length;
    const tiles = parts.map(({ tile, pixels }) => ({ tile, values: of(pixels) }));
    return join(new Float32Array(pixelsIn(rect) * width), rect, width, tiles);
  };
  const others = Object.keys(parts[0]!.pixels.layers) as LayerName[];
  return {
    rect: { ...rect },
    beauty: layer('beauty', ({ beauty }) => beauty),
    albedo: layer('albedo', ({ albedo }) => albedo),
    normal: layer('normal', ({ normal }) => normal),
    depth: layer('depth', ({ depth }) => depth),
    layers: Object.fromEntries(others.map((name) => [name, layer(name, ({ layers }) => layers[name]!)])),
    samples: parts.reduce((sum, { pixels }) => sum + pixels.samples, 0),
    rays: parts.reduce((sum, { pixels }) => sum + pixels.rays, 0),
  };
}

/** The sums of all tiles. */
export function joinPartials(
  request: TraceRequest,
  parts: readonly { tile: Tile; partial: TracePartial }[],
): TracePartial {
  const { rect } = request;
  const first = parts[0]!.partial;
  const words = (width: number, of: (partial: TracePartial) => Uint32Array): Uint32Array => {
    const tiles = parts.map(({ tile, partial }) => ({ tile, values: of(partial) }));
    return join(new Uint32Array(pixelsIn(rect) * width), rect, width, tiles);
  };
  const floats = (width: number, of: (partial: TracePartial) => Float32Array): Float32Array => {
    const tiles = parts.map(({ tile, partial }) => ({ tile, values: of(partial) }));
    return join(new Float32Array(pixelsIn(rect) * width), rect, width, tiles);
  };
  const nearest = Object.keys(first.nearest) as LayerName[];
  const names = Object.keys(first.names) as (keyof TracePartial['names'])[];
  return {
    ...first,
    rect: { ...rect },
    sums: words(2 * sumChannels(first.layers).length, ({ sums }) => sums),
    nearestSample: words(1, ({ nearestSample }) => nearestSample),
    depth: floats(1, ({ depth }) => depth),
    nearest: Object.fromEntries(
      nearest.map((name) => [name, floats(LAYERS[name].channels.length, (partial) => partial.nearest[name]!)]),
    ),
    names: Object.fromEntries(
      names.map((name) => [name, words(2 * NAMES_PER_PIXEL, (partial) => partial.names[name]!)]),
    ),
    rays: parts.reduce((sum, { partial }) => sum + partial.rays, 0),
  };
}
