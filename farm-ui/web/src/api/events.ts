/** The events of a job's log as they come over server-sent events. */
import type { JobStatus, Problem, Stage, UnitStatus } from './types.ts';

/** Data of each event type. */
interface JobEventData {
  'job.changed': {
    status: JobStatus;
    stage: Stage;
    pauseReason: 'user' | 'budget' | null;
    problem: Partial<Problem> | null;
  };
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
  'chunk.lost': { chunkId: string; index: number; node: string; leaseNumber: number; reason: string };
  'chunk.ended': { chunkId: string; index: number; outcome: 'completed' | 'failed' | 'cancelled' };
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
    committed: number;
    /** From the frame cache; events of an older farm do not say. */
    cached?: boolean;
    renderSeconds: number;
    preview: string | null;
  };
  'unit.refused': { unitId: string; frame: number; node: string; code: string; message: string };
  'unit.late': { unitId: string; node: string; leaseNumber: number; code: string };
  'money.changed': { cap: string; reserved: string; spent: string };
  'delivery.changed': { status: 'on-demand' | 'awaited' | 'overdue' | 'delivered'; delivered: number; of: number };
  'output.ready': { kind: 'film' | 'contactSheet' | 'manifest'; hash: string };
  'invoice.issued': { number: string; total: string };
  'invoice.posted': { number: string; transaction: string };
  /** Of the farm, not of a job: a site, or a node of one, is not what it was. */
  'sites.changed': Record<string, never>;
  log: { node: string | null; line: string };
}

export type JobEventType = keyof JobEventData;

/** One event; `seq` is 0 for passing ones (progress inside a frame) that the log does not keep. */
export type JobEvent = {
  [T in JobEventType]: { seq: number; jobId: string; at: string; type: T; data: JobEventData[T] };
}[JobEventType];

/** Names under which a server may send events, for `EventSource.addEventListener`. */
export const JOB_EVENT_TYPES: readonly JobEventType[] = [
  'job.changed',
  'stage.started',
  'stage.progress',
  'stage.ended',
  'quote.made',
  'chunk.offered',
  'chunk.leased',
  'chunk.lost',
  'chunk.ended',
  'unit.changed',
  'unit.committed',
  'unit.refused',
  'unit.late',
  'money.changed',
  'delivery.changed',
  'output.ready',
  'invoice.issued',
  'invoice.posted',
  'sites.changed',
  'log',
];
