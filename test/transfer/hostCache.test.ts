/** The cache that the nodes of a host share, with real processes, some of them killed in the middle. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterEach, expect, it } from 'vitest';

const KILLS = Number(process.env.FARM_TRANSFER_KILLS ?? 2);
/** Bytes sent at once, with a pause after each, so that a kill finds blobs half way. */
const SLICE_BYTES = 16 * 1024;

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

/** Serves blobs with byte ranges and counts what it has sent. */
async function serve(blobs: readonly TestBlob[]) {
  const sent = { bytes: 0 };
  const server = createServer(async (request, response) => {
    const blob = blobs.find(({ hash }) => request.url === `/${hash}`);
    if (!blob) return response.writeHead(404).end();
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': blob.sizeBytes - from });
    for (let at = from; at < blob.sizeBytes && !response.destroyed; at += SLICE_BYTES) {
      const slice = blob.bytes.subarray(at, at + SLICE_BYTES);
      response.write(slice);
      sent.bytes += slice.length;
      await sleep(2);
    }
    return response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

/** A process with the cache; `done` says how many blobs it fetched itself. */
function start(folder: string, url: string, capacity: number, blobs: readonly TestBlob[]) {
  const wanted = JSON.stringify(blobs.map(({ hash, sizeBytes }) => ({ hash, sizeBytes })));
  const program = resolve('test/transfer/obtain-blobs.js');
  const child = spawn(process.execPath, [program, folder, url, String(capacity), wanted], {
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
  const [folder, { url, sent }] = [await newFolder(), await serve(blobs)];
  const nodes = [1, 2, 3].map(() => start(folder, url, 1e9, blobs));
  const fetched = await Promise.all(nodes.map(async ({ done }) => (await done).fetched));
  expect(fetched.reduce((sum, count) => sum + count)).toBe(blobs.length);
  expect(sent.bytes).toBe(sizeOf(blobs));
  await Promise.all(nodes.map(({ letGo }) => letGo()));
  expect(await readdir(join(folder, 'locks'))).toEqual([]);
});

it(
  `goes on where a killed node stopped, ${KILLS} times`,
  async () => {
    const next = numbers(2);
    for (let kill = 0; kill < KILLS; kill++) {
      const blobs = blobsOf(next, 3, 200_000);
      const [folder, { url, sent }] = [await newFolder(), await serve(blobs)];
      const killAt = next(sizeOf(blobs));
      const victim = start(folder, url, 1e9, blobs);
      while (sent.bytes < killAt) await sleep(1);
      // Waits for the first one's blobs when it is killed, or just begins.
      const heir = start(folder, url, 1e9, blobs);
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
  const [folder, { url }] = [await newFolder(), await serve([...used, ...old, ...more])];
  const bound = sizeOf(used) + Math.max(sizeOf(old), sizeOf(more));
  const user = start(folder, url, bound, used);
  await user.done;
  const earlier = start(folder, url, bound, old);
  await earlier.done;
  await earlier.letGo();
  const later = start(folder, url, bound, more);
  await later.done;
  const held = (await readdir(folder)).filter((name) => name.length === 64);
  expect(held).toEqual(expect.arrayContaining([...used, ...more].map(({ hash }) => hash)));
  const all = [...used, ...old, ...more].filter(({ hash }) => held.includes(hash));
  expect(sizeOf(all)).toBeLessThanOrEqual(bound);
  const tooMuch = start(folder, url, bound, old);
  await expect(tooMuch.done).rejects.toThrow('DiskFull');
  await Promise.all([user.letGo(), later.letGo()]);
});
