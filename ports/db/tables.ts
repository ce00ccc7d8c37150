/**
 * The tables of `infra/migrations` as kysely sees them: columns in camel case, `Generated` where the database has a
 * default. Money (`numeric(78,0)`) is bigint, other integers are numbers, times are `Date`, jsonb is parsed.
 */
import type { ColumnType, Generated, Selectable } from 'kysely';
import type { JournalKind } from '../../domain/money/accounts.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import type { RequestedSettings } from '../../domain/settings.ts';
import type {
  ChunkStatus,
  JobStatus,
  NodeStatus,
  PauseReason,
  Role,
  Stage,
  StopReason,
  UnitStatus,
} from '../../domain/statuses.ts';
import type {
  ByStage,
  EstimateDocument,
  HostRequirements,
  InvoicedUnit,
  JobOutputs,
  JsonText,
  NodeLabels,
  ProblemDocument,
  QuotedCache,
  Submission,
  UnitArtifact,
  UnitMeasurements,
  UnitRefusal,
  UnitWarning,
  VersionManifest,
} from './documents.ts';

/** A jsonb column: read as `T`, written with `json()`. */
type Json<T> = ColumnType<T, JsonText, JsonText>;
/** The same with a default. */
type JsonDefault<T> = ColumnType<T, JsonText | undefined, JsonText>;
/** A jsonb column that may be null. */
type JsonNullable<T> = ColumnType<T | null, JsonText | null | undefined, JsonText | null>;
type GeneratedTime = Generated<Date>;

/** Which token an amount is in; on every money row. */
export interface TokenColumns {
  chainId: number;
  /** Settlement contract. */
  contract: string;
  token: string;
  tokenDecimals: number;
}

interface SitesTable {
  id: Generated<string>;
  name: string;
  createdAt: GeneratedTime;
  kind: Generated<'home' | 'edge'>;
  status: Generated<SiteStatus>;
  country: string | null;
  /** Payload of the link, bytes a second: towards the site and away from it. */
  linkDownBytes: number | null;
  linkUpBytes: number | null;
  priceFactorE6: Generated<number>;
  lastSeenAt: Date | null;
}

export type SiteStatus = 'online' | 'draining' | 'lost' | 'removed';

interface SiteStoresTable {
  siteId: string;
  /** For the farm and the studios. */
  endpoint: string;
  /** For the site's own nodes. */
  nearEndpoint: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  agentUrl: string | null;
  agentToken: string | null;
  updatedAt: GeneratedTime;
}

interface ObjectCopiesTable {
  studioId: string;
  kind: 'blobs' | 'frames';
  hash: string;
  siteId: string;
  madeAt: GeneratedTime;
}

interface NodesTable {
  id: Generated<string>;
  siteId: string;
  name: string;
  account: string;
  tokenHash: string;
  status: Generated<NodeStatus>;
  engine: string;
  engineBuild: string;
  tier: 'cpu' | 'gpu';
  device: string;
  threads: number;
  memoryBytes: number;
  score: number;
  labels: JsonDefault<NodeLabels>;
  joinedAt: GeneratedTime;
  lastSeenAt: GeneratedTime;
}

interface TariffsTable {
  id: Generated<string>;
  currency: string;
  pricePerFbh: bigint;
  centsPerTokenE6: number;
  taxBasisPoints: Generated<number>;
  validFrom: GeneratedTime;
}

interface DeploymentsTable {
  chainId: number;
  escrow: string;
  settlement: string;
  token: string;
  tokenSymbol: string;
  tokenDecimals: number;
  blockNumber: number;
  deployedAt: GeneratedTime;
}

interface StudiosTable {
  id: Generated<string>;
  slug: string;
  name: string;
  currency: string;
  billing: JsonDefault<Record<string, unknown>>;
  account: string;
  sessionAccount: string;
  keyIndex: number | null;
  createdAt: GeneratedTime;
}

interface ApiKeysTable {
  id: Generated<string>;
  studioId: string | null;
  role: Role;
  label: string;
  keyHash: string;
  createdAt: GeneratedTime;
  revokedAt: Date | null;
}

interface BlobsTable {
  studioId: string;
  hash: string;
  sizeBytes: number;
  createdAt: GeneratedTime;
}

interface BlobUploadsTable {
  studioId: string;
  hash: string;
  sizeBytes: number;
  expiresAt: Date;
}

interface ProjectsTable {
  studioId: string;
  id: Generated<string>;
  name: string;
  createdAt: GeneratedTime;
}

interface ProjectVersionsTable {
  studioId: string;
  id: Generated<string>;
  projectId: string;
  number: number;
  manifest: Json<VersionManifest>;
  manifestHash: string;
  inspection: Json<SceneInspection>;
  createdAt: GeneratedTime;
}

interface VersionBlobsTable {
  studioId: string;
  versionId: string;
  hash: string;
}

interface JobsTable extends TokenColumns {
  studioId: string;
  id: Generated<string>;
  name: string;
  status: JobStatus;
  stage: Stage;
  pauseReason: PauseReason | null;
  stopReason: StopReason | null;
  problem: JsonNullable<ProblemDocument>;
  priority: Generated<number>;
  submission: Json<Submission>;
  versionId: string | null;
  /** As asked for; complete once intake has seen the scene. `completeSettings` reads both. */
  settings: Json<RequestedSettings>;
  policy: JsonDefault<Record<string, unknown>>;
  frames: string | null;
  frameCount: number | null;
  cap: Generated<bigint>;
  reserved: Generated<bigint>;
  spent: Generated<bigint>;
  /** Units with a receipt line, and units from the frame cache, which have none. */
  committedUnits: Generated<number>;
  cachedUnits: Generated<number>;
  eventSeq: Generated<number>;
  placement: JsonDefault<Record<string, unknown>>;
  outputs: JsonNullable<JobOutputs>;
  stageStarted: JsonDefault<ByStage<string>>;
  stageSeconds: JsonDefault<ByStage<number>>;
  createdAt: GeneratedTime;
  acceptedAt: Date | null;
  endedAt: Date | null;
}

interface QuotesTable extends TokenColumns {
  studioId: string;
  jobId: string;
  id: Generated<string>;
  total: bigint;
  unitPrice: bigint;
  suggestedCap: bigint;
  currency: string;
  centsPerTokenE6: number;
  taxBasisPoints: number;
  pricePerFbh: bigint;
  estimate: Json<EstimateDocument>;
  cache: JsonDefault<QuotedCache>;
  expiresAt: Date;
  signature: string | null;
  createdAt: GeneratedTime;
}

interface LayersTable {
  studioId: string;
  id: Generated<string>;
  jobId: string;
  name: string;
}

interface ChunksTable {
  studioId: string;
  id: Generated<string>;
  jobId: string;
  layerId: string | null;
  kind: 'estimate' | 'render' | 'cache';
  index: number;
  status: ChunkStatus;
  needs: JsonDefault<HostRequirements>;
  estimateSeconds: number;
  leaseNumber: Generated<number>;
  nodeId: string | null;
  leaseEndsAt: Date | null;
  offeredAt: Date | null;
  avoid: Generated<string[]>;
  estimateFrames: Generated<number[]>;
  /** Where it shall be rendered; null: anywhere. */
  siteId: string | null;
  result: JsonNullable<EstimateDocument>;
  problem: JsonNullable<ProblemDocument>;
}

interface UnitsTable extends TokenColumns {
  studioId: string;
  id: Generated<string>;
  jobId: string;
  layerId: string;
  chunkId: string;
  frame: number;
  take: Generated<number>;
  tile: Generated<number>;
  status: UnitStatus;
  price: bigint;
  reserved: Generated<boolean>;
  leaseNumber: number | null;
  nodeId: string | null;
  artifacts: JsonNullable<UnitArtifact[]>;
  measurements: JsonNullable<UnitMeasurements>;
  warnings: JsonDefault<UnitWarning[]>;
  refusals: JsonDefault<UnitRefusal[]>;
  /** Site whose store holds the files; null: home. */
  siteId: string | null;
  /** Half of its key in the frame cache (`domain/frameKey.ts`); null: not for the cache. */
  inputHash: string | null;
  /** Came from the frame cache: committed, but no lease, no price, no receipt line. */
  cached: Generated<boolean>;
  committedAt: Date | null;
}

interface FrameCacheTable {
  studioId: string;
  key: string;
  /** The unit that was rendered. */
  unitId: string;
  artifacts: Json<UnitArtifact[]>;
  measurements: Json<UnitMeasurements>;
  warnings: JsonDefault<UnitWarning[]>;
  sizeBytes: number;
  /** Null: home. */
  siteId: string | null;
  madeAt: GeneratedTime;
  usedAt: GeneratedTime;
}

export type AttemptOutcome = 'completed' | 'failed' | 'lost' | 'cancelled' | 'handed-back';

interface AttemptsTable {
  studioId: string;
  id: Generated<string>;
  jobId: string;
  chunkId: string;
  leaseNumber: number;
  nodeId: string;
  startedAt: GeneratedTime;
  endedAt: Date | null;
  outcome: AttemptOutcome | null;
  problem: JsonNullable<ProblemDocument>;
}

interface JobEventsTable {
  studioId: string;
  jobId: string;
  seq: number;
  at: GeneratedTime;
  type: string;
  data: Json<Record<string, unknown>>;
}

interface LedgerJournalsTable extends TokenColumns {
  studioId: string;
  id: Generated<string>;
  jobId: string | null;
  kind: JournalKind;
  reference: string;
  at: GeneratedTime;
}

interface LedgerPostingsTable {
  studioId: string;
  journalId: string;
  account: string;
  amount: bigint;
}

interface ReceiptsTable extends TokenColumns {
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

interface ReceiptLinesTable extends TokenColumns {
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

interface InvoiceCountersTable {
  studioId: string;
  year: number;
  last: number;
}

interface InvoicesTable extends TokenColumns {
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

interface InvoiceLinesTable {
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

interface ChainTransactionsTable {
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

interface ChainEventsTable {
  chainId: number;
  contract: string;
  blockNumber: number;
  logIndex: number;
  blockHash: string;
  transactionHash: string;
  name: string;
  data: Json<Record<string, unknown>>;
}

interface OutboxTable {
  studioId: string;
  id: Generated<string>;
  topic: string;
  payload: Json<Record<string, unknown>>;
  createdAt: GeneratedTime;
  doneAt: Date | null;
  attempts: Generated<number>;
  lastError: string | null;
}

interface IdempotencyKeysTable {
  studioId: string;
  key: string;
  requestHash: string;
  status: number | null;
  response: JsonNullable<unknown>;
  createdAt: GeneratedTime;
}

interface AuditLogTable {
  studioId: string;
  id: Generated<string>;
  at: GeneratedTime;
  actor: string;
  action: string;
  subject: string;
  data: JsonDefault<Record<string, unknown>>;
}

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
