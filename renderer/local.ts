/**
 * Rendering on this machine without a farm, for the command line: the same engine, the same rules for settings and the same
 * defaults as a farm's nodes use, so the same bits.
 */
import { rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { FarmError } from '../domain/errors.ts';
import type { PictureFormat, RenderSettings, SceneInspection } from '../domain/scene.ts';
import { chosenScene, type RequestedSettings, resolveSettings } from '../domain/settings.ts';
import { shotWarnings } from '../domain/shotWarnings.ts';
import type { RenderEngine, RenderUnit, SceneChoice, SceneFiles } from './engine.ts';
import { ImageProcessor } from './image/imageProcessor.ts';
import { asDiskFull, workFolderBeside } from './outputFolder.ts';
import { createPathTracerEngine } from './pathtracer/engine.ts';
import { sampleSuffix } from './pathtracer/frameFiles.ts';
import { type GeometryMemory, measureGeometry } from './pathtracer/geometryMemory.ts';
import { findMainScene } from './pathtracer/gltf/files.ts';
import { groupParts, mergeParts } from './pathtracer/sampleRanges.ts';

/** A scene on disk with the settings it will be rendered with. */
export interface LocalShot {
  files: SceneFiles;
  inspection: SceneInspection;
  settings: RenderSettings;
  frames: readonly number[];
}

/** Where frames go: a path per frame, and whether that is the EXR or the picture beside it. */
export interface FrameTarget {
  pathOf(frame: number): string;
  /** Extension without the dot, lower case. */
  extension: string;
  /** Null: the EXR itself. */
  picture: PictureFormat | null;
  /** Whether every frame has a path of its own. */
  isNumbered: boolean;
}

const PICTURES: Record<string, PictureFormat> = {
  png: 'png',
  tif: 'tiff',
  tiff: 'tiff',
  webp: 'webp',
  jpg: 'jpeg',
  jpeg: 'jpeg',
};

/** Files of a scene, or of a folder that holds exactly one or one sequence. @throws FarmError `FileNotFound`, `SceneAmbiguous`, `SceneUnsupported` */
export async function findScene(scene: string): Promise<SceneFiles> {
  const absolute = path.resolve(scene);
  const info = await stat(absolute).catch(() => null);
  if (info?.isDirectory()) return { root: absolute, main: await findMainScene(absolute) };
  if (!info && !/#/.test(scene))
    throw new FarmError('FileNotFound', `There is no file or folder "${scene}".`, { path: scene });
  if (!/\.(glb|gltf)$/i.test(scene)) {
    throw new FarmError('SceneUnsupported', `"${scene}" is neither .glb nor .gltf.`, { path: scene });
  }
  return { root: path.dirname(absolute), main: path.basename(absolute) };
}

/** What the farm would see in a scene, what it would do without being told, and what the scene takes in memory. */
export interface LocalInspection {
  inspection: SceneInspection;
  defaults: { settings: RenderSettings; frames: readonly number[] };
  /** Index of the scene that was looked at. */
  chosenScene: number;
  geometry: GeometryMemory;
}

/** @throws FarmError as the engine does */
export async function inspectLocally(
  scene: string,
  threads: number,
  choice: Partial<SceneChoice> = {},
): Promise<LocalInspection> {
  const engine = createPathTracerEngine();
  try {
    const { files, inspection, settings, frames } = await openShot(engine, scene, choice);
    const geometry = await measureGeometry(files, settings, frames[0] ?? settings.start, threads);
    const chosen = chosenScene(settings.scene, inspection);
    return { inspection, defaults: { settings, frames }, chosenScene: chosen, geometry };
  } finally {
    await engine.close();
  }
}

/** Reads the scene and completes the settings from it, as intake does. @throws FarmError for either */
export async function openShot(engine: RenderEngine, scene: string, asked: RequestedSettings): Promise<LocalShot> {
  const files = await findScene(scene);
  const { scene: wanted = null, variant = null } = asked;
  const inspection = await engine.inspect(files, { scene: wanted, variant });
  const { settings, frames } = resolveSettings(asked, inspection);
  const warnings = shotWarnings(inspection, settings, frames);
  return { files, inspection: { ...inspection, warnings }, settings, frames };
}

/**
 * Reads a pattern such as `frame.####.exr` or `frame.%04d.png`.
 * @throws FarmError `SettingInvalid` for an ending that is no format, or for two places for the number
 */
export function frameTarget(pattern: string): FrameTarget {
  const extension = path.extname(pattern).slice(1).toLowerCase();
  const picture = PICTURES[extension] ?? null;
  if (extension !== 'exr' && picture === null) {
    const known = ['exr', ...Object.keys(PICTURES)].join(', ');
    throw new FarmError('SettingInvalid', `"${pattern}" ends in no format that is written; there are ${known}.`, {
      setting: 'output',
      value: pattern,
    });
  }
  const folder = path.dirname(path.resolve(pattern));
  const name = path.basename(pattern);
  const places = [...name.matchAll(/#+|%0?(\d*)d/g)];
  if (places.length > 1) {
    throw new FarmError(
      'SettingInvalid',
      `"${pattern}" has ${places.length} places for the frame number; one is right.`,
      {
        setting: 'output',
        value: pattern,
      },
    );
  }
  const place = places[0];
  const digits = place ? (place[0].startsWith('#') ? place[0].length : Number(place[1] || 1)) : 0;
  const pathOf = (frame: number): string => {
    if (!place) return path.join(folder, name);
    const number = `${frame < 0 ? '-' : ''}${String(Math.abs(frame)).padStart(digits, '0')}`;
    return path.join(folder, name.slice(0, place.index) + number + name.slice(place.index + place[0].length));
  };
  return { pathOf, extension, picture, isNumbered: place !== undefined };
}

/** One frame on disk. */
export interface LocalFrame {
  frame: number;
  path: string;
  previewPath: string | null;
  renderSeconds: number;
  samples: number;
  rays: number;
}

export interface LocalRenderOptions {
  shot: LocalShot;
  /** Frames to render, of those of the shot. */
  frames: readonly number[];
  target: FrameTarget;
  /** Also the picture beside an EXR. */
  previews: boolean;
  /** Only these samples of each frame, as files for `mergeLocally`; absent: all. */
  samples?: SampleRange | undefined;
  threads: number;
  signal: AbortSignal;
  onFrame(frame: LocalFrame): void;
  /** Share of the frame that is done, 0 to 1. */
  onProgress(frame: number, fraction: number): void;
  onLog(line: string): void;
}

/**
 * Renders frames to their places. A frame appears whole or not at all; a frame that was there is replaced.
 * @throws FarmError as the engine does; `NotWritable` and `DiskFull` before anything is rendered; `Cancelled` soon after an abort, with
 * the frames before it kept
 */
export async function renderShot(engine: RenderEngine, options: LocalRenderOptions): Promise<void> {
  const { shot, frames, target, signal } = options;
  if (frames.length === 0) return;
  requireNumbers(target, frames);
  const work = await workFolderBeside(frames.map(target.pathOf), '.farm-render-');
  try {
    await engine.render(
      {
        files: shot.files,
        settings: shot.settings,
        units: frames.map((frame) => ({ frame, tile: 0, ...(options.samples ? { samples: options.samples } : {}) })),
        outputFolder: work,
        threads: options.threads,
      },
      {
        async unit({ unit, exrPath, previewPath, picturePath, renderSeconds, samples, rays }) {
          const place = target.pathOf(unit.frame);
          const picture = picturePath ?? previewPath;
          const beside = options.previews && !target.picture ? withExtension(place, path.extname(picture)) : null;
          if (beside) await rename(picture, beside);
          await rename(target.picture ? picture : exrPath, place);
          await Promise.all([exrPath, previewPath, picture].map((file) => rm(file, { force: true })));
          options.onFrame({ frame: unit.frame, path: place, previewPath: beside, renderSeconds, samples, rays });
        },
        progress: ({ frame, fraction }) => options.onProgress(frame, fraction),
        log: options.onLog,
      },
      signal,
    );
  } catch (error) {
    throw asDiskFull(error, path.dirname(work));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Samples of a frame: the first, and how many. */
export type SampleRange = NonNullable<RenderUnit['samples']>;

/**
 * Where the parts of frames go that `samples` takes: `frame.0001.samples00032-00063.exr` for `frame.####.exr`.
 * @throws FarmError `SettingInvalid` for a target that is no EXR: a picture cannot hold sums
 */
export function partTarget(target: FrameTarget, samples: SampleRange): FrameTarget {
  if (target.extension !== 'exr') {
    const message = `A part of the samples is an EXR that holds sums; a .${target.extension} cannot.`;
    throw new FarmError('SettingInvalid', message, { setting: 'output', value: target.extension });
  }
  const pathOf = (frame: number): string => withExtension(target.pathOf(frame), `${sampleSuffix(samples)}.exr`);
  return { ...target, pathOf };
}

/**
 * Merges files of sample ranges, of one frame or several, into the frames at their places: the very bytes of an undivided render.
 * @throws FarmError as `mergeParts`, before a frame is written, unless it is the sums of a file that are damaged: that is found when
 * its frame is merged, and the frames before it stay; `SettingInvalid` for several frames and one place
 */
export async function mergeLocally(
  files: readonly string[],
  target: FrameTarget,
  previews: boolean,
  onFrame: (frame: Omit<LocalFrame, 'renderSeconds'>) => void,
): Promise<void> {
  const frames = await groupParts(files);
  if (target.picture) {
    const message = `Merging makes EXR files, and "${path.basename(target.pathOf(0))}" is none; --preview adds a picture.`;
    throw new FarmError('SettingInvalid', message, { setting: 'output', value: target.extension });
  }
  requireNumbers(target, [...frames.keys()]);
  const processor = new ImageProcessor();
  const work = await workFolderBeside([...frames.keys()].map(target.pathOf), '.farm-merge-');
  try {
    for (const [frame, parts] of frames) {
      const files = parts.map(({ file }) => file);
      const { exrPath, previewPath, picturePath, samples, rays } = await mergeParts(files, work, processor);
      const place = target.pathOf(frame);
      const picture = picturePath ?? previewPath;
      const beside = previews ? withExtension(place, path.extname(picture)) : null;
      if (beside) await rename(picture, beside);
      await rename(exrPath, place);
      await Promise.all([previewPath, picture].map((file) => rm(file, { force: true })));
      onFrame({ frame, path: place, previewPath: beside, samples, rays });
    }
  } finally {
    await rm(work, { recursive: true, force: true });
    await processor.close();
  }
}

/** @throws FarmError `SettingInvalid` for several frames and one place */
function requireNumbers(target: FrameTarget, frames: readonly number[]): void {
  if (frames.length <= 1 || target.isNumbered) return;
  const value = path.basename(target.pathOf(frames[0]!));
  const message = `${frames.length} frames need a place for their number: "${value}" has none, "${withExtension(value, '')}.####.${target.extension}" has.`;
  throw new FarmError('SettingInvalid', message, { setting: 'output', value });
}

const withExtension = (file: string, extension: string): string =>
  file.slice(0, file.length - path.extname(file).length) + extension;

/** The engine of this machine; end it with `close`. */
export const openEngine = createPathTracerEngine;
