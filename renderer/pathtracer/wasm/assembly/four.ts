// Four vectors at a time: x, y and z of four paths in a v128 each. Every lane is computed by the very operations, in the same
// order, that `vec.ts` takes for one, so that it makes no difference to a bit which way a path was taken.

/** A float from each of four addresses. */
// @ts-ignore: decorator
@inline export function gather(a: usize, b: usize, c: usize, d: usize): v128 {
  return v128.load32_lane(d, v128.load32_lane(c, v128.load32_lane(b, v128.load32_zero(a), 1), 2), 3);
}

/** Lanes 0 and 1 of four rows as pairs of two, of which `columnLow` and `columnHigh` make columns. */
// @ts-ignore: decorator
@inline export function pairLow(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}
/** The same of lanes 2 and 3. */
// @ts-ignore: decorator
@inline export function pairHigh(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}
// @ts-ignore: decorator
@inline export function columnLow(ab: v128, cd: v128): v128 {
  return v128.shuffle<f32>(ab, cd, 0, 1, 4, 5);
}
// @ts-ignore: decorator
@inline export function columnHigh(ab: v128, cd: v128): v128 {
  return v128.shuffle<f32>(ab, cd, 2, 3, 6, 7);
}

/** Writes four columns as rows, that of each path to its address. */
// @ts-ignore: decorator
@inline export function storeRows(a: usize, b: usize, c: usize, d: usize, x: v128, y: v128, z: v128, w: v128): void {
  const xy01 = pairLow(x, y);
  const xy23 = pairHigh(x, y);
  const zw01 = pairLow(z, w);
  const zw23 = pairHigh(z, w);
  v128.store(a, columnLow(xy01, zw01));
  v128.store(b, columnHigh(xy01, zw01));
  v128.store(c, columnLow(xy23, zw23));
  v128.store(d, columnHigh(xy23, zw23));
}

/** Writes three columns one behind the other. */
// @ts-ignore: decorator
@inline export function storeColumns(at: usize, x: v128, y: v128, z: v128): void {
  v128.store(at, x);
  v128.store(at, y, 16);
  v128.store(at, z, 32);
}

// @ts-ignore: decorator
@inline export function splat(value: f32): v128 {
  return f32x4.splat(value);
}

/** a b + c d + e f, from the left. */
// @ts-ignore: decorator
@inline export function sum3(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(a, b), f32x4.mul(c, d)), f32x4.mul(e, f));
}

/** a b - c d */
// @ts-ignore: decorator
@inline export function minor(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.sub(f32x4.mul(a, b), f32x4.mul(c, d));
}

/** By what to multiply vectors of these squared lengths so that they become unit; 0 for those too short (as `normalize`). */
// @ts-ignore: decorator
@inline export function toUnit(squared: v128): v128 {
  const factor = f32x4.div(splat(<f32>1.0), f32x4.sqrt(squared));
  return v128.and(factor, f32x4.gt(squared, splat(<f32>1e-37)));
}

/** The largest magnitude of three numbers that are not NaN. */
// @ts-ignore: decorator
@inline export function largestOf(x: v128, y: v128, z: v128): v128 {
  return f32x4.pmax(f32x4.pmax(f32x4.abs(x), f32x4.abs(y)), f32x4.abs(z));
}

/** a (1 - u - v) + (b u + c v), the first weight given. */
// @ts-ignore: decorator
@inline export function blendOf(a: v128, b: v128, c: v128, w: v128, u: v128, v: v128): v128 {
  return f32x4.add(f32x4.mul(a, w), f32x4.add(f32x4.mul(b, u), f32x4.mul(c, v)));
}

/** `value`, negated where `side` has all bits. */
// @ts-ignore: decorator
@inline export function negateWhere(side: v128, value: v128): v128 {
  return v128.xor(value, i32x4.shl(side, 31));
}

let sines: v128 = i32x4(0, 0, 0, 0);
let cosines: v128 = i32x4(0, 0, 0, 0);

/** Sines and cosines of 2 pi u as `sinCosTurns` has them, for `sinesOfTurns` and `cosinesOfTurns` to give. */
// @ts-ignore: decorator
@inline export function turn(u: v128): void {
  const quarters = f32x4.mul(u, splat(<f32>4.0));
  const q = f32x4.nearest(quarters);
  const a = f32x4.mul(f32x4.sub(quarters, q), splat(<f32>1.57079633));
  const a2 = f32x4.mul(a, a);
  let s = f32x4.add(splat(<f32>-1.98412698e-4), f32x4.mul(a2, splat(<f32>2.75573192e-6)));
  let c = f32x4.add(splat(<f32>-1.38888889e-3), f32x4.mul(a2, splat(<f32>2.48015873e-5)));
  s = f32x4.add(splat(<f32>8.33333333e-3), f32x4.mul(a2, s));
  c = f32x4.add(splat(<f32>4.16666667e-2), f32x4.mul(a2, c));
  s = f32x4.add(splat(<f32>-0.166666667), f32x4.mul(a2, s));
  c = f32x4.add(splat(<f32>-0.5), f32x4.mul(a2, c));
  s = f32x4.mul(f32x4.add(splat(<f32>1.0), f32x4.mul(a2, s)), a);
  c = f32x4.add(splat(<f32>1.0), f32x4.mul(a2, c));
  // 2^23 leaves a whole number in the lowest bits.
  const k = f32x4.add(q, splat(<f32>8388608.0));
  const odd = i32x4.neg(v128.and(k, i32x4.splat(1)));
  const two = i32x4.splat(2);
  // The sine is negative in quarters 2 and 3, the cosine in 1 and 2.
  sines = v128.xor(v128.bitselect(c, s, odd), i32x4.shl(v128.and(k, two), 30));
  cosines = v128.xor(v128.bitselect(s, c, odd), i32x4.shl(v128.and(i32x4.add(k, i32x4.splat(1)), two), 30));
}
// @ts-ignore: decorator
@inline export function sinesOfTurns(): v128 {
  return sines;
}
// @ts-ignore: decorator
@inline export function cosinesOfTurns(): v128 {
  return cosines;
}
