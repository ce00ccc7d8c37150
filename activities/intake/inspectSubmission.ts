/** Looks into what was uploaded and completes the job's settings from it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { formatFrames } from '../../domain/frames.ts';
import { blobsOfFiles } from '../../domain/projectFiles.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import { resolveSettings } from '../../domain/settings.ts';
import { shotWarnings } from '../../domain/shotWarnings.ts';
import { recordedBlobs } from '../../ports/db/blobs.ts';
import { json, type Submission } from '../../ports/db/documents.ts';
import { setResolved } from '../../ports/db/submissions.ts';
import type { JobRow } from '../../ports/db/tables.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { inspectIsolated } from './inspectIsolated.ts';
import { materialise, missingBlobs, uploadIncomplete } from './materialise.ts';
import { mendBlobs } from './mendBlobs.ts';

/** The submission once its scene was read; the quote moves the inspection to the project's version. */
export interface InspectedSubmission extends Submission {
  inspection: SceneInspection;
}

/**
 * Checks the uploads, reads the scene in a process of its own and writes settings, frames and inspection into the job's row.
 * @throws FarmError for whatever is wrong with files, scene or settings
 */
export async function inspectSubmission(services: FarmServices, key: JobKey): Promise<void> {
  const job = await readJob(services, key);
  const policy = policyOf(services, job);
  const { submission } = job;
  await withHeartbeat(async (signal) => {
    await bringMissing(services, key, submission, signal);
    const blobs = new Set(blobsOfFiles(submission.files, submission.blobs).map(({ hash }) => hash));
    const root = await mkdtemp(join(tmpdir(), 'framewright-intake-'));
    try {
      await materialise(services.store, key.studioId, submission.files, root).catch(async (error: unknown) => {
        if (!isDamage(error, blobs)) throw error;
        // Where one went bad, others may have: all are looked at. What came before stays.
        if ((await mendBlobs(services, key, submission, blobs, signal)) === 0) throw error;
        await rm(root, { recursive: true, force: true });
        await mkdir(root);
        await materialise(services.store, key.studioId, submission.files, root);
      });
      const bounds = { seconds: policy.inspectSeconds, memoryMiB: policy.inspectMemoryMiB };
      const { scene = null, variant = null } = job.settings;
      const question = { files: { root, main: submission.main }, choice: { scene, variant } };
      const inspection = await inspectIsolated(question, bounds, signal);
      await keep(services, job, inspection);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
}

/** @throws FarmError `UploadIncomplete` when blobs are not there, or not as large as was said, and no site has them */
async function bringMissing(
  services: FarmServices,
  key: JobKey,
  submission: Submission,
  signal: AbortSignal,
): Promise<void> {
  let missing = await missingBlobs(services.store, key.studioId, submission);
  if (missing.size === 0) return;
  const recorded = await inRecord(services, (tx) => recordedBlobs(tx, key.studioId, [...missing]));
  // What was never on record lies nowhere else.
  if (recorded.size > 0) {
    await mendBlobs(services, key, submission, recorded, signal);
    missing = await missingBlobs(services.store, key.studioId, submission);
  }
  if (missing.size > 0) throw uploadIncomplete(submission, missing);
}

/** Whether an error is of a blob that could not be read as what it is named for. */
function isDamage(error: unknown, blobs: ReadonlySet<string>): boolean {
  if (!(error instanceof FarmError)) return false;
  const { hash, expected } = error.place as { hash?: string; expected?: string };
  return blobs.has(hash ?? expected ?? '');
}

async function keep(services: FarmServices, job: JobRow, inspection: SceneInspection): Promise<void> {
  const { submission, settings: wishes } = job;
  const { settings, frames } = resolveSettings({ ...wishes, frames: submission.frames }, inspection);
  const warnings = shotWarnings(inspection, settings, frames);
  const inspected: InspectedSubmission = { ...submission, inspection: { ...inspection, warnings } };
  await inRecord(services, async (tx) => {
    await setResolved(tx, { jobId: job.id, settings, frames: formatFrames(frames), frameCount: frames.length });
    const row = tx.updateTable('jobs').set({ submission: json(inspected) });
    await row.where('studioId', '=', job.studioId).where('id', '=', job.id).execute();
  });
}

/** The job's row. Throws `JobNotFound`. */
export async function readJob(services: FarmServices, { studioId, jobId }: JobKey): Promise<JobRow> {
  const job = await inRecord(services, (tx) =>
    tx.selectFrom('jobs').selectAll().where('studioId', '=', studioId).where('id', '=', jobId).executeTakeFirst(),
  );
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return job;
}
