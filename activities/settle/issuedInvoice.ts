/** A job's invoice as it was issued, and the batch that it stands for. */
import { type Batch, EMPTY_ROOT, makeBatch } from '../../domain/money/batch.ts';
import type { Tx } from '../../ports/db/client.ts';
import type { InvoiceLineRow, InvoiceRow } from '../../ports/db/tables.ts';
import type { JobKey } from '../services.ts';

export interface IssuedLine extends InvoiceLineRow {
  /** Address of the node's key. */
  nodeAccount: string;
  nodeName: string;
}

export interface IssuedInvoice {
  invoice: InvoiceRow;
  /** In order. */
  lines: IssuedLine[];
}

/** The invoice with its lines, or null where none was issued (yet, or because nothing was rendered). */
export async function issuedInvoice(tx: Tx, { studioId, jobId }: JobKey): Promise<IssuedInvoice | null> {
  const invoice = await tx
    .selectFrom('invoices')
    .selectAll()
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    .executeTakeFirst();
  if (!invoice) return null;
  const lines = await tx
    .selectFrom('invoiceLines as l')
    .innerJoin('nodes as n', 'n.id', 'l.nodeId')
    .selectAll('l')
    .select(['n.account as nodeAccount', 'n.name as nodeName'])
    .where('l.studioId', '=', studioId)
    .where('l.invoiceId', '=', invoice.id)
    .orderBy('l.line')
    .execute();
  return { invoice, lines };
}

/** What goes on chain for it; a job without an invoice has an empty batch, which opens its refund. */
export function batchOf(jobId: string, issued: IssuedInvoice | null): Batch {
  if (!issued) return makeBatch(jobId, EMPTY_ROOT, []);
  const lines = issued.lines.map(({ nodeAccount, amount }) => ({ node: nodeAccount, amount }));
  return makeBatch(jobId, issued.invoice.root, lines);
}
