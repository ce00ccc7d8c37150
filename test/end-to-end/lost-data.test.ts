/** Project data that the farm's own store lost or cannot read any more: the next upload brings it again, by itself. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { FarmClient } from '../../cli/sdk/client.ts';
import { readProject } from '../../cli/sdk/project.ts';
import { submitProject } from '../../cli/sdk/submit.ts';
import { writeCube } from '../support/scenes.ts';
import { spoilBlob, storedBlob } from '../support/storedBlobs.ts';

const { home, url, key } = inject('farm');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-lost-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('is asked for again when it is gone, and when its store cannot read it', { timeout: 120_000 }, async () => {
  const scene = await writeCube(join(folder, 'lost.glb'), { variant: 'lost-data' });
  const sky = join(folder, 'sky.raw');
  // Too large to be packed or to lie in its object's own record.
  await writeFile(sky, Buffer.alloc(300_000, 'a sky that no scene names'));
  const client = new FarmClient({ url, key });
  // The first one's version keeps the blob; what a declined submission brought goes with it.
  const submit = async (samples: number) =>
    submitProject(client, await readProject(folder), { width: 32, height: 18, samples, frames: '1' });
  const { id } = await submit(2);
  await rm(await storedBlob(home, await readFile(scene)), { recursive: true });
  const again = await submit(3);
  expect(again.status).toBe('quoted');
  for (const file of [scene, sky]) await spoilBlob(home, await readFile(file));
  const third = await submit(4);
  expect(third.status).toBe('quoted');
  for (const job of [third.id, again.id, id]) await client.declineJob(job);
});
