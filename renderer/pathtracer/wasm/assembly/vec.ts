// Three-vectors and colours as one v128 (x, y, z, ignored).

// @ts-ignore: decorator
@inline export function vec(x: f32, y: f32, z: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(x), 1, y), 2, z);
}
// @ts-ignore: decorator
@inline export function x(a: v128): f32 {
  return f32x4.extract_lane(a, 0);
}
// @ts-ignore: decorator
@inline export function y(a: v128): f32 {
  return f32x4.extract_lane(a, 1);
}
// @ts-ignore: decorator
@inline export function z(a: v128): f32 {
  return f32x4.extract_lane(a, 2);
}
// @ts-ignore: decorator
@inline export function w(a: v128): f32 {
  return f32x4.extract_lane(a, 3);
}
/** One of four by its place, without a branch that nobody could guess. */
// @ts-ignore: decorator
@inline export function laneOf(four: v128, place: usize): f32 {
  return f32x4.extract_lane(i8x16.swizzle(four, i32x4.splat(<i32>place * 0x04040404 + 0x03020100)), 0);
}
// @ts-ignore: decorator
@inline export function add(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}
// @ts-ignore: decorator
@inline export function sub(a: v128, b: v128): v128 {
  return f32x4.sub(a, b);
}
// @ts-ignore: decorator
@inline export function mul(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}
// @ts-ignore: decorator
@inline export function scale(a: v128, s: f32): v128 {
  return f32x4.mul(a, f32x4.splat(s));
}
// @ts-ignore: decorator
@inline export function neg(a: v128): v128 {
  return f32x4.neg(a);
}
/** a + b * s */
// @ts-ignore: decorator
@inline export function addScaled(a: v128, b: v128, s: f32): v128 {
  return f32x4.add(a, f32x4.mul(b, f32x4.splat(s)));
}
/** a + (b - a) * s */
// @ts-ignore: decorator
@inline export function mix(a: v128, b: v128, s: f32): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), f32x4.splat(s)));
}
// @ts-ignore: decorator
@inline export function dot(a: v128, b: v128): f32 {
  const p = f32x4.mul(a, b);
  return f32x4.extract_lane(p, 0) + f32x4.extract_lane(p, 1) + f32x4.extract_lane(p, 2);
}
// @ts-ignore: decorator
@inline export function cross(a: v128, b: v128): v128 {
  const a1 = v128.shuffle<f32>(a, a, 1, 2, 0, 3);
  const b1 = v128.shuffle<f32>(b, b, 1, 2, 0, 3);
  const c = f32x4.sub(f32x4.mul(a, b1), f32x4.mul(a1, b));
  return v128.shuffle<f32>(c, c, 1, 2, 0, 3);
}
/** Unit vector, or zero for a zero (or unrepresentably short) vector. */
// @ts-ignore: decorator
@inline export function normalize(a: v128): v128 {
  const l2 = dot(a, a);
  return scale(a, l2 > <f32>1e-37 ? <f32>1.0 / sqrt<f32>(l2) : <f32>0.0);
}
// @ts-ignore: decorator
@inline export function maxComponent(a: v128): f32 {
  return max<f32>(max<f32>(x(a), y(a)), z(a));
}
/** The greater of two numbers, neither NaN, without the branches that `max` takes to be sure of NaN and signs of zero. */
// @ts-ignore: decorator
@inline export function greaterOf(a: f32, b: f32): f32 {
  return f32x4.extract_lane(f32x4.pmax(f32x4.splat(a), f32x4.splat(b)), 0);
}
/** Of three numbers that are not NaN; without branches, since which is largest is hard to guess. */
// @ts-ignore: decorator
@inline export function largestMagnitude(a: v128): f32 {
  const m = f32x4.abs(a);
  const pairs = f32x4.pmax(m, v128.shuffle<f32>(m, m, 1, 2, 0, 3));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<f32>(m, m, 2, 0, 1, 3)), 0);
}
/** Rec. 709 luminance. */
// @ts-ignore: decorator
@inline export function luminance(a: v128): f32 {
  return x(a) * <f32>0.2126 + y(a) * <f32>0.7152 + z(a) * <f32>0.0722;
}
/** Affine columns at `m` applied to a point. */
// @ts-ignore: decorator
@inline export function transformPoint(m: usize, p: v128): v128 {
  return add(transformVector(m, p), v128.load(m, 48));
}
/** Affine columns at `m` applied to a direction. */
// @ts-ignore: decorator
@inline export function transformVector(m: usize, d: v128): v128 {
  return add(
    add(mul(v128.load(m), v128.shuffle<f32>(d, d, 0, 0, 0, 0)), mul(v128.load(m, 16), v128.shuffle<f32>(d, d, 1, 1, 1, 1))),
    mul(v128.load(m, 32), v128.shuffle<f32>(d, d, 2, 2, 2, 2)),
  );
}
/** Transposed columns at `m` applied: with the inverse's columns this carries normals. */
// @ts-ignore: decorator
@inline export function transformTransposed(m: usize, n: v128): v128 {
  return vec(dot(v128.load(m), n), dot(v128.load(m, 16), n), dot(v128.load(m, 32), n));
}
