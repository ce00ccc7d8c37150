/** What verification wants to know of a frame before it is committed. */
import { readFile } from 'node:fs/promises';
import type { ExrBox, ExrCompressionName } from './format.ts';
import { type ExrHeader, readExrHeader, readExrLines } from './read.ts';

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

/** Statistics while lines come in. */
class RunningStats {
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  private sum = 0;
  private count = 0;
  private nan = 0;
  private infinite = 0;

  add(samples: Float32Array | Uint32Array): void {
    let { min, max, sum } = this;
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i]!;
      // True of finite numbers only.
      if (value - value === 0) {
        if (value < min) min = value;
        if (value > max) max = value;
        sum += value;
      } else if (Number.isNaN(value)) this.nan++;
      else this.infinite++;
    }
    this.count += samples.length;
    Object.assign(this, { min, max, sum });
  }

  result(): ExrChannelStats {
    const { min, max, sum, nan, infinite } = this;
    const finite = this.count - nan - infinite;
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
  const running = picture.channels.map(() => new RunningStats());
  readExrLines(bytes, picture, (channel, _line, samples) => running[channel]!.add(samples));
  const stats = Object.fromEntries(picture.channels.map(({ name }, index) => [name, running[index]!.result()]));
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
