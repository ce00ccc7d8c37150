/** Copies of project data at sites. Home keeps the copy of record, which has no row here. */
import { sql } from 'kysely';
import type { Statements, Tx } from './client.ts';

export interface BlobCopy {
  hash: string;
  siteId: string;
  /** The site's name. */
  site: string;
  /** Payload that the site's link carries away from it, bytes a second; null: not known. */
  linkUpBytes: number | null;
}

/** Copies of these blobs at sites that answer. */
export async function copiesOfBlobs(
  statements: Statements,
  studioId: string,
  hashes: readonly string[],
): Promise<BlobCopy[]> {
  if (hashes.length === 0) return [];
  return statements
    .selectFrom('objectCopies as copy')
    .innerJoin('sites as site', 'site.id', 'copy.siteId')
    .innerJoin('siteStores as store', 'store.siteId', 'copy.siteId')
    .select(['copy.hash', 'copy.siteId', 'site.name as site', 'site.linkUpBytes'])
    .where('copy.studioId', '=', studioId)
    .where('copy.kind', '=', 'blobs')
    .where('copy.hash', '=', sql<string>`ANY (${[...hashes]}::text[])`)
    .where('site.status', 'in', ['online', 'draining'])
    .execute();
}

/** Notes blobs that were seen in the site's store. Said again, nothing changes. */
export async function recordBlobCopies(
  statements: Statements,
  { studioId, siteId, hashes }: { studioId: string; siteId: string; hashes: readonly string[] },
): Promise<void> {
  if (hashes.length === 0) return;
  await sql`
    INSERT INTO object_copies (studio_id, kind, hash, site_id)
    SELECT ${studioId}, 'blobs', hash, ${siteId} FROM unnest(${[...hashes]}::text[]) AS hash
    ON CONFLICT DO NOTHING`.execute(statements);
}

/** Forgets a copy that is none; answers the site whose it was, or null when there was none on record. */
export async function dropBlobCopy(
  tx: Tx,
  { studioId, hash, site }: { studioId: string; hash: string; site: string },
): Promise<string | null> {
  const dropped = await tx
    .deleteFrom('objectCopies')
    .where('studioId', '=', studioId)
    .where('kind', '=', 'blobs')
    .where('hash', '=', hash)
    .where('siteId', 'in', (query) => query.selectFrom('sites').select('id').where('name', '=', site))
    .returning('siteId')
    .executeTakeFirst();
  return dropped?.siteId ?? null;
}
