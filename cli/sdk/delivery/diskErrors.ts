/** What a studio's disk says, as a person should read it. */
import { FarmApiError } from '../errors.ts';

/** The disk or the quota is full: nothing that is tried again helps. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

export function diskFull(folder: string, file: string, cause: unknown): FarmApiError {
  return new FarmApiError(
    {
      code: 'DiskFull',
      detail: `The disk of ${folder} is full; "${file}" is not whole.`,
      place: { folder, file },
      remedy: 'Free space there, or name another folder with --to, and pull again: it goes on where it stopped.',
      status: 507,
    },
    { cause },
  );
}
