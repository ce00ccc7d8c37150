/** The frame cache: committed frames of a studio by the keys of `domain/frameKey.ts`. Never across studios. */
import { type RawBuilder, sql } from 'kysely';
import { type FrameMaker, frameKey } from '../../domain/frameKey.ts';
import type { Tx } from './client.ts';
import { json, type UnitWarning } from './documents.ts';
import type { FrameCacheRow, NodeRow, UnitRow } from './tables.ts';

/** What of a node says what its frames were made by. */
export type NodeMake = Pick<NodeRow, 'engine' | 'engineBuild' | 'tier'>;

/** Entries for these keys, by key. */
export async function cachedFrames(
  tx: Tx,
  studioId: string,
  keys: readonly string[],
): Promise<Map<string, FrameCacheRow>> {
  const rows = await tx
    .selectFrom('frameCache')
    .selectAll()
    .where('studioId', '=', studioId)
    .where('key', '=', sql<string>`ANY (${[...keys]}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.key, row]));
}

/**
 * Marks entries as used now, and locks those that are still there to the end of the transaction: what is found here can be
 * committed in it, since an entry is evicted before its bytes are collected.
 * @returns their keys
 */
export async function holdCachedFrames(tx: Tx, studioId: string, keys: readonly string[]): Promise<Set<string>> {
  const rows = await tx
    .updateTable('frameCache')
    .set({ usedAt: sql<Date>`clock_timestamp()` })
    .where('studioId', '=', studioId)
    .where('key', '=', sql<string>`ANY (${[...keys]}::text[])`)
    .returning('key')
    .execute();
  return new Set(rows.map(({ key }) => key));
}

/** Forgets entries, such as those whose bytes are gone. */
export async function dropCachedFrames(tx: Tx, studioId: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx
    .deleteFrom('frameCache')
    .where('studioId', '=', studioId)
    .where('key', '=', sql<string>`ANY (${[...keys]}::text[])`)
    .execute();
}

/**
 * Keeps a unit that is being committed: the part `cached` of the statement that commits it. None for a unit that is not for the
 * cache, or where it is not known what rendered it. A newer frame takes the place of an older one: its bytes are surely there.
 * @param node that rendered it
 */
export function caching(
  { studioId, id: unitId, inputHash, artifacts, measurements, siteId }: UnitRow,
  node: NodeMake | null,
  warnings: readonly UnitWarning[],
): RawBuilder<unknown>[] {
  const maker = node && measurements && makerOf(node, measurements);
  if (inputHash === null || artifacts === null || !maker) return [];
  const sizeBytes = artifacts.reduce((sum, artifact) => sum + artifact.sizeBytes, 0);
  // That a frame equals another one of its job says nothing in another job.
  const kept = warnings.filter(({ code }) => code !== 'Duplicate');
  return [
    sql`cached AS (
      INSERT INTO frame_cache (studio_id, key, unit_id, artifacts, measurements, warnings, size_bytes, site_id)
      VALUES (${studioId}, ${frameKey(maker, inputHash)}, ${unitId}, ${json(artifacts)}, ${json(measurements)}, ${json(kept)},
        ${sizeBytes}, ${siteId})
      ON CONFLICT (studio_id, key) DO UPDATE SET unit_id = excluded.unit_id, artifacts = excluded.artifacts,
        measurements = excluded.measurements, warnings = excluded.warnings, size_bytes = excluded.size_bytes,
        site_id = excluded.site_id, made_at = clock_timestamp(), used_at = clock_timestamp())`,
  ];
}

/** As the node said with the frame; an older node's frame is known only where it has but one tier. */
function makerOf(
  node: NodeMake,
  {
    build,
    tier,
    device,
  }: { build?: string | undefined; tier?: 'cpu' | 'gpu' | undefined; device?: string | undefined },
): FrameMaker | null {
  const { engine } = node;
  if (build !== undefined && tier !== undefined && device !== undefined) return { engine, build, tier, device };
  return node.tier === 'cpu' ? { engine, build: node.engineBuild, tier: 'cpu', device: '' } : null;
}
