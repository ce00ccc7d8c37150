/** The files of a lease, from the job's submission and what the inspection says of its frames. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import { filesOfLease, type LeaseFiles } from '../../domain/leaseFiles.ts';
import { type Blob, blobsOfFiles } from '../../domain/projectFiles.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import type { Statements, Tx } from './client.ts';
import { isHeld, type LeaseKey, leaseLost } from './lease.ts';
import type { JobRow } from './tables.ts';

type FrameRules = Pick<SceneInspection, 'sequence' | 'frameFiles'>;

export interface StoredLeaseFiles extends LeaseFiles {
  /** What the files are made of, in the order of need. */
  blobs: Blob[];
  /** Of the shot; undefined: not known. */
  sequence: SceneInspection['sequence'] | undefined;
}

/** A job with what its inspection says of its frames. */
export type JobWithRules = JobRow & { rules: FrameRules | null };

/**
 * Locks a job's row like `lockJob`, and reads the rules with it. Until the quote the inspection is in the submission, then
 * with the project's version.
 * @throws FarmError `JobNotFound`
 */
export async function lockJobWithRules(tx: Tx, jobId: string): Promise<JobWithRules> {
  const { rows } = await sql<JobWithRules>`
    SELECT j.*, (
      SELECT jsonb_build_object('sequence', v.inspection -> 'sequence', 'frameFiles', v.inspection -> 'frameFiles')
      FROM project_versions AS v WHERE v.studio_id = j.studio_id AND v.id = j.version_id) AS rules
    FROM jobs AS j WHERE j.id = ${jobId} FOR NO KEY UPDATE OF j`.execute(tx);
  const job = rows[0];
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return job.versionId === null ? { ...job, rules: inspectionOf(job.submission) } : job;
}

/** Files and blobs that these frames of a job read; without rules, all. */
export function leaseFiles(
  { submission, settings }: Pick<JobRow, 'submission' | 'settings'>,
  rules: FrameRules | null,
  frames: readonly number[],
): StoredLeaseFiles {
  const found = filesOfLease(submission.files, rules, frames, completeSettings(settings));
  return { ...found, blobs: blobsOfFiles(found.files, submission.blobs), sequence: rules?.sequence };
}

/** Of a job that has no quote yet. */
const inspectionOf = (submission: JobRow['submission']): FrameRules | null =>
  (submission.inspection as FrameRules | undefined) ?? null;

/**
 * Blobs that the holder of a lease may have, by hash; whose they are.
 * @throws FarmError `LeaseLost`
 */
export async function blobsOfLease(
  statements: Statements,
  key: LeaseKey,
): Promise<{ studioId: string; blobs: Map<string, Blob> }> {
  const { rows } = await sql<
    Pick<JobRow, 'studioId' | 'versionId' | 'submission' | 'settings'> & FrameRules & { frames: number[] }
  >`
    SELECT j.studio_id, j.version_id, j.submission, j.settings,
      v.inspection -> 'sequence' AS sequence, v.inspection -> 'frameFiles' AS frame_files,
      CASE chunks.kind WHEN 'estimate' THEN chunks.estimate_frames ELSE ARRAY (SELECT u.frame FROM units AS u
        WHERE u.studio_id = chunks.studio_id AND u.chunk_id = chunks.id AND u.lease_number = chunks.lease_number
        ORDER BY u.frame) END AS frames
    FROM chunks JOIN jobs AS j ON j.studio_id = chunks.studio_id AND j.id = chunks.job_id
      LEFT JOIN project_versions AS v ON v.studio_id = j.studio_id AND v.id = j.version_id
    WHERE ${isHeld(key)}`.execute(statements);
  const held = rows[0];
  if (!held) throw leaseLost(key);
  const { studioId, versionId, submission, settings, sequence, frameFiles, frames } = held;
  const rules = versionId === null ? inspectionOf(submission) : { sequence, frameFiles };
  const { blobs } = leaseFiles({ submission, settings }, rules, frames);
  return { studioId, blobs: new Map(blobs.map((blob) => [blob.hash, blob])) };
}
