/** Jobs and what they are made of. Columns as `ports/db/tables.ts` says. */
import type { Generated } from 'kysely';
import type { RequestedSettings } from '../../../domain/settings.ts';
import type {
  ChunkStatus,
  DeliveryStatus,
  JobStatus,
  PauseReason,
  Stage,
  StopReason,
  UnitStatus,
} from '../../../domain/statuses.ts';
import type {
  ByStage,
  EstimateDocument,
  HostRequirements,
  JobOutputs,
  ProblemDocument,
  QuotedCache,
  Submission,
  UnitArtifact,
  UnitMeasurements,
  UnitRefusal,
  UnitWarning,
} from '../documents.ts';
import type { GeneratedTime, Json, JsonDefault, JsonNullable, TokenColumns } from './columns.ts';

export interface JobsTable extends TokenColumns {
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
  /** Where the delivery to the studio stands, and how many units it has acknowledged. */
  delivery: Generated<DeliveryStatus>;
  deliveredUnits: Generated<number>;
  /** Sites that did not answer when film and contact sheet were made; they show gaps for what lies there. */
  awaySites: Generated<string[]>;
  /** When they were last made again because one of these answered. */
  assembledAgainAt: Date | null;
  deliveredAt: Date | null;
  eventSeq: Generated<number>;
  placement: JsonDefault<Record<string, unknown>>;
  outputs: JsonNullable<JobOutputs>;
  stageStarted: JsonDefault<ByStage<string>>;
  stageSeconds: JsonDefault<ByStage<number>>;
  createdAt: GeneratedTime;
  acceptedAt: Date | null;
  endedAt: Date | null;
}

export interface QuotesTable extends TokenColumns {
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

export interface LayersTable {
  studioId: string;
  id: Generated<string>;
  jobId: string;
  name: string;
}

export interface ChunksTable {
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

export interface UnitsTable extends TokenColumns {
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

export interface FrameCacheTable {
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

export interface AttemptsTable {
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

export interface JobEventsTable {
  studioId: string;
  jobId: string;
  seq: number;
  at: GeneratedTime;
  type: string;
  data: Json<Record<string, unknown>>;
}

export interface DeliveriesTable {
  studioId: string;
  unitId: string;
  jobId: string;
  deliveredAt: GeneratedTime;
}
