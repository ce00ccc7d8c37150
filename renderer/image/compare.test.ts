import { describe, expect, it } from 'vitest';
import { comparePictures, meanFlip, meanSquaredError, relativeMeanSquaredError } from './compare.ts';
import { flipMap } from './flip.ts';

const [width, height] = [40, 28];

/** Edges, points and slopes in all channels. */
function picture(seed: number): Float32Array {
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const checks = ((x >> 3) + (y >> 2)) & 1 ? 0.25 : 0.6 + (0.01 * seed * ((x * 13 + y * 5) % 17)) / 17;
      data.set([0.5 + 0.5 * Math.sin(x * 0.37 + seed), (((x * y * 7) % 29) / 29) * 0.8, checks], (y * width + x) * 3);
    }
  }
  return data;
}

const size = { width, height, stride: 3 };

describe('FLIP', () => {
  it('says what its authors’ own program says', () => {
    // Values of NVIDIA's flip-evaluator 1.7 for these pictures.
    const map = flipMap(picture(1), picture(0), width, height);
    expect(map.reduce((sum, value) => sum + value, 0) / map.length).toBeCloseTo(0.485169, 4);
    const published = [0.576155, 0.600226, 0.0756907, 0.455982];
    for (const [i, [x, y]] of [
      [0, 0],
      [7, 5],
      [20, 14],
      [39, 27],
    ].entries()) {
      expect(map[y! * width + x!]).toBeCloseTo(published[i]!, 3);
    }
    const struck = picture(0);
    struck.set([1, 1, 1], (10 * width + 10) * 3);
    expect(meanFlip(struck, picture(0), size)).toBeCloseTo(0.00425818, 5);
  });

  it('is 0 of equal pictures, also of those that are equal on the screen', () => {
    expect(meanFlip(picture(0), picture(0), size)).toBe(0);
    const bright = new Float32Array(width * height * 3).fill(1);
    expect(
      meanFlip(
        bright.map((value) => value * 7),
        bright,
        size,
      ),
    ).toBe(0);
    expect(
      meanFlip(
        bright.map((value) => value * 7),
        bright,
        size,
        -3,
      ),
    ).toBeGreaterThan(0.1);
  });
});

describe('errors', () => {
  it('are means over RGB, and leave alpha out', () => {
    const two = { width: 2, height: 1 };
    const test = [1, 2, 3, 0, 0, 0, 0, 9];
    const reference = [1, 1, 1, 1, 0, 0, 0.5, 1];
    expect(meanSquaredError(test, reference, two)).toBeCloseTo((1 + 4 + 0.25) / 6, 12);
    expect(relativeMeanSquaredError(test, reference, two)).toBeCloseTo((1 / 1.01 + 4 / 1.01 + 0.25 / 0.26) / 6, 12);
  });

  it('refuse pictures of different size, and let NaN show', () => {
    expect(() => comparePictures([1, 2, 3], [1, 2, 3, 4], { width: 1, height: 1 })).toThrow(RangeError);
    const bad = picture(0);
    bad[50] = Number.NaN;
    expect(comparePictures(bad, picture(0), size)).toEqual({ mse: Number.NaN, relMse: Number.NaN, flip: Number.NaN });
  });
});
