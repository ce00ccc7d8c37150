/** What the holder of a lease says: that it lives, that a unit is delivered, that it is done. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import { endAttempt } from './attempts.ts';
import { offerAgainOrPark, takeBackUnits } from './chunks.ts';
import type { Tx } from './client.ts';
import { refuseLate } from './commit.ts';
import {
  type EstimateDocument,
  json,
  type ProblemDocument,
  type UnitArtifact,
  type UnitMeasurements,
} from './documents.ts';
import { appendEvent, CHANNELS, notify } from './events.ts';
import { lockChunk, lockUnit, nodeName } from './locks.ts';
import type { ChunkRow } from './tables.ts';

/** Names a lease: chunk, who holds it, and which one it is. */
export interface LeaseKey {
  chunkId: string;
  nodeId: string;
  leaseNumber: number;
}

export interface HeartbeatResult {
  studioId: string;
  jobId: string;
  /** False: stop at once. */
  continue: boolean;
  reason: 'cancelled' | 'paused' | 'draining' | null;
}

/**
 * Extends a lease by the database's clock.
 *
 * A job paused by its user stops its nodes (they hand back); one paused for its budget does not: what is under way is
 * reserved already. A chunk that ended by its last commit lets its node finish in peace.
 * @throws FarmError `LeaseLost` when this lease has run out or is not the newest one; `NotFound`
 */
export async function heartbeat(tx: Tx, key: LeaseKey & { leaseMs: number }): Promise<HeartbeatResult> {
  const chunk = await lockChunk(tx, key.chunkId);
  const { studioId, jobId } = chunk;
  if (holds(chunk, key) && chunk.status === 'cancelled')
    return { studioId, jobId, continue: false, reason: 'cancelled' };
  if (holds(chunk, key) && chunk.status === 'completed') return { studioId, jobId, continue: true, reason: null };
  const extended = holds(chunk, key)
    ? await tx
        .updateTable('chunks')
        .set({ leaseEndsAt: sql<Date>`clock_timestamp() + make_interval(secs => ${key.leaseMs / 1000})` })
        .where('studioId', '=', studioId)
        .where('id', '=', chunk.id)
        .where('status', '=', 'leased')
        .where('leaseEndsAt', '>', sql<Date>`clock_timestamp()`)
        .returning('id')
        .executeTakeFirst()
    : undefined;
  if (!extended) throw leaseLost(key);
  const { status, pauseReason } = await tx
    .selectFrom('jobs')
    .select(['status', 'pauseReason'])
    .where('studioId', '=', studioId)
    .where('id', '=', jobId)
    .executeTakeFirstOrThrow();
  const node = await tx.selectFrom('nodes').select('status').where('id', '=', key.nodeId).executeTakeFirstOrThrow();
  const stop = (reason: HeartbeatResult['reason']): HeartbeatResult => ({
    studioId,
    jobId,
    continue: reason === null,
    reason,
  });
  if (chunk.kind === 'render' && status !== 'active' && status !== 'paused') return stop('cancelled');
  if (status === 'paused' && pauseReason === 'user') return stop('paused');
  if (node.status === 'draining' || node.status === 'left') return stop('draining');
  return stop(null);
}

const holds = (chunk: ChunkRow, key: LeaseKey): boolean =>
  chunk.leaseNumber === key.leaseNumber && chunk.nodeId === key.nodeId;

const leaseLost = ({ chunkId, leaseNumber }: LeaseKey): FarmError =>
  new FarmError('LeaseLost', `Lease ${leaseNumber} of the chunk is over.`, { chunk: chunkId, leaseNumber });

/**
 * The chunk of a lease that is alive, for whoever wants to give its holder something (blobs, upload addresses).
 * @throws FarmError `LeaseLost`
 */
export async function requireLease(tx: Tx, key: LeaseKey): Promise<ChunkRow> {
  const chunk = await tx
    .selectFrom('chunks')
    .selectAll()
    .where('id', '=', key.chunkId)
    .where('nodeId', '=', key.nodeId)
    .where('leaseNumber', '=', key.leaseNumber)
    .where('status', '=', 'leased')
    .where('leaseEndsAt', '>', sql<Date>`clock_timestamp()`)
    .executeTakeFirst();
  if (!chunk) throw leaseLost(key);
  return chunk;
}

export interface ReportInput extends LeaseKey {
  unitId: string;
  /** Stored already: the caller has seen each in the object store. */
  artifacts: UnitArtifact[];
  /** Site in whose store they are; null: home. */
  siteId?: string | null | undefined;
  measurements: UnitMeasurements;
}

/**
 * Takes a delivered unit: `uploaded`, for verify to look at. Saying the same twice is fine.
 * @throws FarmError `LeaseLost` or `UnitAlreadyCommitted`, logged as `unit.late`; `NotFound`
 */
export async function reportUnit(tx: Tx, input: ReportInput): Promise<{ studioId: string; jobId: string }> {
  const { unitId, chunkId, nodeId, leaseNumber, artifacts, siteId = null, measurements } = input;
  const locked = await lockUnit(tx, unitId);
  const { unit, chunk } = locked;
  const { studioId, jobId, frame, take, tile } = unit;
  if (unit.chunkId !== chunkId)
    throw new FarmError('NotFound', `There is no unit ${unitId} in the chunk.`, { unit: unitId });
  const mine = unit.leaseNumber === leaseNumber && unit.nodeId === nodeId;
  const delivered = unit.status === 'uploaded' || unit.status === 'verified' || unit.status === 'committed';
  if (mine && delivered && sameArtifacts(unit.artifacts ?? [], artifacts)) return { studioId, jobId };
  if (unit.status === 'committed') await refuseLate(tx, locked, leaseNumber, 'UnitAlreadyCommitted', nodeId);
  const { alive } = await tx
    .selectFrom('chunks')
    .select(sql<boolean>`status = 'leased' AND lease_ends_at > clock_timestamp()`.as('alive'))
    .where('studioId', '=', studioId)
    .where('id', '=', chunkId)
    .executeTakeFirstOrThrow();
  if (!mine || unit.status !== 'leased' || !alive || chunk.leaseNumber !== leaseNumber) {
    await refuseLate(tx, locked, leaseNumber, 'LeaseLost', nodeId);
  }
  await tx
    .updateTable('units')
    .set({ status: 'uploaded', siteId, artifacts: json(artifacts), measurements: json(measurements) })
    .where('studioId', '=', studioId)
    .where('id', '=', unitId)
    .execute();
  const node = await nodeName(tx, nodeId);
  const data = { unitId, frame, take, tile, status: 'uploaded' as const, node, fraction: null };
  await appendEvent(tx, { studioId, jobId, type: 'unit.changed', data });
  await notify(tx, CHANNELS.chunk, chunkId);
  return { studioId, jobId };
}

const sameArtifacts = (one: UnitArtifact[], other: UnitArtifact[]): boolean => {
  const key = (artifacts: UnitArtifact[]) =>
    artifacts
      .map(({ kind, hash }) => `${kind}:${hash}`)
      .sort()
      .join();
  return key(one) === key(other);
};

export interface FinishInput extends LeaseKey {
  outcome: 'completed' | 'failed' | 'handed-back';
  /** Why, for `failed`. */
  problem?: ProblemDocument | null | undefined;
  /** Answer of an estimate chunk, for `completed`. */
  estimate?: EstimateDocument | null | undefined;
}

/**
 * Ends a lease by its holder. Frames not delivered go back (on offer, or `failed` with the chunk), reservations with them.
 *
 * `failed` leaves the chunk `failed` with its problem and its node avoided: its keeper decides whether to offer it again.
 * Saying the same twice is fine.
 * @throws FarmError `LeaseLost` when the lease ended otherwise; `RequestInvalid` for an estimate without its answer
 */
export async function finishLease(tx: Tx, input: FinishInput): Promise<{ studioId: string; jobId: string }> {
  const { chunkId, leaseNumber, nodeId, outcome } = input;
  const chunk = await lockChunk(tx, chunkId);
  const { studioId, jobId, index, kind } = chunk;
  const problem = input.problem ?? null;
  if (!holds(chunk, input) || chunk.status !== 'leased') {
    const attempt = await tx
      .selectFrom('attempts')
      .select(['nodeId', 'outcome'])
      .where('studioId', '=', studioId)
      .where('chunkId', '=', chunkId)
      .where('leaseNumber', '=', leaseNumber)
      .executeTakeFirst();
    if (attempt?.nodeId === nodeId && (attempt.outcome === outcome || attempt.outcome === 'cancelled'))
      return { studioId, jobId };
    throw leaseLost(input);
  }
  if (kind === 'estimate' && outcome === 'completed') {
    if (!input.estimate)
      throw new FarmError('RequestInvalid', 'An estimate ends with its answer.', { field: 'estimate' });
    await tx
      .updateTable('chunks')
      .set({ status: 'completed', leaseEndsAt: null, result: json(input.estimate) })
      .where('studioId', '=', studioId)
      .where('id', '=', chunkId)
      .execute();
    await endAttempt(tx, { studioId, chunkId, leaseNumber, outcome, problem });
    await appendEvent(tx, { studioId, jobId, type: 'chunk.ended', data: { chunkId, index, outcome } });
    await notify(tx, CHANNELS.chunk, chunkId);
    return { studioId, jobId };
  }
  await endAttempt(tx, { studioId, chunkId, leaseNumber, outcome, problem });
  const reference = `lease:${chunkId}:${leaseNumber}:end`;
  await takeBackUnits(tx, { studioId, jobId, chunkId, to: outcome === 'failed' ? 'failed' : 'offered', reference });
  if (outcome !== 'failed') {
    await offerAgainOrPark(tx, chunkId);
    return { studioId, jobId };
  }
  await tx
    .updateTable('chunks')
    .set({
      status: 'failed',
      leaseEndsAt: null,
      problem: problem ? json(problem) : null,
      avoid: sql<string[]>`array_append(array_remove(avoid, ${nodeId}::uuid), ${nodeId}::uuid)`,
    })
    .where('studioId', '=', studioId)
    .where('id', '=', chunkId)
    .execute();
  await appendEvent(tx, { studioId, jobId, type: 'chunk.ended', data: { chunkId, index, outcome } });
  await notify(tx, CHANNELS.chunk, chunkId);
  return { studioId, jobId };
}

/** Leases that a node holds now, running out or not; what a node that left holds, nobody works on. */
export async function leasesOf(tx: Tx, nodeId: string): Promise<LeaseKey[]> {
  const chunks = await tx
    .selectFrom('chunks')
    .select(['id', 'leaseNumber'])
    .where('nodeId', '=', nodeId)
    .where('status', '=', 'leased')
    .execute();
  return chunks.map(({ id, leaseNumber }) => ({ chunkId: id, nodeId, leaseNumber }));
}
