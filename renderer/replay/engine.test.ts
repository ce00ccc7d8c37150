import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../domain/scene.ts';
import type { RenderEngine, RenderedUnit } from '../engine.ts';
import { createReplayEngine } from './engine.ts';
import { type ReplayIndex, replayIndexFile } from './index.ts';

const settings: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, width: 32, height: 18 };
let folder: string;
let engine: RenderEngine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-replay-'));
  const traced = { sizeBytes: 3, hash: 'h', width: 32, height: 18, channels: ['R'], samples: 5, rays: 7 };
  const index: ReplayIndex = {
    formatVersion: 1,
    engineBuild: 'tracer-1',
    frames: [3, 4].map((frame) => ({ frame, exr: `${frame}.exr`, preview: `${frame}.png`, ...traced })),
  };
  await writeFile(join(folder, replayIndexFile), JSON.stringify(index));
  for (const name of ['3.exr', '3.png', '4.exr', '4.png']) await writeFile(join(folder, name), name);
  engine = await createReplayEngine({ folder, renderSeconds: 0.05 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function render(frames: number[], asked = settings, signal = new AbortController().signal) {
  const root = await mkdtemp(join(folder, 'project-'));
  const outputFolder = await mkdtemp(join(folder, 'out-'));
  await mkdir(join(root, 'shared'));
  for (const name of ['shot.0003.glb', 'shot.0004.glb', 'shared/ground.bin']) await writeFile(join(root, name), name);
  const made: RenderedUnit[] = [];
  const sink = { unit: async (unit: RenderedUnit) => void made.push(unit), progress() {}, log() {} };
  const files = { root, main: 'shot.0003.glb' };
  const units = frames.map((frame) => ({ frame, tile: 0 }));
  await engine.render({ files, settings: asked, units, outputFolder, threads: 1 }, sink, signal);
  return made;
}

it('hands out the frames that it holds, and says how long that took', async () => {
  const made = await render([4, 3]);
  expect(made.map(({ unit }) => unit.frame)).toEqual([4, 3]);
  expect(await readFile(made[0]!.exrPath, 'utf8')).toBe('4.exr');
  expect(await readFile(made[0]!.previewPath, 'utf8')).toBe('4.png');
  expect(made[0]!.exrHash).toBe('h');
  expect(made[0]).toMatchObject({ width: 32, height: 18, samples: 5, rays: 7 });
  expect(made[0]!.renderSeconds).toBeGreaterThan(0.04);
  // The receiver may remove what it was given.
  await rm(made[0]!.exrPath);
  expect(await readFile(join(folder, '4.exr'), 'utf8')).toBe('4.exr');
});

it('refuses a frame that was not traced, before it hands out any', async () => {
  await expect(render([3, 5])).rejects.toMatchObject({ code: 'RenderFailed', place: { frame: 5 } });
  await expect(render([3], { ...settings, width: 64 })).rejects.toMatchObject({ code: 'RenderFailed' });
});

it('stops when it is told to', async () => {
  await expect(render([3], settings, AbortSignal.abort())).rejects.toMatchObject({ code: 'Cancelled' });
});

it('needs its index', async () => {
  await expect(createReplayEngine({ folder: join(folder, 'none'), renderSeconds: 0 })).rejects.toMatchObject({
    code: 'FileNotFound',
  });
});
