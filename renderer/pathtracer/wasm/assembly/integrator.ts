// Unidirectional path tracing with next-event estimation, combined by the power heuristic (Veach 1997, chapters 8-10).
import { setAlphaSegment } from './alpha';
import { depthScale, generateRay, near, rayDirection, rayOrigin } from './camera';
import { densityOfEnvironment, environmentRadiance, hasEnvironment } from './environment';
import {
  density as glassDensity,
  etaSquared,
  evaluateGlass,
  glassIsDelta,
  prepareGlass,
  sampledDirection as glassDirection,
  sampledThrough,
  sampleGlass,
} from './glass';
import { MATERIAL_ATTENUATION } from './layout';
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
import { expNegative } from './math';
import {
  density as opaqueDensity,
  evaluateOpaque,
  opaqueIsDelta,
  prepareOpaque,
  sampledDelta,
  sampledDirection as opaqueDirection,
  sampleOpaque,
} from './opaque';
import { sample4, startSample } from './sampler';
import {
  baseColor,
  describeHit,
  emission,
  frontFace,
  geometricNormal,
  ior,
  material,
  metallic,
  normal,
  offset,
  position,
  roughness,
  thick,
  transmission,
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
let tangent: v128 = i32x4(0, 0, 0, 0);
let bitangent: v128 = i32x4(0, 0, 0, 0);

export function setIntegrator(depthLimit: i32, strategyChoice: i32): void {
  maxDepth = depthLimit;
  strategy = strategyChoice;
}

/** Orthonormal basis about the shading normal (Duff et al. 2017). */
function makeFrame(n: v128): void {
  const sign = copysign<f32>(<f32>1.0, z(n));
  const a = <f32>-1.0 / (sign + z(n));
  const b = x(n) * y(n) * a;
  tangent = vec(<f32>1.0 + sign * x(n) * x(n) * a, sign * b, -sign * x(n));
  bitangent = vec(b, sign + y(n) * y(n) * a, -y(n));
}

// @ts-ignore: decorator
@inline function toLocal(d: v128): v128 {
  return vec(dot(d, tangent), dot(d, bitangent), dot(d, normal));
}

// @ts-ignore: decorator
@inline function toWorld(d: v128): v128 {
  return add(add(scale(tangent, x(d)), scale(bitangent, y(d))), scale(normal, z(d)));
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
  let medium: usize = 0;
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

    makeFrame(normal);
    const outgoing = toLocal(neg(direction));
    const numbers = sample4(1 + 2 * bounce);
    const choices = sample4(2 + 2 * bounce);
    const glassChance = transmission * (<f32>1.0 - metallic);
    const isGlass = f32x4.extract_lane(choices, 3) < glassChance;
    if (isGlass) {
      prepareGlass(outgoing, baseColor, roughness, ior, !thick, frontFace);
    } else {
      prepareOpaque(outgoing, baseColor, metallic, roughness, ior);
    }
    const pureDelta = isGlass ? glassIsDelta : opaqueIsDelta();
    if (albedoPending && !pureDelta) {
      albedo = mul(throughput, baseColor);
      albedoPending = false;
    }
    if (bounce >= maxDepth) {
      if (albedoPending) albedo = throughput;
      break;
    }

    if (!pureDelta && strategy != STRATEGY_BSDF && hasLights()) {
      light = add(light, mul(throughput, directLight(isGlass, numbers, choices, bounce)));
    }

    const u0 = f32x4.extract_lane(numbers, 0);
    const u1 = f32x4.extract_lane(numbers, 1);
    const choice = f32x4.extract_lane(choices, 0);
    let next: v128;
    let through = false;
    if (isGlass) {
      throughput = mul(throughput, sampleGlass(choice, u0, u1));
      next = toWorld(glassDirection);
      bsdfDensity = glassDensity;
      delta = glassIsDelta;
      through = sampledThrough;
      if (through) etaScale *= etaSquared();
    } else {
      throughput = mul(throughput, sampleOpaque(choice, u0, u1));
      next = toWorld(opaqueDirection);
      bsdfDensity = opaqueDensity;
      delta = sampledDelta;
    }
    const largest = maxComponent(throughput);
    const side = dot(next, geometricNormal);
    // A shading normal must not send light through the surface that the geometry has there.
    if (!(largest > <f32>0.0) || (through ? side >= <f32>0.0 : side <= <f32>0.0)) {
      if (albedoPending) albedo = scale(baseColor, <f32>1.0);
      break;
    }
    if (through && thick) medium = frontFace ? material : 0;

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
function directLight(isGlass: bool, numbers: v128, choices: v128, bounce: i32): v128 {
  const none = f32x4.splat(<f32>0.0);
  const choice = f32x4.extract_lane(choices, 2);
  if (!sampleLight(choice, f32x4.extract_lane(numbers, 2), f32x4.extract_lane(numbers, 3), position)) return none;
  const side = dot(lightDirection, geometricNormal);
  if (side == <f32>0.0 || (!isGlass && side < <f32>0.0)) return none;
  const incoming = toLocal(lightDirection);
  if (side > <f32>0.0 != z(incoming) > <f32>0.0) return none;
  let f: v128;
  let competing: f32;
  if (isGlass) {
    f = evaluateGlass(incoming);
    competing = glassDensity;
  } else {
    f = evaluateOpaque(incoming);
    competing = opaqueDensity;
  }
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
  const weight = lightIsPunctual || strategy == STRATEGY_LIGHT ? <f32>1.0 : powerHeuristic(lightDensity, competing);
  const radianceThere = lightIsEnvironment ? environmentRadiance(lightDirection) : lightRadiance;
  return scale(mul(f, radianceThere), weight / lightDensity);
}

/** Beer-Lambert over a distance inside a volume. */
function transmittance(volume: usize, distance: f32): v128 {
  const sigma = v128.load(volume, MATERIAL_ATTENUATION);
  if (!(maxComponent(sigma) > <f32>0.0)) return f32x4.splat(<f32>1.0);
  return vec(
    expNegative(-x(sigma) * distance),
    expNegative(-y(sigma) * distance),
    expNegative(-z(sigma) * distance),
  );
}
