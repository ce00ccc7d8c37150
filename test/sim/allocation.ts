/** Which site renders which chunks: the farm's own chunking and placement, asked with what the model knows. */
import { chunkFrames } from '../../domain/chunking.ts';
import type { JobSpec, Scenario } from './scenario.ts';

export interface PlannedChunk {
  frames: number[];
  /** The only site that may take it; null: whichever asks first. */
  site: number | null;
}

/** Cuts the job as the farm does and places its chunks. */
export function allocate({ job, sites }: Scenario): PlannedChunk[] {
  const slots = sites.reduce((sum, { nodes }) => sum + nodes, 0);
  const meanSpeed = sites.reduce((sum, { nodes, speed }) => sum + nodes * speed, 0) / slots;
  return chunkFrames({
    frames: framesOf(job),
    estimateSeconds: job.renderSeconds / meanSpeed,
    fittingSlots: slots,
  }).map((frames) => ({ frames, site: null }));
}

const framesOf = ({ frames }: JobSpec): number[] => Array.from({ length: frames }, (_, index) => index);
