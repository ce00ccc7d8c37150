/** The frame cache: committed frames of a studio by the keys of `domain/frameKey.ts`. Never across studios. */
import { sql } from 'kysely';
import { type FrameMaker, frameKey } from '../../domain/frameKey.ts';
import type { Tx } from './client.ts';
import { json, type UnitWarning } from './documents.ts';
import type { FrameCacheRow, UnitRow } from './tables.ts';

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
 * Keeps a unit that is being committed. Does nothing for one that is not for the cache, or where it is not known what
 * rendered it. A newer frame takes the place of an older one: its bytes are surely there.
 */
export async function cacheUnit(tx: Tx, unit: UnitRow, warnings: readonly UnitWarning[]): Promise<void> {
  const { studioId, id: unitId, inputHash, artifacts, measurements, siteId, nodeId } = unit;
  if (inputHash === null || artifacts === null || measurements === null || nodeId === null) return;
  const node = await tx
    .selectFrom('nodes')
    .select(['engine', 'engineBuild', 'tier', 'device'])
    .where('id', '=', nodeId)
    .executeTakeFirstOrThrow();
  const maker = makerOf(node, measurements);
  if (!maker) return;
  const entry = {
    unitId,
    artifacts: json(artifacts),
    measurements: json(measurements),
    // That a frame equals another one of its job says nothing in another job.
    warnings: json(warnings.filter(({ code }) => code !== 'Duplicate')),
    sizeBytes: artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    siteId,
  };
  await tx
    .insertInto('frameCache')
    .values({ studioId, key: frameKey(maker, inputHash), ...entry })
    .onConflict((conflict) =>
      conflict.columns(['studioId', 'key']).doUpdateSet({
        ...entry,
        madeAt: sql<Date>`clock_timestamp()`,
        usedAt: sql<Date>`clock_timestamp()`,
      }),
    )
    .execute();
}

/** As the node said with the frame; an older node's frame is known only where it has but one tier. */
function makerOf(
  node: { engine: string; engineBuild: string; tier: 'cpu' | 'gpu' },
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
