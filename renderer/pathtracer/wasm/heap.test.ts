import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from './heap.ts';

describe('Heap', () => {
  it('never overlaps, keeps contents, and merges what is freed', () => {
    const steps = fc.array(
      fc.record({ bytes: fc.integer({ min: 0, max: 400_000 }), drop: fc.nat(), shrink: fc.boolean() }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const heap = new Heap(64 * 2 ** 20);
        const live: { address: number; bytes: number; mark: number }[] = [];
        list.forEach(({ bytes, drop, shrink }, step) => {
          const address = heap.allocate(bytes);
          expect(address % 64).toBe(0);
          const mark = step % 251;
          heap.bytes(address, bytes).fill(mark);
          const entry = { address, bytes, mark };
          if (shrink) {
            entry.bytes = Math.floor(bytes / 2);
            heap.shrink(address, entry.bytes);
          }
          live.push(entry);
          if (drop % 3 === 0) heap.free(live.splice(drop % live.length, 1)[0]!.address);
          for (const block of live) {
            expect(heap.bytes(block.address, block.bytes).every((value) => value === block.mark)).toBe(true);
          }
        });
        for (const { address } of live) heap.free(address);
        expect(heap.usedBytes).toBe(0);
        // Everything came back as one range.
        const whole = heap.allocate(heap.memory.buffer.byteLength - 65_536);
        expect(whole).toBe(65_536);
      }),
      { seed: 5, numRuns: 15 },
    );
  });

  it('refuses what exceeds its limit and stays usable', () => {
    const heap = new Heap(8 * 2 ** 20);
    expect(() => heap.allocate(9 * 2 ** 20)).toThrowError(expect.objectContaining({ code: 'SceneTooLarge' }));
    expect(heap.allocate(2 ** 20)).toBeGreaterThan(0);
  });
});
