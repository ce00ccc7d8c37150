/**
 * Parts of the GPU tier against the CPU tier, on software Vulkan. The whole kernel takes a minute to compile there, so pictures
 * are compared by `npm run bench:render -- --only gpu` and test/bench/gpu/bundle.sh, where there is a GPU.
 */
/// <reference types="@webgpu/types" />
import { expect, it } from 'vitest';
import { openGpu } from '../../gpu/device.ts';
import type { SceneDescription } from '../scene/description.ts';
import * as layout from '../wasm/assembly/layout.ts';
import { Heap } from '../wasm/heap.ts';
import { writeJob } from '../wasm/job-block.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { SceneMemory } from '../wasm/scene-memory.ts';
import { camera, material, place, request, scene, sphere, square } from '../wasm/test-scenes.ts';
import { ThreadPool } from '../wasm/threads.ts';
import { createCpuTracer } from '../wasm/tracer.ts';
import { featuresOf, specialise } from './features.ts';
import { MemoryImage } from './memoryImage.ts';
import { loadTracerWgsl } from './module.ts';
import { hasVulkanForTests } from './testing/softwareVulkan.ts';

const SIDE = 32;

/** Depth of the first hit of each pixel's first sample, which its random numbers place inside the pixel. */
const PROBE = `
@compute @workgroup_size(8, 4) fn probe(@builtin(global_invocation_id) id: vec3<u32>) {
  prepare(dispatch.scene, dispatch.job);
  sampler_startPixel(load_u32(dispatch.job + u32(layout_JOB_SEED)), load_u32(dispatch.job + u32(layout_JOB_FRAME)), id.x, id.y);
  integrator_startPath(i32(id.x), i32(id.y), 0u);
  let found = traverse_intersect(integrator_pathOrigin, integrator_pathDirection, 3.4028234663852886e+38f);
  let depth = camera_near + traverse_mesh_hitT * camera_depthScale;
  film[id.y * ${SIDE}u + id.x] = select(0x7f800000u, bitcast<u32>(depth), found);
  atomicAdd(&counters[0], 1u);
}`;

async function gpuDepths(description: SceneDescription): Promise<Float32Array> {
  const gpu = await openGpu({ allowSoftware: true });
  const heap = new Heap();
  const pool = new ThreadPool((await loadTracerModule()).module, heap.memory, 1);
  const image = new MemoryImage(gpu, heap);
  try {
    const memory = new SceneMemory(heap, pool);
    await memory.prepare(0);
    await memory.load(description);
    const job = heap.allocate(layout.JOB_SIZE);
    const asked = request({ width: SIDE, height: SIDE, sampleCount: 1 });
    writeJob(heap.view(job, layout.JOB_SIZE), asked, asked.rect, memory.filterTable(asked.options.filter));
    await image.upload();
    const code = `${specialise((await loadTracerWgsl()).text, featuresOf(description))}${PROBE}`;
    return await gpu.scoped('probing', async () => {
      const { device } = gpu;
      const module = device.createShaderModule({ code });
      const compute = { module, entryPoint: 'probe' };
      const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
      const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
      const bytes = SIDE * SIDE * 4;
      const film = device.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC });
      const back = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
      const dispatch = device.createBuffer({ size: 96, usage: UNIFORM | COPY_DST });
      const counters = device.createBuffer({ size: 8, usage: STORAGE });
      device.queue.writeBuffer(dispatch, 0, Uint32Array.of(memory.address, job));
      const entries = [image.buffer, image.buffer, film, dispatch, counters].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      }));
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(SIDE / 8, SIDE / 4);
      pass.end();
      encoder.copyBufferToBuffer(film, 0, back, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await back.mapAsync(MAP_READ);
      return new Float32Array(back.getMappedRange().slice(0));
    });
  } finally {
    image.free();
    gpu.close();
    await pool.close();
  }
}

it.skipIf(!hasVulkanForTests())('draws the same numbers and meets the same surfaces as the CPU', async () => {
  const turned = { ...place(1, [0.3, 1, 0], 0.8) };
  turned.transform = Float32Array.from([0.5, 0.6, 0, 0, -0.6, 0.5, 0, 0, 0, 0, 0.8, 0, 0.3, 1, 0, 1]);
  const description = scene({
    meshes: [square(4), sphere(12, 1)],
    instances: [place(0), turned, place(1, [-1.2, 0.6, 1], 0.5)],
    materials: [material(), material()],
    camera: camera([0, 2, 6], [0, 0.7, 0], 0.6),
  });
  const cpu = await createCpuTracer({ threads: 1 });
  await cpu.setScene(description);
  const { depth } = await cpu.trace(request({ width: SIDE, height: SIDE, sampleCount: 1 }));
  await cpu.close();
  const depths = await gpuDepths(description);
  expect(depth.some((value) => value < Infinity) && depth.some((value) => value === Infinity)).toBe(true);
  // Divisions may differ by 2.5 ulps on a GPU (WGSL 15.7.4); a ray within that of an edge may miss. SwiftShader is exact.
  const different = depths.filter((value, i) => value !== depth[i] && !(Math.abs(value / depth[i]! - 1) < 1e-5));
  expect(different).toHaveLength(0);
});

it('empties only what is not needed, and knows every name', async () => {
  const { text } = await loadTracerWgsl();
  const none = specialise(text, new Set());
  expect(none.length).toBeLessThan(text.length);
  expect(none).toMatch(/fn texture_sampleTexture\(.*\) -> vec4<f32> \{\n {2}return vec4<f32>\(\);\n\}/);
});
