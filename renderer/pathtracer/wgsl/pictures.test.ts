/** Whole pictures of both tiers, on software Vulkan: the same light, as statistics decide, and there even the same bits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAYERS, type LayerName } from '../../../domain/layers.ts';
import { type MeasuredPicture, PictureStatistics, testPictures } from '../../image/pictureTest.ts';
import { seededRandom } from '../../testing/statistics.ts';
import type { MeshInstance, SceneDescription, TextureImage, TextureRef } from '../scene/description.ts';
import type { PathTracer, Tracer } from '../tracer.ts';
import { camera, constantEnvironment, material, place, request, scene, sphere, square } from '../wasm/test-scenes.ts';
import { createCpuTracer } from '../wasm/tracer.ts';
import { hasVulkanForTests } from './testing/softwareVulkan.ts';
import { createGpuTracer } from './tracer.ts';

const VULKAN = hasVulkanForTests();
const size = { width: 24, height: 16 };
const RENDERS = 8;

const meshes = [square(4), sphere(12, 1), sphere(10, 2)];
/** A rough and a metal ball on a floor; the kernel does not depend on colours. */
const room = (albedo: number): SceneDescription =>
  scene({
    meshes,
    instances: [place(0), place(1, [0.6, 0.9, 0], 0.9), place(2, [-1.1, 0.7, 0.4], 0.7)],
    materials: [
      material({ baseColor: [0.5, 0.5, 0.5, 1] }),
      material({ baseColor: [0.6, albedo, 0.3, 1], roughness: 0.6 }),
      material({ baseColor: [0.9, 0.7, 0.4, 1], metallic: 1, roughness: 0.3 }),
    ],
    environment: constantEnvironment([1, 0.9, 0.8]),
    camera: camera([0, 2, 6], [0, 0.7, 0], 0.6),
  });

/** Lamps of every kind, a glowing ball, a sky with a picture, textures in every way of wrapping, glass with a coat, a cut-out. */
function studio(): SceneDescription {
  const next = seededRandom(5);
  const picture = (width: number, height: number): TextureImage => ({
    ...{ width, height },
    data: Uint8Array.from({ length: width * height * 4 }, () => 40 + Math.floor(next() * 216)),
  });
  const texture = (image: number, changes: Partial<TextureRef>): TextureRef => ({
    ...{ image, srgb: false, wrapS: 'repeat', wrapT: 'repeat', nearest: false, texCoord: 0 },
    uvTransform: [3, 0.5, 0.2, -0.5, 2, 0.7],
    ...changes,
  });
  const sky = new Float32Array(8 * 4 * 3).map(() => next() * 0.6);
  const glass = { transmission: 0.9, thickness: 1, roughness: 0.1, attenuationDistance: 2 };
  return scene({
    meshes: [square(4), sphere(12, 1), sphere(10, 2), sphere(8, 3)],
    instances: [place(0), place(1, [0.6, 0.9, 0], 0.9), place(2, [-1.1, 0.7, 0.4], 0.7), place(3, [0.2, 2.2, -1], 0.3)],
    images: [picture(5, 3), picture(4, 4)],
    materials: [
      material({
        baseColorTexture: texture(0, { srgb: true, wrapS: 'mirror', wrapT: 'clamp' }),
        metallicRoughnessTexture: texture(1, { nearest: true }),
        metallic: 0.5,
      }),
      material({
        ...{ ...glass, attenuationColor: [0.7, 0.9, 0.8] },
        clearcoat: {
          ...{ factor: 0.8, texture: texture(1, { wrapS: 'clamp' }), roughness: 0.2, roughnessTexture: null },
          ...{ normalTexture: null, normalScale: 1 },
        },
      }),
      material({
        ...{ baseColorTexture: texture(0, { srgb: true }), roughness: 0.5, doubleSided: true },
        ...{ alphaMode: 'mask', alphaCutoff: 0.45 },
      }),
      material({ emissive: [4, 3, 2], emissiveTexture: texture(0, { srgb: true, wrapT: 'mirror' }) }),
    ],
    lights: [
      { kind: 'point', position: [-2, 2, 1], intensity: [3, 3, 4] },
      {
        ...{ kind: 'spot', position: [1, 3, 2], direction: [-0.2, -0.9, -0.38], intensity: [9, 8, 7] },
        ...{ innerConeAngle: 0.2, outerConeAngle: 0.5 },
      },
      { kind: 'directional', direction: [0.6, -0.64, -0.48], intensity: [0.4, 0.4, 0.3] },
    ],
    environment: { width: 8, height: 4, data: sky, rotation: 0.4, intensity: 1.2, revision: 77 },
    camera: camera([0, 2, 6], [0, 0.7, 0], 0.6),
  });
}

/** The room with a ball on its way, another name for each thing, and a camera that moves while its shutter is open. */
function passing(): SceneDescription {
  const still = room(0.5);
  const [floor, ball, metal] = still.instances as [MeshInstance, MeshInstance, MeshInstance];
  return {
    ...still,
    instances: [floor, { ...ball, transformNext: place(1, [0.9, 1.1, 0.2], 0.9).transform }, metal],
    camera: { ...still.camera, transformNext: camera([0.2, 2, 6], [0, 0.7, 0]).transform, shutter: 0.5 },
  };
}

/** Mean and variance of every pixel over renders with other seeds. */
async function measured(
  tracer: Tracer,
  description: SceneDescription,
  seed: number,
  sampleCount = 64,
): Promise<MeasuredPicture> {
  const statistics = new PictureStatistics(size.width, size.height, 3);
  await tracer.setScene(description);
  for (let k = 0; k < RENDERS; k++) {
    const { beauty } = await tracer.trace(request({ ...size, sampleCount, maxDepth: 4, seed: seed + k }));
    statistics.add(beauty, 4);
  }
  return statistics.measured();
}

describe.skipIf(!VULKAN)('pictures of the GPU tier and of the CPU tier', () => {
  let gpu: PathTracer;
  let cpu: PathTracer;
  beforeAll(async () => {
    [gpu, cpu] = await Promise.all([
      createGpuTracer({ threads: 1, allowSoftware: true }),
      createCpuTracer({ threads: 1 }),
    ]);
    await gpu.setScene(room(0.5));
  }, 600_000);
  afterAll(async () => {
    await gpu?.close();
    await cpu?.close();
  });

  // Each scene's kernel takes a while to compile, and stays until another scene comes.
  it('show the same light, and other light where a base colour is 3 % wrong on one of them', {
    timeout: 900_000,
  }, async () => {
    const here = await measured(cpu, room(0.5), 1);
    const there = await measured(gpu, room(0.5), 101);
    // Other seeds: pictures that are equal because they draw the same numbers would show nothing.
    expect(there.mean).not.toEqual(here.mean);
    expect(testPictures(here, there)).toMatchObject({ agrees: true, rejected: 0 });
    // Of the CPU, which is the quicker one here.
    const wrong = await measured(cpu, room(0.515), 201);
    expect(testPictures(wrong, there)).toMatchObject({ agrees: false, worst: { channel: 1 } });
  });

  it('are equal bit for bit where the GPU computes as IEEE 754 says', { timeout: 900_000 }, async ({ skip }) => {
    skip(!/SwiftShader/.test(gpu.device), 'needs SwiftShader');
    const asked = request({ ...size, sampleCount: 16, maxDepth: 4 });
    await gpu.setScene(room(0.5));
    await cpu.setScene(room(0.5));
    const [there, here] = [await gpu.trace(asked), await cpu.trace(asked)];
    expect(there.rays).toBeGreaterThan(2 * 24 * 16 * 16);
    expect(there.beauty).toEqual(here.beauty);
    expect(there.depth).toEqual(here.depth);
  });

  it('are made of paths that go the same ways, step by step', { timeout: 900_000 }, async ({ skip }) => {
    skip(!/SwiftShader/.test(gpu.device), 'needs SwiftShader');
    const asked = request({ ...size, sampleCount: 16, maxDepth: 4 });
    await gpu.setScene(room(0.5));
    await cpu.setScene(room(0.5));
    const lengths = new Set<number>();
    for (let sample = 0; sample < 16; sample++) {
      const [x, y] = [(7 * sample) % size.width, (5 * sample) % size.height];
      const [there, here] = [await gpu.recordPath(asked, x, y, sample), await cpu.recordPath(asked, x, y, sample)];
      expect(there).toEqual(here);
      lengths.add(here.steps.length);
    }
    expect(lengths.size).toBeGreaterThan(1);
    await expect(gpu.recordPath(asked, size.width, 0, 0)).rejects.toMatchObject({ code: 'SettingInvalid' });
  });

  it('stop at the same samples when they sample adaptively, whatever the tile', { timeout: 900_000 }, async ({
    skip,
  }) => {
    skip(!/SwiftShader/.test(gpu.device), 'needs SwiftShader');
    const plain = request({ ...size, sampleCount: 96, maxDepth: 4 });
    const options = {
      ...plain.options,
      adaptive: { threshold: 0.02, minSamples: 8 },
      layers: ['sample_count', 'diffuse_direct', 'diffuse_direct_variance', 'specular_indirect_variance'] as const,
    };
    await gpu.setScene(room(0.5));
    await cpu.setScene(room(0.5));
    for (const rect of [plain.rect, { x0: 3, y0: 2, x1: 21, y1: 13 }]) {
      const asked = { ...plain, rect, options };
      const [there, here] = [await gpu.trace(asked), await cpu.trace(asked)];
      const counts = new Set(here.layers.sample_count);
      // Some blocks stop at once, some go on, some to the end.
      expect(counts.size).toBeGreaterThan(2);
      expect(there.layers).toEqual(here.layers);
      expect(there.beauty).toEqual(here.beauty);
      expect(there.depth).toEqual(here.depth);
      expect(there.samples).toBe(here.samples);
    }
    await expect(gpu.tracePartial({ ...plain, options })).rejects.toMatchObject({ code: 'SettingInvalid' });
  });

  it('hold the same in every layer, of what moves too', { timeout: 900_000 }, async ({ skip }) => {
    skip(!/SwiftShader/.test(gpu.device), 'needs SwiftShader');
    const own: LayerName[] = ['beauty', 'albedo', 'normal', 'depth'];
    const layers = (Object.keys(LAYERS) as LayerName[]).filter((name) => !own.includes(name));
    const plain = request({ ...size, sampleCount: 16, maxDepth: 4 });
    const asked = { ...plain, options: { ...plain.options, layers } };
    await gpu.setScene(passing());
    await cpu.setScene(passing());
    const [there, here] = [await gpu.trace(asked), await cpu.trace(asked)];
    expect(Object.keys(here.layers).sort()).toEqual([...layers].sort());
    for (const layer of layers) expect(there.layers[layer], layer).toEqual(here.layers[layer]);
    for (const layer of ['beauty', 'albedo', 'normal', 'depth'] as const) expect(there[layer]).toEqual(here[layer]);
    const moved = here.layers.motion!.filter((value) => Math.abs(value) > 0.1);
    expect(moved.length).toBeGreaterThan(size.width);
    expect(new Set(here.layers.cryptomatte_object).size).toBeGreaterThan(4);
  });

  it('show the same light of lamps, textures, glass and a cut-out', { timeout: 900_000 }, async () => {
    const [here, there] = [await measured(cpu, studio(), 1, 32), await measured(gpu, studio(), 101, 32)];
    expect(there.mean).not.toEqual(here.mean);
    expect(testPictures(here, there)).toMatchObject({ agrees: true, rejected: 0 });
  });

  it('look up textures, sky and lamps alike', { timeout: 900_000 }, async ({ skip }) => {
    skip(!/SwiftShader/.test(gpu.device), 'needs SwiftShader');
    const asked = request({ ...size, sampleCount: 16, maxDepth: 5 });
    await gpu.setScene(studio());
    await cpu.setScene(studio());
    const [there, here] = [await gpu.trace(asked), await cpu.trace(asked)];
    expect(new Set(here.beauty).size).toBeGreaterThan(1000);
    // Sines and logarithms are not the same on both; one path in some thousands goes another way.
    const differing = here.beauty.filter((value, i) => Math.abs(value - there.beauty[i]!) > 1e-3 * (1 + value)).length;
    expect(differing).toBeLessThan(here.beauty.length / 100);
  });
});
