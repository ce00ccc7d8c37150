/** Issues a job's invoice: a line for each (node, chunk), down to its units. */
import { randomBytes } from 'node:crypto';
import { computeInvoice, type Invoice, type InvoiceInput, type InvoiceLineInput } from '../../domain/money/invoice.ts';
import { operatorAccount } from '../../ports/chain/accounts.ts';
import type { Tx } from '../../ports/db/client.ts';
import { framesFromCache } from '../../ports/db/commitCached.ts';
import { createInvoice, type InvoiceDraft } from '../../ports/db/invoices.ts';
import { lockJob } from '../../ports/db/locks.ts';
import type { StudioRow } from '../../ports/db/tables.ts';
import { inRecord, type JobKey } from '../services.ts';
import { partiesOf, type SettleServices } from './services.ts';

/** Issues it once, under the job's lock; a job in which nothing was rendered gets none. */
export async function issueInvoice(services: SettleServices, key: JobKey): Promise<void> {
  const { studio } = await partiesOf(services, key);
  await inRecord(services, async (tx) => {
    await lockJob(tx, key.jobId);
    const units = await billedUnits(tx, key);
    if (units.length === 0) return;
    const head = await invoiceHead(services, tx, key, studio);
    const cached = await framesFromCache(tx, key);
    const times = units.map(({ at }) => at.getTime());
    const performed = {
      performedFrom: new Date(Math.min(...times)).toISOString(),
      performedTo: new Date(Math.max(...times)).toISOString(),
    };
    const lines = linesOf(units, () => `0x${randomBytes(32).toString('hex')}`);
    await createInvoice(tx, {
      jobId: key.jobId,
      build: ({ number, issuedAt, job }) =>
        draftOf(
          computeInvoice({
            ...{ number, issuedAt: issuedAt.toISOString(), jobId: key.jobId, jobName: job.name },
            ...{ ...performed, ...head, lines },
            ...(cached.count > 0 ? { cached } : {}),
          }),
        ),
    });
  });
}

interface BilledUnitRow {
  unitId: string;
  frame: number;
  take: number;
  tile: number;
  amount: bigint;
  exrHash: string;
  chunkId: string;
  nodeId: string;
  nodeName: string;
  nodeAccount: string;
  at: Date;
}

/** What was committed, by chunk and node. */
async function billedUnits(tx: Tx, { studioId, jobId }: JobKey): Promise<BilledUnitRow[]> {
  const rows = await tx
    .selectFrom('receiptLines as r')
    .innerJoin('units as u', (join) => join.onRef('u.studioId', '=', 'r.studioId').onRef('u.id', '=', 'r.unitId'))
    .innerJoin('chunks as c', (join) => join.onRef('c.studioId', '=', 'r.studioId').onRef('c.id', '=', 'r.chunkId'))
    .innerJoin('nodes as n', 'n.id', 'r.nodeId')
    .select(['r.unitId', 'u.frame', 'u.take', 'u.tile', 'r.amount', 'u.artifacts', 'r.chunkId', 'r.nodeId', 'r.at'])
    .select(['n.name as nodeName', 'n.account as nodeAccount'])
    .where('r.studioId', '=', studioId)
    .where('r.jobId', '=', jobId)
    .orderBy('c.index')
    .orderBy('n.name')
    .orderBy('u.frame')
    .execute();
  return rows.map(({ artifacts, ...row }) => ({
    ...row,
    exrHash: artifacts!.find(({ kind }) => kind === 'exr')!.hash,
  }));
}

function linesOf(units: readonly BilledUnitRow[], salt: () => string): InvoiceLineInput[] {
  const lines = new Map<string, InvoiceLineInput>();
  for (const { chunkId, nodeId, nodeName, nodeAccount, at: _, ...unit } of units) {
    const key = `${chunkId}/${nodeId}`;
    const line = lines.get(key) ?? { nodeId, nodeName, nodeAccount, chunkId, salt: salt(), units: [] };
    line.units.push(unit);
    lines.set(key, line);
  }
  return [...lines.values()];
}

type InvoiceHead = Pick<InvoiceInput, 'seller' | 'buyer' | 'rate' | 'taxBasisPoints' | 'pricePerFbh' | 'chain'>;

/** Parties, rate and contracts. Rate and tax are those of the quote that the studio accepted. */
async function invoiceHead(services: SettleServices, tx: Tx, key: JobKey, studio: StudioRow): Promise<InvoiceHead> {
  const quote = await tx
    .selectFrom('quotes')
    .selectAll()
    .where('studioId', '=', key.studioId)
    .where('jobId', '=', key.jobId)
    .executeTakeFirstOrThrow();
  const { chainId, token, escrow, settlement } = services.chain.deployment;
  const { address, taxId } = studio.billing as { address?: unknown; taxId?: unknown };
  return {
    seller: { ...services.seller, account: operatorAccount(services.mnemonic).address },
    buyer: {
      name: studio.name,
      address: Array.isArray(address) ? address.map(String) : typeof address === 'string' ? address.split('\n') : [],
      ...(typeof taxId === 'string' ? { taxId } : {}),
      account: studio.account,
    },
    rate: {
      currency: quote.currency,
      centsPerTokenE6: BigInt(quote.centsPerTokenE6),
      at: quote.createdAt.toISOString(),
      source: 'tariff of the farm, as quoted',
    },
    taxBasisPoints: quote.taxBasisPoints,
    pricePerFbh: quote.pricePerFbh,
    chain: { chainId, token, escrow, settlement },
  };
}

/** The document as the record keeps it. */
function draftOf(invoice: Invoice): InvoiceDraft {
  return {
    document: { ...invoice },
    lines: invoice.lines.map(({ line, nodeId, chunkId, units, amount, netCents, salt, leaf, proof }) => ({
      ...{ line, nodeId, chunkId, units, salt, leaf, proof },
      amount: BigInt(amount),
      netCents: Number(netCents),
    })),
    total: BigInt(invoice.total),
    currency: invoice.rate.currency,
    netCents: Number(invoice.netCents),
    taxCents: Number(invoice.taxCents),
    grossCents: Number(invoice.grossCents),
    root: invoice.root,
  };
}
