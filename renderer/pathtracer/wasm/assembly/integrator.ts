// Unidirectional path tracing with next-event estimation, combined by the power heuristic (Veach 1997, chapters 8-10).
//
// A path is `startPath` and then `stepPath` until that says no. What one step hands to the next is in the `path…` variables,
// what the sample has seen in the results below them. Nothing is stored in memory: the film, a recorder and a wavefront read
// the variables and drive the steps as they like.
import { setAlphaSegment } from './alpha';
import {
  KIND_DIFFUSE, KIND_SPECULAR, bsdfHasChoice, bsdfIsDelta, evaluateBsdf, evaluatedDensity, evaluatedDiffuse,
  evaluatedSpecular, evaluatedTransmission, prepareBsdf, sampleBsdf, sampledDelta, sampledDensity, sampledDiffuse,
  sampledDirection, sampledEtaScale, sampledKind, sampledSpecular, sampledThrough, sampledTransmission,
  setLambertianSample,
} from './bsdf';
import { generateRay, rayDirection, rayOrigin, shutter } from './camera';
import { densityOfEnvironment, environmentRadiance, hasEnvironment } from './environment';
import { firstInstance, forgetFirstHit, keepFirstHit, setFirstHits } from './first-hit';
import {
  addLight, beginGathering, gatherNothing, LIGHT_EMISSION, LIGHT_ENVIRONMENT, LIGHT_SAMPLED, setGathering, setShares,
  splitsLight,
} from './gathered';
import {
  JOB_CLAMP_DIRECT, JOB_CLAMP_INDIRECT, JOB_DIFFUSE_DEPTH, JOB_LAYERS, JOB_MAX_DEPTH, JOB_SPECULAR_DEPTH,
  JOB_TRANSMISSION_DEPTH, LIGHT_LAYERS, SCENE_STRATEGY,
} from './layout';
import {
  densityOnTriangle, environmentChance, hasLights, lightDensity, lightDirection, lightIsEnvironment, lightIsPunctual,
  lightRadiance, lightReaches, sampleLight,
} from './lights';
import { INV_PI } from './math';
import { crossBoundary, currentMedium, resetMedium, transmittance } from './medium';
import { cosineDirection } from './opaque';
import { sample4, startSample } from './sampler';
import {
  baseColor, describeHit, emission, frontFace, fromLocal, geometricNormal, isLambertian, material, normal, offset,
  position, thick, toLocal, triangle, unlit,
} from './surface';
import { hitInstance, hitT, hitTriangle, hitU, hitV, intersect, setRayTime } from './traverse';
import { add, addScaled, dot, maxComponent, mul, neg, scale, sub, z } from './vec';

// ---- The path: what one step hands to the next, together with the volumes of medium.ts.

export let pathOrigin: v128 = i32x4(0, 0, 0, 0);
export let pathDirection: v128 = i32x4(0, 0, 0, 0);
/** Where light was last sampled and the normal there: what the light sampler's densities depend on. */
export let pathLitPosition: v128 = i32x4(0, 0, 0, 0);
export let pathLitNormal: v128 = i32x4(0, 0, 0, 0);
export let pathThroughput: v128 = i32x4(0, 0, 0, 0);
/** When the path sees the scene, in frames: 0 to the shutter's end. */
export let pathTime: f32 = 0;
/** Scatterings so far. */
export let pathBounce: i32 = 0;
/** Scatterings by kind, for the depth limits. */
export let pathDiffuseBounces: i32 = 0;
export let pathSpecularBounces: i32 = 0;
export let pathTransmissionBounces: i32 = 0;
/** No light sampling competes with what the next ray finds. */
export let pathDelta: bool = true;
/** Density per solid angle with which `pathDirection` was picked. */
export let pathDensity: f32 = 0;
/** Product of squared relative indices, which Russian roulette must not mistake for absorption. */
export let pathEtaScale: f32 = 1;
/** The albedo is still to be found, behind what only mirrors or lenses. */
export let pathAlbedoPending: bool = true;

// ---- What the sample has seen, beside the light in gathered.ts.

/** 0 where the camera looks past everything. */
export let coverage: f32 = 1;
export let albedo: v128 = i32x4(0, 0, 0, 0);

/** Why the path ended. */
export let pathEnd: i32 = 0;
export const END_ESCAPED: i32 = 1;
export const END_UNLIT: i32 = 2;
export const END_DEPTH: i32 = 3;
export const END_ABSORBED: i32 = 4;
export const END_ROULETTE: i32 = 5;

/** Russian roulette may end a path from its second scattering on (as in pbrt-v4). */
export const ROULETTE_START: i32 = 1;
/** Block of sampler numbers for the time; those of the bounces begin at 1. */
const TIME_NUMBERS: u32 = 0x70000000;
const STRATEGY_BSDF: i32 = 1;
const STRATEGY_LIGHT: i32 = 2;

let maxDepth: i32 = 1;
let diffuseDepth: i32 = 1;
let specularDepth: i32 = 1;
let transmissionDepth: i32 = 1;
/** Some kind of scattering has a limit of its own. */
let limitsKinds: bool = false;
let strategy: i32 = 0;
let choices: v128 = i32x4(0, 0, 0, 0);
let hasChoices: bool = false;

export function setIntegrator(scene: usize, job: usize): void {
  maxDepth = load<i32>(job, JOB_MAX_DEPTH);
  diffuseDepth = load<i32>(job, JOB_DIFFUSE_DEPTH);
  specularDepth = load<i32>(job, JOB_SPECULAR_DEPTH);
  transmissionDepth = load<i32>(job, JOB_TRANSMISSION_DEPTH);
  limitsKinds = diffuseDepth < maxDepth || specularDepth < maxDepth || transmissionDepth < maxDepth;
  const splits = (load<u32>(job, JOB_LAYERS) & LIGHT_LAYERS) != 0;
  setGathering(load<f32>(job, JOB_CLAMP_DIRECT), load<f32>(job, JOB_CLAMP_INDIRECT), splits);
  setFirstHits(job);
  strategy = load<i32>(scene, SCENE_STRATEGY);
}

/** Begins the path of a sample of pixel (px, py), whose sampler was started. */
export function startPath(px: i32, py: i32, sample: u32): void {
  startSample(sample);
  const film = sample4(0);
  pathTime = <f32>0.0;
  if (shutter > <f32>0.0) {
    pathTime = shutter * f32x4.extract_lane(sample4(TIME_NUMBERS), 0);
    setRayTime(pathTime);
  }
  generateRay(px, py, film, pathTime);
  leaveCamera();
}

/** Begins the path of a sample whose camera ray is in `camera.ts` already and sees the scene at time 0. */
export function startPathWithRay(sample: u32): void {
  startSample(sample);
  pathTime = <f32>0.0;
  leaveCamera();
}

function leaveCamera(): void {
  const zero = f32x4.splat(<f32>0.0);
  pathOrigin = rayOrigin;
  pathDirection = rayDirection;
  pathThroughput = f32x4.splat(<f32>1.0);
  pathBounce = 0;
  pathDiffuseBounces = 0;
  pathSpecularBounces = 0;
  pathTransmissionBounces = 0;
  pathDelta = true;
  pathDensity = <f32>0.0;
  resetMedium();
  pathEtaScale = <f32>1.0;
  pathAlbedoPending = true;
  gatherNothing();
  coverage = <f32>1.0;
  albedo = zero;
  forgetFirstHit();
}

/** Takes up a path that went with others up to its next hit, after `bounce` Lambertian scatterings; its light is in `gathered.ts`. */
export function resumePath(
  bounce: i32, direction: v128, throughput: v128, density: f32, litPosition: v128, litNormal: v128, firstAlbedo: v128,
): void {
  pathTime = <f32>0.0;
  leaveCamera();
  pathDirection = direction;
  pathThroughput = throughput;
  pathBounce = bounce;
  pathDiffuseBounces = bounce;
  pathDelta = bounce == 0;
  pathDensity = density;
  pathLitPosition = litPosition;
  pathLitNormal = litNormal;
  pathAlbedoPending = bounce == 0;
  albedo = firstAlbedo;
}

/** Says what the film asks of a path that went with others. */
export function setSeen(covers: f32, firstAlbedo: v128): void {
  coverage = covers;
  albedo = firstAlbedo;
}

/** Follows the path to its next hit, gathers light there and picks the way on; false when the path has ended. */
export function stepPath(): bool {
  setAlphaSegment(2 * pathBounce);
  return meet(intersect(pathOrigin, pathDirection, Infinity));
}

/** The step from where its ray was cast; `found`: it hit what `traverse.ts` tells of. */
export function meet(found: bool): bool {
  beginGathering();
  if (!found) return escape();
  const t = hitT;
  const instance = hitInstance;
  const medium = currentMedium();
  if (medium) pathThroughput = mul(pathThroughput, transmittance(medium, t));
  describeHit(instance, hitTriangle, hitU, hitV, pathDirection);
  if (pathBounce == 0) keepFirstHit();
  hasChoices = false;
  return isLambertian ? leaveLambertian() : leaveSurface(instance, t);
}

/** From a hit that is not Lambertian. */
function leaveSurface(instance: usize, t: f32): bool {
  if (unlit) {
    if (pathAlbedoPending) albedo = mul(pathThroughput, baseColor);
    addLight(LIGHT_EMISSION, pathBounce, mul(pathThroughput, baseColor));
    return endPath(END_UNLIT);
  }
  if (maxComponent(emission) > <f32>0.0) {
    let weight: f32 = <f32>1.0;
    if (competes()) {
      const perArea = densityOnTriangle(instance, triangle, pathLitPosition, pathLitNormal);
      const cosine = abs<f32>(dot(geometricNormal, pathDirection));
      weight = bsdfWeight((perArea * t * t) / max<f32>(cosine, <f32>1e-7));
    }
    addLight(LIGHT_EMISSION, pathBounce, scale(mul(pathThroughput, emission), weight));
  }

  const numbers = sample4(1 + 2 * pathBounce);
  const wavelength: f32 = thick ? f32x4.extract_lane(choicesOfStep(), 3) : <f32>0.0;
  prepareBsdf(toLocal(neg(pathDirection)), wavelength);
  if (pathAlbedoPending && !bsdfIsDelta) {
    albedo = mul(pathThroughput, baseColor);
    pathAlbedoPending = false;
  }
  if (pathBounce >= maxDepth) return endPath(END_DEPTH);
  if (!bsdfIsDelta && strategy != STRATEGY_BSDF && hasLights()) {
    const which: f32 = environmentChance < <f32>1.0 ? f32x4.extract_lane(choicesOfStep(), 2) : <f32>0.0;
    gatherLight(which, f32x4.extract_lane(numbers, 2), f32x4.extract_lane(numbers, 3));
  }
  const lobe: f32 = bsdfHasChoice() ? f32x4.extract_lane(choicesOfStep(), 0) : <f32>0.0;
  if (!sampleBsdf(lobe, f32x4.extract_lane(numbers, 0), f32x4.extract_lane(numbers, 1))) {
    return endPath(END_ABSORBED);
  }
  return scatter();
}

/** From a Lambertian hit, in one go: what `leaveSurface` comes to there, without asking which lobes there are. */
function leaveLambertian(): bool {
  const shading = normal;
  const plane = geometricNormal;
  const from = position;
  const color = baseColor;
  const numbers = sample4(1 + 2 * pathBounce);
  if (pathAlbedoPending) albedo = mul(pathThroughput, color);
  pathAlbedoPending = false;
  if (pathBounce >= maxDepth) return endPath(END_DEPTH);
  if (limitsKinds && pathDiffuseBounces >= diffuseDepth) return endPath(END_ABSORBED);
  if (!(maxComponent(color) > <f32>0.0)) return endPath(END_ABSORBED);
  const throughput = mul(pathThroughput, color);
  if (pathBounce == 0 && splitsLight) setShares(color, f32x4.splat(<f32>0.0), f32x4.splat(<f32>0.0));
  if (strategy != STRATEGY_BSDF && hasLights()) {
    const which: f32 = environmentChance < <f32>1.0 ? f32x4.extract_lane(choicesOfStep(), 2) : <f32>0.0;
    setAlphaSegment(2 * pathBounce + 1);
    if (sampleLight(which, f32x4.extract_lane(numbers, 2), f32x4.extract_lane(numbers, 3), from, shading)) {
      const cosine = dot(lightDirection, shading);
      if (cosine > <f32>0.0 && dot(lightDirection, plane) > <f32>0.0 && lightReaches(addScaled(from, plane, offset))) {
        addSampled(scale(throughput, cosine * INV_PI), cosine * INV_PI);
      }
    }
  }
  const local = cosineDirection(f32x4.extract_lane(numbers, 0), f32x4.extract_lane(numbers, 1));
  const density = z(local) * INV_PI;
  const next = fromLocal(local);
  // A shading normal must not send light through the surface that the geometry has there.
  if (density <= <f32>1e-12 || dot(next, plane) <= <f32>0.0) return endPath(END_ABSORBED);
  setLambertianSample();
  pathThroughput = throughput;
  if (pathBounce >= ROULETTE_START && endsByRoulette(maxComponent(throughput))) return endPath(END_ROULETTE);
  pathDirection = next;
  pathLitPosition = from;
  pathLitNormal = shading;
  pathDensity = density;
  pathDelta = false;
  pathOrigin = addScaled(from, plane, offset);
  pathDiffuseBounces++;
  pathBounce++;
  return true;
}

/** Russian roulette: whether it ends a path whose throughput is `largest`; else a path that goes on is made stronger. */
// @ts-ignore: decorator
@inline function endsByRoulette(largest: f32): bool {
  const survive = largest * pathEtaScale;
  if (survive >= <f32>1.0) return false;
  if (f32x4.extract_lane(choicesOfStep(), 1) >= survive) return true;
  pathThroughput = scale(pathThroughput, <f32>1.0 / survive);
  return false;
}

/** The step's numbers for decisions, made when the first of them is asked for: many steps leave nothing to decide. */
function choicesOfStep(): v128 {
  if (!hasChoices) choices = sample4(2 + 2 * pathBounce);
  hasChoices = true;
  return choices;
}

function endPath(reason: i32): bool {
  // What showed no rough surface has the colour of its mirrors and lenses.
  if (pathAlbedoPending && reason != END_UNLIT && firstInstance) albedo = pathThroughput;
  pathEnd = reason;
  return false;
}

/** Nothing was hit: the environment is seen. */
function escape(): bool {
  if (hasEnvironment()) {
    const weight: f32 = competes() ? bsdfWeight(environmentChance * densityOfEnvironment(pathDirection)) : <f32>1.0;
    addLight(LIGHT_ENVIRONMENT, pathBounce, scale(mul(pathThroughput, environmentRadiance(pathDirection)), weight));
  } else if (pathBounce == 0) {
    coverage = <f32>0.0;
  }
  return endPath(END_ESCAPED);
}

/** Goes on in the direction that the BSDF picked. */
function scatter(): bool {
  let diffuse = sampledDiffuse;
  let specular = sampledSpecular;
  let transmission = sampledTransmission;
  if (limitsKinds) {
    const zero = f32x4.splat(<f32>0.0);
    if (pathDiffuseBounces >= diffuseDepth) diffuse = zero;
    if (pathSpecularBounces >= specularDepth) specular = zero;
    if (pathTransmissionBounces >= transmissionDepth) transmission = zero;
  }
  const factor = add(add(diffuse, specular), transmission);
  const throughput = mul(pathThroughput, factor);
  const next = fromLocal(sampledDirection);
  const side = dot(next, geometricNormal);
  const largest = maxComponent(throughput);
  // A shading normal must not send light through the surface that the geometry has there.
  if (!(largest > <f32>0.0) || (sampledThrough ? side >= <f32>0.0 : side <= <f32>0.0)) {
    if (pathAlbedoPending) albedo = baseColor;
    pathAlbedoPending = false;
    return endPath(END_ABSORBED);
  }
  pathThroughput = throughput;
  if (pathBounce == 0 && splitsLight) setShares(diffuse, specular, transmission);
  pathEtaScale *= sampledEtaScale;
  if (sampledThrough && thick) crossBoundary(material, frontFace);
  if (pathBounce >= ROULETTE_START && endsByRoulette(largest)) return endPath(END_ROULETTE);
  pathDirection = next;
  pathLitPosition = position;
  pathLitNormal = normal;
  pathDensity = sampledDensity;
  pathDelta = sampledDelta;
  pathOrigin = addScaled(position, geometricNormal, sampledThrough ? -offset : offset);
  if (sampledKind == KIND_DIFFUSE) pathDiffuseBounces++;
  else if (sampledKind == KIND_SPECULAR) pathSpecularBounces++;
  else pathTransmissionBounces++;
  pathBounce++;
  return true;
}

/** Adds light from one sampled point, seen through the prepared BSDF, weighted against BSDF sampling. */
function gatherLight(choice: f32, u0: f32, u1: f32): void {
  if (!sampleLight(choice, u0, u1, position, normal)) return;
  const side = dot(lightDirection, geometricNormal);
  const incoming = toLocal(lightDirection);
  if (side == <f32>0.0 || side > <f32>0.0 != z(incoming) > <f32>0.0) return;
  evaluateBsdf(incoming);
  let diffuse = evaluatedDiffuse;
  let specular = evaluatedSpecular;
  let transmission = evaluatedTransmission;
  if (limitsKinds) {
    const zero = f32x4.splat(<f32>0.0);
    if (pathDiffuseBounces >= diffuseDepth) diffuse = zero;
    if (pathSpecularBounces >= specularDepth) specular = zero;
    if (pathTransmissionBounces >= transmissionDepth) transmission = zero;
  }
  const f = add(add(diffuse, specular), transmission);
  if (!(maxComponent(f) > <f32>0.0)) return;
  setAlphaSegment(2 * pathBounce + 1);
  if (!lightReaches(addScaled(position, geometricNormal, side > <f32>0.0 ? offset : -offset))) return;
  if (pathBounce == 0 && splitsLight) setShares(diffuse, specular, transmission);
  addSampled(mul(pathThroughput, f), evaluatedDensity);
}

/** Adds the sampled light; `density`: with which the BSDF would have picked its direction. */
// @ts-ignore: decorator
@inline function addSampled(factor: v128, density: f32): void {
  const weight: f32 =
    lightIsPunctual || strategy == STRATEGY_LIGHT ? <f32>1.0 : powerHeuristic(lightDensity, density);
  const arriving = lightIsEnvironment ? environmentRadiance(lightDirection) : lightRadiance;
  addLight(LIGHT_SAMPLED, pathBounce, mul(factor, scale(arriving, weight / lightDensity)));
}

// @ts-ignore: decorator
@inline export function powerHeuristic(a: f32, b: f32): f32 {
  // In ratios, so that large densities do not overflow.
  const r = b / a;
  return <f32>1.0 / (<f32>1.0 + r * r);
}

/** Light sampling could have found what the path runs into. */
// @ts-ignore: decorator
@inline function competes(): bool {
  return !pathDelta && strategy != STRATEGY_BSDF;
}

/** Weight of light that the path ran into, where light sampling competes and had density `other`. */
// @ts-ignore: decorator
@inline function bsdfWeight(other: f32): f32 {
  if (strategy == STRATEGY_LIGHT) return other > <f32>0.0 ? <f32>0.0 : <f32>1.0;
  return powerHeuristic(pathDensity, other);
}
