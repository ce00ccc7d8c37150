/** A submission on its way to a quote: it ends as a job with a project version, or as nothing at all. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { PlacementWish } from '../../domain/placement.ts';
import { blobsOfFiles } from '../../domain/projectFiles.ts';
import type { RenderSettings, SceneInspection } from '../../domain/scene.ts';
import type { RequestedSettings } from '../../domain/settings.ts';
import { assertJobTransition } from '../../domain/statuses.ts';
import { endAnnouncements, holdBlobs, recordBlobs, unreferencedBlobs } from './blobs.ts';
import type { Tx } from './client.ts';
import { type EstimateDocument, json, type QuotedCache, type Submission, type VersionManifest } from './documents.ts';
import { appendEvent } from './events.ts';
import { lockJob } from './locks.ts';
import { announceJob, startStage } from './stages.ts';
import type { JobRow, QuoteRow, TokenColumns } from './tables.ts';

export interface SubmissionInput {
  studioId: string;
  /** Shot name; also names the project. */
  name: string;
  submission: Submission;
  /** What is known of them before the scene is looked at. */
  settings: RequestedSettings;
  policy?: Record<string, unknown> | undefined;
  /** Where it may be rendered, as asked for. */
  placement?: PlacementWish | undefined;
  /** 1 to 5, 5 goes first. */
  priority?: number | undefined;
  /** The frame range, normalised, and how many frames; left out while only the scene would know. */
  frames?: string | undefined;
  frameCount?: number | undefined;
  /** Token and contract that the job will be paid in. */
  token: TokenColumns;
}

/** Writes a new job, status `uploading`, stage `intake`, and answers its id. */
export async function createSubmission(tx: Tx, input: SubmissionInput): Promise<string> {
  await holdBlobs(tx, input.studioId);
  const { files, blobs } = input.submission;
  const named = blobsOfFiles(files, blobs).map(({ hash }) => hash);
  await endAnnouncements(tx, input.studioId, named);
  const job = await tx
    .insertInto('jobs')
    .values({
      studioId: input.studioId,
      name: input.name,
      status: 'uploading',
      stage: 'intake',
      priority: input.priority ?? 3,
      submission: json(input.submission),
      settings: json(input.settings),
      policy: json(input.policy ?? {}),
      placement: json(input.placement ? { wish: input.placement } : {}),
      frames: input.frames ?? null,
      frameCount: input.frameCount ?? null,
      delivery: input.submission.awaitDelivery ? 'awaited' : 'on-demand',
      ...input.token,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceJob(tx, job);
  await startStage(tx, job.id, 'intake');
  return job.id;
}

/**
 * The uploads are done, intake looks at them: status `preparing`. Said again, nothing changes.
 * @throws FarmError `JobStateConflict`, `JobNotFound`
 */
export async function setPreparing(tx: Tx, jobId: string): Promise<JobRow> {
  const job = await lockJob(tx, jobId);
  if (job.status === 'preparing') return job;
  assertJobTransition(job.status, 'preparing');
  const preparing = await tx
    .updateTable('jobs')
    .set({ status: 'preparing' })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceJob(tx, preparing);
  return preparing;
}

/** What intake found out about a job that is `preparing`: settings as they will be, and its frames. */
export async function setResolved(
  tx: Tx,
  {
    jobId,
    settings,
    frames,
    frameCount,
  }: { jobId: string; settings: RenderSettings; frames: string; frameCount: number },
): Promise<void> {
  const job = await lockJob(tx, jobId);
  if (job.status !== 'preparing') {
    throw new FarmError('JobStateConflict', `A job that is ${job.status} keeps its settings.`, { from: job.status });
  }
  await tx
    .updateTable('jobs')
    .set({ settings: json(settings), frames, frameCount })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .execute();
}

/** Columns of a quote that its maker decides; amounts in base units. */
type QuoteInput = Pick<
  QuoteRow,
  | 'total'
  | 'unitPrice'
  | 'suggestedCap'
  | 'currency'
  | 'centsPerTokenE6'
  | 'taxBasisPoints'
  | 'pricePerFbh'
  | 'expiresAt'
> & { estimate: EstimateDocument; signature?: string | null | undefined; cache?: QuotedCache | undefined };

export interface QuotedInput {
  jobId: string;
  /** Files of the project version; every blob is in the store. */
  versionManifest: VersionManifest;
  inspection: SceneInspection;
  settings: RenderSettings;
  frames: string;
  frameCount: number;
  quote: QuoteInput;
}

/**
 * A submission got its quote: project (by the job's name), version and its blobs come into being, status `quoted`. The
 * same files again are the same version. Said again, nothing changes.
 * @throws FarmError `JobStateConflict`, `JobNotFound`
 */
export async function setQuoted(tx: Tx, input: QuotedInput): Promise<{ versionId: string; version: number }> {
  const job = await lockJob(tx, input.jobId);
  const { studioId, id: jobId } = job;
  if (job.status === 'quoted' && job.versionId) {
    const { number } = await tx
      .selectFrom('projectVersions')
      .select('number')
      .where('studioId', '=', studioId)
      .where('id', '=', job.versionId)
      .executeTakeFirstOrThrow();
    return { versionId: job.versionId, version: number };
  }
  assertJobTransition(job.status, 'quoted');
  const { versionId, version } = await upsertVersion(tx, job, input);
  const { chainId, contract, token, tokenDecimals } = job;
  const { estimate, signature = null, cache, ...quote } = input.quote;
  await tx
    .insertInto('quotes')
    .values({
      studioId,
      jobId,
      chainId,
      contract,
      token,
      tokenDecimals,
      ...quote,
      estimate: json(estimate),
      signature,
      ...(cache ? { cache: json(cache) } : {}),
    })
    .execute();
  const quoted = await tx
    .updateTable('jobs')
    .set({
      ...{ status: 'quoted', versionId, frames: input.frames, frameCount: input.frameCount },
      settings: json(input.settings),
    })
    .where('studioId', '=', studioId)
    .where('id', '=', jobId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const money = {
    total: String(quote.total),
    unitPrice: String(quote.unitPrice),
    suggestedCap: String(quote.suggestedCap),
  };
  await appendEvent(tx, { studioId, jobId, type: 'quote.made', data: money });
  await announceJob(tx, quoted);
  return { versionId, version };
}

async function upsertVersion(
  tx: Tx,
  { studioId, name }: JobRow,
  { versionManifest, inspection }: QuotedInput,
): Promise<{ versionId: string; version: number }> {
  const files = versionManifest.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const manifest = { ...versionManifest, files };
  const manifestHash = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
  // DO UPDATE, so that the row comes back locked either way and versions of a project are numbered one after the other.
  const { id: projectId } = await tx
    .insertInto('projects')
    .values({ studioId, name })
    .onConflict((conflict) => conflict.columns(['studioId', 'name']).doUpdateSet({ name }))
    .returning('id')
    .executeTakeFirstOrThrow();
  const same = await tx
    .selectFrom('projectVersions')
    .select(['id', 'number'])
    .where('studioId', '=', studioId)
    .where('projectId', '=', projectId)
    .where('manifestHash', '=', manifestHash)
    .executeTakeFirst();
  const blobs = blobsOfFiles(files, manifest.blobs);
  // Also of a version that is there: what was lost of it has come again.
  await recordBlobs(tx, studioId, blobs);
  if (same) return { versionId: same.id, version: same.number };
  const { id: versionId, number: version } = await tx
    .insertInto('projectVersions')
    .values({
      ...{ studioId, projectId, manifestHash },
      number: sql<number>`(SELECT coalesce(max(number), 0) + 1 FROM project_versions
        WHERE studio_id = ${studioId} AND project_id = ${projectId})`,
      manifest: json(manifest),
      inspection: json(inspection),
    })
    .returning(['id', 'number'])
    .executeTakeFirstOrThrow();
  await sql`INSERT INTO version_blobs (studio_id, version_id, hash)
    SELECT ${studioId}::uuid, ${versionId}::uuid, hash FROM unnest(${blobs.map(({ hash }) => hash)}::text[]) AS hash
    `.execute(tx);
  return { versionId, version };
}

/**
 * Deletes a submission that came to no quote, with everything it brought: the row and what hangs on it, and the records
 * of blobs that no version and no other open submission names.
 * @returns hashes of those blobs; the caller removes the objects after the commit
 * @throws FarmError `JobStateConflict` when the job has been quoted, `JobNotFound`
 */
export async function purgeSubmission(tx: Tx, jobId: string): Promise<string[]> {
  const job = await lockJob(tx, jobId);
  if (job.status !== 'uploading' && job.status !== 'preparing') {
    throw new FarmError('JobStateConflict', `A job that is ${job.status} stays on record.`, { from: job.status });
  }
  const hashes = await unreferencedBlobs(tx, jobId);
  await tx.deleteFrom('jobs').where('studioId', '=', job.studioId).where('id', '=', jobId).execute();
  await sql`DELETE FROM blobs WHERE studio_id = ${job.studioId} AND hash = ANY (${hashes}::text[])`.execute(tx);
  return hashes;
}
