import { randomBytes } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
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
import { createTestBucket, putRaw, type TestBucket } from '../../test/support/services.ts';
import { blobStates, recordBlobs } from '../db/blobs.ts';
import { commitUnit } from '../db/commit.ts';
import type { StoredObject } from '../db/storedObjects.ts';
import { type CheckReport, checkStores, type Damage } from './checkStores.ts';
import { createMinioStore } from './minioStore.ts';
import { type ObjectKind, type ObjectStore, objectKey } from './objectStore.ts';
import { createSiteStores, type SiteStores } from './siteStores.ts';

let record: TestRecord;
let stores: SiteStores;
let buckets: { home: TestBucket; edge: TestBucket };
let home: ObjectStore;
let edge: ObjectStore;
let studioId: string;
let siteId: string;

beforeAll(async () => {
  record = await openTestRecord();
  buckets = { home: await createTestBucket(), edge: await createTestBucket() };
  home = createMinioStore(buckets.home);
  edge = createMinioStore(buckets.edge);
  studioId = await addStudio(record.database, 'studio');
  siteId = await addStoreSite(record.database, 'edge', buckets.edge);
  stores = createSiteStores(home, record.database);
});
afterAll(() => record?.close());

const put = (store: ObjectStore, kind: ObjectKind, text: string) =>
  store.put(studioId, kind, Buffer.from(text), 'application/octet-stream');

/** Puts other bytes of the same length under an object's name, as a failing disk would. */
async function spoil(
  where: 'home' | 'edge',
  kind: ObjectKind,
  { hash, sizeBytes }: { hash: string; sizeBytes: number },
) {
  await putRaw(buckets[where], objectKey(studioId, kind, hash), Buffer.alloc(sizeBytes, 'x'));
}

/** All rounds, each of few objects. */
async function check(repair: boolean): Promise<{ checked: number; damages: Damage[]; rounds: number }> {
  const sum = { checked: 0, damages: [] as Damage[], rounds: 0 };
  let after: StoredObject | null = null;
  do {
    const round: CheckReport = await checkStores(
      { database: record.database, stores },
      { after, repair, maxMs: 60_000, maxObjects: 2 },
    );
    sum.checked += round.checked;
    sum.damages.push(...round.damages);
    sum.rounds++;
    after = round.next;
  } while (after !== null);
  return sum;
}

it('finds what is missing or wrong at home and at sites, mends it from another copy, and names the files of the rest', async () => {
  const { database } = record;
  const shared = await put(home, 'blobs', 'a pack of small files');
  const lonely = await put(home, 'blobs', 'has no second copy');
  const files = [
    { path: 'scene.glb', ...lonely },
    {
      ...{ path: 'textures/wood.png', sizeBytes: 9, hash: 'e'.repeat(64) },
      parts: [
        { blob: lonely.hash, offset: 0, sizeBytes: 4 },
        { blob: shared.hash, offset: 2, sizeBytes: 5 },
      ],
    },
  ];
  const { jobId } = await addJob(database, { studioId, name: 'shot', frames: 1, files: [files[0]!] });
  await record.query(`UPDATE project_versions SET manifest = jsonb_set(manifest, '{files}', $1::jsonb)`, [
    JSON.stringify(files),
  ]);
  await record.query(`INSERT INTO blobs (studio_id, hash, size_bytes) VALUES ($1, $2, $3)`, [
    ...[studioId, shared.hash, shared.sizeBytes],
  ]);
  await record.query(`INSERT INTO version_blobs SELECT studio_id, id, $1 FROM project_versions`, [shared.hash]);
  const node = await addNode(database, 'node');
  const lease = await mustClaim(database, node);
  const exr = { kind: 'exr' as const, ...(await put(edge, 'frames', 'picture')) };
  const unitId = lease.units[0]!.unitId;
  await deliver(database, lease, node.id, unitId, [exr]);
  await record.query(`UPDATE units SET site_id = $1, input_hash = $2 WHERE id = $3`, [siteId, 'a'.repeat(64), unitId]);
  await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
  await put(edge, 'blobs', 'a pack of small files');
  await record.query(`INSERT INTO object_copies (studio_id, kind, hash, site_id) VALUES ($1, 'blobs', $2, $3)`, [
    ...[studioId, shared.hash, siteId],
  ]);

  const whole = await check(false);
  expect(whole).toMatchObject({ checked: 4, damages: [] });
  expect(whole.rounds).toBeGreaterThan(1);

  await spoil('home', 'blobs', shared);
  await home.remove(studioId, 'blobs', lonely.hash);
  await spoil('edge', 'frames', exr);
  const found = await check(false);
  const summary = (damages: Damage[]) =>
    damages
      .map(({ kind, hash, condition, outcome, recoverable }) => ({ kind, hash, condition, outcome, recoverable }))
      .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const sorted = <T extends { hash: string }>(rows: T[]): T[] => rows.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  expect(summary(found.damages)).toEqual(
    sorted([
      { kind: 'blobs', hash: shared.hash, condition: 'wrong', outcome: 'kept', recoverable: true },
      { kind: 'blobs', hash: lonely.hash, condition: 'missing', outcome: 'kept', recoverable: false },
      { kind: 'frames', hash: exr.hash, condition: 'wrong', outcome: 'kept', recoverable: false },
    ]),
  );
  const named = new Map(found.damages.map(({ hash, namedBy }) => [hash, namedBy]));
  expect(named.get(shared.hash)).toEqual([{ name: 'shot', of: 'v1', path: 'textures/wood.png', offset: 4 }]);
  expect(named.get(lonely.hash)).toEqual([
    { name: 'shot', of: 'v1', path: 'scene.glb', offset: 0 },
    { name: 'shot', of: 'v1', path: 'textures/wood.png', offset: 0 },
  ]);
  expect(named.get(exr.hash)).toEqual([{ name: 'shot', of: jobId, path: 'frame 1 (exr)', offset: 0 }]);

  const mended = await check(true);
  expect(mended.damages.find(({ hash }) => hash === shared.hash)).toMatchObject({ outcome: 'copied' });
  expect(await home.get(studioId, 'blobs', shared.hash)).toEqual(Buffer.from('a pack of small files'));
  // A frame that no place has is not served from the cache either.
  expect(await record.query('SELECT FROM frame_cache')).toEqual([]);
  // Uploaded again, it is whole; a spoilt copy at a site is given up, record and all.
  await put(home, 'blobs', 'has no second copy');
  await edge.remove(studioId, 'frames', exr.hash);
  await put(edge, 'frames', 'picture');
  await spoil('edge', 'blobs', shared);
  expect(summary((await check(true)).damages)).toEqual([
    { kind: 'blobs', hash: shared.hash, condition: 'wrong', outcome: 'forgotten', recoverable: true },
  ]);
  expect(await edge.stat(studioId, 'blobs', shared.hash)).toBeNull();
  expect(await check(true)).toMatchObject({ checked: 3, damages: [] });
});

it('takes what a store that answers cannot read for wrong, and asks the next upload for it', async () => {
  const { database } = record;
  const owner = await addStudio(database, 'rotting');
  const data = randomBytes(400_000);
  const blob = await home.put(owner, 'blobs', data, 'application/octet-stream');
  await database.asService((tx) => recordBlobs(tx, owner, [blob]));
  // MinIO looks at its own sums when it reads, not when it is asked whether it has the object.
  const place = join(inject('stack').home, 'store', buckets.home.bucket, objectKey(owner, 'blobs', blob.hash));
  const part = (await readdir(place, { recursive: true })).find((path) => path.endsWith('part.1'));
  const file = await open(join(place, part!), 'r+');
  await file.write(Buffer.from('rot'), 0, 3, 200_000);
  await file.close();
  expect(await home.stat(owner, 'blobs', blob.hash)).toEqual({ sizeBytes: data.length });
  const states = () => database.asService((tx) => blobStates(tx, owner, [blob]));
  const round = { after: null, repair: true, maxMs: 60_000, maxObjects: 100 };
  const report = await checkStores({ database, stores }, round);
  expect(report.damages).toMatchObject([{ hash: blob.hash, condition: 'wrong', outcome: 'kept', recoverable: false }]);
  expect(report.unreachable).toEqual([]);
  expect(await states()).toMatchObject({ known: new Set(), lost: new Set([blob.hash]) });

  await home.remove(owner, 'blobs', blob.hash);
  await home.put(owner, 'blobs', data, 'application/octet-stream');
  await database.asService((tx) => recordBlobs(tx, owner, [blob]));
  expect(await states()).toMatchObject({ known: new Set([blob.hash]), lost: new Set() });
  expect(await checkStores({ database, stores }, round)).toMatchObject({ damages: [], unreachable: [] });
});
