// How much light single scattering returns from rough lobes, tabulated, and the compensation for what it loses.
//
// GGX reflection has the split-sum albedo F0 A + F90 B (Karis 2013). With E = A + B and q = (1 - E) / E the lobe is multiplied
// by 1 + F0 q (Turquin 2019, "Practical multiple scattering compensation for microfacet models"), so that its albedo becomes
// (F0 A + F90 B) (1 + F0 q). Averages over the cosine-weighted hemisphere serve the diffuse base (Kulla and Conty 2017).
// Dielectric boundaries are divided by what they reflect and let through together (Turquin 2019, section 4).
// Cosines are spaced by their square root, since albedos bend most near grazing angles; between the smoothest two roughnesses,
// where the loss goes with alpha, blending follows the square.
import {
  ANISOTROPIC_AVERAGES,
  ANISOTROPIC_COSINES,
  ANISOTROPIC_ROUGHNESSES,
  ANISOTROPIC_STRENGTHS,
  ANISOTROPIC_TURNS,
  ENERGY_SIZE,
  GLASS_COSINES,
  GLASS_INDICES,
  GLASS_ROUGHNESSES,
  SCENE_ANISOTROPIC_TABLE,
  SCENE_ENERGY_TABLE,
  SCENE_GLASS_TABLE,
} from './layout';
import { mix, vec, w, x, y, z } from './vec';

let isotropic: usize = 0;
let anisotropic: usize = 0;
let glass: usize = 0;
let compensates: bool = true;

export function setEnergyTables(scene: usize): void {
  isotropic = load<u32>(scene, SCENE_ENERGY_TABLE);
  anisotropic = load<u32>(scene, SCENE_ANISOTROPIC_TABLE);
  glass = load<u32>(scene, SCENE_GLASS_TABLE);
}

/** Off: q is 0 and boundaries are divided by 1: all lobes scatter once. */
export function setCompensation(on: bool): void {
  compensates = on;
}

/** Stretch of a GGX lobe by glTF's rule: alpha along the anisotropy is mixed from alpha to 1 by the strength squared. */
// @ts-ignore: decorator
@inline export function stretchOf(roughness: f32, strength: f32): v128 {
  const alpha = roughness * roughness;
  return vec(alpha + (<f32>1.0 - alpha) * strength * strength, alpha, <f32>1.0);
}

/** How far between roughness rows `row` and the next. */
// @ts-ignore: decorator
@inline function betweenRows(r: f32, row: i32): f32 {
  const fraction = r - <f32>row;
  return row == 0 ? fraction * fraction : fraction;
}

/** (A, B) becomes (A, B, q). */
// @ts-ignore: decorator
@inline function withLoss(e: v128): v128 {
  const sum = min<f32>(x(e) + y(e), <f32>1.0);
  return f32x4.replace_lane(e, 2, compensates ? (<f32>1.0 - sum) / max<f32>(sum, <f32>0.01) : <f32>0.0);
}

/** (A, B, q) of the isotropic lobe at (roughness, cosine), bilinear. */
export function energyAt(roughness: f32, cosine: f32): v128 {
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * <f32>(ENERGY_SIZE - 1);
  const c = sqrt<f32>(min<f32>(max<f32>(cosine, <f32>0.0), <f32>1.0)) * <f32>(ENERGY_SIZE - 1);
  const r0 = min<i32>(<i32>r, ENERGY_SIZE - 2);
  const c0 = min<i32>(<i32>c, ENERGY_SIZE - 2);
  const at = isotropic + <usize>((r0 * ENERGY_SIZE + c0) * 16);
  const fc = c - <f32>c0;
  return withLoss(
    mix(
      mix(v128.load(at), v128.load(at, 16), fc),
      mix(v128.load(at, ENERGY_SIZE * 16), v128.load(at, ENERGY_SIZE * 16 + 16), fc),
      betweenRows(r, r0),
    ),
  );
}

/** Cosine-weighted means of (A, B, A q, B q) of the isotropic lobe. */
export function averageEnergyAt(roughness: f32): v128 {
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * <f32>(ENERGY_SIZE - 1);
  const r0 = min<i32>(<i32>r, ENERGY_SIZE - 2);
  const at = isotropic + <usize>((ENERGY_SIZE * ENERGY_SIZE + r0) * 16);
  return withoutLoss(mix(v128.load(at), v128.load(at, 16), betweenRows(r, r0)));
}

// @ts-ignore: decorator
@inline function withoutLoss(average: v128): v128 {
  return compensates ? average : f32x4.replace_lane(f32x4.replace_lane(average, 2, <f32>0.0), 3, <f32>0.0);
}

/** Values at two neighbouring cosines, blended. */
// @ts-ignore: decorator
@inline function alongCosine(at: usize, fraction: f32): v128 {
  return mix(v128.load(at), v128.load(at, 16), fraction);
}

/** Two neighbouring turns, each blended over cosines. */
// @ts-ignore: decorator
@inline function alongTurn(at: usize, cosine: f32, turn: f32): v128 {
  return mix(alongCosine(at, cosine), alongCosine(at + ANISOTROPIC_COSINES * 16, cosine), turn);
}

/** (A, B, q) of the lobe `stretchOf(roughness, strength)` for local direction `d`, linear in four dimensions. */
export function anisotropicEnergyAt(roughness: f32, strength: f32, d: v128): v128 {
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * <f32>(ANISOTROPIC_ROUGHNESSES - 1);
  const s = min<f32>(max<f32>(strength, <f32>0.0), <f32>1.0) * <f32>(ANISOTROPIC_STRENGTHS - 1);
  const c = sqrt<f32>(min<f32>(max<f32>(z(d), <f32>0.0), <f32>1.0)) * <f32>(ANISOTROPIC_COSINES - 1);
  const along = abs<f32>(x(d));
  const across = abs<f32>(y(d));
  const t = along / max<f32>(along + across, <f32>1e-20) * <f32>(ANISOTROPIC_TURNS - 1);
  const r0 = min<i32>(<i32>r, ANISOTROPIC_ROUGHNESSES - 2);
  const s0 = min<i32>(<i32>s, ANISOTROPIC_STRENGTHS - 2);
  const c0 = min<i32>(<i32>c, ANISOTROPIC_COSINES - 2);
  const t0 = min<i32>(<i32>t, ANISOTROPIC_TURNS - 2);
  const fc = c - <f32>c0;
  const ft = t - <f32>t0;
  const at =
    anisotropic +
    <usize>((((r0 * ANISOTROPIC_STRENGTHS + s0) * ANISOTROPIC_TURNS + t0) * ANISOTROPIC_COSINES + c0) * 16);
  const nextStrength = at + ANISOTROPIC_TURNS * ANISOTROPIC_COSINES * 16;
  const nextRoughness = at + ANISOTROPIC_STRENGTHS * ANISOTROPIC_TURNS * ANISOTROPIC_COSINES * 16;
  const nextBoth = nextRoughness + ANISOTROPIC_TURNS * ANISOTROPIC_COSINES * 16;
  return withLoss(
    mix(
      mix(alongTurn(at, fc, ft), alongTurn(nextStrength, fc, ft), s - <f32>s0),
      mix(alongTurn(nextRoughness, fc, ft), alongTurn(nextBoth, fc, ft), s - <f32>s0),
      betweenRows(r, r0),
    ),
  );
}

/** Cosine-weighted means of (A, B, A q, B q) of the lobe `stretchOf(roughness, strength)`. */
export function averageAnisotropicEnergyAt(roughness: f32, strength: f32): v128 {
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * <f32>(ANISOTROPIC_ROUGHNESSES - 1);
  const s = min<f32>(max<f32>(strength, <f32>0.0), <f32>1.0) * <f32>(ANISOTROPIC_STRENGTHS - 1);
  const r0 = min<i32>(<i32>r, ANISOTROPIC_ROUGHNESSES - 2);
  const s0 = min<i32>(<i32>s, ANISOTROPIC_STRENGTHS - 2);
  const at = anisotropic + ANISOTROPIC_AVERAGES + <usize>((r0 * ANISOTROPIC_STRENGTHS + s0) * 16);
  return withoutLoss(
    mix(
      mix(v128.load(at), v128.load(at, 16), s - <f32>s0),
      mix(v128.load(at, ANISOTROPIC_STRENGTHS * 16), v128.load(at, ANISOTROPIC_STRENGTHS * 16 + 16), s - <f32>s0),
      betweenRows(r, r0),
    ),
  );
}

/** Albedo of the compensated lobe for a direction's (A, B, q). */
// @ts-ignore: decorator
@inline export function lobeAlbedo(e: v128, f0: f32, f90: f32): f32 {
  return min<f32>((f0 * x(e) + f90 * y(e)) * (<f32>1.0 + f0 * z(e)), <f32>1.0);
}

/** Mean albedo of the compensated lobe for the means (A, B, A q, B q). */
// @ts-ignore: decorator
@inline export function averageLobeAlbedo(mean: v128, f0: f32, f90: f32): f32 {
  return min<f32>(f0 * (x(mean) + f0 * z(mean)) + f90 * (y(mean) + f0 * w(mean)), <f32>1.0);
}

/**
 * Factor on a rough dielectric boundary with far over near index `eta`, whose Fresnel reflectance F was bent to
 * shift + slope F (1 where all is reflected).
 */
export function boundaryCompensation(roughness: f32, cosine: f32, eta: f32, shift: f32, slope: f32): f32 {
  if (!compensates) return <f32>1.0;
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * <f32>(GLASS_ROUGHNESSES - 1);
  const c = sqrt<f32>(min<f32>(max<f32>(cosine, <f32>0.0), <f32>1.0)) * <f32>(GLASS_COSINES - 1);
  const n = min<f32>(
    max<f32>(((eta - <f32>1.0) / (eta + <f32>1.0) * <f32>0.666666667 + <f32>0.5) * <f32>(GLASS_INDICES - 1), <f32>0.0),
    <f32>(GLASS_INDICES - 1),
  );
  const r0 = min<i32>(<i32>r, GLASS_ROUGHNESSES - 2);
  const c0 = min<i32>(<i32>c, GLASS_COSINES - 2);
  const n0 = min<i32>(<i32>n, GLASS_INDICES - 2);
  const at = glass + <usize>(((n0 * GLASS_ROUGHNESSES + r0) * GLASS_COSINES + c0) * 16);
  const nextIndex = at + GLASS_ROUGHNESSES * GLASS_COSINES * 16;
  const fc = c - <f32>c0;
  const fr = betweenRows(r, r0);
  const e = mix(
    mix(alongCosine(at, fc), alongCosine(at + GLASS_COSINES * 16, fc), fr),
    mix(alongCosine(nextIndex, fc), alongCosine(nextIndex + GLASS_COSINES * 16, fc), fr),
    n - <f32>n0,
  );
  // Lanes: reflected with F, let through with 1 - F, let through with 1, reflected totally; without bending the first two add up.
  let whole = slope * (x(e) + y(e));
  if (slope != <f32>1.0) {
    const all = energyAt(roughness, cosine);
    whole += shift * (x(all) + y(all)) + (<f32>1.0 - shift - slope) * (z(e) + w(e));
  }
  return <f32>1.0 / max<f32>(whole, <f32>0.1);
}
