import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestBucket, putRaw, type TestBucket } from '../../test/support/services.ts';
import { MAY_MOUNT, mountSmallDisk } from '../../test/support/smallDisk.ts';
import { createMinioStore } from './minioStore.ts';
import { type ObjectStore, objectKey } from './objectStore.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('the object store', () => {
  let bucket: TestBucket;
  let store: ObjectStore;
  let folder: string;
  const studioId = uuidv7();

  beforeAll(async () => {
    bucket = await createTestBucket();
    store = createMinioStore(bucket);
    folder = await mkdtemp(join(tmpdir(), 'framewright-store-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const announce = (bytes: Buffer) =>
    store.presignPut({
      studioId,
      kind: 'frames',
      hash: sha256(bytes),
      sizeBytes: bytes.length,
      expiresSeconds: 60,
    });

  it('takes exactly the announced bytes', async () => {
    const bytes = randomBytes(5_000);
    const { url, headers } = await announce(bytes);
    const answer = await fetch(url, { method: 'PUT', body: bytes, headers });
    expect(answer.status).toBe(200);
    expect(await store.stat(studioId, 'frames', sha256(bytes))).toEqual({ sizeBytes: 5_000 });
    expect(await store.get(studioId, 'frames', sha256(bytes))).toEqual(bytes);
  });

  it.skipIf(!MAY_MOUNT)('tells a full disk of its own machine from what a store cannot give', async () => {
    const { hash } = await store.put(studioId, 'blobs', randomBytes(3_000_000), 'application/octet-stream');
    const small = mountSmallDisk(await mkdtemp(join(tmpdir(), 'framewright-small-')), 1);
    try {
      const path = join(small.folder, 'blob');
      await expect(store.getToFile(studioId, 'blobs', hash, path)).rejects.toMatchObject({
        ...{ code: 'DiskFull', place: { path, reason: 'ENOSPC' } },
      });
      expect(await readdir(small.folder)).toEqual([]);
    } finally {
      small.unmount();
      await rm(small.folder, { recursive: true });
    }
    await expect(store.getToFile(studioId, 'blobs', hash, join(folder, 'no', 'blob'))).rejects.toMatchObject({
      code: 'Internal',
    });
  });

  it('refuses other bytes of the same length with 400 and keeps nothing', async () => {
    const bytes = randomBytes(5_000);
    const other = Buffer.from(bytes);
    other[4_999]! ^= 1;
    const { url, headers } = await announce(bytes);
    const answer = await fetch(url, { method: 'PUT', body: other, headers });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('XAmzContentSHA256Mismatch');
    expect(await store.stat(studioId, 'frames', sha256(bytes))).toBeNull();
    expect(await store.stat(studioId, 'frames', sha256(other))).toBeNull();
  });

  it('refuses another length, however the client declares its hash', async () => {
    const bytes = randomBytes(1_000);
    const longer = Buffer.concat([bytes, Buffer.from('!')]);
    const { url } = await announce(bytes);
    const headers = { 'x-amz-content-sha256': sha256(longer) };
    expect((await fetch(url, { method: 'PUT', body: longer })).status).toBe(403);
    expect((await fetch(url, { method: 'PUT', body: longer, headers })).status).toBeGreaterThanOrEqual(400);
    expect(await store.stat(studioId, 'frames', sha256(bytes))).toBeNull();
  });

  it('gives no address for bytes under the hash of none', async () => {
    // A store without MD5 sums also lets such a client put what it likes: some send this hash for all they put.
    const request = { studioId, kind: 'frames', hash: sha256(Buffer.alloc(0)), expiresSeconds: 60 } as const;
    await expect(store.presignPut({ ...request, sizeBytes: 5_000 })).rejects.toMatchObject({ code: 'HashMismatch' });
    const { url, headers } = await store.presignPut({ ...request, sizeBytes: 0 });
    expect((await fetch(url, { method: 'PUT', body: randomBytes(5_000), headers })).ok).toBe(false);
    expect((await fetch(url, { method: 'PUT', body: '', headers })).ok).toBe(true);
    expect(await store.stat(studioId, 'frames', request.hash)).toEqual({ sizeBytes: 0 });
  });

  it('does not let an address be used for another key, method or hash', async () => {
    const bytes = randomBytes(100);
    const other = randomBytes(100);
    const { url } = await announce(bytes);
    const otherKey = url.replace(`/${sha256(bytes)}?`, `/${sha256(other)}?`);
    expect((await fetch(otherKey, { method: 'PUT', body: bytes })).status).toBe(403);
    const otherHash = url.replace(`X-Amz-Content-Sha256=${sha256(bytes)}`, `X-Amz-Content-Sha256=${sha256(other)}`);
    expect((await fetch(otherHash, { method: 'PUT', body: other })).status).toBe(403);
    expect((await fetch(url)).status).toBe(403);
    const foreignStudio = url.replace(studioId, uuidv7());
    expect((await fetch(foreignStudio, { method: 'PUT', body: bytes })).status).toBe(403);
  });

  it('lets a page of any address send, as uploads go straight to the store', async () => {
    const { url } = await announce(randomBytes(10));
    const headers = { origin: 'http://127.0.0.1:1', 'access-control-request-method': 'PUT' };
    const answer = await fetch(url, { method: 'OPTIONS', headers });
    expect(answer.ok).toBe(true);
    expect(answer.headers.get('access-control-allow-origin')).toMatch(/^(\*|http:\/\/127\.0\.0\.1:1)$/);
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT');
  });

  it('reads by presigned address, in ranges and under a name', async () => {
    const bytes = randomBytes(1_000);
    const { hash } = await store.put(studioId, 'outputs', bytes, 'video/mp4');
    const url = await store.presignGet({
      studioId,
      kind: 'outputs',
      hash,
      expiresSeconds: 60,
      fileName: 'Größe (1).mp4',
      contentType: 'video/mp4',
      disposition: 'attachment',
    });
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20));
    expect(part.headers.get('content-type')).toBe('video/mp4');
    expect(part.headers.get('content-disposition')).toContain("filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%281%29.mp4");
    expect((await fetch(url.replace(hash, sha256(randomBytes(3))))).status).toBe(403);
  });

  it('keeps studios apart, also for the same bytes', async () => {
    const bytes = randomBytes(64);
    const { hash } = await store.put(studioId, 'blobs', bytes, 'application/octet-stream');
    const stranger = uuidv7();
    expect(await store.stat(stranger, 'blobs', hash)).toBeNull();
    await expect(store.get(stranger, 'blobs', hash)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await listed(store, stranger)).toEqual([]);
    expect(await listed(store, studioId)).toContainEqual(
      expect.objectContaining({ kind: 'blobs', hash, sizeBytes: 64 }),
    );
    await store.remove(studioId, 'blobs', hash);
    await store.remove(studioId, 'blobs', hash);
    expect(await store.stat(studioId, 'blobs', hash)).toBeNull();
  });

  it('puts and fetches files, checked by hash, and leaves no half file', async () => {
    const bytes = randomBytes(300_000);
    const source = join(folder, 'source');
    await writeFile(source, bytes);
    const stored = await store.put(studioId, 'blobs', { path: source }, 'application/octet-stream');
    expect(stored).toEqual({ hash: sha256(bytes), sizeBytes: 300_000 });
    const target = join(folder, 'target');
    await store.getToFile(studioId, 'blobs', stored.hash, target);
    expect(await readFile(target)).toEqual(bytes);
    const absent = sha256(randomBytes(8));
    await expect(store.getToFile(studioId, 'blobs', absent, join(folder, 'absent'))).rejects.toMatchObject({
      code: 'NotFound',
    });
    expect((await readdir(folder)).sort()).toEqual(['source', 'target']);
  });

  it('notices bytes that went bad in the store', async () => {
    const bytes = randomBytes(64);
    const wrong = sha256(randomBytes(8));
    const { url } = await createMinioStore(bucket).presignPut({
      studioId,
      kind: 'blobs',
      hash: sha256(bytes),
      sizeBytes: 64,
      expiresSeconds: 60,
    });
    expect((await fetch(url, { method: 'PUT', body: bytes })).ok).toBe(true);
    // Copied by the store's own administrator under a name that is not its hash.
    await putRaw(bucket, objectKey(studioId, 'blobs', wrong), bytes);
    await expect(store.get(studioId, 'blobs', wrong)).rejects.toMatchObject({ code: 'HashMismatch' });
    await expect(store.getToFile(studioId, 'blobs', wrong, join(folder, 'wrong'))).rejects.toMatchObject({
      code: 'HashMismatch',
    });
  });

  it('says StoreFailed when nobody answers', async () => {
    const nowhere = createMinioStore({ ...bucket, endpoint: 'http://127.0.0.1:9' });
    await expect(nowhere.check()).rejects.toMatchObject({ code: 'StoreFailed' });
    const elsewhere = createMinioStore({ ...bucket, bucket: 'no-such-bucket' });
    await expect(elsewhere.check()).rejects.toMatchObject({ code: 'StoreFailed' });
  });
});

async function listed(store: ObjectStore, studioId: string): Promise<unknown[]> {
  const items = [];
  for await (const item of store.list(studioId)) items.push(item);
  return items;
}
