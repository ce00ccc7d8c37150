/** What verification wants to know of a frame before it is committed. */
import { readFile } from 'node:fs/promises';
import type { ExrBox, ExrCompressionName } from './format.ts';
import { decodeExr, type ExrHeader } from './read.ts';

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

function statsOf(plane: Float32Array): ExrChannelStats {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let nan = 0;
  let infinite = 0;
  for (let i = 0; i < plane.length; i++) {
    const value = plane[i]!;
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
    else {
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
  }
  const finite = plane.length - nan - infinite;
  return finite ? { min, max, mean: sum / finite, nan, infinite } : { min: 0, max: 0, mean: 0, nan, infinite };
}

/** Decodes a file (bytes or path) and measures it. Throws `ExrError` when it is damaged. */
export async function inspectExr(source: Uint8Array | string): Promise<ExrInspection> {
  const picture = decodeExr(typeof source === 'string' ? await readFile(source) : source);
  const stats = Object.fromEntries([...picture.planes].map(([name, plane]) => [name, statsOf(plane)]));
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
