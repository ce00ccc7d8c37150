/** What follows the last frame, or the last frame that there will be: verify, assemble, settle. */
import { condition, sleep } from '@temporalio/workflow';
import type { Problem } from '../domain/errors.ts';
import type { Stage } from '../domain/statuses.ts';
import type { JobReference } from './contract.ts';
import type { JobControl } from './control.ts';
import { problemOf } from './problem.ts';
import { delivery, record, settlement } from './stages.ts';

/** Ids of the sites that a step has waited for in vain: the next one does not wait again. An older farm's steps name none. */
export type AwaySites = Set<string>;

const noteAway = (sites: AwaySites, answer: { away?: readonly string[] } | undefined | null): void => {
  for (const site of answer?.away ?? []) sites.add(site);
};

/** Checks that every frame of the job is committed and in its store. @param sites takes those that do not answer */
export const verify = (job: JobReference, sites: AwaySites): Promise<Problem | null> =>
  stage(job, 'verify', async () => {
    noteAway(sites, await delivery().verifyDelivery(job));
  });

/** Contact sheet, film and manifest of what is committed. The manifest comes last, since it names the others. */
export const assemble = (job: JobReference, sites: AwaySites): Promise<Problem | null> =>
  stage(job, 'assemble', async () => {
    const lacking = await makePictures(job, sites);
    await delivery().writeManifest({ ...job, away: [...lacking] });
  });

/**
 * Contact sheet and film.
 * @param sites that are not waited for
 * @returns those whose frames one of them lacks
 */
export async function makePictures(job: JobReference, sites: Iterable<string>): Promise<AwaySites> {
  const { makeContactSheet, makeFilm } = delivery();
  const lacking: AwaySites = new Set();
  noteAway(lacking, await makeContactSheet({ ...job, away: [...sites] }));
  noteAway(lacking, await makeFilm({ ...job, away: [...new Set([...sites, ...lacking])] }));
  return lacking;
}

/** Invoice, batch on chain, payouts, refund of what was not used; at last the books are compared with the chain. */
export const settle = (job: JobReference): Promise<Problem | null> =>
  stage(job, 'settle', async () => {
    const { closeReceipts, issueInvoice, postBatch, claimPayouts, refundEscrow, reconcile } = settlement();
    await closeReceipts(job);
    await issueInvoice(job);
    await postBatch(job);
    await claimPayouts(job);
    for (;;) {
      const { opensInSeconds } = await refundEscrow(job);
      if (opensInSeconds === 0) break;
      await sleep(opensInSeconds * 1000);
    }
    await reconcile(job);
  });

/**
 * A settled job whose studio takes the frames ends when it has acknowledged all of them, or after so many seconds, or when the
 * studio does not want to wait (cancel). Frames can be fetched afterwards just the same.
 */
export async function untilDelivered(job: JobReference, seconds: number, control: JobControl): Promise<void> {
  if (!(await record().deliveryIsAwaited(job))) return;
  await condition(() => control.delivered || control.cancelled, seconds * 1000);
}

/** Runs a stage and writes down how long it took. Returns the problem instead of throwing it: later stages still run. */
async function stage(job: JobReference, name: Stage, work: () => Promise<void>): Promise<Problem | null> {
  const { markStage } = record();
  await markStage({ ...job, start: name });
  const started = Date.now();
  try {
    await work();
    await markStage({ ...job, end: [{ stage: name, seconds: (Date.now() - started) / 1000 }] });
    return null;
  } catch (error) {
    return problemOf(error);
  }
}
