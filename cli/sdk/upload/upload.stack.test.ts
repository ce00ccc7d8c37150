import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, open, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../../../farm-ui/api/testing/openApi.ts';
import { seededBytes } from '../../../test/support/bytes.ts';
import { addStudio } from '../../../test/support/rows.ts';
import { FarmClient } from '../client.ts';
import { fetchProject } from '../fetchProject.ts';
import { readProject } from '../project.ts';
import { type UploadProgress, uploadFiles } from './upload.ts';

/** Ten gigabytes take a while to hash: `npm run test:transfer` does it, `npm test` takes a smaller one. */
const SPARSE_BYTES = process.env.FARM_TRANSFER_KILLS ? 10 * 2 ** 30 : 200 * 2 ** 20;

describe('an upload', () => {
  let farm: TestApi;
  let client: FarmClient;
  let folder: string;
  let root: string;
  let memory: string;

  beforeAll(async () => {
    farm = await openTestApi();
    const studioId = await addStudio(farm.record.database, 'studio');
    client = new FarmClient({ url: farm.url, key: await farm.key(studioId, 'td') });
    folder = await mkdtemp(join(tmpdir(), 'framewright-upload-'));
    root = join(folder, 'project');
    memory = join(folder, 'memory.json');
    for (let index = 0; index < 300; index++) {
      await put(`cache/${index % 7}/${index}.txt`, seededBytes(1 + index * 3, `small ${index}`));
    }
    await put('shot.glb', seededBytes(70_000, 'scene'));
    await put('sim.bin', seededBytes(9_000_000, 'sim'));
    await put('empty.txt', Buffer.alloc(0));
    await put('same.txt', seededBytes(1 + 5 * 3, 'small 5'));
  });
  afterAll(async () => {
    await farm?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function put(path: string, bytes: Buffer): Promise<void> {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
    // As if it had been there for a while: what was just written is not remembered.
    await utimes(target, 1_700_000_000, 1_700_000_000);
  }

  /** Uploads the project as it is now and makes a job of it; answers what was sent. */
  async function upload(remember: string | null = null): Promise<{ jobId: string; progress: UploadProgress }> {
    const project = await readProject(root);
    let progress: UploadProgress = { totalBytes: 0, hashedBytes: 0, sentBytes: 0, presentBytes: 0 };
    const onProgress = (state: UploadProgress) => {
      progress = state;
    };
    const { files, blobs, close } = await uploadFiles(client, project.files, { memory: remember, onProgress });
    await close();
    const { id, missing } = await client.createJob({ name: 'shot', main: project.main, files, blobs });
    expect(missing).toEqual([]);
    expect(progress.hashedBytes).toBe(progress.totalBytes);
    return { jobId: id, progress };
  }

  it('brings every file, small ones together, and sends what is there already no second time', async () => {
    const first = await upload(memory);
    const { files } = await readProject(root);
    expect(first.progress.sentBytes).toBe(first.progress.totalBytes - 16);
    const stored = [];
    for await (const blob of farm.store.list((await client.me()).studio!.id, 'blobs')) stored.push(blob);
    expect(stored.length).toBeLessThan(10);
    const copy = await mkdtemp(join(folder, 'copy-'));
    expect(await fetchProject(client, first.jobId, copy)).toBe('shot.glb');
    // `toEqual` takes minutes for megabytes.
    const isSame = async (path: string, source: string) =>
      (await readFile(join(copy, path))).equals(await readFile(source));
    for (const { path, source } of files) expect([path, await isSame(path, source)]).toEqual([path, true]);

    expect((await upload()).progress.sentBytes).toBe(0);
    expect((await upload(memory)).progress.sentBytes).toBe(0);

    await put('cache/3/new.txt', Buffer.from('one more'));
    await put('sim.bin', Buffer.concat([Buffer.from('a header'), seededBytes(9_000_000, 'sim')]));
    const next = await upload(memory);
    expect(next.progress.sentBytes).toBeLessThan(6_000_000);
    expect(next.progress.presentBytes).toBeGreaterThan(3_000_000);
  });

  it('reads a file again when anything about it changed, whatever its time says', async () => {
    await upload(memory);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await upload(memory);
    const remembered = async () => Object.keys(JSON.parse(await readFile(memory, 'utf8')).files);
    expect(await remembered()).toContain(join(root, 'shot.glb'));
    const before = await stat(join(root, 'shot.glb'));
    await writeFile(join(root, 'shot.glb'), seededBytes(70_000, 'another scene'));
    await utimes(join(root, 'shot.glb'), before.atime, before.mtime);
    const { jobId, progress } = await upload(memory);
    expect(progress.sentBytes).toBe(70_000);
    const copy = await mkdtemp(join(folder, 'copy-'));
    await fetchProject(client, jobId, copy);
    expect((await readFile(join(copy, 'shot.glb'))).equals(seededBytes(70_000, 'another scene'))).toBe(true);
    // A file of nonsense costs time only.
    await writeFile(memory, '{"format":1');
    expect((await upload(memory)).progress.sentBytes).toBe(0);
  });

  it('names the file that changes between reading and sending', async () => {
    const path = 'sim.bin';
    await put(path, seededBytes(3_000_000, 'before'));
    const { files } = await readProject(root);
    const own = files.filter((file) => file.path === path);
    const changing = Object.assign(new FarmClient({ url: farm.url, key: '' }), {
      missingBlobs: async (blobs: Parameters<FarmClient['missingBlobs']>[0]) => {
        const answer = await client.missingBlobs(blobs);
        await writeFile(own[0]!.source, seededBytes(3_000_000, 'after'));
        return answer;
      },
    });
    const refusal = { code: 'SceneInvalid', place: { path }, message: expect.stringContaining('changed') };
    await expect(uploadFiles(changing, own, { memory: null })).rejects.toMatchObject(refusal);
    await appendFile(own[0]!.source, 'more');
    await expect(uploadFiles(client, own, { memory: null })).rejects.toMatchObject(refusal);
    await rm(own[0]!.source);
    await expect(uploadFiles(client, own, { memory: null })).rejects.toMatchObject({
      code: 'FileNotFound',
      place: { path },
    });
  });

  it('names the file that changes while it is read', async () => {
    const path = 'sim.bin';
    await put(path, seededBytes(9_000_000, 'whole'));
    const own = (await readProject(root)).files.filter((file) => file.path === path);
    const changes = [
      (source: string) => appendFileSync(source, 'more'),
      (source: string) => truncateSync(source, 8_500_000),
      (source: string) => writeFileSync(source, 'other', { flag: 'r+' }),
    ];
    for (const change of changes) {
      await put(path, seededBytes(9_000_000, 'whole'));
      let changed = false;
      const onProgress = () => {
        if (!changed) change(own[0]!.source);
        changed = true;
      };
      // Without threads the first chunk is told in the middle of the reading.
      await expect(uploadFiles(client, own, { memory: null, threads: 0, onProgress })).rejects.toMatchObject({
        ...{ code: 'SceneInvalid', place: { path }, message: expect.stringContaining('changed while it was read') },
      });
    }
    await put(path, seededBytes(9_000_000, 'whole'));
    expect((await upload()).progress.hashedBytes).toBeGreaterThan(9_000_000);
  });

  it(`takes a sparse file of ${SPARSE_BYTES / 2 ** 20} MiB for what it is, in little memory`, async () => {
    // What the project has beside it is there already, also where this test runs alone.
    await upload();
    const path = join(root, 'sparse.bin');
    const file = await open(path, 'w');
    await file.close();
    await truncate(path, SPARSE_BYTES);
    const { files } = await readProject(root);
    const before = process.memoryUsage().rss;
    const { progress } = await upload();
    expect(progress.hashedBytes).toBeGreaterThan(SPARSE_BYTES);
    expect(progress.sentBytes).toBeLessThanOrEqual(9 * 2 ** 20);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
    expect(files.some((found) => found.path === 'sparse.bin')).toBe(true);
    await rm(path);
  }, 900_000);

  it('ends at once when it is given up, and leaves no thread behind', async () => {
    await put('large.bin', seededBytes(20_000_000, 'large'));
    const { files } = await readProject(root);
    const giveUp = new AbortController();
    const onProgress = () => giveUp.abort(new Error('enough'));
    await expect(uploadFiles(client, files, { memory: null, onProgress, signal: giveUp.signal })).rejects.toThrow(
      'enough',
    );
    expect((await upload()).progress.presentBytes).toBeGreaterThan(0);
  });
});
