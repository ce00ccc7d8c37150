/** First parts of frames at the gateway: who may put one, when it is wanted, and what those who follow the job hear. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FarmClient } from '../../../cli/sdk/client.ts';
import { loseLease } from '../../../ports/db/chunks.ts';
import { commitUnit } from '../../../ports/db/commit.ts';
import { acknowledgeFrames } from '../../../ports/db/deliveries.ts';
import type { StoredFile } from '../../../ports/db/documents.ts';
import { transitionJob } from '../../../ports/db/jobs.ts';
import { joinByHand } from '../../../test/support/nodes.ts';
import { addJob, addStudio } from '../../../test/support/rows.ts';
import { openTestApi, type TestApi } from '../testing/openApi.ts';

const SIZE = 4_000_000;
const HEAD = SIZE / 4;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (bytes: Buffer) => ({ hash: sha256(bytes), sizeBytes: bytes.length });

let farm: TestApi;
let studioId: string;
let client: FarmClient;
let files: StoredFile[];

beforeAll(async () => {
  farm = await openTestApi({ leaseMs: 30_000, claimWaitMs: 2_000 });
  studioId = await addStudio(farm.record.database, 'north');
  client = new FarmClient({ url: farm.url, key: await farm.key(studioId, 'td') });
  const scene = randomBytes(3_000);
  await farm.store.put(studioId, 'blobs', scene, 'application/octet-stream');
  files = [{ path: 'shot/scene.glb', sizeBytes: scene.length, hash: sha256(scene) }];
});
afterAll(() => farm?.close());

let nodes = 0;
async function leased(frames = 1) {
  nodes += 1;
  const { gateway } = await joinByHand(farm.url, `heads-${nodes}`);
  const { jobId } = await addJob(farm.record.database, { studioId, files, priority: nodes, frames });
  const lease = (await gateway.claim({ version: 1, cachedHashes: [], waitMs: 2_000 })).lease!;
  expect(lease.jobId).toBe(jobId);
  const of = (index: number, picture: Buffer, head = bytesOf(picture.subarray(0, HEAD))) => {
    const key = { leaseNumber: lease.leaseNumber, unitId: lease.units[index]!.unitId };
    const exr = bytesOf(picture);
    return {
      key,
      exr,
      announce: () => gateway.announce(lease.chunkId, { ...key, artifacts: [{ kind: 'exr', ...exr }], head }),
      tell: () => gateway.head(lease.chunkId, { ...key, exr, head }),
      async deliver() {
        await farm.store.put(studioId, 'frames', picture, 'image/x-exr');
        const measurements = { renderSeconds: 1, samples: 1, rays: 1, width: 8, height: 8, channels: ['R'] };
        await gateway.report(lease.chunkId, { ...key, artifacts: [{ kind: 'exr', ...exr }], measurements });
      },
    };
  };
  return { jobId, lease, of };
}

it('takes a head for a studio that has nothing else of the job to take, and says where it lies', async () => {
  const { jobId, of } = await leased(2);
  const picture = randomBytes(SIZE);
  const one = of(0, picture);
  const { head } = await one.announce();
  expect((await fetch(head!.url!, { method: 'PUT', body: randomBytes(HEAD) })).status).toBe(400);
  expect((await fetch(head!.url!, { method: 'PUT', body: picture.subarray(0, HEAD) })).status).toBe(200);
  expect((await one.announce()).head).toMatchObject({ url: null });

  const stop = new AbortController();
  const heard: Record<string, unknown>[] = [];
  const following = (async () => {
    for await (const event of client.events(jobId, { signal: stop.signal }))
      if (event.type === 'unit.head') heard.push(event.data);
  })();
  await expect
    .poll(async () => {
      if (heard.length === 0) await one.tell();
      return heard.length;
    })
    .toBeGreaterThan(0);
  stop.abort();
  await following;
  const { name } = await client.job(jobId);
  expect(heard[0]).toMatchObject({
    unitId: one.key.unitId,
    siteId: null,
    name: `${name}.0001.exr`,
    headBytes: HEAD,
    ...one.exr,
  });
  const url = String(heard[0]!.url);
  const right = await fetch(url, { headers: { range: `bytes=0-${HEAD - 1}` } });
  expect(Buffer.from(await right.arrayBuffer()).equals(picture.subarray(0, HEAD))).toBe(true);

  // Its link has this frame to carry until the studio says that it has it.
  await one.deliver();
  const two = of(1, randomBytes(SIZE));
  expect((await two.announce()).head).toBeNull();
  const { database } = farm.record;
  await database.asService((tx) => commitUnit(tx, one.key));
  expect((await two.announce()).head).toBeNull();
  const frames = [{ unitId: one.key.unitId, hash: one.exr.hash }];
  await database.asService((tx) => acknowledgeFrames(tx, { jobId, frames }));
  expect((await two.announce()).head).toMatchObject({ url: expect.stringContaining('http') });
});

it('refuses a head that is more or less than a quarter, and one of a small frame', async () => {
  const { of } = await leased();
  const refused = { code: 'RequestInvalid', place: { field: 'head' } };
  const picture = randomBytes(SIZE);
  for (const size of [HEAD - 1, HEAD + 1, SIZE]) {
    const { announce, tell } = of(0, picture, bytesOf(picture.subarray(0, size)));
    await expect(announce()).rejects.toMatchObject(refused);
    await expect(tell()).rejects.toMatchObject(refused);
  }
  const small = picture.subarray(0, 1000);
  await expect(of(0, small, bytesOf(small.subarray(0, 250))).announce()).rejects.toMatchObject(refused);
});

it('tells of no head whose lease is lost, nor when the frame is delivered or the job stops', async () => {
  const { database } = farm.record;
  const head = async (jobId: string, act: () => Promise<void>): Promise<unknown[]> => {
    const stop = new AbortController();
    const types: string[] = [];
    const { eventSeq } = await client.job(jobId);
    const following = (async () => {
      for await (const event of client.events(jobId, { after: eventSeq, signal: stop.signal })) types.push(event.type);
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await act();
    await new Promise((resolve) => setTimeout(resolve, 300));
    stop.abort();
    await following;
    return types.filter((type) => type === 'unit.head');
  };
  const lost = await leased();
  const gone = lost.of(0, randomBytes(SIZE));
  expect(await head(lost.jobId, () => gone.tell())).toHaveLength(1);
  await database.asService((tx) =>
    loseLease(tx, { chunkId: lost.lease.chunkId, leaseNumber: lost.lease.leaseNumber, reason: 'silent' }),
  );
  await expect(gone.tell()).rejects.toMatchObject({ code: 'LeaseLost' });

  const delivered = await leased(2);
  const there = delivered.of(0, randomBytes(SIZE));
  await there.deliver();
  expect(await head(delivered.jobId, () => there.tell())).toEqual([]);
  await database.asService((tx) => transitionJob(tx, { jobId: delivered.jobId, to: 'stopping' }));
  expect(await head(delivered.jobId, () => delivered.of(1, randomBytes(SIZE)).tell())).toEqual([]);
});
