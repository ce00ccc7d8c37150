import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProjectFile } from '../../domain/projectFiles.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { materialise, missingBlobs, uploadIncomplete } from './materialise.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('files of a submission', () => {
  const studioId = uuidv7();
  let store: ObjectStore;
  let root: string;
  beforeAll(async () => {
    store = createMinioStore(await createTestBucket());
    root = await mkdtemp(join(tmpdir(), 'framewright-materialise-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const put = async (bytes: Buffer) => (await store.put(studioId, 'blobs', bytes, 'application/octet-stream')).hash;

  it('are put together from parts, each checked as a whole', async () => {
    const bytes = randomBytes(50_000);
    const cuts = [bytes.subarray(0, 20_000), bytes.subarray(20_000, 45_000), bytes.subarray(45_000)];
    const blobs = await Promise.all(cuts.map(async (cut) => ({ hash: await put(cut), sizeBytes: cut.length })));
    const part = (index: number, offset: number, sizeBytes: number) => ({
      blob: blobs[index]!.hash,
      offset,
      sizeBytes,
    });
    const small = cuts[0]!.subarray(100, 110);
    const file = (path: string, content: Buffer, parts?: ProjectFile['parts']): ProjectFile => ({
      ...{ path, sizeBytes: content.length, hash: sha256(content) },
      ...(parts ? { parts } : {}),
    });
    const files = [
      file('scene.glb', bytes, [part(0, 0, 20_000), part(1, 0, 25_000), part(2, 0, 5_000)]),
      file('a/small.txt', small, [part(0, 100, 10)]),
      file('a/same.txt', small, [part(0, 100, 10)]),
      file('whole.bin', cuts[1]!),
    ];
    const submission = { formatVersion: 1 as const, main: 'scene.glb', template: '', files, blobs };
    expect(await missingBlobs(store, studioId, submission)).toEqual(new Set());
    await materialise(store, studioId, files, root);
    expect(await readFile(join(root, 'scene.glb'))).toEqual(bytes);
    expect(await readFile(join(root, 'a/small.txt'))).toEqual(small);
    expect(await readFile(join(root, 'a/same.txt'))).toEqual(small);
    expect(await readFile(join(root, 'whole.bin'))).toEqual(cuts[1]);

    const lying = [file('scene.glb', bytes, [part(1, 0, 25_000), part(0, 0, 20_000), part(2, 0, 5_000)])];
    await expect(materialise(store, studioId, lying, join(root, 'lying'))).rejects.toMatchObject({
      code: 'HashMismatch',
      place: { file: 'scene.glb' },
    });
    await store.remove(studioId, 'blobs', blobs[2]!.hash);
    const missing = await missingBlobs(store, studioId, submission);
    expect(missing).toEqual(new Set([blobs[2]!.hash]));
    expect(uploadIncomplete(submission, missing)).toMatchObject({ place: { missing: 1, file: 'scene.glb' } });
  });
});
