/** A pull from the real API over two sites, one of which goes silent in the middle of a frame. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../../../farm-ui/api/testing/openApi.ts';
import { commitUnit } from '../../../ports/db/commit.ts';
import { createMinioStore } from '../../../ports/store/minioStore.ts';
import { type CutProxy, startCutProxy } from '../../../test/support/cutProxy.ts';
import {
  addJob,
  addLeased,
  addNode,
  addStoreSite,
  addStudio,
  artifactsOf,
  deliver,
  mustClaim,
} from '../../../test/support/rows.ts';
import { createTestBucket, uniqueName } from '../../../test/support/services.ts';
import { FarmClient } from '../client.ts';
import { pullJob } from '../pull.ts';
import { openBucket } from './bucketAddress.ts';

const SIZE = 400_000;
const command = fileURLToPath(new URL('../../bin/farm.js', import.meta.url));
let farm: TestApi;
let folder: string;
const proxies: CutProxy[] = [];

beforeAll(async () => {
  farm = await openTestApi();
  folder = await mkdtemp(join(tmpdir(), 'framewright-pull-'));
});
afterAll(async () => {
  await farm?.close();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await rm(folder, { recursive: true, force: true });
});

/** A site with a bucket of its own behind a way that a test can cut. */
async function addSiteWithStore(): Promise<{
  siteId: string;
  proxy: CutProxy;
  put: (bytes: Buffer) => Promise<unknown>;
}> {
  const bucket = await createTestBucket();
  const proxy = await startCutProxy(bucket.endpoint);
  proxies.push(proxy);
  const far = { ...bucket, endpoint: proxy.url };
  const siteId = await addStoreSite(farm.record.database, uniqueName('site-'), far, bucket.endpoint);
  const store = createMinioStore(bucket);
  return { siteId, proxy, put: (bytes) => store.put(studioId, 'frames', bytes, 'image/x-exr') };
}

let studioId: string;

it('takes frames of all sites at once as they are committed; a silent site holds up no other', async () => {
  const { database, query } = farm.record;
  studioId = await addStudio(database, 'north');
  const client = new FarmClient({ url: farm.url, key: await farm.key(studioId, 'td') });
  const sites = [await addSiteWithStore(), await addSiteWithStore()];
  const { jobId } = await addJob(database, { studioId, frames: 8 });
  const node = await addNode(database, 'painter');
  const lease = await mustClaim(database, node);
  const pictures = lease.units.map(() => randomBytes(SIZE));

  const arrived: string[] = [];
  const stop = new AbortController();
  const onFile = (name: string): void => void arrived.push(name);
  const pulling = pullJob(client, jobId, { folder, wait: true, signal: stop.signal, onFile });
  // The second site lets half a frame through and is then silent, until everything of the first has arrived.
  sites[1]!.proxy.cutAfter(SIZE / 2);
  for (const [index, unit] of lease.units.entries()) {
    const { siteId, put } = sites[index % 2]!;
    const stored = (await put(pictures[index]!)) as { hash: string; sizeBytes: number };
    const artifacts = [{ kind: 'exr' as const, ...stored }, artifactsOf(unit.unitId)[1]!];
    await deliver(database, lease, node.id, unit.unitId, artifacts);
    await query('UPDATE units SET site_id = $1 WHERE id = $2', [siteId, unit.unitId]);
    await database.asService((tx) => commitUnit(tx, { unitId: unit.unitId, leaseNumber: lease.leaseNumber }));
  }
  const names = lease.units.map(({ frame }) => `shot.${String(frame).padStart(4, '0')}.exr`);
  await expect
    .poll(() => [...arrived].sort(), { timeout: 20_000 })
    .toEqual(names.filter((_, index) => index % 2 === 0));
  const busy = { code: 'TargetBusy', place: { folder, job: jobId, process: process.pid } };
  await expect(pullJob(client, jobId, { folder })).rejects.toMatchObject(busy);
  sites[1]!.proxy.cutAfter(Number.POSITIVE_INFINITY);
  sites[1]!.proxy.dropAll();
  await expect.poll(() => [...arrived].sort(), { timeout: 20_000 }).toEqual(names);
  stop.abort(new Error('seen enough'));
  await expect(pulling).rejects.toThrow('seen enough');
  for (const [index, name] of names.entries()) {
    expect((await readFile(join(folder, name))).equals(pictures[index]!), name).toBe(true);
  }
  expect((await readdir(folder)).sort()).toEqual(names);
  // The second site sent what it had sent before once only.
  expect(sites[1]!.proxy.passedBytes()).toBeLessThan(4.7 * SIZE);
  const again = await pullJob(client, jobId, { folder });
  expect(again).toMatchObject({ frames: 8, downloaded: 0, bytes: 0 });
  // Also what was there already is acknowledged.
  expect((await client.job(jobId)).delivery).toMatchObject({ status: 'delivered', delivered: 8, of: 8 });

  const studio = await createTestBucket();
  const environment = { AWS_ACCESS_KEY_ID: studio.accessKey, AWS_SECRET_ACCESS_KEY: studio.secretKey };
  const bucket = await openBucket(`s3://${studio.bucket}/v1`, { endpoint: studio.endpoint, environment });
  expect(await pullJob(client, jobId, { bucket })).toMatchObject({ frames: 8, downloaded: 8, bytes: 8 * SIZE });
  for (const [index, name] of names.entries()) {
    const parts: Buffer[] = [];
    for await (const part of await bucket.client.getObject(studio.bucket, `v1/${name}`)) parts.push(part as Buffer);
    expect(Buffer.concat(parts).equals(pictures[index]!), name).toBe(true);
  }
  expect(await pullJob(client, jobId, { bucket })).toMatchObject({ frames: 8, downloaded: 0 });

  // A pull that cannot deliver ends at once: before anything comes, or with the first file that is refused.
  const file = join(folder, names[0]!);
  const refused = (to: string, wait: boolean, path: string) =>
    expect(pullJob(client, jobId, { folder: to, wait })).rejects.toMatchObject({
      code: 'NotWritable',
      place: { path },
    });
  await refused(join(file, 'sub'), true, join(file, 'sub'));
  await refused(file, false, join(file, names[0]!));
  // Where Linux takes no folder at all.
  if (process.platform === 'linux') await refused('/proc/no-process', false, '/proc/no-process');
});

it('says as a command what is still to come, and a signal ends it with what has arrived', async () => {
  const { database } = farm.record;
  const { siteId, put } = await addSiteWithStore();
  const { jobId, node, lease } = await addLeased(database, { studioId, name: 'begun', frames: 2 });
  const { unitId } = lease.units[0]!;
  const stored = (await put(randomBytes(SIZE))) as { hash: string; sizeBytes: number };
  await deliver(database, lease, node.id, unitId, [{ kind: 'exr', ...stored }, artifactsOf(unitId)[1]!], siteId);
  await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
  const to = join(folder, "it's here");
  const env = { ...process.env, FARM_URL: farm.url, FARM_KEY: await farm.key(studioId, 'td'), NO_COLOR: '1' };
  const pull = async (kills: boolean, ...flags: string[]) => {
    let toKill = kills;
    const child = spawn(process.execPath, [command, 'pull', jobId, '--to', to, ...flags], { env });
    let text = '';
    const take = (bytes: Buffer): void => {
      text += bytes;
      if (!toKill || !text.includes('begun.0001.exr')) return;
      toKill = false;
      child.kill('SIGTERM');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const [exitCode] = await once(child, 'close');
    return { exitCode, text };
  };
  const now = await pull(false);
  expect(now.exitCode, now.text).toBe(0);
  expect(now.text).toContain(`1 of 2 frames are still to come`);
  expect(now.text).toContain(`farm pull ${jobId} --wait --to '${to.replace("'", `'\\''`)}'`);
  const stopped = await pull(true, '--wait');
  expect(stopped.exitCode, stopped.text).toBe(143);
  expect(stopped.text).toContain(`Stopped; what arrived whole is in ${to}.`);
  expect(await readdir(to)).toEqual(['begun.0001.exr']);
});
