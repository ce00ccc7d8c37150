/** The cache that the nodes of a host share, filled from a real store by real processes, some of them killed in the middle. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uuidv7 } from 'uuidv7';
import { afterEach, expect, it } from 'vitest';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { startFaultyProxy } from '../support/faultyProxy.ts';
import { createTestBucket } from '../support/services.ts';

const KILLS = Number(process.env.FARM_TRANSFER_KILLS ?? 2);
/** The way to the store is slow, so that a kill finds blobs half way. */
const BYTES_PER_SECOND = 2e6;
const studioId = uuidv7();

interface TestBlob {
  hash: string;
  sizeBytes: number;
  bytes: Buffer;
}

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Different whole numbers below `below` by a seed. */
function numbers(seed: number): (below: number) => number {
  const random = xoroshiro128plus(seed);
  return (below) => (random.next() >>> 0) % below;
}

function blobsOf(next: (below: number) => number, count: number, mostBytes: number): TestBlob[] {
  return Array.from({ length: count }, () => {
    const bytes = Buffer.from(Array.from({ length: 1 + next(mostBytes) }, () => next(256)));
    return { bytes, sizeBytes: bytes.length, hash: createHash('sha256').update(bytes).digest('hex') };
  });
}

/** Blobs in a store of their own, with their addresses by way of a slow proxy that counts what it has sent. */
async function serve(blobs: readonly TestBlob[]) {
  const bucket = await createTestBucket();
  const proxy = await startFaultyProxy(bucket.endpoint);
  cleanUp.push(() => proxy.close());
  proxy.fault = { kind: 'slow', at: 0, bytesPerSecond: BYTES_PER_SECOND };
  const store = createMinioStore({ ...bucket, publicEndpoint: proxy.url });
  const urls: Record<string, string> = {};
  for (const { bytes, hash } of blobs) {
    await store.put(studioId, 'blobs', bytes, 'application/octet-stream');
    urls[hash] = await store.presignGet({ studioId, kind: 'blobs', hash, expiresSeconds: 3_600 });
  }
  return { urls, proxy };
}

/** A process with the cache; `done` says how many blobs it fetched itself. */
function start(folder: string, urls: Record<string, string>, capacity: number, blobs: readonly TestBlob[]) {
  const wanted = JSON.stringify(blobs.map(({ hash, sizeBytes }) => ({ hash, sizeBytes, url: urls[hash] })));
  const program = resolve('test/transfer/obtain-blobs.js');
  const child = spawn(process.execPath, [program, folder, String(capacity), wanted], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  cleanUp.push(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const done = new Promise<{ fetched: number }>((found, failed) => {
    child.stdout.once('data', (line) => found(JSON.parse(String(line)) as { fetched: number }));
    child.once('exit', (code, signal) => failed(new Error(`ended with ${code ?? signal}: ${errors.slice(-500)}`)));
  });
  done.catch(() => undefined);
  return { child, done, letGo: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  child.stdin!.end();
  await once(child, 'exit');
}

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-host-cache-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
};
const sizeOf = (blobs: readonly TestBlob[]): number => blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

it('fetches each blob once for all nodes of a host', async () => {
  const blobs = blobsOf(numbers(1), 6, 120_000);
  const [folder, { urls, proxy }] = [await newFolder(), await serve(blobs)];
  const nodes = [1, 2, 3].map(() => start(folder, urls, 1e9, blobs));
  const fetched = await Promise.all(nodes.map(async ({ done }) => (await done).fetched));
  expect(fetched.reduce((sum, count) => sum + count)).toBe(blobs.length);
  expect(proxy.sentBytes).toBe(sizeOf(blobs));
  await Promise.all(nodes.map(({ letGo }) => letGo()));
  // Those without a key are what a process makes its locks from.
  expect((await readdir(join(folder, 'locks'))).filter((name) => !name.startsWith('~'))).toEqual([]);
});

it(
  `goes on where a killed node stopped, ${KILLS} times`,
  async () => {
    const next = numbers(2);
    for (let kill = 0; kill < KILLS; kill++) {
      const blobs = blobsOf(next, 3, 200_000);
      const [folder, { urls, proxy }] = [await newFolder(), await serve(blobs)];
      const killAt = next(sizeOf(blobs));
      const victim = start(folder, urls, 1e9, blobs);
      while (proxy.sentBytes < killAt) await sleep(1);
      // Waits for the first one's blobs when it is killed, or just begins.
      const heir = start(folder, urls, 1e9, blobs);
      await sleep(next(150));
      victim.child.kill('SIGKILL');
      await heir.done;
      for (const { hash, bytes } of blobs) expect((await readFile(join(folder, hash))).equals(bytes)).toBe(true);
      expect(await readdir(join(folder, 'parts'))).toEqual([]);
      await heir.letGo();
    }
  },
  240_000 + KILLS * 10_000,
);

it('stays below its bound together, and evicts nothing that another node uses', async () => {
  const next = numbers(3);
  const [used, old, more] = [blobsOf(next, 2, 50_000), blobsOf(next, 2, 50_000), blobsOf(next, 2, 50_000)];
  const [folder, { urls }] = [await newFolder(), await serve([...used, ...old, ...more])];
  const bound = sizeOf(used) + Math.max(sizeOf(old), sizeOf(more));
  const user = start(folder, urls, bound, used);
  await user.done;
  const earlier = start(folder, urls, bound, old);
  await earlier.done;
  await earlier.letGo();
  const later = start(folder, urls, bound, more);
  await later.done;
  const held = (await readdir(folder)).filter((name) => name.length === 64);
  expect(held).toEqual(expect.arrayContaining([...used, ...more].map(({ hash }) => hash)));
  const all = [...used, ...old, ...more].filter(({ hash }) => held.includes(hash));
  expect(sizeOf(all)).toBeLessThanOrEqual(bound);
  const tooMuch = start(folder, urls, bound, old);
  await expect(tooMuch.done).rejects.toThrow('DiskFull');
  await Promise.all([user.letGo(), later.letGo()]);
});
