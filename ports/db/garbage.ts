/** What nothing names any more. All of this needs the farm's own transaction (`asService`): it looks at every studio. */
import { sql } from 'kysely';
import type { ObjectKind } from '../store/objectStore.ts';
import { holdAllBlobs } from './blobs.ts';
import type { Tx } from './client.ts';

/** Objects of one kind of one studio at one place. */
export interface ObjectBatch {
  studioId: string;
  kind: ObjectKind;
  /** Null: home. */
  siteId: string | null;
  hashes: readonly string[];
}

/**
 * Those of the objects that nothing names: no manifest, no cache entry, no unit, no submission or upload under way, no
 * output. New submissions of the studio wait until the transaction ends, so that none counts on what is being removed.
 */
export async function unnamedObjects(tx: Tx, { studioId, kind, hashes }: ObjectBatch): Promise<string[]> {
  if (kind === 'blobs') await holdAllBlobs(tx, studioId);
  const { rows } = await sql<{ hash: string }>`
    SELECT hash FROM unnest(${[...hashes]}::text[]) AS hash
    WHERE hash NOT IN (SELECT n.hash FROM named_objects AS n
      WHERE n.studio_id = ${studioId} AND n.kind = ${kind} AND n.hash = ANY (${[...hashes]}::text[]))
    ORDER BY hash`.execute(tx);
  return rows.map(({ hash }) => hash);
}

/**
 * Deletes the records of unnamed objects at a place. Objects go in a later transaction, which asks `unnamedObjects` again:
 * whatever is killed in between leaves an object without a record, never a record without its object.
 * @returns hashes of the unnamed ones, whether they had a record or not
 */
export async function forgetUnnamed(tx: Tx, batch: ObjectBatch): Promise<string[]> {
  const hashes = await unnamedObjects(tx, batch);
  const { studioId, kind, siteId } = batch;
  if (siteId !== null) {
    await sql`DELETE FROM object_copies WHERE studio_id = ${studioId} AND kind = ${kind} AND site_id = ${siteId}
      AND hash = ANY (${hashes}::text[])`.execute(tx);
  } else if (kind === 'blobs') {
    await sql`DELETE FROM blobs WHERE studio_id = ${studioId} AND hash = ANY (${hashes}::text[])`.execute(tx);
  }
  return hashes;
}

export interface CacheLimits {
  /** Entries that no quote counted on for so long go. */
  maxAgeSeconds: number;
  /** Of one studio's entries together; those that were used longest ago go first. */
  maxBytes: number;
  /** What was used within this time stays whatever its size: a quote may count on it. */
  graceSeconds: number;
}

/**
 * Evicts entries of the frame cache by age and size. Their files stay as long as a job names them.
 * @returns how many
 */
export async function evictCachedFrames(
  tx: Tx,
  { maxAgeSeconds, maxBytes, graceSeconds }: CacheLimits,
): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM frame_cache AS c USING (
      SELECT studio_id, key, used_at,
        sum(size_bytes) OVER (PARTITION BY studio_id ORDER BY used_at DESC, key) AS bytes
      FROM frame_cache) AS ranked
    WHERE ranked.studio_id = c.studio_id AND ranked.key = c.key
      AND c.used_at < clock_timestamp() - make_interval(secs => ${graceSeconds})
      AND (c.used_at < clock_timestamp() - make_interval(secs => ${maxAgeSeconds}) OR ranked.bytes > ${maxBytes})`.execute(
    tx,
  );
  return Number(numAffectedRows ?? 0n);
}

/** Every studio's id, and every site that has a store of its own, with its name. */
export async function placesOfObjects(
  tx: Tx,
): Promise<{ studioIds: string[]; sites: { siteId: string; name: string }[] }> {
  const studios = await tx.selectFrom('studios').select('id').orderBy('id').execute();
  const sites = await tx
    .selectFrom('siteStores as w')
    .innerJoin('sites as s', 's.id', 'w.siteId')
    .select(['w.siteId', 's.name'])
    .where('s.status', '<>', 'removed')
    .orderBy('s.name')
    .execute();
  return { studioIds: studios.map(({ id }) => id), sites };
}
