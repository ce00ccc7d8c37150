/** The GPU tier against the CPU tier: rays a second, whole frames, and whether both make the same picture. */
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import { openGpu } from '../../../renderer/gpu/device.ts';
import { type MeasuredPicture, PictureStatistics, testPictures } from '../../../renderer/image/pictureTest.ts';
import type { SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import {
  type TracedPixels,
  type TraceRequest,
  type Tracer,
  traceOptionsOf,
} from '../../../renderer/pathtracer/tracer.ts';
import { createCpuTracer } from '../../../renderer/pathtracer/wasm/tracer.ts';
import { createGpuTracer } from '../../../renderer/pathtracer/wgsl/tracer.ts';
import type { BenchContext, PartOutcome } from '../part.ts';
import { sphereField } from '../scenes.ts';
import { measureRays, type RayFigures } from './rays.ts';

export interface FrameFigures {
  /** Of a warm kernel, seconds. */
  gpuSeconds: number;
  cpuSeconds: number;
  compileSeconds: number;
  /** Millions of rays a second, shading included. */
  gpuRays: number;
  cpuRays: number;
  /** Largest and mean difference of a colour, and what share of the colours is equal bit for bit. */
  worst: number;
  mean: number;
  equal: number;
  /** What the statistical test says of the two tiers (`renderer/image/pictureTest.ts`), and its smallest p-value. */
  agrees: boolean;
  leastP: number;
}

/** What one measurement found on a device. */
export type GpuFigures = { device: string; scene: string } & (
  | ({ what: 'rays' } & RayFigures)
  | ({ what: 'frame' } & FrameFigures)
);

export interface GpuBenchOptions {
  /** Takes a software driver too: shows that it runs, its figures mean nothing. */
  allowSoftware?: boolean;
  /** More scenes for whole frames. */
  scenes?: Record<string, SceneDescription>;
  onPicture?: (name: string, pixels: TracedPixels) => Promise<void>;
}

/** Null, with the reason, where there is no real GPU. */
export async function benchGpu(
  context: BenchContext,
  options: GpuBenchOptions = {},
): Promise<PartOutcome<GpuFigures[]>> {
  const { allowSoftware = false } = options;
  let gpu: Awaited<ReturnType<typeof openGpu>>;
  try {
    gpu = await openGpu({ allowSoftware, features: ['timestamp-query'] });
  } catch (error) {
    return { result: null, reason: error instanceof Error ? error.message : String(error) };
  }
  const figures: GpuFigures[] = [];
  const device = gpu.adapterInfo.description;
  const note = (one: GpuFigures): void => {
    figures.push(one);
    context.say(JSON.stringify(one));
  };
  const request = context.quick
    ? { side: 32, raysPerThread: 1, repeats: 1, threads: context.threads }
    : { side: 2048, raysPerThread: 16, repeats: 5, threads: context.threads };
  try {
    for (const triangles of context.quick ? [1000] : [100_000, 1_000_000]) {
      context.say(`rays over ${triangles} triangles`);
      const rays = await measureRays(gpu, sphereField(triangles), request);
      note({ what: 'rays', device, scene: `${triangles} triangles`, ...rays });
    }
  } finally {
    gpu.close();
  }
  const scenes = { ...(context.quick ? {} : { 'spheres 100k': sphereField(100_000) }), ...options.scenes };
  const [gpuTracer, cpuTracer] = await Promise.all([
    createGpuTracer({ threads: context.threads, allowSoftware }),
    createCpuTracer({ threads: context.threads }),
  ]);
  try {
    for (const [name, scene] of Object.entries(scenes)) {
      context.say(`frames of ${name}`);
      const frame = await compareFrames(name, scene, gpuTracer, cpuTracer, context.quick, options);
      note({ what: 'frame', device, scene: name, ...frame });
    }
  } finally {
    await Promise.all([gpuTracer.close(), cpuTracer.close()]);
  }
  return { result: figures };
}

async function compareFrames(
  name: string,
  scene: SceneDescription,
  gpu: Tracer,
  cpu: Tracer,
  quick: boolean,
  { onPicture }: GpuBenchOptions,
): Promise<FrameFigures> {
  const [width, height, samples] = quick ? [16, 12, 4] : [1280, 720, 32];
  const request: TraceRequest = {
    ...{ width, height, sampleStart: 0, sampleCount: samples, seed: 1, frame: 1 },
    rect: { x0: 0, y0: 0, x1: width, y1: height },
    options: traceOptionsOf(DEFAULT_RENDER_SETTINGS),
  };
  const timed = async <T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> => {
    const begin = performance.now();
    const value = await work();
    return { value, seconds: (performance.now() - begin) / 1000 };
  };
  const compile = await timed(() => gpu.setScene(scene));
  await cpu.setScene(scene);
  // Finds its pace.
  await gpu.trace(request);
  const there = await timed(() => gpu.trace(request));
  const here = await timed(() => cpu.trace(request));
  await onPicture?.(`${name} gpu`, there.value);
  await onPicture?.(`${name} cpu`, here.value);
  const a = there.value.beauty;
  const b = here.value.beauty;
  let worst = 0;
  let sum = 0;
  let equal = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    worst = Math.max(worst, difference);
    sum += difference;
    if (difference === 0) equal++;
  }
  return {
    gpuSeconds: there.seconds,
    cpuSeconds: here.seconds,
    compileSeconds: compile.seconds,
    gpuRays: there.value.rays / there.seconds / 1e6,
    cpuRays: here.value.rays / here.seconds / 1e6,
    worst,
    mean: sum / a.length,
    equal: equal / a.length,
    ...(await statistics(request, gpu, cpu)),
  };
}

/** Eight small renders of each tier, with seeds of their own, are tested against one another. */
async function statistics(
  request: TraceRequest,
  gpu: Tracer,
  cpu: Tracer,
): Promise<{ agrees: boolean; leastP: number }> {
  const [width, height] = [Math.min(160, request.width), Math.min(90, request.height)];
  const measured = async (tracer: Tracer, seed: number): Promise<MeasuredPicture> => {
    const collected = new PictureStatistics(width, height, 3);
    for (let k = 0; k < 8; k++) {
      const rect = { x0: 0, y0: 0, x1: width, y1: height };
      collected.add((await tracer.trace({ ...request, width, height, rect, seed: seed + k })).beauty, 4);
    }
    return collected.measured();
  };
  const { agrees, worst } = testPictures(await measured(cpu, 1), await measured(gpu, 101));
  return { agrees, leastP: worst.p };
}
