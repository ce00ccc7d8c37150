/** One file from real stores to disk, whatever happens on the way. `FARM_TRANSFER_KILLS` sets how often it is killed. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openFrameSources } from '../../../test/support/frameSources.ts';
import { type DownloadOptions, download, type RemoteFile } from './download.ts';
import { PartFiles } from './partFiles.ts';

const KILLS = Number(process.env.FARM_TRANSFER_KILLS ?? 5);
const SIZE = 3_000_000;
const bytes = randomBytes(SIZE);
const built = join(dirname(fileURLToPath(import.meta.url)), '../../../dist/cli/sdk/delivery');
/** As source text. */
const moduleOf = (name: string): string => JSON.stringify(pathToFileURL(join(built, `${name}.js`)).href);

let root: string;
let folder: string;
const { hash, right, cut, wrong, proxy } = await openFrameSources(bytes);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'framewright-download-'));
});
afterAll(async () => {
  await proxy.close();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'to-'));
  proxy.cutAfter(Number.POSITIVE_INFINITY);
});

const file = (...sources: string[]): RemoteFile => ({
  name: 'shot/frame.0001.exr',
  hash,
  sizeBytes: SIZE,
  sources: sources.map((url) => ({ url })),
});
async function get(sources: string[], options: Partial<DownloadOptions> = {}) {
  const parts = new PartFiles(folder);
  const sourcesAgain = async () => sources.map((url) => ({ url }));
  const conduct = { parts, sourcesAgain, patienceMs: 500, stallMs: 300 };
  return download(file(...sources), { ...conduct, ...options }).finally(() => parts.close());
}
const target = (): string => join(folder, 'shot', 'frame.0001.exr');
/** The most that is there of a file that is not whole. */
async function partBytes(): Promise<number> {
  const names = await readdir(dirname(target())).catch(() => []);
  const parts = names.filter((name) => name.endsWith('.part')).map((name) => stat(join(dirname(target()), name)));
  return Math.max(0, ...(await Promise.all(parts)).map(({ size }) => size));
}

async function expectWhole(): Promise<void> {
  expect((await readFile(target())).equals(bytes)).toBe(true);
  expect(await readdir(dirname(target()))).toEqual(['frame.0001.exr']);
}

it('downloads once, and knows what is there', async () => {
  expect(await get([right])).toEqual({ skipped: false, receivedBytes: SIZE });
  await expectWhole();
  expect(await get([right])).toEqual({ skipped: true, receivedBytes: 0 });
});

it(
  `goes on where it was killed, at any byte (${KILLS} times)`,
  async () => {
    const random = xoroshiro128plus(20_261_123);
    for (let run = 0; run < KILLS; run++) {
      await rm(dirname(target()), { recursive: true, force: true });
      // Two kills in one file; the second process finds what the first left.
      for (let kill = 0; kill < 2; kill++) await killedAfter((random.next() >>> 0) % (SIZE / 2));
      expect(await readdir(dirname(target()))).not.toContain('frame.0001.exr');
      const kept = await partBytes();
      expect((await get([right])).receivedBytes).toBe(SIZE - kept);
      await expectWhole();
    }
  },
  30_000 + KILLS * 20_000,
);

/** A process of its own downloads by way of the proxy and is killed when so many bytes have come through. */
async function killedAfter(passing: number): Promise<void> {
  const options = `{ parts: new PartFiles(${JSON.stringify(folder)}), sourcesAgain: async () => [] }`;
  const script = `import { download } from ${moduleOf('download')};
    import { PartFiles } from ${moduleOf('partFiles')};
    await download(${JSON.stringify(file(cut))}, ${options});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // Some of what came through has reached the disk, some not.
  proxy.cutAfter(passing + 1, () => setTimeout(() => child.kill('SIGKILL'), passing % 20));
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
  proxy.dropAll();
  proxy.cutAfter(Number.POSITIVE_INFINITY);
}

it('leaves a source that stalls, breaks off or is gone for another, and keeps what came', async () => {
  proxy.cutAfter(1_000_000);
  expect(await get([cut, right])).toMatchObject({ receivedBytes: expect.any(Number) });
  await expectWhole();
  await rm(target());
  proxy.cutAfter(2_000_000, () => proxy.dropAll());
  await get([cut, right]);
  await expectWhole();
  await rm(target());
  await get(['http://127.0.0.1:9/gone', right]);
  await expectWhole();
});

it('asks another source also when the one that lies took longer than patience lasts', async () => {
  const lying = createServer(async (_, response) => {
    response.writeHead(200, { 'content-length': SIZE });
    const spoiled = Buffer.from(bytes);
    spoiled[5]! ^= 1;
    for (let at = 0; at < SIZE; at += SIZE / 4) {
      response.write(spoiled.subarray(at, at + SIZE / 4));
      await sleep(300);
    }
    response.end();
  });
  lying.listen(0, '127.0.0.1');
  await once(lying, 'listening');
  try {
    const { port } = lying.address() as AddressInfo;
    await get([`http://127.0.0.1:${port}/`, right], { patienceMs: 500, stallMs: 2_000 });
    await expectWhole();
  } finally {
    lying.close();
  }
});

it('leaves a source that lies for another, else says which file and where', async () => {
  await get([wrong, right]);
  await expectWhole();
  await rm(target());
  const place = { file: 'shot/frame.0001.exr', offset: 0, sizeBytes: SIZE };
  await expect(get([wrong])).rejects.toMatchObject({ code: 'HashMismatch', place });
  expect(await readdir(dirname(target()))).toEqual([]);
  proxy.cutAfter(1_234_567);
  const broken = await get([cut]).catch((error: unknown) => error);
  const offset = await partBytes();
  expect(broken).toMatchObject({ code: 'StoreFailed', place: { file: 'shot/frame.0001.exr', offset } });
  expect(offset).toBeGreaterThan(1_000_000);
  // A beginning that is not the right one is noticed at the end, and begun anew.
  await rm(dirname(target()), { recursive: true });
  await leave(randomBytes(1000));
  await get([right]);
  await expectWhole();
});

/** Leaves a part of somebody's; of nobody known as earlier versions did. */
async function leave(beginning: Buffer, owner = ''): Promise<string> {
  await mkdir(dirname(target()), { recursive: true });
  const path = `${target()}.${hash.slice(0, 8)}${owner}.part`;
  await writeFile(path, beginning);
  return path;
}

it('goes on from the longest that the dead, other hosts and earlier versions left, and removes it', async () => {
  await leave(bytes.subarray(0, 1_000));
  await leave(bytes.subarray(0, 70_000), '~abcdabcd-1.1-abcdabcd');
  expect((await get([right])).receivedBytes).toBe(SIZE - 70_000);
  await expectWhole();
});

it('two at once write nothing of one another', async () => {
  proxy.cutAfter(SIZE / 2);
  const first = get([cut], { patienceMs: 20_000, stallMs: 20_000 });
  await expect.poll(partBytes).toBeGreaterThan(SIZE / 4);
  expect(await get([right])).toEqual({ skipped: false, receivedBytes: SIZE });
  const { ino, mtimeMs } = await stat(target());
  proxy.cutAfter(Number.POSITIVE_INFINITY);
  proxy.dropAll();
  await first;
  await expectWhole();
  expect(await stat(target())).toMatchObject({ ino, mtimeMs });
});

it.skipIf(process.getuid?.() !== 0)(
  'says when the disk is full or read-only, and leaves nothing under the name',
  async () => {
    folder = join(root, 'small');
    await mkdir(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    try {
      await expect(get([right])).rejects.toMatchObject({ code: 'DiskFull', place: { folder } });
      expect(await readdir(dirname(target()))).not.toContain('frame.0001.exr');
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      await expect(get([right])).rejects.toMatchObject({ code: 'NotWritable', place: { folder, path: target() } });
      execFileSync('mount', ['-o', 'remount,rw,size=8m', folder]);
      await get([right]);
      await expectWhole();
    } finally {
      execFileSync('umount', [folder]);
    }
  },
);

it('ends at once, and says what is in the way of a file', async () => {
  const began = performance.now();
  const path = target();
  const refused = async (how: string): Promise<void> => {
    const failing = get([right], { patienceMs: 60_000 });
    await expect(failing, how).rejects.toMatchObject({ code: 'NotWritable', place: { folder, path: target() } });
  };
  await mkdir(path, { recursive: true });
  await refused('a folder has its name');
  await rm(dirname(path), { recursive: true });
  await writeFile(dirname(path), 'a file where its folder should be');
  await refused('a file is its folder');
  folder = join(folder, 'x'.repeat(300));
  await refused('no name is as long');
  expect(performance.now() - began).toBeLessThan(5_000);
});
