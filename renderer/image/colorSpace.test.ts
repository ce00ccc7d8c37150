import { expect, it } from 'vitest';
import { CHROMATICITIES, conversionMatrix, convertColors } from './colorSpace.ts';

it('goes to ACEScg by the matrix that OpenColorIO’s ACES configurations use', () => {
  const published = [0.613097, 0.339523, 0.047379, 0.070194, 0.916354, 0.013452, 0.020616, 0.10957, 0.869815];
  const matrix = conversionMatrix(CHROMATICITIES.rec709, CHROMATICITIES.acescg);
  for (const [i, value] of published.entries()) expect(Math.abs(matrix[i]! - value)).toBeLessThan(2e-5);
});

it('keeps white white, alpha as it is, and Rec.709 untouched', () => {
  const pixels = Float32Array.of(1, 1, 1, 0.5, 0.2, 0.3, 0.4, 1);
  const acescg = convertColors(pixels, 4, 'acescg');
  for (const i of [0, 1, 2]) expect(acescg[i]).toBeCloseTo(1, 6);
  expect([acescg[3], acescg[7]]).toEqual([0.5, 1]);
  expect(acescg[4]).not.toBe(pixels[4]);
  expect(convertColors(pixels, 4, 'rec709')).toBe(pixels);
});

it('comes back', () => {
  const there = conversionMatrix(CHROMATICITIES.rec709, CHROMATICITIES.acescg);
  const back = conversionMatrix(CHROMATICITIES.acescg, CHROMATICITIES.rec709);
  for (const [i, expected] of [1, 0, 0, 0, 1, 0, 0, 0, 1].entries()) {
    const [row, column] = [Math.floor(i / 3), i % 3];
    const value = [0, 1, 2].reduce((sum, k) => sum + back[row * 3 + k]! * there[k * 3 + column]!, 0);
    expect(value).toBeCloseTo(expected, 12);
  }
});
