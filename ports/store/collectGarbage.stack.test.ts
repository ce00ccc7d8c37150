import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addJob,
  addNode,
  addStoreSite,
  addStudio,
  deliver,
  mustClaim,
  openTestRecord,
  type TestRecord,
} from '../../test/support/rows.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { announceBlobs, endAnnouncements, recordBlobs } from '../db/blobs.ts';
import { commitUnit } from '../db/commit.ts';
import { setOutputs } from '../db/jobs.ts';
import { collectGarbage, type GarbageReport, type GarbageRules } from './collectGarbage.ts';
import { createMinioStore } from './minioStore.ts';
import type { ObjectKind, ObjectStore } from './objectStore.ts';
import { removeUnnamed } from './removeUnnamed.ts';
import { createSiteStores, type SiteStores } from './siteStores.ts';

const RULES: GarbageRules = { graceSeconds: 3600, maxAgeSeconds: 1e9, maxBytes: 1e15 };
/** Later than the grace of everything that a test puts. */
const LATER = (): Date => new Date(Date.now() + 7_200_000);

let record: TestRecord;
let stores: SiteStores;
let home: ObjectStore;
let edge: ObjectStore;
let studioId: string;
let siteId: string;

beforeAll(async () => {
  record = await openTestRecord();
  home = createMinioStore(await createTestBucket());
  const bucket = await createTestBucket();
  edge = createMinioStore(bucket);
  studioId = await addStudio(record.database, 'studio');
  siteId = await addStoreSite(record.database, 'edge', bucket);
  stores = createSiteStores(home, record.database);
});
afterAll(() => record?.close());

const put = async (store: ObjectStore, kind: ObjectKind, text: string) => ({
  path: text,
  ...(await store.put(studioId, kind, Buffer.from(text), 'application/octet-stream')),
});

it('asks once more whether anything names an object before that goes', async () => {
  const again = await put(home, 'blobs', 'announced again');
  const stray = await put(home, 'blobs', 'wanted by nobody');
  const { database } = record;
  await database.asService((tx) => announceBlobs(tx, studioId, [again], 60));
  const batch = { studioId, kind: 'blobs', siteId: null, hashes: [again.hash, stray.hash] } as const;
  expect(await removeUnnamed(database, home, batch)).toEqual([stray.hash]);
  expect(await home.stat(studioId, 'blobs', again.hash)).not.toBeNull();
  expect(await home.stat(studioId, 'blobs', stray.hash)).toBeNull();
  await database.asService((tx) => endAnnouncements(tx, studioId, [again.hash]));
  expect(await removeUnnamed(database, home, batch)).toContain(again.hash);
});

const collect = (
  options: { dryRun?: boolean; rules?: Partial<GarbageRules>; now?: Date } = {},
): Promise<GarbageReport> =>
  collectGarbage({
    ...{ database: record.database, stores, now: options.now ?? LATER(), dryRun: options.dryRun },
    rules: { ...RULES, ...options.rules },
    log: { info: () => {}, warn: () => {} },
  });

async function held(store: ObjectStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind, hash } of store.list(studioId)) found.push(`${kind}/${hash}`);
  return found.sort();
}

/** What the record says is stored and is not. */
async function missing(): Promise<unknown[]> {
  const rows = await record.query<{ kind: ObjectKind; hash: string; site_id: string | null }>(
    'SELECT kind, hash, site_id FROM stored_objects',
  );
  const found = await Promise.all(
    rows.map(async ({ kind, hash, site_id }) => (await stores.of(site_id)).store.stat(studioId, kind, hash)),
  );
  return rows.filter((_, index) => found[index] === null);
}

describe('garbage collection', () => {
  it('removes what nothing names, everywhere, and leaves every record with its object', async () => {
    const { database } = record;
    const scene = await put(home, 'blobs', 'scene.glb');
    const stray = await put(home, 'blobs', 'nobody names this');
    const unrecorded = await put(home, 'blobs', 'left by a killed collection');
    const uploading = await put(home, 'blobs', 'on its way up');
    const node = await addNode(database, 'node');
    const { jobId } = await addJob(database, { studioId, frames: 2, files: [scene] });
    const lease = await mustClaim(database, node);
    const [exr, preview] = [await put(edge, 'frames', 'picture'), await put(edge, 'frames', 'preview')];
    const artifacts = [
      { kind: 'exr' as const, hash: exr.hash, sizeBytes: exr.sizeBytes },
      { kind: 'preview' as const, hash: preview.hash, sizeBytes: preview.sizeBytes },
    ];
    const unitId = lease.units[0]!.unitId;
    await deliver(database, lease, node.id, unitId, artifacts);
    await record.query(`UPDATE units SET site_id = $1, input_hash = $2 WHERE id = $3`, [
      siteId,
      'a'.repeat(64),
      unitId,
    ]);
    await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
    // The second frame is delivered and waits for verify: a lease names it.
    const waiting = await put(home, 'frames', 'waits for verify');
    const other = [{ kind: 'exr' as const, hash: waiting.hash, sizeBytes: waiting.sizeBytes }];
    await deliver(database, lease, node.id, lease.units[1]!.unitId, other);
    const refused = await put(home, 'frames', 'refused by verify');
    const film = await put(home, 'outputs', 'film');
    const oldFilm = await put(home, 'outputs', 'an older film');
    await database.asService(async (tx) => {
      await recordBlobs(tx, studioId, [scene, stray]);
      await announceBlobs(tx, studioId, [uploading], 60);
      await setOutputs(tx, jobId, {
        film: { hash: film.hash, sizeBytes: film.sizeBytes, name: 'film.mp4', contentType: 'video/mp4' },
      });
    });
    // Copies at the site: of a blob in use, and of one that nobody names any more.
    const copy = await put(edge, 'blobs', 'scene.glb');
    const strayCopy = await put(edge, 'blobs', 'nobody names this');
    await record.query(
      `INSERT INTO object_copies (studio_id, kind, hash, site_id) SELECT $1, 'blobs', h, $2 FROM unnest($3::text[]) AS h`,
      [studioId, siteId, [copy.hash, strayCopy.hash]],
    );

    const before = [await held(home), await held(edge)];
    const young = await collect({ now: new Date() });
    expect(young.places.map(({ objects }) => objects)).toEqual([0, 0]);
    const looked = await collect({ dryRun: true });
    expect(looked.places.map(({ site, objects }) => [site, objects])).toEqual([
      [null, 4],
      ['edge', 1],
    ]);
    expect([await held(home), await held(edge)]).toEqual(before);

    const report = await collect();
    expect(report.places.map(({ objects }) => objects)).toEqual([4, 1]);
    const gone = [
      `blobs/${stray.hash}`,
      `blobs/${unrecorded.hash}`,
      `frames/${refused.hash}`,
      `outputs/${oldFilm.hash}`,
    ];
    expect(await held(home)).toEqual(before[0]!.filter((name) => !gone.includes(name)));
    expect(await held(edge)).toEqual(before[1]!.filter((name) => name !== `blobs/${strayCopy.hash}`));
    expect(await missing()).toEqual([]);
    const rows = await record.query(`SELECT hash FROM blobs UNION SELECT hash FROM object_copies`);
    expect(rows).toEqual([{ hash: scene.hash }]);
    expect((await collect()).places.map(({ objects }) => objects)).toEqual([0, 0]);
  });

  it('evicts entries of the frame cache by age and by size, but none that a quote may count on', async () => {
    const [unit] = await record.query<{ id: string }>(`SELECT id FROM units WHERE status = 'committed'`);
    await record.query(`DELETE FROM frame_cache`);
    await record.query(
      `INSERT INTO frame_cache (studio_id, key, unit_id, artifacts, measurements, size_bytes, used_at)
       SELECT $1, repeat(n::text, 64), $2, '[]', '{}', 100, now() - make_interval(days => n) FROM generate_series(0, 5) AS n`,
      [studioId, unit!.id],
    );
    const keys = async () =>
      (await record.query<{ key: string }>('SELECT key FROM frame_cache ORDER BY key'))
        .map(({ key }) => key[0])
        .join('');
    expect((await collect({ rules: { maxAgeSeconds: 4.5 * 86_400 } })).evicted).toBe(1);
    expect(await keys()).toBe('01234');
    expect((await collect({ rules: { maxBytes: 250 } })).evicted).toBe(3);
    expect(await keys()).toBe('01');
    expect((await collect({ rules: { maxBytes: 0, graceSeconds: 43_200 } })).evicted).toBe(1);
    expect(await keys()).toBe('0');
  });

  it('goes on without a site that does not answer', async () => {
    await record.query(`UPDATE site_stores SET endpoint = 'http://127.0.0.1:1', updated_at = clock_timestamp()`);
    stores = createSiteStores(home, record.database);
    const stray = await put(home, 'frames', 'another stray');
    const report = await collect();
    expect(report.places).toMatchObject([
      { site: null, objects: 1, unreachable: false },
      { site: 'edge', unreachable: true },
    ]);
    expect(await home.stat(studioId, 'frames', stray.hash)).toBeNull();
  });
});
