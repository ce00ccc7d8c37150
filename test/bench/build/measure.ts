/**
 * One measurement in a process of its own, so that its peak memory is that of nothing else:
 *
 *     node measure.js mesh|frame TRIANGLES THREADS
 *     node measure.js file SCENE.glb THREADS
 *
 * Prints one JSON object. `mesh` builds the mesh's tree only, `frame` goes from a scene in memory to the first traced pixels, `file`
 * from a file to them.
 */
import { basename, dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { SceneInstancer } from '../../../renderer/pathtracer/gltf/instantiate.ts';
import { loadScene } from '../../../renderer/pathtracer/gltf/load.ts';
import type { SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import { DEFAULT_TRACE_OPTIONS } from '../../../renderer/pathtracer/tracer.ts';
import { Heap } from '../../../renderer/pathtracer/wasm/heap.ts';
import { loadMesh } from '../../../renderer/pathtracer/wasm/mesh-memory.ts';
import { loadTracerModule } from '../../../renderer/pathtracer/wasm/module.ts';
import { ThreadPool } from '../../../renderer/pathtracer/wasm/threads.ts';
import { createCpuTracer } from '../../../renderer/pathtracer/wasm/tracer.ts';
import { sphereField } from '../scenes.ts';

/** Seconds and memory of one way to a mesh's tree or to the first pixels. */
export interface Measurement {
  triangles: number;
  seconds: number;
  /** What the mesh with its tree takes of the tracer's memory, and how far that memory grew; `mesh` only. */
  heapBytes?: number;
  heapPeakBytes?: number;
  /** Largest resident set of the whole process, the scene's own arrays included. */
  peakRssBytes: number;
}

const [mode, subject, threadsText] = process.argv.slice(2) as [string, string, string];
const threads = Number(threadsText);
const outcome = mode === 'mesh' ? await buildMesh() : await firstPixels();
process.stdout.write(JSON.stringify({ ...outcome, peakRssBytes: process.resourceUsage().maxRSS * 1024 }));

async function buildMesh(): Promise<Omit<Measurement, 'peakRssBytes'>> {
  const mesh = sphereField(Number(subject)).meshes[0]!;
  const { module } = await loadTracerModule();
  const heap = new Heap();
  const pool = new ThreadPool(module, heap.memory, threads);
  const before = heap.usedBytes;
  const begin = performance.now();
  await loadMesh(heap, pool, mesh, 0);
  const seconds = (performance.now() - begin) / 1000;
  await pool.close();
  return {
    triangles: mesh.indices.length / 3,
    seconds,
    heapBytes: heap.usedBytes - before,
    heapPeakBytes: heap.memory.buffer.byteLength,
  };
}

async function firstPixels(): Promise<Omit<Measurement, 'peakRssBytes'>> {
  const tracer = await createCpuTracer({ threads });
  let scene: SceneDescription | null = mode === 'file' ? null : sphereField(Number(subject));
  const begin = performance.now();
  scene ??= new SceneInstancer(await loadScene({ root: dirname(subject), main: basename(subject) })).at(0, null, 1);
  await tracer.setScene(scene);
  await tracer.trace({
    ...{ width: 16, height: 16, seed: 1, frame: 0, sampleStart: 0, sampleCount: 1 },
    rect: { x0: 0, y0: 0, x1: 16, y1: 16 },
    options: DEFAULT_TRACE_OPTIONS,
  });
  const seconds = (performance.now() - begin) / 1000;
  await tracer.close();
  return { triangles: scene.meshes.reduce((sum, { indices }) => sum + indices.length / 3, 0), seconds };
}
