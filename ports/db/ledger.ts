/** The double-entry ledger. Accounts and journals: `domain/money/accounts.ts`. */
import { type RawBuilder, sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import { type JournalKind, jobFree, jobReserved, type Posting } from '../../domain/money/accounts.ts';
import type { Tx } from './client.ts';
import type { JobRow } from './tables.ts';

export interface JournalInput {
  studioId: string;
  jobId: string;
  kind: JournalKind;
  /** What makes the journal happen once within its kind and studio: a unit, a lease, a transaction hash. */
  reference: string;
  postings: Posting[];
  /** The job's, where the caller has its row; else they are read. */
  money?: Pick<JobRow, 'chainId' | 'contract' | 'token' | 'tokenDecimals'>;
}

/**
 * Writes a journal, once by (studio, kind, reference).
 *
 * Invariant: a journal's postings sum to zero; checked here and again by the database when the transaction commits.
 * Postings of zero are left out, several on one account become one.
 * @returns false when the journal was there before; nothing is written then
 * @throws FarmError `LedgerUnbalanced` when the postings do not sum to zero; `JobNotFound`
 */
export async function post(
  tx: Tx,
  { studioId, jobId, kind, reference, postings, money }: JournalInput,
): Promise<boolean> {
  const entries = entriesOf({ kind, reference, postings });
  if (entries.length === 0) return false;
  const known = money ?? (await moneyOfJob(tx, studioId, jobId));
  const journal = { studioId, jobId, kind, reference, money: known };
  const { rows } = await sql`
    WITH ${sql.join(journalParts(journal, entries, sql`ON CONFLICT (studio_id, kind, reference) DO NOTHING`))}
    SELECT id FROM journal`.execute(tx);
  return rows.length > 0;
}

/**
 * The same as parts `journal` and `posted` of a larger statement, for a journal that cannot be there yet; none where nothing is
 * posted.
 * @throws FarmError `LedgerUnbalanced`
 */
export function posting(input: JournalInput & Required<Pick<JournalInput, 'money'>>): RawBuilder<unknown>[] {
  const entries = entriesOf(input);
  return entries.length === 0 ? [] : journalParts(input, entries, sql``);
}

type Entry = [account: string, amount: bigint];

/** One entry an account, none of zero. @throws FarmError `LedgerUnbalanced` */
function entriesOf({ kind, reference, postings }: Pick<JournalInput, 'kind' | 'reference' | 'postings'>): Entry[] {
  const amounts = new Map<string, bigint>();
  for (const { account, amount } of postings) amounts.set(account, (amounts.get(account) ?? 0n) + amount);
  const entries = [...amounts].filter(([, amount]) => amount !== 0n);
  const sum = entries.reduce((total, [, amount]) => total + amount, 0n);
  if (sum !== 0n) {
    throw new FarmError('LedgerUnbalanced', `The ${kind} of ${reference} sums to ${sum}.`, { kind, reference });
  }
  return entries;
}

function journalParts(
  { studioId, jobId, kind, reference, money }: Omit<JournalInput, 'postings'> & Required<Pick<JournalInput, 'money'>>,
  entries: Entry[],
  onConflict: RawBuilder<unknown>,
): RawBuilder<unknown>[] {
  const { chainId, contract, token, tokenDecimals } = money;
  return [
    sql`journal AS (
      INSERT INTO ledger_journals (studio_id, job_id, kind, reference, chain_id, contract, token, token_decimals)
      VALUES (${studioId}, ${jobId}, ${kind}, ${reference}, ${chainId}, ${contract}, ${token}, ${tokenDecimals})
      ${onConflict} RETURNING id)`,
    sql`posted AS (
      INSERT INTO ledger_postings (studio_id, journal_id, account, amount)
      SELECT ${studioId}, journal.id, entry.account, entry.amount
      FROM journal, unnest(${entries.map(([account]) => account)}::text[], ${entries.map(([, amount]) => String(amount))}::numeric[])
        AS entry (account, amount))`,
  ];
}

/** @throws FarmError `JobNotFound` */
async function moneyOfJob(tx: Tx, studioId: string, jobId: string): Promise<NonNullable<JournalInput['money']>> {
  const job = await tx
    .selectFrom('jobs')
    .select(['chainId', 'contract', 'token', 'tokenDecimals'])
    .where('studioId', '=', studioId)
    .where('id', '=', jobId)
    .executeTakeFirst();
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return job;
}

/** Sum of an account, base units. `studioId` is needed where the transaction sees all studios. */
export async function balance(tx: Tx, account: string, studioId?: string): Promise<bigint> {
  let query = tx
    .selectFrom('ledgerPostings')
    .select(sql<bigint>`coalesce(sum(amount), 0)::numeric(78, 0)`.as('total'))
    .where('account', '=', account);
  if (studioId !== undefined) query = query.where('studioId', '=', studioId);
  return (await query.executeTakeFirstOrThrow()).total;
}

/** What the ledger says of one job, base units. */
export interface JobBalances {
  /** Ever put into escrow, refunds not taken off. */
  deposited: bigint;
  free: bigint;
  reserved: bigint;
  /** Earned by nodes and not yet paid out. */
  earned: bigint;
  /** Earned minus paid, by node. */
  earnedByNode: Map<string, bigint>;
  /** Paid out to nodes on chain. */
  paid: bigint;
  refunded: bigint;
}

/**
 * Balances of a job. Always deposited = free + reserved + earned + paid + refunded.
 * @throws FarmError `JobNotFound`
 */
export async function jobBalances(tx: Tx, jobId: string): Promise<JobBalances> {
  const job = await tx.selectFrom('jobs').select('studioId').where('id', '=', jobId).executeTakeFirst();
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  const rows = await tx
    .selectFrom('ledgerPostings as p')
    .innerJoin('ledgerJournals as j', (join) =>
      join.onRef('j.studioId', '=', 'p.studioId').onRef('j.id', '=', 'p.journalId'),
    )
    .select(['j.kind', 'p.account', sql<bigint>`sum(p.amount)::numeric(78, 0)`.as('amount')])
    .where('j.studioId', '=', job.studioId)
    .where('j.jobId', '=', jobId)
    .groupBy(['j.kind', 'p.account'])
    .execute();
  const total = (matches: (kind: JournalKind, account: string) => boolean): bigint =>
    rows.filter((row) => matches(row.kind, row.account)).reduce((sum, row) => sum + row.amount, 0n);
  const nodePrefix = `job:${jobId}:node:`;
  const earnedByNode = new Map<string, bigint>();
  for (const { account, amount } of rows) {
    if (!account.startsWith(nodePrefix)) continue;
    const node = account.slice(nodePrefix.length);
    earnedByNode.set(node, (earnedByNode.get(node) ?? 0n) + amount);
  }
  const free = jobFree(jobId);
  return {
    deposited: total((kind, account) => kind === 'deposit' && account === free),
    free: total((_, account) => account === free),
    reserved: total((_, account) => account === jobReserved(jobId)),
    earned: [...earnedByNode.values()].reduce((sum, amount) => sum + amount, 0n),
    earnedByNode,
    paid: total((kind, account) => kind === 'payout' && account.endsWith(':paid')),
    refunded: -total((kind, account) => kind === 'refund' && account === free),
  };
}
