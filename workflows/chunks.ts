/** The chunks of a range, a window of them in flight. */
import { condition } from '@temporalio/workflow';
import type { Problem } from '../domain/errors.ts';
import type { Policy } from '../domain/policy.ts';
import type { JobReference } from './contract.ts';
import type { JobControl } from './control.ts';
import { dispatch } from './stages.ts';
import { runWindow } from './window.ts';

export interface ChunkRange {
  job: JobReference;
  /** Indices of chunks: `from <= index < to`. */
  from: number;
  to: number;
  /** How many may be on offer or with nodes at a time. */
  inFlight: number;
  policy: Policy;
}

export interface RangeOutcome {
  completed: number;
  failed: number;
  /** Seconds spent on verifying the range's frames. */
  verifySeconds: number;
  /** The job shall not go on: somebody cancelled it, or too much failed. */
  stopped: boolean;
  /** Reason of the newest failed chunk. */
  problem: Problem | null;
}

export const EMPTY_OUTCOME: RangeOutcome = { completed: 0, failed: 0, verifySeconds: 0, stopped: false, problem: null };

/** Renders a range. Returns when all its chunks have ended, or early and `stopped` when the job shall not go on. */
export async function renderChunks(range: ChunkRange, control: JobControl): Promise<RangeOutcome> {
  const outcome = { ...EMPTY_OUTCOME };
  const { renderChunk } = dispatch(range.policy);
  const returned: number[] = [];
  let next = range.from;

  /** One place in the window: takes the next chunk as soon as the one before has ended. */
  async function place(): Promise<void> {
    while (!outcome.stopped && !control.cancelled) {
      const index = returned.shift() ?? (next < range.to ? next++ : undefined);
      if (index === undefined) return;
      const resumes = control.resumes;
      const result = await renderChunk({ ...range.job, index });
      if (result.outcome === 'completed') {
        outcome.completed++;
        outcome.verifySeconds += result.verifySeconds;
      } else if (result.outcome === 'failed') {
        outcome.failed++;
        outcome.problem = result.problem;
        outcome.stopped ||= result.stopJob;
      } else if (result.outcome === 'paused') {
        returned.push(index);
        returned.sort((a, b) => a - b);
        await condition(() => control.resumes > resumes || control.cancelled || outcome.stopped);
      } else {
        outcome.stopped = true;
      }
    }
  }

  await runWindow(Math.min(range.inFlight, range.to - range.from), place, outcome, control);
  return outcome;
}
