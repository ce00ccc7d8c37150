/** Inspects a shot: one file, or a sequence, whose first file is read whole and the others' JSON for what they refer to. */
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import { formatFrames } from '../../../domain/frames.ts';
import type { FrameFiles, SceneInspection } from '../../../domain/scene.ts';
import type { SceneChoice, SceneFiles } from '../../engine.ts';
import { environmentPaths } from '../environment/find.ts';
import { jsonLength, parseContainer } from './container.ts';
import { ProjectReader } from './files.ts';
import { inspectScene } from './inspect.ts';
import { loadScene, OWN_CHOICE } from './load.ts';
import { externalUris } from './resources.ts';
import { findSequence } from './sequence.ts';
import { sequenceFile } from './sequenceNames.ts';
import { checkExtensions } from './validate.ts';

/** Throws as `loadScene`, and `AssetMissing` for what any frame of a sequence lacks. */
export async function inspectShot(
  files: SceneFiles,
  engine: string,
  choice: SceneChoice = OWN_CHOICE,
): Promise<SceneInspection> {
  const sequence = await findSequence(files);
  if (!sequence) return inspectFile(files, engine, choice);
  const { pattern, frames } = sequence;
  const first = await loadScene({ root: files.root, main: sequenceFile(pattern, frames[0]!) }, choice);
  const reader = new ProjectReader(files.root);
  const lists = new Map<number, string[]>();
  for (const frame of frames) lists.set(frame, await filesOf(reader, sequenceFile(pattern, frame), frame));
  return {
    ...inspectScene(first, engine),
    sequence: { pattern, frames: formatFrames(frames) },
    files: reader.files,
    frameFiles: grouped(lists),
  };
}

/** The chosen scene, and the environments of all: another job of the same version may choose another. */
async function inspectFile(files: SceneFiles, engine: string, choice: SceneChoice): Promise<SceneInspection> {
  const scene = await loadScene(files, choice);
  const inspection = inspectScene(scene, engine);
  const reader = new ProjectReader(files.root);
  const known = new Set(inspection.files.map(({ path }) => path));
  for (const path of await environmentPaths(scene.json, reader, files.main)) {
    if (known.has(path)) continue;
    // Missing, it is missed by a job that chooses its scene.
    await reader.readHead(path, 0, 'AssetMissing', files.main).catch((error: unknown) => {
      if (!(error instanceof FarmError && error.code === 'AssetMissing')) throw error;
    });
  }
  const others = reader.files.filter(({ path }) => !known.has(path));
  if (others.length === 0) return inspection;
  const all = [...inspection.files, ...others];
  return {
    ...inspection,
    files: all,
    frameFiles: [{ frames: null, files: all.map(({ path }) => path), perFrame: [] }],
  };
}

/** Bytes from which the length of the JSON in a `.glb` is known. */
const HEAD_BYTES = 20;

/** Paths of all that one frame's file reads, itself first, each known to be there. */
async function filesOf(reader: ProjectReader, file: string, frame: number): Promise<string[]> {
  try {
    const { head, sizeBytes } = await reader.readHead(file, HEAD_BYTES, 'AssetMissing');
    const whole = await reader.readHead(file, jsonLength(head, sizeBytes), 'AssetMissing');
    const { json } = parseContainer(whole.head, file, sizeBytes);
    checkExtensions(json, file);
    const paths = await referredFiles(json, reader, file);
    for (const path of paths) await reader.readHead(path, 0, 'AssetMissing', file);
    return [file, ...paths];
  } catch (error) {
    if (!(error instanceof FarmError)) throw error;
    throw new FarmError(error.code, `frame ${frame}: ${error.message}`, { ...error.place, frame }, { cause: error });
  }
}

async function referredFiles(json: GLTF.IGLTF, reader: ProjectReader, file: string): Promise<string[]> {
  const uris = externalUris(json).map(({ uri }) => reader.resolveUri(file, uri));
  return [...new Set([...uris, ...(await environmentPaths(json, reader, file))])];
}

/** Frames that read the same files, but for their own number in the names, become one entry. */
function grouped(lists: ReadonlyMap<number, string[]>): FrameFiles[] {
  const groups = new Map<string, { frames: number[]; files: string[]; perFrame: string[] }>();
  const uses = new Map<string, number>();
  for (const path of [...lists.values()].flat()) uses.set(path, (uses.get(path) ?? 0) + 1);
  for (const [frame, paths] of lists) {
    const files: string[] = [];
    const perFrame: string[] = [];
    for (const path of paths) {
      const template = uses.get(path) === 1 ? templateOf(path, frame) : null;
      if (template === null) files.push(path);
      else perFrame.push(template);
    }
    const key = JSON.stringify([files, perFrame]);
    const group = groups.get(key);
    if (group) group.frames.push(frame);
    else groups.set(key, { frames: [frame], files, perFrame });
  }
  return [...groups.values()].map((group) => ({ ...group, frames: formatFrames(group.frames) }));
}

/** The path with `{frame:04}` for the last number in it, when that is the frame's; null when none is. */
function templateOf(path: string, frame: number): string | null {
  const match = /^(.*?)(\d+)(\D*)$/.exec(path);
  if (!match || path.includes('{frame:')) return null;
  const [, before, digits, after] = match;
  if (digits !== String(frame).padStart(digits!.length, '0')) return null;
  return `${before}{frame:0${digits.length}}${after}`;
}
