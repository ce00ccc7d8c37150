/** The folder that frames of a local render go to: what is wrong with it is said before anything is rendered. */
import { mkdir, mkdtemp, stat } from 'node:fs/promises';
import path from 'node:path';
import { FarmError } from '../domain/errors.ts';

/** What a system answers, in words; the client says the same of a pull's folder (`cli/sdk/delivery/diskErrors.ts`). */
const PROBLEMS = {
  EACCES: 'you may not write there',
  EPERM: 'nothing may be written there',
  EROFS: 'the disk is read-only',
  ENOENT: 'no folder can be made there',
  ENOTDIR: 'a file is where a folder should be',
  EEXIST: 'a file is where a folder should be',
  EISDIR: 'a folder has this name',
  ELOOP: 'links there lead in a circle',
  ENAMETOOLONG: 'the disk takes no name as long',
} as const;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/**
 * Makes a folder to work in beside the frames: a rename within one disk is atomic.
 * @param places of the frames, absolute, in one folder, which is made
 * @throws FarmError `NotWritable` for a folder that takes nothing and for a place that is a folder, `DiskFull`
 */
export async function workFolderBeside(places: readonly string[], prefix: string): Promise<string> {
  for (const place of places) {
    const there = await stat(place).catch(() => null);
    if (there?.isDirectory()) throw notWritable(place, PROBLEMS.EISDIR);
  }
  const folder = path.dirname(places[0]!);
  try {
    await mkdir(folder, { recursive: true });
    return await mkdtemp(path.join(folder, prefix));
  } catch (error) {
    const problem = (PROBLEMS as Record<string, string>)[codeOf(error)];
    throw problem ? notWritable(folder, problem, error) : asDiskFull(error, folder);
  }
}

/** `DiskFull` where that is what went wrong, also on the way; else the error as it is. */
export function asDiskFull(error: unknown, folder: string): unknown {
  if (!['ENOSPC', 'EDQUOT'].includes(codeOf(error))) return error;
  return new FarmError('DiskFull', `The disk of ${folder} is full.`, { path: folder }, { cause: error });
}

const notWritable = (place: string, problem: string, cause?: unknown): FarmError =>
  new FarmError('NotWritable', `"${place}" cannot be written: ${problem}.`, { path: place }, { cause });
