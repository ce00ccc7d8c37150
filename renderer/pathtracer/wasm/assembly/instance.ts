// Where an instance is at the ray's time. A still instance's matrices are read as they are; a moving one's are made from its
// motion record: translation, rotation and stretch interpolated each for itself (Shoemake and Duff 1992, "Matrix Animation
// and Polar Decomposition"), so that what turns does not shrink on the way.
import {
  INSTANCE_MOTION,
  INSTANCE_NEXT,
  INSTANCE_TO_OBJECT,
  INSTANCE_TO_WORLD,
  MOTION_NEXT,
  MOTION_ROTATION,
  MOTION_STRETCH,
  MOTION_TRANSLATION,
} from './layout';
import { add, addScaled, cross, dot, mix, mul, scale, vec, w, x, y, z } from './vec';

/** Time of the ray in frames, 0 to the shutter's end. */
export let rayTime: f32 = 0;

/** Affine columns of object-to-world and world-to-object of the instance that `placeInstance` was called for last. */
export let toWorldX: v128 = i32x4(0, 0, 0, 0);
export let toWorldY: v128 = i32x4(0, 0, 0, 0);
export let toWorldZ: v128 = i32x4(0, 0, 0, 0);
export let toWorldOrigin: v128 = i32x4(0, 0, 0, 0);
export let toObjectX: v128 = i32x4(0, 0, 0, 0);
export let toObjectY: v128 = i32x4(0, 0, 0, 0);
export let toObjectZ: v128 = i32x4(0, 0, 0, 0);
export let toObjectOrigin: v128 = i32x4(0, 0, 0, 0);

export function setInstanceTime(time: f32): void {
  rayTime = time;
}

/** Sets the columns above to `instance`'s at the ray's time. A pose that flattens space gets a world-to-object of zeros. */
export function placeInstance(instance: usize): void {
  const motion = <usize>load<u32>(instance, INSTANCE_MOTION);
  if (motion) {
    placeMoving(motion);
    return;
  }
  toWorldX = v128.load(instance, INSTANCE_TO_WORLD);
  toWorldY = v128.load(instance, INSTANCE_TO_WORLD + 16);
  toWorldZ = v128.load(instance, INSTANCE_TO_WORLD + 32);
  toWorldOrigin = v128.load(instance, INSTANCE_TO_WORLD + 48);
  toObjectX = v128.load(instance, INSTANCE_TO_OBJECT);
  toObjectY = v128.load(instance, INSTANCE_TO_OBJECT + 16);
  toObjectZ = v128.load(instance, INSTANCE_TO_OBJECT + 32);
  toObjectOrigin = v128.load(instance, INSTANCE_TO_OBJECT + 48);
}

/** The same by the record that the motion layer reads, which is there also when the shutter only blinks. */
export function placeNext(instance: usize): void {
  const motion = <usize>load<u32>(instance, INSTANCE_NEXT);
  if (motion) placeMoving(motion);
  else placeInstance(instance);
}

function placeMoving(motion: usize): void {
  const t = rayTime;
  const blended = mix(v128.load(motion, MOTION_ROTATION), v128.load(motion, MOTION_NEXT + MOTION_ROTATION), t);
  const squares = mul(blended, blended);
  // Never zero: the host turns both quaternions into one hemisphere.
  const q = scale(blended, <f32>1.0 / sqrt<f32>(x(squares) + y(squares) + z(squares) + w(squares)));
  const qx = x(q);
  const qy = y(q);
  const qz = z(q);
  const qw = w(q);
  const rx = vec(<f32>1.0 - <f32>2.0 * (qy * qy + qz * qz), <f32>2.0 * (qx * qy + qz * qw), <f32>2.0 * (qx * qz - qy * qw));
  const ry = vec(<f32>2.0 * (qx * qy - qz * qw), <f32>1.0 - <f32>2.0 * (qx * qx + qz * qz), <f32>2.0 * (qy * qz + qx * qw));
  const rz = vec(<f32>2.0 * (qx * qz + qy * qw), <f32>2.0 * (qy * qz - qx * qw), <f32>1.0 - <f32>2.0 * (qx * qx + qy * qy));
  toWorldX = rotate(rx, ry, rz, mix(v128.load(motion, MOTION_STRETCH), v128.load(motion, MOTION_NEXT + MOTION_STRETCH), t));
  toWorldY = rotate(rx, ry, rz, mix(v128.load(motion, MOTION_STRETCH + 16), v128.load(motion, MOTION_NEXT + MOTION_STRETCH + 16), t));
  toWorldZ = rotate(rx, ry, rz, mix(v128.load(motion, MOTION_STRETCH + 32), v128.load(motion, MOTION_NEXT + MOTION_STRETCH + 32), t));
  toWorldOrigin = mix(v128.load(motion, MOTION_TRANSLATION), v128.load(motion, MOTION_NEXT + MOTION_TRANSLATION), t);

  const yz = cross(toWorldY, toWorldZ);
  const zx = cross(toWorldZ, toWorldX);
  const xy = cross(toWorldX, toWorldY);
  const determinant = dot(toWorldX, yz);
  const s = abs<f32>(determinant) > <f32>1e-37 ? <f32>1.0 / determinant : <f32>0.0;
  toObjectX = scale(vec(x(yz), x(zx), x(xy)), s);
  toObjectY = scale(vec(y(yz), y(zx), y(xy)), s);
  toObjectZ = scale(vec(z(yz), z(zx), z(xy)), s);
  toObjectOrigin = scale(
    vec(dot(yz, toWorldOrigin), dot(zx, toWorldOrigin), dot(xy, toWorldOrigin)),
    -s,
  );
}

// @ts-ignore: decorator
@inline function rotate(rx: v128, ry: v128, rz: v128, d: v128): v128 {
  return addScaled(addScaled(scale(rx, x(d)), ry, y(d)), rz, z(d));
}

/** The placed instance's object-to-world applied to a point. */
// @ts-ignore: decorator
@inline export function pointToWorld(p: v128): v128 {
  return add(vectorToWorld(p), toWorldOrigin);
}

/** The placed instance's object-to-world applied to a direction. */
// @ts-ignore: decorator
@inline export function vectorToWorld(d: v128): v128 {
  return addScaled(addScaled(scale(toWorldX, x(d)), toWorldY, y(d)), toWorldZ, z(d));
}

/** World-to-object applied to a point. */
// @ts-ignore: decorator
@inline export function pointToObject(p: v128): v128 {
  return add(vectorToObject(p), toObjectOrigin);
}

/** World-to-object applied to a direction. */
// @ts-ignore: decorator
@inline export function vectorToObject(d: v128): v128 {
  return addScaled(addScaled(scale(toObjectX, x(d)), toObjectY, y(d)), toObjectZ, z(d));
}

/** A normal to world space, not normalised: by the inverse's transpose, which keeps "outside" outside under mirroring. */
// @ts-ignore: decorator
@inline export function normalToWorld(n: v128): v128 {
  return vec(dot(toObjectX, n), dot(toObjectY, n), dot(toObjectZ, n));
}
