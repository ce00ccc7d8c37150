/** Folders with those above them. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * As `mkdir` with `recursive`, but for places where nothing can be made although what is above is there (`/proc` on Linux): Node 20
 * asks there for ever.
 * @throws the system's error
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(path);
    if (code === 'ENOENT' && above !== path) {
      await makeFolder(above);
      await mkdir(path).catch((failure) => requireFolder(path, failure));
    } else await requireFolder(path, error);
  }
}

/** @throws the error, unless a folder is there: one that was before, or that somebody else made meanwhile */
async function requireFolder(path: string, error: unknown): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (!there?.isDirectory()) throw error;
}
