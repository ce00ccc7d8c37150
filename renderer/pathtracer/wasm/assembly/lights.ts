// Choosing a point on a light: environment, emissive triangles and punctual lights (KHR_lights_punctual).
// Three groups: the environment, local lights (a tree that knows where they shine, see light-tree.ts) and directional lights, which
// are picked by power (Shirley, Wang and Zimmerman 1996). The host makes tree and tables.
import { selectTriangle } from './attributes';
import { environmentDensity, sampleEnvironment } from './environment';
import {
  FLAG_DOUBLE_SIDED,
  INSTANCE_LIGHTS,
  INSTANCE_MESH,
  MATERIAL_FLAGS,
  MESH_MATERIAL,
  PUNCTUAL_DIRECTION,
  PUNCTUAL_INTENSITY,
  PUNCTUAL_KIND,
  PUNCTUAL_POSITION,
  PUNCTUAL_SPOT_OFFSET,
  PUNCTUAL_SPOT_SCALE,
  PUNCTUAL_STRIDE,
  SCENE_DIRECTIONALS,
  SCENE_DIRECTIONAL_CDF,
  SCENE_DIRECTIONAL_COUNT,
  SCENE_LIGHT_TREE,
  SCENE_P_DIRECTIONAL,
  SCENE_P_ENV,
  SCENE_P_LOCAL,
  SCENE_PUNCTUALS,
  SCENE_TRI_COUNT,
  SCENE_TRI_LIGHTS,
  TRI_LIGHT_INSTANCE,
  TRI_LIGHT_INVERSE_AREA,
  TRI_LIGHT_STRIDE,
  TRI_LIGHT_TRAIL,
  TRI_LIGHT_TRIANGLE,
} from './layout';
import { chanceOfLight, pickLight, pickedChance, pickedLight } from './light-tree';
import { emissionAt } from './surface';
import { occluded } from './traverse';
import { add, addScaled, cross, dot, neg, scale, sub } from './vec';

export let lightDirection: v128 = i32x4(0, 0, 0, 0);
/** Infinity for the environment and directional lights; else `lightPoint` is where the light comes from. */
export let lightDistance: f32 = 0;
export let lightPoint: v128 = i32x4(0, 0, 0, 0);
/** Radiance (or, for punctual lights, irradiance on a surface that faces the light), not divided by the density. */
export let lightRadiance: v128 = i32x4(0, 0, 0, 0);
/** Per solid angle; for punctual lights the probability of the choice. */
export let lightDensity: f32 = 0;
/** `lightRadiance` is not set: look the direction up once it is known that the light arrives. */
export let lightIsEnvironment: bool = false;
/** The light has no extent, so that no ray finds it by chance. */
export let lightIsPunctual: bool = false;

export let environmentChance: f32 = 0;
let localChance: f32 = 0;
let directionalChance: f32 = 0;
let tree: usize = 0;
let scene: usize = 0;

export function setLights(sceneAt: usize): void {
  scene = sceneAt;
  environmentChance = load<f32>(scene, SCENE_P_ENV);
  localChance = load<f32>(scene, SCENE_P_LOCAL);
  directionalChance = load<f32>(scene, SCENE_P_DIRECTIONAL);
  tree = load<u32>(scene, SCENE_LIGHT_TREE);
}

export function hasLights(): bool {
  return environmentChance + localChance + directionalChance > <f32>0.0;
}

/** Density per area with which the light sampler picks points of this triangle for a surface at `from`. */
export function densityOnTriangle(instance: usize, triangle: i32, from: v128, normal: v128): f32 {
  const table = <usize>load<u32>(instance, INSTANCE_LIGHTS);
  if (!table) return <f32>0.0;
  const index = load<u32>(table + (<usize>triangle << 2));
  if (index == 0) return <f32>0.0;
  const light = <usize>load<u32>(scene, SCENE_TRI_LIGHTS) + <usize>(index - 1) * TRI_LIGHT_STRIDE;
  return densityPerArea(light, chanceOfLight(tree, load<u32>(light, TRI_LIGHT_TRAIL), from, normal));
}

// @ts-ignore: decorator
@inline function densityPerArea(light: usize, chance: f32): f32 {
  return localChance * chance * load<f32>(light, TRI_LIGHT_INVERSE_AREA);
}

/** Largest i < count with cdf[i] <= u. */
function pick(cdf: usize, count: i32, u: f32): i32 {
  let low = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<f32>(cdf + (<usize>middle << 2)) <= u) low = middle;
    else high = middle;
  }
  return low;
}

/** Picks light and point for a surface at `from`; false when the choice cannot contribute. */
export function sampleLight(choice: f32, u0: f32, u1: f32, from: v128, normal: v128): bool {
  lightIsPunctual = false;
  lightIsEnvironment = false;
  if (choice < environmentChance) {
    lightDirection = sampleEnvironment(u0, u1);
    lightDensity = environmentDensity * environmentChance;
    lightDistance = Infinity;
    if (!(lightDensity > <f32>0.0)) return false;
    lightIsEnvironment = true;
    return true;
  }
  choice -= environmentChance;
  if (choice < localChance) {
    if (!pickLight(tree, choice / localChance, from, normal)) return false;
    const triangles = load<i32>(scene, SCENE_TRI_COUNT);
    if (pickedLight < triangles) return sampleTriangle(pickedLight, pickedChance, u0, u1, from);
    return sampleLocal(pickedLight - triangles, pickedChance, from);
  }
  if (!(directionalChance > <f32>0.0)) return false;
  return sampleDirectional(min<f32>((choice - localChance) / directionalChance, <f32>1.0));
}

/** Whether nothing hides the sampled light from `origin`. */
export function lightReaches(origin: v128): bool {
  if (lightDistance == Infinity) return !occluded(origin, lightDirection, Infinity);
  // Aimed anew from where the ray really starts, and shortened, so that it does not meet the light itself.
  const toLight = sub(lightPoint, origin);
  const reach = sqrt<f32>(dot(toLight, toLight));
  return reach > <f32>0.0 && !occluded(origin, scale(toLight, <f32>1.0 / reach), reach * <f32>0.9999);
}

function sampleTriangle(index: i32, chance: f32, u0: f32, u1: f32, from: v128): bool {
  const light = <usize>load<u32>(scene, SCENE_TRI_LIGHTS) + <usize>index * TRI_LIGHT_STRIDE;
  const instance = <usize>load<u32>(light, TRI_LIGHT_INSTANCE);
  const triangle = load<i32>(light, TRI_LIGHT_TRIANGLE);
  const root = sqrt<f32>(u0);
  const u = root * (<f32>1.0 - u1);
  const v = root * u1;
  const e1 = v128.load(light, 16);
  const e2 = v128.load(light, 32);
  const to = sub(addScaled(addScaled(v128.load(light), e1, u), e2, v), from);
  const d2 = dot(to, to);
  if (!(d2 > <f32>0.0)) return false;
  const distance = sqrt<f32>(d2);
  lightDirection = scale(to, <f32>1.0 / distance);
  lightDistance = distance;
  lightPoint = add(from, to);
  const n = cross(e1, e2);
  const length = sqrt<f32>(dot(n, n));
  const cosine = -dot(n, lightDirection) / length;
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  const material = <usize>load<u32>(mesh, MESH_MATERIAL);
  if (cosine <= <f32>0.0 && (load<i32>(material, MATERIAL_FLAGS) & FLAG_DOUBLE_SIDED) == 0) return false;
  const projected = abs<f32>(cosine);
  if (!(projected > <f32>1e-7)) return false;
  lightDensity = (densityPerArea(light, chance) * d2) / projected;
  selectTriangle(mesh, triangle);
  lightRadiance = emissionAt(mesh, u, v);
  return lightDensity > <f32>0.0;
}

function sampleDirectional(choice: f32): bool {
  const cdf = <usize>load<u32>(scene, SCENE_DIRECTIONAL_CDF);
  const index = pick(cdf, load<i32>(scene, SCENE_DIRECTIONAL_COUNT), choice);
  const light = <usize>load<u32>(scene, SCENE_DIRECTIONALS) + <usize>index * PUNCTUAL_STRIDE;
  lightIsPunctual = true;
  lightDensity =
    directionalChance * (load<f32>(cdf + (<usize>index << 2), 4) - load<f32>(cdf + (<usize>index << 2)));
  lightRadiance = v128.load(light, PUNCTUAL_INTENSITY);
  lightDirection = neg(v128.load(light, PUNCTUAL_DIRECTION));
  lightDistance = Infinity;
  return lightDensity > <f32>0.0;
}

/** A point or spot light. */
function sampleLocal(index: i32, chance: f32, from: v128): bool {
  const light = <usize>load<u32>(scene, SCENE_PUNCTUALS) + <usize>index * PUNCTUAL_STRIDE;
  lightIsPunctual = true;
  lightDensity = localChance * chance;
  const to = sub(v128.load(light, PUNCTUAL_POSITION), from);
  const d2 = dot(to, to);
  if (!(d2 > <f32>1e-30)) return false;
  lightDistance = sqrt<f32>(d2);
  lightPoint = v128.load(light, PUNCTUAL_POSITION);
  lightDirection = scale(to, <f32>1.0 / lightDistance);
  let strength = <f32>1.0 / d2;
  if (load<i32>(light, PUNCTUAL_KIND) == 1) {
    const cosine = -dot(v128.load(light, PUNCTUAL_DIRECTION), lightDirection);
    const a = max<f32>(<f32>0.0, min<f32>(<f32>1.0, cosine * load<f32>(light, PUNCTUAL_SPOT_SCALE) + load<f32>(light, PUNCTUAL_SPOT_OFFSET)));
    strength *= a * a;
    if (!(strength > <f32>0.0)) return false;
  }
  lightRadiance = scale(v128.load(light, PUNCTUAL_INTENSITY), strength);
  return lightDensity > <f32>0.0;
}
