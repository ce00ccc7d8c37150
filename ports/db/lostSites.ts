/** Sites that stop answering and come back. All of this needs the farm's own transaction (`asService`). */
import { sql } from 'kysely';
import { barredBy, NO_WISH } from '../../domain/placement.ts';
import { placeAnew } from '../../domain/siteTime.ts';
import type { Tx } from './client.ts';
import { appendEvent, CHANNELS, notify } from './events.ts';
import { type PlacementDocument, workOfSites } from './placement.ts';

/** Sites with a store of their own that could be lost or regained, with how many of their nodes are online. */
export async function watchedSites(
  tx: Tx,
): Promise<{ id: string; name: string; status: 'online' | 'draining' | 'lost'; nodesOnline: number }[]> {
  const { rows } = await sql<Awaited<ReturnType<typeof watchedSites>>[number]>`
    SELECT s.id, s.name, s.status,
      (SELECT count(*) FROM nodes AS n WHERE n.site_id = s.id AND n.status = 'online') AS nodes_online
    FROM sites AS s JOIN site_stores AS t ON t.site_id = s.id
    WHERE s.status IN ('online', 'draining', 'lost') ORDER BY s.name`.execute(tx);
  return rows;
}

/** A lost site answers again: it takes chunks again. */
export async function regainSite(tx: Tx, siteId: string): Promise<void> {
  await tx
    .updateTable('sites')
    .set({ status: 'online', lastSeenAt: sql<Date>`clock_timestamp()` })
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
 * site may take wait. Chunks that its nodes hold come back with their leases.
 * @returns the jobs that this touches
 */
export async function loseSite(tx: Tx, { id, name }: { id: string; name: string }): Promise<LostJob[]> {
  await tx.updateTable('sites').set({ status: 'lost' }).where('id', '=', id).execute();
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
