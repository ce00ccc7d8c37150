import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { readExr } from 'hdrify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { floatToHalf, halfToFloatTable } from '../half.ts';
import { WRITABLE_COMPRESSIONS } from './format.ts';
import { inspectExr } from './inspect.ts';
import { pizCompress, pizUncompress } from './piz.ts';
import { decodeExr, ExrError } from './read.ts';
import { type ExrChannelSource, type ExrImage, ExrWriter, encodeExr } from './write.ts';

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
      if (!isNaNHalf && floatToHalf(table[half]!) !== half) expect.fail(`half ${half}`);
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

describe.each(WRITABLE_COMPRESSIONS)('OpenEXR, compression %s', (compression) => {
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

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('the PIZ coder', () => {
  // Codes get long where frequencies differ wildly, values exceed 2^14 where the other wavelet is used, sizes are odd.
  const words = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 65_535 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 16_000, max: 17_000 }),
  );

  it('gives back whatever it gets', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 33 }),
        fc.constantFrom(['half'] as const, ['half', 'float'] as const, ['uint', 'half', 'half'] as const),
        fc.array(words, { minLength: 1, maxLength: 200 }),
        (width, lines, types, pattern) => {
          const count = types.reduce((sum, type) => sum + (type === 'half' ? 1 : 2), 0) * width * lines;
          const raw = new Uint8Array(
            Uint16Array.from({ length: count }, (_, i) => pattern[i % pattern.length]!).buffer,
          );
          expect(sameBytes(pizUncompress(pizCompress(raw, types, width, lines), types, width, lines), raw)).toBe(true);
        },
      ),
      { seed: 8, numRuns: 60 },
    );
  });

  it('keeps codes short where frequencies grow like Fibonacci numbers', () => {
    const counts = [1, 1];
    while (counts.length < 26) counts.push(counts.at(-1)! + counts.at(-2)!);
    // Interleaved, so that no run is repeated instead.
    const values: [order: number, value: number][] = [];
    for (const [value, count] of counts.entries()) for (let i = 0; i < count; i++) values.push([i / count, value]);
    values.sort((a, b) => a[0] - b[0]);
    const raw = new Uint8Array(Uint16Array.from(values, ([, value]) => value).buffer);
    const types = ['half'] as const;
    const back = pizUncompress(pizCompress(raw, types, values.length, 1), types, values.length, 1);
    expect(sameBytes(back, raw)).toBe(true);
  });

  it('refuses damage, and never hangs on it', () => {
    const raw = new Uint8Array(Uint16Array.from({ length: 600 }, (_, i) => (i * 7) % 90).buffer);
    const whole = pizCompress(raw, ['half'], 30, 20);
    for (let at = 0; at < whole.length; at += 2) {
      for (const flip of [1, 128]) {
        const damaged = whole.slice();
        damaged[at]! ^= flip;
        try {
          pizUncompress(damaged, ['half'], 30, 20);
        } catch (error) {
          expect(error).toBeInstanceOf(ExrError);
        }
      }
    }
  });
});

describe('the writer of bands', () => {
  const inFolder = async (): Promise<string> => {
    const folder = await mkdtemp(path.join(tmpdir(), 'framewright-exr-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return folder;
  };
  /** Rows of channels that begin at a picture's row. */
  const rowsFrom = (channels: ExrChannelSource[], row: number, width: number): ExrChannelSource[] =>
    channels.map((channel) => ({ ...channel, data: channel.data.subarray(row * width * channel.stride) }));

  it.each(WRITABLE_COMPRESSIONS)('writes the same bytes as a picture in one piece (%s)', async (compression) => {
    const file = path.join(await inFolder(), 'a.exr');
    const picture = samplePicture(19, 111, compression);
    const writer = await ExrWriter.open(file, picture);
    for (const [row, rows] of [
      [0, 32],
      [32, 64],
      [96, 15],
    ] as const) {
      await writer.writeRows(row, rows, rowsFrom(picture.channels, row, 19));
    }
    expect(await readdir(path.dirname(file))).toEqual(['a.exr.partial']);
    const hash = await writer.close();
    expect(await readdir(path.dirname(file))).toEqual(['a.exr']);
    const bytes = await readFile(file);
    expect(bytes).toEqual(await encodeExr(picture));
    const actual = createHash('sha256').update(bytes).digest('hex');
    expect(hash).toBe(compression === 'none' ? actual : null);
  });

  it('writes the same bytes on threads', async () => {
    const file = path.join(await inFolder(), 'large.exr');
    // Just large enough for threads.
    const picture = samplePicture(1024, 656, 'zips');
    const writer = await ExrWriter.open(file, picture);
    await writer.writeRows(0, 320, picture.channels);
    await writer.writeRows(320, 336, rowsFrom(picture.channels, 320, 1024));
    await writer.close();
    expect((await readFile(file)).equals(await encodeExr(picture))).toBe(true);
  });

  it('has the threads of one file serve the next', async () => {
    const folder = await inFolder();
    const picture = samplePicture(1024, 656, 'none');
    const write = async (name: string): Promise<Buffer> => {
      const writer = await ExrWriter.open(path.join(folder, name), picture);
      await writer.writeRows(0, 656, picture.channels);
      await writer.close();
      return readFile(path.join(folder, name));
    };
    // Node numbers threads as they are started.
    const nextThread = async (): Promise<number> => {
      const thread = new Worker('', { eval: true });
      const { threadId } = thread;
      await thread.terminate();
      return threadId;
    };
    const first = await write('first.exr');
    const before = await nextThread();
    expect((await write('second.exr')).equals(first)).toBe(true);
    expect(await nextThread()).toBe(before + 1);
  });

  it('refuses rows out of turn, cut chunks, missing rows, and leaves nothing when it is abandoned', async () => {
    const file = path.join(await inFolder(), 'a.exr');
    const picture = samplePicture(5, 70, 'piz');
    const writer = await ExrWriter.open(file, picture);
    await expect(writer.writeRows(32, 32, picture.channels)).rejects.toThrow('out of turn');
    await expect(writer.writeRows(0, 40, picture.channels)).rejects.toThrow('cuts a chunk');
    await expect(writer.writeRows(0, 32, picture.channels.slice(1))).rejects.toThrow('other channels');
    await expect(writer.close()).rejects.toThrow('lacks rows');
    await writer.abandon();
    expect(await readdir(path.dirname(file))).toEqual([]);
  });
});

it.each(WRITABLE_COMPRESSIONS)('keeps 32-bit integers exact (%s)', async (compression) => {
  const data = Uint32Array.from({ length: 7 * 9 }, (_, i) => (i * 0x9e37_79b9) >>> 0);
  const channels: ExrChannelSource[] = [{ name: 'sum.hi', type: 'uint', data, stride: 1, offset: 0 }];
  const decoded = decodeExr(await encodeExr({ width: 7, height: 9, compression, channels }));
  expect(decoded.uintPlanes.get('sum.hi')).toEqual(data);
  expect(decoded.planes.size).toBe(0);
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
    const bytes = await encodeExr(picture);
    expect(decodeExr(bytes).planes.get('R')![0]).toBe(65_504);
    expect((await inspectExr(bytes)).numbers.R).toEqual({ nan: 0, infinite: 0, isZero: false });
  });

  it.each(['half', 'float', 'uint'] as const)('counts %s samples, wherever they stand', async (type) => {
    const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 65_504, -0, 2 ** -24];
    const sample = fc.oneof(fc.constantFrom(...special), fc.double({ min: -65_504, max: 65_504, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(sample, { minLength: 1, maxLength: 40 }),
        async (width, values) => {
          const height = Math.ceil(values.length / width);
          const data = type === 'uint' ? new Uint32Array(width * height) : new Float32Array(width * height);
          data.set(values);
          const channels: ExrChannelSource[] = [{ name: 'R', type, data, stride: 1, offset: 0 }];
          const bytes = await encodeExr({ width, height, compression: 'none', channels });
          const decoded = decodeExr(bytes);
          const read = [...(decoded.planes.get('R') ?? decoded.uintPlanes.get('R')!)];
          const nan = read.filter(Number.isNaN).length;
          const infinite = read.filter((value) => Math.abs(value) === Number.POSITIVE_INFINITY).length;
          const inspection = await inspectExr(bytes);
          expect(inspection.numbers.R).toEqual({ nan, infinite, isZero: read.every((value) => value === 0) });
          expect([inspection.hasNaN, inspection.hasInfinity]).toEqual([nan > 0, infinite > 0]);
          expect(inspection.allBlack).toBe(inspection.numbers.R!.isZero);
        },
      ),
      { seed: 30 },
    );
  });
});
