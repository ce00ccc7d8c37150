/** Writes multi-layer OpenEXR files. See `format.ts` for the layout. */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { floatToHalf, HALF_MAX } from '../half.ts';
import {
  bytesPerSample,
  COMPRESSION_NAMES,
  EXR_MAGIC,
  EXR_VERSION,
  type ExrAttribute,
  type ExrBox,
  type ExrCompression,
  LINES_PER_CHUNK,
  PIXEL_TYPES,
  predict,
  REC709_CHROMATICITIES,
} from './format.ts';

const deflateAsync = promisify(deflate);

/** One channel, taken out of an interleaved array without copying. */
export interface ExrChannelSource {
  /** `R`, `albedo.G`, `depth.Z` …; at most 31 bytes. */
  name: string;
  type: 'half' | 'float';
  data: Float32Array;
  /** Floats from one pixel to the next. */
  stride: number;
  /** Floats before the first. */
  offset: number;
}

export interface ExrImage {
  /** The whole picture; its origin is 0, 0. */
  width: number;
  height: number;
  /** The part that the channels hold (half open); the whole picture when left out. */
  rect?: { x0: number; y0: number; x1: number; y1: number };
  channels: ExrChannelSource[];
  compression: ExrCompression;
  /** Further header attributes by name. */
  attributes?: Record<string, ExrAttribute>;
}

/** Collects little-endian bytes. */
class HeaderWriter {
  private readonly parts: Buffer[] = [];

  text(value: string): this {
    this.parts.push(Buffer.from(`${value}\0`, 'utf8'));
    return this;
  }

  int(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    this.parts.push(bytes);
    return this;
  }

  attribute(name: string, type: string, payload: Buffer): this {
    this.text(name).text(type).int(payload.length);
    this.parts.push(payload);
    return this;
  }

  byte(value: number): this {
    this.parts.push(Buffer.from([value]));
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const ints = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
const floats = (values: ArrayLike<number>): Buffer => Buffer.from(Float32Array.from(values).buffer);

function encodeAttribute(attribute: ExrAttribute): [type: string, payload: Buffer] {
  switch (attribute.kind) {
    case 'int':
      return ['int', ints(attribute.value)];
    case 'float':
      return ['float', floats([attribute.value])];
    case 'double':
      return ['double', Buffer.from(Float64Array.of(attribute.value).buffer)];
    case 'string':
      return ['string', Buffer.from(attribute.value, 'utf8')];
    case 'm44f':
      return ['m44f', floats(attribute.value)];
    case 'chromaticities':
      return ['chromaticities', floats(attribute.value)];
  }
}

function encodeHeader(image: ExrImage, dataWindow: ExrBox, channels: ExrChannelSource[]): Buffer {
  const list = new HeaderWriter();
  for (const channel of channels) {
    if (Buffer.byteLength(channel.name) > 31) throw new RangeError(`EXR channel name too long: ${channel.name}`);
    // pixel type, pLinear and three reserved bytes, x and y sampling
    list.text(channel.name).int(PIXEL_TYPES.indexOf(channel.type)).int(0).int(1).int(1);
  }
  list.byte(0);
  const header = new HeaderWriter().int(EXR_MAGIC).int(EXR_VERSION);
  header.attribute('channels', 'chlist', list.bytes());
  header.attribute('chromaticities', 'chromaticities', floats(REC709_CHROMATICITIES));
  header.attribute('compression', 'compression', Buffer.from([COMPRESSION_NAMES.indexOf(image.compression)]));
  header.attribute('dataWindow', 'box2i', ints(dataWindow.xMin, dataWindow.yMin, dataWindow.xMax, dataWindow.yMax));
  header.attribute('displayWindow', 'box2i', ints(0, 0, image.width - 1, image.height - 1));
  header.attribute('lineOrder', 'lineOrder', Buffer.from([0]));
  header.attribute('pixelAspectRatio', 'float', floats([1]));
  header.attribute('screenWindowCenter', 'v2f', floats([0, 0]));
  header.attribute('screenWindowWidth', 'float', floats([1]));
  for (const [name, attribute] of Object.entries(image.attributes ?? {})) {
    header.attribute(name, ...encodeAttribute(attribute));
  }
  return header.byte(0).bytes();
}

/** Lines `first` to `first + lines` as EXR stores them: line by line, in each line channel by channel. */
function packLines(channels: ExrChannelSource[], width: number, first: number, lines: number, raw: Uint8Array): void {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  let at = 0;
  for (let line = first; line < first + lines; line++) {
    for (const { type, data, stride, offset } of channels) {
      let from = line * width * stride + offset;
      for (let x = 0; x < width; x++, from += stride) {
        const value = data[from]!;
        if (type === 'float') {
          view.setFloat32(at, value, true);
          at += 4;
        } else {
          // Finite values beyond the range of half stay finite: compositors choke on infinities.
          view.setUint16(
            at,
            floatToHalf(value > HALF_MAX && value !== Number.POSITIVE_INFINITY ? HALF_MAX : value),
            true,
          );
          at += 2;
        }
      }
    }
  }
}

/** Channels in the order of the file: by name, byte by byte, as the standard asks. */
export function exrChannelOrder(names: string[]): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/**
 * Encodes a picture. Linear Rec.709; `chromaticities` say so. The bytes depend on nothing but the arguments (no date).
 * Throws `RangeError` for channel arrays that are too short.
 */
export async function encodeExr(image: ExrImage): Promise<Buffer> {
  const rect = image.rect ?? { x0: 0, y0: 0, x1: image.width, y1: image.height };
  const width = rect.x1 - rect.x0;
  const height = rect.y1 - rect.y0;
  const order = exrChannelOrder(image.channels.map((channel) => channel.name));
  const channels = order.map((name) => image.channels.find((channel) => channel.name === name)!);
  for (const channel of channels) {
    const needed = (width * height - 1) * channel.stride + channel.offset + 1;
    if (channel.data.length < needed) throw new RangeError(`EXR channel ${channel.name} is too short`);
  }
  const dataWindow = { xMin: rect.x0, yMin: rect.y0, xMax: rect.x1 - 1, yMax: rect.y1 - 1 };
  const header = encodeHeader(image, dataWindow, channels);
  const lineBytes = channels.reduce((sum, channel) => sum + width * bytesPerSample(channel.type), 0);
  const linesPerChunk = LINES_PER_CHUNK[image.compression];

  const encodeChunk = async (first: number): Promise<Buffer> => {
    const lines = Math.min(linesPerChunk, height - first);
    const raw = new Uint8Array(lines * lineBytes);
    packLines(channels, width, first, lines, raw);
    let body: Uint8Array = raw;
    if (image.compression !== 'none') {
      const coded = new Uint8Array(raw.length);
      predict(raw, coded);
      // Level 4 is OpenEXR's own default: a third of the time of level 6 for two per cent more bytes.
      const packed = await deflateAsync(coded, { level: 4 });
      if (packed.length < raw.length) body = packed;
    }
    return Buffer.concat([ints(rect.y0 + first, body.length), body]);
  };
  // deflate runs in libuv's pool, so chunks in groups use all cores without holding every chunk raw at once.
  const chunks: Buffer[] = [];
  const group = linesPerChunk * 16;
  for (let start = 0; start < height; start += group) {
    const pending: Promise<Buffer>[] = [];
    for (let y = start; y < Math.min(start + group, height); y += linesPerChunk) pending.push(encodeChunk(y));
    chunks.push(...(await Promise.all(pending)));
  }
  const offsets = Buffer.alloc(chunks.length * 8);
  let position = header.length + offsets.length;
  chunks.forEach((chunk, index) => {
    offsets.writeBigUInt64LE(BigInt(position), index * 8);
    position += chunk.length;
  });
  return Buffer.concat([header, offsets, ...chunks]);
}
