/** Rows under lock, in the one order chunk → job → unit (see `client.ts`). */
import { FarmError } from '../../domain/errors.ts';
import type { Tx } from './client.ts';
import type { ChunkRow, JobRow, UnitRow } from './tables.ts';

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
  job: JobRow;
  chunk: ChunkRow;
}

/**
 * Locks a unit with its chunk and job, in the one order.
 * @throws FarmError `NotFound`
 */
export async function lockUnit(tx: Tx, unitId: string): Promise<LockedUnit> {
  const keys = await tx
    .selectFrom('units')
    .select(['chunkId', 'jobId', 'studioId'])
    .where('id', '=', unitId)
    .executeTakeFirst();
  if (!keys) throw new FarmError('NotFound', `There is no unit ${unitId}.`, { unit: unitId });
  const chunk = await lockChunk(tx, keys.chunkId);
  const job = await lockJob(tx, keys.jobId);
  const unit = await tx
    .selectFrom('units')
    .selectAll()
    .where('studioId', '=', keys.studioId)
    .where('id', '=', unitId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return { unit, job, chunk };
}

/** Name of a node, for events. */
export async function nodeName(tx: Tx, nodeId: string | null): Promise<string> {
  if (nodeId === null) return 'unknown';
  const node = await tx.selectFrom('nodes').select('name').where('id', '=', nodeId).executeTakeFirst();
  return node?.name ?? nodeId;
}
