// Unidirectional path tracing with next-event estimation, combined by the power heuristic (Veach 1997, chapters 8-10).
import { setAlphaSegment } from './alpha';
import {
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
  sampledSpecular,
  sampledThrough,
  sampledTransmission,
} from './bsdf';
import { depthScale, generateRay, near, rayDirection, rayOrigin } from './camera';
import { densityOfEnvironment, environmentRadiance, hasEnvironment } from './environment';
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
import { hitInstance, hitT, hitTriangle, hitU, hitV, intersect, occluded } from './traverse';
import { add, addScaled, dot, maxComponent, mul, neg, scale, sub, vec, x, y, z } from './vec';

/** What one sample saw. `radiance` carries coverage in its fourth lane. */
export let radiance: v128 = i32x4(0, 0, 0, 0);
export let albedo: v128 = i32x4(0, 0, 0, 0);
export let firstNormal: v128 = i32x4(0, 0, 0, 0);
export let depth: f32 = Infinity;

/** Russian roulette may end a path from its second scattering on (as in pbrt-v4). */
const ROULETTE_START: i32 = 1;
const STRATEGY_BSDF: i32 = 1;
const STRATEGY_LIGHT: i32 = 2;

let maxDepth: i32 = 1;
let strategy: i32 = 0;

export function setIntegrator(depthLimit: i32, strategyChoice: i32): void {
  maxDepth = depthLimit;
  strategy = strategyChoice;
}

// @ts-ignore: decorator
@inline function powerHeuristic(a: f32, b: f32): f32 {
  // In ratios, so that large densities do not overflow.
  const r = b / a;
  return <f32>1.0 / (<f32>1.0 + r * r);
}

/** Weight of a light found by a BSDF sample of density `found`, where light sampling had density `other`. */
// @ts-ignore: decorator
@inline function bsdfWeight(delta: bool, found: f32, other: f32): f32 {
  if (delta || strategy == STRATEGY_BSDF) return <f32>1.0;
  if (strategy == STRATEGY_LIGHT) return other > <f32>0.0 ? <f32>0.0 : <f32>1.0;
  return powerHeuristic(found, other);
}

/** Traces one path from pixel (px, py); fills the variables above. */
export function tracePath(px: i32, py: i32, sample: u32): void {
  startSample(sample);
  const film = sample4(0);
  generateRay(px, py, f32x4.extract_lane(film, 0), f32x4.extract_lane(film, 1));
  let origin = rayOrigin;
  let direction = rayDirection;
  let throughput = f32x4.splat(<f32>1.0);
  let light = f32x4.splat(<f32>0.0);
  let etaScale: f32 = <f32>1.0;
  let delta = true; // no light sampling competes with the next hit
  let bsdfDensity: f32 = <f32>0.0;
  resetMedium();
  let albedoPending = true;
  let coverage: f32 = <f32>1.0;
  albedo = f32x4.splat(<f32>0.0);
  firstNormal = f32x4.splat(<f32>0.0);
  depth = Infinity;

  for (let bounce = 0; ; bounce++) {
    setAlphaSegment(2 * bounce);
    const found = intersect(origin, direction, Infinity);
    if (!found) {
      if (hasEnvironment()) {
        const weight = bsdfWeight(delta, bsdfDensity, environmentChance * densityOfEnvironment(direction));
        light = add(light, scale(mul(throughput, environmentRadiance(direction)), weight));
      } else if (bounce == 0) {
        coverage = <f32>0.0;
      }
      if (albedoPending && bounce > 0) albedo = throughput;
      break;
    }
    const t = hitT;
    const instance = hitInstance;
    const medium = currentMedium();
    if (medium) throughput = mul(throughput, transmittance(medium, t));
    describeHit(instance, hitTriangle, hitU, hitV, direction);
    if (bounce == 0) {
      firstNormal = normal;
      depth = near + t * depthScale;
    }
    if (unlit) {
      if (albedoPending) albedo = mul(throughput, baseColor);
      light = add(light, mul(throughput, baseColor));
      break;
    }
    if (maxComponent(emission) > <f32>0.0) {
      const perArea = densityOnTriangle(instance, triangle);
      const cosine = abs<f32>(dot(geometricNormal, direction));
      const weight = bsdfWeight(delta, bsdfDensity, (perArea * t * t) / max<f32>(cosine, <f32>1e-7));
      light = add(light, scale(mul(throughput, emission), weight));
    }

    const numbers = sample4(1 + 2 * bounce);
    const choices = sample4(2 + 2 * bounce);
    prepareBsdf(toLocal(neg(direction)), f32x4.extract_lane(choices, 3));
    if (albedoPending && !bsdfIsDelta) {
      albedo = mul(throughput, baseColor);
      albedoPending = false;
    }
    if (bounce >= maxDepth) {
      if (albedoPending) albedo = throughput;
      break;
    }

    if (!bsdfIsDelta && strategy != STRATEGY_BSDF && hasLights()) {
      light = add(light, mul(throughput, directLight(numbers, choices, bounce)));
    }

    const scattered = sampleBsdf(
      f32x4.extract_lane(choices, 0),
      f32x4.extract_lane(numbers, 0),
      f32x4.extract_lane(numbers, 1),
    );
    throughput = mul(throughput, add(add(sampledDiffuse, sampledSpecular), sampledTransmission));
    const next = fromLocal(sampledDirection);
    const through = sampledThrough;
    bsdfDensity = sampledDensity;
    delta = sampledDelta;
    etaScale *= sampledEtaScale;
    const largest = maxComponent(throughput);
    const side = dot(next, geometricNormal);
    // A shading normal must not send light through the surface that the geometry has there.
    if (!scattered || !(largest > <f32>0.0) || (through ? side >= <f32>0.0 : side <= <f32>0.0)) {
      if (albedoPending) albedo = scale(baseColor, <f32>1.0);
      break;
    }
    if (through && thick) crossBoundary(material, frontFace);

    if (bounce >= ROULETTE_START) {
      const survive = largest * etaScale;
      if (survive < <f32>1.0) {
        if (f32x4.extract_lane(choices, 1) >= survive) break;
        throughput = scale(throughput, <f32>1.0 / survive);
      }
    }
    direction = next;
    origin = addScaled(position, geometricNormal, through ? -offset : offset);
  }
  radiance = f32x4.replace_lane(light, 3, coverage);
}

/** Light from one sampled point, seen through the prepared BSDF, weighted against BSDF sampling. */
function directLight(numbers: v128, choices: v128, bounce: i32): v128 {
  const none = f32x4.splat(<f32>0.0);
  const choice = f32x4.extract_lane(choices, 2);
  if (!sampleLight(choice, f32x4.extract_lane(numbers, 2), f32x4.extract_lane(numbers, 3), position)) return none;
  const side = dot(lightDirection, geometricNormal);
  if (side == <f32>0.0) return none;
  const incoming = toLocal(lightDirection);
  if (side > <f32>0.0 != z(incoming) > <f32>0.0) return none;
  evaluateBsdf(incoming);
  const f = add(add(evaluatedDiffuse, evaluatedSpecular), evaluatedTransmission);
  if (!(maxComponent(f) > <f32>0.0)) return none;
  setAlphaSegment(2 * bounce + 1);
  const origin = addScaled(position, geometricNormal, side > <f32>0.0 ? offset : -offset);
  let toLight = lightDirection;
  let reach: f32 = Infinity;
  if (lightDistance < Infinity) {
    // Aimed anew from where the ray really starts, and shortened, so that it does not meet the light itself.
    toLight = sub(lightPoint, origin);
    reach = sqrt<f32>(dot(toLight, toLight));
    if (!(reach > <f32>0.0)) return none;
    toLight = scale(toLight, <f32>1.0 / reach);
    reach *= <f32>0.9999;
  }
  if (occluded(origin, toLight, reach)) return none;
  const weight = lightIsPunctual || strategy == STRATEGY_LIGHT ? <f32>1.0 : powerHeuristic(lightDensity, evaluatedDensity);
  const radianceThere = lightIsEnvironment ? environmentRadiance(lightDirection) : lightRadiance;
  return scale(mul(f, radianceThere), weight / lightDensity);
}
