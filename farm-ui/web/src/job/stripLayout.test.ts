import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binStatuses, cellAt, cellOrigin, stepOf, stripLayout, visibleCells } from './stripLayout.ts';

const sizes = [fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 200, max: 2400 })] as const;

describe('stripLayout', () => {
  it('is one row for a short shot and rows of squares for a long one', () => {
    expect(stripLayout(24, 960)).toMatchObject({ rows: 1, columns: 24, pitchX: 40 });
    expect(stripLayout(5, 960).pitchX).toBe(44);
    const long = stripLayout(100_000, 960);
    expect(long.rows).toBeGreaterThan(100);
    expect(long.pitchX).toBe(long.pitchY);
  });

  it('holds every frame inside its width, and finds each by its middle', () => {
    fc.assert(
      fc.property(...sizes, fc.nat(), (count, width, pick) => {
        const layout = stripLayout(count, width);
        expect(layout.columns * layout.rows).toBeGreaterThanOrEqual(count);
        expect(layout.columns * layout.pitchX).toBeLessThanOrEqual(width + 0.001);
        const index = pick % count;
        const { x, y } = cellOrigin(layout, index);
        expect(cellAt(layout, count, x + layout.pitchX / 2, y + layout.pitchY / 2)).toBe(index);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('draws all and only the cells in the window', () => {
    fc.assert(
      fc.property(...sizes, fc.nat(), (count, width, pick) => {
        const layout = stripLayout(count, width);
        const top = pick % layout.height;
        const [first, end] = visibleCells(layout, count, top, 200);
        expect(first).toBeLessThanOrEqual(end);
        expect(end - first).toBeLessThanOrEqual((Math.ceil(200 / layout.pitchY) + 1) * layout.columns);
        const inside = cellAt(layout, count, layout.pitchX / 2, top);
        if (inside !== null) expect(inside >= first && inside < end).toBe(true);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('finds nothing outside', () => {
    const layout = stripLayout(5, 960);
    expect(cellAt(layout, 5, 5 * 44 + 1, 5)).toBeNull();
    expect(cellAt(layout, 5, -1, 5)).toBeNull();
    expect(cellAt(layout, 5, 10, 41)).toBeNull();
    expect(cellAt(stripLayout(0, 960), 0, 0, 0)).toBeNull();
  });
});

describe('binStatuses', () => {
  it('counts every frame once', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ min: 0, max: 7, minLength: 1, maxLength: 500 }),
        fc.integer({ min: 1, max: 900 }),
        (status, bins) => {
          const counts = binStatuses(status, bins, 8);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(status.length);
        },
      ),
      { seed: 9, numRuns: 200 },
    );
    expect([...binStatuses(Uint8Array.of(5, 5, 0, 5), 2, 6)]).toEqual([0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 1]);
  });
});

describe('stepOf', () => {
  const layout = stripLayout(1000, 320);
  it.each([
    ['ArrowRight', 999, 999],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 5, 5 + layout.columns],
    ['ArrowUp', 5, 5],
    ['Home', 500, 0],
    ['End', 500, 999],
  ])('%s from %i goes to %i', (key, from, to) => expect(stepOf(key, layout, from, 1000)).toBe(to));
  it('leaves other keys to the page', () => expect(stepOf('a', layout, 5, 1000)).toBeNull());
});
