// The light that a sample has gathered so far, whole and by the layers of domain/layers.ts, and what the path's last step added.
import { add, luminance, mul, scale } from './vec';

export let radiance: v128 = i32x4(0, 0, 0, 0);
/** Radiance by layer; filled in when light layers are asked for. */
export let diffuseDirect: v128 = i32x4(0, 0, 0, 0);
export let diffuseIndirect: v128 = i32x4(0, 0, 0, 0);
export let specularDirect: v128 = i32x4(0, 0, 0, 0);
export let specularIndirect: v128 = i32x4(0, 0, 0, 0);
export let transmitted: v128 = i32x4(0, 0, 0, 0);
export let emitted: v128 = i32x4(0, 0, 0, 0);
export let surroundings: v128 = i32x4(0, 0, 0, 0);

/** Light that the last step's ray ran into, and light that was sampled from where it ended; weighted, as added to `radiance`. */
export let foundLight: v128 = i32x4(0, 0, 0, 0);
export let sampledLight: v128 = i32x4(0, 0, 0, 0);

/** How light was found. */
export const LIGHT_EMISSION: i32 = 0;
export const LIGHT_ENVIRONMENT: i32 = 1;
export const LIGHT_SAMPLED: i32 = 2;

// Shares that the lobes of the first hit have in the path's throughput; kept when light layers are asked for.
let diffuseShare: v128 = i32x4(0, 0, 0, 0);
let specularShare: v128 = i32x4(0, 0, 0, 0);
let transmissionShare: v128 = i32x4(0, 0, 0, 0);

let clampDirect: f32 = 0;
let clampIndirect: f32 = 0;
/** Light layers are asked for. */
export let splitsLight: bool = false;

export function setGathering(direct: f32, indirect: f32, splits: bool): void {
  clampDirect = direct;
  clampIndirect = indirect;
  splitsLight = splits;
}

/** For a sample that starts. */
// @ts-ignore: decorator
@inline export function gatherNothing(): void {
  const zero = f32x4.splat(<f32>0.0);
  radiance = zero;
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

/** For a path that went with others. */
export function setRadiance(light: v128): void {
  radiance = light;
}

/** For a step that starts. */
// @ts-ignore: decorator
@inline export function beginGathering(): void {
  foundLight = f32x4.splat(<f32>0.0);
  sampledLight = f32x4.splat(<f32>0.0);
}

/**
 * The one place where light enters the picture. `light` is what the sample gains, throughput and weight included, after `bounce`
 * scatterings.
 */
export function addLight(kind: i32, bounce: i32, light: v128): void {
  const scatterings = kind == LIGHT_SAMPLED ? bounce + 1 : bounce;
  const limit = scatterings > 1 ? clampIndirect : clampDirect;
  if (limit > <f32>0.0) {
    const brightness = luminance(light);
    if (brightness > limit) light = scale(light, limit / brightness);
  }
  radiance = add(radiance, light);
  if (kind == LIGHT_SAMPLED) sampledLight = light;
  else foundLight = light;
  if (splitsLight) addToLayers(kind, scatterings, light);
}

function addToLayers(kind: i32, scatterings: i32, light: v128): void {
  if (scatterings == 0) {
    if (kind == LIGHT_ENVIRONMENT) surroundings = add(surroundings, light);
    else emitted = add(emitted, light);
    return;
  }
  transmitted = add(transmitted, mul(light, transmissionShare));
  if (scatterings == 1) {
    diffuseDirect = add(diffuseDirect, mul(light, diffuseShare));
    specularDirect = add(specularDirect, mul(light, specularShare));
  } else {
    diffuseIndirect = add(diffuseIndirect, mul(light, diffuseShare));
    specularIndirect = add(specularIndirect, mul(light, specularShare));
  }
}

/** Remembers how the lobes of the first hit share what comes through it. */
export function setShares(diffuse: v128, specular: v128, transmission: v128): void {
  const sum = f32x4.max(add(add(diffuse, specular), transmission), f32x4.splat(<f32>1e-30));
  diffuseShare = f32x4.div(diffuse, sum);
  specularShare = f32x4.div(specular, sum);
  transmissionShare = f32x4.div(transmission, sum);
}
