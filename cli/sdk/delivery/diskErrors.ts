/** What a studio's disk says, as a person should read it. */
import { mkdtemp, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FarmApiError } from '../errors.ts';

/** The studio's own disk answered so; no source is to blame. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  /** Code of the system, such as `EACCES`. */
  readonly code: string;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = (cause as NodeJS.ErrnoException).code ?? '';
  }
}

/** Throws what the disk answered, as `DiskError`; to be caught with. */
export function onDisk(error: unknown): never {
  throw error instanceof DiskError ? error : new DiskError(error);
}

const IN_THE_WAY = 'Move what is there out of the way, or name another folder with --to, and try again.';
const NO_RIGHT = 'Get the right to write there, or name another folder with --to, and try again.';
const ANOTHER_DISK = 'Name another folder with --to, and try again.';

/** Nothing that is tried again helps. What is wrong, and what to do. */
const FINAL: Record<string, [problem: string, remedy: string]> = {
  EACCES: ['you may not write there', NO_RIGHT],
  EPERM: ['nothing may be written there', NO_RIGHT],
  EROFS: ['the disk is read-only', ANOTHER_DISK],
  ENOTDIR: ['a file is where a folder should be', IN_THE_WAY],
  EEXIST: ['a file is where a folder should be', IN_THE_WAY],
  EISDIR: ['a folder has this name', IN_THE_WAY],
  ELOOP: ['links there lead in a circle', IN_THE_WAY],
  ENAMETOOLONG: ['the disk takes no name as long', 'Name a shorter folder with --to, and try again.'],
  EFBIG: ['the disk takes no file as large', ANOTHER_DISK],
};

const isFull = (code: string): boolean => code === 'ENOSPC' || code === 'EDQUOT';

/** Whether a disk that answers so answers the same when it is tried again. */
export const isFinal = (error: unknown): error is DiskError =>
  error instanceof DiskError && (isFull(error.code) || error.code in FINAL);

/** What ends a pull at once: no other file would come. */
export const endsPull = (error: unknown): boolean =>
  error instanceof FarmApiError && (error.code === 'DiskFull' || error.code === 'NotWritable');

/**
 * `DiskFull` or `NotWritable`.
 * @param path of what should have been written, absolute
 */
export function diskProblem(error: DiskError, folder: string, path: string): FarmApiError {
  const place = { folder, path };
  const [problem, remedy] = FINAL[error.code] ?? [error.message, ANOTHER_DISK];
  return new FarmApiError(
    isFull(error.code)
      ? {
          code: 'DiskFull',
          detail: `The disk of ${folder} is full; "${path}" is not whole.`,
          place,
          remedy: 'Free space there, or name another folder with --to, and pull again: it goes on where it stopped.',
          status: 507,
        }
      : { code: 'NotWritable', detail: `"${path}" cannot be written: ${problem}.`, place, remedy, status: 403 },
    { cause: error.cause },
  );
}

/**
 * Writes something where the folder is or will be, and removes it again, so that a mistake shows before anything is rendered.
 * @param folder absolute; need not exist, and is not made
 * @throws FarmApiError `NotWritable` or `DiskFull`
 */
export async function requireWritable(folder: string): Promise<void> {
  try {
    await rmdir(await mkdtemp(join(await nearest(folder), '.framewright-')));
  } catch (error) {
    throw diskProblem(new DiskError(error), folder, folder);
  }
}

/** The folder, or the first above it that is there. Throws where it cannot be looked. */
export async function nearest(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    return nearest(above);
  }
}
