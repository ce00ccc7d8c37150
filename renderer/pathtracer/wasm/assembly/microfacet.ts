// GGX microfacets (Walter et al. 2007) with an alpha for each axis of the shading frame (Heitz 2014, 5.3): a lobe is described
// by its stretch (alpha x, alpha y, 1). Fresnel reflectances stand here too.
import { sinCosTurns, INV_PI } from './math';
import { add, dot, mul, normalize, vec, x, y, z } from './vec';

/** Below this alpha a lobe is a perfect mirror or lens: handled as a delta. */
export const DELTA_ALPHA: f32 = <f32>0.001;

/** D(h), from the half vector's own components, which stays exact for tiny alpha. */
// @ts-ignore: decorator
@inline export function distribution(h: v128, stretch: v128): f32 {
  const p = f32x4.div(h, stretch);
  const e = dot(p, p);
  return INV_PI / (x(stretch) * y(stretch) * e * e);
}

/** Length of the stretched direction: cosine times (1 + 2 Lambda), from which the Smith terms are made. */
// @ts-ignore: decorator
@inline export function smithRoot(d: v128, stretch: v128): f32 {
  const p = mul(d, stretch);
  return sqrt<f32>(dot(p, p));
}

/** Height-correlated G2(i, o) / (4 cos i cos o) (Heitz 2014, "Understanding the Masking-Shadowing Function"). */
// @ts-ignore: decorator
@inline export function visibility(cosI: f32, rootI: f32, cosO: f32, rootO: f32): f32 {
  return <f32>0.5 / max<f32>(cosI * rootO + cosO * rootI, <f32>1e-12);
}

/** G1(o) / cos o, which visible-normal densities contain. */
// @ts-ignore: decorator
@inline export function maskingOverCosine(cosO: f32, rootO: f32): f32 {
  return <f32>2.0 / (cosO + rootO);
}

/** Samples a visible normal: density D(h) G1(o) (o.h) / cos o. Dupuy and Benyoub 2023, "Sampling Visible GGX Normals with Spherical Caps". */
export function sampleVisibleNormal(o: v128, stretch: v128, u0: f32, u1: f32): v128 {
  const standard = normalize(mul(o, stretch));
  const sc = sinCosTurns(u0);
  const cosTheta = (<f32>1.0 - u1) * (<f32>1.0 + z(standard)) - z(standard);
  const sinTheta = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - cosTheta * cosTheta));
  const h = add(vec(sinTheta * f32x4.extract_lane(sc, 1), sinTheta * f32x4.extract_lane(sc, 0), cosTheta), standard);
  return normalize(mul(vec(x(h), y(h), max<f32>(z(h), <f32>1e-9)), stretch));
}

/** (1 - c)^5 */
// @ts-ignore: decorator
@inline export function schlickWeight(cosine: f32): f32 {
  const m = max<f32>(<f32>0.0, <f32>1.0 - cosine);
  const m2 = m * m;
  return m2 * m2 * m;
}

/** Unpolarised Fresnel reflectance of a dielectric; `eta` is the far side's index over the near side's, 0 <= cosine <= 1. */
export function fresnelDielectric(cosine: f32, eta: f32): f32 {
  const sin2 = (<f32>1.0 - cosine * cosine) / (eta * eta);
  if (sin2 >= <f32>1.0) return <f32>1.0;
  const cosT = sqrt<f32>(<f32>1.0 - sin2);
  const parallel = (eta * cosine - cosT) / (eta * cosine + cosT);
  const perpendicular = (cosine - eta * cosT) / (cosine + eta * cosT);
  return <f32>0.5 * (parallel * parallel + perpendicular * perpendicular);
}
