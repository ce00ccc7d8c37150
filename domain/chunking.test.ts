import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNKING, chunkFrames } from './chunking.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('chunkFrames', () => {
  it('spreads a short job over its nodes, smaller towards the end', () => {
    const sizes = chunkFrames({ frames: range(24), estimateSeconds: 2, fittingSlots: 2 }).map((chunk) => chunk.length);
    expect(sizes).toEqual([6, 5, 4, 3, 2, 1, 1, 1, 1]);
  });

  it('gives slow frames a chunk each', () => {
    const chunks = chunkFrames({ frames: range(10), estimateSeconds: 900, fittingSlots: 1 });
    expect(chunks.every((chunk) => chunk.length === 1)).toBe(true);
  });

  it('keeps every frame once, in order, within the bounds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.double({ min: 0.001, max: 5000, noNaN: true }),
        fc.integer({ min: 0, max: 64 }),
        (count, estimateSeconds, fittingSlots) => {
          const chunks = chunkFrames({ frames: range(count), estimateSeconds, fittingSlots });
          expect(chunks.flat()).toEqual(range(count));
          for (const chunk of chunks) {
            expect(chunk.length).toBeGreaterThan(0);
            expect(chunk.length).toBeLessThanOrEqual(CHUNKING.maxFrames);
            expect(chunk.length === 1 || chunk.length * estimateSeconds <= 1.5 * CHUNKING.targetSeconds).toBe(true);
          }
        },
      ),
      { seed: 7 },
    );
  });

  it('cuts the largest job into few enough chunks for the workflow tree', () => {
    const chunks = chunkFrames({ frames: range(100_000), estimateSeconds: 900, fittingSlots: 1 });
    expect(chunks.length).toBeLessThanOrEqual(500 * 200);
  });
});
