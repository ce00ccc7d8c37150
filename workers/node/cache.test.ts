import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobCache } from './cache.ts';
import type { PartFile } from './partFile.ts';

const blob = (size: number) => {
  const bytes = randomBytes(size);
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
};
const never = new AbortController().signal;
async function* parts(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 700) yield bytes.subarray(from, from + 700);
}

describe("a node's cache", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'framewright-cache-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fillWith = (bytes: Buffer) => async (part: PartFile) => {
    for await (const some of parts(bytes.subarray(part.sizeBytes))) await part.append(some);
  };
  const add = (cache: BlobCache, { bytes, hash }: { bytes: Buffer; hash: string }) =>
    cache.obtain(hash, bytes.length, fillWith(bytes), never);
  const blobsIn = async (path: string) => (await readdir(path)).filter((name) => name.length === 64);
  const usedBytes = async (path: string) => {
    const files = [...(await blobsIn(path)), ...(await readdir(join(path, 'parts'))).map((name) => `parts/${name}`)];
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(path, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  };

  it('gives back what it took, under the name the project wants', async () => {
    const cache = await BlobCache.open(join(folder, 'cache'), 10_000);
    const one = blob(2_000);
    await add(cache, one);
    expect(await cache.has(one.hash)).toBe(true);
    await cache.materialise(one.hash, join(folder, 'project', 'textures', 'wood.png'));
    expect(await readFile(join(folder, 'project', 'textures', 'wood.png'))).toEqual(one.bytes);
  });

  it('keeps nothing of bytes that hash to something else, or are too many or too few', async () => {
    const cache = await BlobCache.open(folder, 10_000);
    const one = blob(2_000);
    const wrong = Buffer.from(one.bytes);
    wrong[0]! ^= 1;
    for (const bytes of [wrong, Buffer.concat([one.bytes, one.bytes]), one.bytes.subarray(1)]) {
      await expect(cache.obtain(one.hash, 2_000, fillWith(bytes), never)).rejects.toMatchObject({
        code: 'HashMismatch',
      });
    }
    expect(await cache.has(one.hash)).toBe(false);
    expect(await blobsIn(folder)).toEqual([]);
    expect(await usedBytes(folder)).toBe(0);
  });

  it('drops what was used longest ago, never what is pinned', async () => {
    const cache = await BlobCache.open(folder, 3_000);
    const [a, b, c, d] = [blob(1_000), blob(1_000), blob(1_000), blob(1_000)] as const;
    for (const one of [a, b, c]) await add(cache, one);
    await cache.has(a.hash);
    await add(cache, d);
    expect([await cache.has(a.hash), await cache.has(b.hash), await cache.has(c.hash)]).toEqual([true, false, true]);
    const unpin = cache.pin([a.hash, c.hash, d.hash]);
    for (const one of [a, c, d]) await cache.has(one.hash);
    await expect(add(cache, b)).rejects.toMatchObject({ code: 'DiskFull' });
    await unpin();
    await add(cache, b);
    expect(await usedBytes(folder)).toBe(3_000);
    expect(await blobsIn(folder)).toHaveLength(3);
  });

  it('promises room to several at a time, and refuses no more than do not fit', async () => {
    const cache = await BlobCache.open(folder, 3_000);
    const blobs = Array.from({ length: 5 }, () => blob(1_000));
    cache.pin(blobs.map(({ hash }) => hash));
    const outcomes = await Promise.allSettled(blobs.map((one) => add(cache, one)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason.code);
    expect(refused).toEqual(['DiskFull', 'DiskFull']);
    expect(await blobsIn(folder)).toHaveLength(3);
    expect(await readFile(join(folder, 'used'), 'utf8')).toBe('3000');
  });

  it('has a pinned blob pinned from its first moment: whoever makes room then must not take it', async () => {
    const cache = await BlobCache.open(folder, 100_000);
    const blobs = Array.from({ length: 40 }, () => blob(1_000));
    cache.pin(blobs.map(({ hash }) => hash));
    for (const one of blobs) {
      let added = false;
      const adding = add(cache, one).finally(() => {
        added = true;
      });
      let names: number | undefined;
      while (names === undefined && !added) {
        names = await stat(cache.path(one.hash)).then(
          ({ nlink }) => nlink,
          () => undefined,
        );
      }
      await adding;
      expect(names ?? 2).toBe(2);
    }
  });

  it('knows after a restart what it held, newest first, and trusts none of it unread', async () => {
    const before = await BlobCache.open(folder, 10_000);
    const [good, cut, changed] = [blob(1_000), blob(1_000), blob(1_000)] as const;
    for (const one of [good, cut, changed]) await add(before, one);
    await rm(join(folder, cut.hash), { force: true });
    await writeFile(join(folder, cut.hash), cut.bytes);
    await truncate(join(folder, cut.hash), 999);
    await rm(join(folder, changed.hash), { force: true });
    await writeFile(join(folder, changed.hash), blob(1_000).bytes);
    const after = await BlobCache.open(folder, 10_000);
    expect(after.hashes(10).sort()).toEqual([good.hash, cut.hash, changed.hash].sort());
    expect([await after.has(good.hash), await after.has(cut.hash), await after.has(changed.hash)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await blobsIn(folder)).toEqual([good.hash]);
    expect(after.hashes(10)).toEqual([good.hash]);
  });

  it('shrinks to a smaller bound at the next start', async () => {
    const before = await BlobCache.open(folder, 10_000);
    for (let i = 0; i < 5; i++) await add(before, blob(1_000));
    const after = await BlobCache.open(folder, 2_500);
    expect(after.hashes(10)).toHaveLength(2);
    expect(await usedBytes(folder)).toBe(2_000);
  });
});
