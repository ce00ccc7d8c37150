/** Attempts: one row for each lease of a chunk, with how it ended and why. */
import { type RawBuilder, sql } from 'kysely';
import type { Tx } from './client.ts';
import { json, type ProblemDocument } from './documents.ts';
import type { AttemptOutcome, AttemptRow } from './tables.ts';

/** Ends the attempt of a lease, once: a first outcome stays. */
export async function endAttempt(
  tx: Tx,
  attempt: {
    studioId: string;
    chunkId: string;
    leaseNumber: number;
    outcome: AttemptOutcome;
    problem: ProblemDocument | null;
  },
): Promise<void> {
  await tx
    .updateTable('attempts')
    .set({
      endedAt: sql`clock_timestamp()`,
      outcome: attempt.outcome,
      problem: attempt.problem ? json(attempt.problem) : null,
    })
    .where('studioId', '=', attempt.studioId)
    .where('chunkId', '=', attempt.chunkId)
    .where('leaseNumber', '=', attempt.leaseNumber)
    .where('outcome', 'is', null)
    .execute();
}

/**
 * How often a node has failed a job, as SQL: what `failuresPerNode` bounds. That a store was full is not the node's doing; its
 * own disk is (`place.path` instead of `place.origin`). Nor is a store that did not answer the farm for a while
 * (`place.silentSeconds`); one that only the node did not reach has its address (`place.origin`), and counts.
 * @param jobId SQL that names the job's id, as @param nodeId the node's
 */
export const failuresOf = (jobId: RawBuilder<string>, nodeId: RawBuilder<string>): RawBuilder<number> => sql`
  (SELECT count(*) FROM attempts AS a WHERE a.outcome = 'failed' AND a.job_id = ${jobId} AND a.node_id = ${nodeId}
    AND NOT coalesce(a.problem ->> 'code' = 'DiskFull' AND a.problem -> 'place' ? 'origin', false)
    AND NOT coalesce(a.problem ->> 'code' = 'StoreFailed' AND a.problem -> 'place' ? 'silentSeconds'
      AND NOT a.problem -> 'place' ? 'origin', false))`;

/** Attempts of a chunk, oldest first. */
export async function attemptsOfChunk(tx: Tx, chunkId: string): Promise<AttemptRow[]> {
  return tx.selectFrom('attempts').selectAll().where('chunkId', '=', chunkId).orderBy('leaseNumber').execute();
}
