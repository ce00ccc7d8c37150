/** Removes objects once nothing names them any more. */
import type { Database } from '../db/client.ts';
import { type ObjectBatch, unnamedObjects } from '../db/garbage.ts';
import { inTime } from './inTime.ts';
import type { ObjectStore } from './objectStore.ts';

/** Objects at a time, while new submissions of their studio wait. */
const AT_ONCE = 50;
/** How long they wait at most, milliseconds; the database ends a transaction that is idle for a minute. */
const PATIENCE_MS = 20_000;

/**
 * Whoever found that nothing names them is asked again: an upload may have counted on one since. From that question to the removal
 * nobody new does, unless a store takes longer than the patience with it: what was asked of that may still happen.
 * @returns those that went
 * @throws FarmError `StoreFailed`
 */
export async function removeUnnamed(database: Database, store: ObjectStore, batch: ObjectBatch): Promise<string[]> {
  const removed: string[] = [];
  for (let from = 0; from < batch.hashes.length; from += AT_ONCE) {
    const hashes = batch.hashes.slice(from, from + AT_ONCE);
    const gone = await database.asService(async (tx) => {
      const unnamed = await unnamedObjects(tx, { ...batch, hashes });
      const removing = Promise.all(unnamed.map((hash) => store.remove(batch.studioId, batch.kind, hash)));
      await inTime(removing, PATIENCE_MS, `The object store did not remove within ${PATIENCE_MS / 1000} s.`);
      return unnamed;
    });
    removed.push(...gone);
  }
  return removed;
}
