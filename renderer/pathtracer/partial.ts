/**
 * Parts of a picture's samples, and how they become one picture. Tracers sum light as 64-bit integers (quanta of 2^-24, the
 * smallest half float), so parts merge in any order into the very bits of an undivided render.
 */
import { FarmError } from '../../domain/errors.ts';
import { CRYPTOMATTE_RANKS, LAYERS, type LayerName, SAMPLED_LIGHT } from '../../domain/layers.ts';
import type { PixelRect } from '../../domain/scene.ts';
import type { TracedPixels } from './tracer.ts';

/** Quanta in one. */
export const QUANTA = 2 ** 24;
/** Sums of squares are in units of so many squared quanta, and the rest in squared quanta. */
export const SQUARES = 2 ** 44;
/** High word at which a sum of light is full: 2^61 quanta, some 10^11. */
const FULL_HIGH = 0x2000_0000;

export type NameLayer = 'cryptomatte_object' | 'cryptomatte_material';
export const NAME_LAYERS: readonly NameLayer[] = ['cryptomatte_object', 'cryptomatte_material'];
/** Pairs of (id, samples) kept a pixel. Names beyond that are left out, the latest first. */
export const NAMES_PER_PIXEL = 32;

/** What some samples of a rectangle add up to. All arrays are row-major, top row first. */
export interface TracePartial {
  /** Of the whole picture. */
  width: number;
  height: number;
  seed: number;
  frame: number;
  rect: PixelRect;
  /** Layers that can be made of it. */
  layers: readonly LayerName[];
  /** Samples in it: half-open ranges, ascending, apart. */
  ranges: readonly (readonly [number, number])[];
  /** Two's complement sums for each of `sumChannels(layers)`: low word, high word; channels of a pixel follow one another. */
  sums: Uint32Array;
  /** Of the sample nearest to the camera: its number, and its depth, Infinity when none hit anything. */
  nearestSample: Uint32Array;
  depth: Float32Array;
  /** Values of that sample, for those of the layers position, motion and uv that are asked for. */
  nearest: Partial<Record<LayerName, Float32Array>>;
  /** `NAMES_PER_PIXEL` pairs a pixel: the bits of an id (0: none) and how many samples showed it, in order of appearance. */
  names: Partial<Record<NameLayer, Uint32Array>>;
  rays: number;
}

/** Layers whose value is that of the sample nearest to the camera. */
export const NEAREST_LAYERS = ['position', 'motion', 'uv'] as const satisfies readonly LayerName[];

/**
 * Names of the summed channels, in order: `beauty.R …`, then what the other layers need; at the end luminance (`transmission.Y`)
 * and its square (`transmission.YY` in `SQUARES` and `transmission.YYRest`) of light layers whose variance is asked for.
 */
export function sumChannels(layers: readonly LayerName[]): string[] {
  const of = (layer: LayerName): string[] => LAYERS[layer].channels.map((channel) => `${layer}.${channel}`);
  const light = (Object.keys(LAYERS) as LayerName[]).filter((layer) => LAYERS[layer].isLight && layers.includes(layer));
  const statistics = layers.includes('variance') ? ['luminance', 'luminanceSquared', 'luminanceSquaredRest'] : [];
  const noisy = SAMPLED_LIGHT.filter((layer) => layers.includes(`${layer}_variance`));
  return [
    ...[...of('beauty'), ...of('albedo'), ...of('normal')],
    ...[...statistics, ...light.flatMap(of)],
    ...noisy.flatMap((layer) => [`${layer}.Y`, `${layer}.YY`, `${layer}.YYRest`]),
  ];
}

/** Samples that a partial holds. */
function sampleCountOf({ ranges }: Pick<TracePartial, 'ranges'>): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** One partial of the samples of both, which stay as they are. Throws `SettingInvalid` when they do not belong together. */
export function mergePartials(a: TracePartial, b: TracePartial): TracePartial {
  checkMergeable(a, b);
  const [first, second] = a.ranges[0]![0] <= b.ranges[0]![0] ? [a, b] : [b, a];
  const closer = nearerPixels(first, second);
  const channels = sumChannels(a.layers);
  return {
    ...first,
    ranges: joinRanges([...a.ranges, ...b.ranges]),
    sums: addSums(first.sums, second.sums, channels),
    nearestSample: first.nearestSample.map((value, i) => (closer[i] ? second.nearestSample[i]! : value)),
    depth: first.depth.map((value, i) => (closer[i] ? second.depth[i]! : value)),
    nearest: mapValues(first.nearest, (values, layer) => {
      const width = LAYERS[layer].channels.length;
      return values.map((value, i) => (closer[Math.floor(i / width)] ? second.nearest[layer]![i]! : value));
    }),
    names: mapValues(first.names, (values, layer) => mergeNames(values, second.names[layer]!)),
    rays: a.rays + b.rays,
  };
}

/** The picture that the partial's samples make; `counts` are those of each pixel where pixels have samples of their own number. */
export function finishPartial(partial: TracePartial, counts?: Uint32Array): TracedPixels {
  const { layers, sums, rect, depth, rays } = partial;
  const pixels = depth.length;
  const count = sampleCountOf(partial);
  const countOf = (pixel: number): number => counts?.[pixel] ?? count;
  const channels = sumChannels(layers);
  const sumAt = (pixel: number, channel: number): number => {
    const at = 2 * (pixel * channels.length + channel);
    return (sums[at + 1]! | 0) * 2 ** 32 + sums[at]!;
  };
  const means = (layer: LayerName): Float32Array => {
    const width = LAYERS[layer].channels.length;
    const first = channels.indexOf(`${layer}.${LAYERS[layer].channels[0]}`);
    const out = new Float32Array(pixels * width);
    for (let i = 0; i < pixels; i++) {
      for (let k = 0; k < width; k++) out[i * width + k] = sumAt(i, first + k) / (countOf(i) * QUANTA);
    }
    return out;
  };
  const layerOf = (layer: LayerName): Float32Array => {
    if (layer === 'sample_count') return Float32Array.from({ length: pixels }, (_, i) => countOf(i));
    if (layer === 'variance') return variances(pixels, countOf, channels.indexOf('luminance'), sumAt);
    const noisy = SAMPLED_LIGHT.find((light) => layer === `${light}_variance`);
    if (noisy) return variances(pixels, countOf, channels.indexOf(`${noisy}.Y`), sumAt);
    if (layer === 'cryptomatte_object' || layer === 'cryptomatte_material')
      return rankNames(partial.names[layer]!, countOf);
    return partial.nearest[layer]?.slice() ?? means(layer);
  };
  const others = layers.filter((layer) => !BASIC_LAYERS.has(layer));
  return {
    rect: { ...rect },
    beauty: means('beauty'),
    albedo: means('albedo'),
    normal: means('normal'),
    depth: depth.slice(),
    layers: Object.fromEntries(others.map((layer) => [layer, layerOf(layer)])),
    samples: counts ? counts.reduce((sum, samples) => sum + samples, 0) : pixels * count,
    rays,
  };
}

/** Layers that every picture has, outside `TracedPixels.layers`. */
export const BASIC_LAYERS: ReadonlySet<LayerName> = new Set(['beauty', 'albedo', 'normal', 'depth']);

/** The same formula as in `wasm/assembly/film.ts`, operation by operation. */
function variances(
  pixels: number,
  countOf: (pixel: number) => number,
  channel: number,
  sumAt: (pixel: number, channel: number) => number,
): Float32Array {
  const out = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const count = countOf(i);
    if (count < 2) continue;
    const average = sumAt(i, channel) / count;
    const square = (sumAt(i, channel + 1) * SQUARES + sumAt(i, channel + 2)) / count;
    out[i] = Math.max(0, square - average * average) / ((count - 1) * QUANTA ** 2);
  }
  return out;
}

/** (id, coverage) by rank: most samples first, equal ones by the bits of their ids. */
function rankNames(names: Uint32Array, countOf: (pixel: number) => number): Float32Array {
  const pixels = names.length / (2 * NAMES_PER_PIXEL);
  const out = new Float32Array(pixels * CRYPTOMATTE_RANKS * 2);
  const bits = new Uint32Array(out.buffer);
  const ranks: { id: number; samples: number }[] = [];
  for (let pixel = 0; pixel < pixels; pixel++) {
    ranks.length = 0;
    for (let i = 0; i < NAMES_PER_PIXEL; i++) {
      const at = 2 * (pixel * NAMES_PER_PIXEL + i);
      if (names[at + 1]! > 0) ranks.push({ id: names[at]!, samples: names[at + 1]! });
    }
    ranks.sort((a, b) => b.samples - a.samples || a.id - b.id);
    for (const [rank, { id, samples }] of ranks.slice(0, CRYPTOMATTE_RANKS).entries()) {
      const at = 2 * (pixel * CRYPTOMATTE_RANKS + rank);
      bits[at] = id;
      out[at + 1] = samples / countOf(pixel);
    }
  }
  return out;
}

function checkMergeable(a: TracePartial, b: TracePartial): void {
  const refuse = (what: string): never => {
    throw new FarmError('SettingInvalid', `Sample ranges cannot be merged: ${what}.`, { setting: 'samples' });
  };
  const same = (key: (partial: TracePartial) => unknown): boolean => JSON.stringify(key(a)) === JSON.stringify(key(b));
  if (!same(({ width, height, seed, frame }) => [width, height, seed, frame])) refuse('they are of different pictures');
  if (!same(({ rect: { x0, y0, x1, y1 } }) => [x0, y0, x1, y1])) refuse('they are of different tiles');
  if (!same(({ layers }) => sumChannels(layers)) || !same(({ nearest, names }) => [nearest, names].map(Object.keys))) {
    refuse('they hold different layers');
  }
  if (a.ranges.some(([from, to]) => b.ranges.some(([start, end]) => from < end && start < to))) {
    refuse('they have samples in common');
  }
}

function joinRanges(ranges: (readonly [number, number])[]): [number, number][] {
  const joined: [number, number][] = [];
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && last[1] === start) last[1] = end;
    else joined.push([start, end]);
  }
  return joined;
}

function addSums(a: Uint32Array, b: Uint32Array, channels: readonly string[]): Uint32Array {
  const signed = channels.map((channel) => channel.startsWith('normal.'));
  const out = new Uint32Array(a.length);
  for (let at = 0; at < a.length; at += 2) {
    const low = a[at]! + b[at]!;
    const high = (a[at + 1]! + b[at + 1]! + (low > 0xffff_ffff ? 1 : 0)) >>> 0;
    const isFull = !signed[(at / 2) % channels.length] && high >= FULL_HIGH;
    out[at] = isFull ? 0 : low;
    out[at + 1] = isFull ? FULL_HIGH : high;
  }
  return out;
}

/** 1 where the second partial's nearest sample is nearer, or as near and earlier. */
function nearerPixels(first: TracePartial, second: TracePartial): Uint8Array {
  return Uint8Array.from(first.depth, (depth, i) => {
    const other = second.depth[i]!;
    return other < depth || (other === depth && second.nearestSample[i]! < first.nearestSample[i]!) ? 1 : 0;
  });
}

/** Adds the second's names behind the first's. */
function mergeNames(first: Uint32Array, second: Uint32Array): Uint32Array {
  const out = first.slice();
  const stride = 2 * NAMES_PER_PIXEL;
  for (let pixel = 0; pixel < out.length; pixel += stride) {
    for (let from = pixel; from < pixel + stride && second[from + 1]! > 0; from += 2) {
      for (let to = pixel; to < pixel + stride; to += 2) {
        if (out[to + 1]! > 0 && out[to] !== second[from]) continue;
        out[to] = second[from]!;
        out[to + 1]! += second[from + 1]!;
        break;
      }
    }
  }
  return out;
}

function mapValues<K extends string, V>(
  values: Partial<Record<K, V>>,
  change: (value: V, key: K) => V,
): Partial<Record<K, V>> {
  const entries = (Object.entries(values) as [K, V][]).map(([key, value]) => [key, change(value, key)]);
  return Object.fromEntries(entries) as Partial<Record<K, V>>;
}
