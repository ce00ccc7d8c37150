import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDisturbed, lesserOf, type PatchTimes, patchesOf, pixelCost, pixelsOf } from './probePatches.ts';

describe('patches', () => {
  it('cover a rectangle without gap or overlap, each once', () => {
    const side = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(side, side, side, side, (x0, y0, width, height) => {
        const rect = { x0, y0, x1: x0 + width, y1: y0 + height };
        const patches = [...patchesOf(rect, 16, 8)];
        expect(patches.reduce((sum, patch) => sum + pixelsOf(patch), 0)).toBe(width * height);
        const cells = patches.map((patch) => `${Math.floor(patch.x0 / 16)},${Math.floor(patch.y0 / 8)}`);
        expect(new Set(cells).size).toBe(patches.length);
        for (const patch of patches) {
          expect(patch.x0 >= rect.x0 && patch.x1 <= rect.x1 && patch.y0 >= rect.y0 && patch.y1 <= rect.y1).toBe(true);
          expect(pixelsOf(patch)).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('lie all over the picture from the beginning', () => {
    const first = [...patchesOf({ x0: 0, y0: 0, x1: 640, y1: 360 }, 64, 8)].slice(0, 12);
    const quarters = new Set(first.map(({ x0, y0 }) => `${x0 < 320} ${y0 < 180}`));
    expect(quarters.size).toBe(4);
    // Rows of the picture in fifths: a sky and a floor cost differently.
    expect(new Set(first.map(({ y0 }) => Math.floor(y0 / 72))).size).toBe(5);
  });
});

describe('costs', () => {
  const patch = (pixels: number, perPixel: number, perSample: number): PatchTimes => ({
    pixels,
    few: { samples: 1, seconds: pixels * (perPixel + perSample) },
    more: { samples: 4, seconds: pixels * (perPixel + 4 * perSample) },
  });

  it('are told apart: what a pixel costs, and what a sample adds', () => {
    const cost = pixelCost([patch(100, 2, 5), patch(50, 2, 11)]);
    expect(cost.perPixel).toBeCloseTo(2);
    expect(cost.perSample).toBeCloseTo(7);
  });

  it('are all the samples’ when the clock says nonsense, or when there is one sample only', () => {
    const nonsense = { pixels: 10, few: { samples: 1, seconds: 30 }, more: { samples: 4, seconds: 20 } };
    expect(pixelCost([nonsense])).toEqual({ perPixel: 0, perSample: 1 });
    const single = { pixels: 10, few: { samples: 1, seconds: 30 }, more: { samples: 1, seconds: 30 } };
    expect(pixelCost([single])).toEqual({ perPixel: 0, perSample: 3 });
  });

  it('of a look that something else took part in are seen and measured again', () => {
    const calm = patch(10, 0, 1);
    const disturbed = { ...calm, more: { samples: 4, seconds: 200 } };
    expect(isDisturbed(calm)).toBe(false);
    expect(isDisturbed(disturbed)).toBe(true);
    expect(isDisturbed({ ...calm, few: { samples: 1, seconds: 40 } })).toBe(true);
    expect(lesserOf(disturbed, calm)).toEqual(calm);
  });
});
