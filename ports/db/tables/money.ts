/** Ledger, receipts, invoices and the chain. Columns as `ports/db/tables.ts` says. */
import type { Generated } from 'kysely';
import type { JournalKind } from '../../../domain/money/accounts.ts';
import type { InvoicedUnit } from '../documents.ts';
import type { GeneratedTime, Json, TokenColumns } from './columns.ts';

export interface LedgerJournalsTable extends TokenColumns {
  studioId: string;
  id: Generated<string>;
  jobId: string | null;
  kind: JournalKind;
  reference: string;
  at: GeneratedTime;
}

export interface LedgerPostingsTable {
  studioId: string;
  journalId: string;
  account: string;
  amount: bigint;
}

export interface ReceiptsTable extends TokenColumns {
  studioId: string;
  jobId: string;
  nodeId: string;
  sequence: number;
  cumulative: bigint;
  unitCount: number;
  unitsRoot: string;
  nodeSignature: string | null;
  sessionSignature: string | null;
  createdAt: GeneratedTime;
}

export interface ReceiptLinesTable extends TokenColumns {
  studioId: string;
  unitId: string;
  jobId: string;
  nodeId: string;
  chunkId: string;
  leaseNumber: number;
  line: number;
  amount: bigint;
  at: GeneratedTime;
}

export interface InvoiceCountersTable {
  studioId: string;
  year: number;
  last: number;
}

export interface InvoicesTable extends TokenColumns {
  studioId: string;
  id: Generated<string>;
  jobId: string;
  number: string;
  issuedAt: GeneratedTime;
  document: Json<Record<string, unknown>>;
  total: bigint;
  currency: string;
  netCents: number;
  taxCents: number;
  grossCents: number;
  root: string;
  transactionHash: string | null;
  status: Generated<'issued' | 'posted' | 'paid'>;
}

export interface InvoiceLinesTable {
  studioId: string;
  invoiceId: string;
  line: number;
  nodeId: string;
  chunkId: string;
  units: Json<InvoicedUnit[]>;
  amount: bigint;
  netCents: number;
  salt: string;
  leaf: string;
  proof: Json<string[]>;
}

type ChainTransactionStatus = 'signed' | 'sent' | 'confirmed' | 'failed' | 'replaced';

export interface ChainTransactionsTable {
  studioId: string;
  id: Generated<string>;
  jobId: string | null;
  kind: string;
  reference: string;
  chainId: number;
  sender: string;
  nonce: number;
  hash: string;
  raw: string;
  status: Generated<ChainTransactionStatus>;
  blockNumber: number | null;
  gasUsed: number | null;
  createdAt: GeneratedTime;
}

export interface ChainEventsTable {
  chainId: number;
  contract: string;
  blockNumber: number;
  logIndex: number;
  blockHash: string;
  transactionHash: string;
  name: string;
  data: Json<Record<string, unknown>>;
}
