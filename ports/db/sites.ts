/** Sites as their operator registers them. All of this needs the farm's own transaction (`asService`). */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { PlacementWish } from '../../domain/placement.ts';
import type { Tx } from './client.ts';
import { setSiteStore } from './siteStores.ts';
import type { SiteRow, SiteStatus, SiteStoreRow } from './tables.ts';

/** How a site's store and agent are reached. */
export type SiteAddress = Omit<SiteStoreRow, 'siteId' | 'updatedAt'>;

/** What an operator may say of a site. Absent: as it is (or the table's default). */
export interface SiteFacts {
  country?: string | null | undefined;
  /** Bytes a second; null: not a limit. */
  linkDownBytes?: number | null | undefined;
  linkUpBytes?: number | null | undefined;
  priceFactor?: number | undefined;
}

export interface SiteListing extends Omit<SiteRow, 'priceFactorE6'> {
  priceFactor: number;
  hasStore: boolean;
  hasAgent: boolean;
  nodesOnline: number;
  /** That have joined and not left. */
  nodes: number;
}

/** All sites but removed ones, home first, then by name. */
export async function listSites(tx: Tx): Promise<SiteListing[]> {
  const rows = await tx
    .selectFrom('sites as s')
    .leftJoin('siteStores as t', 't.siteId', 's.id')
    .selectAll('s')
    .select([
      sql<boolean>`t.site_id IS NOT NULL`.as('hasStore'),
      sql<boolean>`t.agent_url IS NOT NULL`.as('hasAgent'),
      sql<number>`(SELECT count(*) FROM nodes AS n WHERE n.site_id = s.id AND n.status = 'online')`.as('nodesOnline'),
      sql<number>`(SELECT count(*) FROM nodes AS n WHERE n.site_id = s.id AND n.status <> 'left')`.as('nodes'),
    ])
    .where('s.status', '<>', 'removed')
    .orderBy(sql`s.kind = 'home'`, 'desc')
    .orderBy('s.name')
    .execute();
  return rows.map(({ priceFactorE6, ...row }) => ({ ...row, priceFactor: priceFactorE6 / 1e6 }));
}

/** Bytes on record at each site by its id: frames, project data and copies of both. Home has those without a site. */
export async function storedBytes(tx: Tx): Promise<Map<string, number>> {
  const { rows } = await sql<{ siteId: string; bytes: number }>`
    SELECT coalesce(o.site_id, (SELECT id FROM sites WHERE kind = 'home')) AS site_id,
      sum(coalesce(o.size_bytes, b.size_bytes, 0))::double precision AS bytes
    FROM stored_objects AS o LEFT JOIN blobs AS b
      ON o.size_bytes IS NULL AND o.kind = 'blobs' AND b.studio_id = o.studio_id AND b.hash = o.hash
    GROUP BY 1`.execute(tx);
  return new Map(rows.map(({ siteId, bytes }) => [siteId, bytes]));
}

/** @throws FarmError `NotFound` also for a removed one */
export async function requireSite(tx: Tx, name: string): Promise<SiteListing> {
  const site = (await listSites(tx)).find((one) => one.name === name);
  if (!site) throw new FarmError('NotFound', `There is no site "${name}".`, { site: name });
  return site;
}

/**
 * Registers a site, or completes one that its nodes have made by joining, or takes a removed one back.
 * @throws FarmError `JobStateConflict` when a site of that name has a store already, or is the farm's own
 */
export async function registerSite(tx: Tx, name: string, facts: SiteFacts, address: SiteAddress | null): Promise<void> {
  const { id, kind, status } = await tx
    .insertInto('sites')
    .values({ name })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ name }))
    .returning(['id', 'kind', 'status'])
    .executeTakeFirstOrThrow();
  const store = await tx.selectFrom('siteStores').select('siteId').where('siteId', '=', id).executeTakeFirst();
  if (kind === 'home' || (store && status !== 'removed')) {
    throw new FarmError('JobStateConflict', `There is a site "${name}" already; change it instead.`, { site: name });
  }
  await changeSite(tx, id, { ...facts, status: 'online' }, address ?? undefined);
}

/**
 * Changes what is given. A lost site stays so until it answers, and is then what was said here. A removed site loses its
 * address; its row stays, as frames and chunks name it.
 */
export async function changeSite(
  tx: Tx,
  siteId: string,
  { priceFactor, status, ...facts }: SiteFacts & { status?: SiteRow['wanted'] | undefined },
  address?: SiteAddress | undefined,
): Promise<void> {
  await tx
    .updateTable('sites')
    .set({
      ...facts,
      ...(priceFactor === undefined ? {} : { priceFactorE6: Math.round(priceFactor * 1e6) }),
      ...(status
        ? { wanted: status, status: sql<SiteStatus>`CASE status WHEN 'lost' THEN status ELSE ${status} END` }
        : {}),
      ...(address ? { storeSilentSince: null } : {}),
      lastSeenAt: sql<Date>`clock_timestamp()`,
    })
    .where('id', '=', siteId)
    .execute();
  if (address) await setSiteStore(tx, { ...address, siteId });
}

/**
 * Takes a site out for good: no new chunks, its nodes have left, its credentials are forgotten, and so are its frames in the
 * frame cache and its copies of project data.
 * @param options.force also where frames lie there that no studio has acknowledged; they can be fetched no more
 * @throws FarmError `JobStateConflict` while jobs that are not over have frames or chunks there, `FramesWouldBeLost`
 */
export async function removeSite(
  tx: Tx,
  { id, name, kind }: Pick<SiteRow, 'id' | 'name' | 'kind'>,
  { force = false }: { force?: boolean | undefined } = {},
): Promise<void> {
  if (kind === 'home')
    throw new FarmError('JobStateConflict', 'The farm cannot do without its own site.', { site: name });
  const { rows } = await sql<{ jobs: number }>`
    SELECT count(DISTINCT j.id) AS jobs FROM jobs AS j
    WHERE j.status IN ('active', 'paused', 'stopping') AND (
      EXISTS (SELECT FROM units AS u WHERE u.job_id = j.id AND u.site_id = ${id})
      OR EXISTS (SELECT FROM chunks AS c JOIN nodes AS n ON n.id = c.node_id
        WHERE c.job_id = j.id AND c.status = 'leased' AND n.site_id = ${id}))`.execute(tx);
  const jobs = rows[0]?.jobs ?? 0;
  if (jobs > 0) {
    const what = jobs === 1 ? 'A job that is not over has' : `${jobs} jobs that are not over have`;
    throw new FarmError('JobStateConflict', `${what} work at "${name}". Drain it, and remove it when they are done.`, {
      site: name,
      jobs,
    });
  }
  if (!force) await requireNoFramesAt(tx, { id, name });
  await tx.updateTable('nodes').set({ status: 'left' }).where('siteId', '=', id).execute();
  await tx.deleteFrom('frameCache').where('siteId', '=', id).execute();
  await tx.deleteFrom('objectCopies').where('siteId', '=', id).execute();
  await tx.deleteFrom('siteStores').where('siteId', '=', id).execute();
  await tx.updateTable('sites').set({ status: 'removed' }).where('id', '=', id).execute();
}

/** @throws FarmError `FramesWouldBeLost` where committed frames lie at the site that no studio has acknowledged */
async function requireNoFramesAt(tx: Tx, { id, name }: Pick<SiteRow, 'id' | 'name'>): Promise<void> {
  const { rows } = await sql<{ frames: number; jobs: number; job: string | null }>`
    SELECT count(*) AS frames, count(DISTINCT u.job_id) AS jobs, max(u.job_id::text) AS job FROM units AS u
    WHERE u.site_id = ${id} AND u.status = 'committed'
      AND NOT EXISTS (SELECT FROM deliveries AS d WHERE d.studio_id = u.studio_id AND d.unit_id = u.id)`.execute(tx);
  const { frames = 0, jobs = 0, job = null } = rows[0] ?? {};
  if (frames === 0) return;
  const what = `${frames} ${frames === 1 ? 'frame' : 'frames'} of ${jobs === 1 ? `job ${job}` : `${jobs} jobs`}`;
  const message = `${what} ${frames === 1 ? 'lies' : 'lie'} at "${name}" and nowhere else, and no studio has said that it has ${frames === 1 ? 'it' : 'them'}.`;
  throw new FarmError('FramesWouldBeLost', message, { site: name, frames, jobs, job });
}

/**
 * Whether a job can be placed as wished, as far as sites are registered; none needs to be online.
 * @throws FarmError `PlacementImpossible`
 */
export async function requirePlaces(tx: Tx, wish: PlacementWish | undefined): Promise<void> {
  if (!wish?.sites && !wish?.country) return;
  const sites = await listSites(tx);
  const impossible = (message: string, place: Record<string, string>) =>
    new FarmError('PlacementImpossible', message, place);
  for (const name of wish.sites ?? []) {
    if (!sites.some((site) => site.name === name)) throw impossible(`There is no site "${name}".`, { site: name });
  }
  const { country } = wish;
  if (!country) return;
  const home = sites.find(({ kind }) => kind === 'home');
  if (home?.country !== country) {
    const where = home?.country ? `in ${home.country}` : 'in no known country';
    const message = `A job cannot stay in ${country}: the farm's own store, which keeps the project, is ${where}.`;
    throw impossible(message, { country });
  }
  if (!sites.some((site) => site.country === country && (wish.sites?.includes(site.name) ?? true))) {
    throw impossible(`None of the sites that may take the job is in ${country}.`, { country });
  }
}

/** Names of sites by their ids, in alphabetical order; also of removed ones unless told otherwise. */
export async function namesOfSites(tx: Tx, ids: readonly string[], { removed = true } = {}): Promise<string[]> {
  if (ids.length === 0) return [];
  const sites = await tx
    .selectFrom('sites')
    .select(['name', 'status'])
    .where('id', 'in', ids)
    .orderBy('name')
    .execute();
  return sites.filter(({ status }) => removed || status !== 'removed').map(({ name }) => name);
}
