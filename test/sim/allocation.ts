/** Which site renders which chunks: cut and placed by the farm's own `placeJob`, told what the farm would know. */
import { MAX_FRAMES } from '../../domain/frames.ts';
import { type PlacementSite, placeJob } from '../../domain/placement.ts';
import { bytesPerSecond } from './network.ts';
import type { JobSpec, Scenario, SiteSpec } from './scenario.ts';

export interface PlannedChunk {
  frames: number;
  /** The site that it is placed on. */
  site: number;
  /** One job holds at most `MAX_FRAMES`; more go in as several, all at once. */
  job: number;
}

/** Cuts and places the frames, as one job or several; the chunks of several jobs take turns, as the farm's claim gives them. */
export function allocate({ job, sites }: Scenario): PlannedChunk[] {
  const plans: PlannedChunk[][] = [];
  for (let first = 0; first < job.frames; first += MAX_FRAMES) {
    plans.push(place(job, sites, Math.min(MAX_FRAMES, job.frames - first), plans.length));
  }
  const plan: PlannedChunk[] = [];
  const most = Math.max(...plans.map(({ length }) => length));
  for (let turn = 0; turn < most; turn++) for (const chunks of plans) if (chunks[turn]) plan.push(chunks[turn]!);
  return plan;
}

const SHARED = 'shared';
const own = (frame: number): string => `own ${frame}`;

function place(job: JobSpec, sites: readonly SiteSpec[], count: number, index: number): PlannedChunk[] {
  const numbers = Array.from({ length: count }, (_, frame) => frame);
  const blobBytes = new Map<string, number>([[SHARED, job.sharedBytes]]);
  if (job.ownBytes > 0) for (const frame of numbers) blobBytes.set(own(frame), job.ownBytes);
  const { chunks } = placeJob({
    sites: sites.map(siteOf),
    frames: numbers.map((frame) => ({ frame, blobs: job.ownBytes > 0 ? [SHARED, own(frame)] : [SHARED] })),
    blobBytes,
    renderSeconds: job.renderSeconds,
    backBytes: job.wholeFrameBytes ?? job.frameBytes,
  });
  return chunks.map(({ frames, siteId }) => ({ frames: frames.length, site: Number(siteId), job: index }));
}

/** Sites as the farm's record has them; the model begins with idle ones. */
function siteOf({ name, nodes, speed, upMbits, downMbits }: SiteSpec, index: number): PlacementSite {
  const rate = (mbits: number): number | null => (Number.isFinite(mbits) ? bytesPerSecond(mbits) : null);
  return {
    ...{ id: String(index), name, status: 'online', country: null, priceFactor: 1 },
    ...{ slots: nodes, score: speed, linkUpBytes: rate(upMbits), linkDownBytes: rate(downMbits), queueSeconds: 0 },
  };
}
