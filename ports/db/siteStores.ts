/** Where the bytes of sites lie. All of this needs the farm's own transaction (`asService`): credentials are inside. */
import { sql } from 'kysely';
import type { Statements, Tx } from './client.ts';
import type { SiteStoreRow } from './tables.ts';

/** How the store of a site is reached; null: the site keeps its data at home. */
export async function siteStoreRow(statements: Statements, siteId: string): Promise<SiteStoreRow | null> {
  return (
    (await statements.selectFrom('siteStores').selectAll().where('siteId', '=', siteId).executeTakeFirst()) ?? null
  );
}

/** Writes or replaces it. */
export async function setSiteStore(tx: Tx, row: Omit<SiteStoreRow, 'updatedAt'>): Promise<void> {
  const values = { ...row, updatedAt: sql<Date>`clock_timestamp()` };
  await tx
    .insertInto('siteStores')
    .values(values)
    .onConflict((conflict) => conflict.column('siteId').doUpdateSet(values))
    .execute();
}

/** Site by hash of a job's delivered files; null: home. */
export async function sitesOfFrames(
  tx: Tx,
  { studioId, jobId }: { studioId: string; jobId: string },
): Promise<Map<string, string | null>> {
  const units = await tx
    .selectFrom('units')
    .select(['artifacts', 'siteId'])
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    .where('artifacts', 'is not', null)
    .execute();
  return new Map(units.flatMap(({ artifacts, siteId }) => (artifacts ?? []).map(({ hash }) => [hash, siteId])));
}
