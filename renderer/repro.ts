/** One pixel again, path by path: what a renderer engineer asks for when a firefly shows. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { FarmError } from '../domain/errors.ts';
import type { RenderSettings } from '../domain/scene.ts';
import type { SceneFiles } from './engine.ts';
import { decodeExr } from './image/exr/read.ts';
import { createPathTracerEngine } from './pathtracer/engine.ts';
import { SceneCache } from './pathtracer/sceneCache.ts';
import { Shot } from './pathtracer/shot.ts';
import { traceOptionsOf } from './pathtracer/tracer.ts';
import type { PathRecord } from './pathtracer/wasm/path-record.ts';
import { createCpuTracer } from './pathtracer/wasm/tracer.ts';

export type { PathRecord, PathStep } from './pathtracer/wasm/path-record.ts';

export interface ReproRequest {
  files: SceneFiles;
  settings: RenderSettings;
  frame: number;
  /** From the picture's top left. */
  x: number;
  y: number;
  /** Samples to tell of: first and last, both included. */
  samples: { first: number; last: number };
  /** The frame as it was delivered, to compare with. */
  delivered?: Buffer | undefined;
}

/** A channel of the pixel, as this machine makes it and as it was delivered. */
export interface ReproChannel {
  name: string;
  value: number;
  delivered: number | null;
}

export interface Repro {
  build: string;
  /** Build that the delivered file names; null without one. */
  deliveredBuild: string | null;
  paths: PathRecord[];
  /** Node and material names by the positions that steps hold. */
  objects: string[];
  materials: string[];
  /** Of the whole pixel, all its samples. */
  pixel: ReproChannel[];
  /** Whether every channel has the delivered bits; null without a delivered frame. */
  isEqual: boolean | null;
}

/**
 * Traces the pixel as a farm's node does, and records the paths asked for.
 * @throws FarmError `SettingInvalid` for a pixel or sample outside the picture or for a technique without paths
 */
export async function reproPixel(request: ReproRequest): Promise<Repro> {
  const { files, settings, frame, x, y, samples } = request;
  checkPlace(request);
  const engine = createPathTracerEngine();
  const tracer = await createCpuTracer({ threads: availableParallelism() });
  const work = await mkdtemp(path.join(tmpdir(), 'framewright-repro-'));
  try {
    const description = await (await Shot.open(new SceneCache(), files, settings, [frame])).at(frame);
    await tracer.setScene(description);
    const rect = { x0: x, y0: y, x1: x + 1, y1: y + 1 };
    const trace = {
      ...{ width: settings.width, height: settings.height, sampleStart: 0, sampleCount: settings.samples },
      ...{ seed: settings.seed, frame, rect, options: traceOptionsOf(settings) },
    };
    const paths: PathRecord[] = [];
    for (let sample = samples.first; sample <= samples.last; sample++) {
      paths.push(await tracer.recordPath(trace, x, y, sample));
    }
    const made: Buffer[] = [];
    await engine.render(
      {
        ...{ files, settings: { ...settings, tier: 'cpu' }, units: [{ frame, tile: 0, rect }] },
        ...{ outputFolder: work, threads: availableParallelism() },
      },
      {
        unit: async ({ exrPath }) => void made.push(await readFile(exrPath)),
        progress: () => undefined,
        log: () => undefined,
      },
      new AbortController().signal,
    );
    const pixel = compare(made[0]!, request);
    return {
      build: engine.build,
      deliveredBuild: request.delivered ? String(decodeExr(request.delivered).attributes['framewright:build']) : null,
      paths,
      objects: description.instances.map(({ name }) => name),
      materials: description.materials.map(({ name }) => name),
      pixel,
      isEqual: request.delivered ? pixel.every(({ value, delivered }) => Object.is(value, delivered)) : null,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
    await tracer.close();
    await engine.close();
  }
}

function checkPlace({ settings, x, y, samples }: ReproRequest): void {
  const { width, height, crop, technique } = settings;
  const within = crop ?? { x0: 0, y0: 0, x1: width, y1: height };
  const refuse = (setting: string, value: string, why: string): FarmError =>
    new FarmError('SettingInvalid', `${setting} is ${value}; ${why}.`, { setting, value });
  if (technique !== 'pathtrace') throw refuse('technique', technique, 'only path-traced frames have paths to show');
  const inside = [x, y].every(Number.isInteger) && x >= within.x0 && y >= within.y0 && x < within.x1 && y < within.y1;
  if (!inside) {
    throw refuse(
      'pixel',
      `${x},${y}`,
      `the picture has ${within.x0},${within.y0} to ${within.x1 - 1},${within.y1 - 1}`,
    );
  }
  const { first, last } = samples;
  if (!(Number.isInteger(first) && Number.isInteger(last) && first >= 0 && first <= last && last < settings.samples)) {
    throw refuse('samples', `${first}-${last}`, `the frame has samples 0 to ${settings.samples - 1}`);
  }
}

/** Channels of the pixel in both files. Denoised ones are left out: they depend on what lies around. */
function compare(made: Buffer, { delivered, x, y }: ReproRequest): ReproChannel[] {
  const ours = pixelOf(made, x, y);
  const theirs = delivered ? pixelOf(delivered, x, y) : null;
  return [...ours]
    .filter(([name]) => !/_denoised\./.test(name))
    .map(([name, value]) => ({ name, value, delivered: theirs?.get(name) ?? null }));
}

function pixelOf(file: Buffer, x: number, y: number): Map<string, number> {
  const { dataWindow, width, planes, uintPlanes } = decodeExr(file);
  const at = (y - dataWindow.yMin) * width + (x - dataWindow.xMin);
  return new Map([...planes, ...uintPlanes].map(([name, plane]) => [name, plane[at]!]));
}
