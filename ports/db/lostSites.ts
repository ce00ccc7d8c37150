/** Sites that stop answering and come back. All of this needs the farm's own transaction (`asService`). */
import { sql } from 'kysely';
import { barredBy, NO_WISH } from '../../domain/placement.ts';
import { placeAnew } from '../../domain/siteTime.ts';
import { putOnOffer } from './chunks.ts';
import type { Tx } from './client.ts';
import { appendEvent, appendEvents, CHANNELS, notify } from './events.ts';
import { lockChunk, lockJobState } from './locks.ts';
import { release } from './money.ts';
import { type PlacementDocument, workOfSites } from './placement.ts';
import type { SiteStatus } from './tables.ts';

/** A site with a store of its own that could be lost or regained. */
export interface WatchedSite {
  id: string;
  name: string;
  status: 'online' | 'draining' | 'lost';
  nodesOnline: number;
  /** How long its store has not answered, milliseconds; null: it did when it was last asked. */
  silentMs: number | null;
}

export async function watchedSites(tx: Tx): Promise<WatchedSite[]> {
  const { rows } = await sql<WatchedSite>`
    SELECT s.id, s.name, s.status,
      (SELECT count(*) FROM nodes AS n WHERE n.site_id = s.id AND n.status = 'online') AS nodes_online,
      extract(epoch FROM clock_timestamp() - s.store_silent_since)::double precision * 1000 AS silent_ms
    FROM sites AS s JOIN site_stores AS t ON t.site_id = s.id
    WHERE s.status IN ('online', 'draining', 'lost') ORDER BY s.name`.execute(tx);
  return rows;
}

/** Writes down that a site's store has stopped to answer, or answers again. */
export async function noteStore(tx: Tx, siteId: string, answers: boolean): Promise<void> {
  await tx
    .updateTable('sites')
    .set(
      answers
        ? { storeSilentSince: null, lastSeenAt: sql<Date>`clock_timestamp()` }
        : { storeSilentSince: sql<Date>`coalesce(store_silent_since, clock_timestamp())` },
    )
    .where('id', '=', siteId)
    .execute();
}

/** A lost site answers again: it is what its operator wants it to be. */
export async function regainSite(tx: Tx, siteId: string): Promise<void> {
  await tx
    .updateTable('sites')
    .set({ status: sql<SiteStatus>`wanted`, lastSeenAt: sql<Date>`clock_timestamp()` })
    .where('id', '=', siteId)
    .where('status', '=', 'lost')
    .execute();
}

export interface LostJob {
  jobId: string;
  /** Chunks that were placed anew. */
  moved: number;
  /** Frames that are committed and whose only copy was at the site. */
  frames: number;
}

/**
 * Marks a site as lost and places the chunks that waited there anew, each where it would be done first; those that no other
 * site may take wait. Chunks that its nodes hold come back with their leases, what they delivered by `takeBackUnverified`.
 * @returns the jobs that this touches
 */
export async function loseSite(tx: Tx, { id, name }: { id: string; name: string }): Promise<LostJob[]> {
  const { numUpdatedRows } = await tx
    .updateTable('sites')
    .set({ status: 'lost' })
    .where('id', '=', id)
    .where('status', 'in', ['online', 'draining'])
    .executeTakeFirst();
  // Somebody removed it while its store was waited for.
  if (numUpdatedRows === 0n) return [];
  const { rows: jobs } = await sql<{ id: string; frames: number }>`
    SELECT j.id, (SELECT count(*) FROM units AS u WHERE u.job_id = j.id AND u.site_id = ${id} AND u.status = 'committed')
      AS frames
    FROM jobs AS j WHERE j.status IN ('active', 'paused') AND (
      EXISTS (SELECT FROM chunks AS c WHERE c.job_id = j.id AND c.site_id = ${id} AND c.status IN ('planned', 'offered', 'leased'))
      OR EXISTS (SELECT FROM units AS u WHERE u.job_id = j.id AND u.site_id = ${id} AND u.status = 'committed'))
    ORDER BY j.id`.execute(tx);
  const touched: LostJob[] = [];
  for (const job of jobs) {
    touched.push({ jobId: job.id, moved: await moveChunks(tx, job.id, id, name, job.frames), frames: job.frames });
  }
  return touched;
}

async function moveChunks(tx: Tx, jobId: string, siteId: string, name: string, frames: number): Promise<number> {
  const job = await tx.selectFrom('jobs').selectAll().where('id', '=', jobId).executeTakeFirstOrThrow();
  const { wish = NO_WISH } = job.placement as PlacementDocument;
  const chunks = await tx
    .selectFrom('chunks as c')
    .select([
      'c.id',
      'c.needs',
      sql<number>`(SELECT count(*) FROM units AS u WHERE u.chunk_id = c.id AND u.status IN ('planned', 'offered', 'leased'))`.as(
        'frames',
      ),
    ])
    .where('c.studioId', '=', job.studioId)
    .where('c.jobId', '=', jobId)
    .where('c.siteId', '=', siteId)
    .where('c.status', 'in', ['planned', 'offered', 'leased'])
    .orderBy('c.id')
    .forNoKeyUpdate()
    .execute();
  const works = chunks[0] ? await workOfSites(tx, job, chunks[0].needs) : [];
  const able = works.filter(({ site }) => barredBy(site, wish) === null);
  const places = placeAnew(
    chunks.map((chunk) => chunk.frames),
    able,
  );
  const names = new Set<string>();
  for (const [at, chunk] of chunks.entries()) {
    const place = places[at];
    const to = place === null || place === undefined ? null : able[place]!.site;
    if (to) names.add(to.name);
    await tx
      .updateTable('chunks')
      .set({ siteId: to?.id ?? null })
      .where('studioId', '=', job.studioId)
      .where('id', '=', chunk.id)
      .execute();
    await notify(tx, CHANNELS.offer, chunk.id);
  }
  const lying = frames > 0 ? `; ${frames} committed frames lie there and cannot be fetched before it is back` : '';
  const data = {
    ...{ chunks: chunks.length, from: name, to: [...names].sort().join(', ') },
    reason: `${name} does not answer${lying}`,
  };
  await appendEvent(tx, { studioId: job.studioId, jobId, type: 'chunks.moved', data });
  return chunks.length;
}

/** Ids of the chunks that have delivered frames at a site which are not verified yet. */
export async function unverifiedAt(tx: Tx, siteId: string): Promise<string[]> {
  const { rows } = await sql<{ chunkId: string }>`
    SELECT DISTINCT u.chunk_id FROM units AS u JOIN jobs AS j ON j.studio_id = u.studio_id AND j.id = u.job_id
    WHERE u.site_id = ${siteId} AND u.status IN ('uploaded', 'verified') AND j.status IN ('active', 'paused')
    ORDER BY 1`.execute(tx);
  return rows.map(({ chunkId }) => chunkId);
}

/**
 * Frames of a chunk that lie at a lost site and were not verified wait for a node again: nobody can look at them, and nobody
 * has paid for them. Nothing counts against the node. In a transaction of its own: it locks chunk and job.
 * @returns how many
 */
export async function takeBackUnverified(
  tx: Tx,
  { id, name }: { id: string; name: string },
  chunkId: string,
): Promise<number> {
  const chunk = await lockChunk(tx, chunkId);
  const { studioId, jobId } = chunk;
  await lockJobState(tx, jobId);
  const units = await tx
    .selectFrom('units')
    .select(['id', 'frame', 'take', 'tile', 'price', 'reserved', 'leaseNumber'])
    .where('studioId', '=', studioId)
    .where('chunkId', '=', chunkId)
    .where('siteId', '=', id)
    .where('status', 'in', ['uploaded', 'verified'])
    .orderBy('frame')
    .forNoKeyUpdate()
    .execute();
  if (units.length === 0) return 0;
  const ids = units.map((unit) => unit.id);
  await tx
    .updateTable('units')
    .set({ status: 'offered', reserved: false, leaseNumber: null, nodeId: null, siteId: null })
    .set({ artifacts: null, measurements: null })
    .where('studioId', '=', studioId)
    .where('id', 'in', ids)
    .execute();
  for (const { id: unitId, price, reserved, leaseNumber } of units) {
    if (reserved) await release(tx, jobId, price, `unit:${unitId}:${leaseNumber}:site-lost`);
  }
  const data = units.map(({ id: unitId, frame, take, tile }) => ({
    ...{ unitId, frame, take, tile, status: 'offered' as const, node: null, fraction: null },
  }));
  await appendEvents(tx, { studioId, jobId, type: 'unit.changed', data });
  const what = units.length === 1 ? '1 delivered frame was' : `${units.length} delivered frames were`;
  const line = `${name} does not answer: ${what} not verified and will be rendered again.`;
  await appendEvent(tx, { studioId, jobId, type: 'log', data: { node: null, line } });
  // While a lease lasts its end offers the chunk again; a parked chunk has nobody else to do so.
  if (chunk.status === 'planned') await putOnOffer(tx, chunk);
  await notify(tx, CHANNELS.chunk, chunkId);
  return units.length;
}
