// Unidirectional path tracing with next-event estimation, combined by the power heuristic (Veach 1997, chapters 8-10).
//
// A path is `startPath` and then `stepPath` until that says no. What one step hands to the next is in the `path…` variables,
// what the sample has seen in the results below them. Nothing is stored in memory: the film, a recorder and a wavefront read
// the variables and drive the steps as they like.
import { setAlphaSegment } from './alpha';
import { textureCoordinates } from './attributes';
import {
  KIND_DIFFUSE,
  KIND_SPECULAR,
  bsdfHasChoice,
  bsdfIsDelta,
  evaluateBsdf,
  evaluatedDensity,
  evaluatedDiffuse,
  evaluatedSpecular,
  evaluatedTransmission,
  prepareBsdf,
  sampleBsdf,
  sampledDelta,
  sampledDensity,
  sampledDiffuse,
  sampledDirection,
  sampledEtaScale,
  sampledKind,
  sampledSpecular,
  sampledThrough,
  sampledTransmission,
} from './bsdf';
import { depthScale, generateRay, near, projectPoint, rayDirection, rayOrigin, shutter } from './camera';
import { densityOfEnvironment, environmentRadiance, hasEnvironment } from './environment';
import { placeInstance, placeNext, pointToWorld, setInstanceTime } from './instance';
import {
  INSTANCE_MESH,
  JOB_CLAMP_DIRECT,
  JOB_CLAMP_INDIRECT,
  JOB_DIFFUSE_DEPTH,
  JOB_LAYERS,
  JOB_MAX_DEPTH,
  JOB_SPECULAR_DEPTH,
  JOB_TRANSMISSION_DEPTH,
  LAYER_MOTION,
  LAYER_UV,
  LIGHT_LAYERS,
  SCENE_STRATEGY,
} from './layout';
import {
  densityOnTriangle,
  environmentChance,
  hasLights,
  lightDensity,
  lightDirection,
  lightDistance,
  lightIsEnvironment,
  lightIsPunctual,
  lightPoint,
  lightRadiance,
  sampleLight,
} from './lights';
import { crossBoundary, currentMedium, resetMedium, transmittance } from './medium';
import { sample4, startSample } from './sampler';
import {
  baseColor,
  describeHit,
  emission,
  frontFace,
  fromLocal,
  geometricNormal,
  material,
  normal,
  offset,
  position,
  thick,
  toLocal,
  triangle,
  unlit,
} from './surface';
import { pointInTriangle, readTriangle } from './triangle';
import { hitInstance, hitT, hitTriangle, hitU, hitV, intersect, occluded, setRayTime } from './traverse';
import { add, addScaled, dot, luminance, maxComponent, mul, neg, scale, sub, z } from './vec';

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
/** Shares that the lobes of the first hit have in `pathThroughput`; kept when light layers are asked for. */
export let pathDiffuseShare: v128 = i32x4(0, 0, 0, 0);
export let pathSpecularShare: v128 = i32x4(0, 0, 0, 0);
export let pathTransmissionShare: v128 = i32x4(0, 0, 0, 0);

// ---- What the sample has seen.

export let radiance: v128 = i32x4(0, 0, 0, 0);
/** 0 where the camera looks past everything. */
export let coverage: f32 = 1;
export let albedo: v128 = i32x4(0, 0, 0, 0);
export let firstNormal: v128 = i32x4(0, 0, 0, 0);
export let firstPosition: v128 = i32x4(0, 0, 0, 0);
/** First texture coordinates of the first hit, lanes 0 and 1. */
export let firstUv: v128 = i32x4(0, 0, 0, 0);
/** Pixels to the right and down by which the first hit moves until the next frame, lanes 0 and 1. */
export let firstMotion: v128 = i32x4(0, 0, 0, 0);
/** Instance and material records of the first hit, 0 for none. */
export let firstInstance: usize = 0;
export let firstMaterial: usize = 0;
/** Along the viewing axis; Infinity where nothing was hit. */
export let depth: f32 = Infinity;
/** Radiance by layer (domain/layers.ts); filled in when light layers are asked for. */
export let diffuseDirect: v128 = i32x4(0, 0, 0, 0);
export let diffuseIndirect: v128 = i32x4(0, 0, 0, 0);
export let specularDirect: v128 = i32x4(0, 0, 0, 0);
export let specularIndirect: v128 = i32x4(0, 0, 0, 0);
export let transmitted: v128 = i32x4(0, 0, 0, 0);
export let emitted: v128 = i32x4(0, 0, 0, 0);
export let surroundings: v128 = i32x4(0, 0, 0, 0);

// ---- What the last step did, for recording.

/** Light that the step's ray ran into, and light that was sampled from where it ended; weighted, as added to `radiance`. */
export let foundLight: v128 = i32x4(0, 0, 0, 0);
export let sampledLight: v128 = i32x4(0, 0, 0, 0);
/** Why the path ended. */
export let pathEnd: i32 = 0;
export const END_ESCAPED: i32 = 1;
export const END_UNLIT: i32 = 2;
export const END_DEPTH: i32 = 3;
export const END_ABSORBED: i32 = 4;
export const END_ROULETTE: i32 = 5;

/** How light was found. */
export const LIGHT_EMISSION: i32 = 0;
export const LIGHT_ENVIRONMENT: i32 = 1;
export const LIGHT_SAMPLED: i32 = 2;

/** Russian roulette may end a path from its second scattering on (as in pbrt-v4). */
const ROULETTE_START: i32 = 1;
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
let clampDirect: f32 = 0;
let clampIndirect: f32 = 0;
let splitsLight: bool = false;
let wantsUv: bool = false;
let wantsMotion: bool = false;
let strategy: i32 = 0;
let choices: v128 = i32x4(0, 0, 0, 0);
let hasChoices: bool = false;

export function setIntegrator(scene: usize, job: usize): void {
  maxDepth = load<i32>(job, JOB_MAX_DEPTH);
  diffuseDepth = load<i32>(job, JOB_DIFFUSE_DEPTH);
  specularDepth = load<i32>(job, JOB_SPECULAR_DEPTH);
  transmissionDepth = load<i32>(job, JOB_TRANSMISSION_DEPTH);
  limitsKinds = diffuseDepth < maxDepth || specularDepth < maxDepth || transmissionDepth < maxDepth;
  clampDirect = load<f32>(job, JOB_CLAMP_DIRECT);
  clampIndirect = load<f32>(job, JOB_CLAMP_INDIRECT);
  splitsLight = (load<u32>(job, JOB_LAYERS) & LIGHT_LAYERS) != 0;
  wantsUv = (load<u32>(job, JOB_LAYERS) & (1 << LAYER_UV)) != 0;
  wantsMotion = (load<u32>(job, JOB_LAYERS) & (1 << LAYER_MOTION)) != 0;
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
  radiance = zero;
  coverage = <f32>1.0;
  albedo = zero;
  firstNormal = zero;
  firstInstance = 0;
  firstMaterial = 0;
  depth = Infinity;
  if (splitsLight) {
    diffuseDirect = zero;
    diffuseIndirect = zero;
    specularDirect = zero;
    specularIndirect = zero;
    transmitted = zero;
    emitted = zero;
    surroundings = zero;
  }
}

/** Follows the path to its next hit, gathers light there and picks the way on; false when the path has ended. */
export function stepPath(): bool {
  setAlphaSegment(2 * pathBounce);
  return meet(intersect(pathOrigin, pathDirection, Infinity));
}

/** The step from where its ray was cast; `found`: it hit what `traverse.ts` tells of. */
export function meet(found: bool): bool {
  foundLight = f32x4.splat(<f32>0.0);
  sampledLight = f32x4.splat(<f32>0.0);
  if (!found) return escape();
  const t = hitT;
  const instance = hitInstance;
  const medium = currentMedium();
  if (medium) pathThroughput = mul(pathThroughput, transmittance(medium, t));
  describeHit(instance, hitTriangle, hitU, hitV, pathDirection);
  if (pathBounce == 0) {
    firstInstance = instance;
    firstMaterial = material;
    firstPosition = position;
    firstNormal = normal;
    depth = near + t * depthScale;
    if (wantsMotion) firstMotion = motionOf(instance);
    if (wantsUv) firstUv = textureCoordinates(load<u32>(instance, INSTANCE_MESH), hitU, hitV);
  }
  if (unlit) {
    if (pathAlbedoPending) albedo = mul(pathThroughput, baseColor);
    addLight(LIGHT_EMISSION, mul(pathThroughput, baseColor));
    return endPath(END_UNLIT);
  }
  if (maxComponent(emission) > <f32>0.0) {
    let weight: f32 = <f32>1.0;
    if (competes()) {
      const perArea = densityOnTriangle(instance, triangle, pathLitPosition, pathLitNormal);
      const cosine = abs<f32>(dot(geometricNormal, pathDirection));
      weight = bsdfWeight((perArea * t * t) / max<f32>(cosine, <f32>1e-7));
    }
    addLight(LIGHT_EMISSION, scale(mul(pathThroughput, emission), weight));
  }

  const numbers = sample4(1 + 2 * pathBounce);
  hasChoices = false;
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

/** The step's numbers for decisions, made when the first of them is asked for: many steps leave nothing to decide. */
function choicesOfStep(): v128 {
  if (!hasChoices) choices = sample4(2 + 2 * pathBounce);
  hasChoices = true;
  return choices;
}

/** Pixels to the right and down by which the point that was hit moves from the frame to the next. */
function motionOf(instance: usize): v128 {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  setInstanceTime(<f32>1.0);
  placeNext(instance);
  readTriangle(mesh, hitTriangle);
  const next = projectPoint(pointToWorld(pointInTriangle(hitU, hitV)), <f32>1.0);
  setInstanceTime(<f32>0.0);
  placeNext(instance);
  readTriangle(mesh, hitTriangle);
  const now = projectPoint(pointToWorld(pointInTriangle(hitU, hitV)), <f32>0.0);
  setInstanceTime(pathTime);
  placeInstance(instance);
  readTriangle(mesh, hitTriangle);
  return sub(next, now);
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
    addLight(LIGHT_ENVIRONMENT, scale(mul(pathThroughput, environmentRadiance(pathDirection)), weight));
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
  if (pathBounce >= ROULETTE_START) {
    const survive = largest * pathEtaScale;
    if (survive < <f32>1.0) {
      if (f32x4.extract_lane(choicesOfStep(), 1) >= survive) return endPath(END_ROULETTE);
      pathThroughput = scale(throughput, <f32>1.0 / survive);
    }
  }
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
  const origin = addScaled(position, geometricNormal, side > <f32>0.0 ? offset : -offset);
  let toLight = lightDirection;
  let reach: f32 = Infinity;
  if (lightDistance < Infinity) {
    // Aimed anew from where the ray really starts, and shortened, so that it does not meet the light itself.
    toLight = sub(lightPoint, origin);
    reach = sqrt<f32>(dot(toLight, toLight));
    if (!(reach > <f32>0.0)) return;
    toLight = scale(toLight, <f32>1.0 / reach);
    reach *= <f32>0.9999;
  }
  if (occluded(origin, toLight, reach)) return;
  const weight =
    lightIsPunctual || strategy == STRATEGY_LIGHT ? <f32>1.0 : powerHeuristic(lightDensity, evaluatedDensity);
  const arriving = lightIsEnvironment ? environmentRadiance(lightDirection) : lightRadiance;
  if (pathBounce == 0 && splitsLight) setShares(diffuse, specular, transmission);
  addLight(LIGHT_SAMPLED, mul(pathThroughput, scale(mul(f, arriving), weight / lightDensity)));
}

/** The one place where light enters the picture. `light` is what the sample gains, throughput and weight included. */
function addLight(kind: i32, light: v128): void {
  const scatterings = kind == LIGHT_SAMPLED ? pathBounce + 1 : pathBounce;
  const limit = scatterings > 1 ? clampIndirect : clampDirect;
  if (limit > <f32>0.0) {
    const brightness = luminance(light);
    if (brightness > limit) light = scale(light, limit / brightness);
  }
  radiance = add(radiance, light);
  if (kind == LIGHT_SAMPLED) sampledLight = light;
  else foundLight = light;
  if (!splitsLight) return;
  if (scatterings == 0) {
    if (kind == LIGHT_ENVIRONMENT) surroundings = add(surroundings, light);
    else emitted = add(emitted, light);
    return;
  }
  transmitted = add(transmitted, mul(light, pathTransmissionShare));
  if (scatterings == 1) {
    diffuseDirect = add(diffuseDirect, mul(light, pathDiffuseShare));
    specularDirect = add(specularDirect, mul(light, pathSpecularShare));
  } else {
    diffuseIndirect = add(diffuseIndirect, mul(light, pathDiffuseShare));
    specularIndirect = add(specularIndirect, mul(light, pathSpecularShare));
  }
}

/** Remembers how the lobes of the first hit share what comes through it. */
function setShares(diffuse: v128, specular: v128, transmission: v128): void {
  const sum = f32x4.max(add(add(diffuse, specular), transmission), f32x4.splat(<f32>1e-30));
  pathDiffuseShare = f32x4.div(diffuse, sum);
  pathSpecularShare = f32x4.div(specular, sum);
  pathTransmissionShare = f32x4.div(transmission, sum);
}

// @ts-ignore: decorator
@inline function powerHeuristic(a: f32, b: f32): f32 {
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
