/** Whole pictures of both tiers, on software Vulkan: the same light, as statistics decide, and there even the same bits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MeasuredPicture, PictureStatistics, testPictures } from '../../image/pictureTest.ts';
import type { SceneDescription } from '../scene/description.ts';
import type { Tracer } from '../tracer.ts';
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

/** Mean and variance of every pixel over renders with other seeds. */
async function measured(tracer: Tracer, description: SceneDescription, seed: number): Promise<MeasuredPicture> {
  const statistics = new PictureStatistics(size.width, size.height, 3);
  await tracer.setScene(description);
  for (let k = 0; k < RENDERS; k++) {
    const { beauty } = await tracer.trace(request({ ...size, sampleCount: 64, maxDepth: 4, seed: seed + k }));
    statistics.add(beauty, 4);
  }
  return statistics.measured();
}

describe.skipIf(!VULKAN)('pictures of the GPU tier and of the CPU tier', () => {
  let gpu: Tracer;
  let cpu: Tracer;
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

  it('show the same light, and other light where a base colour is 3 % wrong on one of them', {
    timeout: 300_000,
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

  it('are equal bit for bit where the GPU computes as IEEE 754 says', { timeout: 300_000 }, async ({ skip }) => {
    skip(!/SwiftShader/.test(gpu.device), 'needs SwiftShader');
    const asked = request({ ...size, sampleCount: 16, maxDepth: 4 });
    await gpu.setScene(room(0.5));
    await cpu.setScene(room(0.5));
    const [there, here] = [await gpu.trace(asked), await cpu.trace(asked)];
    expect(there.rays).toBeGreaterThan(2 * 24 * 16 * 16);
    expect(there.beauty).toEqual(here.beauty);
    expect(there.depth).toEqual(here.depth);
  });

  it('stop at the same samples when they sample adaptively, whatever the tile', { timeout: 300_000 }, async ({
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
});
