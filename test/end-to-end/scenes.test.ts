/** Files from elsewhere render. The scenes lie beside the checkout; where they are absent the tests are skipped. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FarmClient } from '../../cli/sdk/client.ts';
import { pullJob } from '../../cli/sdk/pull.ts';
import { submitScene, untilFinal } from '../support/farm.ts';

const scenes = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'shared', 'scenes');
const client = new FarmClient(inject('farm'));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-scenes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Renders on the farm and returns the job with the mean and spread of its first preview. */
async function render(file: string, frames: string, camera?: string) {
  const job = await submitScene(client, join(scenes, file), { frames, width: 160, height: 90, samples: 8, camera });
  const ended = await untilFinal(client, job.id);
  const pulled = await pullJob(client, job.id, { folder: join(folder, file), previews: true });
  const picture = join(folder, file, pulled.exr[0]!.replace(/\.exr$/, '.png'));
  const { channels } = await sharp(picture).stats();
  return { job, ended, mean: channels[0]!.mean, spread: channels[0]!.stdev };
}

describe('scenes from elsewhere', () => {
  it.skipIf(!existsSync(join(scenes, 'damaged-helmet.glb')))('damaged helmet: no camera, no light', async () => {
    const { job, ended, mean, spread } = await render('damaged-helmet.glb', '1');
    expect(job.warnings.map(({ code }) => code)).toEqual(expect.arrayContaining(['NoCamera', 'NoLight']));
    expect(ended).toMatchObject({ status: 'completed', frames: { committed: 1 } });
    expect(mean).toBeGreaterThan(10);
    expect(spread).toBeGreaterThan(10);
  });

  it.skipIf(!existsSync(join(scenes, 'robot-walk.glb')))('walking robot: skin and camera', async () => {
    const { job, ended, mean, spread } = await render('robot-walk.glb', '1,12,24');
    expect(job.warnings.map(({ code }) => code)).not.toContain('NoCamera');
    expect(ended).toMatchObject({ status: 'completed', frames: { committed: 3 } });
    expect(mean).toBeGreaterThan(5);
    expect(spread).toBeGreaterThan(5);
  });
});
