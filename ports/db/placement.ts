/** What placement needs of the record, and what it leaves there. All of this needs the farm's own transaction (`asService`). */
import { sql } from 'kysely';
import type { Placement, PlacementSite, PlacementWish } from '../../domain/placement.ts';
import type { FrameLoad, SiteWork } from '../../domain/siteTime.ts';
import type { Tx } from './client.ts';
import type { HostRequirements } from './documents.ts';
import type { JobRow } from './tables.ts';

/** `jobs.placement`: what the studio wished, and once the job is planned what was decided, with its figures. */
export interface PlacementDocument {
  wish?: PlacementWish | undefined;
  decision?: (Omit<Placement, 'wish' | 'chunks' | 'load'> & { at: string }) | undefined;
  /** What a frame takes: of this job everywhere, but for what a site holds already. */
  load?: FrameLoad | undefined;
}

interface SiteNow extends Omit<PlacementSite, 'queueSeconds' | 'upQueueSeconds'> {
  /** Of other jobs: seconds on a node of score 1, and bytes that their open frames bring back. */
  otherSeconds: number;
  otherBytes: number;
}

/** All sites as they are now for a job with such needs: nodes that fit, links, and what other jobs have them do. */
export async function sitesNow(
  tx: Tx,
  { needs, jobId }: { needs: HostRequirements; jobId: string },
): Promise<PlacementSite[]> {
  const { rows } = await sql<SiteNow>`
    WITH fitting AS (
      SELECT site_id, count(*) AS slots, avg(score) AS score FROM nodes
      WHERE status = 'online' AND meets(labels, ${JSON.stringify(needs)}::jsonb) GROUP BY site_id
    ), others AS (
      SELECT coalesce(n.site_id, c.site_id) AS site_id, sum(c.estimate_seconds) AS seconds,
        sum((SELECT count(*) FROM units AS u WHERE u.chunk_id = c.id AND u.status IN ('planned', 'offered', 'leased'))
          * coalesce((j.placement #>> '{load,backBytes}')::double precision, 0)) AS bytes
      FROM chunks AS c JOIN jobs AS j ON j.studio_id = c.studio_id AND j.id = c.job_id
        LEFT JOIN nodes AS n ON c.status = 'leased' AND n.id = c.node_id
      WHERE c.status IN ('planned', 'offered', 'leased') AND c.kind = 'render' AND j.status = 'active' AND j.id <> ${jobId}
      GROUP BY 1
    )
    SELECT s.id, s.name, s.status, s.country, s.link_down_bytes, s.link_up_bytes, s.kind = 'home' AS is_home,
      s.price_factor_e6 / 1e6::double precision AS price_factor, coalesce(f.slots, 0) AS slots, coalesce(f.score, 1) AS score,
      coalesce(o.seconds, 0) AS other_seconds, coalesce(o.bytes, 0)::double precision AS other_bytes
    FROM sites AS s LEFT JOIN fitting AS f ON f.site_id = s.id LEFT JOIN others AS o ON o.site_id = s.id
    WHERE s.status <> 'removed' ORDER BY s.name`.execute(tx);
  return rows.map(({ otherSeconds, otherBytes, ...site }) => ({
    ...site,
    queueSeconds: otherSeconds / (site.score * Math.max(1, site.slots)),
    upQueueSeconds: site.linkUpBytes === null ? 0 : otherBytes / site.linkUpBytes,
  }));
}

/** Nodes that are online, and those of them that are at a site which may take a job with such a wish. */
export async function nodesOnlineFor(
  tx: Tx,
  placement: JobRow['placement'],
): Promise<{ online: number; placed: number }> {
  const { rows } = await sql<{ online: number; placed: number }>`
    SELECT count(*) AS online, count(*) FILTER (WHERE may_render(${JSON.stringify(placement)}::jsonb, site_id)) AS placed
    FROM nodes WHERE status = 'online'`.execute(tx);
  return rows[0]!;
}

/** Ids of the sites, beside home, that have a copy of a blob, by its hash. */
export async function copiesOf(tx: Tx, studioId: string, hashes: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ hash: string; sites: string[] }>`
    SELECT hash, array_agg(site_id::text) AS sites FROM object_copies
    WHERE studio_id = ${studioId} AND kind = 'blobs' AND hash = ANY (${[...hashes]}::text[]) GROUP BY hash`.execute(tx);
  return new Map(rows.map(({ hash, sites }) => [hash, sites]));
}

/** A site with what it has of a job and with what of it still leaves over its link. */
export interface SiteWorkNow extends SiteWork {
  site: PlacementSite;
}

const UNKNOWN_LOAD: FrameLoad = { renderSeconds: 1, backBytes: 0, sharedBytes: 0, ownBytes: 0, heldOwnBytes: 0 };

/**
 * What each site has of a job now. Frames that were rendered at a site are taken to leave over its link one after the
 * other from its first lease on; what they have not had time for is its queue.
 */
export async function workOfSites(
  tx: Tx,
  job: Pick<JobRow, 'studioId' | 'id' | 'placement'>,
  needs: HostRequirements,
): Promise<SiteWorkNow[]> {
  const { load = UNKNOWN_LOAD } = job.placement as PlacementDocument;
  const { rows } = await sql<{ siteId: string; open: number; done: number; elapsed: number | null }>`
    WITH open AS (
      SELECT coalesce(n.site_id, c.site_id) AS site_id, count(*) AS frames
      FROM units AS u JOIN chunks AS c ON c.id = u.chunk_id LEFT JOIN nodes AS n ON c.status = 'leased' AND n.id = c.node_id
      WHERE u.studio_id = ${job.studioId} AND u.job_id = ${job.id} AND u.status IN ('planned', 'offered', 'leased') GROUP BY 1
    ), done AS (
      SELECT n.site_id, count(*) AS frames FROM units AS u JOIN nodes AS n ON n.id = u.node_id
      WHERE u.studio_id = ${job.studioId} AND u.job_id = ${job.id} AND u.status IN ('uploaded', 'verified', 'committed')
      GROUP BY 1
    ), began AS (
      SELECT n.site_id, extract(epoch FROM clock_timestamp() - min(a.started_at))::double precision AS seconds
      FROM attempts AS a JOIN chunks AS c ON c.id = a.chunk_id JOIN nodes AS n ON n.id = a.node_id
      WHERE a.studio_id = ${job.studioId} AND a.job_id = ${job.id} AND c.kind = 'render' GROUP BY 1
    )
    SELECT s.id AS site_id, coalesce(open.frames, 0) AS open, coalesce(done.frames, 0) AS done, began.seconds AS elapsed
    FROM sites AS s LEFT JOIN open ON open.site_id = s.id LEFT JOIN done ON done.site_id = s.id
      LEFT JOIN began ON began.site_id = s.id`.execute(tx);
  const progress = new Map(rows.map((row) => [row.siteId, row]));
  return (await sitesNow(tx, { needs, jobId: job.id })).map((site) => {
    const { open = 0, done = 0, elapsed = null } = progress.get(site.id) ?? {};
    const isStaged = site.isHome === true || elapsed !== null;
    const seconds = (bytes: number, rate: number | null) => (rate === null ? 0 : bytes / rate);
    const first =
      (site.isHome ? 0 : seconds(load.sharedBytes + load.ownBytes, site.linkDownBytes)) +
      load.renderSeconds / site.score;
    const leaving = first + done * seconds(load.backBytes, site.linkUpBytes) - (elapsed ?? 0);
    return {
      site: { ...site, upQueueSeconds: (site.upQueueSeconds ?? 0) + (done > 0 ? Math.max(0, leaving) : 0) },
      load: {
        ...load,
        sharedBytes: isStaged ? 0 : load.sharedBytes,
        ownBytes: site.isHome ? 0 : load.ownBytes,
        heldOwnBytes: 0,
      },
      openFrames: open,
    };
  });
}
