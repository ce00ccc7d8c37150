/** The first chunks of a job on offer, all at once: each by itself would queue for the job's row, and nodes for all of them. */
import { sql } from 'kysely';
import type { Tx } from './client.ts';
import { appendEvents, CHANNELS, notify } from './events.ts';

/**
 * Puts the chunks with `index < count` on offer that were never on offer before, if the job is active; others stay as they
 * are, so that it may be repeated.
 * @returns how many
 * @throws FarmError `JobNotFound`
 */
export async function offerFirst(
  tx: Tx,
  { studioId, jobId }: { studioId: string; jobId: string },
  count: number,
): Promise<number> {
  // Chunks before the job before units: the order of locks. What was leased once may be parked until verify has decided.
  const locked = await sql<{ id: string }>`
    SELECT id FROM chunks
    WHERE studio_id = ${studioId} AND job_id = ${jobId} AND kind = 'render' AND status = 'planned' AND lease_number = 0
      AND index < ${count}
    ORDER BY index FOR NO KEY UPDATE`.execute(tx);
  const { rows } = await sql<{ id: string; index: number }>`
    WITH job AS (
      SELECT id FROM jobs
      WHERE studio_id = ${studioId} AND id = ${jobId} AND status = 'active' FOR NO KEY UPDATE
    ), opened AS (
      UPDATE units SET status = 'offered' FROM job
      WHERE units.studio_id = ${studioId} AND units.chunk_id = ANY(${locked.rows.map(({ id }) => id)}::uuid[])
        AND units.status = 'planned'
      RETURNING units.chunk_id
    )
    UPDATE chunks SET status = 'offered', offered_at = now()
    WHERE studio_id = ${studioId} AND id IN (SELECT chunk_id FROM opened)
    RETURNING id, index`.execute(tx);
  const offered = rows.sort((a, b) => a.index - b.index);
  const data = offered.map(({ id, index }) => ({ chunkId: id, index }));
  await appendEvents(tx, { studioId, jobId, type: 'chunk.offered', data });
  if (offered.length > 0) await notify(tx, CHANNELS.offer, '');
  return offered.length;
}
