/**
 * One pull of a job into a folder at a time, among the processes of a user on a host: a second one would bring everything a
 * second time. Only that is at stake. Where nobody can know of the other (another host, another user), both bring whole
 * files, since each writes into its own parts.
 */
import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdersOf, tryLock } from '../../../ports/host/hostLock.ts';
import { FarmApiError } from '../errors.ts';
import { nearest } from './diskErrors.ts';

/** Two that begin at once stand in each other's way until they come back at different times. */
const TRIES = 10;
const SCATTER_MS = 50;

/**
 * @param folder absolute; need not exist
 * @returns what gives the lock back
 * @throws FarmApiError `FolderBusy` with the process that pulls there
 */
export async function lockFolder(folder: string, jobId: string): Promise<() => Promise<void>> {
  // Not in the folder: it is the studio's, and may lie on a disk that other hosts see.
  const locks = join(tmpdir(), `framewright-pulls-${process.getuid?.() ?? 'user'}`);
  const place = await lockPlace(locks, folder).catch(() => null);
  if (place === null) return async () => undefined;
  const key = `${place}.${jobId}`;
  for (let tries = 1; ; tries++) {
    const release = await tryLock(locks, key).catch(() => async () => undefined);
    if (release) return release;
    if (tries >= TRIES) throw folderBusy(folder, jobId, (await holdersOf(locks, key).catch(() => []))[0]);
    await sleep(Math.random() * SCATTER_MS);
  }
}

/** By whichever way it is reached. */
async function lockPlace(locks: string, folder: string): Promise<string> {
  await mkdir(locks, { recursive: true, mode: 0o700 });
  const there = await nearest(folder);
  const real = join(await realpath(there), relative(there, folder));
  return createHash('sha256').update(real).digest('hex').slice(0, 16);
}

function folderBusy(folder: string, job: string, pid: number | undefined): FarmApiError {
  const holder = pid === undefined ? 'Another process' : `Process ${pid}`;
  return new FarmApiError({
    code: 'FolderBusy',
    detail: `${holder} is pulling this job into ${folder}.`,
    place: { folder, job, ...(pid === undefined ? {} : { process: pid }) },
    remedy: 'Wait until it has ended, or name another folder with --to.',
    status: 409,
  });
}
