// Camera rays with an importance-sampled pixel filter (Ernst, Stamminger and Greiner 2006): every sample counts the same, and
// no sample is shared between pixels. Pinhole or thin lens (Kolb, Mitchell and Hanrahan 1995), still or moving.
import {
  FILTER_CELLS,
  JOB_FILTER_TABLE,
  JOB_HEIGHT,
  JOB_WIDTH,
  SCENE_CAMERA,
  SCENE_CAMERA_KIND,
  SCENE_CAMERA_MOVES,
  SCENE_CAMERA_NEAR,
  SCENE_CAMERA_NEXT,
  SCENE_CAMERA_SCALE,
  SCENE_LENS_BLADES,
  SCENE_LENS_FOCUS,
  SCENE_LENS_RADIUS,
  SCENE_SHUTTER,
} from './layout';
import { sinCosTurns } from './math';
import { add, addScaled, dot, mix, neg, normalize, scale, sub, vec } from './vec';

export let rayOrigin: v128 = i32x4(0, 0, 0, 0);
export let rayDirection: v128 = i32x4(0, 0, 0, 0);
/** Distance along the viewing axis = near + t * this. */
export let depthScale: f32 = 1;
export let near: f32 = 0;
/** How long the shutter is open, in frames. */
export let shutter: f32 = 0;

let scene: usize = 0;
let moves: bool = false;
// The camera's axes and place, and how pixels lie before it.
export let right: v128 = i32x4(0, 0, 0, 0);
export let up: v128 = i32x4(0, 0, 0, 0);
export let back: v128 = i32x4(0, 0, 0, 0);
export let eye: v128 = i32x4(0, 0, 0, 0);
export let orthographic: bool = false;
let halfHeight: f32 = 1;
export let pixelSize: f32 = 1;
export let centreX: f32 = 0;
export let centreY: f32 = 0;
export let filter: usize = 0;
/** 0 for a pinhole. */
export let lensRadius: f32 = 0;
let lensFocus: f32 = 1;
let lensBlades: f32 = 0;

export function setCamera(sceneAt: usize, job: usize): void {
  scene = sceneAt;
  moves = load<i32>(scene, SCENE_CAMERA_MOVES) != 0;
  placeCamera(<f32>0.0);
  orthographic = load<i32>(scene, SCENE_CAMERA_KIND) == 1;
  halfHeight = load<f32>(scene, SCENE_CAMERA_SCALE);
  near = load<f32>(scene, SCENE_CAMERA_NEAR);
  shutter = load<f32>(scene, SCENE_SHUTTER);
  lensRadius = load<f32>(scene, SCENE_LENS_RADIUS);
  lensFocus = load<f32>(scene, SCENE_LENS_FOCUS);
  lensBlades = load<f32>(scene, SCENE_LENS_BLADES);
  filter = load<u32>(job, JOB_FILTER_TABLE);
  const height = <f32>load<i32>(job, JOB_HEIGHT);
  pixelSize = <f32>2.0 * halfHeight / height;
  centreX = <f32>load<i32>(job, JOB_WIDTH) * <f32>0.5;
  centreY = height * <f32>0.5;
}

/**
 * Offset from the pixel's centre: the filter's inverse distribution, interpolated. Half of it is tabulated, over the root of the
 * number: cells are narrow where the filter ends and few samples go far.
 */
// @ts-ignore: decorator
@inline function filterOffset(u: f32): f32 {
  const at = sqrt<f32>(min<f32>(u, <f32>1.0 - u) * <f32>2.0) * <f32>FILTER_CELLS;
  const cell = min<i32>(<i32>at, FILTER_CELLS - 1);
  const a = load<f32>(filter + (<usize>cell << 2));
  const b = load<f32>(filter + (<usize>cell << 2), 4);
  return copysign<f32>(a + (b - a) * (at - <f32>cell), u - <f32>0.5);
}

/** Puts a moving camera where it is at `time` (frames): columns interpolated linearly and made orthonormal again. */
function placeCamera(time: f32): void {
  if (time == <f32>0.0) {
    right = v128.load(scene, SCENE_CAMERA);
    up = v128.load(scene, SCENE_CAMERA + 16);
    back = v128.load(scene, SCENE_CAMERA + 32);
    eye = v128.load(scene, SCENE_CAMERA + 48);
    return;
  }
  back = normalize(mix(v128.load(scene, SCENE_CAMERA + 32), v128.load(scene, SCENE_CAMERA_NEXT + 32), time));
  const above = mix(v128.load(scene, SCENE_CAMERA + 16), v128.load(scene, SCENE_CAMERA_NEXT + 16), time);
  up = normalize(addScaled(above, back, -dot(above, back)));
  const aside = mix(v128.load(scene, SCENE_CAMERA), v128.load(scene, SCENE_CAMERA_NEXT), time);
  right = normalize(addScaled(addScaled(aside, back, -dot(aside, back)), up, -dot(aside, up)));
  eye = mix(v128.load(scene, SCENE_CAMERA + 48), v128.load(scene, SCENE_CAMERA_NEXT + 48), time);
}

/** A point on the lens, lanes 0 and 1, evenly over a disk or over a polygon of as many corners as there are blades. */
function sampleLens(u0: f32, u1: f32): v128 {
  const radius = lensRadius * sqrt<f32>(u0);
  if (lensBlades < <f32>3.0) {
    const sc = sinCosTurns(u1);
    return vec(radius * f32x4.extract_lane(sc, 1), radius * f32x4.extract_lane(sc, 0), <f32>0.0);
  }
  const turn = u1 * lensBlades;
  const blade = floor<f32>(turn);
  const a = sinCosTurns(blade / lensBlades);
  const b = sinCosTurns((blade + <f32>1.0) / lensBlades);
  const corner = mix(a, b, turn - blade);
  return vec(radius * f32x4.extract_lane(corner, 1), radius * f32x4.extract_lane(corner, 0), <f32>0.0);
}

/**
 * Sets `rayOrigin` (on the near plane), `rayDirection` (unit) and `depthScale` for pixel (px, py) at `time`. `numbers`: two
 * uniform numbers for the place in the pixel, two for the place on the lens.
 */
export function generateRay(px: i32, py: i32, numbers: v128, time: f32): void {
  if (moves) placeCamera(time);
  const sx = (<f32>px + <f32>0.5 + filterOffset(f32x4.extract_lane(numbers, 0)) - centreX) * pixelSize;
  const sy = (centreY - <f32>py - <f32>0.5 - filterOffset(f32x4.extract_lane(numbers, 1))) * pixelSize;
  const aside = add(scale(right, sx), scale(up, sy));
  if (lensRadius > <f32>0.0) {
    const onLens = sampleLens(f32x4.extract_lane(numbers, 2), f32x4.extract_lane(numbers, 3));
    const lens = add(scale(right, f32x4.extract_lane(onLens, 0)), scale(up, f32x4.extract_lane(onLens, 1)));
    // From the lens to the point in focus, at unit depth.
    const towards = orthographic ? scale(lens, -<f32>1.0 / lensFocus) : addScaled(aside, lens, -<f32>1.0 / lensFocus);
    const d = sub(towards, back);
    depthScale = <f32>1.0 / sqrt<f32>(dot(d, d));
    rayDirection = normalize(d);
    rayOrigin = addScaled(add(eye, orthographic ? add(aside, lens) : lens), d, near);
    return;
  }
  if (orthographic) {
    rayDirection = neg(back);
    depthScale = <f32>1.0;
    rayOrigin = addScaled(add(eye, aside), back, -near);
    return;
  }
  const d = addScaled(aside, back, -<f32>1.0);
  depthScale = <f32>1.0 / sqrt<f32>(dot(d, d));
  rayDirection = scale(d, depthScale);
  rayOrigin = addScaled(eye, d, near);
}

/** Makes a ray that was generated before the one that the variables tell of. */
export function setRay(origin: v128, direction: v128, scaleOfDepth: f32): void {
  rayOrigin = origin;
  rayDirection = direction;
  depthScale = scaleOfDepth;
}

/** Where a point shows at `time`, in pixels from the left and from the top, lanes 0 and 1. */
export function projectPoint(point: v128, time: f32): v128 {
  if (moves) placeCamera(time);
  const d = sub(point, eye);
  // What is behind the camera has no place; it is left far outside.
  const size = orthographic ? pixelSize : pixelSize * max<f32>(-dot(d, back), <f32>1e-6);
  return vec(centreX + dot(d, right) / size, centreY - dot(d, up) / size, <f32>0.0);
}
