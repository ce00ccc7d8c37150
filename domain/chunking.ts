/** How a frame range becomes chunks: the pieces that one node renders with the scene loaded once. */

export interface ChunkingRule {
  /** What a chunk should take, seconds. */
  targetSeconds: number;
  maxFrames: number;
}

/** Five minutes a chunk: long enough that loading the scene is small, short enough that a lost node costs little. */
export const CHUNKING: ChunkingRule = { targetSeconds: 300, maxFrames: 50 };

/** A workflow schedules this many chunks itself; more go to `renderRange` children of at most as many each. */
export const CHUNKS_PER_WORKFLOW = 500;
export const MAX_CHILDREN = 200;

export interface ChunkingInput {
  frames: readonly number[];
  /** Estimated seconds of one frame on the nodes that will take them. */
  estimateSeconds: number;
  /** Nodes (slots) online that fit. */
  fittingSlots: number;
}

/**
 * Cuts frames, in order, into chunks: `clamp(round(target / estimate), 1, min(max, ceil(remaining / (2 × slots))))`.
 * Guided self-scheduling (Polychronopoulos and Kuck 1987): the second bound lets chunks shrink towards the end, so that
 * a short job still uses every node and no node waits long for the last one.
 */
export function chunkFrames({ frames, estimateSeconds, fittingSlots }: ChunkingInput, rule = CHUNKING): number[][] {
  const slots = Math.max(1, fittingSlots);
  const wanted = Math.max(1, Math.round(rule.targetSeconds / Math.max(estimateSeconds, 1e-3)));
  const chunks: number[][] = [];
  for (let next = 0; next < frames.length; ) {
    const remaining = frames.length - next;
    const size = Math.max(1, Math.min(wanted, rule.maxFrames, Math.ceil(remaining / (2 * slots))));
    chunks.push(frames.slice(next, next + size));
    next += size;
  }
  return chunks;
}
