/** Shots that are one file a frame: `shot.####.glb`, the number signs standing for the frame's number. */
import { FarmError } from '../../../domain/errors.ts';
import { parseFrames } from '../../../domain/frames.ts';
import type { SceneFiles } from '../../engine.ts';
import { findMainScene, ProjectReader } from './files.ts';
import { framesNamed, patternOf, sequenceFile } from './sequenceNames.ts';

export interface SceneSequence {
  /** Path of any frame's file, relative to the root: as many number signs as the number has digits at least. */
  pattern: string;
  /** Numbers of the frames that have a file, rising. */
  frames: number[];
}

/**
 * The sequence that the inspection found, if it is said; else the one that `files.main` names, by its pattern or by the first
 * of at least two files; null when it names one file. An empty name stands for what the folder holds.
 * Throws `FileNotFound` for a pattern without files.
 */
export async function findSequence({ root, main, sequence }: SceneFiles): Promise<SceneSequence | null> {
  if (sequence !== undefined)
    return sequence && { pattern: sequence.pattern, frames: [...parseFrames(sequence.frames)] };
  const found = patternOf(main || (await findMainScene(root)));
  if (!found) return null;
  const { pattern, frame } = found;
  const siblings = await new ProjectReader(root).siblings(pattern).catch(() => []);
  const frames = framesNamed(pattern, siblings);
  if (frame !== null) return frames.length > 1 && frames[0] === frame ? { pattern, frames } : null;
  if (frames.length > 0) return { pattern, frames };
  throw new FarmError('FileNotFound', `there is no file of the sequence ${pattern}`, { file: pattern });
}

/** Throws `AssetMissing` with the first of these frames that has no file. */
export function requireFrames({ pattern, frames }: SceneSequence, wanted: Iterable<number>): void {
  const known = new Set(frames);
  for (const frame of wanted) {
    if (known.has(frame)) continue;
    const file = frame >= 0 ? sequenceFile(pattern, frame) : pattern;
    throw new FarmError('AssetMissing', `frame ${frame} has no file: there is no ${file}`, { file, frame });
  }
}
