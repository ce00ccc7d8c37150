/** Whether everything is in the stores that the record says is there, byte for byte, and what is done where it is not. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError } from '../../domain/errors.ts';
import { markLost } from '../db/blobs.ts';
import type { Database } from '../db/client.ts';
import {
  dropCachedFile,
  forgetCopy,
  type Namer,
  namersOf,
  nextStoredObjects,
  otherPlaces,
  type StoredObject,
} from '../db/storedObjects.ts';
import type { ObjectStore } from './objectStore.ts';
import type { SiteStores } from './siteStores.ts';

export interface StoreServices {
  database: Database;
  stores: SiteStores;
}

/** An object that is not there, or is not what its name says. */
export interface Damage extends StoredObject {
  condition: 'missing' | 'wrong';
  /** `copied`: whole again, from another place; `forgotten`: a copy that nobody needs any more; `kept`: as it was found. */
  outcome: 'copied' | 'forgotten' | 'kept';
  /** A place has the right bytes. */
  recoverable: boolean;
  namedBy: Namer[];
}

export interface CheckInput {
  /** Where the round before stopped; null begins. */
  after: StoredObject | null;
  repair: boolean;
  /** The round ends after this time, milliseconds, or so many objects. */
  maxMs: number;
  maxObjects: number;
}

export interface CheckReport {
  checked: number;
  /** With the name of the site; null: home. */
  damages: (Damage & { site: string | null })[];
  /** Names of sites (`home` for the farm's own store) whose objects were not looked at, since their stores did not answer. */
  unreachable: string[];
  /** Where the next round goes on; null: all was looked at. */
  next: StoredObject | null;
}

/** One round of reading and hashing what the record names. With `repair`, what is wrong is mended as it is found. */
export async function checkStores(services: StoreServices, input: CheckInput): Promise<CheckReport> {
  const report: CheckReport = { checked: 0, damages: [], unreachable: [], next: null };
  const unreachable = new Set<string>();
  const ends = performance.now() + input.maxMs;
  const { objects, sites } = await services.database.asService(async (tx) => ({
    objects: await nextStoredObjects(tx, input.after, input.maxObjects),
    sites: await tx.selectFrom('sites').select(['id', 'name']).execute(),
  }));
  const names = new Map(sites.map(({ id, name }) => [id, name]));
  const siteOf = ({ siteId }: StoredObject): string | null => siteId && (names.get(siteId) ?? siteId);
  let last: StoredObject | null = null;
  for (const object of objects) {
    if (last !== null && performance.now() > ends) break;
    last = object;
    try {
      const damage = await checkObject(services, object, input.repair);
      report.checked++;
      if (damage) report.damages.push({ ...damage, site: siteOf(object) });
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
      unreachable.add(siteOf(object) ?? 'home');
    }
  }
  const all = last === objects.at(-1) && objects.length < input.maxObjects;
  return { ...report, unreachable: [...unreachable].sort(), next: all ? null : last };
}

/**
 * Reads one object where the record says it lies. Also what is called for an object of which a node or a studio says that
 * it got other bytes.
 * @returns null when it is whole
 * @throws FarmError `StoreFailed` when its store does not answer
 */
export async function checkObject(
  services: StoreServices,
  object: StoredObject,
  repair: boolean,
): Promise<Damage | null> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-check-'));
  try {
    const path = join(folder, 'bytes');
    const { store } = await services.stores.of(object.siteId);
    const condition = await conditionOf(store, object, path);
    if (condition === 'whole') return null;
    await rm(path, { force: true });
    const recoverable = await fetchElsewhere(services, object, path);
    const outcome = repair ? await mend(services, store, object, recoverable ? path : null) : 'kept';
    const namedBy = await services.database.asService((tx) => namersOf(tx, object));
    return { ...object, condition, outcome, recoverable, namedBy };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a store gives the right bytes of an object. @throws FarmError `StoreFailed` when it does not answer */
export async function isWhole(store: ObjectStore, object: StoredObject): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-check-'));
  try {
    return (await conditionOf(store, object, join(folder, 'bytes'))) === 'whole';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How often a store that answers is asked for bytes that it does not give, before they count as wrong; between two times, milliseconds. */
const TRIES = 3;
const PAUSE_MS = 300;

/**
 * Reads it to `path`, hashed on the way. Bytes that a store cannot read though it answers are `wrong`: MinIO checks its own sums, and
 * says 503 of an object that does not match them.
 * @throws FarmError `StoreFailed` when the store does not answer
 */
async function conditionOf(
  store: ObjectStore,
  { studioId, kind, hash }: StoredObject,
  path: string,
): Promise<'whole' | 'missing' | 'wrong'> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store.getToFile(studioId, kind, hash, path);
      return 'whole';
    } catch (error) {
      if (error instanceof FarmError && error.code === 'NotFound') return 'missing';
      if (error instanceof FarmError && error.code === 'HashMismatch') return 'wrong';
      if (!isStoreFailure(error)) throw error;
      // A store that does not answer says so here, too.
      await store.check();
      await store.stat(studioId, kind, hash);
      if (attempt === TRIES) return 'wrong';
    }
    await sleep(PAUSE_MS);
  }
}

const isStoreFailure = (error: unknown): boolean => error instanceof FarmError && error.code === 'StoreFailed';

/** Whether some other place gave the right bytes, which lie at `path` then. */
async function fetchElsewhere(
  { database, stores }: StoreServices,
  object: StoredObject,
  path: string,
): Promise<boolean> {
  for (const siteId of await database.asService((tx) => otherPlaces(tx, object))) {
    try {
      const { store } = await stores.of(siteId);
      if ((await conditionOf(store, object, path)) === 'whole') return true;
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
    }
  }
  return false;
}

/** @param good file with the right bytes, null where no place has them */
async function mend(
  { database }: StoreServices,
  store: ObjectStore,
  object: StoredObject,
  good: string | null,
): Promise<Damage['outcome']> {
  const { studioId, kind, hash } = object;
  if (object.copy) {
    // Whoever needs it here fetches it again. The record goes first: none may name a missing object.
    await database.asService((tx) => forgetCopy(tx, object));
    if (await isOnlyCopy(database, object)) await store.remove(studioId, kind, hash);
    return 'forgotten';
  }
  if (good === null) {
    if (kind === 'frames') await database.asService((tx) => dropCachedFile(tx, object));
    if (kind === 'blobs') await database.asService((tx) => markLost(tx, studioId, [hash]));
    return 'kept';
  }
  // A store takes no second object of a name, also where the first one's bytes went bad.
  await store.remove(studioId, kind, hash);
  await store.put(studioId, kind, { path: good }, 'application/octet-stream');
  return 'copied';
}

/** Nothing else of the record says that the object lies at this place. */
async function isOnlyCopy(database: Database, object: StoredObject): Promise<boolean> {
  const places = await database.asService((tx) => otherPlaces(tx, { ...object, siteId: null }));
  return !places.includes(object.siteId);
}
