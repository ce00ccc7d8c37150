import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { PICTURE_FORMATS, VIEW_TRANSFORMS, type ViewTransform } from '../../domain/scene.ts';
import { PictureBuilder } from './picture.ts';
import { applyView } from './viewTransform.ts';

const mapRow = (colors: number[][], view: ViewTransform = 'neutral', exposure = 0): Uint8Array => {
  const out = new Uint8Array(colors.length * 4);
  applyView(Float32Array.from(colors.flat()), { view, exposure }, out);
  return out;
};

const opaque = (colors: number[][]): number[][] => colors.map((color) => [...color, 1]);

/** Khronos' reference code, for one colour. */
function neutral(color: number[]): number[] {
  const x = Math.min(...color);
  const offset = x < 0.08 ? x - 6.25 * x * x : 0.04;
  const shifted = color.map((value) => value - offset);
  const peak = Math.max(...shifted);
  if (peak < 0.76) return shifted;
  const d = 1 - 0.76;
  const newPeak = 1 - (d * d) / (peak + d - 0.76);
  const g = 1 - 1 / (0.15 * (peak - newPeak) + 1);
  return shifted.map((value) => ((value * newPeak) / peak) * (1 - g) + newPeak * g);
}

const encode = (value: number): number =>
  255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);

describe('view transforms', () => {
  it('neutral is the Khronos curve in sRGB', () => {
    const colors = [
      [0, 0, 0],
      [0.18, 0.18, 0.18],
      [0.9, 0.1, 0.02],
      [3, 2, 1],
      [0.004, 0.002, 0.001],
      [200, 10, 0.5],
    ];
    const mapped = mapRow(opaque(colors));
    for (const [i, color] of colors.entries()) {
      for (const [k, value] of neutral(color).entries()) {
        expect(Math.abs(mapped[i * 4 + k]! - encode(Math.min(1, Math.max(0, value))))).toBeLessThanOrEqual(0.51);
      }
    }
  });

  it('srgb and raw clamp, with and without the curve', () => {
    const colors = opaque([[0.5, -1, 2]]);
    expect([...mapRow(colors, 'srgb')]).toEqual([188, 0, 255, 255]);
    expect([...mapRow(colors, 'raw')]).toEqual([128, 0, 255, 255]);
  });

  it('aces is Hill’s fit: middle grey, and light far above white', () => {
    // ((0.18 (0.18 + 0.0245786) - 0.000090537) / (0.18 (0.983729 · 0.18 + 0.432951) + 0.238081)) = 0.10559, in sRGB.
    expect([...mapRow(opaque([[0.18, 0.18, 0.18]]), 'aces')]).toEqual([91, 91, 91, 255]);
    expect([...mapRow(opaque([[1e9, 1e9, 1e9]]), 'aces')]).toEqual([255, 255, 255, 255]);
  });

  it('agx keeps greys grey, puts middle grey in the middle, and takes the sting out of pure colours', () => {
    const grey = mapRow(opaque([[0.18, 0.18, 0.18]]), 'agx');
    expect(new Set(grey.subarray(0, 3)).size).toBe(1);
    expect(Math.abs(grey[0]! - 127)).toBeLessThanOrEqual(3);
    const [red, green, blue] = mapRow(opaque([[100, 0, 0]]), 'agx');
    expect(red).toBeGreaterThan(240);
    expect(Math.min(green!, blue!)).toBeGreaterThan(120);
  });

  it.each(VIEW_TRANSFORMS)('%s never darkens as light grows, and stands NaN and infinity', (view) => {
    const ramp = Array.from({ length: 60 }, (_, i) => 2 ** (i / 3 - 14));
    const mapped = mapRow(opaque(ramp.map((value) => [value, value, value])), view);
    for (let i = 1; i < ramp.length; i++) expect(mapped[i * 4]).toBeGreaterThanOrEqual(mapped[i * 4 - 4]! - 1);
    expect([...mapRow(opaque([[Number.NaN, Number.NaN, Number.NaN]]), view)].slice(0, 3)).toEqual(
      [...mapRow(opaque([[0, 0, 0]]), view)].slice(0, 3),
    );
    expect(mapRow(opaque([[Infinity, Infinity, Infinity]]), view)[0]).toBeGreaterThan(240);
  });

  it('gives sRGB codes by table that are those of the curve', () => {
    const curve = (value: number) => (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
    const ramp = Float32Array.from({ length: 40_001 }, (_, i) => (i / 40_000) ** 2);
    const wanted = Array.from(ramp, (value) => Math.floor(curve(value) * 255 + 0.5));
    const mapped = mapRow(opaque(Array.from(ramp, (value) => [value, value, value])), 'srgb');
    expect(wanted.filter((code, i) => code !== mapped[i * 4])).toEqual([]);
  });

  it('doubles light with each stop of exposure, and undoes premultiplied alpha', () => {
    expect(mapRow([[0.1, 0.2, 0.3, 1]], 'agx', 1)).toEqual(mapRow([[0.2, 0.4, 0.6, 1]], 'agx'));
    const [whole, half] = [mapRow([[0.4, 0.2, 0.1, 1]]), mapRow([[0.2, 0.1, 0.05, 0.5]])];
    expect([...half.subarray(0, 3)]).toEqual([...whole.subarray(0, 3)]);
    expect([whole[3], half[3]]).toEqual([255, 128]);
  });
});

it.each(PICTURE_FORMATS)('pictures come as %s, the same from bands', async (format) => {
  const beauty = Float32Array.from({ length: 16 * 8 * 4 }, (_, i) => (i % 4 === 3 ? 1 : (i % 61) / 61));
  const settings = { view: 'srgb', exposure: 0 } as const;
  const [whole, banded] = [0, 1].map(() => new PictureBuilder(16, 8, format, settings)) as [
    PictureBuilder,
    PictureBuilder,
  ];
  whole.add(beauty);
  banded.add(beauty.subarray(0, 16 * 3 * 4));
  banded.add(beauty.subarray(16 * 3 * 4));
  const bytes = await whole.encode();
  expect(bytes.equals(await banded.encode())).toBe(true);
  const facts = await sharp(bytes).metadata();
  expect(facts).toMatchObject({ format, width: 16, height: 8, depth: format === 'tiff' ? 'ushort' : 'uchar' });
});
