/**
 * One pull of a job into a folder or a bucket at a time, among the processes of a user on a host: a second one would bring
 * everything a second time. Only that is at stake. Where nobody can know of the other (another host, another user), both bring
 * whole files, since each writes into its own parts.
 */
import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdersOf, tryLock } from '../../../ports/host/hostLock.ts';
import { FarmApiError } from '../errors.ts';
import type { PullTarget } from '../pull.ts';
import { nearest } from './diskErrors.ts';

/** Two that begin at once stand in each other's way until they come back at different times. */
const TRIES = 10;
const SCATTER_MS = 50;

/**
 * @param target a folder need not exist
 * @returns what gives the lock back
 * @throws FarmApiError `TargetBusy` with the process that pulls there
 */
export async function lockTarget(target: PullTarget, jobId: string): Promise<() => Promise<void>> {
  // Not in the target: it is the studio's, and other hosts may see it.
  const locks = join(tmpdir(), `framewright-pulls-${process.getuid?.() ?? 'user'}`);
  // Where there can be no locks, nothing but time is lost.
  const unlocked = async (): Promise<void> => undefined;
  const key = await keyOf(target, jobId, locks).catch(() => null);
  if (key === null) return unlocked;
  for (let tries = 1; ; tries++) {
    const release = await tryLock(locks, key).catch(() => unlocked);
    if (release) return release;
    if (tries >= TRIES) throw targetBusy(target, jobId, (await holdersOf(locks, key).catch(() => []))[0]);
    await sleep(Math.random() * SCATTER_MS);
  }
}

/** Of the target by whichever way it is reached. */
async function keyOf({ folder, bucket }: PullTarget, jobId: string, locks: string): Promise<string> {
  await mkdir(locks, { recursive: true, mode: 0o700 });
  const place = bucket ? `${bucket.endpoint} ${bucket.bucket} ${bucket.prefix}` : await realPath(folder);
  return `${createHash('sha256').update(place).digest('hex').slice(0, 16)}.${jobId}`;
}

async function realPath(folder: string): Promise<string> {
  const there = await nearest(folder);
  return join(await realpath(there), relative(there, folder));
}

function targetBusy({ folder, bucket }: PullTarget, job: string, pid: number | undefined): FarmApiError {
  const holder = pid === undefined ? 'Another process' : `Process ${pid}`;
  const place = bucket ? { bucket: bucket.bucket, endpoint: bucket.endpoint } : { folder };
  return new FarmApiError({
    code: 'TargetBusy',
    detail: `${holder} is pulling this job into ${folder ?? `s3://${bucket.bucket}/${bucket.prefix}`}.`,
    place: { ...place, job, ...(pid === undefined ? {} : { process: pid }) },
    remedy: 'Wait until it has ended, or name another place with --to.',
    status: 409,
  });
}
