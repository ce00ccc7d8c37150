/** Attempts: one row for each lease of a chunk, with how it ended and why. */
import { sql } from 'kysely';
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

/** Attempts of a chunk, oldest first. */
export async function attemptsOfChunk(tx: Tx, chunkId: string): Promise<AttemptRow[]> {
  return tx.selectFrom('attempts').selectAll().where('chunkId', '=', chunkId).orderBy('leaseNumber').execute();
}
