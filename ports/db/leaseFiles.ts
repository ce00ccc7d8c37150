/** The files of a lease, from the job's submission and what the inspection says of its frames. */
import { sql } from 'kysely';
import { filesOfLease, type LeaseFiles } from '../../domain/leaseFiles.ts';
import { type Blob, blobsOfFiles } from '../../domain/projectFiles.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import type { Tx } from './client.ts';
import type { ChunkRow, JobRow } from './tables.ts';

type FrameRules = Pick<SceneInspection, 'sequence' | 'frameFiles'>;

export interface StoredLeaseFiles extends LeaseFiles {
  /** What the files are made of, in the order of need. */
  blobs: Blob[];
  /** Of the shot; undefined: not known. */
  sequence: SceneInspection['sequence'] | undefined;
}

/** Files and blobs that these frames of a job read; of a job without an inspection, all. */
export async function leaseFiles(
  tx: Tx,
  job: Pick<JobRow, 'studioId' | 'versionId' | 'submission' | 'settings'>,
  frames: readonly number[],
): Promise<StoredLeaseFiles> {
  const rules = await frameRules(tx, job);
  const found = filesOfLease(job.submission.files, rules, frames, completeSettings(job.settings));
  return { ...found, blobs: blobsOfFiles(found.files, job.submission.blobs), sequence: rules?.sequence };
}

/** Blobs that the holder of a lease may have, by hash. */
export async function blobsOfLease(
  tx: Tx,
  { studioId, jobId, id: chunkId, kind, leaseNumber, estimateFrames }: ChunkRow,
): Promise<Map<string, Blob>> {
  const job = await tx
    .selectFrom('jobs')
    .select(['studioId', 'versionId', 'submission', 'settings'])
    .where('studioId', '=', studioId)
    .where('id', '=', jobId)
    .executeTakeFirstOrThrow();
  const units = await tx
    .selectFrom('units')
    .select('frame')
    .where('studioId', '=', studioId)
    .where('chunkId', '=', chunkId)
    .where('leaseNumber', '=', leaseNumber)
    .orderBy('frame')
    .execute();
  const frames = kind === 'estimate' ? estimateFrames : units.map(({ frame }) => frame);
  const { blobs } = await leaseFiles(tx, job, frames);
  return new Map(blobs.map((blob) => [blob.hash, blob]));
}

/** Until the quote the inspection is in the submission, then with the project's version. */
async function frameRules(
  tx: Tx,
  { studioId, versionId, submission }: Pick<JobRow, 'studioId' | 'versionId' | 'submission'>,
): Promise<FrameRules | null> {
  if (versionId === null) return (submission.inspection as FrameRules | undefined) ?? null;
  const version = await tx
    .selectFrom('projectVersions')
    .select([
      sql<FrameRules['sequence']>`inspection -> 'sequence'`.as('sequence'),
      sql<FrameRules['frameFiles']>`inspection -> 'frameFiles'`.as('frameFiles'),
    ])
    .where('studioId', '=', studioId)
    .where('id', '=', versionId)
    .executeTakeFirst();
  return version ?? null;
}
