// A clear coat over everything else (KHR_materials_clearcoat): a GGX lobe of index 1.5 about its own normal, whose Fresnel
// factor depends on the viewing angle alone, so that coat and base share the light exactly.
import { energyAt, stretchOf } from './energy';
import { DELTA_ALPHA, distribution, maskingOverCosine, sampleVisibleNormal, schlickWeight, smithRoot, visibility } from './microfacet';
import { add, dot, normalize, scale, sub, vec, x, y, z } from './vec';

export let coatIsDelta: bool = false;
/** f cos and density of the last evaluation. */
export let coatValue: f32 = 0;
export let coatDensity: f32 = 0;

let outgoing: v128 = i32x4(0, 0, 0, 0);
let outgoingRoot: f32 = 1;
let stretch: v128 = i32x4(0, 0, 0, 0);
let reflectance: f32 = 0;
let gain: f32 = 1;
/** The coat's own frame in the shading frame; unused where they are the same. */
let isTilted: bool = false;
let coatX: v128 = i32x4(0, 0, 0, 0);
let coatY: v128 = i32x4(0, 0, 0, 0);
let coatZ: v128 = i32x4(0, 0, 0, 0);

/** Fresnel factor of the coat (index 1.5) under a cosine. */
// @ts-ignore: decorator
@inline export function coatFresnel(cosine: f32): f32 {
  return <f32>0.04 + <f32>0.96 * schlickWeight(abs<f32>(cosine));
}

// @ts-ignore: decorator
@inline function toCoat(d: v128): v128 {
  return isTilted ? vec(dot(d, coatX), dot(d, coatY), dot(d, coatZ)) : d;
}

/** Prepares for local direction `o` and the coat's normal in the shading frame; returns the share of light that the coat reflects. */
export function prepareCoat(o: v128, normal: v128, strength: f32, roughness: f32): f32 {
  isTilted = z(normal) < <f32>0.999999;
  if (isTilted) {
    // Duff et al. 2017; the coat's normal is on the shading normal's side or nearly so.
    const sign = copysign<f32>(<f32>1.0, z(normal));
    const a = <f32>-1.0 / (sign + z(normal));
    const b = x(normal) * y(normal) * a;
    coatX = vec(<f32>1.0 + sign * x(normal) * x(normal) * a, sign * b, -sign * x(normal));
    coatY = vec(b, sign + y(normal) * y(normal) * a, -y(normal));
    coatZ = normal;
  }
  outgoing = toCoat(o);
  stretch = stretchOf(roughness, <f32>0.0);
  coatIsDelta = x(stretch) < DELTA_ALPHA;
  const cosine = max<f32>(z(outgoing), <f32>1e-4);
  outgoing = f32x4.replace_lane(outgoing, 2, cosine);
  outgoingRoot = smithRoot(outgoing, stretch);
  reflectance = strength * coatFresnel(cosine);
  // The whole lobe has one Fresnel factor, so that all of what masking loses comes back: 1 + q.
  gain = coatIsDelta ? <f32>1.0 : <f32>1.0 + z(energyAt(roughness, cosine));
  return reflectance;
}

/** Fills value and density for local `i`. A mirror does not count. */
export function evaluateCoat(i: v128): void {
  coatValue = <f32>0.0;
  coatDensity = <f32>0.0;
  if (coatIsDelta) return;
  const incoming = toCoat(i);
  const cosI = z(incoming);
  if (!(cosI > <f32>0.0)) return;
  const d = distribution(normalize(add(incoming, outgoing)), stretch);
  coatDensity = d * maskingOverCosine(z(outgoing), outgoingRoot) * <f32>0.25;
  coatValue =
    reflectance * gain * d * visibility(cosI, smithRoot(incoming, stretch), z(outgoing), outgoingRoot) * cosI;
}

/** Picks a local direction; it may lie below the shading surface, and is lost then. */
export function pickCoat(u0: f32, u1: f32): v128 {
  const h = coatIsDelta ? vec(<f32>0.0, <f32>0.0, <f32>1.0) : sampleVisibleNormal(outgoing, stretch, u0, u1);
  const r = sub(scale(h, <f32>2.0 * dot(outgoing, h)), outgoing);
  if (!isTilted) return r;
  return normalize(add(add(scale(coatX, x(r)), scale(coatY, y(r))), scale(coatZ, z(r))));
}

/** f cos of the mirror, per unit of its delta. */
// @ts-ignore: decorator
@inline export function coatMirror(): f32 {
  return reflectance;
}
