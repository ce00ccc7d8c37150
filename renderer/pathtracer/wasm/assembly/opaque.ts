// The glTF 2.0 metallic-roughness BRDF (specification, appendix B): GGX with Schlick's Fresnel over a Lambertian base, with
// KHR_materials_specular, anisotropy, iridescence and diffuse_transmission.
// The specular lobe is compensated for multiple scattering and the base gets what the lobe leaves over (energy.ts).
import {
  anisotropicEnergyAt,
  averageAnisotropicEnergyAt,
  averageEnergyAt,
  averageLobeAlbedo,
  energyAt,
  lobeAlbedo,
  stretchOf,
} from './energy';
import { filmReflectance } from './iridescence';
import { FLAG_ANISOTROPY, FLAG_DIFFUSE_TRANSMISSION, FLAG_IRIDESCENCE } from './layout';
import { DELTA_ALPHA, distribution, maskingOverCosine, sampleVisibleNormal, schlickWeight, smithRoot, visibility } from './microfacet';
import { sinCosTurns, INV_PI } from './math';
import {
  anisotropy,
  baseColor,
  dielectricF0,
  dielectricF90,
  diffuseTransmission,
  diffuseTransmissionColor,
  iridescence,
  iridescenceIor,
  iridescenceThickness,
  lobes,
  roughness,
} from './surface';
import { add, addScaled, dot, luminance, maxComponent, mix, mul, normalize, scale, sub, vec, x, y, z } from './vec';

/** Nothing but a mirror: light sampling is useless. */
export let opaqueIsDelta: bool = false;
/** Lambertian and nothing else. */
export let opaqueIsLambertian: bool = false;
/** Estimate of the albedo (luminance) towards the viewer, for choosing between layers. */
export let opaqueAlbedo: f32 = 1;
/** Of the last evaluation: f |cos| by kind, and density. */
export let opaqueDiffuse: v128 = i32x4(0, 0, 0, 0);
export let opaqueSpecular: v128 = i32x4(0, 0, 0, 0);
export let opaqueTransmission: v128 = i32x4(0, 0, 0, 0);
export let opaqueDensity: f32 = 0;
/** Of the last pick: direction, lobe (0 diffuse, 1 specular, 2 transmission), and whether it is the mirror's. */
export let opaqueDirection: v128 = i32x4(0, 0, 0, 0);
export let opaqueKind: i32 = 0;
export let opaquePickedDelta: bool = false;

let outgoing: v128 = i32x4(0, 0, 0, 0);
let outgoingRoot: f32 = 1;
let stretch: v128 = i32x4(0, 0, 0, 0);
let specularIsDelta: bool = false;
/** Reflectance of the specular lobe at normal and grazing incidence, compensation included. */
let specular0: v128 = i32x4(0, 0, 0, 0);
let specular90: v128 = i32x4(0, 0, 0, 0);
// Reflectance at normal and grazing incidence of the dielectric's boundary alone: what it keeps from the base.
let layerF0: f32 = <f32>0.04;
let layerF90: f32 = 1;
/** Base colours over pi, with what the boundary lets in from the viewer's side. */
let diffuse: v128 = i32x4(0, 0, 0, 0);
let transmitted: v128 = i32x4(0, 0, 0, 0);
let hasBase: bool = false;
/** Something reflects: without it the material is Lambertian and nothing else. */
let hasSpecular: bool = true;
let isTranslucent: bool = false;
let specularChance: f32 = 0;
/** Of the base's two sides: the viewer's. */
let reflectedChance: f32 = 1;

/** (A, B, q) of the specular lobe towards local direction `d` (energy.ts); a mirror's is Schlick's curve itself. */
// @ts-ignore: decorator
@inline function shares(d: v128): v128 {
  if (specularIsDelta) {
    const f = schlickWeight(z(d));
    return vec(<f32>1.0 - f, f, <f32>0.0);
  }
  return lobes & FLAG_ANISOTROPY ? anisotropicEnergyAt(roughness, anisotropy, d) : energyAt(roughness, z(d));
}

/** Mean over the hemisphere of what the boundary keeps from the base. */
function meanKept(): f32 {
  // The cosine-weighted mean of (1 - c)^5 is 1/21.
  if (specularIsDelta) return layerF0 + (layerF90 - layerF0) * <f32>0.0476190476;
  const mean =
    lobes & FLAG_ANISOTROPY ? averageAnisotropicEnergyAt(roughness, anisotropy) : averageEnergyAt(roughness);
  return averageLobeAlbedo(mean, layerF0, layerF90);
}

/** Prepares for the hit in `surface.ts`; `o` is the local direction towards the viewer, z > 0. */
export function prepareOpaque(o: v128, metallic: f32): void {
  outgoing = o;
  layerF0 = maxComponent(dielectricF0);
  layerF90 = dielectricF90;
  hasSpecular = metallic > <f32>0.0 || max<f32>(layerF0, layerF90) > <f32>0.0 || (lobes & FLAG_IRIDESCENCE) != 0;
  hasBase = metallic < <f32>1.0;
  isTranslucent = false;
  specularIsDelta = false;
  let specularAlbedo: f32 = <f32>0.0;
  let baseAlbedo: f32 = <f32>0.0;
  let inside = <f32>1.0 - metallic;
  let strength = INV_PI * inside;
  if (hasSpecular) {
    const e = prepareSpecular(metallic);
    specularAlbedo = luminance(addScaled(scale(specular0, x(e)), specular90, y(e)));
    if (hasBase) {
      inside *= <f32>1.0 - lobeAlbedo(e, layerF0, layerF90);
      strength = INV_PI * inside / max<f32>(<f32>1.0 - meanKept(), <f32>1e-4);
    }
  }
  if (hasBase) {
    isTranslucent = (lobes & FLAG_DIFFUSE_TRANSMISSION) != 0;
    if (isTranslucent) {
      const back = luminance(diffuseTransmissionColor) * diffuseTransmission;
      const front = luminance(baseColor) * (<f32>1.0 - diffuseTransmission);
      transmitted = scale(diffuseTransmissionColor, strength * diffuseTransmission);
      diffuse = scale(baseColor, strength * (<f32>1.0 - diffuseTransmission));
      baseAlbedo = inside * (front + back);
      reflectedChance = front / max<f32>(front + back, <f32>1e-6);
    } else {
      diffuse = scale(baseColor, strength);
      baseAlbedo = inside * luminance(baseColor);
    }
    hasBase = baseAlbedo > <f32>0.0;
  }
  opaqueAlbedo = specularAlbedo + baseAlbedo;
  specularChance = !hasSpecular
    ? <f32>0.0
    : hasBase
      ? max<f32>(specularAlbedo / max<f32>(opaqueAlbedo, <f32>1e-6), <f32>0.05)
      : <f32>1.0;
  opaqueIsDelta = specularIsDelta && !hasBase;
  opaqueIsLambertian = !hasSpecular && hasBase && !isTranslucent;
}

/** There is more than one lobe to pick from. */
// @ts-ignore: decorator
@inline export function opaqueHasChoice(): bool {
  return (hasSpecular && hasBase) || isTranslucent;
}

/** All that a Lambertian surface returns. */
// @ts-ignore: decorator
@inline export function lambertianAlbedo(): v128 {
  return baseColor;
}

/** A direction about the normal, distributed like its cosine. */
// @ts-ignore: decorator
@inline export function cosineDirection(u0: f32, u1: f32): v128 {
  const sc = sinCosTurns(u0);
  const radius = sqrt<f32>(u1);
  const up = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - u1));
  return vec(radius * f32x4.extract_lane(sc, 1), radius * f32x4.extract_lane(sc, 0), up);
}

/** The reflecting lobe's part of the above; returns its shares towards the viewer. */
function prepareSpecular(metallic: f32): v128 {
  stretch = stretchOf(roughness, lobes & FLAG_ANISOTROPY ? anisotropy : <f32>0.0);
  specularIsDelta = x(stretch) < DELTA_ALPHA;
  if (!specularIsDelta && y(stretch) < DELTA_ALPHA) stretch = f32x4.max(stretch, f32x4.splat(DELTA_ALPHA));
  outgoingRoot = smithRoot(outgoing, stretch);
  let boundary = dielectricF0;
  let metal = baseColor;
  if (lobes & FLAG_IRIDESCENCE) {
    const cosine = z(outgoing);
    boundary = mix(boundary, filmReflectance(cosine, iridescenceIor, iridescenceThickness, boundary), iridescence);
    metal = mix(metal, filmReflectance(cosine, iridescenceIor, iridescenceThickness, metal), iridescence);
    layerF0 = maxComponent(boundary);
    layerF90 += (<f32>1.0 - layerF90) * iridescence;
  }
  const e = shares(outgoing);
  const one = f32x4.splat(<f32>1.0);
  const gain = addScaled(one, boundary, z(e));
  const metalGain = addScaled(one, metal, z(e));
  specular0 = mix(mul(boundary, gain), mul(metal, metalGain), metallic);
  specular90 = mix(scale(gain, layerF90), metalGain, metallic);
  return e;
}

/** Fills values and density for local `i`. Mirrors do not count. */
export function evaluateOpaque(i: v128): void {
  const cosI = z(i);
  const none = f32x4.splat(<f32>0.0);
  opaqueDensity = <f32>0.0;
  opaqueDiffuse = none;
  opaqueSpecular = none;
  opaqueTransmission = none;
  if (cosI > <f32>0.0) {
    if (hasBase) {
      const kept: f32 = hasSpecular ? lobeAlbedo(shares(i), layerF0, layerF90) : <f32>0.0;
      opaqueDiffuse = scale(diffuse, (<f32>1.0 - kept) * cosI);
      opaqueDensity = (<f32>1.0 - specularChance) * (isTranslucent ? reflectedChance : <f32>1.0) * cosI * INV_PI;
    }
    if (specularIsDelta || !hasSpecular) return;
    const h = normalize(add(i, outgoing));
    const d = distribution(h, stretch);
    const fresnel = mix(specular0, specular90, schlickWeight(dot(outgoing, h)));
    const v = visibility(cosI, smithRoot(i, stretch), z(outgoing), outgoingRoot);
    opaqueDensity += specularChance * d * maskingOverCosine(z(outgoing), outgoingRoot) * <f32>0.25;
    opaqueSpecular = scale(fresnel, d * v * cosI);
  } else if (isTranslucent && hasBase && cosI < <f32>0.0) {
    const mirrored = vec(x(i), y(i), -cosI);
    const kept: f32 = hasSpecular ? lobeAlbedo(shares(mirrored), layerF0, layerF90) : <f32>0.0;
    opaqueTransmission = scale(transmitted, (<f32>1.0 - kept) * -cosI);
    opaqueDensity = (<f32>1.0 - specularChance) * (<f32>1.0 - reflectedChance) * -cosI * INV_PI;
  }
}

/** Picks `opaqueDirection`; nothing is evaluated. A mirror's pick has chance `opaqueMirrorChance`. */
export function pickOpaque(choice: f32, u0: f32, u1: f32): void {
  opaquePickedDelta = false;
  if (choice < specularChance) {
    opaqueKind = 1;
    opaquePickedDelta = specularIsDelta;
    const h = specularIsDelta ? vec(<f32>0.0, <f32>0.0, <f32>1.0) : sampleVisibleNormal(outgoing, stretch, u0, u1);
    opaqueDirection = sub(scale(h, <f32>2.0 * dot(outgoing, h)), outgoing);
    return;
  }
  const back = isTranslucent && choice - specularChance >= (<f32>1.0 - specularChance) * reflectedChance;
  opaqueKind = back ? 2 : 0;
  const up = cosineDirection(u0, u1);
  opaqueDirection = back ? f32x4.replace_lane(up, 2, -z(up)) : up;
}

/** Chance with which the mirror is picked. */
// @ts-ignore: decorator
@inline export function opaqueMirrorChance(): f32 {
  return specularChance;
}

/** f cos of the mirror, per unit of its delta. */
export function opaqueMirror(): v128 {
  return mix(specular0, specular90, schlickWeight(z(outgoing)));
}
