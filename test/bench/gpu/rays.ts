/** Rays a second on the GPU, without shading: what traversal alone reaches. */
/// <reference types="@webgpu/types" />
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_RENDER_SETTINGS, type PixelRect } from '../../../domain/scene.ts';
import type { OpenGpu } from '../../../renderer/gpu/device.ts';
import type { SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import { traceOptionsOf } from '../../../renderer/pathtracer/tracer.ts';
import * as layout from '../../../renderer/pathtracer/wasm/assembly/layout.ts';
import { Heap } from '../../../renderer/pathtracer/wasm/heap.ts';
import { writeJob } from '../../../renderer/pathtracer/wasm/job-block.ts';
import { loadTracerModule } from '../../../renderer/pathtracer/wasm/module.ts';
import { SceneMemory } from '../../../renderer/pathtracer/wasm/scene-memory.ts';
import { ThreadPool } from '../../../renderer/pathtracer/wasm/threads.ts';
import { featuresOf, specialise } from '../../../renderer/pathtracer/wgsl/features.ts';
import { MemoryImage } from '../../../renderer/pathtracer/wgsl/memoryImage.ts';
import { loadTracerWgsl } from '../../../renderer/pathtracer/wgsl/module.ts';
import { median } from '../part.ts';

export interface RayFigures {
  /** Millions of rays a second. */
  coherent: number;
  incoherent: number;
  hitShare: { coherent: number; incoherent: number };
  buildSeconds: number;
  uploadSeconds: number;
  compileSeconds: number;
  imageMiB: number;
}

export interface RayRequest {
  side: number;
  raysPerThread: number;
  repeats: number;
  threads: number;
}

/** Measures by the GPU's own clock where it has one. */
export async function measureRays(
  gpu: OpenGpu,
  scene: SceneDescription,
  { side, raysPerThread, repeats, threads }: RayRequest,
): Promise<RayFigures> {
  const { module } = await loadTracerModule();
  const heap = new Heap();
  const pool = new ThreadPool(module, heap.memory, threads);
  const image = new MemoryImage(gpu, heap);
  try {
    const memory = new SceneMemory(heap, pool);
    await memory.prepare(0);
    const begin = performance.now();
    await memory.load(scene);
    const built = performance.now();
    const job = heap.allocate(layout.JOB_SIZE);
    const rect: PixelRect = { x0: 0, y0: 0, x1: side, y1: side };
    const options = traceOptionsOf(DEFAULT_RENDER_SETTINGS);
    const request = { width: side, height: side, sampleStart: 0, sampleCount: 1, seed: 1, frame: 1, rect, options };
    writeJob(heap.view(job, layout.JOB_SIZE), request, rect, memory.filterTable(options.filter));
    const beforeUpload = performance.now();
    await image.upload();
    const uploaded = performance.now();
    const text = specialise((await loadTracerWgsl()).text, featuresOf(scene));
    const kernel = await readFile(process.env.FRAMEWRIGHT_RAYS_WGSL ?? join(import.meta.dirname, 'rays.wgsl'), 'utf8');
    const caster = await Caster.compile(gpu, `${text}\n${kernel}`, image.buffer, boundsOf(scene));
    const compiled = performance.now();
    const rays = side * side * raysPerThread;
    const measure = async (mode: 0 | 1): Promise<{ rate: number; share: number }> => {
      const runs: { seconds: number; hits: number }[] = [];
      for (let i = 0; i <= repeats; i++) runs.push(await caster.run(memory.address, job, mode, side, raysPerThread));
      // The first run warms up.
      const seconds = median(runs.slice(1).map((run) => run.seconds));
      return { rate: rays / seconds / 1e6, share: runs[0]!.hits / rays };
    };
    const coherent = await measure(0);
    const incoherent = await measure(1);
    return {
      coherent: coherent.rate,
      incoherent: incoherent.rate,
      hitShare: { coherent: coherent.share, incoherent: incoherent.share },
      buildSeconds: (built - begin) / 1000,
      uploadSeconds: (uploaded - beforeUpload) / 1000,
      compileSeconds: (compiled - uploaded) / 1000,
      imageMiB: heap.memory.buffer.byteLength / 2 ** 20,
    };
  } finally {
    image.free();
    await pool.close();
  }
}

/** Bounds of the vertices; the benchmark's scenes place their one mesh where it is. */
function boundsOf({ meshes }: SceneDescription): Float32Array {
  const bounds = Float32Array.of(Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity);
  for (const { positions } of meshes) {
    for (let i = 0; i < positions.length; i++) {
      const axis = i % 3;
      bounds[axis] = Math.min(bounds[axis]!, positions[i]!);
      bounds[axis + 3] = Math.max(bounds[axis + 3]!, positions[i]!);
    }
  }
  return bounds;
}

class Caster {
  readonly #gpu: OpenGpu;
  readonly #pipeline: GPUComputePipeline;
  readonly #dispatch: GPUBuffer;
  readonly #counters: GPUBuffer;
  readonly #back: GPUBuffer;
  readonly #times: { set: GPUQuerySet; buffer: GPUBuffer } | null;
  readonly #bindings: GPUBindGroup;

  static compile(gpu: OpenGpu, code: string, memory: GPUBuffer, bounds: Float32Array): Promise<Caster> {
    return gpu.scoped('the ray kernel', async () => {
      const module = gpu.device.createShaderModule({ code });
      const compute = { module, entryPoint: 'cast_rays' };
      const pipeline = await gpu.device.createComputePipelineAsync({ layout: 'auto', compute });
      return new Caster(gpu, pipeline, memory, bounds);
    });
  }

  private constructor(gpu: OpenGpu, pipeline: GPUComputePipeline, memory: GPUBuffer, bounds: Float32Array) {
    const { device } = gpu;
    const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ, QUERY_RESOLVE } = GPUBufferUsage;
    this.#gpu = gpu;
    this.#pipeline = pipeline;
    this.#dispatch = device.createBuffer({ size: 80, usage: UNIFORM | COPY_DST });
    this.#counters = device.createBuffer({ size: 8, usage: STORAGE | COPY_SRC | COPY_DST });
    this.#back = device.createBuffer({ size: 24, usage: MAP_READ | COPY_DST });
    this.#times = device.features.has('timestamp-query')
      ? {
          set: device.createQuerySet({ type: 'timestamp', count: 2 }),
          buffer: device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC }),
        }
      : null;
    const film = device.createBuffer({ size: 256, usage: STORAGE | COPY_DST });
    device.queue.writeBuffer(film, 0, bounds.slice());
    this.#bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [memory, memory, film, this.#dispatch, this.#counters].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    });
  }

  run(scene: number, job: number, mode: 0 | 1, side: number, rays: number): Promise<{ seconds: number; hits: number }> {
    return this.#gpu.scoped('casting rays', async () => {
      const { device } = this.#gpu;
      device.queue.writeBuffer(this.#dispatch, 0, Uint32Array.of(scene, job, mode, rays, 0, 0, side, side));
      await device.queue.onSubmittedWorkDone();
      const begin = performance.now();
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(this.#counters);
      const times = this.#times;
      const pass = encoder.beginComputePass(
        times ? { timestampWrites: { querySet: times.set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } } : {},
      );
      pass.setPipeline(this.#pipeline);
      pass.setBindGroup(0, this.#bindings);
      pass.dispatchWorkgroups(Math.ceil(side / 8), Math.ceil(side / 4));
      pass.end();
      encoder.copyBufferToBuffer(this.#counters, 0, this.#back, 0, 8);
      if (times) {
        encoder.resolveQuerySet(times.set, 0, 2, times.buffer, 0);
        encoder.copyBufferToBuffer(times.buffer, 0, this.#back, 8, 16);
      }
      device.queue.submit([encoder.finish()]);
      await this.#back.mapAsync(GPUMapMode.READ);
      const wall = (performance.now() - begin) / 1000;
      const range = this.#back.getMappedRange().slice(0);
      this.#back.unmap();
      const [hits, overflow] = new Uint32Array(range, 0, 2);
      if (overflow) throw new Error('the tree is too deep for the stack');
      const [start, end] = new BigUint64Array(range, 8, 2);
      return { hits: hits!, seconds: times && end! > start! ? Number(end! - start!) / 1e9 : wall };
    });
  }
}
