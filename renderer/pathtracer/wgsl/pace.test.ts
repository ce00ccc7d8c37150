import { expect, it } from 'vitest';
import { seededRandom } from '../../testing/statistics.ts';
import { LIMIT_SECONDS, longestPathOf, Pace, type Slice, slices } from './pace.ts';

/** A GPU in thought: what a dispatch costs, from the rays that each of its paths casts. */
interface Machine {
  secondsPerRay: number;
  overheadSeconds: number;
  raysOf(x: number, y: number, sample: number): number;
}

/** Carries a plan out; the seconds that each dispatch took. */
function carryOut(
  [width, height, first, count]: [number, number, number, number],
  maxDepth: number,
  machine: Machine,
  pace = new Pace(),
): { seconds: number[]; done: Uint8Array; plan: Slice[] } {
  pace.longestPath = longestPathOf(maxDepth);
  const seconds: number[] = [];
  const plan: Slice[] = [];
  const done = new Uint8Array(width * height * count);
  for (const slice of slices(width, height, first, count, pace)) {
    plan.push(slice);
    let rays = 0;
    for (let y = slice.row; y < slice.row + slice.rows; y++) {
      for (let x = slice.column; x < slice.column + slice.columns; x++) {
        for (let s = slice.sample; s < slice.sample + slice.samples; s++) {
          rays += machine.raysOf(x, y, s);
          done[((s - first) * height + y) * width + x]!++;
        }
      }
    }
    const took = machine.overheadSeconds + rays * machine.secondsPerRay;
    seconds.push(took);
    pace.learn(slice.columns * slice.rows * slice.samples, rays, took);
  }
  return { seconds, done, plan };
}

it.each([
  [64, 48, 1e-9],
  [7, 5, 1e-4],
  [130, 3, 1e-3],
  [100, 70, 3e-5],
])('cuts a tile of %ix%i into slices that hold every sample of every pixel once', (width, height, secondsPerRay) => {
  const next = seededRandom(3);
  const machine = { secondsPerRay, overheadSeconds: 0, raysOf: () => 1 + Math.floor(next() * 9) };
  const { done } = carryOut([width, height, 3, 9], 4, machine);
  expect(done.every((times) => times === 1)).toBe(true);
});

it('begins with one workgroup, and never passes half a second where cheap sky turns into the dearest paths', () => {
  const maxDepth = 8;
  const machine: Machine = {
    secondsPerRay: 2e-5,
    overheadSeconds: 1e-4,
    // The left and upper part see the sky; the rest is a glass block in which every path is as long as can be.
    raysOf: (x, y) => (x < 90 && y < 90 ? 1 : longestPathOf(maxDepth)),
  };
  const { seconds, plan } = carryOut([160, 120, 0, 6], maxDepth, machine);
  expect(plan[0]).toEqual({ column: 0, columns: 8, row: 0, rows: 4, sample: 0, samples: 1 });
  expect(Math.max(...seconds)).toBeLessThanOrEqual(LIMIT_SECONDS);
  // It is not by staying tiny that it keeps the limit.
  expect(seconds.filter((took) => took > 0.02).length).toBeGreaterThan(seconds.length / 3);
});

it('cuts a workgroup where its paths are so dear that all of them would pass half a second', () => {
  const maxDepth = 450;
  const longest = longestPathOf(maxDepth);
  // 32 of the longest paths take 1.4 s.
  const machine: Machine = { secondsPerRay: 5e-5, overheadSeconds: 0, raysOf: (x) => (x < 9 ? 3 : longest) };
  const { seconds, done } = carryOut([19, 11, 0, 3], maxDepth, machine);
  expect(done.every((times) => times === 1)).toBe(true);
  expect(32 * longest * machine.secondsPerRay).toBeGreaterThan(2 * LIMIT_SECONDS);
  expect(Math.max(...seconds)).toBeLessThanOrEqual(LIMIT_SECONDS);
});

it('grows to dispatches of a tenth of a second, several samples at a time where there is room', () => {
  const machine: Machine = { secondsPerRay: 1e-7, overheadSeconds: 1e-5, raysOf: () => 4 };
  const { seconds, plan } = carryOut([32, 32, 0, 4096], 4, machine);
  expect(Math.max(...plan.map(({ samples }) => samples))).toBeGreaterThan(100);
  expect(Math.max(...seconds)).toBeLessThanOrEqual(LIMIT_SECONDS);
  expect(seconds.at(-2)).toBeGreaterThan(0.05);
  expect(seconds.at(-2)).toBeLessThan(0.2);
});

it('predicts the worst from the dearest ray, forgets it slowly, and starts small again for another scene', () => {
  const pace = new Pace();
  pace.longestPath = 9;
  expect(pace.worstSeconds(1000)).toBe(0);
  pace.learn(1000, 2000, 0.02);
  expect(pace.worstSeconds(1000)).toBeCloseTo(1000 * 9 * 1e-5, 10);
  expect(pace.worstSeconds(pace.paths)).toBeLessThanOrEqual(LIMIT_SECONDS);
  pace.learn(1000, 2000, 0.002);
  expect(pace.worstSeconds(1000)).toBeCloseTo(1000 * 9 * 0.8e-5, 10);
  // Longer paths are asked for: what was allowed is not any more.
  pace.longestPath = 901;
  expect(pace.paths).toBe(Math.floor(LIMIT_SECONDS / (901 * 0.8e-5)));
  // Of such long paths four are enough for a first look.
  pace.reset();
  expect(pace.paths).toBe(4);
  pace.longestPath = 9;
  pace.reset();
  expect(pace.paths).toBe(32);
});
