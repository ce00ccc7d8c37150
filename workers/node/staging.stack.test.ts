/** Staging for a real lease from home and a site, each behind a way with a fault: right files, or one error that names the place. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { openTestApi, type TestApi } from '../../farm-ui/api/testing/openApi.ts';
import { recordBlobCopies } from '../../ports/db/copies.ts';
import type { StoredFile } from '../../ports/db/documents.ts';
import { transitionJob } from '../../ports/db/jobs.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { Lease } from '../../ports/gateway/protocol.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { objectKey } from '../../ports/store/objectStore.ts';
import { seededBytes } from '../../test/support/bytes.ts';
import { type FaultyProxy, startFaultyProxy } from '../../test/support/faultyProxy.ts';
import { joinByHand } from '../../test/support/nodes.ts';
import { addJob, addStoreSite, addStudio } from '../../test/support/rows.ts';
import { createTestBucket, putRaw, type TestBucket } from '../../test/support/services.ts';
import { BlobCache } from './cache.ts';
import { startStaging } from './staging.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const random = xoroshiro128plus(47);
const SIZES = [700_000, 1_300_000, 400_000];
const contents = SIZES.map((size, index) => seededBytes(size, `staged ${index}`));
const files: StoredFile[] = contents.map((bytes, index) => ({
  path: index === 0 ? 'shot.glb' : `textures/${index}.bin`,
  sizeBytes: bytes.length,
  hash: sha256(bytes),
}));

let farm: TestApi;
let folder: string;
let studioId: string;
let siteId: string;
let bucket: TestBucket;
/** The way home, and to the store beside the node. */
let home: FaultyProxy;
let near: FaultyProxy;
let gateway: GatewayClient;
/** Of the newest lease. */
let root: string;

beforeAll(async () => {
  home = await startFaultyProxy(inject('stack').store.endpoint);
  farm = await openTestApi({ leaseMs: 60_000 }, home.url);
  folder = await mkdtemp(join(tmpdir(), 'framewright-staging-'));
  const { database } = farm.record;
  studioId = await addStudio(database, 'north');
  for (const bytes of contents) await farm.store.put(studioId, 'blobs', bytes, 'application/octet-stream');
  bucket = await createTestBucket();
  near = await startFaultyProxy(bucket.endpoint);
  siteId = await addStoreSite(database, 'garage', bucket, near.url);
  ({ gateway } = await joinByHand(farm.url, 'worker', 'garage'));
});
afterAll(async () => {
  await farm?.close();
  await Promise.all([home?.close(), near?.close()]);
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  home.fault = null;
  near.fault = null;
});

/** The site has copies of all files; the bytes of one may be others than its hash says. */
async function copyToSite(spoiled?: { index: number; at: number }): Promise<void> {
  const store = createMinioStore(bucket);
  for (const [index, bytes] of contents.entries()) {
    const copy = Buffer.from(bytes);
    if (spoiled?.index === index) copy[spoiled.at]! ^= 1;
    await store.remove(studioId, 'blobs', files[index]!.hash);
    await putRaw(bucket, objectKey(studioId, 'blobs', files[index]!.hash), copy);
  }
  const hashes = files.map(({ hash }) => hash);
  await farm.record.database.asService((tx) => recordBlobCopies(tx, { studioId, siteId, hashes }));
}

const copies = async (): Promise<string[]> =>
  (
    await farm.record.query<{ hash: string }>(
      `SELECT hash FROM object_copies WHERE site_id = $1 AND studio_id = $2 ORDER BY hash`,
      [siteId, studioId],
    )
  ).map(({ hash }) => hash);

/** Questions for addresses, as many blobs as each named. */
const questions: number[] = [];
/** Downloads as they began and ended, by the file's position. */
const ways: string[] = [];

/** Stages a new lease of the node beside the site's store into an empty cache. @param change what else is to be said of the lease */
async function stage(patienceMs = 60_000, change: Partial<Lease> = {}) {
  const { jobId } = await addJob(farm.record.database, { studioId, files, priority: 5 });
  const { lease } = await gateway.claim({ version: 1, cachedHashes: [], waitMs: 0 });
  expect(lease?.jobId).toBe(jobId);
  root = await mkdtemp(join(folder, 'lease-'));
  const cache = await BlobCache.open(await mkdtemp(join(folder, 'cache-')), 2 ** 30);
  const stop = new AbortController();
  const fetch: GatewayClient['fetch'] = (chunkId, question, signal) => {
    questions.push(question.hashes.length);
    return gateway.fetch(chunkId, question, signal);
  };
  const download: GatewayClient['download'] = async (url, options) => {
    const index = files.findIndex(({ hash }) => url.includes(hash));
    ways.push(`${index} begins`);
    const answer = await gateway.download(url, options);
    const read: typeof answer.read = async (take) => {
      await answer.read(take);
      ways.push(`${index} ends`);
    };
    return { ...answer, read };
  };
  const counting: GatewayClient = { ...gateway, fetch, download };
  const staging = startStaging({ ...lease!, ...change }, root, {
    ...{ gateway: counting, cache, signal: stop.signal, log: pino({ level: 'silent' }) },
    ...{ patienceMs, stallMs: 1_500 },
  });
  try {
    await staging.done;
  } finally {
    stop.abort(new Error('the lease ends'));
    await staging.settled();
    await gateway.finish(lease!.chunkId, {
      ...{ leaseNumber: lease!.leaseNumber, outcome: 'handed-back', problem: null, estimate: null },
    });
    await farm.record.database.asService((tx) => transitionJob(tx, { jobId, to: 'stopping', stopReason: 'cancel' }));
  }
  return jobId;
}

async function expectFiles(): Promise<void> {
  for (const [index, { path }] of files.entries()) {
    expect([path, (await readFile(join(root, path))).equals(contents[index]!)]).toEqual([path, true]);
  }
}

it('takes what the site beside it has, and nothing from home', async () => {
  await copyToSite();
  home.fault = { kind: 'closed', at: 0 };
  await stage();
  await expectFiles();
});

it('asks once for the addresses of a few files, also those that only later frames need', async () => {
  await copyToSite();
  questions.length = 0;
  const units = [1, 2].map((frame) => ({ unitId: `${frame}`, frame, tile: 0, take: 1, price: '1', files: [frame] }));
  await stage(60_000, { kind: 'render', sharedFiles: 1, units });
  expect(questions).toEqual([3]);
  await expectFiles();
});

it('leaves the link to what the first frame needs until that is here', async () => {
  await copyToSite();
  ways.length = 0;
  const units = [1, 2].map((frame) => ({ unitId: `${frame}`, frame, tile: 0, take: 1, price: '1', files: [frame] }));
  await stage(60_000, { kind: 'render', sharedFiles: 1, units });
  expect(ways).toHaveLength(6);
  // What all frames need and what the first needs beside it come together; nothing else is under way meanwhile.
  expect(ways.slice(0, 2)).toEqual(['0 begins', '1 begins']);
  expect(ways.slice(4)).toEqual(['2 begins', '2 ends']);
});

it.each([0, 1, 2])(
  'drops the copy of a site that is wrong in file %i, names it, and takes the right bytes from home',
  async (index) => {
    const at = (random.next() >>> 0) % SIZES[index]!;
    await copyToSite({ index, at });
    const { hash, path } = files[index]!;
    const jobId = await stage();
    await expectFiles();
    expect(await copies()).toEqual(
      files
        .map((file) => file.hash)
        .filter((one) => one !== hash)
        .sort(),
    );
    expect(await createMinioStore(bucket).stat(studioId, 'blobs', hash)).toBeNull();
    const lines = await farm.record.query<{ line: string }>(
      `SELECT data ->> 'line' AS line FROM job_events WHERE job_id = $1 AND type = 'log'`,
      [jobId],
    );
    expect(lines.map(({ line }) => line)).toEqual([
      expect.stringContaining(`site garage holds wrong bytes of ${path}`),
    ]);
  },
);

it.each(['silent', 'closed'] as const)('goes on at home when the site is %s in the middle of files', async (kind) => {
  await copyToSite();
  near.fault = { kind, at: (random.next() >>> 0) % 400_000 };
  await stage();
  await expectFiles();
  // A source that does not answer did not lie.
  expect(await copies()).toHaveLength(files.length);
});

it('fails with one error that names the store when no source answers for too long, and leaves no file', async () => {
  await copyToSite();
  home.fault = { kind: 'closed', at: 0 };
  near.fault = { kind: 'closed', at: 0 };
  await expect(stage(1_000)).rejects.toMatchObject({ code: 'StoreFailed', place: { origin: home.url } });
  expect(await readdir(root)).toEqual([]);
  home.fault = null;
  await stage();
  await expectFiles();
});
