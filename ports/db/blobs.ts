/** Which project data a studio has in the store. A hash is no permission: every question is about one studio. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { Tx } from './client.ts';

/** Blobs of a studio change hands under this lock: shared by submissions, alone by a purge. */
const blobLock = (studioId: string): string => `blobs:${studioId}`;

/**
 * Keeps purges away until the end of the transaction, so that a blob found known is not deleted by the purge of another
 * submission before this one is on record.
 */
export async function holdBlobs(tx: Tx, studioId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock_shared(hashtextextended(${blobLock(studioId)}, 0))`.execute(tx);
}

/** Those of `hashes` that the studio has already. Ask in the transaction that creates the submission. */
export async function knownBlobs(tx: Tx, studioId: string, hashes: readonly string[]): Promise<Set<string>> {
  await holdBlobs(tx, studioId);
  const { rows } = await sql<{ hash: string }>`
    SELECT hash FROM blobs WHERE studio_id = ${studioId} AND hash = ANY (${[...hashes]}::text[])`.execute(tx);
  return new Set(rows.map(({ hash }) => hash));
}

/** Records blobs that are in the store and whose bytes were checked. */
export async function recordBlobs(
  tx: Tx,
  studioId: string,
  blobs: readonly { hash: string; sizeBytes: number }[],
): Promise<void> {
  if (blobs.length === 0) return;
  const hashes = blobs.map(({ hash }) => hash);
  const sizes = blobs.map(({ sizeBytes }) => sizeBytes);
  await sql`INSERT INTO blobs (studio_id, hash, size_bytes)
    SELECT ${studioId}::uuid, hash, size FROM unnest(${hashes}::text[], ${sizes}::bigint[]) AS b (hash, size)
    ON CONFLICT DO NOTHING`.execute(tx);
}

/**
 * Hashes that only this submission brought: no version and no other open submission of the studio names them, whether
 * they are on record or were only announced. Keeps new submissions waiting until the transaction ends.
 * @throws FarmError `JobNotFound`
 */
export async function unreferencedBlobs(tx: Tx, jobId: string): Promise<string[]> {
  const job = await tx.selectFrom('jobs').select('studioId').where('id', '=', jobId).executeTakeFirst();
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${blobLock(job.studioId)}, 0))`.execute(tx);
  const { rows } = await sql<{ hash: string }>`
    SELECT DISTINCT f ->> 'hash' AS hash FROM jobs AS j, jsonb_array_elements(j.submission -> 'files') AS f
    WHERE j.studio_id = ${job.studioId} AND j.id = ${jobId}
      AND NOT EXISTS (SELECT FROM version_blobs AS v WHERE v.studio_id = j.studio_id AND v.hash = f ->> 'hash')
    EXCEPT
    SELECT f ->> 'hash' FROM jobs AS j, jsonb_array_elements(j.submission -> 'files') AS f
    WHERE j.studio_id = ${job.studioId} AND j.id <> ${jobId} AND j.status IN ('uploading', 'preparing')
    ORDER BY hash`.execute(tx);
  return rows.map(({ hash }) => hash);
}
