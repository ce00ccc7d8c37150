/**
 * The tables of `infra/migrations` as kysely sees them: columns in camel case, `Generated` where the database has a
 * default. Money (`numeric(78,0)`) is bigint, other integers are numbers, times are `Date`, jsonb is parsed.
 */
import type { Selectable } from 'kysely';
import type {
  AttemptsTable,
  ChunksTable,
  DeliveriesTable,
  FrameCacheTable,
  JobEventsTable,
  JobsTable,
  LayersTable,
  QuotesTable,
  UnitsTable,
} from './tables/jobs.ts';
import type {
  ChainEventsTable,
  ChainTransactionsTable,
  InvoiceCountersTable,
  InvoiceLinesTable,
  InvoicesTable,
  LedgerJournalsTable,
  LedgerPostingsTable,
  ReceiptLinesTable,
  ReceiptsTable,
} from './tables/money.ts';
import type {
  ApiKeysTable,
  DeploymentsTable,
  NodesTable,
  ObjectCopiesTable,
  SiteStoresTable,
  SitesTable,
  StudiosTable,
  TariffsTable,
} from './tables/places.ts';
import type {
  BlobsTable,
  BlobUploadsTable,
  ProjectsTable,
  ProjectVersionsTable,
  VersionBlobsTable,
} from './tables/projects.ts';
import type { AuditLogTable, IdempotencyKeysTable, OutboxTable } from './tables/service.ts';

export type { TokenColumns } from './tables/columns.ts';
export type { AttemptOutcome } from './tables/jobs.ts';
export type { SiteStatus } from './tables/places.ts';

/** Schema `farm`. */
export interface FarmTables {
  sites: SitesTable;
  siteStores: SiteStoresTable;
  objectCopies: ObjectCopiesTable;
  nodes: NodesTable;
  tariffs: TariffsTable;
  deployments: DeploymentsTable;
  studios: StudiosTable;
  apiKeys: ApiKeysTable;
  blobs: BlobsTable;
  blobUploads: BlobUploadsTable;
  projects: ProjectsTable;
  projectVersions: ProjectVersionsTable;
  versionBlobs: VersionBlobsTable;
  jobs: JobsTable;
  quotes: QuotesTable;
  layers: LayersTable;
  chunks: ChunksTable;
  units: UnitsTable;
  deliveries: DeliveriesTable;
  frameCache: FrameCacheTable;
  attempts: AttemptsTable;
  jobEvents: JobEventsTable;
  ledgerJournals: LedgerJournalsTable;
  ledgerPostings: LedgerPostingsTable;
  receipts: ReceiptsTable;
  receiptLines: ReceiptLinesTable;
  invoiceCounters: InvoiceCountersTable;
  invoices: InvoicesTable;
  invoiceLines: InvoiceLinesTable;
  chainTransactions: ChainTransactionsTable;
  chainEvents: ChainEventsTable;
  outbox: OutboxTable;
  idempotencyKeys: IdempotencyKeysTable;
  auditLog: AuditLogTable;
}

export type StudioRow = Selectable<StudiosTable>;
export type SiteRow = Selectable<SitesTable>;
export type SiteStoreRow = Selectable<SiteStoresTable>;
export type TariffRow = Selectable<TariffsTable>;
export type DeploymentRow = Selectable<DeploymentsTable>;
export type NodeRow = Selectable<NodesTable>;
export type JobRow = Selectable<JobsTable>;
export type QuoteRow = Selectable<QuotesTable>;
export type VersionRow = Selectable<ProjectVersionsTable>;
export type ChunkRow = Selectable<ChunksTable>;
export type UnitRow = Selectable<UnitsTable>;
export type FrameCacheRow = Selectable<FrameCacheTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type JobEventRow = Selectable<JobEventsTable>;
export type ReceiptRow = Selectable<ReceiptsTable>;
export type ReceiptLineRow = Selectable<ReceiptLinesTable>;
export type InvoiceRow = Selectable<InvoicesTable>;
export type InvoiceLineRow = Selectable<InvoiceLinesTable>;
export type ChainTransactionRow = Selectable<ChainTransactionsTable>;
export type OutboxRow = Selectable<OutboxTable>;
