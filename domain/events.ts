/** Types of the per-job event log (`job_events`), which feeds server-sent events, the page and rebuilds. */
import type { Problem } from './errors.ts';
import type { DeliveryStatus, JobStatus, PauseReason, Stage, UnitStatus } from './statuses.ts';

export interface JobEventData {
  /** Status, stage, cap, spent or counts changed; readers fetch or merge what they show. */
  'job.changed': { status: JobStatus; stage: Stage; pauseReason: PauseReason | null; problem: Problem | null };
  'stage.started': { stage: Stage };
  'stage.progress': { stage: Stage; fraction: number };
  'stage.ended': { stage: Stage; seconds: number };
  'quote.made': { total: string; unitPrice: string; suggestedCap: string };
  'chunk.offered': { chunkId: string; index: number };
  'chunk.leased': {
    chunkId: string;
    index: number;
    nodeId: string;
    node: string;
    leaseNumber: number;
    frames: number[];
  };
  /** Chunks that will be rendered at another site than planned. */
  'chunks.moved': { chunks: number; from: string; to: string; reason: string };
  'chunk.lost': { chunkId: string; index: number; node: string; leaseNumber: number; reason: string };
  'chunk.ended': { chunkId: string; index: number; outcome: 'completed' | 'failed' | 'cancelled' };
  /** `fraction` only while rendering. */
  'unit.changed': {
    unitId: string;
    frame: number;
    take: number;
    tile: number;
    status: UnitStatus;
    node: string | null;
    fraction: number | null;
  };
  'unit.committed': {
    unitId: string;
    frame: number;
    take: number;
    tile: number;
    node: string;
    price: string;
    spent: string;
    /** Units of the job committed so far, those from the cache among them. */
    committed: number;
    /** Came from the frame cache; not billed. */
    cached: boolean;
    renderSeconds: number;
    preview: string | null;
  };
  /**
   * The first `headBytes` of a frame of `sizeBytes` and hash `hash` lie in its site's store while the whole is still being
   * put there: from `url`, for a minute, under the terms of `FrameHead` (API). Passing: the log does not keep it.
   */
  'unit.head': {
    unitId: string;
    siteId: string | null;
    name: string;
    hash: string;
    sizeBytes: number;
    headBytes: number;
    url: string;
  };
  'unit.refused': { unitId: string; frame: number; node: string; code: string; message: string };
  /** A result that came too late or twice: kept for the record, never billed. */
  'unit.late': { unitId: string; node: string; leaseNumber: number; code: string };
  'money.changed': { cap: string; reserved: string; spent: string };
  /** The studio has acknowledged frames: `delivered` of `of` by now. */
  'delivery.changed': { status: DeliveryStatus; delivered: number; of: number };
  'output.ready': { kind: 'film' | 'contactSheet' | 'manifest'; hash: string };
  'invoice.issued': { number: string; total: string };
  'invoice.posted': { number: string; transaction: string };
  log: { node: string | null; line: string };
}

export type JobEventType = keyof JobEventData;
