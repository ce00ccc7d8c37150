/** Jobs: their states, caps, stages and outputs. Submissions before they are quoted: `submissions.ts`. */
import { sql } from 'kysely';
import { FarmError, type Problem } from '../../domain/errors.ts';
import {
  assertJobTransition,
  isFinalJob,
  type JobStatus,
  type PauseReason,
  type StopReason,
} from '../../domain/statuses.ts';
import type { Tx } from './client.ts';
import { closeDelivery } from './deliveries.ts';
import { type JobOutputs, json, type ProblemDocument } from './documents.ts';
import { appendEvent } from './events.ts';
import { lockJob } from './locks.ts';
import { resumeIfAffordable } from './money.ts';
import { enqueue } from './outbox.ts';
import { announceJob, announceMoney } from './stages.ts';
import type { JobRow, QuoteRow, VersionRow } from './tables.ts';

export * from './stages.ts';
export * from './submissions.ts';

/** A job, or null when there is none that this transaction may see. */
export async function getJob(tx: Tx, jobId: string): Promise<JobRow | null> {
  return (await tx.selectFrom('jobs').selectAll().where('id', '=', jobId).executeTakeFirst()) ?? null;
}

/** The same. @throws FarmError `JobNotFound` */
export async function requireJob(tx: Tx, jobId: string): Promise<JobRow> {
  const job = await getJob(tx, jobId);
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return job;
}

/** The quote of a job, or null before there is one. */
export async function getQuote(tx: Tx, jobId: string): Promise<QuoteRow | null> {
  return (await tx.selectFrom('quotes').selectAll().where('jobId', '=', jobId).executeTakeFirst()) ?? null;
}

/** The project version that a job renders, or null before it is quoted. */
export async function getVersion(tx: Tx, jobId: string): Promise<VersionRow | null> {
  const version = await tx
    .selectFrom('projectVersions as v')
    .innerJoin('jobs as j', (join) => join.onRef('j.studioId', '=', 'v.studioId').onRef('j.versionId', '=', 'v.id'))
    .selectAll('v')
    .where('j.id', '=', jobId)
    .executeTakeFirst();
  return version ?? null;
}

export interface ListJobsInput {
  /** Id of the last job of the page before; jobs come newest first (UUIDv7). */
  cursor?: string | null | undefined;
  limit: number;
  status?: JobStatus | readonly JobStatus[] | undefined;
}

/** A page of jobs, newest first, and the cursor of the next page (null on the last). */
export async function listJobs(
  tx: Tx,
  { cursor, limit, status }: ListJobsInput,
): Promise<{ items: JobRow[]; nextCursor: string | null }> {
  let query = tx
    .selectFrom('jobs')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (cursor) query = query.where('id', '<', cursor);
  if (status) query = query.where('status', 'in', typeof status === 'string' ? [status] : [...status]);
  const rows = await query.execute();
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export interface TransitionInput {
  jobId: string;
  to: JobStatus;
  /** With `paused`. */
  pauseReason?: PauseReason | undefined;
  /** With `stopping`; stays afterwards. */
  stopReason?: StopReason | undefined;
  problem?: Problem | ProblemDocument | null | undefined;
}

/**
 * Takes a job to another state by the table of `domain/statuses.ts`, with event `job.changed`. A step to the state it
 * already has changes nothing, so that activities may repeat it; a new reason to pause replaces the old one. A job that ends
 * closes its delivery with it.
 * @throws FarmError `JobStateConflict` when the table does not allow the step, `JobNotFound`
 */
export async function transitionJob(tx: Tx, input: TransitionInput): Promise<JobRow> {
  const job = await lockJob(tx, input.jobId);
  const pauseReason = input.to === 'paused' ? (input.pauseReason ?? job.pauseReason ?? 'user') : null;
  if (job.status === input.to && job.pauseReason === pauseReason) return job;
  if (job.status !== input.to) assertJobTransition(job.status, input.to);
  const goesOn = input.to === 'active' || input.to === 'preparing' || input.to === 'uploading';
  // Before the last word: whoever follows the job stops listening there.
  if (isFinalJob(input.to)) await closeDelivery(tx, { ...job, status: input.to });
  const problem = input.problem === undefined ? (goesOn ? null : job.problem) : input.problem;
  const changed = await tx
    .updateTable('jobs')
    .set({
      status: input.to,
      pauseReason,
      stopReason: input.stopReason ?? job.stopReason,
      problem: problem ? json(problem) : null,
      ...(isFinalJob(input.to) ? { endedAt: sql<Date>`now()` } : {}),
    })
    .where('studioId', '=', job.studioId)
    .where('id', '=', job.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceJob(tx, changed);
  return changed;
}

/**
 * Accepts a job's quote: cap set, status `active`, and the order to start `renderJob` in the same transaction. A job that
 * comes from the frame cache as a whole needs no money: its cap is 0, whatever was named.
 * @throws FarmError `QuoteTaken` (accepted before), `QuoteExpired`, `CapTooSmall` (not one unit fits), `JobStateConflict`
 */
export async function acceptQuote(tx: Tx, { jobId, cap }: { jobId: string; cap: bigint }): Promise<JobRow> {
  const job = await lockJob(tx, jobId);
  if (job.acceptedAt) throw new FarmError('QuoteTaken', 'The quote was accepted before.', { job: jobId });
  if (job.status === 'expired') throw new FarmError('QuoteExpired', 'The quote has expired.', { job: jobId });
  assertJobTransition(job.status, 'active');
  const quote = await tx
    .selectFrom('quotes')
    .select(['total', 'unitPrice', sql<boolean>`expires_at <= clock_timestamp()`.as('expired')])
    .where('studioId', '=', job.studioId)
    .where('jobId', '=', jobId)
    .executeTakeFirstOrThrow();
  if (quote.expired) throw new FarmError('QuoteExpired', 'The quote has expired.', { job: jobId });
  const needsMoney = quote.total > 0n;
  if (needsMoney && cap < quote.unitPrice) {
    const place = { cap: String(cap), unitPrice: String(quote.unitPrice) };
    throw new FarmError('CapTooSmall', 'Not one frame fits below that cap.', place);
  }
  const accepted = await tx
    .updateTable('jobs')
    .set({ status: 'active', cap: needsMoney ? cap : 0n, acceptedAt: sql<Date>`now()` })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceJob(tx, accepted);
  await announceMoney(tx, accepted);
  const studioId = job.studioId;
  const payload = { workflow: 'renderJob', workflowId: jobId, args: [{ studioId, jobId }] };
  await enqueue(tx, { studioId, topic: 'start-workflow', payload });
  return accepted;
}

/**
 * Raises the cap of a running job; one that paused for its budget goes on when its next unit fits now.
 * The caller sees to the deposit of the difference.
 * @throws FarmError `CapTooSmall` when it is not larger than the old one, `JobStateConflict`, `JobNotFound`
 */
export async function raiseCap(tx: Tx, { jobId, cap }: { jobId: string; cap: bigint }): Promise<JobRow> {
  const job = await lockJob(tx, jobId);
  requireRaisable(job, cap);
  const raised = await tx
    .updateTable('jobs')
    .set({ cap })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceMoney(tx, raised);
  return (await resumeIfAffordable(tx, jobId)) ? requireJob(tx, jobId) : raised;
}

/** @throws FarmError `JobStateConflict` or `CapTooSmall` when the job's cap cannot become `cap` */
export function requireRaisable(job: Pick<JobRow, 'status' | 'cap'>, cap: bigint): void {
  if (job.status !== 'active' && job.status !== 'paused') {
    throw new FarmError('JobStateConflict', `The cap of a job that is ${job.status} cannot be raised.`, {
      from: job.status,
    });
  }
  if (cap <= job.cap) {
    const place = { cap: String(cap), before: String(job.cap) };
    throw new FarmError('CapTooSmall', 'The new cap must be larger than the old one.', place);
  }
}

const ANNOUNCED = ['manifest', 'film', 'contactSheet'] as const;

/**
 * Adds to what assemble made, with `output.ready` for each file that is new or different.
 * @param awaySites sites that did not answer meanwhile, none: the outputs are whole; absent: as it was
 */
export async function setOutputs(
  tx: Tx,
  jobId: string,
  outputs: JobOutputs,
  awaySites?: readonly string[],
): Promise<void> {
  const job = await lockJob(tx, jobId);
  await tx
    .updateTable('jobs')
    .set({ outputs: json({ ...job.outputs, ...outputs }), ...(awaySites ? { awaySites: [...awaySites] } : {}) })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .execute();
  for (const kind of ANNOUNCED) {
    const hash = outputs[kind]?.hash;
    if (hash === undefined || hash === job.outputs?.[kind]?.hash) continue;
    await appendEvent(tx, { studioId: job.studioId, jobId, type: 'output.ready', data: { kind, hash } });
  }
}
