import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import { filesOfFrame } from '../../../domain/sceneFrames.ts';
import { inspectShot } from '../../../renderer/pathtracer/gltf/inspectShot.ts';
import { makeProject } from './shotProject.ts';
import { SHOT_FRAMES, shotSize } from './size.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-shot-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const SIZE = shotSize(0.001);
const inspect = (scene: string) => inspectShot({ root: dirname(scene), main: basename(scene) }, 'pathtracer');

it('makes a shot of which a frame reads what all share and one file of its own', async () => {
  const project = await makeProject(join(folder, 'shot'), 'shot', SIZE);
  const inspection = await inspect(project.scene);
  expect(inspection.warnings).toEqual([]);
  expect(filesOfFrame(inspection, 17, DEFAULT_RENDER_SETTINGS)).toEqual(['basin.bin', 'frame.0017.glb']);
  expect(project.sharedBytes / SIZE.sharedBytes).toBeCloseTo(1, 1);
  expect(project.ownBytes / SIZE.ownBytes).toBeCloseTo(1, 0);
  expect(await makeProject(join(folder, 'shot'), 'shot', SIZE)).toEqual(project);
});

it('makes a shot of which every frame reads everything', async () => {
  const project = await makeProject(join(folder, 'all'), 'all-shared', SIZE);
  const inspection = await inspect(project.scene);
  expect(inspection.sequence).toBeNull();
  expect(inspection.durationSeconds).toBeCloseTo((SHOT_FRAMES - 1) / 24, 3);
  expect(project.totalBytes / SIZE.projectBytes).toBeCloseTo(1, 1);
});

it('keeps pixels in proportion', () => {
  expect(shotSize(1)).toMatchObject({ width: 8192, height: 4608 });
  for (const size of [0.02, 0.1, 0.5]) {
    const { width, height } = shotSize(size);
    expect((width * height) / (8192 * 4608 * size)).toBeCloseTo(1, 2);
  }
});

it('has no two frames with a piece of bytes in common', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-pieces-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await makeProject(join(folder, 'shot'), 'shot', { ...shotSize(0.0005), ownBytes: 200_000 });
  const pieces = async (frame: string): Promise<Set<string>> => {
    const bytes = await readFile(join(folder, 'shot', `frame.${frame}.glb`));
    // At every byte, as where files are cut follows from their content.
    return new Set(Array.from({ length: bytes.length - 256 }, (_, at) => bytes.toString('latin1', at, at + 256)));
  };
  const [one, other] = [await pieces('0001'), await pieces('0002')];
  expect([...one].filter((piece) => other.has(piece)).length).toBeLessThan(0.05 * one.size);
});
