/** Several things of a kind at a time, which all end when the job shall not go on. */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Problem } from '../domain/errors.ts';
import type { JobControl } from './control.ts';
import { problemOf } from './problem.ts';

/** What the places of a window share: one that sets `stopped` ends the others. */
export interface Stoppable {
  stopped: boolean;
  problem: Problem | null;
}

/**
 * Runs `place` that many times side by side, until all have returned. When one sets `outcome.stopped` or throws, or the job
 * is cancelled, what the others wait for is cancelled. Never throws: what went wrong is in `outcome.problem`.
 */
export async function runWindow(
  places: number,
  place: () => Promise<void>,
  outcome: Stoppable,
  control: JobControl,
): Promise<void> {
  const scope = new CancellationScope();
  let done = false;
  const watch = condition(() => done || outcome.stopped || control.cancelled).then(() => {
    if (!done) scope.cancel();
  });
  const guarded = async () => {
    try {
      await place();
    } catch (error) {
      if (!isCancellation(error)) outcome.problem = problemOf(error);
      outcome.stopped = true;
    }
  };
  await scope.run(() => Promise.all(Array.from({ length: places }, guarded)));
  done = true;
  await watch;
  outcome.stopped ||= control.cancelled;
}
