/** A job from its acceptance to its paid invoice and its delivery: plan, render, verify, assemble, settle. */
import { CancellationScope, condition } from '@temporalio/workflow';
import { FarmError, type Problem, toProblem } from '../domain/errors.ts';
import type { Policy } from '../domain/policy.ts';
import type { RangeOutcome } from './chunks.ts';
import type { RenderJobInput, RenderJobResult } from './contract.ts';
import { JobControl } from './control.ts';
import { type AwaySites, assemble, settle, untilDelivered, verify } from './finish.ts';
import { problemOf } from './problem.ts';
import { firstInFlight, renderAll } from './ranges.ts';
import { record, settlement } from './stages.ts';

/**
 * Workflow id = job id. May be started again for a job whose workflow was lost: every activity finds what was done.
 * Settlement runs after a cancel or failure too, with what was committed, and no cancel interrupts it.
 */
export async function renderJob(job: RenderJobInput): Promise<RenderJobResult> {
  const control = JobControl.listen();
  return CancellationScope.nonCancellable(() => run(job, control));
}

async function run(job: RenderJobInput, control: JobControl): Promise<RenderJobResult> {
  const { openJob, stopJob, endJob } = record();
  const { policy, stopping, deliveryWaitSeconds } = await openJob(job);
  if (stopping) control.cancel();
  try {
    await settlement().fundEscrow(job);
  } catch (error) {
    // Nothing was deposited, so nothing was rendered: there is nothing to settle.
    return endJob({ ...job, problem: problemOf(error) });
  }

  let problem = await renderFrames(job, policy, control);
  const whole = !problem && !control.cancelled;
  if (!whole) await stopJob({ ...job, problem });
  const away: AwaySites = new Set();
  problem = (whole ? await verify(job, away) : null) ?? problem;
  problem = (await assemble(job, away)) ?? problem;
  problem = (await settle(job)) ?? problem;
  // Histories of an older farm do not say how long, and did not wait.
  if (whole && !problem && deliveryWaitSeconds) await untilDelivered(job, deliveryWaitSeconds, control);
  return endJob({ ...job, problem });
}

/** Plans and renders. Returns why the job must stop, or null (also after a cancel). */
async function renderFrames(job: RenderJobInput, policy: Policy, control: JobControl): Promise<Problem | null> {
  if (control.cancelled) return null;
  const { planJob, markStage } = record();
  let rendering = true;
  const topUps = depositRaises(job, control, () => rendering);
  try {
    const { chunks } = await planJob(job);
    await markStage({ ...job, start: 'render', offer: firstInFlight(chunks, policy) });
    const started = Date.now();
    const outcome = await renderAll(job, chunks, policy, control);
    await markStage({
      ...job,
      end: [
        { stage: 'render', seconds: (Date.now() - started) / 1000 },
        { stage: 'verify', seconds: outcome.verifySeconds },
      ],
    });
    return whyIncomplete(outcome, chunks, control);
  } catch (error) {
    return problemOf(error);
  } finally {
    rendering = false;
    await topUps;
  }
}

/** Brings each raise of the cap to the chain, and with it into the job's row. */
async function depositRaises(job: RenderJobInput, control: JobControl, rendering: () => boolean): Promise<void> {
  for (;;) {
    await condition(() => control.raises.length > 0 || !rendering());
    if (!rendering()) return;
    const cap = control.raises.shift() ?? null;
    try {
      await settlement().topUp({ ...job, cap });
    } catch (error) {
      await record().keepProblem({ ...job, problem: problemOf(error) });
    }
  }
}

function whyIncomplete(outcome: RangeOutcome, chunks: number, control: JobControl): Problem | null {
  if (control.cancelled || (!outcome.stopped && outcome.failed === 0)) return null;
  if (outcome.failed === 0) return outcome.problem;
  const reason = outcome.problem;
  if (reason && reason.fault === 'user' && !reason.retryable) return reason;
  return toProblem(
    new FarmError(
      'TooManyFailures',
      `${outcome.failed} of ${chunks} chunks failed${reason ? `, last because: ${reason.message}` : '.'}`,
      { failed: outcome.failed, chunks, ...(reason ? { reason: reason.code } : {}) },
    ),
  );
}
