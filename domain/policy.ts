/**
 * What the farm does when things fail, and how long it waits for what: named numbers, each a setting. A job may carry its
 * own (`jobs.policy`), the farm's operator may set others for all jobs (`FARM_POLICY`, JSON), tests make them short.
 */
import { CHUNKS_PER_WORKFLOW } from './chunking.ts';
import { ERROR_CATALOGUE, FarmError, isErrorCode } from './errors.ts';

export interface Policy {
  formatVersion: 1;
  /** A chunk is given up after this many failed attempts, on different nodes where another one fits. */
  attemptsPerChunk: number;
  /** Attempts that ended because the node fell silent count apart: a farm loses nodes for reasons that no chunk can help. */
  lostLeasesPerChunk: number;
  /** A frame refused by verify this often fails its chunk. */
  refusalsPerUnit: number;
  /** NaN in the same frame from this many different nodes is the scene's fault. */
  nodesForSceneFault: number;
  /** A node that failed a job this often gets no more of it; that a store was full is not the node's failure. */
  failuresPerNode: number;
  /** A job stops when more than this share of its chunks has failed. */
  failedChunkShare: number;
  /** Chunks that a job keeps on offer or with nodes at a time. */
  chunksInFlight: number;
  /** A job of more chunks is split into `renderRange` children of at most as many, so that histories stay short. */
  chunksPerWorkflow: number;
  /** `renderRange` children that a large job keeps running at a time. */
  rangesInFlight: number;
  /** How long a submission waits for a node to calibrate on, seconds. */
  calibrationWaitSeconds: number;
  /** How long a started calibration may take, seconds. */
  calibrationSeconds: number;
  /** How long a quote stands, seconds. */
  quoteSeconds: number;
  /** What the reading of a stranger's scene may take: wall time and V8 heap. */
  inspectSeconds: number;
  inspectMemoryMiB: number;
  /** While a node renders, it gets a receipt at least this often. */
  receiptSeconds: number;
  /** Temporal takes a worker for dead after this many seconds without a heartbeat of the activity. */
  heartbeatTimeoutSeconds: number;
  /**
   * How long a settled job waits for the studio that takes its frames to have all of them, seconds; 0: it ends at once. Money
   * never waits for it.
   */
  deliveryWaitSeconds: number;
  /** How long the end of a job waits for a store that does not answer, seconds; then what lies at such a site is left out. */
  storeWaitSeconds: number;
  /** How long after its acceptance a deposit's receipts count on chain, days. */
  escrowDays: number;
}

/** What applies where nobody says otherwise. */
export const DEFAULT_POLICY: Policy = {
  formatVersion: 1,
  attemptsPerChunk: 3,
  lostLeasesPerChunk: 10,
  refusalsPerUnit: 3,
  nodesForSceneFault: 2,
  failuresPerNode: 3,
  failedChunkShare: 0.1,
  chunksInFlight: 64,
  chunksPerWorkflow: CHUNKS_PER_WORKFLOW,
  rangesInFlight: 4,
  calibrationWaitSeconds: 60,
  calibrationSeconds: 300,
  quoteSeconds: 900,
  inspectSeconds: 120,
  inspectMemoryMiB: 2048,
  receiptSeconds: 5,
  heartbeatTimeoutSeconds: 10,
  deliveryWaitSeconds: 3600,
  storeWaitSeconds: 120,
  escrowDays: 30,
};

/** Settings that count things; the others may be fractions. */
const COUNTS: readonly (keyof Policy)[] = [
  'attemptsPerChunk',
  'lostLeasesPerChunk',
  'refusalsPerUnit',
  'nodesForSceneFault',
  'failuresPerNode',
  'chunksInFlight',
  'chunksPerWorkflow',
  'rangesInFlight',
  'inspectMemoryMiB',
];

/**
 * The policy in force: the defaults, overridden by each of `overrides` in turn (the operator's, then the job's).
 * Throws `SettingInvalid` for an unknown name or a value that is not a positive number (whole where things are counted;
 * 0 only where its comment says so).
 */
export function resolvePolicy(...overrides: (Record<string, unknown> | null | undefined)[]): Policy {
  const policy: Policy = { ...DEFAULT_POLICY };
  for (const override of overrides) {
    for (const [name, value] of Object.entries(override ?? {})) {
      if (!Object.hasOwn(DEFAULT_POLICY, name)) {
        throw new FarmError('SettingInvalid', `There is no policy setting "${name}".`, { setting: name });
      }
      const key = name as keyof Policy;
      const mayBeNone = key === 'deliveryWaitSeconds' && value === 0;
      const number = typeof value === 'number' && Number.isFinite(value) && (value > 0 || mayBeNone);
      if (!number || (COUNTS.includes(key) && !Number.isInteger(value)) || (key === 'formatVersion' && value !== 1)) {
        throw new FarmError('SettingInvalid', `Policy setting ${name} is ${JSON.stringify(value)}.`, { setting: name });
      }
      Object.assign(policy, { [key]: value });
    }
  }
  return policy;
}

/** Attempts of one chunk so far, by how they ended. */
export interface AttemptCounts {
  failed: number;
  lost: number;
}

/** Why a chunk is given up, or null when another attempt follows. `code` is that of the newest failed attempt. */
export function chunkGivenUp(
  attempts: AttemptCounts,
  code: string | null,
  policy: Policy,
): 'bad-input' | 'failed' | 'lost' | null {
  if (attempts.failed > 0 && code !== null && isBadInput(code)) return 'bad-input';
  if (attempts.failed >= policy.attemptsPerChunk) return 'failed';
  if (attempts.lost >= policy.lostLeasesPerChunk) return 'lost';
  return null;
}

/** Errors that no node can mend: the same input fails everywhere. They end the job at once. */
export function isBadInput(code: string): boolean {
  return (
    isErrorCode(code) &&
    ERROR_CATALOGUE[code].fault === 'user' &&
    !ERROR_CATALOGUE[code].retryable &&
    code !== 'Cancelled'
  );
}

/** Whether a job with that many failed chunks stops before the rest is rendered. */
export function tooManyFailures(failedChunks: number, totalChunks: number, policy: Policy): boolean {
  return failedChunks > 0 && failedChunks > Math.floor(totalChunks * policy.failedChunkShare);
}

/** Why verify refuses a frame: bytes that are no readable EXR, a wrong size, missing layers, NaN or infinite colour. */
export type RefusalReason = 'Damaged' | 'Size' | 'Channels' | 'NaN';

/** A refusal of verify, as the unit keeps it. */
export interface Refusal {
  nodeId: string;
  reason?: RefusalReason | (string & {}) | undefined;
}

/** What the refusals of one frame mean: render it again, give the chunk up, or blame the scene. */
export function judgeRefusals(refusals: readonly Refusal[], policy: Policy): 'again' | 'failed' | 'scene-fault' {
  const nodesWithNaN = new Set(refusals.filter((refusal) => refusal.reason === 'NaN').map((refusal) => refusal.nodeId));
  if (nodesWithNaN.size >= policy.nodesForSceneFault) return 'scene-fault';
  return refusals.length >= policy.refusalsPerUnit ? 'failed' : 'again';
}
