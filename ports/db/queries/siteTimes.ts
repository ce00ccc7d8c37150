/** When sites really worked on a job, to be held against what placement expected. */
import { sql } from 'kysely';
import type { Tx } from '../client.ts';
import type { JobRow } from '../tables.ts';

export interface SiteTime {
  jobId: string;
  siteId: string;
  name: string;
  /** Frames that its nodes rendered and that are committed. */
  frames: number;
  /** Its first lease of a chunk of the job. */
  beganAt: Date;
  /** Its newest committed frame; null before the first. */
  lastAt: Date | null;
}

/** Of each job and each site whose nodes took work of it; frames from the cache are nobody's. */
export async function siteTimes(tx: Tx, jobs: readonly JobRow[]): Promise<SiteTime[]> {
  if (jobs.length === 0) return [];
  const ids = jobs.map(({ id }) => id);
  const studios = [...new Set(jobs.map(({ studioId }) => studioId))];
  const { rows } = await sql<SiteTime>`
    WITH began AS (
      SELECT a.job_id, n.site_id, min(a.started_at) AS began_at
      FROM attempts AS a JOIN chunks AS c ON c.studio_id = a.studio_id AND c.id = a.chunk_id JOIN nodes AS n ON n.id = a.node_id
      WHERE a.studio_id = ANY (${studios}::uuid[]) AND a.job_id = ANY (${ids}::uuid[]) AND c.kind = 'render' GROUP BY 1, 2
    ), done AS (
      SELECT u.job_id, n.site_id, count(*) AS frames, max(u.committed_at) AS last_at
      FROM units AS u JOIN nodes AS n ON n.id = u.node_id
      WHERE u.studio_id = ANY (${studios}::uuid[]) AND u.job_id = ANY (${ids}::uuid[])
        AND u.status = 'committed' AND NOT u.cached GROUP BY 1, 2
    )
    SELECT b.job_id, b.site_id, s.name, coalesce(d.frames, 0) AS frames, b.began_at, d.last_at
    FROM began AS b JOIN sites AS s ON s.id = b.site_id LEFT JOIN done AS d ON d.job_id = b.job_id AND d.site_id = b.site_id
    ORDER BY s.name`.execute(tx);
  return rows;
}
