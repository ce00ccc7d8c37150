/** A node that finds nothing placed at its own site may take over what waits at another one, where that pays. */
import { sql } from 'kysely';
import { barredBy, NO_WISH } from '../../domain/placement.ts';
import { takeOverPays } from '../../domain/siteTime.ts';
import { failuresOf } from './attempts.ts';
import type { Tx } from './client.ts';
import { appendEvent } from './events.ts';
import { type PlacementDocument, type SiteWorkNow, workOfSites } from './placement.ts';
import type { ChunkRow, JobRow, NodeRow } from './tables.ts';

interface Waiting {
  studioId: string;
  jobId: string;
  placement: JobRow['placement'];
  needs: ChunkRow['needs'];
  /** Where it waits, and the site that asks. */
  siteId: string;
  askingSiteId: string;
  /** Of the last chunk there: the one that its own site would come to last. */
  chunkId: string;
  frames: number;
}

/** Looked at in one go; who waits longest comes first. */
const AT_MOST = 4;

/**
 * The last of the chunks that wait at the site that is furthest behind, locked and placed at the node's site; or nothing.
 * Pins bind here too. Who takes what is decided by the rule that placed it: the finishing time.
 */
export async function takeOverChunk(
  tx: Tx,
  { node, failuresPerNode }: { node: Pick<NodeRow, 'id' | 'labels'>; failuresPerNode: number },
): Promise<ChunkRow | undefined> {
  const { rows } = await sql<Waiting>`
    WITH here AS MATERIALIZED (SELECT site_id FROM nodes WHERE id = ${node.id})
    SELECT DISTINCT ON (j.priority, j.created_at, c.job_id, c.site_id) c.studio_id, c.job_id, j.placement, c.needs, c.site_id, here.site_id AS asking_site_id,
      c.id AS chunk_id, (SELECT count(*) FROM units AS u WHERE u.chunk_id = c.id AND u.status = 'offered') AS frames
    FROM chunks AS c JOIN jobs AS j ON j.studio_id = c.studio_id AND j.id = c.job_id, here
    WHERE c.status = 'offered' AND c.kind = 'render' AND j.status = 'active' AND c.site_id <> here.site_id
      AND may_render(j.placement, here.site_id)
      AND meets(${JSON.stringify(node.labels)}::jsonb, c.needs)
      AND ${node.id} <> ALL (c.avoid)
      AND ${failuresOf(sql`j.id`, sql`${node.id}`)} < coalesce((j.policy ->> 'failuresPerNode')::int, ${failuresPerNode}::int)
    ORDER BY j.priority DESC, j.created_at, c.job_id, c.site_id, c.index DESC
    LIMIT ${AT_MOST}`.execute(tx);
  // Sites have the same work before them, whichever of their chunks of a job is looked at.
  const known = new Map<string, Promise<SiteWorkNow[]>>();
  const worksFor = ({ studioId, jobId, placement, needs }: Waiting): Promise<SiteWorkNow[]> => {
    const key = `${jobId} ${JSON.stringify(needs)}`;
    const works = known.get(key) ?? workOfSites(tx, { studioId, id: jobId, placement }, needs);
    known.set(key, works);
    return works;
  };
  for (const waiting of rows) {
    if (waiting.frames === 0) continue;
    const chunk = await takeIfItPays(tx, waiting, await worksFor(waiting));
    if (chunk) return chunk;
  }
  return undefined;
}

async function takeIfItPays(
  tx: Tx,
  { studioId, jobId, placement, siteId, askingSiteId, chunkId, frames }: Waiting,
  works: readonly SiteWorkNow[],
): Promise<ChunkRow | undefined> {
  const owner = works.find(({ site }) => site.id === siteId);
  const taker = works.find(({ site }) => site.id === askingSiteId);
  if (!taker) return undefined;
  if (owner) {
    const { wish = NO_WISH } = placement as PlacementDocument;
    // One that drains or may not have the job will never come to it.
    const slots = barredBy(owner.site, wish) === null ? owner.site.slots : 0;
    // The node that asks is free: the others of its site have what is open there.
    const free = { ...taker, openFrames: 0, site: { ...taker.site, slots: 1, queueSeconds: 0 } };
    const { backBytes } = taker.load;
    const queued = taker.site.linkUpBytes === null ? 0 : (taker.openFrames * backBytes) / taker.site.linkUpBytes;
    free.site.upQueueSeconds = (taker.site.upQueueSeconds ?? 0) + queued;
    if (!takeOverPays({ ...owner, site: { ...owner.site, slots } }, free, frames)) return undefined;
  }
  const { rows } = await sql<ChunkRow>`
    SELECT * FROM chunks WHERE studio_id = ${studioId} AND id = ${chunkId} AND status = 'offered' AND site_id = ${siteId}
    FOR NO KEY UPDATE SKIP LOCKED`.execute(tx);
  const chunk = rows[0];
  if (!chunk) return undefined;
  await tx
    .updateTable('chunks')
    .set({ siteId: askingSiteId })
    .where('studioId', '=', studioId)
    .where('id', '=', chunkId)
    .execute();
  const names = { from: owner?.site.name ?? '', to: taker.site.name };
  const data = { chunks: 1, ...names, reason: `${names.to} was idle and will be done earlier` };
  await appendEvent(tx, { studioId, jobId, type: 'chunks.moved', data });
  return { ...chunk, siteId: askingSiteId };
}
