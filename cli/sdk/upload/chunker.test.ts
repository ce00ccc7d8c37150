import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { seededBytes } from '../../../test/support/bytes.ts';
import { CHUNKING, Chunker, type Chunking } from './chunker.ts';
import { GEAR_SOURCE } from './gearModule.ts';

/** Lengths of the chunks of bytes in memory. */
function cutAll(bytes: Buffer, chunking?: Chunking): number[] {
  const chunker = new Chunker(chunking);
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length; at += lengths.at(-1)!) {
    const there = bytes.subarray(at, at + chunker.chunking.largest);
    chunker.window.set(there);
    lengths.push(chunker.cut(0, there.length));
  }
  return lengths;
}

/** The same, written as the format is described. */
function cutPlainly(bytes: Buffer): number[] {
  const { least, normal, largest, strictBits, looseBits } = CHUNKING;
  const gear = Array.from({ length: 256 }, (_, byte) =>
    createHash('sha256').update(`framewright gear ${byte}`).digest().readUInt32BE(),
  );
  const lengths: number[] = [];
  for (let [start, end, hash] = [0, 0, 0]; end < bytes.length; ) {
    hash = ((hash << 1) + gear[bytes[end]!]!) >>> 0;
    end += 1;
    const length = end - start;
    const zeros = Math.clz32(hash);
    const ends = length > least && zeros >= (length <= normal ? strictBits : looseBits);
    if (!ends && length < largest && end < bytes.length) continue;
    lengths.push(length);
    start = end;
  }
  return lengths;
}

const hashesOf = (bytes: Buffer, chunking?: Chunking): { hash: string; sizeBytes: number }[] => {
  let at = 0;
  return cutAll(bytes, chunking).map((sizeBytes) => {
    const chunk = bytes.subarray(at, at + sizeBytes);
    at += sizeBytes;
    return { hash: createHash('sha256').update(chunk).digest('hex'), sizeBytes };
  });
};

describe('the chunker', () => {
  it('cuts where the format says, on every machine', () => {
    const bytes = seededBytes(24 * 2 ** 20, 'pinned');
    const lengths = [2322241, 6388864, 2258156, 3746652, 2889615, 2446831, 3972890, 1140575];
    expect(cutAll(bytes)).toEqual(lengths);
    expect(cutPlainly(bytes)).toEqual(lengths);
    expect(CHUNKING).toEqual({ least: 1048576, normal: 2097152, largest: 8388608, strictBits: 22, looseBits: 20 });
  });

  it('runs the module that was made of its source', async () => {
    const source = await readFile(new URL('./assembly/gear.ts', import.meta.url));
    expect(createHash('sha256').update(source).digest('hex')).toBe(GEAR_SOURCE);
  });

  it('cuts what does not vary into chunks of the largest size', () => {
    const { largest } = CHUNKING;
    expect(cutAll(Buffer.alloc(2 * largest + 5))).toEqual([largest, largest, 5]);
    expect(cutAll(Buffer.alloc(2 * largest, 'ab'))).toEqual([largest, largest]);
  });

  it('keeps short ends whole', () => {
    for (const size of [1, 2, 31, 33, CHUNKING.least]) expect(cutAll(Buffer.alloc(size, 7))).toEqual([size]);
    expect(cutAll(Buffer.alloc(0))).toEqual([]);
  });

  it.each(['a', 'b'])('finds again what is around a changed 2 percent, and around an insertion (%s)', (seed) => {
    // A 32nd of a gigabyte in chunks of a 32nd of the size: as many chunks.
    const chunking = { least: 2 ** 15, normal: 2 ** 16, largest: 2 ** 18, strictBits: 17, looseBits: 15 };
    const bytes = seededBytes(31_250_000, seed);
    const known = new Set(hashesOf(bytes, chunking).map(({ hash }) => hash));
    const fresh = seededBytes(625_000, `${seed} fresh`);
    const at =
      2_500_000 + (Number.parseInt(createHash('sha256').update(seed).digest('hex').slice(0, 8), 16) % 25_000_000);
    const changed = Buffer.from(bytes);
    fresh.copy(changed, at);
    const longer = Buffer.concat([bytes.subarray(0, at), fresh, bytes.subarray(at)]);
    for (const version of [changed, longer]) {
      const chunks = hashesOf(version, chunking);
      const missing = chunks.filter(({ hash }) => !known.has(hash)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      expect(missing / version.length).toBeLessThan(0.04);
      expect(version.length / chunks.length).toBeGreaterThan(2 * chunking.least);
    }
  });
});
