/** Writes multi-layer OpenEXR files, whole or band by band. See `format.ts` for the layout. */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { type ChunkChannel, encodeChunk, lineBytesOf } from './chunk.ts';
import { EncoderPool, threadsFor } from './encoderPool.ts';
import { CHUNK_ALIGNMENT, type ExrPixelType, LINES_PER_CHUNK } from './format.ts';
import { type ExrFileHeader, encodeHeader, exrChannelOrder, isBand, rectOfFile } from './header.ts';

export { type ExrFileHeader, exrChannelOrder } from './header.ts';

/** One channel of a band (or of the whole picture), taken out of an interleaved array without copying. */
export interface ExrChannelSource extends ChunkChannel {
  /** `R`, `albedo.G`, `depth.Z` …; at most 31 bytes. */
  name: string;
}

/** A picture in memory. */
export interface ExrImage extends Omit<ExrFileHeader, 'channels'> {
  channels: ExrChannelSource[];
}

interface FileOrder {
  header: Buffer;
  /** Names and types in file order. */
  channels: { name: string; type: ExrPixelType }[];
  width: number;
  height: number;
  chunkCount: number;
}

function layOut(file: ExrFileHeader): FileOrder {
  const byName = new Map(file.channels.map((channel) => [channel.name, channel]));
  if (byName.size !== file.channels.length) throw new RangeError('EXR channels with the same name');
  const channels = exrChannelOrder(byName.keys()).map((name) => byName.get(name)!);
  const rect = rectOfFile(file);
  const height = rect.y1 - rect.y0;
  return {
    header: encodeHeader({ ...file, channels }),
    channels,
    width: rect.x1 - rect.x0,
    height,
    chunkCount: Math.ceil(height / LINES_PER_CHUNK[file.compression]),
  };
}

/** The band's channels in file order, checked against the header. */
function inFileOrder(order: FileOrder, band: readonly ExrChannelSource[], rows: number): ExrChannelSource[] {
  const byName = new Map(band.map((channel) => [channel.name, channel]));
  if (byName.size !== order.channels.length) throw new RangeError('EXR band with other channels than the header');
  return order.channels.map(({ name, type }) => {
    const channel = byName.get(name);
    if (channel?.type !== type) throw new RangeError(`EXR band lacks channel ${name} (${type})`);
    const needed = (order.width * rows - 1) * channel.stride + channel.offset + 1;
    if (channel.data.length < needed) throw new RangeError(`EXR channel ${name} is too short`);
    return channel;
  });
}

function chunkHead(y: number, bytes: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32LE(y, 0);
  head.writeInt32LE(bytes, 4);
  return head;
}

/** Where the chunks of a file begin whose size is known beforehand, as nothing is compressed. */
function plainPositions({ header, channels, width, chunkCount }: FileOrder): number[] {
  const types = channels.map(({ type }) => type);
  const chunkBytes = 8 + LINES_PER_CHUNK.none * lineBytesOf(types, width);
  const first = header.length + chunkCount * 8;
  return Array.from({ length: chunkCount }, (_, index) => first + index * chunkBytes);
}

function offsetTable(positions: readonly number[]): Buffer {
  const table = Buffer.alloc(positions.length * 8);
  for (const [index, position] of positions.entries()) table.writeBigUInt64LE(BigInt(position), index * 8);
  return table;
}

/**
 * Writes a file from bands of rows, top down, so that a large picture is never whole in memory. Large pictures are compressed on
 * threads. The file has its name only when it is whole: until `close` it is `<path>.partial`. The bytes depend on nothing but
 * header and samples: neither on the bands nor on the threads, and there is no date in them.
 */
export class ExrWriter {
  /** Every band but the last has a multiple of so many rows. */
  static readonly bandRows = CHUNK_ALIGNMENT;

  private readonly path: string;
  private readonly file: ExrFileHeader;
  private readonly order: FileOrder;
  private readonly handle: FileHandle;
  private readonly pool: EncoderPool;
  private readonly positions: number[] = [];
  private nextRow = 0;
  private hasEnded = false;
  private position: number;
  /** Of what was written; null where the table at the file's beginning is known only at its end. */
  private readonly digest: Hash | null;

  private constructor(path: string, file: ExrFileHeader, order: FileOrder, handle: FileHandle) {
    this.path = path;
    this.file = file;
    this.order = order;
    this.handle = handle;
    this.pool = new EncoderPool(threadsFor(order.width * order.height * order.channels.length));
    this.position = order.header.length + order.chunkCount * 8;
    this.digest =
      file.compression === 'none' ? createHash('sha256').update(this.beginning(plainPositions(order))) : null;
  }

  private beginning(positions: readonly number[]): Buffer {
    return Buffer.concat([this.order.header, offsetTable(positions)]);
  }

  /** Begins a file. Throws `RangeError` for channel names that are too long or occur twice. */
  static async open(path: string, file: ExrFileHeader): Promise<ExrWriter> {
    const order = layOut(file);
    const handle = await open(`${path}.partial`, 'w');
    return new ExrWriter(path, file, order, handle);
  }

  /** Channels in the file's order. */
  get channelNames(): string[] {
    return this.order.channels.map(({ name }) => name);
  }

  /**
   * Appends `rows` rows; `row` counts from the top of the file's rectangle and must follow the last band. Resolves when the arrays
   * may be used again. Throws `RangeError` for a band that is out of turn, cuts a chunk, or lacks a channel.
   */
  async writeRows(row: number, rows: number, band: readonly ExrChannelSource[]): Promise<void> {
    const { order, file, pool } = this;
    if (row !== this.nextRow || !isBand(row, row + rows, order.height)) {
      throw new RangeError(`EXR band of rows ${row} to ${row + rows} is out of turn or cuts a chunk`);
    }
    const channels = inFileOrder(order, band, rows);
    const chunkLines = LINES_PER_CHUNK[file.compression];
    const { y0 } = rectOfFile(file);
    const encode = async (first: number): Promise<{ first: number; body: Uint8Array }> => {
      const lines = Math.min(chunkLines, rows - first);
      return { first, body: await pool.encode(channels, order.width, first, lines, file.compression) };
    };
    // Some chunks under way at a time, written in order.
    const underway: ReturnType<typeof encode>[] = [];
    try {
      for (let next = 0; next < rows || underway.length > 0; ) {
        while (next < rows && underway.length < pool.width) {
          underway.push(encode(next));
          next += chunkLines;
        }
        const { first, body } = await underway.shift()!;
        this.positions.push(this.position);
        await this.append(chunkHead(y0 + row + first, body.length));
        await this.append(body);
      }
    } finally {
      await Promise.allSettled(underway);
    }
    this.nextRow += rows;
  }

  private async append(bytes: Uint8Array): Promise<void> {
    this.digest?.update(bytes);
    await this.handle.write(bytes, 0, bytes.length, this.position);
    this.position += bytes.length;
  }

  /**
   * Completes the file and gives it its name. Returns its SHA-256 (hex) where that came for nothing: nothing is compressed, and it was
   * made while rows were written. Throws `RangeError` when rows are missing.
   */
  async close(): Promise<string | null> {
    const { order, path } = this;
    if (this.nextRow !== order.height) throw new RangeError(`EXR file lacks rows from ${this.nextRow} on`);
    await this.handle.write(this.beginning(this.positions), 0, null, 0);
    await this.end();
    await rename(`${path}.partial`, path);
    return this.digest?.digest('hex') ?? null;
  }

  private async end(): Promise<void> {
    if (this.hasEnded) return;
    this.hasEnded = true;
    await Promise.all([this.handle.close(), this.pool.close()]);
  }

  /** Gives up, if it is not closed: no unfinished file is left behind. */
  async abandon(): Promise<void> {
    await this.end();
    await rm(`${this.path}.partial`, { force: true });
  }
}

/**
 * Encodes a picture in memory. The bytes are those that `ExrWriter` would write. Throws `RangeError` for channel arrays that are
 * too short.
 */
export async function encodeExr(image: ExrImage): Promise<Buffer> {
  const order = layOut(image);
  const channels = inFileOrder(order, image.channels, order.height);
  const chunkLines = LINES_PER_CHUNK[image.compression];
  const { y0 } = rectOfFile(image);
  const parts: Uint8Array[] = [];
  const positions: number[] = [];
  let position = order.header.length + order.chunkCount * 8;
  for (let first = 0; first < order.height; first += chunkLines) {
    const lines = Math.min(chunkLines, order.height - first);
    const body = encodeChunk(channels, order.width, first, lines, image.compression);
    positions.push(position);
    position += 8 + body.length;
    parts.push(chunkHead(y0 + first, body.length), body);
  }
  return Buffer.concat([order.header, offsetTable(positions), ...parts]);
}
