/** A full disk, of this machine or of a store, as the farm's error that names the place. */
import { FarmError } from '../domain/errors.ts';

const CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'DiskFull'];

/** No space, no more of the quota or of what a file may have, in the system's words or the farm's: nothing that is tried again at once helps. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && CODES.includes(error.code);

/** A store at a site or at home is full, not this machine: it passes when somebody makes room there, and no other node of the site helps. */
export const isStoreFull = (error: unknown): boolean =>
  error instanceof FarmError && error.code === 'DiskFull' && error.place.origin !== undefined;

/** `DiskFull` with the path that was written to, for the system's error; anything else as it is. */
export function asDiskFull(error: unknown, path: string): unknown {
  if (error instanceof FarmError || !isDiskFull(error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const place = { path, reason: code ?? '' };
  return new FarmError('DiskFull', `No space is left on the disk of ${path}.`, place, { cause: error });
}
