/** An invoice as the API shows it: the document as issued, and what became of it since. */
import type { Invoice } from '../../../domain/money/invoice.ts';
import type { Tx } from '../../../ports/db/client.ts';
import { getInvoice } from '../../../ports/db/invoices.ts';
import { jobBalances } from '../../../ports/db/ledger.ts';
import type { InvoiceLineRow, InvoiceRow } from '../../../ports/db/tables.ts';
import type { InvoiceView } from '../schema/api.ts';

/** The job's invoice, or null before it is issued. */
export async function readInvoiceView(tx: Tx, jobId: string): Promise<InvoiceView | null> {
  const issued = await getInvoice(tx, jobId);
  if (!issued) return null;
  const { deposited, refunded } = await jobBalances(tx, jobId);
  const chunkIds = issued.lines.map(({ chunkId }) => chunkId);
  const chunks = chunkIds.length
    ? await tx
        .selectFrom('chunks')
        .select(['id', 'index'])
        .where('studioId', '=', issued.invoice.studioId)
        .where('id', 'in', chunkIds)
        .execute()
    : [];
  return invoiceView(issued, { deposited, refunded }, new Map(chunks.map(({ id, index }) => [id, index])));
}

/** What was issued never changes: it comes from the document; what happened since comes from the row and the ledger. */
function invoiceView(
  { invoice, lines }: { invoice: InvoiceRow; lines: InvoiceLineRow[] },
  { deposited, refunded }: { deposited: bigint; refunded: bigint },
  chunkIndex: Map<string, number>,
): InvoiceView {
  const document = documentOf(invoice);
  return {
    number: invoice.number,
    issuedAt: invoice.issuedAt.toISOString(),
    status: invoice.status,
    jobId: invoice.jobId,
    jobName: document.jobName,
    seller: { ...document.seller },
    buyer: { ...document.buyer },
    lines: lines.map((line, index) => {
      const printed = document.lines[index];
      return {
        line: line.line,
        node: printed?.nodeName ?? line.nodeId,
        nodeAccount: printed?.nodeAccount ?? '',
        chunk: chunkIndex.get(line.chunkId) ?? 0,
        frames: printed?.frames ?? '',
        units: line.units.map(({ unitId, frame, take, tile, amount, exrHash }) => ({
          ...{ unitId, frame, take, tile, amount, exrHash },
        })),
        amount: String(line.amount),
        netCents: line.netCents,
        salt: line.salt,
        leaf: line.leaf,
        proof: line.proof,
      };
    }),
    cached: document.cached ?? { count: 0, frames: '' },
    total: String(invoice.total),
    deposited: String(deposited),
    refunded: String(refunded),
    currency: invoice.currency,
    netCents: invoice.netCents,
    taxBasisPoints: document.taxBasisPoints,
    taxCents: invoice.taxCents,
    grossCents: invoice.grossCents,
    centsPerTokenE6: Number(document.rate.centsPerTokenE6),
    rateAt: document.rate.at,
    token: {
      symbol: document.tokenSymbol,
      decimals: invoice.tokenDecimals,
      address: invoice.token,
      chainId: invoice.chainId,
    },
    settlement: invoice.contract,
    root: invoice.root,
    transaction: invoice.transactionHash,
  };
}

/** The document as `domain/money/invoice.ts` computed it. */
export const documentOf = (invoice: InvoiceRow): Invoice => invoice.document as unknown as Invoice;
