/** The tree that a mesh is built into, as it lies in memory. */
import { expect, it, onTestFinished } from 'vitest';
import * as layout from './assembly/layout.ts';
import { Heap } from './heap.ts';
import { loadMesh } from './mesh-memory.ts';
import { loadTracerModule } from './module.ts';
import { sphere } from './test-scenes.ts';
import { ThreadPool } from './threads.ts';

it('has every triangle in one leaf and inside every box above it, and few of the places of its nodes stay empty', async () => {
  const heap = new Heap();
  const pool = new ThreadPool((await loadTracerModule()).module, heap.memory, 1);
  onTestFinished(() => pool.close());
  const mesh = sphere(24);
  const { record } = await loadMesh(heap, pool, mesh, 0);
  const view = new DataView(heap.memory.buffer);
  const nodes = view.getUint32(record + layout.MESH_NODES, true);
  const packs = view.getUint32(record + layout.MESH_PACKS, true);
  const seen: number[] = [];
  let nodeCount = 0;
  let children = 0;
  let outside = 0;
  // Corners of the triangles below a reference, which must lie in the boxes of all that leads there.
  const visit = (reference: number, boxes: number[][]): void => {
    if (reference < 0) {
      const pack = packs + ~reference * 2 ** layout.REFERENCE_SHIFT;
      for (let lane = 0; lane < 4; lane++) {
        const triangle = view.getInt32(pack + layout.PACK_IDS + 4 * lane, true);
        if (triangle < 0) continue;
        seen.push(triangle);
        for (let corner = 0; corner < 9; corner++) {
          const value = view.getFloat32(pack + 16 * corner + 4 * lane, true);
          const axis = corner % 3;
          outside += boxes.filter((box) => value < box[2 * axis]! || value > box[2 * axis + 1]!).length;
        }
      }
      return;
    }
    nodeCount++;
    const node = nodes + reference * 2 ** layout.REFERENCE_SHIFT;
    for (let slot = 0; slot < layout.NODE_WIDTH; slot++) {
      const box = [0, 32, 64, 96, 128, 160].map((at) => view.getFloat32(node + at + 4 * slot, true));
      if (box[0]! > box[1]!) continue;
      children++;
      visit(view.getInt32(node + layout.NODE_CHILDREN + 4 * slot, true), [...boxes, box]);
    }
  };
  visit(0, []);
  expect(outside).toBe(0);
  expect(seen.length).toBe(new Set(seen).size);
  expect(seen.length).toBeGreaterThan(0.9 * (mesh.indices.length / 3));
  // Opening the largest child until there are eight leaves half of them empty.
  expect(children / nodeCount).toBeGreaterThan(5.5);
});
