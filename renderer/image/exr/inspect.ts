/** What verification wants to know of a frame before it is committed. */
import { readFile } from 'node:fs/promises';
import { halfToFloatTable } from '../half.ts';
import { bytesPerSample, type ExrBox, type ExrCompressionName } from './format.ts';
import { type ExrHeader, readExrChunks, readExrHeader } from './read.ts';

/** Statistics of one channel over the finite samples. */
interface ExrChannelStats {
  min: number;
  max: number;
  mean: number;
  /** Samples that are NaN. */
  nan: number;
  /** Samples that are infinite. */
  infinite: number;
}

export interface ExrInspection {
  /** Size of the data window. */
  width: number;
  height: number;
  dataWindow: ExrBox;
  displayWindow: ExrBox;
  /** In file order. */
  channels: string[];
  compression: ExrCompressionName;
  attributes: ExrHeader['attributes'];
  /** Some sample of some channel is NaN. */
  hasNaN: boolean;
  /** Some sample of R, G, B or A is infinite. */
  hasInfinity: boolean;
  /** R, G and B are zero everywhere. */
  allBlack: boolean;
  stats: Record<string, ExrChannelStats>;
}

/** Collects one channel's samples, line after line. */
interface Tally {
  /** Takes the samples of one line: `count` of them from byte `at` on, little-endian. */
  add(raw: Uint8Array, at: number, count: number): void;
  result(): ExrChannelStats;
}

/**
 * Half floats are counted by their bits: one addition a sample, and all statistics follow from the 65,536 counts. Reading a
 * picture that is not compressed costs little more than hashing it.
 */
class HalfTally implements Tally {
  private readonly counts = new Int32Array(65_536);
  /** A line's samples, on an even address. */
  private readonly line: Uint16Array;
  private readonly lineBytes: Uint8Array;

  constructor(width: number) {
    this.line = new Uint16Array(width);
    this.lineBytes = new Uint8Array(this.line.buffer);
  }

  add(raw: Uint8Array, at: number, count: number): void {
    const { counts, line } = this;
    this.lineBytes.set(raw.subarray(at, at + count * 2));
    // Two at a time in 32-bit integers: twice as fast in V8 as the plain loop.
    let x = 0;
    for (; x + 1 < count; x += 2) {
      const even = line[x]!;
      const odd = line[x + 1]!;
      counts[even] = (counts[even]! + 1) | 0;
      counts[odd] = (counts[odd]! + 1) | 0;
    }
    if (x < count) counts[line[x]!]!++;
  }

  result(): ExrChannelStats {
    const values = halfToFloatTable();
    const running = new RunningStats();
    const { counts } = this;
    // No iterator: most counts are zero, and this is asked for each channel of each frame.
    for (let half = 0; half < counts.length; half += 1) {
      const count = counts[half]!;
      if (count > 0) running.add(values[half]!, count);
    }
    return running.result();
  }
}

/** 32-bit floats and integers. */
class WideTally implements Tally {
  private readonly running = new RunningStats();
  private readonly isUint: boolean;

  constructor(isUint: boolean) {
    this.isUint = isUint;
  }

  add(raw: Uint8Array, at: number, count: number): void {
    const view = new DataView(raw.buffer, raw.byteOffset + at, count * 4);
    for (let x = 0; x < count; x++) {
      this.running.add(this.isUint ? view.getUint32(x * 4, true) : view.getFloat32(x * 4, true), 1);
    }
  }

  result = (): ExrChannelStats => this.running.result();
}

/** Statistics of values that come one after the other. */
class RunningStats {
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  private sum = 0;
  private finite = 0;
  private nan = 0;
  private infinite = 0;

  add(value: number, times: number): void {
    // True of finite numbers only.
    if (value - value === 0) {
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
      this.sum += value * times;
      this.finite += times;
    } else if (Number.isNaN(value)) this.nan += times;
    else this.infinite += times;
  }

  result(): ExrChannelStats {
    const { min, max, sum, finite, nan, infinite } = this;
    return finite ? { min, max, mean: sum / finite, nan, infinite } : { min: 0, max: 0, mean: 0, nan, infinite };
  }
}

/** Decodes a file (bytes or path), line by line, and measures it. Throws `ExrError` when it is damaged. */
export async function inspectExr(source: Uint8Array | string): Promise<ExrInspection> {
  return inspectExrBytes(typeof source === 'string' ? await readFile(source) : source);
}

/** The same for bytes, all in one go. */
export function inspectExrBytes(bytes: Uint8Array): ExrInspection {
  const picture = readExrHeader(bytes);
  const { width, channels } = picture;
  const tallies = channels.map(({ type }) => (type === 'half' ? new HalfTally(width) : new WideTally(type === 'uint')));
  readExrChunks(bytes, picture, (raw, _first, lines) => {
    let at = 0;
    for (let line = 0; line < lines; line++) {
      for (const [index, { type }] of channels.entries()) {
        tallies[index]!.add(raw, at, width);
        at += width * bytesPerSample(type);
      }
    }
  });
  const stats = Object.fromEntries(channels.map(({ name }, index) => [name, tallies[index]!.result()]));
  const colour = ['R', 'G', 'B'].map((name) => stats[name]).filter((entry) => entry !== undefined);
  return {
    width: picture.width,
    height: picture.height,
    dataWindow: picture.dataWindow,
    displayWindow: picture.displayWindow,
    channels: picture.channels.map((channel) => channel.name),
    compression: picture.compression,
    attributes: picture.attributes,
    hasNaN: Object.values(stats).some((entry) => entry.nan > 0),
    hasInfinity: ['R', 'G', 'B', 'A'].some((name) => (stats[name]?.infinite ?? 0) > 0),
    allBlack:
      colour.length > 0 && colour.every((entry) => entry.min === 0 && entry.max === 0 && !entry.nan && !entry.infinite),
    stats,
  };
}
