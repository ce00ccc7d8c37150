/** What verification wants to know of a frame before it is committed. */
import { readFile } from 'node:fs/promises';
import { bytesPerSample, type ExrBox, type ExrCompressionName } from './format.ts';
import { type ExrHeader, readExrChunks, readExrHeader } from './read.ts';

/** What the samples of one channel are. */
export interface ExrChannelNumbers {
  /** Samples that are NaN. */
  nan: number;
  /** Samples that are infinite. */
  infinite: number;
  /** All samples are zero. */
  isZero: boolean;
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
  numbers: Record<string, ExrChannelNumbers>;
}

/** Looks at one channel's samples, line after line, by their bits: no sample is turned into a number. */
abstract class Tally {
  protected nan = 0;
  protected infinite = 0;
  /** All samples’ bits, one over the other; of floats all but their signs. */
  protected bits = 0;
  /** A line's samples as whole words, zeros behind them. */
  protected readonly words: Int32Array;
  protected readonly bytes: Uint8Array;

  constructor(width: number, sampleBytes: number) {
    this.words = new Int32Array(Math.ceil((width * sampleBytes) / 4));
    this.bytes = new Uint8Array(this.words.buffer, 0, width * sampleBytes);
  }

  /** Takes the samples of one line from byte `at` on, little-endian. */
  add(raw: Uint8Array, at: number): void {
    this.bytes.set(raw.subarray(at, at + this.bytes.length));
    this.look();
  }

  protected abstract look(): void;

  result(): ExrChannelNumbers {
    return { nan: this.nan, infinite: this.infinite, isZero: this.bits === 0 };
  }
}

const SIGNLESS_TWO = 0x7fff_7fff;
const EXPONENTS_OF_TWO = 0x7c00_7c00;
/** Added to two exponents, it carries into the sign of each that is all ones, NaN or infinite, and of no other. */
const CARRY_OF_TWO = 0x0400_0400;
const TWO_CARRIED = 0x8000_8000 | 0;

/**
 * Two half floats at a time, in a few operations without a branch. A picture that is not compressed is looked at in less time
 * than it is hashed in; only lines that hold NaN or infinity are counted through.
 */
class HalfTally extends Tally {
  private readonly halves: Uint16Array;

  constructor(width: number) {
    super(width, 2);
    this.halves = new Uint16Array(this.words.buffer, 0, width);
  }

  protected look(): void {
    const { words } = this;
    let bits = 0;
    let carries = 0;
    for (let index = 0; index < words.length; index += 1) {
      const pair = words[index]!;
      bits |= pair;
      carries |= (pair & EXPONENTS_OF_TWO) + CARRY_OF_TWO;
    }
    this.bits |= bits & SIGNLESS_TWO;
    if (carries & TWO_CARRIED) this.count();
  }

  private count(): void {
    for (const half of this.halves) {
      if ((half & 0x7fff) > 0x7c00) this.nan += 1;
      else if ((half & 0x7fff) === 0x7c00) this.infinite += 1;
    }
  }
}

/** 32-bit floats. */
class FloatTally extends Tally {
  constructor(width: number) {
    super(width, 4);
  }

  protected look(): void {
    for (const word of this.words) {
      const size = word & 0x7fff_ffff;
      this.bits |= size;
      if (size > 0x7f80_0000) this.nan += 1;
      else if (size === 0x7f80_0000) this.infinite += 1;
    }
  }
}

/** 32-bit integers are neither NaN nor infinite. */
class UintTally extends Tally {
  constructor(width: number) {
    super(width, 4);
  }

  protected look(): void {
    for (const word of this.words) this.bits |= word;
  }
}

const TALLIES = { half: HalfTally, float: FloatTally, uint: UintTally };

/** Decodes a file (bytes or path), line by line, and looks at its samples. Throws `ExrError` when it is damaged. */
export async function inspectExr(source: Uint8Array | string): Promise<ExrInspection> {
  return inspectExrBytes(typeof source === 'string' ? await readFile(source) : source);
}

/** The same for bytes, all in one go. */
export function inspectExrBytes(bytes: Uint8Array): ExrInspection {
  const picture = readExrHeader(bytes);
  const { width, channels } = picture;
  const tallies = channels.map(({ type }) => new TALLIES[type](width));
  readExrChunks(bytes, picture, (raw, _first, lines) => {
    let at = 0;
    for (let line = 0; line < lines; line++) {
      for (const [index, { type }] of channels.entries()) {
        tallies[index]!.add(raw, at);
        at += width * bytesPerSample(type);
      }
    }
  });
  const numbers = Object.fromEntries(channels.map(({ name }, index) => [name, tallies[index]!.result()]));
  const colour = ['R', 'G', 'B'].map((name) => numbers[name]).filter((entry) => entry !== undefined);
  return {
    width: picture.width,
    height: picture.height,
    dataWindow: picture.dataWindow,
    displayWindow: picture.displayWindow,
    channels: picture.channels.map((channel) => channel.name),
    compression: picture.compression,
    attributes: picture.attributes,
    hasNaN: Object.values(numbers).some(({ nan }) => nan > 0),
    hasInfinity: ['R', 'G', 'B', 'A'].some((name) => (numbers[name]?.infinite ?? 0) > 0),
    allBlack: colour.length > 0 && colour.every(({ isZero }) => isZero),
    numbers,
  };
}
