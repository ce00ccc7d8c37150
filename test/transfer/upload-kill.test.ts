/**
 * An upload that is killed (SIGKILL) after a random number of bytes went to the store, and made again, ends with the right
 * files and sends no blob twice that had arrived. `FARM_TRANSFER_KILLS` seeds; a few in `npm test`.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FarmClient } from '../../cli/sdk/client.ts';
import { fetchProject } from '../../cli/sdk/fetchProject.ts';
import { readProject } from '../../cli/sdk/project.ts';
import { openTestApi, type TestApi } from '../../farm-ui/api/testing/openApi.ts';
import { seededBytes } from '../support/bytes.ts';
import { addStudio } from '../support/rows.ts';

const KILLS = Number(process.env.FARM_TRANSFER_KILLS ?? 3);
const PROGRAM = fileURLToPath(new URL('./upload-program.js', import.meta.url));
const LARGE_BYTES = 12_000_000;

/** Passes connections on to the store and counts what clients send; `onBytes` hears the sum. */
async function countingProxy(target: string): Promise<{ url: string; count: Counter; close(): void }> {
  const { hostname, port } = new URL(target);
  const count: Counter = { bytes: 0, onBytes: null };
  const server = net.createServer((client) => {
    const store = net.connect(Number(port), hostname);
    for (const socket of [client, store]) socket.on('error', () => socket.destroy());
    client.on('close', () => store.destroy());
    store.on('close', () => client.destroy());
    store.pipe(client);
    client.on('data', (bytes) => {
      count.bytes += bytes.length;
      count.onBytes?.(count.bytes);
      if (!store.write(bytes)) client.pause();
    });
    store.on('drain', () => client.resume());
    client.on('end', () => store.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count, close: () => server.close() };
}

interface Counter {
  bytes: number;
  onBytes: ((sum: number) => void) | null;
}

describe('an upload that is killed', () => {
  let farm: TestApi;
  let proxy: Awaited<ReturnType<typeof countingProxy>>;
  let folder: string;

  beforeAll(async () => {
    proxy = await countingProxy(inject('stack').store.endpoint);
    farm = await openTestApi({}, proxy.url);
    folder = await mkdtemp(join(tmpdir(), 'framewright-kill-'));
  });
  afterAll(async () => {
    proxy?.close();
    await farm?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(Array.from({ length: KILLS }, (_, seed) => seed))('goes on where it was (seed %i)', async (seed) => {
    const root = join(folder, `project-${seed}`);
    await mkdir(root);
    await writeFile(join(root, 'shot.glb'), seededBytes(100_000, `scene ${seed}`));
    await writeFile(join(root, 'sim.bin'), seededBytes(LARGE_BYTES, `sim ${seed}`));
    for (let index = 0; index < 50; index++) {
      await writeFile(join(root, `${index}.txt`), seededBytes(500 + index, `${seed} ${index}`));
    }
    const studioId = await addStudio(farm.record.database, `studio-${seed}`);
    const key = await farm.key(studioId, 'td');
    const memory = join(folder, `memory-${seed}.json`);
    const random = createHash('sha256').update(`kill ${seed}`).digest().readUInt32BE() / 2 ** 32;
    proxy.count.bytes = 0;
    const first = await run([farm.url, key, root, memory], Math.round(random * LARGE_BYTES));
    expect(first.killed).toBe(true);
    let arrived = 0;
    for await (const { sizeBytes } of farm.store.list(studioId, 'blobs')) arrived += sizeBytes;
    const { files } = await readProject(root);
    const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const second = await run([farm.url, key, root, memory], null);
    const { id, sentBytes } = JSON.parse(second.output) as { id: string; sentBytes: number };
    expect(sentBytes).toBeLessThanOrEqual(total - arrived);
    const copy = await mkdtemp(join(folder, 'copy-'));
    await fetchProject(new FarmClient({ url: farm.url, key }), id, copy);
    for (const { path, source } of files) {
      const isSame = (await readFile(join(copy, path))).equals(await readFile(source));
      expect([path, isSame]).toEqual([path, true]);
    }
    await rm(root, { recursive: true });
  });

  /** Runs the program, and kills it when so many bytes have gone to the store. */
  async function run(args: string[], killAt: number | null): Promise<{ killed: boolean; output: string }> {
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (bytes) => {
      output += bytes;
    });
    proxy.count.onBytes = killAt === null ? null : (sum) => sum >= killAt && child.kill('SIGKILL');
    const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)));
    proxy.count.onBytes = null;
    return { killed: signal === 'SIGKILL', output };
  }
});
