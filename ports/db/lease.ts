/** What the holder of a lease says: that it lives, that a unit is delivered, that it is done. */
import { type RawBuilder, sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import { endAttempt } from './attempts.ts';
import { offerAgainOrPark, takeBackUnits } from './chunks.ts';
import type { Statements, Tx } from './client.ts';
import { refuseLate } from './commit.ts';
import {
  type EstimateDocument,
  json,
  type ProblemDocument,
  type UnitArtifact,
  type UnitMeasurements,
} from './documents.ts';
import { appendEvent, appendEventWith, CHANNELS, notify } from './events.ts';
import { lockChunk, lockUnit, nodeName } from './locks.ts';
import { receiptsPending } from './receipts.ts';
import type { ChunkRow, JobRow, NodeRow } from './tables.ts';

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
  /** A receipt waits for the node's signature. */
  receiptsPending: boolean;
}

/**
 * Extends a lease by the database's clock, and tells listeners how far its units are.
 *
 * A job paused by its user stops its nodes (they hand back); one paused for its budget does not: what is under way is
 * reserved already. A chunk that ended by its last commit lets its node finish in peace.
 * @throws FarmError `LeaseLost` when this lease has run out or is not the newest one; `NotFound`
 */
export async function heartbeat(
  statements: Statements,
  { leaseMs, progress = [], ...key }: LeaseKey & { leaseMs: number; progress?: UnitProgress[] },
): Promise<HeartbeatResult> {
  const { rows } = await sql<Beat>`
    WITH beat AS (
      UPDATE chunks SET lease_ends_at = clock_timestamp() + make_interval(secs => ${leaseMs / 1000})
      WHERE ${isHeld(key)} RETURNING studio_id, id, job_id, kind, lease_number
    ), said AS (
      SELECT json_build_object('studioId', u.studio_id, 'jobId', u.job_id, 'type', 'unit.changed', 'data', json_build_object(
        'unitId', u.id, 'frame', u.frame, 'take', u.take, 'tile', u.tile, 'status', u.status, 'node', n.name,
        'fraction', p.fraction)) AS event
      FROM unnest(${progress.map(({ unitId }) => unitId)}::uuid[], ${progress.map(({ fraction }) => fraction)}::float8[])
          AS p (unit_id, fraction)
        JOIN beat ON true JOIN units AS u ON u.studio_id = beat.studio_id AND u.id = p.unit_id AND u.chunk_id = beat.id
          AND u.lease_number = beat.lease_number AND u.status = 'leased'
        JOIN nodes AS n ON n.id = u.node_id
    )
    SELECT beat.studio_id, beat.job_id, beat.kind, j.status AS job_status, j.pause_reason, n.status AS node_status,
      ${receiptsPending(key.nodeId)} AS receipts_pending,
      (SELECT count(pg_notify(${CHANNELS.transient}, said.event::text)) FROM said)
    FROM beat JOIN jobs AS j ON j.studio_id = beat.studio_id AND j.id = beat.job_id, nodes AS n
    WHERE n.id = ${key.nodeId}`.execute(statements);
  const beat = rows[0];
  if (!beat) return lastWord(statements, key);
  const { studioId, jobId, receiptsPending: pending } = beat;
  const reason = reasonToStop(beat);
  return { studioId, jobId, continue: reason === null, reason, receiptsPending: pending };
}

/** How far a unit is, 0 to 1. */
export interface UnitProgress {
  unitId: string;
  fraction: number;
}

interface Beat {
  studioId: string;
  jobId: string;
  kind: ChunkRow['kind'];
  jobStatus: JobRow['status'];
  pauseReason: JobRow['pauseReason'];
  nodeStatus: NodeRow['status'];
  receiptsPending: boolean;
}

function reasonToStop({ kind, jobStatus, pauseReason, nodeStatus }: Beat): HeartbeatResult['reason'] {
  if (kind === 'render' && jobStatus !== 'active' && jobStatus !== 'paused') return 'cancelled';
  if (jobStatus === 'paused' && pauseReason === 'user') return 'paused';
  if (nodeStatus === 'draining' || nodeStatus === 'left') return 'draining';
  return null;
}

/** To the holder of a lease that could not be extended: its chunk has ended, or the lease is lost. */
async function lastWord(statements: Statements, key: LeaseKey): Promise<HeartbeatResult> {
  const chunk = await statements
    .selectFrom('chunks')
    .select(['studioId', 'jobId', 'status', 'nodeId', 'leaseNumber'])
    .select(receiptsPending(key.nodeId).as('receiptsPending'))
    .where('id', '=', key.chunkId)
    .executeTakeFirst();
  if (!chunk) throw new FarmError('NotFound', `There is no chunk ${key.chunkId}.`, { chunk: key.chunkId });
  const { studioId, jobId, status, receiptsPending: pending } = chunk;
  if (!holds(chunk, key) || (status !== 'cancelled' && status !== 'completed')) throw leaseLost(key);
  const reason = status === 'cancelled' ? 'cancelled' : null;
  return { studioId, jobId, continue: reason === null, reason, receiptsPending: pending };
}

const holds = (chunk: Pick<ChunkRow, 'leaseNumber' | 'nodeId'>, key: LeaseKey): boolean =>
  chunk.leaseNumber === key.leaseNumber && chunk.nodeId === key.nodeId;

export const leaseLost = ({ chunkId, leaseNumber }: LeaseKey): FarmError =>
  new FarmError('LeaseLost', `Lease ${leaseNumber} of the chunk is over.`, { chunk: chunkId, leaseNumber });

/**
 * The chunk of a lease that is alive, for whoever wants to give its holder something (blobs, upload addresses).
 * @throws FarmError `LeaseLost`
 */
export async function requireLease(
  statements: Statements,
  key: LeaseKey,
): Promise<Pick<ChunkRow, 'studioId' | 'jobId'>> {
  const chunk = await statements
    .selectFrom('chunks')
    .select(['studioId', 'jobId'])
    .where(isHeld(key))
    .executeTakeFirst();
  if (!chunk) throw leaseLost(key);
  return chunk;
}

/**
 * The studio of a unit that is held under a lease that is alive.
 * @throws FarmError `LeaseLost`; `NotFound` when the lease has no such unit
 */
export async function requireUnitOfLease(statements: Statements, key: LeaseKey, unitId: string): Promise<string> {
  const { rows } = await sql<{ studioId: string; hasUnit: boolean }>`
    SELECT chunks.studio_id, EXISTS (SELECT FROM units AS u WHERE u.studio_id = chunks.studio_id AND u.id = ${unitId}
      AND u.chunk_id = chunks.id AND u.lease_number = chunks.lease_number) AS has_unit
    FROM chunks WHERE ${isHeld(key)}`.execute(statements);
  const held = rows[0];
  if (!held) throw leaseLost(key);
  if (!held.hasUnit) throw new FarmError('NotFound', 'The lease has no such unit.', { unit: unitId });
  return held.studioId;
}

/** Of a row of `chunks`: it is held under this very lease, now. */
export const isHeld = ({ chunkId, nodeId, leaseNumber }: LeaseKey): RawBuilder<boolean> =>
  sql<boolean>`chunks.id = ${chunkId} AND chunks.node_id = ${nodeId} AND chunks.lease_number = ${leaseNumber}
    AND chunks.status = 'leased' AND chunks.lease_ends_at > clock_timestamp()`;

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
 * @returns whether it has been judged already
 * @throws FarmError `LeaseLost` or `UnitAlreadyCommitted`, logged as `unit.late`; `NotFound`
 */
export async function reportUnit(tx: Tx, input: ReportInput): Promise<{ isJudged: boolean }> {
  const { unitId, chunkId, nodeId, leaseNumber, artifacts, siteId = null, measurements } = input;
  const locked = await lockUnit(tx, unitId);
  const { unit, chunk } = locked;
  const { studioId, jobId, frame, take, tile } = unit;
  if (unit.chunkId !== chunkId)
    throw new FarmError('NotFound', `There is no unit ${unitId} in the chunk.`, { unit: unitId });
  const mine = unit.leaseNumber === leaseNumber && unit.nodeId === nodeId;
  const delivered = unit.status === 'uploaded' || unit.status === 'verified' || unit.status === 'committed';
  if (mine && delivered && sameArtifacts(unit.artifacts ?? [], artifacts)) {
    return { isJudged: unit.status === 'committed' };
  }
  if (unit.status === 'committed') await refuseLate(tx, locked, leaseNumber, 'UnitAlreadyCommitted', nodeId);
  if (!mine || unit.status !== 'leased' || !chunk.isAlive || chunk.leaseNumber !== leaseNumber) {
    await refuseLate(tx, locked, leaseNumber, 'LeaseLost', nodeId);
  }
  const node = await nodeName(tx, nodeId);
  const data = { unitId, frame, take, tile, status: 'uploaded' as const, node, fraction: null };
  const delivery = sql`delivery AS (
    UPDATE units SET status = 'uploaded', site_id = ${siteId}, artifacts = ${json(artifacts)}, measurements = ${json(measurements)}
    WHERE studio_id = ${studioId} AND id = ${unitId})`;
  await appendEventWith(
    tx,
    { studioId, jobId, type: 'unit.changed', data },
    { changes: [delivery], notices: [[CHANNELS.chunk, chunkId]] },
  );
  return { isJudged: false };
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
  if (outcome !== 'failed' && kind === 'render' && (await park(tx, input, studioId))) return { studioId, jobId };
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

/**
 * The usual end, in one statement: all units are delivered and some of them wait for verify, so that nothing is taken back.
 * Under the chunk's lock, without which none of them changes.
 * @returns false, and nothing was done, when it is not so
 */
async function park(tx: Tx, { chunkId, leaseNumber, outcome }: FinishInput, studioId: string): Promise<boolean> {
  const { rows } = await sql`
    WITH parked AS (
      UPDATE chunks SET status = 'planned', lease_ends_at = NULL
      WHERE studio_id = ${studioId} AND id = ${chunkId}
        AND EXISTS (SELECT FROM units AS u WHERE u.studio_id = ${studioId} AND u.chunk_id = ${chunkId}
          AND u.status IN ('uploaded', 'verified'))
        AND NOT EXISTS (SELECT FROM units AS u WHERE u.studio_id = ${studioId} AND u.chunk_id = ${chunkId}
          AND u.status IN ('offered', 'planned', 'leased'))
      RETURNING id
    ), ended AS (
      UPDATE attempts SET ended_at = clock_timestamp(), outcome = ${outcome}, problem = NULL FROM parked
      WHERE attempts.studio_id = ${studioId} AND attempts.chunk_id = parked.id
        AND attempts.lease_number = ${leaseNumber} AND attempts.outcome IS NULL
    )
    SELECT pg_notify(${CHANNELS.chunk}, ${chunkId}) FROM parked`.execute(tx);
  return rows.length > 0;
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
