/** How a submission begins to be prepared, and how it ends when it does not become a quote. */
import type { Problem } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { cancelJobChunks } from '../../ports/db/chunks.ts';
import { transitionJob } from '../../ports/db/jobs.ts';
import { startStage } from '../../ports/db/stages.ts';
import { purgeSubmission as purge, setPreparing } from '../../ports/db/submissions.ts';
import { removeUnnamed } from '../../ports/store/removeUnnamed.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { readJob } from './inspectSubmission.ts';

/**
 * The job is `preparing` from now on. May be repeated.
 * @throws FarmError `JobNotFound`, `JobStateConflict` when the job is past that
 */
export async function beginIntake(services: FarmServices, key: JobKey): Promise<{ policy: Policy }> {
  const job = await readJob(services, key);
  await inRecord(services, async (tx) => {
    await setPreparing(tx, key.jobId);
    // What kept an earlier try from a quote is over.
    const row = tx.updateTable('jobs').set({ problem: null });
    await row.where('studioId', '=', key.studioId).where('id', '=', key.jobId).execute();
    await startStage(tx, key.jobId, 'intake');
  });
  return { policy: policyOf(services, job) };
}

/**
 * Deletes a refused submission with all that only it brought: rows first, then objects, so that nothing of it can be used
 * any more. An object that stays behind because this was killed in between is found by the janitor.
 */
export async function purgeSubmission(services: FarmServices, { studioId, jobId }: JobKey): Promise<void> {
  const hashes = await inRecord(services, (tx) => purge(tx, jobId));
  await removeUnnamed(services.database, services.store, { studioId, kind: 'blobs', siteId: null, hashes });
}

/** Back to `uploading`, with the reason on record: what went wrong may be mended, then it can be prepared again. */
export async function reopenSubmission(services: FarmServices, input: JobKey & { problem: Problem }): Promise<void> {
  const { jobId, problem } = input;
  await inRecord(services, (tx) => cancelJobChunks(tx, jobId));
  await inRecord(services, async (tx) => {
    const job = await tx.selectFrom('jobs').select('status').where('id', '=', jobId).executeTakeFirst();
    if (job?.status === 'preparing') await transitionJob(tx, { jobId, to: 'uploading', problem });
  });
}
