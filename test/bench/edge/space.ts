/** Whether the disk holds what a run makes. */
import { statfs } from 'node:fs/promises';
import { FarmError } from '../../../domain/errors.ts';

/** For what stores, database and logs take beside, bytes. */
const RESERVE_BYTES = 2e9;

export interface RunBytes {
  /** All frames of a run. */
  frames: number;
  /** Project data at home and in the caches of sites. */
  project: number;
}

/**
 * A run's frames lie in the sites' stores until it has ended, and on the studio's disk.
 * @returns whether the studio can keep them until the run has ended; else each has to go when it was looked at
 * @throws FarmError `DiskFull` when not even the stores can
 */
export async function hasRoomForAll(folder: string, { frames, project }: RunBytes): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const least = frames + project + RESERVE_BYTES;
  if (free >= least + frames) return true;
  if (free >= least) return false;
  const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);
  const message = `A run needs ${gb(least)} GB beside the traced frames; ${gb(free)} GB are free in ${folder}.`;
  throw new FarmError('DiskFull', message, { folder });
}
