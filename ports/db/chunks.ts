/** Chunks on offer, taken back, given up. Made in `chunkPlan.ts`, looked at in `chunkState.ts`, leased in `claim.ts` and `lease.ts`. */
import { sql } from 'kysely';
import type { Problem } from '../../domain/errors.ts';
import type { ChunkStatus, UnitStatus } from '../../domain/statuses.ts';
import { endAttempt } from './attempts.ts';
import type { Tx } from './client.ts';
import { json, type ProblemDocument } from './documents.ts';
import { appendEvent, appendEventWith, CHANNELS, notify } from './events.ts';
import { lockChunk, lockJobState, nodeName } from './locks.ts';
import { release } from './money.ts';
import type { ChunkRow } from './tables.ts';

export * from './chunkPlan.ts';
export * from './chunkState.ts';

/**
 * Puts a chunk on offer with those of its units that still have to be rendered. May be repeated; a chunk that is leased,
 * offered, completed or cancelled stays as it is.
 * @param which its id, or its row where the caller has locked it
 * @returns the chunk's status afterwards
 */
export async function offerChunk(tx: Tx, which: string | ChunkRow): Promise<ChunkStatus> {
  const chunk = typeof which === 'string' ? await lockChunk(tx, which) : which;
  const { studioId, id: chunkId, status } = chunk;
  if (status !== 'planned' && status !== 'failed') return status;
  const { rows } = await sql<{ open: number }>`
    WITH opened AS (
      UPDATE units SET status = 'offered', lease_number = NULL, node_id = NULL
      WHERE studio_id = ${studioId} AND chunk_id = ${chunkId} AND status IN ('planned', 'failed') RETURNING id
    )
    SELECT (SELECT count(*) FROM opened)
      + (SELECT count(*) FROM units WHERE studio_id = ${studioId} AND chunk_id = ${chunkId} AND status = 'offered') AS open
  `.execute(tx);
  // All its frames wait for verify: nothing to offer. The last commit completes it, a refusal offers it again.
  if (chunk.kind === 'render' && rows[0]!.open === 0) return status;
  await putOnOffer(tx, chunk);
  return 'offered';
}

/** Marks a locked chunk as offered, tells the log and whoever waits for work; not its keeper, who is the one to do it most often. */
export async function putOnOffer(
  tx: Tx,
  { studioId, jobId, id, index }: { studioId: string; jobId: string; id: string; index: number },
): Promise<void> {
  await appendEventWith(
    tx,
    { studioId, jobId, type: 'chunk.offered', data: { chunkId: id, index } },
    {
      changes: [
        sql`offered AS (
          UPDATE chunks SET status = 'offered', offered_at = now(), node_id = NULL, lease_ends_at = NULL, problem = NULL
          WHERE studio_id = ${studioId} AND id = ${id})`,
      ],
      notices: [[CHANNELS.offer, id]],
    },
  );
}

/** Units of a locked chunk that a node holds but has not delivered; the ones a lease's end gives back. */
const IN_HAND: UnitStatus[] = ['leased'];

/**
 * Takes the undelivered units of a lease back: status `to`, reservations released (one journal by `reference`).
 * Delivered units (`uploaded`, `verified`) keep their lease number: they came in time and verify decides on them.
 * Needs the chunk's lock.
 * @returns how many units
 */
export async function takeBackUnits(
  tx: Tx,
  {
    studioId,
    jobId,
    chunkId,
    to,
    statuses = IN_HAND,
    reference,
  }: {
    studioId: string;
    jobId: string;
    chunkId: string;
    to: 'offered' | 'failed' | 'cancelled';
    statuses?: UnitStatus[];
    reference: string;
  },
): Promise<number> {
  // The job's lock comes before the units' (order of locks), also when nothing turns out to be reserved.
  await lockJobState(tx, jobId);
  const units = await tx
    .selectFrom('units')
    .select(['id', 'price', 'reserved'])
    .where('studioId', '=', studioId)
    .where('chunkId', '=', chunkId)
    .where('status', 'in', statuses)
    .forNoKeyUpdate()
    .execute();
  if (units.length === 0) return 0;
  await tx
    .updateTable('units')
    .set({ status: to, reserved: false, leaseNumber: null })
    .where('studioId', '=', studioId)
    .where(
      'id',
      'in',
      units.map(({ id }) => id),
    )
    .execute();
  const amount = units.reduce((sum, unit) => (unit.reserved ? sum + unit.price : sum), 0n);
  await release(tx, jobId, amount, reference);
  return units.length;
}

/**
 * Ends a lease whose node fell silent: units back on offer, reservations released, attempt `lost`, event `chunk.lost`.
 * @returns false when that lease is over already
 */
export async function loseLease(
  tx: Tx,
  { chunkId, leaseNumber, reason }: { chunkId: string; leaseNumber: number; reason: string },
): Promise<boolean> {
  const chunk = await lockChunk(tx, chunkId);
  if (chunk.status !== 'leased' || chunk.leaseNumber !== leaseNumber) return false;
  const { studioId, jobId, index, nodeId } = chunk;
  const node = await nodeName(tx, nodeId);
  const problem = { code: 'HeartbeatLost', message: reason, place: { chunk: chunkId, node, leaseNumber } };
  await endAttempt(tx, { studioId, chunkId, leaseNumber, outcome: 'lost', problem });
  const reference = `lease:${chunkId}:${leaseNumber}:lost`;
  await takeBackUnits(tx, { studioId, jobId, chunkId, to: 'offered', reference });
  await appendEvent(tx, { studioId, jobId, type: 'chunk.lost', data: { chunkId, index, node, leaseNumber, reason } });
  await offerAgainOrPark(tx, chunkId);
  return true;
}

/**
 * After a lease's end, under the chunk's lock: on offer again when frames are left to render, completed when all are
 * committed, else `planned`, parked until verify has decided on what was delivered.
 */
export async function offerAgainOrPark(tx: Tx, chunkId: string): Promise<ChunkStatus> {
  const { studioId, jobId, index, id, kind } = await lockChunk(tx, chunkId);
  const { open, waiting, failed } = await tx
    .selectFrom('units')
    .select([
      sql<number>`count(*) FILTER (WHERE status IN ('offered', 'planned'))`.as('open'),
      sql<number>`count(*) FILTER (WHERE status IN ('uploaded', 'verified', 'leased'))`.as('waiting'),
      sql<number>`count(*) FILTER (WHERE status = 'failed')`.as('failed'),
    ])
    .where('studioId', '=', studioId)
    .where('chunkId', '=', chunkId)
    .executeTakeFirstOrThrow();
  if (open > 0 || kind === 'estimate') {
    await putOnOffer(tx, { studioId, jobId, index, id });
    await notify(tx, CHANNELS.chunk, chunkId);
    return 'offered';
  }
  const status = waiting > 0 || failed > 0 ? 'planned' : 'completed';
  await tx
    .updateTable('chunks')
    .set({ status, leaseEndsAt: null })
    .where('studioId', '=', studioId)
    .where('id', '=', chunkId)
    .execute();
  if (status === 'completed') {
    await appendEvent(tx, { studioId, jobId, type: 'chunk.ended', data: { chunkId, index, outcome: 'completed' } });
  }
  await notify(tx, CHANNELS.chunk, chunkId);
  return status;
}

/** Every unit status but the final ones: what a cancel or failure of the chunk ends. */
const UNFINISHED: UnitStatus[] = ['planned', 'offered', 'leased', 'uploaded', 'verified', 'failed'];

async function endChunk(
  tx: Tx,
  chunkId: string,
  outcome: 'failed' | 'cancelled',
  problem: ProblemDocument | null,
): Promise<boolean> {
  const chunk = await lockChunk(tx, chunkId);
  if (chunk.status === 'completed' || chunk.status === 'cancelled') return false;
  const { studioId, jobId, index, leaseNumber } = chunk;
  if (chunk.status === 'leased') await endAttempt(tx, { studioId, chunkId, leaseNumber, outcome, problem });
  const reference = `lease:${chunkId}:${leaseNumber}:${outcome}`;
  await takeBackUnits(tx, { studioId, jobId, chunkId, to: outcome, statuses: UNFINISHED, reference });
  await tx
    .updateTable('chunks')
    .set({
      status: outcome,
      leaseEndsAt: null,
      problem: problem ? json(problem) : chunk.problem ? json(chunk.problem) : null,
    })
    .where('studioId', '=', studioId)
    .where('id', '=', chunkId)
    .execute();
  await appendEvent(tx, { studioId, jobId, type: 'chunk.ended', data: { chunkId, index, outcome } });
  await notify(tx, CHANNELS.chunk, chunkId);
  return true;
}

/** Cancels one chunk: its node hears so at the next heartbeat, its uncommitted units are over and cost nothing. */
export async function cancelChunk(tx: Tx, chunkId: string): Promise<boolean> {
  return endChunk(tx, chunkId, 'cancelled', null);
}

/**
 * Cancels every chunk of a job that is not completed. Call it in a transaction of its own (it locks many chunks).
 * @returns how many
 */
export async function cancelJobChunks(tx: Tx, jobId: string): Promise<number> {
  const chunks = await tx
    .selectFrom('chunks')
    .select('id')
    .where('jobId', '=', jobId)
    .where('status', 'not in', ['completed', 'cancelled'])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  for (const { id } of chunks) await endChunk(tx, id, 'cancelled', null);
  return chunks.length;
}

/** Gives a chunk up: its uncommitted units have failed, the reason is kept. */
export async function failChunk(
  tx: Tx,
  { chunkId, problem }: { chunkId: string; problem: Problem | ProblemDocument },
): Promise<boolean> {
  return endChunk(tx, chunkId, 'failed', { ...problem });
}
