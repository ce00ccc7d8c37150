/** Commit and refusal of a unit: where a frame becomes paid for, once. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import { jobNode, jobReserved, move } from '../../domain/money/accounts.ts';
import { endAttempt } from './attempts.ts';
import { putOnOffer } from './chunks.ts';
import type { Tx } from './client.ts';
import { json, type UnitRefusal, type UnitWarning } from './documents.ts';
import { appendEvent, CHANNELS, notify } from './events.ts';
import { cacheUnit } from './frameCache.ts';
import { post } from './ledger.ts';
import { type LockedUnit, lockUnit, nodeName } from './locks.ts';
import { release } from './money.ts';
import { afterCommit } from './recorded.ts';
import type { UnitRow } from './tables.ts';

export interface CommittedUnit {
  studioId: string;
  jobId: string;
  /** Units of the job committed so far (those from the cache among them), and what they cost. */
  committed: number;
  spent: bigint;
  /** That was the last unit of its chunk. */
  chunkCompleted: boolean;
}

/**
 * Commits a delivered unit: the one place where a frame is accepted and paid. One unit a transaction.
 *
 * Invariants, all under the locks of chunk, job and unit:
 * - *once*: a committed unit is final (trigger), has one receipt line (key) and one `commit` journal (key);
 * - *fenced*: the lease number must be the one under which the unit was delivered;
 * - *never above the cap*: the price moves from `reserved` to `spent`, their sum stays.
 *
 * @throws FarmError `UnitAlreadyCommitted`, `LeaseLost`, `JobStateConflict` (the job takes nothing any more); each is
 * logged as `unit.late` and costs nothing. `NotFound`
 */
export async function commitUnit(
  tx: Tx,
  { unitId, leaseNumber, warnings = [] }: { unitId: string; leaseNumber: number; warnings?: UnitWarning[] },
): Promise<CommittedUnit> {
  const locked = await lockUnit(tx, unitId);
  const { unit, job } = locked;
  if (unit.status === 'committed') await refuseLate(tx, locked, leaseNumber, 'UnitAlreadyCommitted');
  if (job.status !== 'active' && job.status !== 'paused') await refuseLate(tx, locked, leaseNumber, 'JobStateConflict');
  const delivered = unit.status === 'uploaded' || unit.status === 'verified';
  if (!delivered || unit.leaseNumber !== leaseNumber || unit.nodeId === null || !unit.reserved) {
    await refuseLate(tx, locked, leaseNumber, 'LeaseLost');
  }
  const { studioId, jobId, price, frame, take, tile, chunkId, chainId, contract, token, tokenDecimals } = unit;
  const nodeId = unit.nodeId as string;
  const warned = [...warnings, ...(await duplicateWarnings(tx, unit))];

  await tx
    .updateTable('units')
    .set({ status: 'committed', reserved: false, warnings: json(warned), committedAt: sql<Date>`clock_timestamp()` })
    .where('studioId', '=', studioId)
    .where('id', '=', unitId)
    .execute();
  await cacheUnit(tx, unit, warned);
  const { spent, committedUnits, cachedUnits } = await tx
    .updateTable('jobs')
    .set((update) => ({
      reserved: update('reserved', '-', price),
      spent: update('spent', '+', price),
      committedUnits: update('committedUnits', '+', 1),
    }))
    .where('studioId', '=', studioId)
    .where('id', '=', jobId)
    .returning(['spent', 'committedUnits', 'cachedUnits'])
    .executeTakeFirstOrThrow();
  const money = { chainId, contract, token, tokenDecimals };
  await tx
    .insertInto('receiptLines')
    .values({
      ...{ studioId, unitId, jobId, nodeId, chunkId, leaseNumber, ...money },
      line: committedUnits,
      amount: price,
    })
    .execute();
  const postings = move(jobReserved(jobId), jobNode(jobId, nodeId), price);
  await post(tx, { studioId, jobId, kind: 'commit', reference: `unit:${unitId}`, postings, money });
  await appendEvent(tx, {
    studioId,
    jobId,
    type: 'unit.committed',
    data: {
      ...{ unitId, frame, take, tile },
      node: await nodeName(tx, nodeId),
      price: String(price),
      spent: String(spent),
      committed: committedUnits + cachedUnits,
      cached: false,
      renderSeconds: unit.measurements?.renderSeconds ?? 0,
      preview: unit.artifacts?.find(({ kind }) => kind === 'preview')?.hash ?? null,
    },
  });
  const chunkCompleted = await completeChunk(tx, locked);
  return { studioId, jobId, committed: committedUnits + cachedUnits, spent, chunkCompleted };
}

/** A frame that equals another committed one of its job, bit for bit, is accepted with a warning: holds are legitimate. */
async function duplicateWarnings(tx: Tx, { studioId, jobId, frame, artifacts }: UnitRow): Promise<UnitWarning[]> {
  const hash = artifacts?.find(({ kind }) => kind === 'exr')?.hash;
  if (hash === undefined) return [];
  const twin = await tx
    .selectFrom('units')
    .select('frame')
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    // Both to the letter as in the partial index `units_by_exr`: a parameter would hide it from a prepared plan.
    .where(sql<boolean>`status = 'committed'`)
    .where(sql<boolean>`jsonb_path_query_first(artifacts, '$[*] ? (@.kind == "exr").hash') #>> '{}' = ${hash}`)
    .where('frame', '!=', frame)
    .orderBy('frame')
    .limit(1)
    .executeTakeFirst();
  return twin ? [{ code: 'Duplicate', message: `The frame equals frame ${twin.frame}, bit for bit.` }] : [];
}

/** Refuses a result that came late, twice or for a job that takes none: logged, never billed. */
export async function refuseLate(
  tx: Tx,
  { unit }: Pick<LockedUnit, 'unit'>,
  leaseNumber: number,
  code: 'UnitAlreadyCommitted' | 'LeaseLost' | 'JobStateConflict',
  nodeId: string | null = unit.nodeId,
): Promise<never> {
  const { studioId, jobId, id: unitId, frame } = unit;
  const node = await nodeName(tx, nodeId);
  await appendEvent(tx, { studioId, jobId, type: 'unit.late', data: { unitId, node, leaseNumber, code } });
  const why = {
    UnitAlreadyCommitted: `Frame ${frame} is committed already.`,
    LeaseLost: `Frame ${frame} is not held under lease ${leaseNumber}.`,
    JobStateConflict: `The job takes no more frames; frame ${frame} came too late.`,
  };
  throw afterCommit(new FarmError(code, why[code], { unit: unitId, frame, leaseNumber }));
}

/** Completes the chunk with its last unit, also before its node has said that it is done. */
async function completeChunk(tx: Tx, { chunk }: LockedUnit): Promise<boolean> {
  const { studioId, jobId, id: chunkId, index, leaseNumber } = chunk;
  const { open } = await tx
    .selectFrom('units')
    .select(sql<number>`count(*)`.as('open'))
    .where('studioId', '=', studioId)
    .where('chunkId', '=', chunkId)
    .where('status', '<>', 'committed')
    .executeTakeFirstOrThrow();
  const completed = open === 0 && chunk.status !== 'cancelled';
  if (completed) {
    await tx
      .updateTable('chunks')
      .set({ status: 'completed', leaseEndsAt: null, problem: null })
      .where('studioId', '=', studioId)
      .where('id', '=', chunkId)
      .execute();
    await endAttempt(tx, { studioId, chunkId, leaseNumber, outcome: 'completed', problem: null });
    await appendEvent(tx, { studioId, jobId, type: 'chunk.ended', data: { chunkId, index, outcome: 'completed' } });
    await notify(tx, CHANNELS.chunk, chunkId);
  }
  return completed;
}

export interface RefuseInput {
  unitId: string;
  leaseNumber: number;
  /** A code of `domain/errors.ts`, usually `FrameRefused`. */
  code: string;
  message: string;
  /** What verify found: 'nan', 'size', 'channels', … */
  reason?: string | undefined;
}

/**
 * Refuses a delivered unit: on offer again, its reservation released, the reason kept, its node avoided.
 * @returns all refusals of the unit so far
 * @throws FarmError `LeaseLost` when the unit is not delivered under that lease (any more), `NotFound`
 */
export async function refuseUnit(
  tx: Tx,
  { unitId, leaseNumber, code, message, reason }: RefuseInput,
): Promise<UnitRefusal[]> {
  const { unit, chunk } = await lockUnit(tx, unitId);
  const delivered = unit.status === 'uploaded' || unit.status === 'verified';
  if (!delivered || unit.leaseNumber !== leaseNumber || unit.nodeId === null) {
    throw new FarmError('LeaseLost', `Frame ${unit.frame} is not held under lease ${leaseNumber}.`, { unit: unitId });
  }
  const { studioId, jobId, nodeId, frame, chunkId } = unit;
  const node = await nodeName(tx, nodeId);
  const refusals = [...unit.refusals, { at: new Date().toISOString(), nodeId, node, code, reason, message }];
  await tx
    .updateTable('units')
    .set({
      ...{ status: 'offered', reserved: false, leaseNumber: null, nodeId: null, artifacts: null, measurements: null },
      refusals: json(refusals),
    })
    .where('studioId', '=', studioId)
    .where('id', '=', unitId)
    .execute();
  await tx
    .updateTable('chunks')
    .set({ avoid: sql<string[]>`array_append(array_remove(avoid, ${nodeId}::uuid), ${nodeId}::uuid)` })
    .where('studioId', '=', studioId)
    .where('id', '=', chunkId)
    .execute();
  if (unit.reserved) await release(tx, jobId, unit.price, `unit:${unitId}:${leaseNumber}`);
  await appendEvent(tx, { studioId, jobId, type: 'unit.refused', data: { unitId, frame, node, code, message } });
  // While the lease lasts its end offers the chunk again; a parked chunk has nobody else to do so.
  if (chunk.status === 'planned') await putOnOffer(tx, chunk);
  return refusals;
}
