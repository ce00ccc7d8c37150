import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { frameTarget, inspectLocally, mergeLocally, openEngine, openShot, partTarget, renderShot } from './local.ts';
import { projectWith, toGlb, triangleScene } from './pathtracer/gltf/tinyScenes.ts';

const engine = openEngine();
afterAll(() => engine.close());

it('says of frames beyond the animation that they hold, as the farm does', async () => {
  const root = await projectWith({ 'a.glb': toGlb(triangleScene()) });
  const warningsFor = async (frames: string): Promise<string[]> => {
    const { inspection } = await openShot(engine, root, { frames });
    return inspection.warnings.filter(({ code }) => code === 'FrameRangeHolds').map(({ message }) => message);
  };
  expect(await warningsFor('1-10')).toEqual(['Nothing moves in this scene, so all 10 frames show the same.']);
  expect(await warningsFor('1')).toEqual([]);
});

it('sees the scene that is asked for: its lights, cameras, surfaces and length', async () => {
  const scene = triangleScene();
  const { json } = scene;
  json.scenes = [
    { name: 'lit', nodes: [0, 1] },
    { name: 'bare', nodes: [0] },
    { name: 'empty', nodes: [2] },
  ];
  json.extensionsUsed = ['KHR_lights_punctual'];
  json.extensions = { KHR_lights_punctual: { lights: [{ type: 'point' }] } };
  json.cameras = [{ type: 'perspective', perspective: { yfov: 0.7, znear: 0.1 } }];
  json.nodes.push({ camera: 0, extensions: { KHR_lights_punctual: { light: 0 } } }, { name: 'nothing' });
  const root = await projectWith({ 'a.glb': toGlb(scene) });
  const seen = async (wanted?: string): Promise<[cameras: number, triangles: number, codes: string[]]> => {
    const { inspection } = await openShot(engine, root, { frames: '1', ...(wanted ? { scene: wanted } : {}) });
    return [inspection.cameras.length, inspection.triangles, inspection.warnings.map(({ code }) => code)];
  };
  expect(await seen()).toEqual([1, 1, []]);
  expect(await seen('bare')).toEqual([0, 1, ['NoCamera', 'NoLight']]);
  expect(await seen('2')).toEqual([0, 0, ['NoSurface', 'NoCamera', 'NoLight']]);
  await expect(seen('none')).rejects.toMatchObject({ code: 'SettingInvalid', place: { setting: 'scene' } });
});

it('takes of a folder what stands at its top, whatever lies below', async () => {
  const scene = toGlb(triangleScene());
  const root = await projectWith({
    ...{ 'shot.8.glb': scene, 'shot.9.glb': scene, 'shot.10.glb': scene },
    ...{ 'props/chair.glb': scene, '.old.glb': scene },
  });
  expect((await openShot(engine, root, {})).inspection.sequence).toEqual({ pattern: 'shot.#.glb', frames: '8-10' });
  const several = await projectWith({ 'shot.8.glb': scene, 'shot.9.glb': scene, 'set.glb': scene });
  await expect(openShot(engine, several, {})).rejects.toMatchObject({ code: 'SceneAmbiguous' });
});

it('writes no frame when parts of a later one do not fit', async () => {
  const root = await projectWith({ 'a.glb': toGlb(triangleScene()) });
  const folder = await mkdtemp(path.join(tmpdir(), 'framewright-merge-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const shot = await openShot(engine, root, { frames: '1-2', width: 16, height: 8, samples: 2 });
  const target = frameTarget(path.join(folder, 'shot.####.exr'));
  const parts: string[] = [];
  for (const start of [0, 1]) {
    const samples = { start, count: 1 };
    await renderShot(engine, {
      ...{ shot, frames: [1, 2], target: partTarget(target, samples), previews: false, samples, threads: 1 },
      signal: new AbortController().signal,
      onFrame: (frame) => void parts.push(frame.path),
      onProgress: () => undefined,
      onLog: () => undefined,
    });
  }
  const merge = (files: string[]): Promise<void> => mergeLocally(files, target, false, () => undefined);
  const before = await readdir(folder);
  await expect(merge(parts.slice(0, 3))).rejects.toThrow('Frame 2 has 2 samples; 1 are in none of the files.');
  expect(await readdir(folder)).toEqual(before);
  await merge(parts);
  expect(await readdir(folder)).toEqual([...before, 'shot.0001.exr', 'shot.0002.exr'].sort());
});

it('inspects a shot of one file a frame by its pattern, its folder and its first file', async () => {
  const root = await projectWith({
    'shot.0004.glb': toGlb(triangleScene()),
    'shot.0005.glb': toGlb(triangleScene()),
  });
  for (const scene of [path.join(root, 'shot.####.glb'), root, path.join(root, 'shot.0004.glb')]) {
    const { inspection, defaults, geometry } = await inspectLocally(scene, 1);
    expect(inspection.sequence).toEqual({ pattern: 'shot.####.glb', frames: '4-5' });
    expect(defaults.frames).toEqual([4, 5]);
    expect(geometry.triangles).toBe(1);
    expect(geometry.bytes).toBeGreaterThan(0);
  }
});
