import { expect, it, onTestFinished } from 'vitest';
import { Heap } from './heap.ts';
import { loadTracerModule } from './module.ts';
import { SceneMemory } from './scene-memory.ts';
import { camera, place, scene, sphere, square } from './test-scenes.ts';
import { type ThreadCall, ThreadPool } from './threads.ts';

/** Also counts the trees that it builds. */
class CountingPool extends ThreadPool {
  built = 0;

  override lend<T>(use: (call: ThreadCall, index: number) => Promise<T>): Promise<T> {
    return super.lend((call, index) =>
      use((name, ...args) => {
        if (name === 'buildMeshTree') this.built++;
        return call(name, ...args);
      }, index),
    );
  }
}

it('over the frames of a shot trees of meshes that keep their shape are kept, and the others are built again', async () => {
  const heap = new Heap();
  const pool = new CountingPool((await loadTracerModule()).module, heap.memory, 1);
  onTestFinished(() => pool.close());
  const memory = new SceneMemory(heap, pool);
  await memory.prepare(0);
  const [still, skinned] = [sphere(8), square(1)];
  // The same still mesh in another place, as an animated node has it; the skinned one with other vertices.
  const frame = async (revision: number): Promise<number> => {
    const before = pool.built;
    const positions = skinned.positions.map((value) => value + revision);
    await memory.load(
      scene({
        meshes: [still, { ...skinned, positions, revision }],
        instances: [place(0, [revision, 0, 0]), place(1)],
        camera: camera([0, 5, 0.001], [0, 0, 0], 0.1),
      }),
    );
    return pool.built - before;
  };
  expect([await frame(0), await frame(1), await frame(2)]).toEqual([2, 1, 1]);
});
