// Elementary functions made of exactly rounded operations only, so that every machine gets the same bits.

export const PI: f32 = <f32>3.14159265;
export const INV_PI: f32 = <f32>0.318309886;
export const TWO_PI: f32 = <f32>6.28318531;

/**
 * Sine and cosine of 2 pi u, as lanes 0 and 1 (the others are whatever comes). Quarter-turn reduction, then Taylor polynomials
 * (error below 1e-7), both at once. Which quarter it is nobody can guess, so there are no branches (f32 selects would be some).
 */
// @ts-ignore: decorator
@inline export function sinCosTurns(u: f32): v128 {
  const q = nearest<f32>(u * <f32>4.0);
  const a = (u * <f32>4.0 - q) * <f32>1.57079633;
  const a2 = f32x4.splat(a * a);
  let p = f32x4.add(f32x4(-1.98412698e-4, -1.38888889e-3, 0.0, 0.0), f32x4.mul(a2, f32x4(2.75573192e-6, 2.48015873e-5, 0.0, 0.0)));
  p = f32x4.add(f32x4(8.33333333e-3, 4.16666667e-2, 0.0, 0.0), f32x4.mul(a2, p));
  p = f32x4.add(f32x4(-0.166666667, -0.5, 0.0, 0.0), f32x4.mul(a2, p));
  p = f32x4.add(f32x4.splat(<f32>1.0), f32x4.mul(a2, p));
  p = f32x4.mul(p, f32x4.replace_lane(f32x4.splat(<f32>1.0), 0, a));
  const k = <i32>q;
  const swapped = v128.bitselect(v128.shuffle<f32>(p, p, 1, 0, 3, 2), p, i32x4.splat(-(k & 1)));
  // The sine is negative in quarters 2 and 3, the cosine in 1 and 2.
  const quarter = i32x4.add(i32x4.splat(k), i32x4(0, 1, 0, 0));
  return v128.xor(swapped, i32x4.shl(v128.and(quarter, i32x4.splat(2)), 30));
}

/** Angle of (x, y) in radians, (-pi, pi]. Minimax polynomial of degree 11 (error below 2e-6 rad). */
export function atan2(y: f32, x: f32): f32 {
  const ax = abs<f32>(x);
  const ay = abs<f32>(y);
  const big = max<f32>(ax, ay);
  if (!(big > <f32>0.0)) return <f32>0.0;
  const t = min<f32>(ax, ay) / big;
  const t2 = t * t;
  let r =
    t *
    (<f32>0.99997726 +
      t2 * (<f32>-0.33262347 + t2 * (<f32>0.19354346 + t2 * (<f32>-0.11643287 + t2 * (<f32>0.05265332 - t2 * <f32>0.0117212)))));
  if (ay > ax) r = <f32>1.57079633 - r;
  if (x < <f32>0.0) r = PI - r;
  return y < <f32>0.0 ? -r : r;
}

/** e^x for x <= 0 (transmittance). Relative error below 1e-6. */
export function expNegative(x: f32): f32 {
  if (x < -<f32>87.0) return <f32>0.0;
  const t = x * <f32>1.44269504;
  const k = floor<f32>(t);
  const f = (t - k) * <f32>0.693147181;
  const p: f32 =
    <f32>1.0 +
    f *
      (<f32>1.0 +
        f *
          (<f32>0.5 + f * (<f32>0.166666667 + f * (<f32>4.16666667e-2 + f * (<f32>8.33333333e-3 + f * (<f32>1.38888889e-3 + f * <f32>1.98412698e-4))))));
  return p * reinterpret<f32>((<i32>k + 127) << 23);
}

/** e^x; 0 below -87 and held above 88. Relative error below 1e-6. */
export function exponential(x: f32): f32 {
  return x > <f32>0.0 ? <f32>1.0 / expNegative(max<f32>(-x, <f32>-86.9)) : expNegative(x);
}

/** Natural logarithm of a normal x > 0. Series of the area tangent about 1 (absolute error below 1e-6 near it, relative elsewhere). */
export function logarithm(x: f32): f32 {
  const bits = reinterpret<i32>(x);
  let exponent = (bits >> 23) - 127;
  let mantissa = reinterpret<f32>((bits & 0x007fffff) | 0x3f800000);
  if (mantissa > <f32>1.41421356) {
    mantissa *= <f32>0.5;
    exponent += 1;
  }
  const t = (mantissa - <f32>1.0) / (mantissa + <f32>1.0);
  const t2 = t * t;
  const series = <f32>2.0 * t * (<f32>1.0 + t2 * (<f32>0.333333333 + t2 * (<f32>0.2 + t2 * (<f32>0.142857143 + t2 * <f32>0.111111111))));
  return <f32>exponent * <f32>0.693147181 + series;
}

/** x^y for x >= 0; 0 for x below 1e-30. */
// @ts-ignore: decorator
@inline export function power(x: f32, y: f32): f32 {
  return x > <f32>1e-30 ? exponential(y * logarithm(x)) : <f32>0.0;
}
