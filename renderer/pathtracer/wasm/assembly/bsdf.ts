// The scattering at a hit, behind one face: integrators know nothing of materials. `surface.describeHit` comes first. All
// directions are local to the shading frame (z is the shading normal; see `toLocal`), and point away from the surface.
// Values are split by what light-path layers call them: diffuse, specular (reflected), transmission (all that goes through).
//
// Layers, from the top, as Khronos stacks them: clear coat, sheen, then a mixture of the opaque material and of glass. A layer
// keeps a share of the light that depends on the viewing angle, and the rest goes to what is below (albedo scaling), so that a
// lossless stack returns exactly all light. Samples come from one lobe, chosen by its share; densities are of the mixture.
import {
  coatDensity,
  coatIsDelta,
  coatMirror,
  coatValue,
  evaluateCoat,
  pickCoat,
  prepareCoat,
} from './clearcoat';
import { setCompensation } from './energy';
import {
  etaSquared,
  evaluateGlass,
  glassAlbedo,
  glassDelta,
  glassDeltaChance,
  glassDensity,
  glassDirection,
  glassIsDelta,
  glassThrough,
  glassValue,
  pickGlass,
  prepareGlass,
} from './glass';
import { FLAG_CLEARCOAT, FLAG_SHEEN } from './layout';
import { needsWavelength, pickWavelength } from './medium';
import {
  cosineDirection,
  evaluateOpaque,
  lambertianAlbedo,
  opaqueAlbedo,
  opaqueDensity,
  opaqueDiffuse,
  opaqueDirection,
  opaqueHasChoice,
  opaqueIsDelta,
  opaqueIsLambertian,
  opaqueKind,
  opaqueMirror,
  opaqueMirrorChance,
  opaquePickedDelta,
  opaqueSpecular,
  opaqueTransmission,
  pickOpaque,
  prepareOpaque,
} from './opaque';
import { INV_PI } from './math';
import { evaluateSheen, prepareSheen, sampleSheen } from './sheen';
import {
  clearcoat,
  clearcoatNormal,
  clearcoatRoughness,
  lobes,
  material,
  metallic,
  sheenColor,
  sheenRoughness,
  thick,
  toLocal,
  transmission,
} from './surface';
import { add, addScaled, maxComponent, mul, scale, z } from './vec';

/** Every lobe is a mirror or a lens: there is nothing to evaluate, and light sampling is useless. */
export let bsdfIsDelta: bool = false;

/** Of the last evaluation: f |cos|, and the density per solid angle with which `sampleBsdf` picks the direction. */
export let evaluatedDiffuse: v128 = i32x4(0, 0, 0, 0);
export let evaluatedSpecular: v128 = i32x4(0, 0, 0, 0);
export let evaluatedTransmission: v128 = i32x4(0, 0, 0, 0);
export let evaluatedDensity: f32 = 0;

/** Kinds of scattering, for depth limits. */
export const KIND_DIFFUSE: i32 = 0;
export const KIND_SPECULAR: i32 = 1;
export const KIND_TRANSMISSION: i32 = 2;

/** Of the last sample: direction, f |cos| / density by kind (their sum is the factor on throughput) and density. */
export let sampledDirection: v128 = i32x4(0, 0, 0, 0);
export let sampledDiffuse: v128 = i32x4(0, 0, 0, 0);
export let sampledSpecular: v128 = i32x4(0, 0, 0, 0);
export let sampledTransmission: v128 = i32x4(0, 0, 0, 0);
export let sampledDensity: f32 = 0;
/** The direction came from a mirror or lens; no other technique can find it. */
export let sampledDelta: bool = false;
/** The direction goes on through the surface. */
export let sampledThrough: bool = false;
/** Squared relative index of a refraction, which Russian roulette must not mistake for absorption; else 1. */
export let sampledEtaScale: f32 = 1;
/** KIND_… of the lobe that was picked. */
export let sampledKind: i32 = 0;

const INV_TWO_PI: f32 = <f32>0.159154943;

// Shares of the light that each layer scatters, and the chances with which they are picked.
let hasCoat: bool = false;
let hasSheen: bool = false;
let hasGlass: bool = false;
let hasOpaque: bool = true;
/** One material without layers: its functions are asked directly. */
let isSingle: bool = true;
let sheenShare: f32 = 1;
let glassShare: f32 = 0;
let opaqueShare: f32 = 1;
let coatChance: f32 = 0;
let sheenChance: f32 = 0;
let glassChance: f32 = 0;
let opaqueChance: f32 = 1;
/** Dispersion gave the path a wavelength here: everything that is scattered carries its colours. */
let isTinted: bool = false;
let spectrum: v128 = i32x4(0, 0, 0, 0);

/** Gives rough lobes back the light that single scattering loses (the default), or leaves them as they are. */
export function setEnergyCompensation(on: bool): void {
  setCompensation(on);
}

/** Prepares for the hit in `surface.ts`, seen from `outgoing` (z > 0). `choice`: a uniform number, for the wavelength where light disperses. */
export function prepareBsdf(outgoing: v128, choice: f32): void {
  const through = transmission * (<f32>1.0 - metallic);
  hasGlass = through > <f32>0.0;
  hasOpaque = through < <f32>1.0;
  isTinted = hasGlass && thick && needsWavelength(material);
  if (isTinted) spectrum = pickWavelength(choice);
  hasCoat = (lobes & FLAG_CLEARCOAT) != 0;
  hasSheen = (lobes & FLAG_SHEEN) != 0;
  isSingle = !hasCoat && !hasSheen && hasGlass != hasOpaque;
  if (hasGlass) prepareGlass(outgoing);
  // Of what is no glass, so much is metal: the mixture with glass must leave the material's whole share of metal.
  if (hasOpaque) prepareOpaque(outgoing, hasGlass ? metallic / (<f32>1.0 - through) : metallic);
  bsdfIsDelta = (!hasGlass || glassIsDelta) && (!hasOpaque || opaqueIsDelta);
  if (!isSingle) prepareLayers(outgoing, through);
}

function prepareLayers(outgoing: v128, through: f32): void {
  let left: f32 = <f32>1.0;
  coatChance = <f32>0.0;
  if (hasCoat) {
    coatChance = prepareCoat(outgoing, toLocal(clearcoatNormal), clearcoat, clearcoatRoughness);
    left -= coatChance;
    bsdfIsDelta = bsdfIsDelta && coatIsDelta;
  }
  sheenShare = left;
  sheenChance = <f32>0.0;
  if (hasSheen) {
    const kept = prepareSheen(outgoing, sheenColor, sheenRoughness);
    sheenChance = left * kept;
    left *= <f32>1.0 - kept;
    bsdfIsDelta = false;
  }
  glassShare = left * through;
  opaqueShare = left - glassShare;
  glassChance = hasGlass ? glassShare * glassAlbedo : <f32>0.0;
  opaqueChance = hasOpaque ? opaqueShare * opaqueAlbedo : <f32>0.0;
  const sum = coatChance + sheenChance + glassChance + opaqueChance;
  const norm = <f32>1.0 / max<f32>(sum, <f32>1e-20);
  coatChance *= norm;
  sheenChance *= norm;
  glassChance *= norm;
  opaqueChance *= norm;
}

/** Fills the `evaluated…` variables for local direction `incoming`. Mirrors and lenses do not count. */
export function evaluateBsdf(incoming: v128): void {
  if (!isSingle) {
    evaluateLayers(incoming);
  } else if (hasGlass) {
    evaluateGlass(incoming);
    const none = f32x4.splat(<f32>0.0);
    const through = z(incoming) < <f32>0.0;
    evaluatedDiffuse = none;
    evaluatedSpecular = through ? none : glassValue;
    evaluatedTransmission = through ? glassValue : none;
    evaluatedDensity = glassDensity;
  } else {
    evaluateOpaque(incoming);
    evaluatedDiffuse = opaqueDiffuse;
    evaluatedSpecular = opaqueSpecular;
    evaluatedTransmission = opaqueTransmission;
    evaluatedDensity = opaqueDensity;
  }
  if (isTinted) {
    evaluatedDiffuse = mul(evaluatedDiffuse, spectrum);
    evaluatedSpecular = mul(evaluatedSpecular, spectrum);
    evaluatedTransmission = mul(evaluatedTransmission, spectrum);
  }
}

function evaluateLayers(incoming: v128): void {
  const none = f32x4.splat(<f32>0.0);
  const above = z(incoming) > <f32>0.0;
  evaluatedDiffuse = none;
  evaluatedSpecular = none;
  evaluatedTransmission = none;
  evaluatedDensity = <f32>0.0;
  if (hasOpaque) {
    evaluateOpaque(incoming);
    evaluatedDiffuse = scale(opaqueDiffuse, opaqueShare);
    evaluatedSpecular = scale(opaqueSpecular, opaqueShare);
    evaluatedTransmission = scale(opaqueTransmission, opaqueShare);
    evaluatedDensity = opaqueChance * opaqueDensity;
  }
  if (hasGlass) {
    evaluateGlass(incoming);
    if (above) evaluatedSpecular = addScaled(evaluatedSpecular, glassValue, glassShare);
    else evaluatedTransmission = addScaled(evaluatedTransmission, glassValue, glassShare);
    evaluatedDensity += glassChance * glassDensity;
  }
  if (!above) return;
  if (hasSheen) {
    evaluatedSpecular = addScaled(evaluatedSpecular, evaluateSheen(incoming), sheenShare);
    evaluatedDensity += sheenChance * INV_TWO_PI;
  }
  if (hasCoat) {
    evaluateCoat(incoming);
    evaluatedSpecular = add(evaluatedSpecular, f32x4.splat(coatValue));
    evaluatedDensity += coatChance * coatDensity;
  }
}

/** `sampleBsdf` has something to choose. */
// @ts-ignore: decorator
@inline export function bsdfHasChoice(): bool {
  return !isSingle || hasGlass || opaqueHasChoice();
}

/** What `sampleBsdf` does for a Lambertian surface. */
// @ts-ignore: decorator
@inline function sampleLambertian(u0: f32, u1: f32): bool {
  const none = f32x4.splat(<f32>0.0);
  sampledDirection = cosineDirection(u0, u1);
  sampledKind = KIND_DIFFUSE;
  sampledThrough = false;
  sampledDensity = z(sampledDirection) * INV_PI;
  sampledDiffuse = lambertianAlbedo();
  sampledSpecular = none;
  sampledTransmission = none;
  return sampledDensity > <f32>1e-12;
}

/** Says of a direction that was picked about a Lambertian surface's normal elsewhere what recorders ask. */
// @ts-ignore: decorator
@inline export function setLambertianSample(): void {
  sampledKind = KIND_DIFFUSE;
  sampledThrough = false;
}

/** Picks a direction and fills the `sampled…` variables; false when the sample carries nothing. */
export function sampleBsdf(choice: f32, u0: f32, u1: f32): bool {
  sampledDelta = false;
  sampledEtaScale = <f32>1.0;
  if (isSingle && !hasGlass && opaqueIsLambertian) return sampleLambertian(u0, u1);
  if (isSingle) return hasGlass ? sampleGlass(choice, u0, u1, <f32>1.0, <f32>1.0) : sampleOpaque(choice, u0, u1, <f32>1.0, <f32>1.0);
  // What is left of the choice is stretched to serve the layer's own.
  let rest = choice;
  if (rest < opaqueChance) return sampleOpaque(rest / opaqueChance, u0, u1, opaqueShare, opaqueChance);
  rest -= opaqueChance;
  if (rest < glassChance) return sampleGlass(rest / glassChance, u0, u1, glassShare, glassChance);
  rest -= glassChance;
  sampledKind = KIND_SPECULAR;
  sampledThrough = false;
  if (rest < sheenChance || !hasCoat) {
    sampledDirection = sampleSheen(u0, u1);
    return hasSheen && finishSample();
  }
  sampledDirection = pickCoat(u0, u1);
  if (!(z(sampledDirection) > <f32>0.0)) return false;
  return coatIsDelta ? finishDelta(f32x4.splat(coatMirror()), coatChance) : finishSample();
}

function sampleOpaque(choice: f32, u0: f32, u1: f32, share: f32, chance: f32): bool {
  pickOpaque(choice, u0, u1);
  sampledDirection = opaqueDirection;
  sampledKind = opaqueKind;
  sampledThrough = opaqueKind == KIND_TRANSMISSION;
  if (opaquePickedDelta) return finishDelta(scale(opaqueMirror(), share), opaqueMirrorChance() * chance);
  return !(z(opaqueDirection) > <f32>0.0) && !sampledThrough ? false : finishSample();
}

function sampleGlass(choice: f32, u0: f32, u1: f32, share: f32, chance: f32): bool {
  if (!pickGlass(choice, u0, u1)) return false;
  sampledDirection = glassDirection;
  sampledThrough = glassThrough;
  sampledKind = glassThrough ? KIND_TRANSMISSION : KIND_SPECULAR;
  if (glassThrough) sampledEtaScale = etaSquared();
  return glassIsDelta ? finishDelta(scale(glassDelta(), share), glassDeltaChance() * chance) : finishSample();
}

/** Values of a picked mirror or lens. */
function finishDelta(value: v128, chance: f32): bool {
  const none = f32x4.splat(<f32>0.0);
  sampledDelta = true;
  sampledDensity = chance;
  if (!(chance > <f32>0.0)) return false;
  let factor = scale(value, <f32>1.0 / chance);
  if (isTinted) factor = mul(factor, spectrum);
  sampledDiffuse = none;
  sampledSpecular = sampledThrough ? none : factor;
  sampledTransmission = sampledThrough ? factor : none;
  return maxComponent(factor) > <f32>0.0;
}

/** Values of a picked direction: of all lobes, by the density of all. */
function finishSample(): bool {
  evaluateBsdf(sampledDirection);
  sampledDensity = evaluatedDensity;
  if (!(sampledDensity > <f32>1e-12)) return false;
  const norm = <f32>1.0 / sampledDensity;
  sampledDiffuse = scale(evaluatedDiffuse, norm);
  sampledSpecular = scale(evaluatedSpecular, norm);
  sampledTransmission = scale(evaluatedTransmission, norm);
  return maxComponent(add(add(sampledDiffuse, sampledSpecular), sampledTransmission)) > <f32>0.0;
}
