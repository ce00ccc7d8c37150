import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seededBytes } from '../../../test/support/bytes.ts';
import type { FarmClient } from '../client.ts';
import { HashingThreads } from './threads.ts';
import { type LocalFile, uploadFiles } from './upload.ts';

describe('small files in an upload', () => {
  const received = new Map<string, string>();
  const store = http.createServer((request, response) => {
    const sum = createHash('sha256');
    request.on('data', (bytes) => sum.update(bytes));
    request.on('end', () => {
      received.set(request.url!.slice(1), sum.digest('hex'));
      response.end();
    });
  });
  const putOf = ({ hash }: { hash: string }) => ({
    hash,
    url: `http://127.0.0.1:${(store.address() as AddressInfo).port}/${hash}`,
    headers: {},
  });
  // A store that has nothing, and a farm that says so.
  const client = {
    missingBlobs: async (blobs: { hash: string }[]) => ({ missing: blobs.map(putOf) }),
  } as unknown as FarmClient;
  const files: LocalFile[] = [];
  const { pack } = HashingThreads.prototype;
  let folder: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
    folder = await mkdtemp(join(tmpdir(), 'framewright-small-'));
    for (let index = 0; index < 200; index++) {
      const path = `${index}.bin`;
      await writeFile(join(folder, path), seededBytes(60_000, path));
      files.push({ path, source: join(folder, path), sizeBytes: 60_000 });
    }
  });
  afterEach(() => {
    HashingThreads.prototype.pack = pack;
  });
  afterAll(async () => {
    store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('are in memory no longer than until they are sent, and are read again to be sent again', async () => {
    const built: WeakRef<Uint8Array>[] = [];
    HashingThreads.prototype.pack = async function (members) {
      const made = await pack.call(this, members);
      built.push(new WeakRef(made.bytes));
      return made;
    };
    const { blobs, sendAgain, close } = await uploadFiles(client, files, { memory: null, threads: 0 });
    expect(built.length).toBeGreaterThan(8);
    // What a weak reference was asked for or made of stays until the next turn.
    await new Promise((resolve) => setTimeout(resolve, 10));
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    // Engines may keep a last value in a register or on a finished stack; not all of them.
    expect(built.filter((bytes) => bytes.deref()).length).toBeLessThan(3);

    received.clear();
    await sendAgain(blobs!.map(putOf));
    await close();
    expect([...received].sort()).toEqual(blobs!.map(({ hash }) => [hash, hash]).sort());
  });
});
