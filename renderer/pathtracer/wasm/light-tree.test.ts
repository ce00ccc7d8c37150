/** The light tree: probabilities that are what they say, sums over thousands of lights, and less noise than power alone. */

import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../testing/statistics.ts';
import type { PunctualLight } from '../scene/description.ts';
import type { Tracer } from '../tracer.ts';
import * as probes from './assembly/layout-probe.ts';
import { Heap } from './heap.ts';
import { boundsOfLocal, boundsOfTriangle } from './light-table.ts';
import { buildLightTree, type LightBounds } from './light-tree.ts';
import { unit, type Vector } from './matrix.ts';
import { loadTracerModule } from './module.ts';
import { camera, material, mesh, place, request, scene, square } from './test-scenes.ts';
import { cross, dot, minus } from './test-vectors.ts';
import { ThreadPool } from './threads.ts';
import { createCpuTracer } from './tracer.ts';

type LocalLight = Exclude<PunctualLight, { kind: 'directional' }>;
type Triangle = readonly [Vector, Vector, Vector];

const heap = new Heap();
const started = loadTracerModule().then(({ module }) => new ThreadPool(module, heap.memory, 1));
const tracers: Tracer[] = [];
afterAll(async () => {
  await (await started).close();
  await Promise.all(tracers.map((tracer) => tracer.close()));
});

/** A place in a box 10 wide and deep, from 1 to 3 above the ground. */
const above = (next: () => number): Vector => [10 * (next() - 0.5), 1 + 2 * next(), 10 * (next() - 0.5)];
const around = (next: () => number, size: number): Vector => [
  size * (next() - 0.5),
  size * (next() - 0.5),
  size * (next() - 0.5),
];

function pointLights(next: () => number, count: number): LocalLight[] {
  return Array.from({ length: count }, () => {
    const strength = next() ** 2;
    return { kind: 'point', position: above(next), intensity: [strength, strength, strength] };
  });
}

function triangles(next: () => number, count: number, size: number): Triangle[] {
  return Array.from({ length: count }, () => {
    const corner = above(next);
    const near = (): Vector => around(next, size).map((value, k) => value + corner[k]!) as Vector;
    return [corner, near(), near()];
  });
}

const boundsOf = ([v0, b, c]: Triangle, isTwoSided: boolean): LightBounds => {
  const [e1, e2] = [minus(b, v0), minus(c, v0)];
  const area = Math.hypot(...cross(e1, e2)) / 2;
  const power = area * Math.PI * (isTwoSided ? 2 : 1);
  return boundsOfTriangle({ instance: 0, triangle: 0, v0, e1, e2, area, isTwoSided, power });
};

interface Question {
  from: Vector;
  normal: Vector;
  choice?: number;
  /** Index of a light whose probability is wanted. */
  light?: number;
}

/** For each question what the number picks with which probability, and the probability of the light that was asked for. */
async function ask(lights: readonly LightBounds[], questions: readonly Question[]) {
  const { nodes, trails } = buildLightTree(lights);
  const tree = heap.store(nodes);
  const records = heap.allocate(questions.length * probes.PROBE_LIGHT_STRIDE);
  const view = heap.view(records, questions.length * probes.PROBE_LIGHT_STRIDE);
  questions.forEach(({ from, normal, choice, light }, i) => {
    const at = i * probes.PROBE_LIGHT_STRIDE;
    from.forEach((value, k) => {
      view.setFloat32(at + 4 * k, value, true);
      view.setFloat32(at + 16 + 4 * k, normal[k]!, true);
    });
    view.setFloat32(at + probes.PROBE_LIGHT_CHOICE, choice ?? 0, true);
    view.setUint32(at + probes.PROBE_LIGHT_TRAIL, trails[light ?? 0]!, true);
  });
  await (await started).lend((call) => call('probeLights', tree, records, questions.length));
  const answers = questions.map((_, i) => {
    const at = i * probes.PROBE_LIGHT_STRIDE;
    return {
      picked: view.getInt32(at + probes.PROBE_LIGHT_PICKED, true),
      chance: view.getFloat32(at + probes.PROBE_LIGHT_CHANCE, true),
      chanceOfLight: view.getFloat32(at + probes.PROBE_LIGHT_TRAIL_CHANCE, true),
    };
  });
  heap.free(records);
  heap.free(tree);
  return answers;
}

describe('probabilities of the light tree', () => {
  const next = seededRandom(3);
  const spots: LocalLight[] = Array.from({ length: 100 }, () => ({
    kind: 'spot',
    position: above(next),
    direction: unit(around(next, 2)),
    intensity: [1, 1, 1],
    innerConeAngle: 0.2,
    outerConeAngle: 0.3 + next(),
  }));
  const locals = [...pointLights(next, 100), ...spots];
  const corners = triangles(next, 200, 0.5);
  const lights = [...locals.map(boundsOfLocal), ...corners.map((triangle, i) => boundsOf(triangle, i % 3 === 0))];
  const places = Array.from({ length: 12 }, (_, i) => {
    // On the ground, among the lights, and far away.
    const from: Vector = i % 3 === 0 ? [8 * (next() - 0.5), 0, 0] : i % 3 === 1 ? above(next) : around(next, 200);
    return { from, normal: unit(around(next, 2)) };
  });

  it.each(places.map((_, i) => i))('sum to one over all lights and what is picked in vain (place %i)', async (i) => {
    const answers = await ask(
      lights,
      lights.map((_, light) => ({ ...places[i]!, light })),
    );
    const sum = answers.reduce((total, { chanceOfLight }) => total + chanceOfLight, 0);
    // What is missing is the share of numbers that lead to where nothing shines: coarse bounds hide that from the nodes above.
    const picks = await ask(
      lights,
      Array.from({ length: 4096 }, (_, k) => ({ ...places[i]!, choice: (k + 0.5) / 4096 })),
    );
    const lost = picks.filter(({ picked }) => picked < 0).length / picks.length;
    expect(lost).toBeLessThan(0.2);
    // Evenly spaced numbers miss at most one in each interval of lost ones, of which there are a few.
    expect(Math.abs(sum + lost - 1)).toBeLessThan(20 / 4096);
    expect(Math.abs(sum - 1)).toBeLessThan(lost > 0 ? 1 : 1e-5);
    const { from } = places[i]!;
    locals.forEach((light, index) => {
      const towards = unit(minus(from, light.position));
      const shines = light.kind === 'point' || dot(towards, unit(light.direction)) > Math.cos(light.outerConeAngle);
      if (shines) expect(answers[index]!.chanceOfLight).toBeGreaterThan(0);
    });
    corners.forEach(([a, b, c], index) => {
      const normal = unit(cross(minus(b, a), minus(c, a)));
      if (index % 3 === 0 || dot(minus(from, a), normal) > 0) {
        expect(answers[locals.length + index]!.chanceOfLight).toBeGreaterThan(0);
      }
    });
  });

  it('are those with which lights are picked, bit for bit when asked again', async () => {
    const count = 4096;
    for (const place of places.slice(0, 3)) {
      const choices = Array.from({ length: count }, (_, i) => (i + 0.5) / count);
      const picks = await ask(
        lights,
        choices.map((choice) => ({ ...place, choice })),
      );
      const found = picks.filter(({ picked }) => picked >= 0);
      const again = await ask(
        lights,
        found.map(({ picked }) => ({ ...place, light: picked })),
      );
      expect(again.map(({ chanceOfLight }) => chanceOfLight)).toEqual(found.map(({ chance }) => chance));
      // Each light owns one interval of the number: evenly spaced numbers hit it as often as its length says.
      const all = await ask(
        lights,
        lights.map((_, light) => ({ ...place, light })),
      );
      all.forEach(({ chanceOfLight }, light) => {
        const hits = found.filter(({ picked }) => picked === light).length;
        expect(Math.abs(hits - count * chanceOfLight)).toBeLessThan(1.1);
      });
    }
  });

  it('hold for lights in one place and for a tree that would be too deep', async () => {
    const stacked = Array.from({ length: 40 }, (_, i) =>
      boundsOfLocal({ kind: 'point', position: [0, 3 + (i < 20 ? 0 : 2 ** (i - 20)), 0], intensity: [1, 1, 1] }),
    );
    const place: Question = { from: [0.1, 0, 0.2], normal: [0, 1, 0] };
    const answers = await ask(
      stacked,
      stacked.map((_, light) => ({ ...place, light })),
    );
    expect(Math.abs(answers.reduce((sum, { chanceOfLight }) => sum + chanceOfLight, 0) - 1)).toBeLessThan(1e-5);
    expect(answers.every(({ chanceOfLight }) => chanceOfLight > 0)).toBe(true);
  });

  it('give far less variance than power alone where lights are local', async () => {
    const many = pointLights(seededRandom(4), 1000).map((light, i): LocalLight => {
      // Lamps on a grid, half a unit over the ground.
      return { ...light, position: [(i % 40) - 20, 0.5, Math.floor(i / 40) - 12] };
    });
    const bounds = many.map(boundsOfLocal);
    for (const from of [
      [0.3, 0, 0.4],
      [-7.2, 0, 5.9],
      [19, 0, -12],
    ] as Vector[]) {
      const normal: Vector = [0, 1, 0];
      const answers = await ask(
        bounds,
        many.map((_, light) => ({ from, normal, light })),
      );
      const powers = many.reduce((sum, { intensity }) => sum + intensity[0], 0);
      let [mean, byTree, byPower] = [0, 0, 0];
      many.forEach(({ position, intensity }, light) => {
        const to = minus(position, from);
        const irradiance = (intensity[0] * to[1]) / dot(to, to) ** 1.5;
        mean += irradiance;
        byTree += irradiance ** 2 / answers[light]!.chanceOfLight;
        byPower += irradiance ** 2 / (intensity[0] / powers);
      });
      // Variances of the estimate irradiance / probability, exactly.
      expect((byPower - mean ** 2) / (byTree - mean ** 2)).toBeGreaterThan(10);
    }
  });
});

/** Irradiance at the origin of the ground from a triangle of unit radiance above it (Lambert's formula). */
function irradianceFrom([a, b, c]: Triangle): number {
  // Seen from behind it is dark.
  if (dot(cross(minus(b, a), minus(c, a)), a) >= 0) return 0;
  const edge = (p: Vector, q: Vector): number => {
    const normal = cross(p, q);
    const sine = Math.hypot(...normal);
    return (Math.atan2(sine, dot(p, q)) * normal[1]) / sine;
  };
  return Math.abs(edge(a, b) + edge(b, c) + edge(c, a)) / 2;
}

it('adds ten thousand lights up to their analytic sum', async () => {
  const next = seededRandom(6);
  const lamps = pointLights(next, 5000);
  // So small that they hide about 0.1 per mille of one another and of the lamps.
  const emitters = triangles(next, 5000, 0.004);
  const lit = emitters.reduce((sum, triangle) => sum + irradianceFrom(triangle), 0);
  const fromLamps = lamps.reduce(
    (sum, { position, intensity }) => sum + (intensity[0] * position[1]) / dot(position, position) ** 1.5,
    0,
  );
  // As much light from triangles as from lamps.
  const radiance = fromLamps / lit;
  const description = scene({
    meshes: [
      square(50),
      mesh(
        emitters.flat(2),
        Array.from({ length: 3 * emitters.length }, (_, i) => i),
        { material: 1 },
      ),
    ],
    instances: [place(0), place(1)],
    materials: [
      material({ ior: 1, baseColor: [0.5, 0.5, 0.5, 1] }),
      material({ ior: 1, baseColor: [0, 0, 0, 1], emissive: [radiance, radiance, radiance] }),
    ],
    lights: lamps,
    camera: camera([0, 0.5, 0.0005], [0, 0, 0], 0.001),
  });
  const tracer = await createCpuTracer({ threads: 1 });
  tracers.push(tracer);
  await tracer.setScene(description);
  const { beauty } = await tracer.trace(request({ width: 32, height: 32, sampleCount: 32, maxDepth: 1 }));
  const values = Array.from({ length: 32 * 32 }, (_, i) => beauty[4 * i + 1]!);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const error = Math.sqrt(variance / values.length) / mean;
  expect(error).toBeLessThan(0.01);
  const expected = (0.5 / Math.PI) * (fromLamps + lit * radiance);
  expect(Math.abs(mean / expected - 1)).toBeLessThan(4 * error + 5e-4);
});
