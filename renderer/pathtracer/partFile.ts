/**
 * The file of a sample range: a `TracePartial` as OpenEXR, so that any EXR tool can look into it, and nothing is rounded.
 *
 * Format, version 2. Single part, scan lines, ZIP; the data window is the unit's rectangle, the display window the picture.
 *
 * | channel                                     | type  | holds                                                          |
 * | ------------------------------------------- | ----- | -------------------------------------------------------------- |
 * | `sum.<channel>.lo`, `sum.<channel>.hi`      | uint  | words of the 64-bit sum over the samples, quanta of 2^-24; squares (`luminanceSquared`, `….YY`) in units of 2^-4, and the rest (`luminanceSquaredRest`, `….YYRest`) in 2^-48 |
 * | `nearest.sample`, `nearest.Z`               | uint, float | the sample nearest to the camera, and its depth          |
 * | `nearest.<layer>.<channel>`                 | float | that sample's position, motion, uv                             |
 * | `<cryptomatte layer>.<nn>.id`, `….<nn>.n`   | uint  | an id's bits and its samples, in order of appearance; absent places are empty |
 *
 * The attribute `framewright:part` is JSON: `formatVersion`, `ranges` (half open), `rays`, `layers`, `source` (what the sums depend
 * on beside the settings), and all that the finished frame's header says (settings, camera, names, build), so that merging needs
 * no scene.
 */
import { open, readFile } from 'node:fs/promises';
import { FarmError } from '../../domain/errors.ts';
import { LAYERS, type LayerName } from '../../domain/layers.ts';
import { decodeExr, type ExrPicture, readExrHeader } from '../image/exr/read.ts';
import type { ExrChannelSource } from '../image/exr/write.ts';
import { ExrWriter } from '../image/exr/write.ts';
import type { FrameFacts } from './frameLayers.ts';
import { NAMES_PER_PIXEL, type NameLayer, sumChannels, type TracePartial } from './partial.ts';
import type { Tracer } from './tracer.ts';

const ATTRIBUTE = 'framewright:part';

/** What sums depend on beside the frame's settings: parts of one frame have the same. */
export interface PartSource {
  /** SHA-256 over the files that the frame was rendered from. */
  inputs: string;
  tier: Tracer['tier'];
  /** Null on the CPU, where all machines give the same bits. */
  device: string | null;
}

/** @param inputs as `Shot.inputs` */
export const sourceOf = ({ tier, device }: Pick<Tracer, 'tier' | 'device'>, inputs: string): PartSource => ({
  ...{ inputs, tier, device: tier === 'gpu' ? device : null },
});

/** A sample range with what the frame's header will say. */
export interface SamplePart {
  partial: TracePartial;
  facts: FrameFacts;
  source: PartSource;
}

/** What a part says of itself, without its sums. */
export interface PartHeader {
  file: string;
  facts: FrameFacts;
  source: PartSource;
  /** Half open, ascending. */
  ranges: readonly (readonly [number, number])[];
}

interface PartDocument {
  formatVersion: 2;
  ranges: (readonly [number, number])[];
  rays: number;
  layers: LayerName[];
  source: PartSource;
  facts: FrameFacts;
}

/** Most headers are shorter: those of scenes with many names are not. */
const HEADER_BYTES = 65_536;

const twoDigits = (index: number): string => String(index).padStart(2, '0');

/** Places for names that any pixel of the layer has filled. */
function usedPlaces(names: Uint32Array): number {
  let used = 0;
  for (let at = 1, place = 0; at < names.length; at += 2, place = (place + 1) % NAMES_PER_PIXEL) {
    if (place >= used && names[at]! > 0) used = place + 1;
  }
  return used;
}

function channelsOf(partial: TracePartial): ExrChannelSource[] {
  const names = sumChannels(partial.layers);
  const uint = (name: string, data: Uint32Array, stride: number, offset: number): ExrChannelSource => ({
    ...{ name, type: 'uint', data, stride, offset },
  });
  const nearest = (Object.entries(partial.nearest) as [LayerName, Float32Array][]).flatMap(([layer, data]) =>
    LAYERS[layer].channels.map((channel, offset): ExrChannelSource => {
      const stride = LAYERS[layer].channels.length;
      return { name: `nearest.${layer}.${channel}`, type: 'float', data, stride, offset };
    }),
  );
  const ids = (Object.entries(partial.names) as [NameLayer, Uint32Array][]).flatMap(([layer, data]) =>
    Array.from({ length: usedPlaces(data) }, (_, place) => [
      uint(`${layer}.${twoDigits(place)}.id`, data, 2 * NAMES_PER_PIXEL, 2 * place),
      uint(`${layer}.${twoDigits(place)}.n`, data, 2 * NAMES_PER_PIXEL, 2 * place + 1),
    ]).flat(),
  );
  return [
    ...names.flatMap((name, index) => [
      uint(`sum.${name}.lo`, partial.sums, 2 * names.length, 2 * index),
      uint(`sum.${name}.hi`, partial.sums, 2 * names.length, 2 * index + 1),
    ]),
    uint('nearest.sample', partial.nearestSample, 1, 0),
    { name: 'nearest.Z', type: 'float', data: partial.depth, stride: 1, offset: 0 },
    ...nearest,
    ...ids,
  ];
}

/** Writes the part; the file has its name only when it is whole. Returns its channels in file order. */
export async function writePart(path: string, { partial, facts, source }: SamplePart): Promise<string[]> {
  const { rect, width, height, ranges, rays, layers } = partial;
  const channels = channelsOf(partial);
  const document: PartDocument = { formatVersion: 2, ranges: [...ranges], rays, layers: [...layers], source, facts };
  const writer = await ExrWriter.open(path, {
    ...{ width, height, rect, compression: 'zip', channels: channels.map(({ name, type }) => ({ name, type })) },
    attributes: { [ATTRIBUTE]: { kind: 'string', value: JSON.stringify(document, plainArrays) } },
  });
  try {
    await writer.writeRows(0, rect.y1 - rect.y0, channels);
    await writer.close();
    return writer.channelNames;
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** Floats of a typed array have the same value as numbers of JSON. */
const plainArrays = (_: string, value: unknown): unknown => (value instanceof Float32Array ? [...value] : value);

/**
 * Reads the sums that `writePart` wrote. Throws `FileNotFound`, and `SettingInvalid` naming the file for anything else, also for a
 * later format.
 */
export async function readPart(file: string): Promise<TracePartial> {
  const bytes = await readFile(file).catch(() => notFound(file));
  return attempt(file, () => partialOf(decodeExr(bytes), readDocument(bytes, file)));
}

/** Reads no more of a part than its header. Throws as `readPart`. */
export async function readPartHeader(file: string): Promise<PartHeader> {
  const handle = await open(file).catch(() => notFound(file));
  try {
    for (let size = HEADER_BYTES; ; size *= 4) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0).catch(() => notFound(file));
      try {
        const { facts, source, ranges } = readDocument(buffer.subarray(0, bytesRead), file);
        return attempt(file, () => ({ ...{ file, source, ranges }, facts: factsOf(facts) }));
      } catch (error) {
        // Of a file that was read to its end no more is to be had.
        if (bytesRead < size) throw error;
      }
    }
  } finally {
    await handle.close();
  }
}

function notFound(file: string): never {
  throw new FarmError('FileNotFound', `There is no file "${file}".`, { path: file });
}

const refuse = (name: string, why: string): FarmError =>
  new FarmError('SettingInvalid', `"${name}" is no sample range to merge: ${why}.`, { file: name });

function attempt<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FarmError ? error : refuse(name, (error as Error).message);
  }
}

function readDocument(bytes: Uint8Array, name: string): PartDocument {
  const text = attempt(name, () => readExrHeader(bytes)).attributes[ATTRIBUTE];
  if (typeof text !== 'string') throw refuse(name, 'it is a finished picture, or of another program');
  const document = parse(text);
  if (!document) throw refuse(name, `its attribute ${ATTRIBUTE} is damaged`);
  const { formatVersion } = document;
  if (formatVersion !== 2) throw refuse(name, `it has format ${formatVersion}, and this build reads 2`);
  if (!document.source) throw refuse(name, 'it does not say which files it was rendered from; render it again');
  return document;
}

function parse(text: string): PartDocument | null {
  try {
    const document = JSON.parse(text) as PartDocument | null;
    return typeof document === 'object' ? document : null;
  } catch {
    return null;
  }
}

function factsOf(facts: FrameFacts): FrameFacts {
  const { camera } = facts;
  const next = camera.transformNext ? { transformNext: Float32Array.from(camera.transformNext) } : {};
  return { ...facts, camera: { ...camera, transform: Float32Array.from(camera.transform), ...next } };
}

function partialOf(picture: ExrPicture, { ranges, rays, layers, facts }: PartDocument): TracePartial {
  const { settings, unit } = facts;
  const { width, height, seed } = settings;
  const { xMin, yMin, xMax, yMax } = picture.dataWindow;
  const pixels = picture.width * picture.height;
  const uints = (name: string): Uint32Array => need(picture.uintPlanes.get(name), name);
  const floats = (name: string): Float32Array => need(picture.planes.get(name), name);
  const sums = interleave(
    new Uint32Array(pixels * 2 * sumChannels(layers).length),
    sumChannels(layers).flatMap((name) => [uints(`sum.${name}.lo`), uints(`sum.${name}.hi`)]),
  );
  const isNearest = (layer: LayerName): boolean => layer === 'position' || layer === 'motion' || layer === 'uv';
  const nearest = layers.filter(isNearest).map((layer) => {
    const { channels } = LAYERS[layer];
    const planes = channels.map((channel) => floats(`nearest.${layer}.${channel}`));
    return [layer, interleave(new Float32Array(pixels * channels.length), planes)];
  });
  const isNamed = (layer: LayerName): layer is NameLayer => layer.startsWith('cryptomatte_');
  const names = layers.filter(isNamed).map((layer) => {
    const planes = Array.from({ length: NAMES_PER_PIXEL }, (_, place) => `${layer}.${twoDigits(place)}`).flatMap(
      (at) => [picture.uintPlanes.get(`${at}.id`), picture.uintPlanes.get(`${at}.n`)],
    );
    return [layer, interleave(new Uint32Array(pixels * 2 * NAMES_PER_PIXEL), planes)];
  });
  return {
    ...{ width, height, seed, frame: unit.frame, layers, ranges, rays },
    rect: { x0: xMin, y0: yMin, x1: xMax + 1, y1: yMax + 1 },
    sums,
    nearestSample: uints('nearest.sample'),
    depth: floats('nearest.Z'),
    nearest: Object.fromEntries(nearest),
    names: Object.fromEntries(names),
  };
}

function need<T>(plane: T | undefined, name: string): T {
  if (plane === undefined) throw new Error(`it lacks the channel ${name}`);
  return plane;
}

/** Pixel by pixel; planes that are missing stay zero. */
function interleave<T extends Uint32Array | Float32Array>(out: T, planes: (T | undefined)[]): T {
  for (const [offset, plane] of planes.entries()) {
    if (!plane) continue;
    for (let i = 0, at = offset; i < plane.length; i++, at += planes.length) out[at] = plane[i]!;
  }
  return out;
}
