import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectScene } from '../pathtracer/gltf/inspect.ts';
import { SceneInstancer } from '../pathtracer/gltf/instantiate.ts';
import { loadScene } from '../pathtracer/gltf/load.ts';
import { buildDemoShot, DEMO_SHOT } from './demoShot.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'framewright-demo-'));
  await buildDemoShot(path.join(root, 'shot', 'demo.glb'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('the demo shot', () => {
  it('is one file with models, glass, metal, an environment and a moving camera', async () => {
    const scene = await loadScene({ root, main: 'shot/demo.glb' });
    const inspection = inspectScene(scene, 'pathtracer');
    expect(inspection.warnings).toEqual([]);
    expect(inspection).toMatchObject({ hasEnvironment: true, fps: DEMO_SHOT.fps, start: DEMO_SHOT.start });
    expect(inspection.files.map((file) => file.path)).toEqual(['shot/demo.glb']);
    expect(Math.round(inspection.durationSeconds * DEMO_SHOT.fps) + 1).toBe(DEMO_SHOT.frames);
    expect(inspection.cameras).toEqual([expect.objectContaining({ name: 'shot camera', animated: true })]);
    expect(inspection.triangles).toBeGreaterThan(20_000);
    const kinds = scene.materials.map(({ transmission, metallic, roughness }) =>
      transmission > 0 ? 'glass' : metallic > 0.5 ? 'metal' : roughness > 0.5 ? 'rough' : 'glazed',
    );
    expect(new Set(kinds)).toEqual(new Set(['glass', 'metal', 'rough', 'glazed']));
  });

  it('moves the camera a little from frame to frame and keeps the table in view', async () => {
    const instancer = new SceneInstancer(await loadScene({ root, main: 'shot/demo.glb' }));
    const places = Array.from(
      { length: DEMO_SHOT.frames },
      (_, i) => instancer.at(i / DEMO_SHOT.fps, null, 16 / 9).camera.transform,
    );
    for (const [i, m] of places.entries()) {
      // The table's middle lies in front, near the axis.
      const to = [-m[12]!, 0.6 - m[13]!, -m[14]!];
      const ahead = -(to[0]! * m[8]! + to[1]! * m[9]! + to[2]! * m[10]!);
      expect(ahead / Math.hypot(...to)).toBeGreaterThan(0.99);
      const before = places[i - 1];
      if (before) expect(Math.hypot(m[12]! - before[12]!, m[13]! - before[13]!, m[14]! - before[14]!)).toBeLessThan(1);
    }
    expect(Math.hypot(places[0]![12]! - places[23]![12]!, places[0]![14]! - places[23]![14]!)).toBeGreaterThan(3);
  });

  it('is the same file every time', async () => {
    await buildDemoShot(path.join(root, 'again.glb'));
    expect(await readFile(path.join(root, 'again.glb'))).toEqual(await readFile(path.join(root, 'shot', 'demo.glb')));
  });
});
