/** Traversal against testing every triangle in double precision; watertight edges; hostile geometry; what instances cost. */

import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../testing/statistics.ts';
import type { MeshGeometry, SceneDescription } from '../scene/description.ts';
import * as layout from './assembly/layout.ts';
import * as probes from './assembly/layout-probe.ts';
import { Heap } from './heap.ts';
import { transformPoint, type Vector } from './matrix.ts';
import { loadTracerModule } from './module.ts';
import { motionBetween, poseAt } from './motion.ts';
import { SceneMemory } from './scene-memory.ts';
import { camera, IDENTITY, material, mesh, place, scene, sphere, square } from './test-scenes.ts';
import { cross, dot, minus } from './test-vectors.ts';
import { ThreadPool } from './threads.ts';

interface Ray {
  origin: Vector;
  direction: Vector;
  time: number;
}

interface Hit {
  t: number;
  triangle: number;
  instance: number;
  occluded: boolean;
}

const heap = new Heap();
const started = start();
afterAll(async () => (await started).pool.close());

async function start() {
  const pool = new ThreadPool((await loadTracerModule()).module, heap.memory, 1);
  const memory = new SceneMemory(heap, pool);
  await memory.prepare(0);
  return { pool, memory, workspace: heap.allocate(layout.WORKSPACE_SIZE) };
}

/** Loads the scene and casts the rays (without limit) in it, one by one or `probePacket` all together. */
async function cast(
  description: SceneDescription,
  rays: readonly Ray[],
  how: 'probeRays' | 'probePacket' = 'probeRays',
): Promise<Hit[]> {
  const { pool, memory, workspace } = await started;
  await memory.load(description);
  const raysAt = heap.allocate(rays.length * probes.PROBE_RAY_STRIDE);
  const hitsAt = heap.allocate(rays.length * probes.PROBE_HIT_STRIDE);
  const floats = heap.floats(raysAt, rays.length * 8);
  rays.forEach(({ origin, direction, time }, i) => {
    floats.set([...origin, time, ...direction, Infinity], 8 * i);
  });
  await pool.lend((call) => call(how, memory.address, workspace, raysAt, hitsAt, rays.length));
  const t = heap.floats(hitsAt, rays.length * 8);
  const words = heap.words(hitsAt, rays.length * 8);
  const hits = rays.map((_, i) => ({
    t: t[8 * i]!,
    triangle: words[8 * i + 3]!,
    instance: words[8 * i + 4]!,
    occluded: words[8 * i + 5] === 1,
  }));
  heap.free(raysAt);
  heap.free(hitsAt);
  return hits;
}

function directionOf(next: () => number): Vector {
  const z = 2 * next() - 1;
  const turn = 2 * Math.PI * next();
  const r = Math.sqrt(1 - z * z);
  return [r * Math.cos(turn), r * Math.sin(turn), z];
}

/** A rotation about an axis, scaled and moved, column-major. */
function randomTransform(next: () => number, size: number): Float32Array {
  const [x, y, z] = directionOf(next);
  const angle = 2 * Math.PI * next();
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const k = 1 - c;
  const stretch = [0.4 + next(), 0.4 + next(), (0.4 + next()) * (next() < 0.3 ? -1 : 1)];
  const columns = [
    [c + x * x * k, y * x * k + z * s, z * x * k - y * s],
    [x * y * k - z * s, c + y * y * k, z * y * k + x * s],
    [x * z * k + y * s, y * z * k - x * s, c + z * z * k],
  ];
  return Float32Array.from([
    ...columns.flatMap((column, i) => [...column.map((value) => value * stretch[i]!), 0]),
    ...[0, 1, 2].map(() => (next() - 0.5) * size),
    1,
  ]);
}

/** Loose triangles in the unit cube; every second one is cut out when the material masks. */
function soup(next: () => number, triangles: number, moves: boolean, materialIndex = 0): MeshGeometry {
  const positions: number[] = [];
  for (let i = 0; i < triangles; i++) {
    const centre = [0, 1, 2].map(() => next() - 0.5);
    for (let k = 0; k < 9; k++) positions.push(centre[k % 3]! + (next() - 0.5) * 0.5);
  }
  const colors = Float32Array.from({ length: triangles * 12 }, (_, i) => (i % 4 < 3 ? 1 : Math.floor(i / 12) % 2));
  return mesh(
    positions,
    Array.from({ length: triangles * 3 }, (_, i) => i),
    {
      colors,
      material: materialIndex,
      positionsNext: moves ? Float32Array.from(positions, (value) => value + (next() - 0.5) * 0.2) : null,
    },
  );
}

/** The nearest hit by testing every triangle of every instance (Moeller and Trumbore), and how near an edge it is. */
function everyTriangle(description: SceneDescription, ray: Ray): { t: number; margin: number } {
  let best = { t: Infinity, margin: Infinity };
  let closestMiss = Infinity;
  for (const { mesh: index, transform, transformNext } of description.instances) {
    const { positions: p, positionsNext: q, indices, material: materialIndex } = description.meshes[index]!;
    const masks = description.materials[materialIndex]!.alphaMode === 'mask';
    const motion = transformNext ? motionBetween(transform, transformNext) : null;
    const pose = motion ? poseAt(motion, ray.time) : transform;
    const point = (vertex: number): Vector => {
      const at = (axis: number): number =>
        p[3 * vertex + axis]! + (q ? (q[3 * vertex + axis]! - p[3 * vertex + axis]!) * ray.time : 0);
      return transformPoint(pose, [at(0), at(1), at(2)]);
    };
    for (let triangle = 0; triangle < indices.length / 3; triangle++) {
      if (masks && triangle % 2 === 0) continue;
      const [a, b, c] = [0, 1, 2].map((k) => point(indices[3 * triangle + k]!)) as [Vector, Vector, Vector];
      const e1 = minus(b, a);
      const e2 = minus(c, a);
      const normal = cross(ray.direction, e2);
      const det = dot(e1, normal);
      const to = minus(ray.origin, a);
      const u = dot(to, normal) / det;
      const other = cross(to, e1);
      const v = dot(ray.direction, other) / det;
      const t = dot(e2, other) / det;
      const margin = Math.min(u, v, 1 - u - v);
      if (t > 0 && margin >= 0 && t < best.t) best = { t, margin };
      if (t > 0 && Math.abs(margin) < closestMiss) closestMiss = Math.abs(margin);
    }
  }
  return { t: best.t, margin: closestMiss };
}

describe('traversal finds what testing every triangle finds', () => {
  for (const [what, seed, moving, alpha] of [
    ['among instances', 11, false, false],
    ['through cut-out surfaces', 12, false, true],
    ['at any time of instances and vertices that move', 13, true, false],
    ['of all at once', 14, true, true],
  ] as const) {
    it(what, async () => {
      const next = seededRandom(seed);
      const materials = [material(), material({ alphaMode: alpha ? 'mask' : 'opaque' })];
      const meshes = [soup(next, 60, moving), soup(next, 41, false, 1), soup(next, 3, moving, 1)];
      const instances = Array.from({ length: 12 }, (_, i) => ({
        mesh: i % 3,
        name: `instance ${i}`,
        transform: randomTransform(next, 2),
        transformNext: moving && i % 2 === 0 ? randomTransform(next, 2) : null,
      }));
      instances.push({ mesh: 0, name: 'identity', transform: IDENTITY, transformNext: null });
      const description = scene({ meshes, instances, materials, camera: { ...camera([0, 0, 5]), shutter: 0.8 } });
      const rays: Ray[] = Array.from({ length: 1500 }, () => {
        const [origin, target] = [4, 2].map((size) => [0, 1, 2].map(() => size * (next() - 0.5)) as Vector);
        return { origin: origin!, direction: minus(target!, origin!), time: moving ? 0.8 * next() : 0 };
      });
      const hits = await cast(description, rays);
      let compared = 0;
      let found = 0;
      rays.forEach((ray, i) => {
        const expected = everyTriangle(description, { ...ray, ...rounded(ray) });
        // So near an edge that single and double precision may differ.
        if (expected.margin < 1e-4) return;
        compared++;
        const hit = hits[i]!;
        expect(hit.triangle >= 0).toBe(expected.t < Infinity);
        expect(hit.occluded).toBe(expected.t < Infinity);
        if (!(expected.t < Infinity)) return;
        found++;
        expect(Math.abs(hit.t - expected.t)).toBeLessThan(1e-4 * (1 + expected.t));
      });
      expect(compared).toBeGreaterThan(1000);
      expect(found).toBeGreaterThan(200);
    });
  }

  function rounded({ origin, direction, time }: Ray): Ray {
    return {
      origin: origin.map(Math.fround) as Vector,
      direction: direction.map(Math.fround) as Vector,
      time: Math.fround(time),
    };
  }
});

describe('rays that are cast together hit what each hits alone, bit for bit', () => {
  /** As many rays from one point as go together, spread about a direction. */
  function beam(next: () => number, spread: number, rays: number): Ray[] {
    const origin = directionOf(next).map((value) => 3 * value) as Vector;
    const target = [0, 1, 2].map(() => 1.5 * (next() - 0.5)) as Vector;
    return Array.from({ length: rays }, () => {
      const aside = [0, 1, 2].map((i) => target[i]! + spread * (next() - 0.5)) as Vector;
      return { origin, direction: minus(aside, origin), time: 0 };
    });
  }

  const next = seededRandom(21);
  const materials = [material(), material({ alphaMode: 'mask' })];
  const many = Array.from({ length: 14 }, (_, i) => ({
    mesh: i % 3,
    name: `instance ${i}`,
    transform: i === 0 ? IDENTITY : randomTransform(next, 2),
  }));
  for (const [what, description] of [
    ['in one mesh', scene({ meshes: [sphere(64)], instances: [place(0)] })],
    ['in one mesh that is turned', scene({ meshes: [sphere(12)], instances: [{ ...many[3]!, mesh: 0 }] })],
    [
      'among instances',
      scene({ meshes: [soup(next, 60, false), soup(next, 41, false, 1), sphere(24)], instances: many, materials }),
    ],
  ] as const) {
    it(what, async () => {
      let found = 0;
      for (const [spread, rays] of [0.02, 0.1, 0.5, 2, 8].flatMap((size) =>
        [1, 3, 50, 64].map((n) => [size, n] as const),
      )) {
        const together = beam(next, spread, rays);
        const alone = await cast(description, together);
        expect(await cast(description, together, 'probePacket')).toEqual(
          alone.map((hit) => ({ ...hit, occluded: false })),
        );
        found += alone.filter(({ triangle }) => triangle >= 0).length;
      }
      expect(found).toBeGreaterThan(100);
    });
  }
});

describe('no ray gets out of a closed mesh', () => {
  /** Rays from inside, most of them aimed at a vertex or a point on an edge, as near as floats can. */
  function raysAtEdges(shape: MeshGeometry, transform: Float32Array, count: number, next: () => number): Ray[] {
    const vertex = (index: number): Vector => {
      const at = 3 * shape.indices[index]!;
      return transformPoint(transform, [shape.positions[at]!, shape.positions[at + 1]!, shape.positions[at + 2]!]);
    };
    return Array.from({ length: count }, () => {
      const first = 3 * Math.floor((next() * shape.indices.length) / 3);
      const [a, b] = [vertex(first), vertex(first + 1)];
      const where = next() < 0.3 ? 0 : next();
      const target = a.map((value, i) => value + (b[i]! - value) * where) as Vector;
      const origin = [0, 1, 2].map((i) => transform[12 + i]! + (next() - 0.5) * 0.5) as Vector;
      return { origin, direction: minus(target, origin), time: 0.25 };
    });
  }

  const cube = mesh(
    [0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) => [i & 1 ? 1 : -1, i & 2 ? 1 : -1, i & 4 ? 1 : -1]),
    [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3],
  );
  const turned = Float32Array.from([0.36, 0.48, -0.8, 0, -0.8, 0.6, 0, 0, 0.48, 0.64, 0.6, 0, 100.3, 20.7, -3.1, 1]);
  for (const [name, shape, transform, moves] of [
    ['a sphere', sphere(96), IDENTITY, false],
    ['a sphere far from the origin, turned', sphere(48), turned, false],
    ['a sphere that bulges while the shutter is open', sphere(48), IDENTITY, true],
    ['a cube', cube, IDENTITY, false],
  ] as const) {
    it(`out of ${name}`, async () => {
      const closed = weld(shape, moves);
      const rays = raysAtEdges(closed, transform, 60_000, seededRandom(5));
      const hits = await cast(
        scene({
          meshes: [closed],
          instances: [{ mesh: 0, name, transform }],
          camera: { ...camera([0, 0, 5]), shutter: moves ? 0.5 : 0 },
        }),
        rays,
      );
      expect(hits.filter(({ triangle, occluded }) => triangle < 0 || !occluded)).toEqual([]);
    });
  }

  /** One vertex a place (a sphere's seam has two), and the next pose a little larger where asked. */
  function weld(shape: MeshGeometry, moves: boolean): MeshGeometry {
    const known = new Map<string, number>();
    const indices = shape.indices.map((index) => {
      const place = [0, 1, 2].map((axis) => shape.positions[3 * index + axis]!.toFixed(5)).join();
      if (!known.has(place)) known.set(place, index);
      return known.get(place)!;
    });
    return { ...shape, indices, positionsNext: moves ? shape.positions.map((value) => value * 1.2) : null };
  }
});

describe('hostile geometry', () => {
  const down: Ray = { origin: [0, 1, 0], direction: [0, -1, 0], time: 0 };
  const triangleOf = (size: number): MeshGeometry => mesh([-size, 0, -size, 0, 0, size, size, 0, -size], [0, 1, 2]);

  it('is hit at any size that single precision can tell from nothing', async () => {
    for (const size of [1e-15, 1e-6, 1, 1e6, 1e17]) {
      const [hit] = await cast(scene({ meshes: [triangleOf(size)], instances: [place(0)] }), [down]);
      expect([size, hit!.triangle]).toEqual([size, 0]);
      expect(hit!.t).toBeCloseTo(1, 5);
    }
  });

  it('is left out where it is smaller, and refused where areas would overflow', async () => {
    const [hit] = await cast(scene({ meshes: [triangleOf(1e-30)], instances: [place(0)] }), [down]);
    expect(hit!.triangle).toBe(-1);
    const { memory } = await started;
    await expect(memory.load(scene({ meshes: [triangleOf(1e20)], instances: [place(0)] }))).rejects.toMatchObject({
      code: 'SceneInvalid',
    });
  });

  it('may be a hundred thousand times the same triangle', async () => {
    const count = 100_000;
    const one = triangleOf(1);
    const stacked = mesh(
      [...one.positions],
      Array.from({ length: 3 * count }, (_, i) => i % 3),
    );
    const [hit] = await cast(scene({ meshes: [stacked], instances: [place(0)] }), [down]);
    // Of equals the first one.
    expect(hit).toMatchObject({ triangle: 0, occluded: true });
  });

  it('may make the deepest of trees', async () => {
    // Each triangle twice as large and as far as the one before: every split cuts off one end.
    const positions: number[] = [];
    for (let i = 0; i < 110; i++) {
      const size = 2 ** (i - 60);
      positions.push(size, 0, -size, size, 0, size, size * 1.5, 0, 0);
    }
    const ladder = mesh(
      positions,
      Array.from({ length: 330 }, (_, i) => i),
    );
    const rays = [2 ** -40, 1, 2 ** 40].map(
      (size): Ray => ({ origin: [size * 1.2, size, 0], direction: [0, -1, 0], time: 0 }),
    );
    const hits = await cast(scene({ meshes: [ladder], instances: [place(0)] }), rays);
    expect(hits.map(({ triangle }) => triangle)).toEqual([20, 60, 100]);
  });
});

describe('memory', () => {
  it('does not grow with what is instanced, only with instance records and the tree over them', async () => {
    const { memory } = await started;
    const shape = sphere(64);
    await memory.load(scene({ meshes: [shape], instances: [place(0)] }));
    const one = heap.usedBytes;
    const count = 10_000;
    const instances = Array.from({ length: count }, (_, i) => place(0, [3 * (i % 100), 0, 3 * Math.floor(i / 100)]));
    await memory.load(scene({ meshes: [shape], instances }));
    const perInstance = (heap.usedBytes - one) / count;
    expect(perInstance).toBeLessThan(layout.INSTANCE_STRIDE + layout.NODE_STRIDE + 1);
    await memory.load(scene({ meshes: [square(1)], instances: [place(0)] }));
    expect(heap.usedBytes).toBeLessThan(one);
  });
});
