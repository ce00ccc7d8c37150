/**
 * What both tiers must agree on, function by function: the translated WGSL on a GPU (SwiftShader in most tests) against the
 * exports of the WebAssembly, over thousands of seeded questions. SwiftShader computes as IEEE 754 says and gives the same bits;
 * other GPUs may divide within 2.5 ulps, contract products and sums, and take roots less exactly (WGSL, 15.7.4), which is what
 * the tolerances are for.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenGpu, openGpu } from '../../gpu/device.ts';
import { seededRandom } from '../../testing/statistics.ts';
import type { PunctualLight } from '../scene/description.ts';
import * as layout from '../wasm/assembly/layout.ts';
import * as probes from '../wasm/assembly/layout-probe.ts';
import { Heap } from '../wasm/heap.ts';
import { boundsOfLocal } from '../wasm/light-table.ts';
import { buildLightTree } from '../wasm/light-tree.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { SceneMemory } from '../wasm/scene-memory.ts';
import { IDENTITY, mesh, place, scene, sphere } from '../wasm/test-scenes.ts';
import { ThreadPool } from '../wasm/threads.ts';
import { answerOnGpu, directionOf, isNear } from './testing/functionKernel.ts';
import { hasVulkanForTests } from './testing/softwareVulkan.ts';

const VULKAN = hasVulkanForTests();
const COUNT = 4096;

let gpu: OpenGpu;
// From sources the tracer may have to be built first.
beforeAll(async () => {
  await loadTracerModule();
  if (VULKAN) gpu = await openGpu({ allowSoftware: true });
}, 300_000);
afterAll(() => gpu?.close());

describe.skipIf(!VULKAN)('the GPU tier and the CPU tier', () => {
  async function withPool<T>(work: (heap: Heap, pool: ThreadPool) => Promise<T>): Promise<T> {
    const heap = new Heap();
    const pool = new ThreadPool((await loadTracerModule()).module, heap.memory, 1);
    try {
      return await work(heap, pool);
    } finally {
      await pool.close();
    }
  }

  it('draw the same random numbers, bit for bit', async () => {
    await withPool(async (heap, pool) => {
      const stride = probes.PROBE_NUMBERS_STRIDE;
      const address = heap.allocate(COUNT * stride);
      const words = heap.words(address, (COUNT * stride) / 4);
      const next = seededRandom(11);
      for (let i = 0; i < COUNT; i++) {
        const big = i % 2 === 0 ? 2 ** 32 : 2048;
        const question = [big, 2000, 16_384, 16_384, i % 3 === 0 ? 2 ** 20 : 512, 40, 2 ** 16];
        words.set(question.map((end) => next() * end) as number[], (i * stride) / 4);
      }
      const code = `
        fn answer(at: u32) {
          sampler_startPixel(get_u32(at), get_u32(at + 4u), get_u32(at + 8u), get_u32(at + 12u));
          sampler_startSample(get_u32(at + 16u));
          put_vec4(at + u32(layout_probe_PROBE_NUMBERS_FOUR), sampler_sample4(get_u32(at + 20u)));
          put_f32(at + u32(layout_probe_PROBE_NUMBERS_UNIFORM), sampler_keyedUniform(get_u32(at + 20u), get_u32(at + 24u)));
        }`;
      const records = { address, count: COUNT, stride };
      const there = await answerOnGpu({ gpu, heap, twins: ['sampler.wgsl'], code, records });
      await pool.lend((call) => call('probeNumbers', address, COUNT));
      const here = heap.bytes(address, COUNT * stride).slice();
      // Integers and exact products: nothing for a GPU to round.
      expect(Buffer.compare(new Uint8Array(there.buffer), here)).toBe(0);
      const numbers = new Set(Array.from({ length: COUNT }, (_, i) => there.getFloat32(i * stride + 32, true)));
      expect(numbers.size).toBeGreaterThan(COUNT * 0.95);
    });
  });

  it('meet the same triangles with the same rays', async () => {
    await withPool(async (heap, pool) => {
      const next = seededRandom(12);
      const memory = new SceneMemory(heap, pool);
      await memory.prepare(0);
      const loose: number[] = [];
      for (let i = 0; i < 200; i++) {
        const centre = [0, 1, 2].map(() => 3 * (next() - 0.5));
        for (let k = 0; k < 9; k++) loose.push(centre[k % 3]! + (next() - 0.5));
      }
      const moving = place(0, [1, 1, 0], 0.7);
      moving.transformNext = place(0, [1.5, 0.5, 0.4], 0.9).transform;
      const turned = { ...place(0), transform: Float32Array.from(IDENTITY) };
      turned.transform.set([0.5, 0.6, 0, 0, -0.6, 0.5, 0, 0, 0, 0, -0.8, 0, -1, 0.4, 0.2, 1]);
      const soup = mesh(
        loose,
        Array.from({ length: 600 }, (_, i) => i),
      );
      await memory.load(scene({ meshes: [sphere(10), soup], instances: [place(1), moving, turned] }));
      const stride = probes.PROBE_RAY_STRIDE + probes.PROBE_HIT_STRIDE;
      const rays = heap.allocate(COUNT * probes.PROBE_RAY_STRIDE);
      const hits = heap.allocate(COUNT * probes.PROBE_HIT_STRIDE);
      const address = heap.allocate(COUNT * stride);
      for (let i = 0; i < COUNT; i++) {
        const origin = directionOf(next).map((value) => value * 4);
        const target = [0, 1, 2].map(() => 3 * (next() - 0.5));
        const away = target.map((value, k) => value - origin[k]!);
        const length = Math.hypot(...away);
        // Some end before they meet anything, some run along an axis.
        const direction = i % 16 === 0 ? [0, 0, 1] : away.map((value) => value / length);
        const ray = [...origin, i % 4 === 0 ? next() : 0, ...direction, i % 5 === 0 ? length : 3.4e38];
        heap.floats(rays + i * probes.PROBE_RAY_STRIDE, 8).set(ray);
        heap.floats(address + i * stride, 8).set(ray);
      }
      const code = `
        fn answer(at: u32) {
          set_traversal(${memory.address}u);
          instance_setInstanceTime(get_f32(at + 12u));
          let origin = get_vec4(at);
          let direction = get_vec4(at + 16u);
          let limit = get_f32(at + 28u);
          put_u32(at + 52u, select(0u, 1u, traverse_occluded(origin, direction, limit)));
          let found = traverse_intersect(origin, direction, limit);
          put_f32(at + 32u, traverse_mesh_hitT);
          put_f32(at + 36u, traverse_mesh_hitU);
          put_f32(at + 40u, traverse_mesh_hitV);
          put_u32(at + 44u, 0xffffffffu);
          put_u32(at + 48u, 0xffffffffu);
          if (found) {
            put_u32(at + 44u, load_u32(traverse_mesh_hitTriangle + u32(layout_PACK_IDS)));
            put_u32(at + 48u, load_u32(traverse_mesh_hitInstance + u32(layout_INSTANCE_ID)));
          }
        }`;
      const there = await answerOnGpu({
        ...{ gpu, heap, code },
        twins: ['sampler.wgsl', 'lookups.wgsl', 'traverse.wgsl'],
        emptied: ['alpha_passesAlpha', 'texture_'],
        records: { address, count: COUNT, stride },
      });
      const workspace = heap.allocate(layout.WORKSPACE_SIZE);
      await pool.lend((call) => call('probeRays', memory.address, workspace, rays, hits, COUNT));
      let [met, hidden, other] = [0, 0, 0];
      for (let i = 0; i < COUNT; i++) {
        const here = heap.view(hits + i * probes.PROBE_HIT_STRIDE, probes.PROBE_HIT_STRIDE);
        const at = i * stride + probes.PROBE_RAY_STRIDE;
        const sameName = [12, 16, 20].every((k) => here.getInt32(k, true) === there.getInt32(at + k, true));
        // Distances cancel in the differences to the corners: some ulps of the coordinates (4) over those of the hit.
        const samePlace = [0, 4, 8].every((k) => {
          if (here.getInt32(12, true) < 0 && k > 0) return true;
          return isNear(here.getFloat32(k, true), there.getFloat32(at + k, true), 1e-5, k > 0 ? 1e-4 : 0);
        });
        if (here.getInt32(12, true) >= 0) met++;
        if (here.getInt32(20, true) === 1) hidden++;
        if (!sameName || !samePlace) other++;
      }
      expect(met).toBeGreaterThan(COUNT / 4);
      expect(met).toBeLessThan(COUNT);
      expect(hidden).toBe(met);
      // A ray within rounding of an edge may go to its neighbour: one in thousands.
      expect(other).toBeLessThanOrEqual(COUNT / 1000);
    });
  });

  it('pick the same lights with the same chances', async () => {
    await withPool(async (heap, pool) => {
      const next = seededRandom(13);
      const above = (): [number, number, number] => [10 * (next() - 0.5), 1 + 2 * next(), 10 * (next() - 0.5)];
      const lights = Array.from({ length: 300 }, (_, i): Exclude<PunctualLight, { kind: 'directional' }> => {
        const strength = next() ** 2;
        const plain = { position: above(), intensity: [strength, strength, strength] as [number, number, number] };
        if (i % 3 > 0) return { kind: 'point', ...plain };
        return { kind: 'spot', ...plain, direction: directionOf(next), innerConeAngle: 0.2, outerConeAngle: 0.9 };
      });
      const { nodes, trails } = buildLightTree(lights.map(boundsOfLocal));
      const tree = heap.store(nodes);
      const stride = probes.PROBE_LIGHT_STRIDE;
      const address = heap.allocate(COUNT * stride);
      const view = heap.view(address, COUNT * stride);
      for (let i = 0; i < COUNT; i++) {
        const from = i % 2 ? above() : [8 * (next() - 0.5), 0, 8 * (next() - 0.5)];
        [...from, 0, ...directionOf(next), 0, next()].forEach((value, k) => {
          view.setFloat32(i * stride + 4 * k, value, true);
        });
        view.setUint32(i * stride + probes.PROBE_LIGHT_TRAIL, trails[Math.floor(next() * lights.length)]!, true);
      }
      const code = `
        fn answer(at: u32) {
          let from_here = get_vec4(at);
          let normal = get_vec4(at + 16u);
          let found = light_tree_pickLight(${tree}u, get_f32(at + u32(layout_probe_PROBE_LIGHT_CHOICE)), from_here, normal);
          put_u32(at + u32(layout_probe_PROBE_LIGHT_PICKED), select(0xffffffffu, u32(light_tree_pickedLight), found));
          put_f32(at + u32(layout_probe_PROBE_LIGHT_CHANCE), select(0.0f, light_tree_pickedChance, found));
          let asked = get_u32(at + u32(layout_probe_PROBE_LIGHT_TRAIL));
          put_f32(at + u32(layout_probe_PROBE_LIGHT_TRAIL_CHANCE), light_tree_chanceOfLight(${tree}u, asked, from_here, normal));
        }`;
      const there = await answerOnGpu({ gpu, heap, twins: [], code, records: { address, count: COUNT, stride } });
      await pool.lend((call) => call('probeLights', tree, address, COUNT));
      let [picked, other] = [0, 0];
      for (let i = 0; i < COUNT; i++) {
        const at = i * stride;
        const same =
          view.getInt32(at + probes.PROBE_LIGHT_PICKED, true) === there.getInt32(at + probes.PROBE_LIGHT_PICKED, true);
        // Five levels, at each a quotient of importances.
        const chances = [probes.PROBE_LIGHT_CHANCE, probes.PROBE_LIGHT_TRAIL_CHANCE].every((k) =>
          isNear(view.getFloat32(at + k, true), there.getFloat32(at + k, true), 1e-4, 1e-9),
        );
        if (view.getInt32(at + probes.PROBE_LIGHT_PICKED, true) >= 0) picked++;
        if (!same || !chances) other++;
      }
      expect(picked).toBeGreaterThan(COUNT / 2);
      // The number that descends is stretched at each level; one in hundreds lies within rounding of a border.
      expect(other).toBeLessThanOrEqual(COUNT / 400);
    });
  });
});
