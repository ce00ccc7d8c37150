/** Commit and refusal of a unit: where a frame becomes paid for, once. */
import { type RawBuilder, sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import { jobNode, jobReserved, move } from '../../domain/money/accounts.ts';
import { putOnOffer } from './chunks.ts';
import type { Tx } from './client.ts';
import { json, type UnitRefusal, type UnitWarning } from './documents.ts';
import { appendEvent, appendEventAsking, appendEventWith, CHANNELS } from './events.ts';
import { caching } from './frameCache.ts';
import { posting } from './ledger.ts';
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
  const spent = job.spent + price;
  const line = job.committedUnits + 1;
  const committed = line + job.cachedUnits;
  const money = { chainId, contract, token, tokenDecimals };
  const postings = move(jobReserved(jobId), jobNode(jobId, nodeId), price);
  // One statement, since every other commit of the job waits for this one's end.
  const { open } = await appendEventAsking(
    tx,
    {
      studioId,
      jobId,
      type: 'unit.committed',
      data: {
        ...{ unitId, frame, take, tile },
        node: locked.node?.name ?? nodeId,
        price: String(price),
        spent: String(spent),
        committed,
        cached: false,
        renderSeconds: unit.measurements?.renderSeconds ?? 0,
        preview: unit.artifacts?.find(({ kind }) => kind === 'preview')?.hash ?? null,
      },
    },
    {
      job: sql`, reserved = reserved - ${price}, spent = spent + ${price}, committed_units = committed_units + 1`,
      changes: [
        marking(unit, warnings),
        ...caching(unit, locked.node, warnings),
        sql`billed AS (
          INSERT INTO receipt_lines (studio_id, unit_id, job_id, node_id, chunk_id, lease_number, chain_id, contract, token,
            token_decimals, line, amount)
          VALUES (${studioId}, ${unitId}, ${jobId}, ${nodeId}, ${chunkId}, ${leaseNumber}, ${chainId}, ${contract}, ${token},
            ${tokenDecimals}, ${line}, ${price}))`,
        ...posting({ studioId, jobId, kind: 'commit', reference: `unit:${unitId}`, postings, money }),
      ],
    },
    sql<{ open: number }>`, (
      SELECT count(*) FROM units AS other
      WHERE other.studio_id = ${studioId} AND other.chunk_id = ${chunkId} AND other.id <> ${unitId}
        AND other.status <> 'committed') AS open`,
  );
  const chunkCompleted = open === 0 && locked.chunk.status !== 'cancelled';
  if (chunkCompleted) await completeChunk(tx, locked);
  return { studioId, jobId, committed, spent, chunkCompleted };
}

/**
 * Makes the unit's row a committed one: part `marked` of a statement. A frame that equals another committed one of its job, bit
 * for bit, is accepted with a warning: holds are legitimate.
 */
function marking(
  { studioId, jobId, id, frame, artifacts }: UnitRow,
  warnings: readonly UnitWarning[],
): RawBuilder<unknown> {
  const hash = artifacts?.find(({ kind }) => kind === 'exr')?.hash ?? null;
  // Status and path to the letter as in the partial index `units_by_exr`: a parameter would hide it from a prepared plan.
  return sql`marked AS (
    UPDATE units SET status = 'committed', reserved = false, committed_at = clock_timestamp(),
      warnings = ${json(warnings)}::jsonb || coalesce((
        SELECT jsonb_build_array(jsonb_build_object(
          'code', 'Duplicate', 'message', 'The frame equals frame ' || twin.frame || ', bit for bit.'))
        FROM units AS twin
        WHERE twin.studio_id = ${studioId} AND twin.job_id = ${jobId} AND twin.status = 'committed'
          AND jsonb_path_query_first(twin.artifacts, '$[*] ? (@.kind == "exr").hash') #>> '{}' = ${hash}
          AND twin.frame <> ${frame}
        ORDER BY twin.frame LIMIT 1), '[]')
    WHERE studio_id = ${studioId} AND id = ${id})`;
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
async function completeChunk(tx: Tx, { chunk }: LockedUnit): Promise<void> {
  const { studioId, jobId, id: chunkId, index, leaseNumber } = chunk;
  await appendEventWith(
    tx,
    { studioId, jobId, type: 'chunk.ended', data: { chunkId, index, outcome: 'completed' } },
    {
      changes: [
        sql`done AS (
          UPDATE chunks SET status = 'completed', lease_ends_at = NULL, problem = NULL
          WHERE studio_id = ${studioId} AND id = ${chunkId})`,
        sql`ended AS (
          UPDATE attempts SET ended_at = clock_timestamp(), outcome = 'completed', problem = NULL
          WHERE studio_id = ${studioId} AND chunk_id = ${chunkId} AND lease_number = ${leaseNumber} AND outcome IS NULL)`,
      ],
      notices: [[CHANNELS.chunk, chunkId]],
    },
  );
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
