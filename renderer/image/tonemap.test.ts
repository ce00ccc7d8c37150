import { afterAll, describe, expect, it } from 'vitest';
import { ImageProcessor } from './imageProcessor.ts';
import { toneMap } from './tonemap.ts';

const processor = new ImageProcessor();
afterAll(() => processor.close());

/** One row of pixels through the tone map. */
const mapRow = (colours: number[][], exposure = 0) =>
  toneMap(Float32Array.from(colours.flat()), colours.length, 1, exposure, processor);

/** Khronos' reference code, for one colour. */
function neutral(colour: number[]): number[] {
  const x = Math.min(...colour);
  const offset = x < 0.08 ? x - 6.25 * x * x : 0.04;
  const shifted = colour.map((value) => value - offset);
  const peak = Math.max(...shifted);
  if (peak < 0.76) return shifted;
  const d = 1 - 0.76;
  const newPeak = 1 - (d * d) / (peak + d - 0.76);
  const g = 1 - 1 / (0.15 * (peak - newPeak) + 1);
  return shifted.map((value) => ((value * newPeak) / peak) * (1 - g) + newPeak * g);
}

const encode = (value: number): number =>
  255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);

describe('the tone map', () => {
  it('is the Khronos PBR Neutral curve in sRGB', async () => {
    const colours = [
      [0, 0, 0],
      [0.18, 0.18, 0.18],
      [0.9, 0.1, 0.02],
      [3, 2, 1],
      [0.004, 0.002, 0.001],
      [200, 10, 0.5],
    ];
    const mapped = await mapRow(colours.map((colour) => [...colour, 1]));
    for (const [i, colour] of colours.entries()) {
      for (const [k, value] of neutral(colour).entries()) {
        expect(Math.abs(mapped[i * 4 + k]! - encode(Math.min(1, Math.max(0, value))))).toBeLessThanOrEqual(0.75);
      }
    }
  });

  it('doubles light with each stop of exposure', async () => {
    expect(await mapRow([[0.1, 0.2, 0.3, 1]], 1)).toEqual(await mapRow([[0.2, 0.4, 0.6, 1]]));
  });

  it('undoes premultiplied alpha', async () => {
    const [opaque, half] = [await mapRow([[0.4, 0.2, 0.1, 1]]), await mapRow([[0.2, 0.1, 0.05, 0.5]])];
    expect([...half.subarray(0, 3)]).toEqual([...opaque.subarray(0, 3)]);
    expect([opaque[3], half[3]]).toEqual([255, 128]);
  });
});
