/** Frames that come from the frame cache: committed when their job is planned, for nothing. */
import { sql } from 'kysely';
import { formatFrames } from '../../domain/frames.ts';
import { ensureLayer } from './chunkPlan.ts';
import type { Tx } from './client.ts';
import type { UnitArtifact, UnitMeasurements } from './documents.ts';
import { appendEvents } from './events.ts';
import { lockJobState } from './locks.ts';

export interface CachedCommit {
  jobId: string;
  layer: string;
  /** Frames and the keys under which the cache holds them; `holdCachedFrames` was asked in this transaction. */
  frames: readonly { frame: number; key: string; inputHash: string }[];
}

interface CommittedRow {
  unitId: string;
  frame: number;
  node: string;
  artifacts: UnitArtifact[];
  measurements: UnitMeasurements;
}

/**
 * Commits units whose frames the cache holds (take 1, tile 0), with an event each. They hang on a chunk of kind `cache`.
 *
 * Invariants: price 0, no reservation, no journal, no receipt line (a trigger refuses one); `jobs.spent` and
 * `jobs.committed_units`, which numbers the receipt lines, stay as they are.
 * @throws FarmError `JobNotFound`
 */
export async function commitCached(tx: Tx, { jobId, layer, frames }: CachedCommit): Promise<void> {
  if (frames.length === 0) return;
  const { studioId, chainId, contract, token, tokenDecimals, committedUnits, cachedUnits, spent } = await lockJobState(
    tx,
    jobId,
  );
  const layerId = await ensureLayer(tx, { studioId, jobId, name: layer });
  const { id: chunkId } = await tx
    .insertInto('chunks')
    .values({ studioId, jobId, layerId, kind: 'cache', index: 0, status: 'completed', estimateSeconds: 0 })
    .returning('id')
    .executeTakeFirstOrThrow();
  const { rows } = await sql<CommittedRow>`
    WITH made AS (
      INSERT INTO units (studio_id, job_id, layer_id, chunk_id, frame, status, chain_id, contract, token, token_decimals,
        price, cached, node_id, artifacts, measurements, warnings, site_id, input_hash, committed_at)
      SELECT ${studioId}, ${jobId}, ${layerId}, ${chunkId}, w.frame, 'committed', ${chainId}, ${contract}, ${token},
        ${tokenDecimals}, 0, true, u.node_id, c.artifacts, c.measurements, c.warnings, c.site_id, w.input_hash,
        clock_timestamp()
      FROM unnest(${frames.map(({ frame }) => frame)}::int[], ${frames.map(({ key }) => key)}::text[],
        ${frames.map(({ inputHash }) => inputHash)}::text[]) AS w (frame, key, input_hash)
      JOIN frame_cache AS c ON c.studio_id = ${studioId} AND c.key = w.key
      JOIN units AS u ON u.studio_id = c.studio_id AND u.id = c.unit_id
      RETURNING id, frame, node_id, artifacts, measurements
    )
    SELECT made.id AS unit_id, made.frame, n.name AS node, made.artifacts, made.measurements
    FROM made JOIN nodes AS n ON n.id = made.node_id ORDER BY made.frame`.execute(tx);
  await tx
    .updateTable('jobs')
    .set({ cachedUnits: cachedUnits + rows.length })
    .where('studioId', '=', studioId)
    .where('id', '=', jobId)
    .execute();
  const data = rows.map(({ unitId, frame, node, artifacts, measurements }, index) => ({
    ...{ unitId, frame, take: 1, tile: 0, node, price: '0', spent: String(spent), cached: true },
    committed: committedUnits + cachedUnits + index + 1,
    renderSeconds: measurements.renderSeconds,
    preview: artifacts.find(({ kind }) => kind === 'preview')?.hash ?? null,
  }));
  await appendEvents(tx, { studioId, jobId, type: 'unit.committed', data });
}

/** The frames of a job that came from the cache: how many, and as a range. */
export async function framesFromCache(
  tx: Tx,
  { studioId, jobId }: { studioId: string; jobId: string },
): Promise<{ count: number; frames: string }> {
  const units = await tx
    .selectFrom('units')
    .select('frame')
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    .where('cached', '=', true)
    .orderBy('frame')
    .execute();
  return { count: units.length, frames: formatFrames(units.map(({ frame }) => frame)) };
}
