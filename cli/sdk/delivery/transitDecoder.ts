/** Opens what a site agent compressed for the way: see `workers/site/transitEncoder.ts` for the format. */
import { zstd } from './transit.ts';

/** A block that claims to be larger is no block. */
const LARGEST_BLOCK_BYTES = 16 * 2 ** 20;

/**
 * The file's bytes. Throws when the stream ends inside a block or is none.
 * @param onReceived told of what comes in
 */
export async function* decodeTransit(
  source: AsyncIterable<Buffer>,
  onReceived: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let have = 0;
  let head: { rawBytes: number; bodyBytes: number; packed: boolean } | null = null;
  /** Takes so many bytes from the front of what has come. */
  const take = (count: number): Buffer => {
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts = bytes.length > count ? [bytes.subarray(count)] : [];
    have -= count;
    return bytes.subarray(0, count);
  };
  for await (const part of source) {
    onReceived(part.length);
    parts.push(part);
    have += part.length;
    for (;;) {
      if (!head) {
        if (have < 8) break;
        head = readHead(take(8));
      }
      if (have < head.bodyBytes) break;
      const body = take(head.bodyBytes);
      yield head.packed ? joinPlanes(await unpack(body), head.rawBytes) : body;
      head = null;
    }
  }
  if (head || have > 0) throw new Error('the source ended inside a block');
}

function unpack(body: Buffer): Promise<Buffer> {
  const library = zstd();
  // Nobody asked for it here: see `usableTransit`.
  if (!library) throw new Error('the source sent a compressed block, which this machine cannot open');
  return library.decompress(body);
}

function readHead(bytes: Buffer): { rawBytes: number; bodyBytes: number; packed: boolean } {
  const rawBytes = bytes.readUInt32LE(0);
  const packedBytes = bytes.readUInt32LE(4);
  if (rawBytes === 0 || rawBytes > LARGEST_BLOCK_BYTES || packedBytes > rawBytes) {
    throw new Error('the source sent what is no block');
  }
  return { rawBytes, bodyBytes: packedBytes || rawBytes, packed: packedBytes > 0 };
}

/** Differences of even bytes, then of odd ones, back to the bytes of the file. */
function joinPlanes(planes: Buffer, rawBytes: number): Buffer {
  if (planes.length !== rawBytes) throw new Error('the source sent a block of another size');
  const raw = Buffer.allocUnsafe(rawBytes);
  const half = (rawBytes + 1) >> 1;
  let even = 0;
  let odd = 0;
  let to = 0;
  for (let from = 0; to + 1 < rawBytes; from++, to += 2) {
    even = (even + planes[from]!) & 0xff;
    odd = (odd + planes[half + from]!) & 0xff;
    raw[to] = even;
    raw[to + 1] = odd;
  }
  if (to < rawBytes) raw[to] = even + planes[half - 1]!;
  return raw;
}
