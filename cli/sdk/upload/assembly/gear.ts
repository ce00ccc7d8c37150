// Finds where a chunk ends (AssemblyScript). `../chunker.ts` says what the numbers mean; `../gearModule.ts` holds the
// compiled module, which a test compares with this source.

/** Where the 256 numbers of the gear table begin in memory. */
const TABLE: usize = 1024;
/** A 32-bit gear hash has forgotten what is longer ago. */
const WINDOW: i32 = 32;

// @ts-ignore: decorator
@inline
function roll(hash: u32, byte: u32): u32 {
  return (hash << 1) + load<u32>(TABLE + (<usize>byte << 2));
}

/** The first end after `i` where the hash has no bit of `mask`; 0: none up to `to`. `i` and `to` differ by fours. */
// @ts-ignore: decorator
@inline
function search(from: usize, start: i32, to: i32, before: u32, mask: u32): i32 {
  let hash = before;
  let i = start;
  for (; i + 4 <= to; i += 4) {
    const bytes = load<u32>(from + i);
    hash = roll(hash, bytes & 255);
    if (!(hash & mask)) return i + 1;
    hash = roll(hash, (bytes >> 8) & 255);
    if (!(hash & mask)) return i + 2;
    hash = roll(hash, (bytes >> 16) & 255);
    if (!(hash & mask)) return i + 3;
    hash = roll(hash, bytes >> 24);
    if (!(hash & mask)) return i + 4;
  }
  for (; i < to; i++) {
    hash = roll(hash, load<u8>(from + i));
    if (!(hash & mask)) return i + 1;
  }
  return 0;
}

/** The hash of the window that ends at `end`. */
// @ts-ignore: decorator
@inline
function hashBefore(from: usize, end: i32): u32 {
  let hash: u32 = 0;
  for (let i = end - WINDOW; i < end; i++) hash = roll(hash, load<u8>(from + i));
  return hash;
}

/** Length of the chunk that begins at `from`, of which at most `length` bytes are there. */
export function cut(from: usize, length: i32, least: i32, normal: i32, strict: u32, loose: u32): i32 {
  if (length <= least) return length;
  const turn = min(normal, length);
  const early = search(from, least, turn, hashBefore(from, least), strict);
  if (early) return early;
  if (length <= normal) return length;
  const late = search(from, normal, length, hashBefore(from, normal), loose);
  return late ? late : length;
}
