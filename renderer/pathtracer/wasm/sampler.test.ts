/** The sampler's numbers: Owen-scrambled (0, 2)-sequences, each pair shuffled on its own. */
import { expect, it } from 'vitest';
import * as probes from './assembly/layout-probe.ts';
import { Heap } from './heap.ts';
import { loadTracerModule } from './module.ts';
import { ThreadPool } from './threads.ts';

/** Four numbers a sample, of `count` samples from `first` on, for one pixel and block. */
async function numbersOf(questions: { seed: number; x: number; block: number; first: number; count: number }[]) {
  const heap = new Heap();
  const pool = new ThreadPool((await loadTracerModule()).module, heap.memory, 1);
  try {
    const stride = probes.PROBE_NUMBERS_STRIDE;
    const all: number[][][] = [];
    for (const { seed, x, block, first, count } of questions) {
      const address = heap.allocate(count * stride);
      for (let i = 0; i < count; i++) {
        heap.words(address + i * stride, 7).set([seed, 1, x, 5, first + i, block, 0]);
      }
      await pool.lend((call) => call('probeNumbers', address, count));
      all.push(
        Array.from({ length: count }, (_, i) => [...heap.floats(address + i * stride + probes.PROBE_NUMBERS_FOUR, 4)]),
      );
    }
    return all;
  } finally {
    await pool.close();
  }
}

/** Boxes of 2^-across by 2^-down that hold other than one of 2^(across + down) points. */
function badBoxes(points: readonly (readonly [number, number])[], across: number, down: number): number {
  const counts = new Map<number, number>();
  for (const [u, v] of points) {
    const box = Math.floor(u * 2 ** across) * 2 ** down + Math.floor(v * 2 ** down);
    counts.set(box, (counts.get(box) ?? 0) + 1);
  }
  return 2 ** (across + down) - [...counts.values()].filter((count) => count === 1).length;
}

it('are nets: every elementary box of 2^-m holds one of 2^m points in a row, in both pairs', async () => {
  const questions = [4, 6, 8].flatMap((m) =>
    [0, 1, 5].map((k) => ({ seed: 3 + k, x: 100 * k, block: 7 * k, first: k * 2 ** m, count: 2 ** m, m })),
  );
  const all = await numbersOf(questions);
  for (const [index, samples] of all.entries()) {
    const { m } = questions[index]!;
    for (const [a, b] of [
      [0, 1],
      [2, 3],
    ] as const) {
      const points = samples.map((four) => [four[a]!, four[b]!] as const);
      for (let across = 0; across <= m; across++) expect(badBoxes(points, across, m - across)).toBe(0);
    }
  }
});

it('do not go together from pair to pair, block to block and pixel to pixel', async () => {
  const count = 1024;
  const base = { seed: 3, x: 7, block: 2, first: 0, count };
  const [one, otherBlock, otherPixel] = await numbersOf([base, { ...base, block: 3 }, { ...base, x: 8 }]);
  const correlation = (a: number[], b: number[]): number =>
    12 * (a.reduce((sum, value, i) => sum + (value - 0.5) * (b[i]! - 0.5), 0) / a.length);
  const lane = (samples: number[][], k: number): number[] => samples.map((four) => four[k]!);
  for (const k of [0, 1, 2, 3]) {
    // Five standard deviations of independent numbers.
    for (const other of [lane(otherBlock!, k), lane(otherPixel!, k), lane(one!, (k + 2) % 4)]) {
      expect(Math.abs(correlation(lane(one!, k), other))).toBeLessThan(5 / Math.sqrt(count));
    }
  }
});
