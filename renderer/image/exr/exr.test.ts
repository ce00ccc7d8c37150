import fc from 'fast-check';
import { readExr } from 'hdrify';
import { describe, expect, it } from 'vitest';
import { floatToHalf, halfToFloatTable } from '../half.ts';
import { inspectExr } from './inspect.ts';
import { decodeExr, ExrError } from './read.ts';
import { type ExrImage, encodeExr } from './write.ts';

/** A picture with a colour layer, a float depth and values that repeat enough to compress. */
function samplePicture(width: number, height: number, compression: ExrImage['compression']): ExrImage {
  const colour = Float32Array.from({ length: width * height * 4 }, (_, i) => Math.fround((i % 97) / 16));
  const depth = Float32Array.from({ length: width * height }, (_, i) => Math.fround(i * 1.000_1));
  const channel = (name: string, offset: number) =>
    ({ name, type: 'half', data: colour, stride: 4, offset }) satisfies ExrImage['channels'][number];
  return {
    width,
    height,
    compression,
    channels: [
      channel('R', 0),
      channel('G', 1),
      channel('B', 2),
      channel('A', 3),
      channel('albedo.R', 1),
      { name: 'depth.Z', type: 'float', data: depth, stride: 1, offset: 0 },
    ],
    attributes: {
      'framewright:frame': { kind: 'int', value: 17 },
      'framewright:build': { kind: 'string', value: 'test build' },
    },
  };
}

describe('half floats', () => {
  it('decodes and encodes every half to itself', () => {
    const table = halfToFloatTable();
    for (let half = 0; half < 65_536; half++) {
      const isNaNHalf = (half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0;
      if (!isNaNHalf) expect(floatToHalf(table[half]!)).toBe(half);
    }
  });

  it('rounds to the nearest half, ties to even', () => {
    const table = halfToFloatTable();
    fc.assert(
      fc.property(fc.float({ min: -65_504, max: 65_504, noNaN: true }), (value) => {
        const bits = floatToHalf(value);
        const error = Math.abs(table[bits]! - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          if ((neighbour & 0x7c00) === 0x7c00 || neighbour < 0 || neighbour > 0xffff) continue;
          expect(error).toBeLessThanOrEqual(Math.abs(table[neighbour]! - value));
        }
      }),
      { seed: 3 },
    );
    expect(floatToHalf(1 + 1 / 2048)).toBe(0x3c00);
    expect(floatToHalf(1 + 3 / 2048)).toBe(0x3c02);
    expect(floatToHalf(Number.NaN) & 0x7c00).toBe(0x7c00);
    expect(floatToHalf(1e9)).toBe(0x7c00);
  });
});

describe.each(['none', 'zips', 'zip'] as const)('OpenEXR, compression %s', (compression) => {
  it('comes back sample for sample', async () => {
    const picture = samplePicture(37, 41, compression);
    const decoded = decodeExr(await encodeExr(picture));
    expect(decoded.channels.map((channel) => channel.name)).toEqual(['A', 'B', 'G', 'R', 'albedo.R', 'depth.Z']);
    expect(decoded.attributes['framewright:frame']).toBe(17);
    expect(decoded.attributes['framewright:build']).toBe('test build');
    for (const { name, data, stride, offset } of picture.channels) {
      const plane = decoded.planes.get(name)!;
      for (let i = 0; i < plane.length; i++) expect(plane[i]).toBe(data[i * stride + offset]);
    }
  });

  it('is read by another implementation', async () => {
    const picture = samplePicture(33, 20, compression);
    const theirs = readExr(await encodeExr(picture));
    expect([theirs.width, theirs.height]).toEqual([33, 20]);
    expect(theirs.data).toEqual(picture.channels[0]!.data);
  });

  it('holds a crop in its data window', async () => {
    const crop = samplePicture(8, 5, compression);
    const bytes = await encodeExr({ ...crop, width: 64, height: 32, rect: { x0: 10, y0: 20, x1: 18, y1: 25 } });
    const inspection = await inspectExr(bytes);
    expect(inspection.dataWindow).toEqual({ xMin: 10, yMin: 20, xMax: 17, yMax: 24 });
    expect(inspection.displayWindow).toEqual({ xMin: 0, yMin: 0, xMax: 63, yMax: 31 });
    expect([inspection.width, inspection.height]).toEqual([8, 5]);
  });

  it('refuses damage at every place', async () => {
    const bytes = await encodeExr(samplePicture(16, 18, compression));
    for (let length = 0; length < bytes.length; length += 7) {
      expect(() => decodeExr(bytes.subarray(0, length))).toThrow(ExrError);
    }
  });
});

describe('inspection of a frame', () => {
  it('finds NaN, infinity and black', async () => {
    const picture = samplePicture(9, 7, 'zip');
    expect(await inspectExr(await encodeExr(picture))).toMatchObject({
      hasNaN: false,
      hasInfinity: false,
      allBlack: false,
    });
    picture.channels[0]!.data[20] = Number.NaN;
    picture.channels[0]!.data[25] = Number.POSITIVE_INFINITY;
    expect(await inspectExr(await encodeExr(picture))).toMatchObject({ hasNaN: true, hasInfinity: true });
    picture.channels[0]!.data.fill(0);
    expect(await inspectExr(await encodeExr(picture))).toMatchObject({ hasNaN: false, allBlack: true });
  });

  it('keeps values beyond half finite', async () => {
    const picture = samplePicture(4, 4, 'zip');
    picture.channels[0]!.data[0] = 1e6;
    expect((await inspectExr(await encodeExr(picture))).stats.R!.max).toBe(65_504);
  });
});
