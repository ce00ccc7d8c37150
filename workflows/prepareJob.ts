/** From uploaded files to a quote: intake and the first half of plan. Somebody waits for the answer. */
import { CancellationScope } from '@temporalio/workflow';
import type { Problem } from '../domain/errors.ts';
import { isBadInput } from '../domain/policy.ts';
import type { PrepareJobInput, PrepareJobResult } from './contract.ts';
import { failureOf, problemOf } from './problem.ts';
import { calibration, inspection, preparation } from './stages.ts';

/**
 * Inspects the submission, calibrates it on a node and quotes; the job is `quoted` then. A user's mistake deletes the
 * submission with all that it brought; what a retry may mend (a missing upload, no node online) leaves it `uploading`.
 * Fails with an `ApplicationFailure` whose `details[0]` is the `Problem`.
 */
export async function prepareJob(job: PrepareJobInput): Promise<PrepareJobResult> {
  const { beginIntake, planCalibration, makeQuote, purgeSubmission, reopenSubmission } = preparation();
  let policy: Awaited<ReturnType<typeof beginIntake>>['policy'];
  try {
    ({ policy } = await beginIntake(job));
  } catch (error) {
    // The job is not being prepared (unknown, or quoted long ago): nothing of it is touched.
    throw failureOf(problemOf(error));
  }
  try {
    await inspection(policy).inspectSubmission(job);
    const { chunkId } = await planCalibration(job);
    await calibration(policy).calibrate({ ...job, chunkId });
    await makeQuote(job);
    return { ok: true };
  } catch (error) {
    const problem: Problem = problemOf(error);
    await CancellationScope.nonCancellable(async () => {
      if (isBadInput(problem.code)) await purgeSubmission(job);
      else await reopenSubmission({ ...job, problem });
    });
    throw failureOf(problem);
  }
}
