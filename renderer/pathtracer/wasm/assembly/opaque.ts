// The glTF 2.0 metallic-roughness BRDF (specification, appendix B): GGX with Schlick's Fresnel over a Lambertian base.
// The specular lobe is compensated for multiple scattering and the base gets what the lobe leaves over (energy.ts).
import { averageEnergyAt, energyAt, lobeAlbedo } from './energy';
import { DELTA_ALPHA, distribution, maskingOverCosine, sampleVisibleNormal, schlickWeight, visibility } from './microfacet';
import { sinCosTurns, INV_PI } from './math';
import { add, addScaled, dot, luminance, mix, mul, normalize, scale, sub, vec, w, x, y, z } from './vec';

/** Direction (local), density and delta flag of the last sample; density of the last evaluation. */
export let sampledDirection: v128 = i32x4(0, 0, 0, 0);
export let density: f32 = 0;
export let sampledDelta: bool = false;
/** The last sample came from the specular lobe. */
export let pickedSpecular: bool = false;
/** The base's part of the last evaluation and of the last sample; the functions return the specular part. */
export let evaluatedDiffuse: v128 = i32x4(0, 0, 0, 0);
export let sampledDiffuse: v128 = i32x4(0, 0, 0, 0);

let f0: v128 = i32x4(0, 0, 0, 0);
let dielectricF0: f32 = <f32>0.04;
let diffuse: v128 = i32x4(0, 0, 0, 0);
let hasDiffuse: bool = false;
let compensation: v128 = i32x4(0, 0, 0, 0);
let alpha: f32 = 0;
let rough: f32 = 0;
let outgoing: v128 = i32x4(0, 0, 0, 0);
let specularChance: f32 = 0;
export let specularIsDelta: bool = false;

/** Prepares for a surface point; `o` is the local direction towards the viewer, z > 0. */
export function prepareOpaque(o: v128, baseColor: v128, metallic: f32, roughness: f32, ior: f32): void {
  outgoing = o;
  rough = roughness;
  alpha = roughness * roughness;
  specularIsDelta = alpha < DELTA_ALPHA;
  const r = (ior - <f32>1.0) / (ior + <f32>1.0);
  dielectricF0 = r * r;
  f0 = mix(f32x4.splat(dielectricF0), baseColor, metallic);
  const base = scale(baseColor, <f32>1.0 - metallic);
  hasDiffuse = luminance(base) > <f32>0.0;
  let specularAlbedo: v128;
  let left: f32;
  if (specularIsDelta) {
    const f = schlickWeight(z(o));
    specularAlbedo = mix(f0, f32x4.splat(<f32>1.0), f);
    compensation = f32x4.splat(<f32>1.0);
    // Reciprocal form for a mirror: 21/20 (1 - F0) normalises (1 - F(o)) (1 - F(i)) (Shirley et al. 1997).
    left = (<f32>1.0 - dielectricF0) * (<f32>1.0 - f);
    diffuse = scale(base, INV_PI * left / ((<f32>1.0 - dielectricF0) * <f32>0.952380952));
  } else {
    const e = energyAt(rough, z(o));
    compensation = addScaled(f32x4.splat(<f32>1.0), f0, w(e));
    specularAlbedo = mul(add(f32x4.splat(x(e)), scale(f0, max<f32>(<f32>0.0, lobeSlope(e)))), compensation);
    left = <f32>1.0 - lobeAlbedo(e, dielectricF0);
    if (hasDiffuse) {
      diffuse = scale(base, INV_PI * left / max<f32>(<f32>1.0 - lobeAlbedo(averageEnergyAt(rough), dielectricF0), <f32>1e-4));
    }
  }
  const specularWeight = luminance(specularAlbedo);
  const diffuseWeight = hasDiffuse ? luminance(base) * left : <f32>0.0;
  specularChance = hasDiffuse ? max<f32>(specularWeight / max<f32>(specularWeight + diffuseWeight, <f32>1e-6), <f32>0.05) : <f32>1.0;
}

/** The split-sum scale A, recovered from an energy entry (B, A + B q, A q, q). */
// @ts-ignore: decorator
@inline function lobeSlope(e: v128): f32 {
  return y(e) - x(e) * w(e);
}

/** Nothing but a mirror: light sampling is useless. */
export function opaqueIsDelta(): bool {
  return specularIsDelta && !hasDiffuse;
}

/** Specular f cos for local `i`; sets `density` to the density with which `sampleOpaque` picks it. Delta lobes do not count. */
export function evaluateOpaque(i: v128): v128 {
  const cosI = z(i);
  density = <f32>0.0;
  evaluatedDiffuse = f32x4.splat(<f32>0.0);
  if (!(cosI > <f32>0.0)) return f32x4.splat(<f32>0.0);
  if (hasDiffuse) {
    const left = specularIsDelta
      ? (<f32>1.0 - dielectricF0) * (<f32>1.0 - schlickWeight(cosI))
      : <f32>1.0 - lobeAlbedo(energyAt(rough, cosI), dielectricF0);
    evaluatedDiffuse = scale(diffuse, left * cosI);
    density = (<f32>1.0 - specularChance) * cosI * INV_PI;
  }
  if (specularIsDelta) return f32x4.splat(<f32>0.0);
  const h = normalize(add(i, outgoing));
  const d = distribution(h, alpha);
  const fresnel = mix(f0, f32x4.splat(<f32>1.0), schlickWeight(dot(outgoing, h)));
  density += specularChance * d * maskingOverCosine(z(outgoing), alpha) * <f32>0.25;
  return scale(mul(fresnel, compensation), d * visibility(cosI, z(outgoing), alpha) * cosI);
}

/** Picks a direction; returns specular f cos / density (zero when the sample is lost below the surface). */
export function sampleOpaque(choice: f32, u0: f32, u1: f32): v128 {
  sampledDelta = false;
  sampledDiffuse = f32x4.splat(<f32>0.0);
  pickedSpecular = choice < specularChance;
  if (pickedSpecular) {
    if (specularIsDelta) {
      sampledDelta = true;
      density = specularChance;
      sampledDirection = vec(-x(outgoing), -y(outgoing), z(outgoing));
      return scale(mix(f0, f32x4.splat(<f32>1.0), schlickWeight(z(outgoing))), <f32>1.0 / specularChance);
    }
    const h = sampleVisibleNormal(outgoing, alpha, u0, u1);
    sampledDirection = sub(scale(h, <f32>2.0 * dot(outgoing, h)), outgoing);
  } else {
    const sc = sinCosTurns(u0);
    const radius = sqrt<f32>(u1);
    sampledDirection = vec(
      radius * f32x4.extract_lane(sc, 1),
      radius * f32x4.extract_lane(sc, 0),
      sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - u1)),
    );
  }
  const f = evaluateOpaque(sampledDirection);
  if (!(density > <f32>1e-12)) return f32x4.splat(<f32>0.0);
  sampledDiffuse = scale(evaluatedDiffuse, <f32>1.0 / density);
  return scale(f, <f32>1.0 / density);
}
