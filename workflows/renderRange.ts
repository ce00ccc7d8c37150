/** A part of a large job, so that no history grows beyond what a worker loads in a moment. */
import { CancellationScope } from '@temporalio/workflow';
import { type ChunkRange, type RangeOutcome, renderChunks } from './chunks.ts';
import { JobControl } from './control.ts';

/** Renders at most 500 chunks. Takes `resumeJob` from its parent; a cancel makes it return, `stopped`. */
export async function renderRange(range: ChunkRange): Promise<RangeOutcome> {
  const control = JobControl.listen();
  return CancellationScope.nonCancellable(() => renderChunks(range, control));
}
