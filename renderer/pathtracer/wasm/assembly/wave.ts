// The paths of a block together, bounce by bounce (a wavefront, Laine, Karras and Aila 2013), as long as they meet nothing but
// Lambertian surfaces and light comes from the environment alone: four hits are left at a time (wave-shade.ts), then all rays to
// the light are cast, then all rays on. A path that meets anything else goes on alone in integrator.ts. Both ways come to the same
// bits, so it does not matter which path took which.
import { setAlphaSegment } from './alpha';
import { lensRadius, shutter } from './camera';
import { densityOfEnvironment, environmentRadiance } from './environment';
import { addSample } from './film';
import { depth, firstInstance, firstNormal, firstPosition, setFirstHit } from './first-hit';
import { radiance, setRadiance } from './gathered';
import { albedo, coverage, meet, powerHeuristic, resumePath, setSeen, stepPath } from './integrator';
import {
  FLAG_LAMBERTIAN, INSTANCE_MESH, INSTANCE_MOTION, JOB_CLAMP_DIRECT, JOB_CLAMP_INDIRECT, JOB_DIFFUSE_DEPTH, JOB_LAYERS,
  JOB_MAX_DEPTH, JOB_SPECULAR_DEPTH, JOB_TRANSMISSION_DEPTH, LAYER_MOTION, LAYER_UV, LIGHT_LAYERS, MATERIAL_FLAGS,
  MESH_MATERIAL, MESH_MOVING, SCENE_ENV_PIXELS, SCENE_P_DIRECTIONAL, SCENE_P_LOCAL, SCENE_STRATEGY,
} from './layout';
import { environmentChance } from './lights';
import { keepFound, RAY_DIRECTION, RAY_INSTANCE, RAY_SAMPLE, rayAt, recallHit, recallKey, recallRay } from './packet-rays';
import { startSample } from './sampler';
import { intersect, occluded } from './traverse';
import { add, mul, scale, w } from './vec';
import {
  LIST_BYTES, lists, PATH_ALBEDO, PATH_COVERAGE, PATH_DEPTH, PATH_FACTOR, PATH_FILM, PATH_FIRST_NORMAL, PATH_FIRST_POSITION, PATH_INSTANCE,
  PATH_LIGHT, PATH_LIT_NORMAL, PATH_LIT_POSITION, PATH_RADIANCE, PATH_THROUGHPUT, pathAt, setWavePaths,
} from './wave-paths';
import { leaveFour } from './wave-shade';

/** Camera rays of a block are cast together: neither lens nor shutter gives them places or times of their own. */
export let castsTogether: bool = false;
/** Their paths go on together, too: nothing is asked of them that they do not keep. */
export let goesTogether: bool = false;

let maxDepth: i32 = 1;

/** Takes the scene and the job; what they mean to the other modules was set before. */
export function setWave(scene: usize, job: usize): void {
  setWavePaths();
  maxDepth = load<i32>(job, JOB_MAX_DEPTH);
  castsTogether = shutter == <f32>0.0 && lensRadius == <f32>0.0;
  const unlimited =
    load<i32>(job, JOB_DIFFUSE_DEPTH) >= maxDepth &&
    load<i32>(job, JOB_SPECULAR_DEPTH) >= maxDepth &&
    load<i32>(job, JOB_TRANSMISSION_DEPTH) >= maxDepth;
  const clamps = load<f32>(job, JOB_CLAMP_DIRECT) > <f32>0.0 || load<f32>(job, JOB_CLAMP_INDIRECT) > <f32>0.0;
  const asked = load<u32>(job, JOB_LAYERS) & (LIGHT_LAYERS | (1 << LAYER_UV) | (1 << LAYER_MOTION));
  goesTogether =
    castsTogether && unlimited && !clamps && asked == 0 && maxDepth > 0 &&
    load<i32>(scene, SCENE_STRATEGY) == 0 && load<u32>(scene, SCENE_ENV_PIXELS) != 0 &&
    load<f32>(scene, SCENE_P_LOCAL) == <f32>0.0 && load<f32>(scene, SCENE_P_DIRECTIONAL) == <f32>0.0;
}

/** Begins the path of ray `index`, whose sample is added to the film record at `film`. */
export function beginPath(index: u32, film: usize): void {
  const path = pathAt(index);
  const zero = f32x4.splat(<f32>0.0);
  v128.store(path, f32x4.splat(<f32>1.0), PATH_THROUGHPUT);
  v128.store(path, zero, PATH_RADIANCE);
  v128.store(path, zero, PATH_ALBEDO);
  v128.store(path, zero, PATH_FIRST_NORMAL);
  store<f32>(path, Infinity, PATH_DEPTH);
  store<u32>(path, 0, PATH_INSTANCE);
  store<u32>(path, <u32>film, PATH_FILM);
  store<f32>(path, <f32>1.0, PATH_COVERAGE);
}

/** Follows the first `count` paths, whose camera rays were cast, to their ends and adds their samples to the film, in their order. */
export function followPaths(count: i32): void {
  const met = lists;
  const towards = lists + LIST_BYTES;
  const on = lists + 2 * LIST_BYTES;
  let active = count;
  for (let i = 0; i < count; i++) store<u32>(on + (<usize>i << 2), i);
  for (let bounce = 0; active > 0; bounce++) {
    const hits = takeHits(on, active, met, bounce);
    active = 0;
    let asking = 0;
    for (let i = 0; i < hits; i += 4) {
      const at = met + (<usize>i << 2);
      const outcome = leaveFour(at, bounce);
      // The last four may hold copies.
      const those = min<i32>(4, hits - i);
      for (let lane = 0; lane < those; lane++) {
        const index = load<u32>(at + (<usize>lane << 2));
        store<u32>(towards + (<usize>asking << 2), index);
        store<u32>(on + (<usize>active << 2), index);
        asking += (outcome >> (lane + 4)) & 1;
        active += (outcome >> lane) & 1;
      }
    }
    setAlphaSegment(2 * bounce + 1);
    for (let i = 0; i < asking; i++) seekLight(load<u32>(towards + (<usize>i << 2)));
    setAlphaSegment(2 * bounce + 2);
    for (let i = 0; i < active; i++) {
      const ray = rayAt(load<u32>(on + (<usize>i << 2)));
      recallKey(ray);
      intersect(v128.load(ray), v128.load(ray, RAY_DIRECTION), Infinity);
      keepFound(ray);
    }
  }
  for (let i = 0; i < count; i++) {
    const path = pathAt(i);
    recallSeen(path);
    addSample(load<u32>(path, PATH_FILM), load<u32>(rayAt(i), RAY_SAMPLE));
  }
}

/** Sorts out where the rays of the `count` paths at `from` ended; returns how many go on together, and writes their numbers to `to`. */
function takeHits(from: usize, count: i32, to: usize, bounce: i32): i32 {
  let hits = 0;
  let last: u32 = 0;
  for (let i = 0; i < count; i++) {
    const index = load<u32>(from + (<usize>i << 2));
    const instance = <usize>load<u32>(rayAt(index), RAY_INSTANCE);
    if (instance == 0) {
      escape(index, bounce);
    } else if (!isPlain(instance)) {
      goAlone(index, bounce);
    } else if (bounce < maxDepth) {
      last = index;
      store<u32>(to + (<usize>hits << 2), index);
      hits++;
    }
  }
  for (let i = hits; i & 3; i++) store<u32>(to + (<usize>i << 2), last);
  return hits;
}

/** The instance stands still and its surface is Lambertian. */
// @ts-ignore: decorator
@inline function isPlain(instance: usize): bool {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  const material = <usize>load<u32>(mesh, MESH_MATERIAL);
  const moves = load<u32>(mesh, MESH_MOVING) | load<u32>(instance, INSTANCE_MOTION);
  return (load<i32>(material, MATERIAL_FLAGS) & FLAG_LAMBERTIAN) != 0 && moves == 0;
}

// @ts-ignore: decorator
@inline function gain(path: usize, light: v128): void {
  v128.store(path, add(v128.load(path, PATH_RADIANCE), light), PATH_RADIANCE);
}

/** The environment is seen. */
function escape(index: u32, bounce: i32): void {
  const direction = v128.load(rayAt(index), RAY_DIRECTION);
  const path = pathAt(index);
  const weight: f32 =
    bounce > 0 ? powerHeuristic(w(direction), environmentChance * densityOfEnvironment(direction)) : <f32>1.0;
  gain(path, scale(mul(v128.load(path, PATH_THROUGHPUT), environmentRadiance(direction)), weight));
}

/** Adds the light that was sampled, where nothing hides it. */
function seekLight(index: u32): void {
  const ray = rayAt(index);
  const path = pathAt(index);
  const direction = v128.load(path, PATH_LIGHT);
  recallKey(ray);
  if (occluded(v128.load(ray), direction, Infinity)) return;
  const factor = v128.load(path, PATH_FACTOR);
  gain(path, mul(factor, scale(environmentRadiance(direction), w(factor))));
}

/** Follows a path that met something else alone, from that hit to its end, and keeps what it has seen. */
function goAlone(index: u32, bounce: i32): void {
  const path = pathAt(index);
  const direction = v128.load(rayAt(index), RAY_DIRECTION);
  recallRay(index);
  startSample(load<u32>(rayAt(index), RAY_SAMPLE));
  resumePath(
    bounce, direction, v128.load(path, PATH_THROUGHPUT), w(direction), v128.load(path, PATH_LIT_POSITION),
    v128.load(path, PATH_LIT_NORMAL), v128.load(path, PATH_ALBEDO),
  );
  if (bounce > 0) recallSeen(path);
  setRadiance(v128.load(path, PATH_RADIANCE));
  setAlphaSegment(2 * bounce);
  let goesOn = meet(recallHit(index));
  while (goesOn) goesOn = stepPath();
  v128.store(path, radiance, PATH_RADIANCE);
  v128.store(path, albedo, PATH_ALBEDO);
  v128.store(path, firstPosition, PATH_FIRST_POSITION);
  v128.store(path, firstNormal, PATH_FIRST_NORMAL);
  store<f32>(path, depth, PATH_DEPTH);
  store<u32>(path, <u32>firstInstance, PATH_INSTANCE);
  store<f32>(path, coverage, PATH_COVERAGE);
}

/** Makes what a path has seen what the film is told. */
function recallSeen(path: usize): void {
  const instance = <usize>load<u32>(path, PATH_INSTANCE);
  const material: usize = instance ? <usize>load<u32>(<usize>load<u32>(instance, INSTANCE_MESH), MESH_MATERIAL) : 0;
  setFirstHit(
    instance, material, v128.load(path, PATH_FIRST_POSITION), v128.load(path, PATH_FIRST_NORMAL), load<f32>(path, PATH_DEPTH),
  );
  setRadiance(v128.load(path, PATH_RADIANCE));
  setSeen(load<f32>(path, PATH_COVERAGE), v128.load(path, PATH_ALBEDO));
}
