// Hits of wave-shade.ts on instances that lie elsewhere than their meshes: brought into the world one by one.
import { normalToWorld, placeInstance, pointToWorld, toWorldOrigin, vectorToWorld } from './instance';
import { INSTANCE_FLAGS, INSTANCE_IS_IDENTITY } from './layout';
import { OFFSET_SCALE } from './surface';
import { largestMagnitude, normalize, vec, x, y, z } from './vec';

// Columns of four floats: point, geometric normal, smooth normal, two edges (x, y and z each), offset.
export const PLACE_NORMAL: usize = 48;
export const PLACE_SMOOTH: usize = 96;
export const PLACE_EDGE1: usize = 144;
export const PLACE_EDGE2: usize = 192;
export const PLACE_OFFSET: usize = 240;

// @ts-ignore: decorator
@inline function row(at: usize): v128 {
  return vec(load<f32>(at), load<f32>(at, 16), load<f32>(at, 32));
}

// @ts-ignore: decorator
@inline function setRow(at: usize, v: v128): void {
  store<f32>(at, x(v));
  store<f32>(at, y(v), 16);
  store<f32>(at, z(v), 32);
}

/** Brings the hit whose lane of the columns begins at `at` from the space of `instance` into the world, as `describeHit` does. */
export function placeHit(instance: usize, at: usize): void {
  if (load<i32>(instance, INSTANCE_FLAGS) & INSTANCE_IS_IDENTITY) return;
  placeInstance(instance);
  const position = pointToWorld(row(at));
  const edges = largestMagnitude(vectorToWorld(row(at + PLACE_EDGE1))) + largestMagnitude(vectorToWorld(row(at + PLACE_EDGE2)));
  setRow(at, position);
  setRow(at + PLACE_NORMAL, normalize(normalToWorld(row(at + PLACE_NORMAL))));
  setRow(at + PLACE_SMOOTH, normalToWorld(row(at + PLACE_SMOOTH)));
  const size = largestMagnitude(position) + largestMagnitude(toWorldOrigin) + <f32>0.25 * edges;
  store<f32>(at, OFFSET_SCALE * size, PLACE_OFFSET);
}
