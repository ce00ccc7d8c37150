/** `farm inspect` as a person runs it: the built command, in a process of its own, on real files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toGlb, triangleScene } from '../../renderer/pathtracer/gltf/tinyScenes.ts';
import { farmIn } from '../support/command.ts';
import { writeCube } from '../support/scenes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-inspect-'));
  await writeCube(join(folder, 'cube.glb'));
  for (const frame of ['0007', '0008']) await writeFile(join(folder, `shot.${frame}.glb`), toGlb(triangleScene()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const farm = (...args: string[]) => farmIn(folder)(...args);

describe('farm inspect', () => {
  it('tells in words what the farm would see, and what a triangle takes', async () => {
    const { exitCode, stdout, stderr } = await farm('inspect', 'cube.glb');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^cube\.glb\n/);
    expect(stdout).toMatch(/geometry +12 triangles in 1 mesh, 12 with instances; 1 material/);
    expect(stdout).toMatch(/memory +[\d.,]+ .?B geometry \(\d+ bytes a triangle, BVH built in .+\), 0 B textures/);
    expect(stdout).toMatch(/resolution +\d+×\d+, \d+ samples \(unless you say otherwise\)/);
    expect(stdout).toMatch(/file +size\n.* cube\.glb +[\d.,]+ .?B/);
  });

  it('tells the same as JSON, with the figures as numbers', async () => {
    const { exitCode, stdout } = await farm('inspect', 'cube.glb', '--json');
    expect(exitCode).toBe(0);
    const { inspection, defaults, geometry } = JSON.parse(stdout);
    expect(inspection).toMatchObject({ triangles: 12, meshes: 1, files: [{ path: 'cube.glb' }] });
    expect(defaults.frames.count).toBe(defaults.frames.last - defaults.frames.first + 1);
    expect(geometry.triangles).toBe(12);
    expect(geometry.bytes / geometry.triangles).toBeGreaterThan(48);
  });

  it('takes a shot of one file a frame by its pattern', async () => {
    const { exitCode, stdout } = await farm('inspect', 'shot.####.glb', '--json');
    expect(exitCode).toBe(0);
    const { inspection, defaults } = JSON.parse(stdout);
    expect(inspection.sequence).toEqual({ pattern: 'shot.####.glb', frames: '7-8' });
    expect(defaults.frames).toEqual({ first: 7, last: 8, count: 2 });
    const said = (await farm('inspect', 'shot.####.glb')).stdout;
    expect(said).toMatch(/frames +7-8 \(2 files\) at 24 fps\n/);
    expect(said).toMatch(/clips +none: a file a frame/);
  });

  it('refuses what is not there, is no scene or needs an extension that is not known, by code, place and remedy', async () => {
    const { json, binary } = triangleScene();
    await writeFile(join(folder, 'odd.glb'), toGlb({ json: { ...json, extensionsRequired: ['ACME_odd'] }, binary }));
    const newer = { ...json, asset: { version: '2.0', minVersion: '2.1' } };
    await writeFile(join(folder, 'newer.glb'), toGlb({ json: newer, binary }));
    const wide = {
      ...{ ...json, cameras: [{ type: 'perspective', perspective: { yfov: 3.2, znear: 0.1 } }] },
      nodes: [{ ...json.nodes[0], camera: 0 }],
    };
    await writeFile(join(folder, 'wide.glb'), toGlb({ json: wide, binary }));
    await writeFile(join(folder, 'text.glb'), 'no scene at all');
    for (const [file, code, named] of [
      ['missing.glb', 'FileNotFound', 'missing.glb'],
      ['text.glb', 'SceneInvalid', 'text.glb'],
      ['odd.glb', 'SceneUnsupported', 'ACME_odd'],
      ['newer.glb', 'SceneUnsupported', '2.1'],
      ['wide.glb', 'SceneInvalid', '180°'],
    ] as const) {
      const { exitCode, stdout, stderr } = await farm('inspect', file);
      expect({ exitCode, stdout }, file).toEqual({ exitCode: 3, stdout: '' });
      expect(stderr).toContain(code);
      expect(stderr).toContain(named);
      expect(stderr).toContain('→');
    }
  });
});
