/** What a scene's geometry takes in the CPU tracer, found by loading it: triangles, vertex attributes and their BVHs. */
import type { RenderSettings } from '../../domain/scene.ts';
import type { SceneFiles } from '../engine.ts';
import { SceneCache } from './sceneCache.ts';
import { Shot } from './shot.ts';
import { Heap } from './wasm/heap.ts';
import { loadMesh } from './wasm/mesh-memory.ts';
import { loadTracerModule } from './wasm/module.ts';
import { ThreadPool } from './wasm/threads.ts';

export interface GeometryMemory {
  bytes: number;
  /** Triangles of the frame, each once however often it is instanced. */
  triangles: number;
  /** Seconds that building took, on all threads given. */
  buildSeconds: number;
}

/** Loads a frame's meshes. @throws FarmError as `Shot`, `SceneTooLarge` when they do not fit */
export async function measureGeometry(
  files: SceneFiles,
  settings: RenderSettings,
  frame: number,
  threads: number,
): Promise<GeometryMemory> {
  const { meshes } = await (await Shot.open(new SceneCache(), files, settings, [frame])).at(frame);
  const { module } = await loadTracerModule();
  const heap = new Heap();
  const pool = new ThreadPool(module, heap.memory, threads);
  try {
    const before = heap.usedBytes;
    const begin = performance.now();
    await Promise.all(meshes.map((mesh) => loadMesh(heap, pool, mesh, 0)));
    return {
      bytes: heap.usedBytes - before,
      triangles: meshes.reduce((sum, { indices }) => sum + indices.length / 3, 0),
      buildSeconds: (performance.now() - begin) / 1000,
    };
  } finally {
    await pool.close();
  }
}
