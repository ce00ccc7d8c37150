/** The first part of a frame crosses while the frame is judged, by the real API and a real store; the rest when it is committed. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../../../farm-ui/api/testing/openApi.ts';
import { commitUnit, refuseUnit } from '../../../ports/db/commit.ts';
import { notifyTransient } from '../../../ports/db/events.ts';
import { transitionJob } from '../../../ports/db/jobs.ts';
import { byteRange } from '../../../ports/http/range.ts';
import { createMinioStore } from '../../../ports/store/minioStore.ts';
import type { ObjectStore } from '../../../ports/store/objectStore.ts';
import { type CutProxy, startCutProxy } from '../../../test/support/cutProxy.ts';
import { addLeased, addStoreSite, addStudio, artifactsOf, deliver } from '../../../test/support/rows.ts';
import { createTestBucket, uniqueName } from '../../../test/support/services.ts';
import { FarmClient } from '../client.ts';
import { pullJob } from '../pull.ts';

const SIZE = 4_000_000;
const HEAD = SIZE / 4;
const HALF = SIZE / 2;
let farm: TestApi;
let root: string;
let folder: string;
let client: FarmClient;
let studioId: string;
let siteId: string;
let proxy: CutProxy;
let site: ObjectStore;
let put: (bytes: Buffer) => Promise<{ hash: string; sizeBytes: number }>;

beforeAll(async () => {
  farm = await openTestApi();
  root = await mkdtemp(join(tmpdir(), 'framewright-heads-'));
  const { database } = farm.record;
  studioId = await addStudio(database, 'north');
  client = new FarmClient({ url: farm.url, key: await farm.key(studioId, 'td') });
  const bucket = await createTestBucket();
  proxy = await startCutProxy(bucket.endpoint);
  siteId = await addStoreSite(database, uniqueName('site-'), { ...bucket, endpoint: proxy.url }, bucket.endpoint);
  site = createMinioStore({ ...bucket, endpoint: proxy.url });
  put = async (bytes) => createMinioStore(bucket).put(studioId, 'frames', bytes, 'image/x-exr');
});
afterAll(async () => {
  await farm?.close();
  await proxy?.close();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'to-'));
});

/** A job under lease, and how its frames come into the site's store. */
async function leased(name: string, frames: number) {
  const { database } = farm.record;
  const { jobId, node, lease } = await addLeased(database, { studioId, name, frames });
  const bring = async (unitId: string, bytes: Buffer): Promise<void> => {
    const artifacts = [{ kind: 'exr' as const, ...(await put(bytes)) }, artifactsOf(unitId)[1]!];
    await deliver(database, lease, node.id, unitId, artifacts, siteId);
  };
  const commit = (unitId: string) =>
    database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
  return { jobId, units: lease.units, leaseNumber: lease.leaseNumber, bring, commit };
}

const partBytes = async (): Promise<number[]> => {
  const parts = (await readdir(folder)).filter((name) => name.endsWith('.part'));
  return Promise.all(parts.map(async (name) => (await stat(join(folder, name))).size));
};

async function pulling(jobId: string) {
  const stop = new AbortController();
  const done = pullJob(client, jobId, { folder, wait: true, signal: stop.signal });
  done.catch(() => undefined);
  // The stream of events is open.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const end = async (): Promise<void> => {
    stop.abort(new Error('seen enough'));
    await expect(done).rejects.toThrow('seen enough');
  };
  return { end };
}

it('brings a half of a frame and no more while it is judged, and the rest once it is committed', async () => {
  const { jobId, units, bring, commit } = await leased('judged', 2);
  const pictures = units.map(() => randomBytes(SIZE));
  const { end } = await pulling(jobId);
  const before = proxy.passedBytes();
  await bring(units[0]!.unitId, pictures[0]!);
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([HALF]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await partBytes()).toEqual([HALF]);
  await commit(units[0]!.unitId);
  await expect.poll(() => readdir(folder), { timeout: 10_000 }).toEqual(['judged.0001.exr']);
  expect((await readFile(join(folder, 'judged.0001.exr'))).equals(pictures[0]!)).toBe(true);
  // Nothing crossed twice.
  expect(proxy.passedBytes() - before).toBeLessThan(SIZE + 20_000);
  await end();
});

/** What the farm says when a node has put a frame's head and the whole is on its way. */
async function tellHead(jobId: string, unitId: string, picture: Buffer): Promise<void> {
  const { database } = farm.record;
  const head = await put(picture.subarray(0, HEAD));
  const object = { studioId, kind: 'frames', hash: head.hash, expiresSeconds: 60, range: byteRange(0, HEAD) } as const;
  const url = await site.presignGet(object);
  const hash = createHash('sha256').update(picture).digest('hex');
  const name = (await client.job(jobId)).name;
  const data = { unitId, siteId, name: `${name}.0001.exr`, hash, sizeBytes: SIZE, headBytes: HEAD, url };
  await database.asService((tx) => notifyTransient(tx, { studioId, jobId, type: 'unit.head', data }));
}

it('brings a head that lies in the store before its frame, as much again while that is judged, and goes on from there', async () => {
  const { jobId, units, bring, commit } = await leased('ahead', 1);
  const { unitId } = units[0]!;
  const picture = randomBytes(SIZE);
  const { end } = await pulling(jobId);
  const before = proxy.passedBytes();
  await tellHead(jobId, unitId, picture);
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([HEAD]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await partBytes()).toEqual([HEAD]);
  await bring(unitId, picture);
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([HALF]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await partBytes()).toEqual([HALF]);
  await commit(unitId);
  await expect.poll(() => readdir(folder), { timeout: 10_000 }).toEqual(['ahead.0001.exr']);
  expect((await readFile(join(folder, 'ahead.0001.exr'))).equals(picture)).toBe(true);
  expect(proxy.passedBytes() - before).toBeLessThan(SIZE + 20_000);
  await end();
});

it('brings as much again also where the frame lies in the store before its head has crossed', async () => {
  const { jobId, units, bring, commit } = await leased('slow', 1);
  const { unitId } = units[0]!;
  const picture = randomBytes(SIZE);
  const { end } = await pulling(jobId);
  const release = proxy.hold();
  await tellHead(jobId, unitId, picture);
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([0]);
  await bring(unitId, picture);
  await new Promise((resolve) => setTimeout(resolve, 300));
  release();
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([HALF]);
  await commit(unitId);
  await expect.poll(() => readdir(folder), { timeout: 10_000 }).toEqual(['slow.0001.exr']);
  expect((await readFile(join(folder, 'slow.0001.exr'))).equals(picture)).toBe(true);
  await end();
});

it('a head of another frame than was committed leaves nothing, and one of wrong bytes does no harm', async () => {
  for (const [name, headOf] of Object.entries({
    other: () => randomBytes(SIZE),
    wrong: (picture: Buffer) => Buffer.concat([randomBytes(HEAD), picture.subarray(HEAD)]),
  })) {
    folder = await mkdtemp(join(root, 'to-'));
    const { jobId, units, bring, commit } = await leased(name, 1);
    const { unitId } = units[0]!;
    const picture = randomBytes(SIZE);
    const { end } = await pulling(jobId);
    await tellHead(jobId, unitId, headOf(picture));
    await expect.poll(partBytes, { timeout: 10_000 }).toEqual([HEAD]);
    await bring(unitId, picture);
    await commit(unitId);
    await expect.poll(() => readdir(folder), { timeout: 10_000 }).toEqual([`${name}.0001.exr`]);
    expect((await readFile(join(folder, `${name}.0001.exr`))).equals(picture), name).toBe(true);
    await end();
  }
});

it('leaves nothing of a frame that is refused, or that is still being judged when the pull ends', async () => {
  const { jobId, units, leaseNumber, bring } = await leased('refused', 2);
  const { end } = await pulling(jobId);
  const [one, two] = units.map(({ unitId }) => unitId) as [string, string];
  await bring(one, randomBytes(SIZE));
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([HALF]);
  await farm.record.database.asService((tx) =>
    refuseUnit(tx, { unitId: one, leaseNumber, code: 'FrameRefused', message: 'black', reason: 'nan' }),
  );
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([]);
  await bring(two, randomBytes(SIZE));
  await expect.poll(partBytes, { timeout: 10_000 }).toEqual([HALF]);
  await end();
  expect(await readdir(folder)).toEqual([]);
});

it('the farm gives no other part of such a frame, and none when it is foreign, committed or the job is over', async () => {
  const { jobId, units, bring, commit } = await leased('asked', 3);
  const [one, two] = units.map(({ unitId }) => unitId) as [string, string];
  const picture = randomBytes(SIZE);
  await bring(one, picture);
  await bring(two, randomBytes(1000));
  const ask = async (as = client) => (await as.frameHeads(jobId, [one, two, units[2]!.unitId])).items;
  const [head, ...others] = await ask();
  expect(others).toEqual([]);
  expect(head).toMatchObject({ unitId: one, siteId, name: 'asked.0001.exr', sizeBytes: SIZE, headBytes: HEAD });
  const { url, nextUrl } = head!;
  for (const [address, from] of [
    [url, 0],
    [nextUrl, HEAD],
  ] as const) {
    const get = (headers: Record<string, string>) => fetch(address, { headers });
    const right = await get({ range: byteRange(from, HEAD) });
    expect(right.status).toBe(206);
    expect(Buffer.from(await right.arrayBuffer()).equals(picture.subarray(from, from + HEAD))).toBe(true);
    for (const range of [byteRange(from, HEAD + 1), byteRange(HALF, HALF), `bytes=${from}-`]) {
      expect((await get({ range })).status, range).toBe(403);
    }
    expect([400, 403]).toContain((await get({})).status);
  }
  const stranger = await addStudio(farm.record.database, 'south');
  const foreign = new FarmClient({ url: farm.url, key: await farm.key(stranger, 'td') });
  await expect(ask(foreign)).rejects.toMatchObject({ code: 'JobNotFound' });
  await commit(one);
  expect(await ask()).toEqual([]);

  const over = await leased('over', 1);
  await over.bring(over.units[0]!.unitId, picture);
  await farm.record.database.asService((tx) => transitionJob(tx, { jobId: over.jobId, to: 'stopping' }));
  expect((await client.frameHeads(over.jobId, [over.units[0]!.unitId])).items).toEqual([]);
});
