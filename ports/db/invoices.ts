/** Invoices: numbered without gaps, one a job, fixed once issued. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { Tx } from './client.ts';
import { type InvoicedUnit, json } from './documents.ts';
import { appendEvent } from './events.ts';
import { lockJob } from './locks.ts';
import type { InvoiceLineRow, InvoiceRow, JobRow } from './tables.ts';

interface InvoiceDraftLine {
  /** From 1. */
  line: number;
  nodeId: string;
  chunkId: string;
  units: InvoicedUnit[];
  amount: bigint;
  netCents: number;
  salt: string;
  leaf: string;
  proof: string[];
}

/** All of an invoice but its number. */
export interface InvoiceDraft {
  /** The document as printed; carries `formatVersion`. */
  document: Record<string, unknown>;
  lines: InvoiceDraftLine[];
  total: bigint;
  currency: string;
  netCents: number;
  taxCents: number;
  grossCents: number;
  /** Merkle root of the lines. */
  root: string;
}

export interface CreateInvoiceInput {
  jobId: string;
  /** Computes the document for the number it got. Must not touch the database or wait for anything long. */
  build: (context: { number: string; issuedAt: Date; job: JobRow }) => InvoiceDraft | Promise<InvoiceDraft>;
}

/** `FW-DEMO-2026-000001`: a series for each studio and year, named in the number, so that no two invoices share one. */
const invoiceNumber = (slug: string, year: number, count: number): string =>
  `FW-${slug.toUpperCase()}-${year}-${String(count).padStart(6, '0')}`;

/**
 * Issues the invoice of a job; a second call answers the first one's.
 *
 * Invariant: numbers of a studio and year run 1, 2, 3 … without a gap. The counter's row stays locked until the
 * transaction ends and goes back with it when it fails.
 * @throws FarmError `LedgerUnbalanced` when lines, total and what the job spent differ; `JobNotFound`
 */
export async function createInvoice(tx: Tx, { jobId, build }: CreateInvoiceInput): Promise<InvoiceRow> {
  const job = await lockJob(tx, jobId);
  const { studioId, chainId, contract, token, tokenDecimals } = job;
  const issued = await findInvoice(tx, jobId);
  if (issued) return issued;
  const { rows } = await sql<{ year: number; last: number; at: Date }>`
    INSERT INTO invoice_counters AS c (studio_id, year, last)
    VALUES (${studioId}, extract(year FROM now() AT TIME ZONE 'UTC'), 1)
    ON CONFLICT (studio_id, year) DO UPDATE SET last = c.last + 1
    RETURNING year, last, date_trunc('milliseconds', now()) AS at`.execute(tx);
  const counter = rows[0] as { year: number; last: number; at: Date };
  const { slug } = await tx.selectFrom('studios').select('slug').where('id', '=', studioId).executeTakeFirstOrThrow();
  const number = invoiceNumber(slug, counter.year, counter.last);
  const { lines, document, ...sums } = await build({ number, issuedAt: counter.at, job });
  const billed = lines.reduce((sum, { amount }) => sum + amount, 0n);
  if (billed !== sums.total || billed !== job.spent) {
    const place = { lines: String(billed), total: String(sums.total), spent: String(job.spent) };
    throw new FarmError('LedgerUnbalanced', 'The invoice differs from what the job spent.', place);
  }
  const invoice = await tx
    .insertInto('invoices')
    .values({
      ...{ studioId, jobId, number, chainId, contract, token, tokenDecimals, issuedAt: counter.at },
      ...sums,
      document: json(document),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  if (lines.length > 0) {
    await tx
      .insertInto('invoiceLines')
      .values(
        lines.map(({ units, proof, ...line }) => ({
          ...{ studioId, invoiceId: invoice.id },
          ...line,
          units: json(units),
          proof: json(proof),
        })),
      )
      .execute();
  }
  await appendEvent(tx, { studioId, jobId, type: 'invoice.issued', data: { number, total: String(sums.total) } });
  return invoice;
}

async function findInvoice(tx: Tx, jobId: string): Promise<InvoiceRow | undefined> {
  return tx.selectFrom('invoices').selectAll().where('jobId', '=', jobId).executeTakeFirst();
}

/** The invoice of a job with its lines, or null before it is issued. */
export async function getInvoice(
  tx: Tx,
  jobId: string,
): Promise<{ invoice: InvoiceRow; lines: InvoiceLineRow[] } | null> {
  const invoice = await findInvoice(tx, jobId);
  if (!invoice) return null;
  const lines = await tx
    .selectFrom('invoiceLines')
    .selectAll()
    .where('studioId', '=', invoice.studioId)
    .where('invoiceId', '=', invoice.id)
    .orderBy('line')
    .execute();
  return { invoice, lines };
}

/** The root is on chain: status `posted`, event. Said again, nothing changes. @throws FarmError `NotFound` */
export async function setPosted(
  tx: Tx,
  { jobId, transactionHash }: { jobId: string; transactionHash: string },
): Promise<void> {
  const { studioId } = await lockJob(tx, jobId);
  const invoice = await findInvoice(tx, jobId);
  if (!invoice) throw new FarmError('NotFound', 'The job has no invoice.', { job: jobId });
  if (invoice.status !== 'issued') return;
  await tx
    .updateTable('invoices')
    .set({ status: 'posted', transactionHash })
    .where('studioId', '=', studioId)
    .where('id', '=', invoice.id)
    .execute();
  const data = { number: invoice.number, transaction: transactionHash };
  await appendEvent(tx, { studioId, jobId, type: 'invoice.posted', data });
}

/** All nodes of the invoice are paid. @throws FarmError `NotFound` when the job has no posted invoice */
export async function setPaid(tx: Tx, { jobId }: { jobId: string }): Promise<void> {
  const paid = await tx
    .updateTable('invoices')
    .set({ status: 'paid' })
    .where('jobId', '=', jobId)
    .where('status', 'in', ['posted', 'paid'])
    .returning('id')
    .executeTakeFirst();
  if (!paid) throw new FarmError('NotFound', 'The job has no posted invoice.', { job: jobId });
}
