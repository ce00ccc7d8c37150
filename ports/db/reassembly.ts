/** Film and contact sheet of ended jobs that lack frames of a site which answers again. Needs the farm's own transaction. */
import { sql } from 'kysely';
import type { Tx } from './client.ts';
import { enqueue } from './outbox.ts';

/** Jobs at a time: their pictures come over the link that has just come back, and encoding takes the control workers' time. */
const AT_ONCE = 2;

/**
 * Orders both anew for some of these jobs, each at most once an hour: a run that is under way is not met by another, and a site
 * that comes and goes does not keep the farm encoding.
 * @returns ids of the jobs
 */
export async function orderReassembly(tx: Tx): Promise<string[]> {
  const { rows } = await sql<{ studioId: string; id: string; orderedAt: Date; silent: string[] }>`
    UPDATE jobs AS j SET assembled_again_at = clock_timestamp()
    FROM (SELECT studio_id, id FROM jobs AS k
      WHERE k.away_sites <> '{}' AND k.status IN ('completed', 'cancelled', 'failed')
        AND (k.assembled_again_at IS NULL OR k.assembled_again_at < clock_timestamp() - interval '1 hour')
        AND EXISTS (SELECT FROM sites AS s WHERE s.id = ANY (k.away_sites) AND s.status IN ('online', 'draining')
          AND s.store_silent_since IS NULL)
      ORDER BY k.assembled_again_at NULLS FIRST, k.id LIMIT ${AT_ONCE} FOR NO KEY UPDATE SKIP LOCKED) AS due
    WHERE j.studio_id = due.studio_id AND j.id = due.id
    RETURNING j.studio_id, j.id, j.assembled_again_at AS ordered_at,
      ARRAY (SELECT s.id::text FROM sites AS s WHERE s.id = ANY (j.away_sites) AND s.store_silent_since IS NOT NULL) AS silent
    `.execute(tx);
  for (const { studioId, id: jobId, orderedAt, silent } of rows) {
    const payload = {
      workflow: 'assembleAgain',
      workflowId: `${jobId}/assemble-${orderedAt.getTime()}`,
      args: [{ studioId, jobId, away: silent }],
    };
    await enqueue(tx, { studioId, topic: 'start-workflow', payload });
  }
  return rows.map(({ id }) => id);
}
