import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { PICTURE_FORMATS, VIEW_TRANSFORMS, type ViewTransform } from '../../domain/scene.ts';
import { CHROMATICITIES, type Chromaticities, conversionMatrix } from './colorSpace.ts';
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

/** Filament's AgX, for one colour, by the functions themselves. */
function agx(color: number[]): number[] {
  const times = (rows: number[][], v: number[]) =>
    rows.map((row) => row[0]! * v[0]! + row[1]! * v[1]! + row[2]! * v[2]!);
  const wide = times(AGX_TO_WIDE, color);
  const toned = times(AGX_IN, wide).map((value) => {
    const x = (Math.min(Math.max(Math.log2(Math.max(value, 1e-10)), -12.47393), 4.026069) + 12.47393) / 16.499999;
    return 15.5 * x ** 6 - 40.14 * x ** 5 + 31.96 * x ** 4 - 6.868 * x ** 3 + 0.4298 * x ** 2 + 0.1191 * x - 0.00232;
  });
  const shown = times(AGX_OUT, toned).map((value) => Math.max(value, 0) ** 2.2);
  return times(AGX_FROM_WIDE, shown).map((value) => Math.min(Math.max(value, 0), 1));
}

const matrixRows = (m: readonly number[]): number[][] => [0, 3, 6].map((at) => m.slice(at, at + 3));
const REC2020: Chromaticities = [0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329];
const AGX_TO_WIDE = matrixRows(conversionMatrix(CHROMATICITIES.rec709, REC2020));
const AGX_FROM_WIDE = matrixRows(conversionMatrix(REC2020, CHROMATICITIES.rec709));
const AGX_IN = matrixRows([
  ...[0.856627153315983, 0.0951212405381588, 0.0482516061458583],
  ...[0.137318972929847, 0.761241990602591, 0.101439036467562],
  ...[0.11189821299995, 0.0767994186031903, 0.811302368396859],
]);
const AGX_OUT = matrixRows([
  ...[1.1271005818144368, -0.11060664309660323, -0.016493938717834573],
  ...[-0.1413297634984383, 1.157823702216272, -0.016493938717834257],
  ...[-0.14132976349843826, -0.11060664309660294, 1.2519364065950405],
]);

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

  it('agx by tables is its logarithm, sigmoid and power, to a step of 16 bits', () => {
    const random = xoroshiro128plus(20_261_129);
    const share = () => (random.next() >>> 0) / 2 ** 32;
    const colors = Array.from({ length: 20_000 }, () => Array.from({ length: 3 }, () => 2 ** (share() * 22 - 15)));
    for (const dark of [0, 1e-12, 2 ** -12.47393, 2 ** 4.026069, 1e9])
      colors.push([dark, dark, dark], [dark, 0, 0], [0, 0, dark]);
    const out = new Uint16Array(colors.length * 4);
    const light = Float32Array.from(opaque(colors).flat());
    applyView(light, { view: 'agx', exposure: 0 }, out);
    const off = colors.map((_, i) => {
      const wanted = agx([...light.subarray(i * 4, i * 4 + 3)]);
      return Math.max(...wanted.map((value, k) => Math.abs(out[i * 4 + k]! - (encode(value) * 65_535) / 255)));
    });
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
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
