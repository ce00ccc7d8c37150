/**
 * The engine of measurements on machines without enough GPUs: hands out frames that a real engine traced beforehand, after
 * as many seconds as a render shall take. It reads every byte that was staged for a frame, as a renderer does, and holds no
 * frame that was not traced. A run that used it says so.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, readdir, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError } from '../../domain/errors.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import type { RenderEngine, RenderUnit, SceneFiles } from '../engine.ts';
import { framesNamed, patternOf, sequenceFile } from '../pathtracer/gltf/sequenceNames.ts';
import { type ReplayFrame, type ReplayIndex, replayIndexFile } from './index.ts';

export interface ReplayOptions {
  /** Folder with the frames and their index. */
  folder: string;
  /** Seconds that a frame takes, reading its files included. */
  renderSeconds: number;
}

/** No frame is free: plans divide by its time. */
const LEAST_SECONDS = 0.001;

/**
 * Opens the frames of a folder.
 * @throws FarmError `FileNotFound` without a readable index
 */
export async function createReplayEngine({ folder, renderSeconds }: ReplayOptions): Promise<RenderEngine> {
  const text = await readFile(path.join(folder, replayIndexFile), 'utf8').catch((cause: unknown) => {
    const message = `There are no traced frames in ${folder}: ${replayIndexFile} cannot be read.`;
    throw new FarmError('FileNotFound', message, { folder }, { cause });
  });
  const index = JSON.parse(text) as ReplayIndex;
  const held = new Map(index.frames.map((frame) => [frame.frame, frame]));
  const build = `replay-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;

  return {
    name: 'pathtracer',
    build,
    probe: async (threads) => ({
      ...{ engine: 'pathtracer', build, tier: 'cpu', device: `replay of ${index.engineBuild}`, threads },
      ...{ memoryBytes: os.totalmem(), score: 1 },
    }),
    // A node that only hands frames out need not load what reads scenes.
    inspect: async (files, choice) =>
      (await import('../pathtracer/gltf/inspectShot.ts')).inspectShot(files, 'pathtracer', choice),
    estimate: async (_files, settings, frames) => {
      for (const frame of frames) requireFrame(held, { frame, tile: 0 }, settings);
      return { secondsPerFrame: Math.max(LEAST_SECONDS, renderSeconds), referenceScore: 1, tracedShare: 0, frames: [] };
    },
    async render({ files, settings, units, outputFolder, ready }, sink, signal) {
      const traced = units.map((unit) => ({ unit, from: requireFrame(held, unit, settings) }));
      for (const { unit, from } of traced) {
        await ready?.(unit.frame);
        const began = performance.now();
        const due = sleep(renderSeconds * 1000, undefined, { signal }).catch(() => undefined);
        await readFilesOf(files, unit.frame, signal);
        await due;
        if (signal.aborted) throw new FarmError('Cancelled', 'rendering was cancelled');
        const exrPath = await handOut(path.join(folder, from.exr), outputFolder);
        const previewPath = await handOut(path.join(folder, from.preview), outputFolder);
        sink.progress({ frame: unit.frame, tile: unit.tile, fraction: 1 });
        const { width, height, channels, samples, rays } = from;
        const renderedSeconds = (performance.now() - began) / 1000;
        await sink.unit({
          ...{
            unit,
            exrPath,
            exrHash: from.hash,
            previewPath,
            picturePath: null,
            width,
            height,
            channels,
            samples,
            rays,
          },
          renderSeconds: renderedSeconds,
        });
      }
    },
  };
}

/** @throws FarmError `RenderFailed` for what was not traced: another frame, another size, a part of a frame */
function requireFrame(
  held: ReadonlyMap<number, ReplayFrame>,
  unit: RenderUnit,
  { width, height, crop, output }: RenderSettings,
): ReplayFrame {
  if (output.picture !== 'png') {
    const message = `Frames traced beforehand come without a picture in ${output.picture}.`;
    throw new FarmError('SettingInvalid', message, { setting: 'output.picture' });
  }
  const found = held.get(unit.frame);
  if (!found)
    throw new FarmError('RenderFailed', `Frame ${unit.frame} was not traced beforehand.`, { frame: unit.frame });
  if (found.width === width && found.height === height && !unit.rect && !unit.samples && !crop) return found;
  const message = `Frame ${unit.frame} was traced beforehand as a whole at ${found.width}x${found.height}, not as ordered.`;
  throw new FarmError('RenderFailed', message, { frame: unit.frame, width, height });
}

/** Reads all that lies there for a frame: everything but the scene files of other frames. */
async function readFilesOf({ root, main, sequence }: SceneFiles, frame: number, signal: AbortSignal): Promise<void> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const all = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
  const pattern = sequence === undefined ? patternOf(main)?.pattern : sequence?.pattern;
  const own = pattern ? sequenceFile(pattern, frame) : null;
  const isSequence = own !== null && all.includes(own);
  for (const file of all) {
    if (isSequence && file !== own && framesNamed(pattern!, [file]).length > 0) continue;
    if (signal.aborted) return;
    for await (const _ of createReadStream(path.join(root, file), { highWaterMark: 1 << 20 })) {
      // Read is what a renderer would have done.
    }
  }
}

/** The same bytes under a name that the receiver may remove; a copy only where a link cannot be. */
async function handOut(source: string, folder: string): Promise<string> {
  const target = path.join(folder, path.basename(source));
  await link(source, target).catch(() => copyFile(source, target));
  return target;
}
