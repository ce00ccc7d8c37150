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

/** Those of `hashes` that the studio has already, but for lost ones. Ask in the transaction that creates the submission. */
export async function knownBlobs(tx: Tx, studioId: string, hashes: readonly string[]): Promise<Set<string>> {
  await holdBlobs(tx, studioId);
  const { rows } = await sql<{ hash: string }>`
    SELECT hash FROM blobs WHERE studio_id = ${studioId} AND hash = ANY (${[...hashes]}::text[])
      AND lost_at IS NULL`.execute(tx);
  return new Set(rows.map(({ hash }) => hash));
}

/** Those of `hashes` that are on record, lost ones too. */
export async function recordedBlobs(tx: Tx, studioId: string, hashes: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ hash: string }>`
    SELECT hash FROM blobs WHERE studio_id = ${studioId} AND hash = ANY (${[...hashes]}::text[])`.execute(tx);
  return new Set(rows.map(({ hash }) => hash));
}

/** Blobs whose bytes no place has any more: the next upload is asked for them. Those that are not on record are left out. */
export async function markLost(tx: Tx, studioId: string, hashes: readonly string[]): Promise<void> {
  await sql`UPDATE blobs SET lost_at = coalesce(lost_at, clock_timestamp())
    WHERE studio_id = ${studioId} AND hash = ANY (${[...hashes]}::text[])`.execute(tx);
}

/** Records blobs that are in the store and whose bytes were checked; they are not lost any more. */
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
    ON CONFLICT (studio_id, hash) DO UPDATE SET lost_at = NULL WHERE blobs.lost_at IS NOT NULL`.execute(tx);
}

/** A blob that an upload announced. */
export interface AnnouncedBlob {
  hash: string;
  sizeBytes: number;
}

/**
 * Which of `blobs` are on record, which were announced by an upload or submission that is still under way (those may lie in the store
 * already), and which were lost: what lies there under their names may be wrong. Ask in the transaction that announces them or creates the submission.
 */
export async function blobStates(
  tx: Tx,
  studioId: string,
  blobs: readonly AnnouncedBlob[],
): Promise<{ known: Set<string>; announced: Set<string>; lost: Set<string> }> {
  const hashes = blobs.map(({ hash }) => hash);
  const known = await knownBlobs(tx, studioId, hashes);
  const { rows } = await sql<{ hash: string }>`
    SELECT hash FROM blob_uploads WHERE studio_id = ${studioId} AND hash = ANY (${hashes}::text[])
      AND expires_at > clock_timestamp()
    UNION SELECT named FROM jobs AS j, blobs_named_by(j.submission) AS named
    WHERE j.studio_id = ${studioId} AND j.status IN ('uploading', 'preparing') AND named = ANY (${hashes}::text[])
    `.execute(tx);
  const lost = await tx
    .selectFrom('blobs')
    .select('hash')
    .where('studioId', '=', studioId)
    .where('hash', 'in', hashes.length > 0 ? hashes : [''])
    .where('lostAt', 'is not', null)
    .execute();
  return { known, announced: new Set(rows.map(({ hash }) => hash)), lost: new Set(lost.map(({ hash }) => hash)) };
}

/** Notes that these blobs are being put; nobody removes them for `seconds`, or until a submission that names them ends. */
export async function announceBlobs(
  tx: Tx,
  studioId: string,
  blobs: readonly AnnouncedBlob[],
  seconds: number,
): Promise<void> {
  if (blobs.length === 0) return;
  // One order for all, so that two uploads of the same files do not lock each other's rows crosswise.
  const sorted = blobs.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
  await sql`INSERT INTO blob_uploads (studio_id, hash, size_bytes, expires_at)
    SELECT DISTINCT ON (hash) ${studioId}::uuid, hash, size, clock_timestamp() + make_interval(secs => ${seconds})
    FROM unnest(${sorted.map(({ hash }) => hash)}::text[], ${sorted.map(({ sizeBytes }) => sizeBytes)}::bigint[])
      AS b (hash, size)
    ORDER BY hash
    ON CONFLICT (studio_id, hash) DO UPDATE SET expires_at = excluded.expires_at`.execute(tx);
}

/** A submission names these blobs from now on and keeps them. */
export async function endAnnouncements(tx: Tx, studioId: string, hashes: readonly string[]): Promise<void> {
  await sql`DELETE FROM blob_uploads WHERE studio_id = ${studioId} AND hash = ANY (${[...hashes]}::text[])`.execute(tx);
}

/**
 * Forgets announcements of all studios that ran out (transaction as the farm itself).
 * @returns the blobs that nothing names any more; the caller removes the objects after the commit
 */
export async function expireAnnouncements(tx: Tx, limit = 1_000): Promise<{ studioId: string; hash: string }[]> {
  const { rows: studios } = await sql<{ studioId: string }>`
    SELECT DISTINCT studio_id FROM blob_uploads WHERE expires_at <= clock_timestamp() ORDER BY studio_id`.execute(tx);
  for (const { studioId } of studios) await holdAllBlobs(tx, studioId);
  const { rows } = await sql<{ studioId: string; hash: string }>`
    WITH gone AS (
      DELETE FROM blob_uploads WHERE (studio_id, hash) IN (
        SELECT studio_id, hash FROM blob_uploads
        WHERE expires_at <= clock_timestamp() AND studio_id = ANY (${studios.map(({ studioId }) => studioId)}::uuid[])
        ORDER BY expires_at LIMIT ${limit}) RETURNING studio_id, hash)
    SELECT g.studio_id, g.hash FROM gone AS g
    WHERE NOT EXISTS (SELECT FROM blobs AS b WHERE b.studio_id = g.studio_id AND b.hash = g.hash)
      AND NOT EXISTS (SELECT FROM jobs AS j, blobs_named_by(j.submission) AS named
        WHERE j.studio_id = g.studio_id AND j.status IN ('uploading', 'preparing') AND named = g.hash)`.execute(tx);
  return rows;
}

/** Keeps new submissions of the studio waiting until the transaction ends. */
export async function holdAllBlobs(tx: Tx, studioId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${blobLock(studioId)}, 0))`.execute(tx);
}

/**
 * Hashes of blobs that only this submission brought: no version, no other open submission and no upload of the studio
 * names them, whether they are on record or were only announced. Keeps new submissions waiting until the transaction ends.
 * @throws FarmError `JobNotFound`
 */
export async function unreferencedBlobs(tx: Tx, jobId: string): Promise<string[]> {
  const job = await tx.selectFrom('jobs').select('studioId').where('id', '=', jobId).executeTakeFirst();
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  await holdAllBlobs(tx, job.studioId);
  const { rows } = await sql<{ hash: string }>`
    SELECT named AS hash FROM jobs AS j, blobs_named_by(j.submission) AS named
    WHERE j.studio_id = ${job.studioId} AND j.id = ${jobId}
      AND NOT EXISTS (SELECT FROM version_blobs AS v WHERE v.studio_id = j.studio_id AND v.hash = named)
      AND NOT EXISTS (SELECT FROM blob_uploads AS u
        WHERE u.studio_id = j.studio_id AND u.hash = named AND u.expires_at > clock_timestamp())
    EXCEPT
    SELECT named FROM jobs AS j, blobs_named_by(j.submission) AS named
    WHERE j.studio_id = ${job.studioId} AND j.id <> ${jobId} AND j.status IN ('uploading', 'preparing')
    ORDER BY hash`.execute(tx);
  return rows.map(({ hash }) => hash);
}
