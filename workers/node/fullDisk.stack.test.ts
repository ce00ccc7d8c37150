/** A full disk of a node, and of a site's store: said with its place, nothing half-done stays, and work goes on elsewhere and later. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../../farm-ui/api/testing/openApi.ts';
import { locate } from '../../infra/bootstrap/locate.js';
import { choosePort } from '../../infra/stack/free-ports.ts';
import { createKeeper, type Keeper } from '../../infra/stack/keeper.ts';
import { type ManagedProcess, startProcess, untilReady } from '../../infra/stack/managed-process.ts';
import { STORE_REGION, storeProgram } from '../../infra/stack/store-program.ts';
import { offerChunk } from '../../ports/db/chunks.ts';
import type { StoredFile } from '../../ports/db/documents.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import type { RenderEngine } from '../../renderer/engine.ts';
import { seededBytes } from '../../test/support/bytes.ts';
import { startTestAgent } from '../../test/support/nodes.ts';
import { addJob, addStoreSite, addStudio } from '../../test/support/rows.ts';
import { MAY_MOUNT, mountSmallDisk, type SmallDisk } from '../../test/support/smallDisk.ts';
import { picture, tinyEngine } from '../../test/support/tinyEngine.ts';

const MIB = 2 ** 20;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const scene = seededBytes(700_000, 'scene');
const texture = seededBytes(1_300_000, 'texture');
const files: StoredFile[] = [
  { path: 'shot.glb', sizeBytes: scene.length, hash: sha256(scene) },
  { path: 'wood.png', sizeBytes: texture.length, hash: sha256(texture) },
];

describe.skipIf(!MAY_MOUNT)('a full disk', () => {
  let farm: TestApi;
  let studioId: string;
  let folder: string;
  const cleanUp: (() => Promise<unknown> | unknown)[] = [];

  beforeAll(async () => {
    farm = await openTestApi({ leaseMs: 10_000, heartbeatMs: 100, claimWaitMs: 500 });
    studioId = await addStudio(farm.record.database, 'north');
    for (const bytes of [scene, texture]) await farm.store.put(studioId, 'blobs', bytes, 'application/octet-stream');
    folder = await mkdtemp(join(tmpdir(), 'framewright-full-'));
  });
  afterAll(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
    await farm?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function smallDisk(name: string, megabytes: number): Promise<SmallDisk> {
    await mkdir(join(folder, name));
    const disk = mountSmallDisk(join(folder, name), megabytes);
    cleanUp.push(() => disk.unmount());
    return disk;
  }

  function startNode(
    ...[name, home, engine, site = 'local', storePatienceMs]: [string, string, RenderEngine, string?, number?]
  ) {
    const cacheBytes = 2 ** 30;
    const agent = startTestAgent(farm.url, { name, home, engine, site, cacheBytes, storePatienceMs });
    cleanUp.push(agent.stop);
    return agent;
  }

  const chunkOf = async (chunkId: string) => {
    const [chunk] = await farm.record.query<{
      status: string;
      leaseNumber: string;
      problem: Record<string, unknown> | null;
    }>('SELECT status, lease_number AS "leaseNumber", problem FROM chunks WHERE id = $1', [chunkId]);
    return chunk!;
  };
  const untilChunk = (chunkId: string, status: string) =>
    expect.poll(async () => (await chunkOf(chunkId)).status, { timeout: 30_000 }).toBe(status);
  const untilUploaded = (jobId: string, timeout = 30_000) =>
    expect
      .poll(
        async () =>
          (await farm.record.query<{ status: string }>('SELECT status FROM units WHERE job_id = $1', [jobId])).map(
            ({ status }) => status,
          ),
        { timeout },
      )
      .toEqual(['uploaded']);
  /** While it is the only one online, the node that failed would be given the chunk again. */
  const untilOnline = (name: string) =>
    expect
      .poll(() => farm.record.query('SELECT status FROM nodes WHERE name = $1', [name]), { timeout: 30_000 })
      .toEqual([{ status: 'online' }]);
  const offer = (chunkId: string) => farm.record.database.asService((tx) => offerChunk(tx, chunkId));

  it('of a node that stages fails the chunk with the path, leaves nothing half-done, and the node goes on when there is room', async () => {
    const disk = await smallDisk('stages', 1);
    const node = startNode('stages', disk.folder, tinyEngine());
    const { jobId, chunkIds } = await addJob(farm.record.database, { studioId, files });
    await untilChunk(chunkIds[0]!, 'failed');
    const { problem } = await chunkOf(chunkIds[0]!);
    expect(problem).toMatchObject({ code: 'DiskFull', place: { path: expect.stringContaining(disk.folder) } });
    await expect.poll(() => readdir(join(disk.folder, 'work')), { timeout: 10_000 }).toEqual([]);
    expect(await readdir(join(disk.folder, 'cache', 'parts'))).toEqual([]);
    disk.resize(8);
    await offer(chunkIds[0]!);
    await untilUploaded(jobId);
    await node.stop();
  });

  it('of a node gives way to what a lease needs where the cache holds what nobody uses', async () => {
    const disk = await smallDisk('evicts', 8);
    const node = startNode('evicts', disk.folder, tinyEngine());
    const other = seededBytes(2_000_000, 'another scene');
    await farm.store.put(studioId, 'blobs', other, 'application/octet-stream');
    const others = [{ path: 'other.glb', sizeBytes: other.length, hash: sha256(other) }];
    await untilUploaded((await addJob(farm.record.database, { studioId, files: others })).jobId);
    await disk.fill(500_000);
    await untilUploaded((await addJob(farm.record.database, { studioId, files })).jobId);
    expect(await readdir(join(disk.folder, 'cache'))).not.toContain(others[0]!.hash);
    await node.stop();
  });

  it('of a node that renders fails the chunk, and another node renders it', async () => {
    const disk = await smallDisk('renders', 16);
    const engine = tinyEngine(async () => void (await disk.fill(100_000)), MIB);
    const full = startNode('renders', disk.folder, engine);
    const { jobId, chunkIds } = await addJob(farm.record.database, { studioId, files });
    await untilChunk(chunkIds[0]!, 'failed');
    expect((await chunkOf(chunkIds[0]!)).problem).toMatchObject({
      code: 'DiskFull',
      place: { path: expect.stringContaining(disk.folder) },
    });
    await expect.poll(() => readdir(join(disk.folder, 'work')), { timeout: 10_000 }).toEqual([]);
    const roomy = startNode('roomy', join(folder, 'roomy'), tinyEngine(undefined, MIB));
    await untilOnline('roomy');
    await offer(chunkIds[0]!);
    await untilUploaded(jobId);
    await Promise.all([full.stop(), roomy.stop()]);
  });

  it("of a site's store is waited for and said in the lease's log; the same lease delivers when there is room", async () => {
    const disk = await smallDisk('patient', 24);
    const { siteId, endpoint } = await startSite('barn', disk);
    await disk.fill(MIB);
    const node = startNode('patient', join(folder, 'at-the-barn'), tinyEngine(undefined, 3 * MIB), 'barn');
    const { jobId, chunkIds } = await addJob(farm.record.database, { studioId, files });
    const lines = async () =>
      (
        await farm.record.query<{ line: string }>(
          `SELECT data ->> 'line' AS line FROM job_events WHERE job_id = $1 AND type = 'log'`,
          [jobId],
        )
      ).map(({ line }) => line);
    const said = `No space is left on the disk of the object store at ${endpoint}.`;
    await expect.poll(async () => (await lines()).join('\n'), { timeout: 30_000 }).toContain(said);
    expect(await chunkOf(chunkIds[0]!)).toMatchObject({ status: 'leased', problem: null });
    await rm(join(disk.folder, 'filler'));
    await untilUploaded(jobId, 90_000);
    expect(await chunkOf(chunkIds[0]!)).toMatchObject({ leaseNumber: '1', problem: null });
    expect(await farm.record.query('SELECT site_id AS "siteId" FROM units WHERE job_id = $1', [jobId])).toEqual([
      { siteId },
    ]);
    expect((await lines()).filter((line) => line.includes(said))).toHaveLength(1);
    await node.stop();
  });

  it("of a site's store fails the chunk with the store's address; a node elsewhere delivers, and the site goes on when there is room", async () => {
    const disk = await smallDisk('store', 24);
    const { siteId, store, endpoint } = await startSite('garage', disk);
    await disk.fill(MIB);
    const engine = tinyEngine(undefined, 3 * MIB);
    const full = startNode('at-the-site', join(folder, 'at-the-site'), engine, 'garage', 500);
    const { jobId, chunkIds } = await addJob(farm.record.database, { studioId, files });
    await untilChunk(chunkIds[0]!, 'failed');
    const { problem } = await chunkOf(chunkIds[0]!);
    expect(problem).toMatchObject({ code: 'DiskFull', place: { origin: endpoint } });
    const exr = sha256(picture(scene, 1, 'exr', 3 * MIB));
    expect(await store.stat(studioId, 'frames', exr)).toBeNull();
    const roomy = startNode('at-home', join(folder, 'at-home'), engine);
    await untilOnline('at-home');
    await offer(chunkIds[0]!);
    await untilUploaded(jobId);
    expect((await farm.store.stat(studioId, 'frames', exr))?.sizeBytes).toBe(3 * MIB);
    await roomy.stop();
    await rm(join(disk.folder, 'filler'));
    // The server looks at its disk now and then only; until then it refuses, and the chunk would fail once more.
    const putFrame = () => store.put(studioId, 'outputs', Buffer.alloc(3 * MIB), 'image/x-exr').then(() => true);
    await expect.poll(() => putFrame().catch(() => false), { timeout: 60_000, interval: 500 }).toBe(true);
    const later = await addJob(farm.record.database, { studioId, files });
    await untilUploaded(later.jobId);
    const [unit] = await farm.record.query<{ siteId: string }>(
      'SELECT site_id AS "siteId" FROM units WHERE job_id = $1',
      [later.jobId],
    );
    expect(unit!.siteId).toBe(siteId);
    await full.stop();
  });

  /** A site with a store of its own on that disk. */
  async function startSite(name: string, disk: SmallDisk) {
    const keeperHome = join(folder, `keeper-${name}`);
    await mkdir(keeperHome);
    const keeper: Keeper = createKeeper(keeperHome);
    cleanUp.push(() => keeper.dismiss());
    const endpoint = `http://127.0.0.1:${await choosePort('store', {})}`;
    const keys = { accessKey: `${name}-key`, secretKey: `${name}-secret` };
    const minio: ManagedProcess = await startProcess(
      {
        name: `MinIO of the ${name}`,
        command: locate('minio')!.path,
        ...storeProgram({
          ...{ folder: join(disk.folder, 'data'), configFolder: join(folder, `minio-${name}`) },
          ...{ address: endpoint.replace('http://', ''), ...keys },
        }),
        logPath: join(folder, `minio-${name}.log`),
      },
      keeper,
    );
    cleanUp.push(() => minio.stop());
    await untilReady(minio, async () => (await fetch(`${endpoint}/minio/health/ready`)).ok);
    const access = { endpoint, region: STORE_REGION, bucket: 'frames', ...keys };
    const store = createMinioStore(access);
    await store.ensureBucket();
    const siteId = await addStoreSite(farm.record.database, name, access);
    return { siteId, store, endpoint };
  }
});
