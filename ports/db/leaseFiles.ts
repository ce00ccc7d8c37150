/** The files of a lease, from the job's submission and what the inspection says of its frames. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import { filesOfLease, type LeaseFiles } from '../../domain/leaseFiles.ts';
import { type Blob, blobsOfFiles } from '../../domain/projectFiles.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import type { Statements, Tx } from './client.ts';
import { isHeld, type LeaseKey, leaseLost } from './lease.ts';
import type { ChunkRow, JobRow, UnitRow } from './tables.ts';

type FrameRules = Pick<SceneInspection, 'sequence' | 'frameFiles'>;

export interface StoredLeaseFiles extends LeaseFiles {
  /** What the files are made of, in the order of need. */
  blobs: Blob[];
  /** Of the shot; undefined: not known. */
  sequence: SceneInspection['sequence'] | undefined;
}

/** A unit that waits in a chunk on offer. */
export type WaitingUnit = Pick<UnitRow, 'id' | 'frame' | 'take' | 'tile' | 'price'>;

/** A job with what its inspection says of its frames, and what a chunk of it has to render, in render order. */
export type JobToLease = JobRow & { rules: FrameRules | null; waiting: WaitingUnit[] };

/**
 * Locks a job's row like `lockJob`, and reads with it what a lease of a chunk takes. The caller has the chunk's lock, without
 * which none of its units changes. Until the quote the inspection is in the submission, then with the project's version.
 * @throws FarmError `JobNotFound`
 */
export async function lockJobToLease(
  tx: Tx,
  { studioId, jobId, id: chunkId }: Pick<ChunkRow, 'studioId' | 'jobId' | 'id'>,
): Promise<JobToLease> {
  const { rows } = await sql<
    JobRow & { rules: FrameRules | null; waiting: (Omit<WaitingUnit, 'price'> & { price: string })[] }
  >`
    SELECT j.*, (
        SELECT jsonb_build_object('sequence', v.inspection -> 'sequence', 'frameFiles', v.inspection -> 'frameFiles')
        FROM project_versions AS v WHERE v.studio_id = j.studio_id AND v.id = j.version_id) AS rules, (
        SELECT coalesce(json_agg(json_build_object('id', u.id, 'frame', u.frame, 'take', u.take, 'tile', u.tile,
          'price', u.price::text) ORDER BY u.frame, u.take, u.tile), '[]')
        FROM units AS u WHERE u.studio_id = j.studio_id AND u.chunk_id = ${chunkId} AND u.status = 'offered') AS waiting
    FROM jobs AS j WHERE j.studio_id = ${studioId} AND j.id = ${jobId} FOR NO KEY UPDATE OF j`.execute(tx);
  const job = rows[0];
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  const waiting = job.waiting.map((unit) => ({ ...unit, price: BigInt(unit.price) }));
  return { ...job, waiting, rules: job.versionId === null ? inspectionOf(job.submission) : job.rules };
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
