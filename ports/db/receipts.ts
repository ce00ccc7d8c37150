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
 * Makes the next receipt of a node for a job when it has committed units that the newest one does not cover.
 *
 * Invariants, under the job's lock: sequences run 1, 2, 3 …; `cumulative` is the sum of the node's receipt lines; a
 * receipt of n units covers the node's first n lines, so an older receipt can be recomputed at any time.
 * @returns null when there is nothing new
 * @throws FarmError `JobNotFound`
 */
export async function nextReceipt(
  tx: Tx,
  { jobId, nodeId, computeRoot, countersign }: NextReceiptInput,
): Promise<ReceiptRow | null> {
  const { studioId, chainId, contract, token, tokenDecimals, account, sessionKeyIndex } = await lockParties(
    tx,
    jobId,
    nodeId,
  );
  const { sequence: last, covered, units } = await newestOf(tx, { studioId, jobId, nodeId });
  if (units.length === covered) return null;
  const receipt = {
    ...{ chainId, contract, sequence: last + 1, unitCount: units.length },
    cumulative: units.reduce((sum, { amount }) => sum + amount, 0n),
    unitsRoot: await computeRoot(units),
  };
  const sessionSignature = (await countersign?.({ ...receipt, account, sessionKeyIndex })) ?? null;
  const { told: _, ...row } = await tx
    .insertInto('receipts')
    .values({ ...receipt, studioId, jobId, nodeId, token, tokenDecimals, sessionSignature })
    .returningAll()
    // An idle node waits at the gateway: it shall sign at once.
    .returning(sql`pg_notify(${CHANNELS.receipt}, ${nodeId})`.as('told'))
    .executeTakeFirstOrThrow();
  return row;
}

type Parties = Pick<JobRow, 'studioId' | 'chainId' | 'contract' | 'token' | 'tokenDecimals'> &
  Pick<UnsignedReceipt, 'account' | 'sessionKeyIndex'>;

/** Locks the job, and answers who signs for it. @throws FarmError `JobNotFound` */
async function lockParties(tx: Tx, jobId: string, nodeId: string): Promise<Parties> {
  const { rows } = await sql<Parties>`
    SELECT j.studio_id, j.chain_id, j.contract, j.token, j.token_decimals, n.account, s.key_index AS session_key_index
    FROM jobs AS j JOIN studios AS s ON s.id = j.studio_id JOIN nodes AS n ON n.id = ${nodeId}
    WHERE j.id = ${jobId} FOR NO KEY UPDATE OF j`.execute(tx);
  if (rows[0]) return rows[0];
  throw new FarmError('JobNotFound', `There is no job ${jobId}, or no node ${nodeId}.`, { job: jobId });
}

/** Number of the newest receipt and of the units that it covers (0 without one); all of the node's units where it has more. */
async function newestOf(
  tx: Tx,
  { studioId, jobId, nodeId }: { studioId: string; jobId: string; nodeId: string },
): Promise<{ sequence: number; covered: number; units: ReceiptUnit[] }> {
  const { rows } = await sql<{
    sequence: number | null;
    covered: number | null;
    units: (Omit<ReceiptUnit, 'amount'> & { amount: string })[] | null;
  }>`
    SELECT newest.sequence, newest.unit_count AS covered, (
      SELECT jsonb_agg(jsonb_build_object('unitId', unit_id, 'chunkId', chunk_id, 'amount', amount::text, 'line', line)
        ORDER BY line)
      FROM receipt_lines WHERE studio_id = ${studioId} AND job_id = ${jobId} AND node_id = ${nodeId}) AS units
    FROM (SELECT) AS one LEFT JOIN LATERAL (
      SELECT sequence, unit_count FROM receipts WHERE studio_id = ${studioId} AND job_id = ${jobId} AND node_id = ${nodeId}
      ORDER BY sequence DESC LIMIT 1) AS newest ON true`.execute(tx);
  const { sequence, covered, units } = rows[0]!;
  return {
    ...{ sequence: sequence ?? 0, covered: covered ?? 0 },
    units: (units ?? []).map((unit) => ({ ...unit, amount: BigInt(unit.amount) })),
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
