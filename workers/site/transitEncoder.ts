/**
 * Lossless compression of frames on their way from a site to a studio (`cli/sdk/delivery/transitDecoder.ts` is the other
 * end). Half floats hardly shrink as they are, since their low bytes are noise; their high bytes do when they stand
 * together. So each block is split into the bytes at even and those at odd places, each as the difference to the one
 * before (as OpenEXR's own ZIP does), and compressed with zstd (RFC 8878) at its quickest level.
 *
 * The stream, `TRANSIT_TYPE`: blocks of `[u32 raw bytes][u32 packed bytes][body]`, little-endian, in the order of the file;
 * `packed bytes` 0 stands for a body of raw bytes.
 */
import { zstd } from '../../cli/sdk/delivery/transit.ts';

/** Small, so that what to do is decided often. */
export const BLOCK_BYTES = 256 * 1024;
const LEVEL = 1;

/** Even bytes, then odd bytes, as differences. */
function splitPlanes(raw: Buffer): Buffer {
  const planes = Buffer.allocUnsafe(raw.length);
  const half = (raw.length + 1) >> 1;
  let even = 0;
  let odd = 0;
  let from = 0;
  for (let to = 0; from + 1 < raw.length; from += 2, to++) {
    const a = raw[from]!;
    const b = raw[from + 1]!;
    planes[to] = a - even;
    planes[half + to] = b - odd;
    even = a;
    odd = b;
  }
  if (from < raw.length) planes[half - 1] = raw[from]! - even;
  return planes;
}

/** One block of the stream with its head; raw where packing it gains less than a twentieth, or cannot be done here. */
export async function packBlock(raw: Buffer): Promise<{ bytes: Buffer; packed: boolean }> {
  const body = await zstd()?.compress(splitPlanes(raw), LEVEL);
  if (!body || body.length > raw.length * 0.95) return { bytes: rawBlock(raw), packed: false };
  return { bytes: withHead(raw.length, body.length, body), packed: true };
}

/** A block that is sent as it is. */
export const rawBlock = (raw: Buffer): Buffer => withHead(raw.length, 0, raw);

function withHead(rawBytes: number, packedBytes: number, body: Buffer): Buffer {
  const head = Buffer.allocUnsafe(8);
  head.writeUInt32LE(rawBytes, 0);
  head.writeUInt32LE(packedBytes, 4);
  return Buffer.concat([head, body]);
}

/** Cuts a stream into blocks. */
export async function* blocksOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const part of source) {
    parts.push(part);
    size += part.length;
    if (size < BLOCK_BYTES) continue;
    const bytes = Buffer.concat(parts);
    let at = 0;
    for (; size - at >= BLOCK_BYTES; at += BLOCK_BYTES) yield bytes.subarray(at, at + BLOCK_BYTES);
    parts = [bytes.subarray(at)];
    size -= at;
  }
  if (size > 0) yield Buffer.concat(parts);
}
