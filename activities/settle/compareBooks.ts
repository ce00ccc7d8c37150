/** Compares what the record says of a job's money with what the chain says. All lists must be empty of differences. */
import { sql } from 'kysely';
import type { Chain } from '../../ports/chain/chain.ts';
import type { Database } from '../../ports/db/client.ts';
import { type JobBalances, jobBalances } from '../../ports/db/ledger.ts';
import type { JobKey } from '../services.ts';
import { batchOf, type IssuedInvoice, issuedInvoice } from './issuedInvoice.ts';

/** One comparison, for people. */
export interface BookCheck {
  name: string;
  ok: boolean;
  detail: string;
}

/** What money of a job is compared; amounts in base units. */
export interface Books {
  spent: bigint;
  /** Sum of the receipt lines. */
  receipted: bigint;
  /** Receipt lines, units committed by nodes, and units that came from the frame cache. */
  lines: number;
  rendered: number;
  cached: number;
  balances: JobBalances;
  issued: IssuedInvoice | null;
}

/** Reads a job's books from the record. */
export const readBooks = (database: Database, { studioId, jobId }: JobKey): Promise<Books> =>
  database.asService(async (tx) => {
    const { spent } = await tx
      .selectFrom('jobs')
      .select('spent')
      .where('studioId', '=', studioId)
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow();
    const { receipted, lines } = await tx
      .selectFrom('receiptLines')
      .select((line) => [
        sql<bigint>`coalesce(sum(amount), 0)::numeric(78, 0)`.as('receipted'),
        line.fn.countAll<number>().as('lines'),
      ])
      .where('studioId', '=', studioId)
      .where('jobId', '=', jobId)
      .executeTakeFirstOrThrow();
    const { rendered, cached } = await tx
      .selectFrom('units')
      .select((unit) => [
        unit.fn.countAll<number>().filterWhere('cached', '=', false).as('rendered'),
        unit.fn.countAll<number>().filterWhere('cached', '=', true).as('cached'),
      ])
      .where('studioId', '=', studioId)
      .where('jobId', '=', jobId)
      .where('status', '=', 'committed')
      .executeTakeFirstOrThrow();
    return {
      ...{ spent, receipted, lines, rendered, cached },
      balances: await jobBalances(tx, jobId),
      issued: await issuedInvoice(tx, { studioId, jobId }),
    };
  });

/** Receipts, ledger, invoice and chain, side by side. */
export async function compareBooks(
  chain: Chain,
  jobId: string,
  { spent, receipted, lines, rendered, cached, balances, issued }: Books,
): Promise<BookCheck[]> {
  const [escrow, batch] = await Promise.all([chain.job(jobId), chain.batch(jobId)]);
  const billed = batchOf(jobId, issued);
  const earned = balances.earned + balances.paid;
  const checks = [
    equal('Deposits: ledger = chain', balances.deposited, escrow?.deposited ?? 0n),
    equal('Payouts: ledger = chain', balances.paid, escrow?.spent ?? 0n),
    equal('Refunds: ledger = chain', balances.refunded, escrow?.refunded ?? 0n),
    equal('Committed frames: job = ledger', spent, earned),
    equal('Committed frames: job = receipts', spent, receipted),
    equal('Committed frames: job = invoice', spent, billed.total),
    {
      name: 'Frames: every rendered one on one receipt line, none from the cache',
      ok: lines === rendered,
      detail: `${rendered} rendered, ${lines} on receipt lines, ${cached} from the cache`,
    },
    equal('Invoice = batch on chain', billed.total, batch?.total ?? 0n),
    equal(
      'Left in escrow: ledger = chain',
      balances.free + balances.reserved,
      (escrow?.free ?? 0n) + (escrow?.frozen ?? 0n),
    ),
  ];
  for (const { node, total } of billed.payouts) {
    const { paid } = await chain.nodeAccount(jobId, node);
    checks.push(equal(`Payout of ${node}: invoice = chain`, total, paid));
  }
  return checks;
}

const equal = (name: string, record: bigint, other: bigint): BookCheck => ({
  name,
  ok: record === other,
  detail: record === other ? `${record} base units` : `${record} and ${other} base units`,
});
