/** The scattering functions against what they must keep: energy, their own densities, reciprocity, finite numbers. */
import { beforeAll, describe, expect, it } from 'vitest';
import { chiSquareTest, seededRandom, sidak } from '../../testing/statistics.ts';
import type { SurfaceMaterial } from '../scene/description.ts';
import { type BsdfAnswer, BsdfProbe, type BsdfQuestion, type Direction } from './test-bsdf.ts';
import { material } from './test-scenes.ts';

let probe: BsdfProbe;
beforeAll(async () => {
  probe = await BsdfProbe.create();
});

type Changes = Partial<SurfaceMaterial>;
const coat = (roughness: number): Changes => ({
  clearcoat: {
    factor: 1,
    texture: null,
    roughness,
    roughnessTexture: null,
    normalTexture: null,
    normalScale: 1,
  },
});
const sheen = (roughness: number, color: [number, number, number] = [1, 1, 1]): Changes => ({
  sheen: { color, colorTexture: null, roughness, roughnessTexture: null },
});
const brushed = (strength: number): Changes => ({ anisotropy: { strength, rotation: 0, texture: null } });
const film = (thicknessMaximum: number): Changes => ({
  iridescence: {
    factor: 1,
    texture: null,
    ior: 1.3,
    thicknessMinimum: 100,
    thicknessMaximum,
    thicknessTexture: null,
  },
});
const specular = (factor: number, value = 1): Changes => ({
  specular: { factor, texture: null, color: [value, value, value], colorTexture: null },
});
const leaf: Changes = {
  diffuseTransmission: { factor: 0.6, texture: null, color: [1, 1, 1], colorTexture: null },
};
const volume: Changes = { transmission: 1, thickness: 1 };

/** Direction with a cosine and an azimuth (radians). */
const at = (cosine: number, azimuth = 0.4): Direction => {
  const sine = Math.sqrt(Math.max(0, 1 - cosine * cosine));
  return [sine * Math.cos(azimuth), sine * Math.sin(azimuth), cosine];
};

/** Numbers of a rank-1 sequence in four dimensions (Roberts 2018): evenly spread, the same every time. */
const spread = (i: number): [number, number, number, number] => [
  (0.5 + i * 0.8566748838545029) % 1,
  (0.5 + i * 0.733891856627126) % 1,
  (0.5 + i * 0.6287067210378087) % 1,
  (0.5 + i * 0.5385972572236101) % 1,
];

const sum = (answer: NonNullable<BsdfAnswer['sample']>, channel: number): number =>
  answer.diffuse[channel]! + answer.specular[channel]! + answer.transmission[channel]!;

/**
 * Light of a white furnace that comes back, by channel, and the standard error of the means: eight square grids over the
 * direction, each shifted at random. Transmission counts without the compression that refraction brings.
 */
function furnace(changes: Changes, question: BsdfQuestion, side = 16): { mean: number; error: number }[] {
  const random = seededRandom(3);
  const surface = material(changes);
  const grids = Array.from({ length: 8 }, () => {
    const [a, b, c, d] = [random(), random(), random(), random()];
    const questions = Array.from({ length: side * side }, (_, k) => ({
      ...question,
      numbers: [
        (a + k * 0.7548776662466927) % 1,
        (b + k * 0.6180339887498949) % 1,
        ((k % side) + c) / side,
        (Math.floor(k / side) + d) / side,
      ] as [number, number, number, number],
    }));
    const total = [0, 0, 0];
    for (const { sample } of probe.ask(surface, questions)) {
      if (!sample) continue;
      for (let channel = 0; channel < 3; channel++) {
        total[channel]! +=
          sample.diffuse[channel]! + sample.specular[channel]! + sample.transmission[channel]! * sample.etaScale;
      }
    }
    return total.map((value) => value / (side * side));
  });
  return [0, 1, 2].map((channel) => {
    const mean = grids.reduce((all, grid) => all + grid[channel]!, 0) / grids.length;
    const variance = grids.reduce((all, grid) => all + (grid[channel]! - mean) ** 2, 0) / (grids.length - 1);
    return { mean, error: Math.sqrt(variance / grids.length) };
  });
}

describe('white furnace', () => {
  const lossless: [string, (roughness: number) => Changes][] = [
    ['metal', (roughness) => ({ roughness, metallic: 1 })],
    ['plastic', (roughness) => ({ roughness })],
    ['half metal', (roughness) => ({ roughness, metallic: 0.5 })],
    ['plastic of weak and coloured specular', (roughness) => ({ roughness, ...specular(0.5, 3) })],
    ['thin wall', (roughness) => ({ roughness, transmission: 1 })],
    ['glass', (roughness) => ({ roughness, ...volume })],
    ['diamond', (roughness) => ({ roughness, ...volume, ior: 2.4 })],
    ['glass of weak specular', (roughness) => ({ roughness, ...volume, ...specular(0.3) })],
    ['half glass, part metal', (roughness) => ({ roughness, transmission: 0.5, metallic: 0.3 })],
    ['coated plastic', (roughness) => ({ roughness: 0.4, ...coat(roughness) })],
    ['coated metal', (roughness) => ({ roughness, metallic: 1, ...coat(0.3) })],
    ['cloth', (roughness) => ({ roughness: 1, ...sheen(Math.max(0.3, roughness)) })],
    ['coated cloth', (roughness) => ({ roughness, ...sheen(0.5), ...coat(0.2) })],
    ['brushed metal', (roughness) => ({ roughness, metallic: 1, ...brushed(0.7) })],
    ['brushed plastic', (roughness) => ({ roughness, ...brushed(0.7) })],
    ['leaf', (roughness) => ({ roughness, ...leaf })],
    ['specular-glossiness mirror', (roughness) => ({ roughness, ior: 0 })],
  ];
  it.each(lossless)('returns all light from %s', (_, make) => {
    for (const roughness of [0, 0.1, 0.3, 0.6, 1]) {
      for (const cosine of [0.1, 0.4, 0.9]) {
        for (const isBack of make(roughness).thickness ? [false, true] : [false]) {
          const label = `roughness ${roughness}, cosine ${cosine}, from the ${isBack ? 'back' : 'front'}`;
          const [red] = furnace(make(roughness), { outgoing: at(cosine), isBack });
          expect(Math.abs(red!.mean - 1), label).toBeLessThan(0.005 + 3 * red!.error);
        }
      }
    }
  });

  it('is never above 1 for stacks that absorb', () => {
    const red: [number, number, number] = [1, 0.2, 0];
    const stacks: Changes[] = [
      { roughness: 0.3, ...film(400), ...coat(0) },
      { roughness: 0.3, metallic: 1, ...film(700), ...sheen(0.4, red) },
      { roughness: 0.2, transmission: 1, ...film(500), ...coat(0.5) },
      { roughness: 0.2, ...volume, ...film(500) },
      { roughness: 0.5, ...leaf, ...sheen(0.3, red), ...coat(0.1), ...brushed(0.5), ...specular(1, 8) },
    ];
    for (const stack of stacks) {
      for (const cosine of [0.05, 0.3, 0.95]) {
        // Half a per cent for the tables.
        for (const { mean, error } of furnace(stack, { outgoing: at(cosine) })) {
          expect(mean).toBeLessThan(1.005 + 3 * error);
        }
      }
    }
  });

  it('loses light without compensation, and only then', () => {
    const questions = Array.from({ length: 1024 }, (_, i) => ({ outgoing: at(0.5), numbers: spread(i) }));
    const rough = material({ roughness: 1, metallic: 1 });
    const mean = (compensation: boolean): number =>
      probe.ask(rough, questions, compensation).reduce((all, { sample }) => all + (sample ? sum(sample, 0) : 0), 0) /
      questions.length;
    expect(mean(false)).toBeLessThan(0.65);
    expect(mean(true)).toBeCloseTo(1, 2);
  });

  it('keeps white light white through dispersion, in the mean', () => {
    const means = furnace({ ...volume, roughness: 0, dispersion: 1 }, { outgoing: at(0.6) }, 32);
    for (const { mean, error } of means) expect(Math.abs(mean - 1)).toBeLessThan(0.002 + 3 * error);
  });
});

/** Materials that between them use every sampler, rough enough that cells of the sphere resolve them. */
const SAMPLERS: [string, Changes][] = [
  ['metal', { roughness: 0.5, metallic: 1 }],
  ['plastic', { roughness: 0.6, baseColor: [0.8, 0.4, 0.2, 1] }],
  ['smooth plastic', { roughness: 0 }],
  ['brushed metal', { roughness: 0.5, metallic: 1, ...brushed(0.8) }],
  ['thin wall', { roughness: 0.6, transmission: 1 }],
  ['glass', { roughness: 0.6, ...volume }],
  ['leaf', { roughness: 0.7, ...leaf }],
  ['cloth', { roughness: 0.8, ...sheen(0.5) }],
  ['coat', { roughness: 0.9, ...coat(0.6) }],
  [
    'everything',
    { roughness: 0.6, transmission: 0.4, metallic: 0.2, ...coat(0.5), ...sheen(0.5), ...brushed(0.6), ...film(300) },
  ],
];

describe('sampling', () => {
  const views: [Direction, boolean, Direction][] = [
    [at(0.95, 1), false, [0, 0, 1]],
    [at(0.5, 2.5), false, at(0.95, 0.3)],
    [at(0.15, 0.2), false, [0, 0, 1]],
    [at(0.6, 4), true, [0, 0, 1]],
  ];
  const ROWS = 20;
  const COLUMNS = 20;
  const STEPS = 4;
  const COUNT = 5000;
  const significance = sidak(0.01, SAMPLERS.length * views.length);

  it.each(SAMPLERS)('of %s has the density it says', (_, changes) => {
    const surface = material(changes);
    const random = seededRandom(7);
    for (const [outgoing, isBack, coatNormal] of views) {
      const view = { outgoing, isBack, coatNormal };
      const observed = new Float64Array(ROWS * COLUMNS + 1);
      const questions = Array.from({ length: COUNT }, () => ({
        ...view,
        numbers: [0.5, random(), random(), random()] as [number, number, number, number],
      }));
      let delta = 0;
      for (const { sample } of probe.ask(surface, questions)) {
        if (sample?.isDelta) {
          delta++;
          continue;
        }
        let cell = ROWS * COLUMNS;
        if (sample) {
          const [x, y, z] = sample.direction;
          const row = Math.min(ROWS - 1, Math.floor(((z + 1) / 2) * ROWS));
          const column = Math.min(COLUMNS - 1, Math.floor((Math.atan2(y, x) / (2 * Math.PI) + 0.5) * COLUMNS));
          cell = row * COLUMNS + column;
        }
        observed[cell]!++;
      }
      const expected = new Float64Array(ROWS * COLUMNS + 1);
      const points: BsdfQuestion[] = [];
      for (let j = 0; j < ROWS * STEPS; j++) {
        const z = ((j + 0.5) / (ROWS * STEPS)) * 2 - 1;
        for (let i = 0; i < COLUMNS * STEPS; i++) {
          points.push({ ...view, incoming: at(z, ((i + 0.5) / (COLUMNS * STEPS) - 0.5) * 2 * Math.PI) });
        }
      }
      let total = 0;
      probe.ask(surface, points).forEach(({ density }, k) => {
        const row = Math.floor(k / (COLUMNS * STEPS * STEPS));
        const column = Math.floor((k % (COLUMNS * STEPS)) / STEPS);
        const share = (density * 4 * Math.PI) / points.length;
        expected[row * COLUMNS + column]! += share * COUNT;
        total += share;
      });
      // Midpoint sums of peaks are good to about a per cent.
      expect(total + delta / COUNT).toBeLessThan(1.01);
      expected[ROWS * COLUMNS] = Math.max(0, COUNT * (1 - total) - delta);
      // Deltas and lost samples share no cell with the rest: what is lost follows from the sum, so it is left out of the test.
      const kept = observed.slice(0, -1);
      expect(chiSquareTest(kept, expected.slice(0, -1))).toBeGreaterThan(significance);
    }
  });

  it.each(SAMPLERS)('of %s weighs as it evaluates', (_, changes) => {
    const surface = material(changes);
    const random = seededRandom(11);
    for (const [outgoing, isBack, coatNormal] of views) {
      const questions = Array.from({ length: 200 }, () => ({
        ...{ outgoing, isBack, coatNormal },
        numbers: [0.5, random(), random(), random()] as [number, number, number, number],
      }));
      const samples = probe
        .ask(surface, questions)
        .flatMap(({ sample }) => (sample && !sample.isDelta ? [sample] : []));
      const again = probe.ask(
        surface,
        samples.map(({ direction }) => ({ outgoing, isBack, coatNormal, incoming: direction })),
      );
      samples.forEach((sample, i) => {
        const { density, ...value } = again[i]!;
        expect(density / sample.density).toBeCloseTo(1, 3);
        for (const kind of ['diffuse', 'specular', 'transmission'] as const) {
          for (let c = 0; c < 3; c++) {
            const weighed = sample[kind][c]! * sample.density;
            expect(Math.abs(value[kind][c]! - weighed)).toBeLessThan(1e-3 * weighed + 1e-5);
          }
        }
        expect(sample.direction[2] < 0).toBe(sample.isThrough);
      });
    }
  });
});

describe('reciprocity, without compensation', () => {
  // Layers (coat, sheen), the film and compensated lobes weigh by the viewing angle alone, and are not reciprocal by design.
  const pairs = Array.from({ length: 64 }, (_, i) => {
    const [a, b, c, d] = spread(i);
    return [at(0.05 + 0.9 * a, 6 * b), at(0.05 + 0.9 * c, 6 * d)] as const;
  });
  const value = (answer: BsdfAnswer): number => answer.diffuse[1]! + answer.specular[1]! + answer.transmission[1]!;
  const near = (a: number, b: number): void => expect(Math.abs(a - b)).toBeLessThan(2e-3 * Math.max(a, b) + 1e-6);

  it.each([
    ['metal', { roughness: 0.4, metallic: 1 }],
    ['plastic', { roughness: 0.3 }],
    ['smooth plastic', { roughness: 0 }],
    ['brushed metal', { roughness: 0.3, metallic: 1, ...brushed(0.6) }],
    ['plastic of weak specular', { roughness: 0.3, ...specular(0.4, 2) }],
  ] as [string, Changes][])('of %s', (_, changes) => {
    const surface = material(changes);
    const there = pairs.map(([outgoing, incoming]) => ({ outgoing, incoming }));
    const back = pairs.map(([incoming, outgoing]) => ({ outgoing, incoming }));
    const [first, second] = [probe.ask(surface, there, false), probe.ask(surface, back, false)];
    pairs.forEach(([o, i], k) => {
      near(value(first[k]!) / i[2], value(second[k]!) / o[2]);
    });
  });

  it('of refraction, with the square of the index', () => {
    const surface = material({ roughness: 0.5, ...volume, ior: 1.5 });
    const below = ([x, y, z]: Direction): Direction => [x, y, -z];
    const there = pairs.map(([o, i]) => ({ outgoing: o, incoming: below(i) }));
    // Seen from inside, the frame's z points inwards.
    const back = pairs.map(([o, i]) => ({ outgoing: i, incoming: below(o), isBack: true }));
    const [first, second] = [probe.ask(surface, there, false), probe.ask(surface, back, false)];
    let passed = 0;
    pairs.forEach(([o, i], k) => {
      near((value(first[k]!) / i[2]) * 1.5 ** 2, value(second[k]!) / o[2]);
      if (value(first[k]!) > 0) passed++;
    });
    expect(passed).toBeGreaterThan(10);
  });
});

describe('thin film', () => {
  it('of no thickness is none, seen from above', () => {
    // Schlick's curve makes a film of any kind reflect at grazing angles.
    const outgoing = at(0.99);
    const questions = [{ outgoing, incoming: at(0.6, 3) }];
    const bare = probe.ask(material({ metallic: 1, roughness: 0.4, baseColor: [0.9, 0.6, 0.3, 1] }), questions)[0]!;
    const thin = probe.ask(
      material({ metallic: 1, roughness: 0.4, baseColor: [0.9, 0.6, 0.3, 1], ...film(0) }),
      questions,
    )[0]!;
    for (let c = 0; c < 3; c++) expect(thin.specular[c]! / bare.specular[c]!).toBeCloseTo(1, 1);
  });

  it('colours what is reflected, differently by thickness', () => {
    const colours = [250, 400].map(
      (thickness) =>
        probe.ask(material({ metallic: 0, roughness: 0, ...film(thickness) }), [
          { outgoing: at(0.9), numbers: [0.5, 0, 0.5, 0.5] },
        ])[0]!.sample!.specular,
    );
    const [first, second] = colours.map(([r, g, b]) => [r! / g!, b! / g!]);
    expect(Math.abs(first![0]! - 1) + Math.abs(first![1]! - 1)).toBeGreaterThan(0.1);
    expect(Math.abs(first![0]! - second![0]!)).toBeGreaterThan(0.1);
  });
});

it('gives finite, non-negative numbers whatever it is asked', () => {
  const all: Changes = { ...coat(0.3), ...sheen(0), ...brushed(1), ...film(1200), ...specular(1, 30), ...leaf };
  const bases: Changes[] = [{}, { metallic: 1 }, { transmission: 1 }, volume, { transmission: 0.5, metallic: 0.5 }];
  const cosines = [1, 0.5, 0.01, 1e-4, 1e-6];
  const questions = cosines.flatMap((o) =>
    [...cosines, -1, -0.3, -1e-6, 0].flatMap((i, k) =>
      [true, false].map((isBack) => ({ outgoing: at(o), incoming: at(i, k), numbers: spread(k), isBack })),
    ),
  );
  const wrong: string[] = [];
  for (const base of bases) {
    for (const extra of [{}, all]) {
      for (const roughness of [0, 1e-4, 0.032, 1]) {
        for (const ior of [0, 1, 50]) {
          for (const level of [0, 1]) {
            const changes = { ...base, ...extra, roughness, ior };
            const surface = material({ ...changes, baseColor: [level, level, level, 1] });
            for (const { sample, density, ...value } of probe.ask(surface, questions)) {
              const numbers = [density, ...value.diffuse, ...value.specular, ...value.transmission];
              if (sample) numbers.push(sample.density, sum(sample, 0), sum(sample, 1), sum(sample, 2), sample.etaScale);
              const isUnit = !sample || Math.abs(Math.hypot(...sample.direction) - 1) < 1e-3;
              if (isUnit && numbers.every((n) => n >= 0 && Number.isFinite(n))) continue;
              wrong.push(JSON.stringify({ changes, level, numbers, direction: sample?.direction }));
            }
          }
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});
