// Camera rays with an importance-sampled pixel filter (Ernst, Stamminger and Greiner 2006): every sample counts the same, and
// no sample is shared between pixels.
import {
  FILTER_CELLS,
  JOB_FILTER_TABLE,
  JOB_HEIGHT,
  JOB_WIDTH,
  SCENE_CAMERA,
  SCENE_CAMERA_KIND,
  SCENE_CAMERA_NEAR,
  SCENE_CAMERA_SCALE,
} from './layout';
import { add, addScaled, neg, normalize, scale, z } from './vec';

export let rayOrigin: v128 = i32x4(0, 0, 0, 0);
export let rayDirection: v128 = i32x4(0, 0, 0, 0);
/** Distance along the viewing axis = near + t * this. */
export let depthScale: f32 = 1;

let right: v128 = i32x4(0, 0, 0, 0);
let up: v128 = i32x4(0, 0, 0, 0);
let back: v128 = i32x4(0, 0, 0, 0);
let eye: v128 = i32x4(0, 0, 0, 0);
let orthographic: bool = false;
let halfHeight: f32 = 1;
let pixelSize: f32 = 1;
let centreX: f32 = 0;
let centreY: f32 = 0;
let filter: usize = 0;
export let near: f32 = 0;

export function setCamera(scene: usize, job: usize): void {
  right = v128.load(scene, SCENE_CAMERA);
  up = v128.load(scene, SCENE_CAMERA + 16);
  back = v128.load(scene, SCENE_CAMERA + 32);
  eye = v128.load(scene, SCENE_CAMERA + 48);
  orthographic = load<i32>(scene, SCENE_CAMERA_KIND) == 1;
  halfHeight = load<f32>(scene, SCENE_CAMERA_SCALE);
  near = load<f32>(scene, SCENE_CAMERA_NEAR);
  filter = load<u32>(job, JOB_FILTER_TABLE);
  const height = <f32>load<i32>(job, JOB_HEIGHT);
  pixelSize = <f32>2.0 * halfHeight / height;
  centreX = <f32>load<i32>(job, JOB_WIDTH) * <f32>0.5;
  centreY = height * <f32>0.5;
}

/** Offset from the pixel's centre: the filter's inverse distribution, interpolated. */
// @ts-ignore: decorator
@inline function filterOffset(u: f32): f32 {
  const at = u * <f32>FILTER_CELLS;
  const cell = min<i32>(<i32>at, FILTER_CELLS - 1);
  const a = load<f32>(filter + (<usize>cell << 2));
  const b = load<f32>(filter + (<usize>cell << 2), 4);
  return a + (b - a) * (at - <f32>cell);
}

/** Sets `rayOrigin` (on the near plane), `rayDirection` (unit) and `depthScale` for pixel (px, py). */
export function generateRay(px: i32, py: i32, u0: f32, u1: f32): void {
  const sx = (<f32>px + <f32>0.5 + filterOffset(u0) - centreX) * pixelSize;
  const sy = (centreY - <f32>py - <f32>0.5 - filterOffset(u1)) * pixelSize;
  if (orthographic) {
    rayDirection = neg(back);
    depthScale = <f32>1.0;
    rayOrigin = addScaled(add(eye, add(scale(right, sx), scale(up, sy))), back, -near);
    return;
  }
  const d = addScaled(add(scale(right, sx), scale(up, sy)), back, -<f32>1.0);
  depthScale = <f32>1.0 / sqrt<f32>(sx * sx + sy * sy + <f32>1.0);
  rayDirection = normalize(d);
  rayOrigin = addScaled(eye, d, near);
}
