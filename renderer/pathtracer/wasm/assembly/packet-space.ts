// The rays of a packet in the space of the world or of an instance: what culling and triangles want to know of them there, in
// columns, so that four rays are read at a time.
import { INSTANCE_FLAGS, INSTANCE_IS_IDENTITY, INSTANCE_TO_OBJECT } from './layout';
import { count, groups, packet, RAY_DIRECTION, RAY_T, rayAt } from './packet-rays';
import { reachOf, slackOf } from './traverse-mesh';
import { reciprocal } from './traverse-node';
import { transformPoint, transformVector, x, y, z } from './vec';

// Columns of one float a ray: origins, reciprocals of directions, how far boxes count. There are two sets of them.
export const WORLD: usize = 4096;
export const OBJECT: usize = 6144;
export const ORIGIN_X: usize = 0;
export const ORIGIN_Y: usize = 256;
export const ORIGIN_Z: usize = 512;
export const INVERSE_X: usize = 768;
export const INVERSE_Y: usize = 1024;
export const INVERSE_Z: usize = 1280;
export const REACH: usize = 1536;
// The shear of each ray (traverse-mesh.ts): axes, origin along them, shear, slack.
export const SHEARS: usize = 8192;
export const SHEAR_STRIDE: usize = 64;
export const SHEAR_V: usize = 4;
export const SHEAR_W: usize = 8;
export const SHEAR_ORIGIN: usize = 12; // three floats
export const SHEAR_FACTORS: usize = 24; // three floats
export const SHEAR_SLACK: usize = 36;

// The space that the rays are in: its columns, and where in a node the planes lie that all of them enter through.
export let columns: usize = 0;
export let nearX: usize = 0;
export let nearY: usize = 0;
export let nearZ: usize = 0;

/**
 * Brings the rays into the space of `instance` (0: the world) and says whether they all point into one octant there, without
 * which they cannot go together. `mesh`: what they are to meet there, 0 for instances.
 */
export function enterSpace(space: usize, instance: usize, mesh: usize): bool {
  const toObject = instance != 0 && (load<i32>(instance, INSTANCE_FLAGS) & INSTANCE_IS_IDENTITY) == 0;
  columns = packet + space;
  let signs = 0;
  for (let i = 0; i < count; i++) {
    const ray = rayAt(i);
    let o = v128.load(ray);
    let d = v128.load(ray, RAY_DIRECTION);
    if (toObject) {
      o = transformPoint(instance + INSTANCE_TO_OBJECT, o);
      d = transformVector(instance + INSTANCE_TO_OBJECT, d);
    }
    const rx = reciprocal(x(d));
    const ry = reciprocal(y(d));
    const rz = reciprocal(z(d));
    const octant = (rx < <f32>0.0 ? 1 : 0) | (ry < <f32>0.0 ? 2 : 0) | (rz < <f32>0.0 ? 4 : 0);
    if (i == 0) signs = octant;
    if (octant != signs) return false;
    const at = columns + (<usize>i << 2);
    store<f32>(at, x(o), ORIGIN_X);
    store<f32>(at, y(o), ORIGIN_Y);
    store<f32>(at, z(o), ORIGIN_Z);
    store<f32>(at, rx, INVERSE_X);
    store<f32>(at, ry, INVERSE_Y);
    store<f32>(at, rz, INVERSE_Z);
    let reach = load<f32>(ray, RAY_T);
    if (mesh) reach = shear(packet + SHEARS + <usize>i * SHEAR_STRIDE, mesh, o, d, rx, ry, rz, reach);
    store<f32>(at, reach, REACH);
  }
  // The last group is filled up with copies that reach nothing.
  const last = columns + (<usize>(count - 1) << 2);
  for (let at = last + 4; at < columns + groups; at += 4) {
    for (let column = ORIGIN_X; column < REACH; column += 256) store<f32>(at + column, load<f32>(last + column));
    store<f32>(at, -<f32>1.0, REACH);
  }
  nearX = signs & 1 ? 32 : 0;
  nearY = signs & 2 ? 96 : 64;
  nearZ = signs & 4 ? 160 : 128;
  return true;
}

/** Back from an instance to the world, whose near planes were these. */
export function returnToWorld(worldX: usize, worldY: usize, worldZ: usize): void {
  columns = packet + WORLD;
  nearX = worldX;
  nearY = worldY;
  nearZ = worldZ;
}

/** Prepares a ray for the triangles of `mesh` as a ray that is cast alone is; returns how far boxes count. */
function shear(to: usize, mesh: usize, o: v128, d: v128, rx: f32, ry: f32, rz: f32, far: f32): f32 {
  const ax = abs<f32>(x(d));
  const ay = abs<f32>(y(d));
  const az = abs<f32>(z(d));
  const mainX = ax >= ay && ax >= az;
  const mainY = !mainX && ay >= az;
  const inverse = mainX ? rx : mainY ? ry : rz;
  const origin = mainX ? x(o) : mainY ? y(o) : z(o);
  const axisW: usize = mainX ? 0 : mainY ? 16 : 32;
  store<u32>(to, mainX ? 16 : 0);
  store<u32>(to, mainX || mainY ? 32 : 16, SHEAR_V);
  store<u32>(to, axisW, SHEAR_W);
  store<f32>(to, mainX ? y(o) : x(o), SHEAR_ORIGIN);
  store<f32>(to, mainX || mainY ? z(o) : y(o), SHEAR_ORIGIN + 4);
  store<f32>(to, origin, SHEAR_ORIGIN + 8);
  store<f32>(to, (mainX ? y(d) : x(d)) * inverse, SHEAR_FACTORS);
  store<f32>(to, (mainX || mainY ? z(d) : y(d)) * inverse, SHEAR_FACTORS + 4);
  store<f32>(to, inverse, SHEAR_FACTORS + 8);
  const slack = slackOf(mesh, axisW >> 2, origin, inverse);
  store<f32>(to, slack, SHEAR_SLACK);
  return reachOf(far, slack);
}

/** The least and the greatest of a column, as lanes 0 and 1. */
export function rangeOf(column: usize): v128 {
  let low = v128.load(columns + column);
  let high = low;
  for (let at = columns + column + 16; at < columns + column + groups; at += 16) {
    const four = v128.load(at);
    low = f32x4.pmin(low, four);
    high = f32x4.pmax(high, four);
  }
  low = f32x4.pmin(low, v128.shuffle<f32>(low, low, 2, 3, 0, 1));
  high = f32x4.pmax(high, v128.shuffle<f32>(high, high, 2, 3, 0, 1));
  low = f32x4.pmin(low, v128.shuffle<f32>(low, low, 1, 0, 3, 2));
  high = f32x4.pmax(high, v128.shuffle<f32>(high, high, 1, 0, 3, 2));
  return v128.shuffle<f32>(low, high, 0, 4, 0, 4);
}
