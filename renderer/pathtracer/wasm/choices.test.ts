/** What picks points of lights and rays of the camera has the distribution that it says: Pearson's chi-square test, and areas. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PixelFilterKind } from '../../../domain/scene.ts';
import { chiSquareTest, seededRandom, sidak } from '../../testing/statistics.ts';
import type { EnvironmentMap, SceneDescription } from '../scene/description.ts';
import { DEFAULT_TRACE_OPTIONS } from '../tracer.ts';
import * as layout from './assembly/layout.ts';
import * as probes from './assembly/layout-probe.ts';
import { Heap } from './heap.ts';
import { writeJob } from './job-block.ts';
import type { Vector } from './matrix.ts';
import { loadTracerModule } from './module.ts';
import { SceneMemory } from './scene-memory.ts';
import { camera, material, mesh, place, request, scene, square } from './test-scenes.ts';
import { cross, dot, minus } from './test-vectors.ts';
import { ThreadPool } from './threads.ts';

const COUNT = 20_000;
/** Tests below that decide by chance: six environments, one triangle, two lenses and four filters in both directions. */
const SIGNIFICANCE = sidak(0.01, 6 + 1 + 2 + 8);

const heap = new Heap();
let pool: ThreadPool;
let memory: SceneMemory;
beforeAll(async () => {
  pool = new ThreadPool((await loadTracerModule()).module, heap.memory, 1);
  memory = new SceneMemory(heap, pool);
  await memory.prepare(0);
});
afterAll(() => pool.close());

interface Question {
  numbers: readonly number[];
  from?: Vector;
  normal?: Vector;
  direction?: Vector;
}

interface Answer {
  direction: Vector;
  density: number;
  point: Vector;
  asked: number;
}

async function ask(call: 'probeLightPoints' | 'probeCameraRays', questions: readonly Question[], job: number[] = []) {
  const stride = probes.PROBE_CHOICE_STRIDE;
  const records = heap.allocate(questions.length * stride);
  const view = heap.view(records, questions.length * stride);
  questions.forEach(({ numbers, from, normal, direction }, i) => {
    const put = (offset: number, values: readonly number[]): void => {
      for (const [k, value] of values.entries()) view.setFloat32(i * stride + offset + 4 * k, value, true);
    };
    put(0, numbers);
    put(probes.PROBE_CHOICE_FROM, from ?? [0, 0, 0]);
    put(probes.PROBE_CHOICE_NORMAL, normal ?? [0, 1, 0]);
    put(probes.PROBE_CHOICE_DIRECTION, direction ?? [0, 1, 0]);
  });
  await pool.lend((run) => run(call, memory.address, ...job, records, questions.length));
  const answers = questions.map((_, i): Answer => {
    const get = (offset: number): number => view.getFloat32(i * stride + offset, true);
    const vector = (offset: number): Vector => [get(offset), get(offset + 4), get(offset + 8)];
    return {
      direction: vector(probes.PROBE_CHOICE_FOUND),
      density: get(probes.PROBE_CHOICE_FOUND + 12),
      point: vector(probes.PROBE_CHOICE_POINT),
      asked: get(probes.PROBE_CHOICE_DENSITY),
    };
  });
  heap.free(records);
  return answers;
}

const numbersOf = (random: () => number): number[] => [random(), random(), random(), random()];

describe('directions to the environment', () => {
  const [ROWS, COLUMNS, STEPS] = [16, 32, 16];
  const up = (z: number, turn: number): Vector => {
    const radius = Math.sqrt(1 - z * z);
    return [radius * Math.sin(turn), z, -radius * Math.cos(turn)];
  };
  const map = (width: number, height: number, rotation: number, radiance: (x: number, y: number) => number) => {
    const data = new Float32Array(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      data.fill(radiance((i % width) / width, Math.floor(i / width) / height), 3 * i, 3 * i + 3);
    }
    return { width, height, data, rotation, intensity: 1, revision: rotation + width } satisfies EnvironmentMap;
  };
  const skies: [string, EnvironmentMap][] = [
    ['an even sky', map(8, 4, 0, () => 1)],
    ['a gradient', map(64, 32, 0, (_, y) => 1 + 20 * (1 - y) ** 3)],
    ['a gradient, turned', map(64, 32, 1.3, (x) => 0.2 + Math.sin(Math.PI * x) ** 8)],
    [
      'a sun, turned',
      map(256, 128, (2 * Math.PI * 3) / 16, (x, y) => (Math.hypot(x - 0.3, y - 0.3) < 0.03 ? 5000 : 0.3)),
    ],
    ['lit poles', map(32, 16, 0, (_, y) => (y < 0.07 || y > 0.92 ? 50 : 0.5))],
    ['one pixel', map(16, 8, 0, (x, y) => (x === 0 && y === 0.5 ? 300 : 0))],
  ];

  it.each(skies)('under %s come as often as their density says, which adds up to one', async (_, environment) => {
    await memory.load(scene({ meshes: [square(1)], instances: [place(0)], environment }));
    const cellOf = ([x, y, z]: Vector): number => {
      const row = Math.min(ROWS - 1, Math.floor(((1 - y) / 2) * ROWS));
      const turn = (Math.atan2(x, -z) / (2 * Math.PI) + 1) % 1;
      return row * COLUMNS + Math.min(COLUMNS - 1, Math.floor(turn * COLUMNS));
    };
    const random = seededRandom(21);
    const picks = await ask(
      'probeLightPoints',
      Array.from({ length: COUNT }, () => ({ numbers: [0, random(), random(), 0] })),
    );
    const observed = new Float64Array(ROWS * COLUMNS);
    for (const { direction } of picks) observed[cellOf(direction)]!++;
    const grid = Array.from({ length: ROWS * COLUMNS * STEPS * STEPS }, (_, k): Question => {
      const column = k % (COLUMNS * STEPS);
      const row = Math.floor(k / (COLUMNS * STEPS));
      const turn = ((column + 0.5) / (COLUMNS * STEPS)) * 2 * Math.PI;
      return { numbers: [0, 0.5, 0.5, 0], direction: up(1 - ((row + 0.5) / (ROWS * STEPS)) * 2, turn) };
    });
    const expected = new Float64Array(ROWS * COLUMNS);
    let total = 0;
    const densities = await ask('probeLightPoints', grid);
    densities.forEach(({ asked }, k) => {
      const share = (asked * 4 * Math.PI) / grid.length;
      expected[cellOf(grid[k]!.direction!)]! += share * COUNT;
      total += share;
    });
    expect(total).toBeCloseTo(1, 2);
    expect(chiSquareTest(observed, expected)).toBeGreaterThan(SIGNIFICANCE);
    // What comes with a pick is what would be said of its direction; at a cell's border rounding may choose the other side.
    const again = await ask(
      'probeLightPoints',
      picks.slice(0, 2000).map(({ direction }) => ({ numbers: [0, 0.5, 0.5, 0], direction })),
    );
    const different = again.filter(({ asked }, i) => Math.abs(asked - picks[i]!.density) > 1e-4 * picks[i]!.density);
    expect(different.length).toBeLessThan(20);
  });
});

describe('points on a triangle that shines', () => {
  const corners: [Vector, Vector, Vector] = [
    [0, 2, 0],
    [1.5, 2.5, 0.2],
    [0.3, 2.2, 1.4],
  ];
  const load = (): Promise<void> => {
    const lit = mesh(corners.flat(), [0, 1, 2], { material: 1 });
    const materials = [material(), material({ emissive: [1, 1, 1], doubleSided: true })];
    return memory.load(
      scene({ meshes: [square(1), lit], instances: [place(0), place(1)], materials, environment: null }),
    );
  };

  it('are spread evenly over it', async () => {
    await load();
    const random = seededRandom(22);
    const answers = await ask(
      'probeLightPoints',
      Array.from({ length: COUNT }, () => ({ numbers: numbersOf(random) })),
    );
    // Cut into n² triangles of one size: by the two coordinates along the edges, and on which side of the cell's diagonal.
    const n = 16;
    const counts = new Float64Array(2 * n * n);
    const [e1, e2] = [minus(corners[1], corners[0]), minus(corners[2], corners[0])];
    const normal = cross(e1, e2);
    for (const { point } of answers) {
      const at = minus(point, corners[0]);
      const u = dot(cross(at, e2), normal) / dot(normal, normal);
      const v = dot(cross(e1, at), normal) / dot(normal, normal);
      expect(u + v).toBeLessThan(1 + 1e-5);
      const [i, j] = [Math.min(n - 1, Math.floor(u * n)), Math.min(n - 1, Math.floor(v * n))];
      const isUpper = u * n - i + (v * n - j) > 1 && i + j < n - 1;
      counts[2 * (i * n + j) + (isUpper ? 1 : 0)]!++;
    }
    const expected = Float64Array.from({ length: 2 * n * n }, (_, k) => {
      const sum = Math.floor(k / 2 / n) + (Math.floor(k / 2) % n);
      return sum < n - 1 || (sum === n - 1 && k % 2 === 0) ? COUNT / (n * n) : 0;
    });
    expect(chiSquareTest(counts, expected)).toBeGreaterThan(SIGNIFICANCE);
  });

  it('have a density per solid angle: its reciprocal is the angle that the triangle fills, in the mean', async () => {
    await load();
    for (const from of [
      [0.5, 0, 0.5],
      [-3, 1, 2],
      [0.6, 1.5, 0.5],
    ] as Vector[]) {
      const random = seededRandom(23);
      const questions = Array.from({ length: COUNT }, () => ({ numbers: numbersOf(random), from }));
      const answers = await ask('probeLightPoints', questions);
      const values = answers.map(({ density }) => (density > 0 ? 1 / density : 0));
      const mean = values.reduce((sum, value) => sum + value, 0) / COUNT;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (COUNT - 1);
      // Van Oosterom and Strackee 1983, "The Solid Angle of a Plane Triangle".
      const [a, b, c] = corners.map((corner) => minus(corner, from)) as [Vector, Vector, Vector];
      const [la, lb, lc] = [a, b, c].map((v) => Math.hypot(...v)) as [number, number, number];
      const above = Math.abs(dot(a, cross(b, c)));
      const angle = 2 * Math.atan2(above, la * lb * lc + dot(a, b) * lc + dot(a, c) * lb + dot(b, c) * la);
      expect(Math.abs(mean - angle)).toBeLessThan(4 * Math.sqrt(variance / COUNT) + 1e-5 * angle);
    }
  });
});

describe('camera rays', () => {
  const SIDE = 64;
  const PIXEL = 20;
  /** Looks down -z from (0, 0, 5); a pixel is 1/32 of a unit wide at a unit's distance. */
  const looking = (changes: Partial<SceneDescription['camera']> = {}): SceneDescription =>
    scene({
      meshes: [square(1)],
      instances: [place(0)],
      camera: { ...camera([0, 0, 5], [0, 0, 0], 2 * Math.atan(1)), near: 0, ...changes },
    });

  async function rays(description: SceneDescription, filter: { kind: PixelFilterKind; radius: number }) {
    await memory.load(description);
    const job = heap.allocate(layout.JOB_SIZE);
    heap.bytes(job, layout.JOB_SIZE).fill(0);
    const asked = request({ width: SIDE, height: SIDE, options: { ...DEFAULT_TRACE_OPTIONS, filter } });
    writeJob(heap.view(job, layout.JOB_SIZE), asked, asked.rect, memory.filterTable(filter));
    const random = seededRandom(24);
    const pixel = new Float32Array(Int32Array.from([PIXEL, PIXEL]).buffer);
    const questions = Array.from({ length: COUNT }, () => ({
      numbers: numbersOf(random),
      from: [pixel[0]!, pixel[1]!, 0] as Vector,
    }));
    return ask('probeCameraRays', questions, [job]);
  }

  it.each([0, 6])('begin evenly over a lens of %i blades', async (blades) => {
    const radius = 0.2;
    const answers = await rays(looking({ lens: { radius, focusDistance: 5, blades } }), { kind: 'box', radius: 0.5 });
    const [RINGS, SECTORS] = [12, 24];
    const counts = new Float64Array(RINGS * SECTORS);
    for (const { point } of answers) {
      const [x, y] = [point[0] / radius, point[1] / radius];
      const turn = (Math.atan2(y, x) / (2 * Math.PI) + 1) % 1;
      // A hexagon is cut by hexagons, and its edges into pieces of one length: all cells have one area.
      let [size, along] = [Math.hypot(x, y), turn];
      if (blades > 0) {
        const sector = Math.floor(turn * blades);
        const [a, b] = [sector, sector + 1].map((k) => (2 * Math.PI * k) / blades) as [number, number];
        const span = Math.sin(b - a);
        const toA = (x * Math.sin(b) - y * Math.cos(b)) / span;
        const toB = (y * Math.cos(a) - x * Math.sin(a)) / span;
        size = toA + toB;
        along = (sector + toB / size) / blades;
      }
      expect(size).toBeLessThan(1 + 1e-5);
      const ring = Math.min(RINGS - 1, Math.floor(size * size * RINGS));
      counts[ring * SECTORS + Math.min(SECTORS - 1, Math.floor(along * SECTORS))]!++;
    }
    const expected = new Float64Array(counts.length).fill(COUNT / counts.length);
    expect(chiSquareTest(counts, expected)).toBeGreaterThan(SIGNIFICANCE);
  });

  /** Integrals of the filters from -1 to x, up to a factor. */
  const erf = (x: number): number => {
    // Series of the error function; good for |x| < 3.
    let [sum, term] = [x, x];
    for (let k = 1; k < 60; k++) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
    }
    return sum;
  };
  const INTEGRALS: Record<PixelFilterKind, (x: number) => number> = {
    box: (x) => x,
    triangle: (x) => x - (x * Math.abs(x)) / 2,
    gaussian: (x) => erf(Math.sqrt(4.5) * x),
    'blackman-harris': (x) =>
      0.35875 * x +
      (0.48829 * Math.sin(Math.PI * x)) / Math.PI +
      (0.14128 * Math.sin(2 * Math.PI * x)) / (2 * Math.PI) +
      (0.01168 * Math.sin(3 * Math.PI * x)) / (3 * Math.PI),
  };

  it.each(Object.keys(INTEGRALS) as PixelFilterKind[])('are spread over the film by the %s filter', async (kind) => {
    const radius = 1.5;
    const answers = await rays(looking(), { kind, radius });
    const CELLS = 40;
    const expected = Float64Array.from({ length: CELLS }, (_, k) => {
      const upTo = (edge: number): number => INTEGRALS[kind]((2 * edge) / CELLS - 1);
      return (COUNT * (upTo(k + 1) - upTo(k))) / (upTo(CELLS) - upTo(0));
    });
    for (const axis of [0, 1] as const) {
      const counts = new Float64Array(CELLS);
      for (const { direction } of answers) {
        const onFilm = (direction[axis] / -direction[2]) * (SIDE / 2) * (axis === 0 ? 1 : -1);
        const offset = onFilm + SIDE / 2 - PIXEL - 0.5;
        expect(Math.abs(offset)).toBeLessThan(radius + 1e-4);
        counts[Math.max(0, Math.min(CELLS - 1, Math.floor(((offset / radius + 1) / 2) * CELLS)))]!++;
      }
      expect(chiSquareTest(counts, expected)).toBeGreaterThan(SIGNIFICANCE);
    }
  });
});
