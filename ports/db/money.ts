/** Reservations: the only code beside `commit.ts` that changes `jobs.reserved`. Always under the job's lock. */
import { type RawBuilder, sql } from 'kysely';
import { FarmError, type Problem, toProblem } from '../../domain/errors.ts';
import { jobFree, jobReserved, move } from '../../domain/money/accounts.ts';
import type { Tx } from './client.ts';
import { json } from './documents.ts';
import { appendEvent } from './events.ts';
import { post, posting } from './ledger.ts';
import { lockJobState } from './locks.ts';
import type { JobRow } from './tables.ts';

/**
 * Reserves prices of units, under the job's lock: the change of the job's row and the journal, for `appendEventWith`.
 *
 * Invariant: reserved + spent ≤ cap. The caller has checked that `amount` fits; the table's CHECK refuses all else.
 */
export function reserving(
  { studioId, id: jobId, chainId, contract, token, tokenDecimals }: JobRow,
  amount: bigint,
  reference: string,
): { job: RawBuilder<unknown>; changes: RawBuilder<unknown>[] } {
  if (amount === 0n) return { job: sql``, changes: [] };
  const changes = posting({
    ...{ studioId, jobId, kind: 'reserve', reference, postings: move(jobFree(jobId), jobReserved(jobId), amount) },
    money: { chainId, contract, token, tokenDecimals },
  });
  return { job: sql`, reserved = reserved + ${amount}`, changes };
}

/**
 * Gives reservations back, under the job's lock. A job that had paused for its budget goes on when the cheapest waiting
 * unit fits again: nobody needs to raise a cap that suffices.
 */
export async function release(tx: Tx, jobId: string, amount: bigint, reference: string): Promise<void> {
  if (amount === 0n) return;
  const job = await lockJobState(tx, jobId);
  await tx
    .updateTable('jobs')
    .set((update) => ({ reserved: update('reserved', '-', amount) }))
    .where('studioId', '=', job.studioId)
    .where('id', '=', job.id)
    .execute();
  const postings = move(jobReserved(job.id), jobFree(job.id), amount);
  await post(tx, { studioId: job.studioId, jobId, kind: 'release', reference, postings });
  await resumeIfAffordable(tx, jobId);
}

/** Takes a job out of `paused` for `budget` when its cheapest unit that waits fits below the cap. Needs the job's lock. */
export async function resumeIfAffordable(tx: Tx, jobId: string): Promise<boolean> {
  const job = await lockJobState(tx, jobId);
  if (job.status !== 'paused' || job.pauseReason !== 'budget') return false;
  const { price } = await tx
    .selectFrom('units')
    .select(sql<bigint | null>`min(price)`.as('price'))
    .where('studioId', '=', job.studioId)
    .where('jobId', '=', jobId)
    .where('status', 'in', ['planned', 'offered', 'failed'])
    .executeTakeFirstOrThrow();
  if (price === null || job.reserved + job.spent + price > job.cap) return false;
  await tx
    .updateTable('jobs')
    .set({ status: 'active', pauseReason: null, problem: null })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .execute();
  await appendEvent(tx, {
    studioId: job.studioId,
    jobId,
    type: 'job.changed',
    data: { status: 'active', stage: job.stage, pauseReason: null, problem: null },
  });
  return true;
}

/** Pauses an active job because its next unit does not fit, and says so. Needs the job's lock. */
export async function pauseForBudget(tx: Tx, job: JobRow, nextPrice: bigint): Promise<void> {
  const problem = budgetProblem(job, nextPrice);
  await tx
    .updateTable('jobs')
    .set({ status: 'paused', pauseReason: 'budget', problem: json(problem) })
    .where('studioId', '=', job.studioId)
    .where('id', '=', job.id)
    .execute();
  await appendEvent(tx, {
    studioId: job.studioId,
    jobId: job.id,
    type: 'job.changed',
    data: { status: 'paused', stage: job.stage, pauseReason: 'budget', problem },
  });
}

const budgetProblem = (job: JobRow, nextPrice: bigint): Problem =>
  toProblem(
    new FarmError('BudgetExceeded', 'The next frame does not fit below the cap of the job.', {
      cap: String(job.cap),
      reserved: String(job.reserved),
      spent: String(job.spent),
      nextPrice: String(nextPrice),
    }),
  );
