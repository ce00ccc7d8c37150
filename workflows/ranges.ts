/** All chunks of a job: in the workflow itself, or in children when there are many. */
import {
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import { MAX_CHILDREN } from '../domain/chunking.ts';
import { FarmError, toProblem } from '../domain/errors.ts';
import type { Policy } from '../domain/policy.ts';
import { type ChunkRange, EMPTY_OUTCOME, type RangeOutcome, renderChunks } from './chunks.ts';
import { type JobReference, rangeWorkflowId } from './contract.ts';
import { type JobControl, resumeJob } from './control.ts';
import type { renderRange } from './renderRange.ts';
import { runWindow } from './window.ts';

/** How many of a job's chunks, from the first on, are in flight when rendering begins. */
export function firstInFlight(count: number, { chunksPerWorkflow, chunksInFlight, rangesInFlight }: Policy): number {
  if (count <= chunksPerWorkflow) return Math.min(count, chunksInFlight);
  return Math.min(chunksPerWorkflow, inFlightOfRange({ chunksInFlight, rangesInFlight }));
}

const inFlightOfRange = ({ chunksInFlight, rangesInFlight }: Pick<Policy, 'chunksInFlight' | 'rangesInFlight'>) =>
  Math.max(1, Math.ceil(chunksInFlight / rangesInFlight));

/** Renders chunks `0 … count - 1`. */
export async function renderAll(
  job: JobReference,
  count: number,
  policy: Policy,
  control: JobControl,
): Promise<RangeOutcome> {
  const { chunksPerWorkflow } = policy;
  if (count <= chunksPerWorkflow) {
    return renderChunks({ job, from: 0, to: count, inFlight: policy.chunksInFlight, policy }, control);
  }
  if (count > chunksPerWorkflow * MAX_CHILDREN) {
    const message = `The job has ${count} chunks; at most ${chunksPerWorkflow * MAX_CHILDREN} fit.`;
    return { ...EMPTY_OUTCOME, stopped: true, problem: toProblem(new FarmError('FrameRangeTooLarge', message)) };
  }
  return renderRanges(job, count, policy, control);
}

/** Children of at most so many chunks, in order, a few at a time. */
async function renderRanges(
  job: JobReference,
  count: number,
  policy: Policy,
  control: JobControl,
): Promise<RangeOutcome> {
  const outcome = { ...EMPTY_OUTCOME };
  const running = new Set<ChildWorkflowHandle<typeof renderRange>>();
  const inFlight = inFlightOfRange(policy);
  let next = 0;

  async function place(): Promise<void> {
    while (next < count && !outcome.stopped && !control.cancelled) {
      const range: ChunkRange = {
        job,
        from: next,
        to: Math.min(next + policy.chunksPerWorkflow, count),
        inFlight,
        policy,
      };
      next = range.to;
      const resumes = control.resumes;
      const child = await startChild<typeof renderRange>('renderRange', {
        workflowId: rangeWorkflowId(job.jobId, range.from),
        args: [range],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      });
      running.add(child);
      // A resume while the child was being started went to nobody.
      if (control.resumes > resumes) await child.signal(resumeJob);
      const part = await child.result();
      running.delete(child);
      outcome.completed += part.completed;
      outcome.failed += part.failed;
      outcome.verifySeconds += part.verifySeconds;
      outcome.problem = part.problem ?? outcome.problem;
      outcome.stopped ||= part.stopped;
    }
  }

  const unsubscribe = control.onResume(() => {
    // A child that has just ended needs no resume.
    for (const child of running) void child.signal(resumeJob).catch(() => {});
  });
  await runWindow(policy.rangesInFlight, place, outcome, control);
  unsubscribe();
  return outcome;
}
