/** Garbage collection over the farm's own store and those of all sites: what nothing names goes, after a time of grace. */
import { FarmError } from '../../domain/errors.ts';
import type { Database } from '../db/client.ts';
import {
  type CacheLimits,
  evictCachedFrames,
  forgetUnnamed,
  type ObjectBatch,
  placesOfObjects,
  unnamedObjects,
} from '../db/garbage.ts';
import { OBJECT_KINDS, type ObjectStore } from './objectStore.ts';
import { removeUnnamed } from './removeUnnamed.ts';
import type { SiteStores } from './siteStores.ts';

export interface GarbageRules extends CacheLimits {
  /**
   * An object younger than this stays whatever the record says: it may just have been put by somebody who is about to name
   * it. Also how long what a quote counted on stays in the frame cache.
   */
  graceSeconds: number;
}

/** A day of grace; half a year unused in the frame cache, of any size. */
export const DEFAULT_GARBAGE_RULES: GarbageRules = {
  graceSeconds: 86_400,
  maxAgeSeconds: 180 * 86_400,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

/** Where it says what it did: pino's, or a server's. */
interface Log {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
}

export interface GarbageOptions {
  database: Database;
  stores: SiteStores;
  log: Log;
  rules: GarbageRules;
  now: Date;
  /** Only looks. */
  dryRun?: boolean | undefined;
  /** Ends the round between two batches. */
  signal?: AbortSignal | undefined;
}

/** What was (or with `dryRun` would be) collected at one place. */
export interface CollectedPlace {
  /** Name of the site; null: home. */
  site: string | null;
  /** Objects looked at, and those of them that went. */
  seen: number;
  objects: number;
  bytes: number;
  /** Its store did not answer, so that the round is not complete. */
  unreachable: boolean;
}

export interface GarbageReport {
  dryRun: boolean;
  /** Entries of the frame cache that were evicted; none with `dryRun`. */
  evicted: number;
  places: CollectedPlace[];
}

/** Objects that are decided on together, while new submissions of their studio wait. */
const BATCH = 200;

/** One round. May be run at any time and by several processes at once. */
export async function collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
  const { database, stores, log, rules, dryRun = false } = options;
  const evicted = dryRun ? 0 : await database.asService((tx) => evictCachedFrames(tx, rules));
  const { studioIds, sites } = await database.asService((tx) => placesOfObjects(tx));
  const places: CollectedPlace[] = [];
  for (const place of [{ siteId: null, name: null }, ...sites]) {
    const found: CollectedPlace = { site: place.name, seen: 0, objects: 0, bytes: 0, unreachable: false };
    places.push(found);
    try {
      const { store } = await stores.of(place.siteId);
      for (const studioId of studioIds) await collectAt(options, store, { studioId, siteId: place.siteId }, found);
    } catch (error) {
      if (!(error instanceof FarmError && error.code === 'StoreFailed')) throw error;
      found.unreachable = true;
      log.warn({ site: place.name, err: error }, 'garbage is not collected: the store does not answer');
    }
  }
  const objects = places.reduce((sum, place) => sum + place.objects, 0);
  if (objects + evicted > 0) log.info({ dryRun, evicted, objects }, 'garbage collected');
  return { dryRun, evicted, places };
}

/** One studio's objects in one store. */
async function collectAt(
  { database, rules, now, dryRun, signal }: GarbageOptions,
  store: ObjectStore,
  where: Pick<ObjectBatch, 'studioId' | 'siteId'>,
  found: CollectedPlace,
): Promise<void> {
  const youngest = now.getTime() - rules.graceSeconds * 1000;
  for (const kind of OBJECT_KINDS) {
    let sizes = new Map<string, number>();
    const decide = async (): Promise<void> => {
      const batch: ObjectBatch = { ...where, kind, hashes: [...sizes.keys()] };
      const gone = dryRun ? await database.asService((tx) => unnamedObjects(tx, batch)) : await remove(batch);
      found.objects += gone.length;
      found.bytes += gone.reduce((sum, hash) => sum + (sizes.get(hash) ?? 0), 0);
      sizes = new Map();
    };
    const remove = async (batch: ObjectBatch): Promise<string[]> => {
      const forgotten = await database.asService((tx) => forgetUnnamed(tx, batch));
      return removeUnnamed(database, store, { ...batch, hashes: forgotten });
    };
    for await (const { hash, sizeBytes, modifiedAt } of store.list(where.studioId, kind)) {
      signal?.throwIfAborted();
      found.seen++;
      if (modifiedAt.getTime() > youngest) continue;
      sizes.set(hash, sizeBytes);
      if (sizes.size >= BATCH) await decide();
    }
    if (sizes.size > 0) await decide();
  }
}
