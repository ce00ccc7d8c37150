/** The job's row as its workflow goes on: stages, stop, end. Each may be repeated. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../domain/errors.ts';
import { isFinalJob, type Stage } from '../../domain/statuses.ts';
import { cancelJobChunks } from '../../ports/db/chunks.ts';
import { json } from '../../ports/db/documents.ts';
import { requireJob, transitionJob } from '../../ports/db/jobs.ts';
import { lockJob } from '../../ports/db/locks.ts';
import { offerFirst } from '../../ports/db/offerFirst.ts';
import { announceJob, endStage, startStage } from '../../ports/db/stages.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';

export interface StageMark extends JobKey {
  end?: { stage: Stage; seconds: number }[];
  start?: Stage;
  /** So many chunks go on offer with it, from the first on, before their keepers begin. */
  offer?: number;
}

/**
 * Time for nodes to take what went on offer before its keepers begin, milliseconds a chunk, and at most: a keeper has nothing to do before frames
 * come, and 40 that start at once held the leases of ten nodes up by 0.3 s (two cores; a keeper's start takes about 10 ms of them).
 */
const HEAD_START_MS = 12;
const LONGEST_HEAD_START_MS = 800;

/** Writes down which stages ended, how long they took, and which begins. */
export async function markStage(
  services: FarmServices,
  { studioId, jobId, end = [], start, offer = 0 }: StageMark,
): Promise<void> {
  await inRecord(services, async (tx) => {
    for (const { stage, seconds } of end) await endStage(tx, jobId, stage, seconds);
    if (start) await startStage(tx, jobId, start);
  });
  if (offer === 0) return;
  await inRecord(services, (tx) => offerFirst(tx, { studioId, jobId }, offer));
  await sleep(Math.min(LONGEST_HEAD_START_MS, offer * HEAD_START_MS));
}

/**
 * Ends the rendering of a job: nothing more can be committed, nodes hear of it at their next heartbeat. Without a problem it
 * was the studio that cancelled.
 */
export async function stopJob(services: FarmServices, input: JobKey & { problem: Problem | null }): Promise<void> {
  const { jobId, problem } = input;
  await inRecord(services, async (tx) => {
    const { status } = await lockJob(tx, jobId);
    if (status !== 'active' && status !== 'paused') return;
    await transitionJob(tx, { jobId, to: 'stopping', stopReason: problem ? 'failure' : 'cancel', problem });
  });
  await inRecord(services, (tx) => cancelJobChunks(tx, jobId));
}

/** How a job ended. */
export interface JobEnd {
  status: 'completed' | 'cancelled' | 'failed';
}

/**
 * The last step. A job that the studio cancelled ends `cancelled`, whatever else went wrong; else a problem makes it
 * `failed`. A pause that came after the last frame does not hold it up.
 */
export async function endJob(services: FarmServices, input: JobKey & { problem: Problem | null }): Promise<JobEnd> {
  const { jobId, problem } = input;
  return inRecord(services, async (tx) => {
    const { status, stopReason } = await lockJob(tx, jobId);
    if (isFinalJob(status)) return { status: status as JobEnd['status'] };
    if (status === 'paused') await transitionJob(tx, { jobId, to: 'active' });
    const cancelled = status === 'stopping' && stopReason === 'cancel';
    const to = cancelled ? 'cancelled' : problem || status === 'stopping' ? 'failed' : 'completed';
    await transitionJob(tx, { jobId, to, ...(problem ? { problem } : {}) });
    return { status: to };
  });
}

/** Whether a settled job still waits for its studio to acknowledge frames. */
export async function deliveryIsAwaited(services: FarmServices, { jobId }: JobKey): Promise<boolean> {
  return inRecord(services, async (tx) => (await requireJob(tx, jobId)).delivery === 'awaited');
}

/** Shows a problem that the job survives: the top-up of a raised cap failed. */
export async function keepProblem(services: FarmServices, input: JobKey & { problem: Problem }): Promise<void> {
  const { studioId, jobId, problem } = input;
  await inRecord(services, async (tx) => {
    await lockJob(tx, jobId);
    const changed = await tx
      .updateTable('jobs')
      .set({ problem: json(problem) })
      .where('studioId', '=', studioId)
      .where('id', '=', jobId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await announceJob(tx, changed);
  });
}
