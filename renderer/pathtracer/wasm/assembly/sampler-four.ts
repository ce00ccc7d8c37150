// The numbers of sampler.ts for four paths at a time that are at the same block: number k of each path in one v128.
import { laineKarras, reverseBits, scrambleSeeds, secondOf, toUnitInterval } from './sampler';

/** Scrambled index of a pair, whose first seed is given; in Sobol's bit-reversed form. */
// @ts-ignore: decorator
@inline function pairIndex(reversed: v128, seeds: v128): v128 {
  return reverseBits(laineKarras(reversed, i32x4.mul(seeds, i32x4.splat(0x2c1b3c6d))));
}

// @ts-ignore: decorator
@inline function seedsOf(keys: v128, block: u32, salt: i32): v128 {
  return scrambleSeeds(i32x4.add(i32x4.add(keys, i32x4.splat(block * 0x9e3779b9)), i32x4.splat(salt)));
}

// @ts-ignore: decorator
@inline function numberOf(point: v128, seeds: v128): v128 {
  return toUnitInterval(reverseBits(laineKarras(point, seeds)));
}

export let number0: v128 = i32x4(0, 0, 0, 0);
export let number1: v128 = i32x4(0, 0, 0, 0);
export let number2: v128 = i32x4(0, 0, 0, 0);
export let number3: v128 = i32x4(0, 0, 0, 0);

/** What `sample4` gives for each of four pixels' keys and samples, by columns. */
// @ts-ignore: decorator
@inline export function sampleFour(keys: v128, samples: v128, block: u32): void {
  const reversed = reverseBits(samples);
  pairOf(keys, reversed, block);
  const seeds = seedsOf(keys, block, 0x45f306dc);
  const index = pairIndex(reversed, seeds);
  number2 = numberOf(index, seeds);
  number3 = numberOf(secondOf(index), seedsOf(keys, block, 0x082efa98));
}

/** The first two columns only. */
// @ts-ignore: decorator
@inline export function samplePair(keys: v128, samples: v128, block: u32): void {
  pairOf(keys, reverseBits(samples), block);
}

// @ts-ignore: decorator
@inline function pairOf(keys: v128, reversed: v128, block: u32): void {
  const seeds = seedsOf(keys, block, 0x243f6a88);
  const index = pairIndex(reversed, seeds);
  number0 = numberOf(index, seeds);
  number1 = numberOf(secondOf(index), seedsOf(keys, block, 0x13198a2e));
}

/** The second column only. */
// @ts-ignore: decorator
@inline export function sampleSecond(keys: v128, samples: v128, block: u32): v128 {
  const index = pairIndex(reverseBits(samples), seedsOf(keys, block, 0x243f6a88));
  return numberOf(secondOf(index), seedsOf(keys, block, 0x13198a2e));
}
