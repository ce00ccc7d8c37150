/** Paths of a block that go on together (wave.ts) and each path alone (integrator.ts): the same bits. */
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import type { EnvironmentMap, MeshInstance, SceneDescription, SurfaceMaterial } from '../scene/description.ts';
import { type TracedPixels, traceOptionsOf } from '../tracer.ts';
import { camera, constantEnvironment, material, place, request, scene, sphere, square } from './test-scenes.ts';
import { createCpuTracer } from './tracer.ts';

const tracer = createCpuTracer({ threads: 1 });
afterAll(async () => (await tracer).close());

/** Lambertian: without any mirror. */
const matte = (changes: Partial<SurfaceMaterial> = {}): SurfaceMaterial =>
  material({ specular: { factor: 0, texture: null, color: [1, 1, 1], colorTexture: null }, ...changes });

/** Turned about two axes, stretched and moved. */
const askew = (mesh: number, [x, y, z]: [number, number, number]): MeshInstance => ({
  ...place(mesh),
  transform: Float32Array.from([0.8, 0.3, -0.2, 0, -0.4, 1.2, 0.1, 0, 0.2, -0.1, 0.9, 0, x, y, z, 1]),
});

const picture = (): EnvironmentMap => {
  const environment = constantEnvironment([0.4, 0.6, 0.9]);
  environment.data.set([9, 8, 5], 6);
  return { ...environment, rotation: 0.3, revision: 77 };
};

const balls = (changes: Partial<SceneDescription> = {}): SceneDescription =>
  scene({
    meshes: [square(6, 0), sphere(12, 1), sphere(7, 2), sphere(9, 3)],
    instances: [
      place(0, [0, -1, 0]),
      place(1),
      askew(1, [2.2, 0.2, -0.6]),
      askew(2, [-1.9, 0, 0.4]),
      place(3, [0.4, 0.1, 2], 0.4),
    ],
    materials: [
      matte({ baseColor: [0.7, 0.6, 0.5, 1] }),
      matte({ baseColor: [0.9, 0.4, 0.2, 1] }),
      matte({ baseColor: [0.5, 0.5, 0.9, 1] }),
      matte({ baseColor: [0.8, 0.9, 0.8, 1] }),
    ],
    environment: constantEnvironment([0.7, 0.8, 1]),
    camera: camera([0, 1.5, 6]),
    ...changes,
  });

/** Half of it black, where paths carry nothing on. */
const checks: SceneDescription['images'] = [
  { width: 2, height: 2, data: Uint8Array.from([255, 200, 99, 255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 255, 160, 255]) },
];
const textured = {
  ...{ image: 0, srgb: true, wrapS: 'repeat', wrapT: 'repeat', nearest: true, texCoord: 0 },
  uvTransform: [3, 0, 0, 0, 3, 0],
} as const satisfies SurfaceMaterial['baseColorTexture'];

async function traced(description: SceneDescription, layers: 'together' | 'alone', maxDepth: number) {
  const { output } = DEFAULT_RENDER_SETTINGS;
  const asked = layers === 'together' ? output.layers : [...output.layers, 'uv' as const];
  // Seven samples go by four, two and one; the last column and row of blocks is narrower than a tile.
  await (await tracer).setScene(description);
  const pixels: TracedPixels = await (await tracer).trace(
    request({
      ...{ width: 51, height: 37, sampleCount: 7 },
      options: traceOptionsOf({ ...DEFAULT_RENDER_SETTINGS, maxDepth, output: { ...output, layers: asked } }),
    }),
  );
  const { beauty, albedo, normal, depth, rays } = pixels;
  return { layers: { beauty, albedo, normal, depth }, rays };
}

const mixed: SurfaceMaterial[] = [
  matte({ baseColor: [0.7, 0.6, 0.5, 1], baseColorTexture: textured }),
  material({ metallic: 1, roughness: 0.2 }),
  matte({ baseColor: [0.5, 0.5, 0.9, 0.6], alphaMode: 'blend', doubleSided: true }),
  material({ transmission: 1, thickness: 1, roughness: 0 }),
];

const scenes: Record<string, () => SceneDescription> = {
  'matte surfaces under an even sky': balls,
  'matte surfaces under a picture': () => balls({ environment: picture() }),
  'matte surfaces from below and at grazing angles': () => balls({ camera: camera([0, -1.6, 7], [0, -1, 0], 1.2) }),
  'textures, mirrors, glass and cut-outs between them': () =>
    balls({ materials: mixed, images: checks, environment: picture() }),
};

describe('paths that go together have the bits of paths that go alone', () => {
  for (const [name, describeScene] of Object.entries(scenes)) {
    it.each([1, 5])(`${name}, depth %i`, async (maxDepth) => {
      const alone = await traced(describeScene(), 'alone', maxDepth);
      const together = await traced(describeScene(), 'together', maxDepth);
      expect(together.layers).toEqual(alone.layers);
      expect(alone.layers.beauty.some((value, i) => i % 4 < 3 && value > 0)).toBe(true);
      expect(together.rays).toBe(alone.rays);
    });
  }
});
