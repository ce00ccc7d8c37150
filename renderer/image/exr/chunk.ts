/** One chunk of an OpenEXR file: lines of samples to compressed bytes and back. Pure; `encodeThread.ts` runs it beside us. */
import { deflateSync, inflateSync } from 'node:zlib';
import { floatToHalf, HALF_MAX, halfToFloatTable } from '../half.ts';
import { bytesPerSample, ExrError, type ExrPixelType, predict, unpredict, type WritableCompression } from './format.ts';
import { pizCompress, pizUncompress } from './piz.ts';

/** One channel's samples, taken out of an interleaved array without copying. */
export interface ChunkChannel {
  type: ExrPixelType;
  /** `Uint32Array` for `uint`. */
  data: Float32Array | Uint32Array;
  /** Elements from one pixel to the next. */
  stride: number;
  /** Elements before the first. */
  offset: number;
}

/** Bytes of one line with all channels. */
export const lineBytesOf = (types: readonly ExrPixelType[], width: number): number =>
  types.reduce((sum, type) => sum + width * bytesPerSample(type), 0);

/** The nearest half; finite values beyond its range stay finite, since compositors choke on infinities. */
function toHalf(value: number): number {
  if (value > HALF_MAX && value !== Number.POSITIVE_INFINITY) return floatToHalf(HALF_MAX);
  if (value < -HALF_MAX && value !== Number.NEGATIVE_INFINITY) return floatToHalf(-HALF_MAX);
  return floatToHalf(value);
}

/** Lines `first` to `first + lines` as EXR stores them: line by line, in each line channel by channel. */
function packLines(channels: readonly ChunkChannel[], width: number, first: number, lines: number): Uint8Array {
  const types = channels.map(({ type }) => type);
  const raw = new Uint8Array(lines * lineBytesOf(types, width));
  const view = new DataView(raw.buffer);
  let at = 0;
  for (let line = first; line < first + lines; line++) {
    for (const { type, data, stride, offset } of channels) {
      let from = line * width * stride + offset;
      if (type === 'half') {
        for (let x = 0; x < width; x++, from += stride, at += 2) view.setUint16(at, toHalf(data[from]!), true);
      } else if (type === 'float') {
        for (let x = 0; x < width; x++, from += stride, at += 4) view.setFloat32(at, data[from]!, true);
      } else {
        for (let x = 0; x < width; x++, from += stride, at += 4) view.setUint32(at, data[from]!, true);
      }
    }
  }
  return raw;
}

/**
 * The body of the chunk that begins at line `first` of the channels' arrays, which are `width` pixels wide. Channels are in file
 * order. A body that would grow is stored raw, as the standard asks.
 */
export function encodeChunk(
  channels: readonly ChunkChannel[],
  width: number,
  first: number,
  lines: number,
  compression: WritableCompression,
): Uint8Array {
  const raw = packLines(channels, width, first, lines);
  const packed = compress(raw, channels, width, lines, compression);
  return packed.length < raw.length ? packed : raw;
}

function compress(
  raw: Uint8Array,
  channels: readonly ChunkChannel[],
  width: number,
  lines: number,
  compression: WritableCompression,
): Uint8Array {
  if (compression === 'none') return raw;
  if (compression === 'piz') {
    const types = channels.map(({ type }) => type);
    return pizCompress(raw, types, width, lines);
  }
  const coded = new Uint8Array(raw.length);
  predict(raw, coded);
  // Level 4 is OpenEXR's own default: a third of the time of level 6 for two per cent more bytes.
  return deflateSync(coded, { level: 4 });
}

/** Raw lines of a chunk of `lines` lines. Throws `ExrError` on damage. */
export function expandChunk(
  chunk: Uint8Array,
  types: readonly ExrPixelType[],
  width: number,
  lines: number,
  compression: WritableCompression,
): Uint8Array {
  const rawBytes = lines * lineBytesOf(types, width);
  if (chunk.length === rawBytes) return chunk;
  if (compression === 'none') throw new ExrError('chunk has the wrong size');
  if (compression === 'piz') return pizUncompress(chunk, types, width, lines);
  let coded: Uint8Array;
  try {
    coded = inflateSync(chunk, { maxOutputLength: rawBytes });
  } catch (error) {
    throw new ExrError(`chunk does not inflate: ${(error as Error).message}`);
  }
  if (coded.length !== rawBytes) throw new ExrError('chunk inflates to the wrong size');
  const raw = new Uint8Array(rawBytes);
  unpredict(coded, raw);
  return raw;
}

/**
 * Samples of raw lines, one call for each line of each channel. `samples` is reused: `Float32Array` for half and float,
 * `Uint32Array` for uint.
 */
export function unpackLines(
  raw: Uint8Array,
  types: readonly ExrPixelType[],
  width: number,
  lines: number,
  take: (channel: number, line: number, samples: Float32Array | Uint32Array) => void,
): void {
  const halves = halfToFloatTable();
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const floats = new Float32Array(width);
  const uints = new Uint32Array(width);
  let at = 0;
  for (let line = 0; line < lines; line++) {
    for (const [channel, type] of types.entries()) {
      if (type === 'half') {
        for (let x = 0; x < width; x++, at += 2) floats[x] = halves[view.getUint16(at, true)]!;
      } else if (type === 'float') {
        for (let x = 0; x < width; x++, at += 4) floats[x] = view.getFloat32(at, true);
      } else {
        for (let x = 0; x < width; x++, at += 4) uints[x] = view.getUint32(at, true);
      }
      take(channel, line, type === 'uint' ? uints : floats);
    }
  }
}
