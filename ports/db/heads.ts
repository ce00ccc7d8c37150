/** What there is to know of a frame whose first part is to cross before the whole is in its site's store (`domain/frameHead.ts`). */
import { sql } from 'kysely';
import type { Statements } from './client.ts';
import { isHeld, type LeaseKey, leaseLost } from './lease.ts';

/**
 * Whether the studio waits at this site with nothing else of the chunk's job to take: no frame lies there that it has not
 * acknowledged.
 */
export async function isAwaited(
  statements: Statements,
  { studioId, chunkId, siteId }: { studioId: string; chunkId: string; siteId: string | null },
): Promise<boolean> {
  const { rows } = await sql<{ isAwaited: boolean }>`
    SELECT NOT EXISTS (
      SELECT FROM units AS u LEFT JOIN deliveries AS d ON d.studio_id = u.studio_id AND d.unit_id = u.id
      WHERE u.studio_id = ${studioId} AND u.site_id IS NOT DISTINCT FROM ${siteId}::uuid AND d.unit_id IS NULL
        AND u.job_id = (SELECT job_id FROM chunks WHERE studio_id = ${studioId} AND id = ${chunkId})
        AND u.status IN ('uploaded', 'verified', 'committed')
    ) AS is_awaited`.execute(statements);
  return rows[0]!.isAwaited;
}

/** A unit on its way into a store. `layer`: its layer's name. */
export interface UnitOnItsWay {
  studioId: string;
  jobId: string;
  frame: number;
  layer: string;
}

/**
 * A unit that is held under a live lease, of a job that goes on; null when it is another's by now, delivered, or the job stops.
 * @throws FarmError `LeaseLost`
 */
export async function unitOnItsWay(
  statements: Statements,
  key: LeaseKey,
  unitId: string,
): Promise<UnitOnItsWay | null> {
  const { rows } = await sql<UnitOnItsWay & { isOpen: boolean }>`
    SELECT j.studio_id, j.id AS job_id, u.frame, l.name AS layer,
      j.status IN ('active', 'paused') AND u.status IS NOT DISTINCT FROM 'leased' AS is_open
    FROM chunks JOIN jobs AS j ON j.studio_id = chunks.studio_id AND j.id = chunks.job_id
      LEFT JOIN units AS u ON u.studio_id = chunks.studio_id AND u.id = ${unitId} AND u.chunk_id = chunks.id
        AND u.lease_number = chunks.lease_number
      LEFT JOIN layers AS l ON l.studio_id = u.studio_id AND l.id = u.layer_id
    WHERE ${isHeld(key)}`.execute(statements);
  const found = rows[0];
  if (!found) throw leaseLost(key);
  const { isOpen, ...unit } = found;
  return isOpen ? unit : null;
}
