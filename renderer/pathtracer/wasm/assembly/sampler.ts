// Stateless low-discrepancy numbers: Owen-scrambled (0,2)-sequences, padded.
// Burley 2020, "Practical Hash-based Owen Scrambling" (JCGT 9(4)), with Vegdahl's constants for the Laine-Karras hash.
// Keyed by (seed, frame, pixel, sample, dimension) and nothing else, so a pixel's bits do not depend on tiles or threads.

/** What the numbers of a pixel are keyed by. */
export let pixelKey: u32 = 0;
let sampleIndex: u32 = 0;
let reversedIndex: v128 = i32x4(0, 0, 0, 0);

/** Murmur3's finaliser. */
// @ts-ignore: decorator
@inline export function hash(h: u32): u32 {
  h ^= h >>> 16;
  h *= 0x85ebca6b;
  h ^= h >>> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >>> 16);
}

// @ts-ignore: decorator
@inline export function combine(h: u32, value: u32): u32 {
  return hash(h ^ (value + 0x9e3779b9 + (h << 6) + (h >>> 2)));
}

export function startPixel(seed: u32, frame: u32, px: u32, py: u32): void {
  pixelKey = combine(combine(combine(hash(seed), frame), px), py);
}

/** Goes back to a sample of a pixel for what `keyedUniform` decides; before numbers are drawn comes `startSample`. */
// @ts-ignore: decorator
@inline export function setSampleKey(key: u32, sample: u32): void {
  pixelKey = key;
  sampleIndex = sample;
}

export function startSample(index: u32): void {
  sampleIndex = index;
  reversedIndex = reverseBits(i32x4.splat(index));
}

/** A number in [0, 1) for a decision that is keyed by what is decided on rather than by a dimension. */
export function keyedUniform(a: u32, b: u32): f32 {
  return <f32>(combine(combine(combine(pixelKey, sampleIndex), a), b) >>> 8) * <f32>5.9604645e-8;
}

/** Reverses the bits of each 32-bit lane: nibbles by table, bytes by shuffle. */
// @ts-ignore: decorator
@inline export function reverseBits(v: v128): v128 {
  const low = i8x16(0x00, -128, 0x40, -64, 0x20, -96, 0x60, -32, 0x10, -112, 0x50, -48, 0x30, -80, 0x70, -16);
  const high = i8x16(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
  const nibble = i8x16.splat(15);
  const r = v128.or(
    i8x16.swizzle(low, v128.and(v, nibble)),
    i8x16.swizzle(high, v128.and(i16x8.shr_u(v, 4), nibble)),
  );
  return v128.shuffle<i8>(r, r, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

// @ts-ignore: decorator
@inline export function laineKarras(v: v128, seed: v128): v128 {
  v = v128.xor(v, i32x4.mul(v, i32x4.splat(0x3d20adea)));
  v = i32x4.add(v, seed);
  v = i32x4.mul(v, v128.or(i32x4.shr_u(seed, 16), i32x4.splat(1)));
  v = v128.xor(v, i32x4.mul(v, i32x4.splat(0x05526c56)));
  return v128.xor(v, i32x4.mul(v, i32x4.splat(0x53a22864)));
}

// @ts-ignore: decorator
@inline function butterfly(v: v128, shift: i32, mask: i32): v128 {
  return v128.xor(v, v128.and(i32x4.shr_u(v, shift), i32x4.splat(mask)));
}

/**
 * The second of Sobol's dimensions in bit-reversed form: Pascal's triangle mod 2 times the index, which is the first dimension
 * itself.
 */
// @ts-ignore: decorator
@inline export function secondOf(index: v128): v128 {
  let second = butterfly(index, 1, 0x55555555);
  second = butterfly(second, 2, 0x33333333);
  second = butterfly(second, 4, 0x0f0f0f0f);
  second = butterfly(second, 8, 0x00ff00ff);
  return butterfly(second, 16, 0x0000ffff);
}

/** Murmur3's finaliser of each lane. */
// @ts-ignore: decorator
@inline export function scrambleSeeds(seeds: v128): v128 {
  seeds = v128.xor(seeds, i32x4.shr_u(seeds, 16));
  seeds = i32x4.mul(seeds, i32x4.splat(0x85ebca6b));
  seeds = v128.xor(seeds, i32x4.shr_u(seeds, 13));
  seeds = i32x4.mul(seeds, i32x4.splat(0xc2b2ae35));
  return v128.xor(seeds, i32x4.shr_u(seeds, 16));
}

/** 32 bits of each lane as a number in [0, 1). */
// @ts-ignore: decorator
@inline export function toUnitInterval(bits: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(bits, 8)), f32x4.splat(<f32>5.9604645e-8));
}

/** Two stratified pairs, lanes (0, 1) and (2, 3), each number in [0, 1). `block` numbers the pairs of pairs of a path. */
export function sample4(block: u32): v128 {
  const seeds = scrambleSeeds(i32x4.add(
    i32x4.splat(pixelKey + block * 0x9e3779b9),
    i32x4(0x243f6a88, 0x13198a2e, 0x45f306dc, 0x082efa98),
  ));

  // Owen-scrambling the index shuffles the points of a pair, so that padded pairs do not correlate.
  const pairSeeds = i32x4.mul(v128.shuffle<i32>(seeds, seeds, 0, 0, 2, 2), i32x4.splat(0x2c1b3c6d));
  const index = reverseBits(laineKarras(reversedIndex, pairSeeds));

  const second = secondOf(index);
  const points = v128.shuffle<i32>(index, second, 0, 5, 2, 7);
  return toUnitInterval(reverseBits(laineKarras(points, seeds)));
}
