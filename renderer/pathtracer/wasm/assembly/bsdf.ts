// The scattering at a hit, behind one face: integrators know nothing of materials. `surface.describeHit` comes first. All
// directions are local to the shading frame (z is the shading normal; see `toLocal`), and point away from the surface.
// Values are split by what light-path layers call them: diffuse, specular (reflected), transmission (all that goes through).
import { setCompensation } from './energy';
import * as glass from './glass';
import * as opaque from './opaque';
import { baseColor, frontFace, ior, metallic, roughness, thick, transmission } from './surface';
import { x, y, z } from './vec';

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

let isGlass: bool = false;

/** Gives rough lobes back the light that single scattering loses (the default), or leaves them as they are. */
export function setEnergyCompensation(on: bool): void {
  setCompensation(on);
}

/** Prepares for the hit in `surface.ts`, seen from `outgoing` (z > 0). `choice`: a uniform number for layers chosen at random. */
export function prepareBsdf(outgoing: v128, choice: f32): void {
  isGlass = choice < transmission * (<f32>1.0 - metallic);
  if (isGlass) {
    glass.prepareGlass(outgoing, baseColor, roughness, ior, !thick, frontFace);
    bsdfIsDelta = glass.glassIsDelta;
  } else {
    opaque.prepareOpaque(outgoing, baseColor, metallic, roughness, ior);
    bsdfIsDelta = opaque.opaqueIsDelta();
  }
}

/** Fills the `evaluated…` variables for local direction `incoming`. Mirrors and lenses do not count. */
export function evaluateBsdf(incoming: v128): void {
  const none = f32x4.splat(<f32>0.0);
  evaluatedDiffuse = none;
  evaluatedSpecular = none;
  evaluatedTransmission = none;
  evaluatedDensity = <f32>0.0;
  if (bsdfIsDelta) return;
  if (isGlass) {
    const value = glass.evaluateGlass(incoming);
    evaluatedDensity = glass.density;
    if (z(incoming) < <f32>0.0) evaluatedTransmission = value;
    else evaluatedSpecular = value;
    return;
  }
  evaluatedSpecular = opaque.evaluateOpaque(incoming);
  evaluatedDiffuse = opaque.evaluatedDiffuse;
  evaluatedDensity = opaque.density;
}

/** Picks a direction and fills the `sampled…` variables; false when the sample carries nothing. */
export function sampleBsdf(choice: f32, u0: f32, u1: f32): bool {
  const none = f32x4.splat(<f32>0.0);
  sampledDiffuse = none;
  sampledSpecular = none;
  sampledTransmission = none;
  sampledThrough = false;
  sampledEtaScale = <f32>1.0;
  let value: v128;
  if (isGlass) {
    value = glass.sampleGlass(choice, u0, u1);
    sampledDirection = glass.sampledDirection;
    sampledDensity = glass.density;
    sampledDelta = glass.glassIsDelta;
    sampledThrough = glass.sampledThrough;
    sampledKind = sampledThrough ? KIND_TRANSMISSION : KIND_SPECULAR;
    if (sampledThrough) {
      sampledEtaScale = glass.etaSquared();
      sampledTransmission = value;
    } else {
      sampledSpecular = value;
    }
  } else {
    value = opaque.sampleOpaque(choice, u0, u1);
    sampledDirection = opaque.sampledDirection;
    sampledDensity = opaque.density;
    sampledDelta = opaque.sampledDelta;
    sampledKind = opaque.pickedSpecular ? KIND_SPECULAR : KIND_DIFFUSE;
    sampledSpecular = value;
    sampledDiffuse = opaque.sampledDiffuse;
  }
  return sampledDensity > <f32>0.0 && max<f32>(max<f32>(x(value), y(value)), z(value)) + max<f32>(max<f32>(x(sampledDiffuse), y(sampledDiffuse)), z(sampledDiffuse)) > <f32>0.0;
}
