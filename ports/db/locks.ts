/** Rows under lock, in the one order chunk → job → unit (see `client.ts`). */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { Tx } from './client.ts';
import type { ChunkRow, JobRow, NodeRow, UnitRow } from './tables.ts';

/** A job without what was submitted, which may be a list of ten thousands of files. */
export type LockedJob = Omit<JobRow, 'submission' | 'awaySites' | 'assembledAgainAt'>;

const JOB_COLUMNS = [
  ...(['studioId', 'id', 'name', 'status', 'stage', 'pauseReason', 'stopReason', 'problem', 'priority'] as const),
  ...(['versionId', 'settings', 'policy', 'frames', 'frameCount', 'cap', 'reserved', 'spent'] as const),
  ...(['committedUnits', 'cachedUnits', 'eventSeq', 'placement', 'outputs', 'stageStarted', 'stageSeconds'] as const),
  ...(['delivery', 'deliveredUnits', 'deliveredAt'] as const),
  ...(['createdAt', 'acceptedAt', 'endedAt', 'chainId', 'contract', 'token', 'tokenDecimals'] as const),
] satisfies (keyof LockedJob)[];

/**
 * Locks a job's row to the end of the transaction. Money, status and event numbers of a job change under this lock only.
 * `NO KEY UPDATE`, so that inserts of rows that refer to the job do not wait.
 * @throws FarmError `JobNotFound`
 */
export async function lockJob(tx: Tx, jobId: string): Promise<JobRow> {
  const job = await tx.selectFrom('jobs').selectAll().where('id', '=', jobId).forNoKeyUpdate().executeTakeFirst();
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return job;
}

/**
 * The same where nobody asks for the submission: once for each frame and more.
 * @throws FarmError `JobNotFound`
 */
export async function lockJobState(tx: Tx, jobId: string): Promise<LockedJob> {
  const query = tx.selectFrom('jobs').select(JOB_COLUMNS).where('id', '=', jobId).forNoKeyUpdate();
  const job = await query.executeTakeFirst();
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return job;
}

/**
 * Locks a chunk's row; call it before anything that locks the job.
 * @throws FarmError `NotFound`
 */
export async function lockChunk(tx: Tx, chunkId: string): Promise<ChunkRow> {
  const chunk = await tx.selectFrom('chunks').selectAll().where('id', '=', chunkId).forNoKeyUpdate().executeTakeFirst();
  if (!chunk) throw new FarmError('NotFound', `There is no chunk ${chunkId}.`, { chunk: chunkId });
  return chunk;
}

export interface LockedUnit {
  unit: UnitRow;
  job: Pick<JobRow, 'status' | 'spent' | 'committedUnits' | 'cachedUnits'>;
  /** That holds the unit; null: none does. */
  node: Pick<NodeRow, 'name' | 'engine' | 'engineBuild' | 'tier'> | null;
  chunk: Pick<ChunkRow, 'studioId' | 'jobId' | 'id' | 'index' | 'status' | 'leaseNumber'> & {
    /** Its lease has not run out by the database's clock, now that the lock is ours. */
    isAlive: boolean;
  };
}

/**
 * Locks a unit with its chunk and job, in the one order: each part of the statement reads a row that the part before has
 * locked, and a row that somebody else changed meanwhile is read again once the lock is ours.
 * @throws FarmError `NotFound`
 */
export async function lockUnit(tx: Tx, unitId: string): Promise<LockedUnit> {
  const { rows } = await sql<
    UnitRow & {
      lockedJob: Omit<LockedUnit['job'], 'spent'> & { spent: string };
      heldBy: LockedUnit['node'];
    } & {
      chunkIndex: number;
      chunkStatus: ChunkRow['status'];
      chunkLeaseNumber: number;
      isAlive: boolean;
    }
  >`
    WITH chunk AS MATERIALIZED (
      SELECT c.studio_id, c.job_id, c.index, c.status, c.lease_number, c.lease_ends_at FROM chunks AS c
      WHERE c.id = (SELECT chunk_id FROM units WHERE id = ${unitId}) FOR NO KEY UPDATE OF c
    ), job AS MATERIALIZED (
      SELECT j.status, j.spent, j.committed_units, j.cached_units
      FROM chunk JOIN jobs AS j ON j.studio_id = chunk.studio_id AND j.id = chunk.job_id
      FOR NO KEY UPDATE OF j
    )
    SELECT u.*, json_build_object('status', job.status, 'spent', job.spent::text, 'committedUnits', job.committed_units,
        'cachedUnits', job.cached_units) AS locked_job,
      (SELECT json_build_object('name', n.name, 'engine', n.engine, 'engineBuild', n.engine_build, 'tier', n.tier)
        FROM nodes AS n WHERE n.id = u.node_id) AS held_by,
      chunk.index AS chunk_index, chunk.status AS chunk_status, chunk.lease_number AS chunk_lease_number,
      chunk.status = 'leased' AND chunk.lease_ends_at > clock_timestamp() AS is_alive
    FROM chunk, job, units AS u WHERE u.studio_id = chunk.studio_id AND u.id = ${unitId} FOR NO KEY UPDATE OF u`.execute(
    tx,
  );
  const row = rows[0];
  if (!row) throw new FarmError('NotFound', `There is no unit ${unitId}.`, { unit: unitId });
  const { lockedJob, heldBy, chunkIndex, chunkStatus, chunkLeaseNumber, isAlive, ...unit } = row;
  const { studioId, jobId, chunkId } = unit;
  const chunk = {
    ...{ studioId, jobId, id: chunkId },
    ...{ index: chunkIndex, status: chunkStatus, leaseNumber: chunkLeaseNumber, isAlive },
  };
  return { unit, job: { ...lockedJob, spent: BigInt(lockedJob.spent) }, node: heldBy, chunk };
}

/** Names that were asked for: a node keeps its name for good. */
const nodeNames = new Map<string, string>();
const NAMES_KEPT = 10_000;

/** Name of a node, for events. */
export async function nodeName(tx: Tx, nodeId: string | null): Promise<string> {
  if (nodeId === null) return 'unknown';
  const known = nodeNames.get(nodeId);
  if (known !== undefined) return known;
  const node = await tx.selectFrom('nodes').select('name').where('id', '=', nodeId).executeTakeFirst();
  if (!node) return nodeId;
  if (nodeNames.size >= NAMES_KEPT) nodeNames.clear();
  nodeNames.set(nodeId, node.name);
  return node.name;
}
