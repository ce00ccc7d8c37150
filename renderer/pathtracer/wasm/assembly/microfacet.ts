// GGX microfacets (Walter et al. 2007), isotropic, in a local frame whose z is the shading normal.
import { sinCosTurns, INV_PI } from './math';
import { add, normalize, vec, x, y, z } from './vec';

/** Below this alpha a lobe is a perfect mirror or lens: handled as a delta. */
export const DELTA_ALPHA: f32 = <f32>0.001;

/** D(h), from the half vector's own components, which stays exact for tiny alpha. */
// @ts-ignore: decorator
@inline export function distribution(h: v128, alpha: f32): f32 {
  const a2 = alpha * alpha;
  const e = (x(h) * x(h) + y(h) * y(h)) / a2 + z(h) * z(h);
  return INV_PI / (a2 * e * e);
}

// @ts-ignore: decorator
@inline function smithRoot(cosine: f32, a2: f32): f32 {
  return sqrt<f32>(a2 + (<f32>1.0 - a2) * cosine * cosine);
}

/** Height-correlated G2(i, o) / (4 cos i cos o) (Heitz 2014, "Understanding the Masking-Shadowing Function"). */
// @ts-ignore: decorator
@inline export function visibility(cosI: f32, cosO: f32, alpha: f32): f32 {
  const a2 = alpha * alpha;
  return <f32>0.5 / max<f32>(cosI * smithRoot(cosO, a2) + cosO * smithRoot(cosI, a2), <f32>1e-12);
}

/** G1(o) / cos o, which visible-normal densities contain. */
// @ts-ignore: decorator
@inline export function maskingOverCosine(cosO: f32, alpha: f32): f32 {
  return <f32>2.0 / (cosO + smithRoot(cosO, alpha * alpha));
}

/** Samples a visible normal: density D(h) G1(o) (o.h) / cos o. Dupuy and Benyoub 2023, "Sampling Visible GGX Normals with Spherical Caps". */
export function sampleVisibleNormal(o: v128, alpha: f32, u0: f32, u1: f32): v128 {
  const standard = normalize(vec(x(o) * alpha, y(o) * alpha, z(o)));
  const sc = sinCosTurns(u0);
  const cosTheta = (<f32>1.0 - u1) * (<f32>1.0 + z(standard)) - z(standard);
  const sinTheta = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - cosTheta * cosTheta));
  const h = add(vec(sinTheta * f32x4.extract_lane(sc, 1), sinTheta * f32x4.extract_lane(sc, 0), cosTheta), standard);
  return normalize(vec(x(h) * alpha, y(h) * alpha, max<f32>(z(h), <f32>1e-9)));
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
