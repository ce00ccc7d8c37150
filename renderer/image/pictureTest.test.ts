import { describe, expect, it } from 'vitest';
import type { SceneDescription } from '../pathtracer/scene/description.ts';
import {
  camera,
  constantEnvironment,
  material,
  place,
  request,
  scene,
  sphere,
  square,
} from '../pathtracer/wasm/test-scenes.ts';
import { createCpuTracer } from '../pathtracer/wasm/tracer.ts';
import { seededRandom } from '../testing/statistics.ts';
import { type MeasuredPicture, PictureStatistics, testPictures } from './pictureTest.ts';

const WIDTH = 13;
const HEIGHT = 9;

/** Renders of made-up noise: `draw` gives a value from its expectation. */
function noisy(renders: number, draw: (wanted: number) => number, wanted: (i: number) => number): MeasuredPicture {
  const statistics = new PictureStatistics(WIDTH, HEIGHT, 3);
  for (let k = 0; k < renders; k++) {
    statistics.add(Float64Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => draw(wanted(i))));
  }
  return statistics.measured();
}

const gaussian = (random: () => number) => (wanted: number) =>
  wanted + 0.2 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
/** Mostly dark, seldom bright: what a pixel with a small lamp in it looks like. */
const seldom = (random: () => number) => (wanted: number) => (random() < 0.2 ? 5 * wanted * (0.5 + random()) : 0);

const gradient = (i: number): number => 0.1 + i / 100;

describe('the statistical test of two pictures', () => {
  it.each([
    ['gaussian', 3, gaussian],
    ['gaussian', 16, gaussian],
    ['skewed', 6, seldom],
  ] as const)('raises a false alarm no more often than alpha says: %s noise, %s renders', (_, renders, noise) => {
    const draw = noise(seededRandom(5 + renders));
    let alarms = 0;
    for (let k = 0; k < 200; k++) {
      const [a, b] = [noisy(renders, draw, gradient), noisy(renders, draw, gradient)];
      if (!testPictures(a, b, { alpha: 0.05 }).agrees) alarms++;
    }
    // Ten are expected at most; more than 22 come with a probability of 1 in 3,000.
    expect(alarms).toBeLessThanOrEqual(22);
  });

  it('finds one wrong pixel, and a shift that no single pixel shows', () => {
    const draw = gaussian(seededRandom(1));
    const right = noisy(16, draw, gradient);
    const pixel = testPictures(
      right,
      noisy(16, draw, (i) => gradient(i) + (i === 40 ? 1 : 0)),
    );
    expect(pixel).toMatchObject({ agrees: false, worst: { side: 1, x: 0, y: 1, channel: 1 } });
    const shifted = testPictures(
      right,
      noisy(16, draw, (i) => gradient(i) + 0.03),
    );
    expect(shifted.agrees).toBe(false);
    expect(shifted.worst.side).toBeGreaterThan(1);
  });

  it('is Šidák’s over all values and blocks', () => {
    const flat = noisy(2, gaussian(seededRandom(2)), gradient);
    const { tests, threshold } = testPictures(flat, flat);
    // 13×9, 7×5, 4×3, 2×2 and 1 blocks of three channels.
    expect(tests).toBe(3 * (117 + 35 + 12 + 4 + 1));
    expect((1 - threshold) ** tests).toBeCloseTo(0.99, 10);
  });

  it('takes Student’s tails for few samples', () => {
    const of = (mean: number, freedom: number): MeasuredPicture => ({
      ...{ width: 1, height: 1, channels: 1 },
      mean: Float64Array.of(mean),
      variance: Float64Array.of(0.5),
      freedom: Float64Array.of(freedom),
    });
    // Tables of Student's distribution: 5 % beyond 2.228 at ten degrees of freedom, and beyond 1.960 at infinitely many.
    expect(testPictures(of(0, 5), of(2.228139, 5), { tolerance: 0 }).worst.p).toBeCloseTo(0.05, 5);
    expect(testPictures(of(0, 1e9), of(1.959964, 1e9), { tolerance: 0 }).worst.p).toBeCloseTo(0.05, 3);
  });

  it('asks for equality where nothing varies, but for rounding, and for numbers', () => {
    const still = (value: number): MeasuredPicture =>
      noisy(
        3,
        (wanted) => wanted,
        () => value,
      );
    expect(testPictures(still(1), still(1 + 3e-6)).agrees).toBe(true);
    expect(testPictures(still(0), still(0)).agrees).toBe(true);
    expect(testPictures(still(1), still(1 + 1e-4)).agrees).toBe(false);
    expect(testPictures(still(Number.NaN), still(Number.NaN)).agrees).toBe(false);
    // A pixel that is dark on one side and random on the other is judged by that one's spread.
    const lamp = noisy(8, seldom(seededRandom(9)), () => 0.01);
    expect(testPictures(still(0), lamp).agrees).toBe(false);
  });

  it('refuses a single render and other sizes', () => {
    const one = new PictureStatistics(2, 2, 3);
    one.add(new Float32Array(16), 4);
    expect(() => one.measured()).toThrowError(/at least two/);
    expect(() => one.add(new Float32Array(9))).toThrowError(expect.objectContaining({ code: 'RequestInvalid' }));
    one.add(new Float32Array(16), 4);
    expect(() =>
      testPictures(
        one.measured(),
        noisy(2, (v) => v, gradient),
      ),
    ).toThrowError(/2×2×3 and 13×9×3/);
  });

  it('tells a material that is three per cent wrong from noise, in traced pictures', async () => {
    const tracer = await createCpuTracer({ threads: 1 });
    const size = { width: 24, height: 16 };
    const picture = async (description: SceneDescription, seed: number): Promise<MeasuredPicture> => {
      const statistics = new PictureStatistics(size.width, size.height, 3);
      await tracer.setScene(description);
      for (let k = 0; k < 8; k++) {
        const { beauty } = await tracer.trace(request({ ...size, sampleCount: 64, seed: seed + k }));
        statistics.add(beauty, 4);
      }
      return statistics.measured();
    };
    const meshes = [square(4), sphere(12, 1)];
    const room = (albedo: number): SceneDescription =>
      scene({
        meshes,
        instances: [place(0), place(1, [0.3, 1, 0], 0.9)],
        materials: [material({ baseColor: [0.5, 0.5, 0.5, 1] }), material({ baseColor: [0.6, albedo, 0.3, 1] })],
        environment: constantEnvironment([1, 0.9, 0.8]),
        camera: camera([0, 2, 6], [0, 0.7, 0], 0.6),
      });
    try {
      const right = await picture(room(0.5), 1);
      expect(testPictures(right, await picture(room(0.5), 101)).agrees).toBe(true);
      const verdict = testPictures(right, await picture(room(0.515), 201));
      expect(verdict).toMatchObject({ agrees: false, worst: { channel: 1 } });
    } finally {
      await tracer.close();
    }
  });
});
