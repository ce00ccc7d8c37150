/** One pixel again, path by path: what a renderer engineer asks for when a firefly shows. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { FarmError } from '../domain/errors.ts';
import type { RenderSettings } from '../domain/scene.ts';
import type { SceneFiles } from './engine.ts';
import { convertColors } from './image/colorSpace.ts';
import { cryptomatteId } from './image/cryptomatte.ts';
import { decodeExr, readExrHeader } from './image/exr/read.ts';
import { floatToHalf, HALF_MAX, halfToFloatTable } from './image/half.ts';
import { createPathTracerEngine } from './pathtracer/engine.ts';
import { cryptomatteNames } from './pathtracer/frameLayers.ts';
import { QUANTA } from './pathtracer/partial.ts';
import { SceneCache } from './pathtracer/sceneCache.ts';
import { Shot } from './pathtracer/shot.ts';
import { TracerSlot, tierOfBuild } from './pathtracer/tiers.ts';
import { type PathTracer, traceOptionsOf } from './pathtracer/tracer.ts';
import type { PathRecord } from './pathtracer/wasm/path-record.ts';

export type { PathRecord, PathStep } from './pathtracer/wasm/path-record.ts';

export interface ReproRequest {
  files: SceneFiles;
  settings: RenderSettings;
  frame: number;
  /** From the picture's top left. */
  x: number;
  y: number;
  /** Samples to tell of: first and last, both included; absent: the brightest. */
  samples?: { first: number; last: number } | undefined;
  /** The frame as it was delivered, to compare with. */
  delivered?: Buffer | undefined;
}

/** Where a sum of light is full (`wasm/assembly/film.ts`), quanta. */
const FULL_QUANTA = 2 ** 61;

/** A channel of the pixel, as this machine makes it and as it was delivered. */
export interface ReproChannel {
  name: string;
  value: number;
  delivered: number | null;
  /** Whose id the value is, of a Cryptomatte channel. */
  shows: string | null;
}

export interface Repro {
  build: string;
  /** Build that the delivered file names; null without one. */
  deliveredBuild: string | null;
  /** Samples that the pixel got; with adaptive sampling each has its own number. */
  sampleCount: number;
  paths: PathRecord[];
  /** What all samples add up to, divided by their number and rounded as the file does: R, G, B. */
  sum: [number, number, number];
  /** Whether the sum has the bits of the traced pixel's beauty. */
  addsUp: boolean;
  /** Node and material names by the positions that steps hold. */
  objects: string[];
  materials: string[];
  /** Of the whole pixel, all its samples. */
  pixel: ReproChannel[];
  /** Whether every channel has the delivered bits; null without a delivered frame. */
  isEqual: boolean | null;
}

/**
 * Traces the pixel as a farm's node does, and records the paths asked for. `slot` replaces what makes tracers, for tests.
 * @throws FarmError `SettingInvalid` for a pixel or sample outside the picture or for a technique without paths
 */
export async function reproPixel(request: ReproRequest, slot = new TracerSlot()): Promise<Repro> {
  const { files, settings, frame, x, y, samples } = request;
  checkPlace(request);
  const engine = createPathTracerEngine({ slot });
  const work = await mkdtemp(path.join(tmpdir(), 'framewright-repro-'));
  try {
    const tracer = await tracerFor(slot, request);
    const description = await (await Shot.open(new SceneCache(), files, settings, [frame])).at(frame);
    await tracer.setScene(description);
    const rect = { x0: x, y0: y, x1: x + 1, y1: y + 1 };
    const trace = {
      ...{ width: settings.width, height: settings.height, sampleStart: 0, sampleCount: settings.samples },
      ...{ seed: settings.seed, frame, rect, options: traceOptionsOf(settings) },
    };
    const counting = { ...trace.options, layers: [...trace.options.layers, 'sample_count' as const] };
    const sampleCount = (await tracer.trace({ ...trace, options: counting })).layers.sample_count![0]!;
    if (samples && samples.last >= sampleCount) throw refuseSamples(samples, sampleCount);
    const all: PathRecord[] = [];
    for (let sample = 0; sample < sampleCount; sample++) all.push(await tracer.recordPath(trace, x, y, sample));
    const paths = samples ? all.slice(samples.first, samples.last + 1) : [brightest(all)];
    const made: Buffer[] = [];
    await engine.render(
      {
        ...{ files, settings: { ...settings, tier: tracer.tier }, units: [{ frame, tile: 0, rect }] },
        ...{ outputFolder: work, threads: availableParallelism() },
      },
      {
        unit: async ({ exrPath }) => void made.push(await readFile(exrPath)),
        progress: () => undefined,
        log: () => undefined,
      },
      new AbortController().signal,
    );
    const names = cryptomatteNames(description);
    const pixel = compare(made[0]!, request, [...names.objects, ...names.materials]);
    const sum = sumOf(all, settings);
    return {
      build: engine.build,
      deliveredBuild: request.delivered ? buildOf(request.delivered) : null,
      ...{ sampleCount, paths, sum },
      addsUp: ['R', 'G', 'B'].every((name, i) => pixel.some((it) => it.name === name && Object.is(it.value, sum[i]))),
      objects: description.instances.map(({ name }) => name),
      materials: description.materials.map(({ name }) => name),
      pixel,
      isEqual: request.delivered ? pixel.every(({ value, delivered }) => Object.is(value, delivered)) : null,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
    await engine.close();
  }
}

/** Of the tier that made the frame. Where this machine lacks it, the CPU's paths are told, and the bits said to be others. */
async function tracerFor(slot: TracerSlot, { delivered, settings }: ReproRequest): Promise<PathTracer> {
  const threads = availableParallelism();
  if (!delivered) return (await slot.take(settings.tier, threads)).tracer;
  try {
    return (await slot.take(tierOfBuild(buildOf(delivered)), threads)).tracer;
  } catch (error) {
    if (!(error instanceof FarmError && error.code === 'GpuMissing')) throw error;
    return (await slot.take('cpu', threads)).tracer;
  }
}

const buildOf = (file: Buffer): string => String(readExrHeader(file).attributes['framewright:build']);

function checkPlace({ settings, x, y, samples }: ReproRequest): void {
  const { width, height, crop, technique } = settings;
  const within = crop ?? { x0: 0, y0: 0, x1: width, y1: height };
  const refuse = (setting: string, value: string, why: string): FarmError =>
    new FarmError('SettingInvalid', `${setting} is ${value}; ${why}.`, { setting, value });
  if (technique !== 'pathtrace')
    throw refuse('technique', technique, 'only frames that were path traced have paths to show');
  const inside = [x, y].every(Number.isInteger) && x >= within.x0 && y >= within.y0 && x < within.x1 && y < within.y1;
  if (!inside) {
    throw refuse(
      'pixel',
      `${x},${y}`,
      `the picture has ${within.x0},${within.y0} to ${within.x1 - 1},${within.y1 - 1}`,
    );
  }
  if (!samples) return;
  const { first, last } = samples;
  const isRange = Number.isInteger(first) && Number.isInteger(last) && first >= 0 && first <= last;
  if (!isRange || last >= settings.samples) throw refuseSamples(samples, settings.samples);
}

function refuseSamples({ first, last }: { first: number; last: number }, count: number): FarmError {
  const value = first === last ? String(first) : `${first}-${last}`;
  const why =
    last < first ? 'a range goes from its first sample to its last' : `the pixel has samples 0 to ${count - 1}`;
  return new FarmError('SettingInvalid', `sample is ${value}; ${why}.`, { setting: 'sample', value });
}

const luminance = ([r, g, b]: readonly number[]): number => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
const brightest = (paths: readonly PathRecord[]): PathRecord =>
  paths.reduce((best, path) => (luminance(path.radiance) > luminance(best.radiance) ? path : best));

/** The film's own arithmetic (`wasm/assembly/film.ts`) and the file's: quanta, mean, colour space, sample type. */
function sumOf(paths: readonly PathRecord[], { output }: RenderSettings): Repro['sum'] {
  const means = new Float32Array(3);
  for (let channel = 0; channel < 3; channel++) {
    let quanta = 0n;
    for (const { radiance } of paths) quanta += BigInt(quantaOf(radiance[channel]!));
    means[channel] = Number(quanta) / (paths.length * QUANTA);
  }
  const [r, g, b] = convertColors(means, 3, output.colorSpace);
  const rounded = (value: number): number => {
    if (output.floatLayers.includes('beauty')) return value;
    return halfToFloatTable()[floatToHalf(Math.min(HALF_MAX, Math.max(-HALF_MAX, value)))]!;
  };
  return [rounded(r!), rounded(g!), rounded(b!)];
}

/** Of one sample's light, in quanta, ties to even; neither NaN nor less than nothing gets into a picture. */
function quantaOf(value: number): number {
  if (!(value > 0)) return 0;
  const scaled = Math.fround(value * QUANTA);
  const low = Math.floor(scaled);
  const rest = scaled - low;
  return Math.min(rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low, FULL_QUANTA);
}

/** Channels of the pixel in both files. Denoised ones are left out: they depend on what lies around. */
function compare(made: Buffer, { delivered, x, y }: ReproRequest, names: readonly string[]): ReproChannel[] {
  const ours = pixelOf(made, x, y);
  const theirs = delivered ? pixelOf(delivered, x, y) : null;
  const owners = new Map(names.map((name) => [cryptomatteId(name), name]));
  return [...ours]
    .filter(([name]) => !/_denoised\./.test(name))
    .map(([name, value]) => ({
      ...{ name, value, delivered: theirs?.get(name) ?? null },
      // Ids are in the first and third channel of each file layer, coverage is in the others.
      shows: /^Crypto.*\.[RB]$/.test(name) && value !== 0 ? (owners.get(value) ?? null) : null,
    }));
}

function pixelOf(file: Buffer, x: number, y: number): Map<string, number> {
  const { dataWindow, width, planes, uintPlanes } = decodeExr(file);
  const at = (y - dataWindow.yMin) * width + (x - dataWindow.xMin);
  return new Map([...planes, ...uintPlanes].map(([name, plane]) => [name, plane[at]!]));
}
