/** Reads OpenEXR files of the kinds that `write.ts` writes, all channels. Hostile input ends in `ExrError`, never in a crash. */
import { expandChunk, unpackLines } from './chunk.ts';
import {
  COMPRESSION_NAMES,
  EXR_MAGIC,
  type ExrBox,
  type ExrCompressionName,
  ExrError,
  type ExrPixelType,
  LINES_PER_CHUNK,
  PIXEL_TYPES,
  WRITABLE_COMPRESSIONS,
} from './format.ts';

export { ExrError } from './format.ts';

interface ExrChannelInfo {
  name: string;
  type: ExrPixelType;
}

export interface ExrHeader {
  /** Size of the data window. */
  width: number;
  height: number;
  dataWindow: ExrBox;
  displayWindow: ExrBox;
  compression: ExrCompressionName;
  /** In file order. */
  channels: ExrChannelInfo[];
  /** Attributes that we know how to read (int, float, double, string, chromaticities, m44f), by name. */
  attributes: Record<string, number | string | number[]>;
  /** Where the offset table begins. */
  headerBytes: number;
}

export interface ExrPicture extends ExrHeader {
  /** One array for each channel of half or float, row-major over the data window. */
  planes: Map<string, Float32Array>;
  /** The same for each channel of 32-bit integers. */
  uintPlanes: Map<string, Uint32Array>;
}

/** Pictures above this many pixels are refused before anything is allocated. */
const MAX_PIXELS = 16_384 * 16_384;

/** Samples that a byte of a file can stand for at most: deflate shrinks by 1032, a Huffman repeat by some 2,000. */
const MAX_EXPANSION = 4096;

class Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  need(count: number): number {
    if (count < 0 || this.at + count > this.bytes.length) throw new ExrError(`file ends inside byte ${this.at}`);
    const from = this.at;
    this.at += count;
    return from;
  }

  int(): number {
    return this.view.getInt32(this.need(4), true);
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end - this.at > 255) throw new ExrError(`no end of name at byte ${this.at}`);
    const value = Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.at, end - this.at).toString('utf8');
    this.at = end + 1;
    return value;
  }
}

function readBox(cursor: Cursor): ExrBox {
  return { xMin: cursor.int(), yMin: cursor.int(), xMax: cursor.int(), yMax: cursor.int() };
}

function readChannels(cursor: Cursor, end: number): ExrChannelInfo[] {
  const channels: ExrChannelInfo[] = [];
  while (cursor.at < end && cursor.bytes[cursor.at] !== 0) {
    const name = cursor.text();
    const type = PIXEL_TYPES[cursor.int()];
    cursor.need(4);
    if (type === undefined) throw new ExrError(`channel ${name} has an unknown sample type`);
    if (cursor.int() !== 1 || cursor.int() !== 1) throw new ExrError(`channel ${name} is subsampled`);
    channels.push({ name, type });
  }
  if (channels.length === 0) throw new ExrError('no channels');
  return channels;
}

function readAttribute(cursor: Cursor, type: string, size: number): number | string | number[] | undefined {
  const { view, at } = cursor;
  if (type === 'int' && size === 4) return view.getInt32(at, true);
  if (type === 'float' && size === 4) return view.getFloat32(at, true);
  if (type === 'double' && size === 8) return view.getFloat64(at, true);
  if (type === 'string') return Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset + at, size).toString('utf8');
  if ((type === 'chromaticities' && size === 32) || (type === 'm44f' && size === 64)) {
    return Array.from({ length: size / 4 }, (_, i) => view.getFloat32(at + i * 4, true));
  }
  return undefined;
}

/** Reads the header alone. Throws `ExrError`. */
export function readExrHeader(bytes: Uint8Array): ExrHeader {
  const cursor = new Cursor(bytes, 0);
  if (bytes.length < 8 || cursor.int() !== EXR_MAGIC) throw new ExrError('not an OpenEXR file');
  const version = cursor.int();
  if ((version & 0xff) !== 2) throw new ExrError(`version ${version & 0xff} is not 2`);
  if (version & 0x1a00) throw new ExrError('tiled, deep and multi-part files are not read');
  let channels: ExrChannelInfo[] | undefined;
  let compression: ExrCompressionName | undefined;
  let dataWindow: ExrBox | undefined;
  let displayWindow: ExrBox | undefined;
  const attributes: ExrHeader['attributes'] = {};
  for (;;) {
    const name = cursor.text();
    if (name === '') break;
    const type = cursor.text();
    const size = cursor.int();
    const start = cursor.need(size);
    const end = cursor.at;
    cursor.at = start;
    if (name === 'channels') channels = readChannels(cursor, end);
    else if (name === 'compression') compression = COMPRESSION_NAMES[bytes[start] ?? 255];
    else if (name === 'dataWindow') dataWindow = readBox(cursor);
    else if (name === 'displayWindow') displayWindow = readBox(cursor);
    else {
      const value = readAttribute(cursor, type, size);
      if (value !== undefined) attributes[name] = value;
    }
    cursor.at = end;
  }
  if (!channels || !compression || !dataWindow) throw new ExrError('header lacks channels, compression or dataWindow');
  const width = dataWindow.xMax - dataWindow.xMin + 1;
  const height = dataWindow.yMax - dataWindow.yMin + 1;
  if (!(width > 0 && height > 0 && width * height <= MAX_PIXELS)) throw new ExrError(`absurd size ${width}x${height}`);
  displayWindow ??= dataWindow;
  return { width, height, dataWindow, displayWindow, compression, channels, attributes, headerBytes: cursor.at };
}

/**
 * Walks through the chunks in the order of the file: `take` gets the raw lines of each, `first` counted from the top of the data
 * window; line by line, in each line channel by channel. Throws `ExrError`, also for compressions that we do not write, and then
 * has perhaps given some chunks before.
 */
export function readExrChunks(
  bytes: Uint8Array,
  header: ExrHeader,
  take: (raw: Uint8Array, first: number, lines: number) => void,
): void {
  const { width, height, channels, dataWindow } = header;
  const compression = WRITABLE_COMPRESSIONS.find((name) => name === header.compression);
  if (!compression) throw new ExrError(`compression ${header.compression} is not read`);
  const types = channels.map(({ type }) => type);
  const linesPerChunk = LINES_PER_CHUNK[compression];
  const chunkCount = Math.ceil(height / linesPerChunk);
  const table = new Cursor(bytes, header.headerBytes);
  table.need(chunkCount * 8);
  const seen = new Uint8Array(chunkCount);
  for (let index = 0; index < chunkCount; index++) {
    const offset = Number(table.view.getBigUint64(header.headerBytes + index * 8, true));
    if (offset === 0 || offset > bytes.length) throw new ExrError(`chunk ${index} is missing`);
    const cursor = new Cursor(bytes, offset);
    const first = cursor.int() - dataWindow.yMin;
    const size = cursor.int();
    const start = cursor.need(size);
    if (first < 0 || first >= height || first % linesPerChunk !== 0 || seen[first / linesPerChunk]) {
      throw new ExrError(`chunk ${index} claims line ${first + dataWindow.yMin}`);
    }
    seen[first / linesPerChunk] = 1;
    const lines = Math.min(linesPerChunk, height - first);
    take(expandChunk(bytes.subarray(start, start + size), types, width, lines, compression), first, lines);
  }
}

/**
 * The same for single lines: `take` gets one line of one channel at a time, in an array that is reused: `Uint32Array` for uint
 * channels, else `Float32Array`.
 */
function readExrLines(
  bytes: Uint8Array,
  header: ExrHeader,
  take: (channel: number, line: number, samples: Float32Array | Uint32Array) => void,
): void {
  const types = header.channels.map(({ type }) => type);
  readExrChunks(bytes, header, (raw, first, lines) =>
    unpackLines(raw, types, header.width, lines, (channel, line, samples) => take(channel, first + line, samples)),
  );
}

/** Reads all channels into memory. Throws `ExrError`, also for compressions that we do not write. */
export function decodeExr(bytes: Uint8Array): ExrPicture {
  const header = readExrHeader(bytes);
  const pixels = header.width * header.height;
  // A header alone must not make us reserve memory: raw chunks hold all samples, and no compression of ours shrinks more.
  if (pixels * header.channels.length > MAX_EXPANSION * bytes.length)
    throw new ExrError('file is too short for its size');
  const arrays = header.channels.map(({ type }) =>
    type === 'uint' ? new Uint32Array(pixels) : new Float32Array(pixels),
  );
  readExrLines(bytes, header, (channel, line, samples) => arrays[channel]!.set(samples, line * header.width));
  const planes = new Map<string, Float32Array>();
  const uintPlanes = new Map<string, Uint32Array>();
  for (const [index, { name }] of header.channels.entries()) {
    const array = arrays[index]!;
    if (array instanceof Uint32Array) uintPlanes.set(name, array);
    else planes.set(name, array);
  }
  return { ...header, planes, uintPlanes };
}
