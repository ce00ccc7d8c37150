/** Cumulative receipts, one chain of them for each (job, node). Only the newest of a chain matters. */
import { type RawBuilder, sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { Statements, Tx } from './client.ts';
import { CHANNELS } from './events.ts';
import type { JobRow, ReceiptLineRow, ReceiptRow } from './tables.ts';

/** A committed unit as a receipt covers it, in the order of commits. */
export interface ReceiptUnit {
  unitId: string;
  chunkId: string;
  amount: bigint;
  line: number;
}

export interface NextReceiptInput {
  jobId: string;
  nodeId: string;
  /** Merkle root of the units covered, `0x` and 64 hex digits. Must not touch the database. */
  computeRoot: (units: ReceiptUnit[]) => string | Promise<string>;
  /** Signature of the studio's session key, or null where the farm does not keep it. Must not touch the database. */
  countersign?: (receipt: UnsignedReceipt) => Promise<string | null>;
}

/** A receipt as its signers see it. */
export type UnsignedReceipt = Pick<
  ReceiptRow,
  'chainId' | 'contract' | 'sequence' | 'cumulative' | 'unitCount' | 'unitsRoot'
> & {
  /** The node's. */
  account: string;
  sessionKeyIndex: number | null;
};

/**
 * Makes the next receipt of a node for a job when it has committed units that the newest one does not cover. Takes no lock
 * of the job: what is signed here, outside of the database, would hold up every commit of it.
 *
 * Invariants: sequences run 1, 2, 3 … (key: of two that make the same one, the second looks again); `cumulative` is the sum
 * of the node's receipt lines; a receipt of n units covers the node's first n lines, so an older receipt can be recomputed
 * at any time. Lines are numbered under the job's lock, which is kept to the commit: who sees one sees all before it.
 * @returns null when there is nothing new
 * @throws FarmError `JobNotFound`
 */
export async function nextReceipt(
  statements: Statements,
  { jobId, nodeId, computeRoot, countersign }: NextReceiptInput,
): Promise<ReceiptRow | null> {
  for (;;) {
    const { account, sessionKeyIndex, last, covered, units, ...party } = await earnedBy(statements, { jobId, nodeId });
    if (units.length === covered) return null;
    const { studioId, chainId, contract, token, tokenDecimals } = party;
    const receipt = {
      ...{ chainId, contract, sequence: last + 1, unitCount: units.length },
      cumulative: units.reduce((sum, { amount }) => sum + amount, 0n),
      unitsRoot: await computeRoot(units),
    };
    const sessionSignature = (await countersign?.({ ...receipt, account, sessionKeyIndex })) ?? null;
    const made = await statements
      .insertInto('receipts')
      .values({ ...receipt, studioId, jobId, nodeId, token, tokenDecimals, sessionSignature })
      .onConflict((conflict) => conflict.columns(['studioId', 'jobId', 'nodeId', 'sequence']).doNothing())
      .returningAll()
      // An idle node waits at the gateway: it shall sign at once.
      .returning(sql`pg_notify(${CHANNELS.receipt}, ${nodeId})`.as('told'))
      .executeTakeFirst();
    if (!made) continue;
    const { told: _, ...row } = made;
    return row;
  }
}

interface Earned
  extends Pick<JobRow, 'studioId' | 'chainId' | 'contract' | 'token' | 'tokenDecimals'>,
    Pick<UnsignedReceipt, 'account' | 'sessionKeyIndex'> {
  /** Number of the newest receipt and of the units that it covers; 0 without one. */
  last: number;
  covered: number;
  /** All of the node's, in order. */
  units: ReceiptUnit[];
}

/** What a node has earned of a job and who signs for it, of one moment. @throws FarmError `JobNotFound` */
async function earnedBy(
  statements: Statements,
  { jobId, nodeId }: Pick<NextReceiptInput, 'jobId' | 'nodeId'>,
): Promise<Earned> {
  const { rows } = await sql<
    Omit<Earned, 'last' | 'covered' | 'units'> & {
      last: number | null;
      covered: number | null;
      units: (Omit<ReceiptUnit, 'amount'> & { amount: string })[] | null;
    }
  >`
    SELECT j.studio_id, j.chain_id, j.contract, j.token, j.token_decimals, n.account, s.key_index AS session_key_index,
      newest.sequence AS last, newest.unit_count AS covered, (
        SELECT jsonb_agg(jsonb_build_object('unitId', unit_id, 'chunkId', chunk_id, 'amount', amount::text, 'line', line)
          ORDER BY line)
        FROM receipt_lines WHERE studio_id = j.studio_id AND job_id = j.id AND node_id = n.id) AS units
    FROM jobs AS j JOIN studios AS s ON s.id = j.studio_id JOIN nodes AS n ON n.id = ${nodeId} LEFT JOIN LATERAL (
      SELECT sequence, unit_count FROM receipts WHERE studio_id = j.studio_id AND job_id = j.id AND node_id = n.id
      ORDER BY sequence DESC LIMIT 1) AS newest ON true
    WHERE j.id = ${jobId}`.execute(statements);
  const row = rows[0];
  if (!row) throw new FarmError('JobNotFound', `There is no job ${jobId}, or no node ${nodeId}.`, { job: jobId });
  return {
    ...row,
    last: row.last ?? 0,
    covered: row.covered ?? 0,
    units: (row.units ?? []).map((unit) => ({ ...unit, amount: BigInt(unit.amount) })),
  };
}

async function linesOf(
  tx: Tx,
  { studioId, jobId, nodeId, first }: { studioId: string; jobId: string; nodeId: string; first?: number },
): Promise<ReceiptLineRow[]> {
  let query = tx
    .selectFrom('receiptLines')
    .selectAll()
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    .where('nodeId', '=', nodeId)
    .orderBy('line');
  if (first !== undefined) query = query.limit(first);
  return query.execute();
}

const toUnit = ({ unitId, chunkId, amount, line }: ReceiptLineRow): ReceiptUnit => ({ unitId, chunkId, amount, line });

/** The units that a receipt covers, in order. */
export async function receiptUnits(
  tx: Tx,
  receipt: Pick<ReceiptRow, 'studioId' | 'jobId' | 'nodeId' | 'unitCount'>,
): Promise<ReceiptUnit[]> {
  return (await linesOf(tx, { ...receipt, first: receipt.unitCount })).map(toUnit);
}

/** Nodes that have committed units of a job. */
export async function nodesToPay(tx: Tx, jobId: string): Promise<string[]> {
  const rows = await tx.selectFrom('receiptLines').select('nodeId').distinct().where('jobId', '=', jobId).execute();
  return rows.map(({ nodeId }) => nodeId).sort();
}

/** Newest receipt of each node of a job, whether signed or not, by node. */
export async function latestReceipts(tx: Tx, jobId: string): Promise<ReceiptRow[]> {
  return tx
    .selectFrom('receipts')
    .selectAll()
    .distinctOn('nodeId')
    .where('jobId', '=', jobId)
    .orderBy('nodeId')
    .orderBy('sequence', 'desc')
    .execute();
}

/** Of a row of `receipts`: it is the newest of its chain and lacks the node's signature. */
const isPending = (nodeId: string): RawBuilder<boolean> => sql<boolean>`receipts.node_id = ${nodeId}
  AND receipts.node_signature IS NULL AND NOT EXISTS (SELECT FROM receipts AS n WHERE n.studio_id = receipts.studio_id
    AND n.job_id = receipts.job_id AND n.node_id = receipts.node_id AND n.sequence > receipts.sequence)`;

/** Newest receipts that still lack this node's signature, each with its units. */
export async function pendingForNode(
  statements: Statements,
  nodeId: string,
): Promise<(ReceiptRow & { units: ReceiptUnit[] })[]> {
  const { rows } = await sql<ReceiptRow & { units: (Omit<ReceiptUnit, 'amount'> & { amount: string })[] }>`
    SELECT receipts.*, (
      SELECT coalesce(json_agg(json_build_object('unitId', l.unit_id, 'chunkId', l.chunk_id, 'amount', l.amount::text,
        'line', l.line) ORDER BY l.line), '[]')
      FROM (SELECT * FROM receipt_lines AS one WHERE one.studio_id = receipts.studio_id AND one.job_id = receipts.job_id
        AND one.node_id = receipts.node_id ORDER BY one.line LIMIT receipts.unit_count) AS l) AS units
    FROM receipts WHERE ${isPending(nodeId)} ORDER BY receipts.job_id`.execute(statements);
  return rows.map((row) => ({
    ...row,
    units: row.units.map((unit) => ({ ...unit, amount: BigInt(unit.amount) })),
  }));
}

/** One of those, without its units, or null. */
export async function pendingReceipt(
  statements: Statements,
  { nodeId, jobId, sequence }: ReceiptKey,
): Promise<ReceiptRow | null> {
  const receipt = await statements
    .selectFrom('receipts')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('sequence', '=', sequence)
    .where(isPending(nodeId))
    .executeTakeFirst();
  return receipt ?? null;
}

/** Whether `pendingForNode` would answer anything, as SQL: a condition of its own, for every heartbeat and claim. */
export const receiptsPending = (nodeId: string): RawBuilder<boolean> =>
  sql<boolean>`EXISTS (SELECT FROM receipts WHERE ${isPending(nodeId)})`;

export interface ReceiptKey {
  jobId: string;
  nodeId: string;
  sequence: number;
}

const noReceipt = (jobId: string, sequence: number): FarmError =>
  new FarmError('NotFound', `There is no receipt ${sequence} of that node.`, { job: jobId, sequence });

/** Keeps the node's signature, which the caller has checked. @throws FarmError `NotFound` */
export async function storeNodeSignature(
  statements: Statements,
  { jobId, nodeId, sequence, signature }: ReceiptKey & { signature: string },
): Promise<void> {
  const receipt = await statements
    .updateTable('receipts')
    .set({ nodeSignature: signature })
    .where('studioId', '=', (job) => job.selectFrom('jobs').select('jobs.studioId').where('jobs.id', '=', jobId))
    .where('jobId', '=', jobId)
    .where('nodeId', '=', nodeId)
    .where('sequence', '=', sequence)
    .returning('sequence')
    .executeTakeFirst();
  if (!receipt) throw noReceipt(jobId, sequence);
}
