// The triangle that was hit, in object space, at the ray's time.
import { rayTime } from './instance';
import { MESH_MOVING, PACK_DELTAS, PACK_V1, PACK_V2 } from './layout';
import { add, addScaled, scale, sub, vec } from './vec';

/** The three corners, and the edges from the first to the second and third. */
export let corner0: v128 = i32x4(0, 0, 0, 0);
export let corner1: v128 = i32x4(0, 0, 0, 0);
export let corner2: v128 = i32x4(0, 0, 0, 0);
export let edge1: v128 = i32x4(0, 0, 0, 0);
export let edge2: v128 = i32x4(0, 0, 0, 0);

// @ts-ignore: decorator
@inline function column(at: usize): v128 {
  return vec(load<f32>(at), load<f32>(at, 16), load<f32>(at, 32));
}

/** Reads a triangle; `lane` is its address inside its pack, what `traverse.hitTriangle` holds. */
export function readTriangle(mesh: usize, lane: usize): void {
  corner0 = column(lane);
  corner1 = column(lane + PACK_V1);
  corner2 = column(lane + PACK_V2);
  if (load<i32>(mesh, MESH_MOVING)) {
    corner0 = addScaled(corner0, column(lane + PACK_DELTAS), rayTime);
    corner1 = addScaled(corner1, column(lane + PACK_DELTAS + PACK_V1), rayTime);
    corner2 = addScaled(corner2, column(lane + PACK_DELTAS + PACK_V2), rayTime);
  }
  edge1 = sub(corner1, corner0);
  edge2 = sub(corner2, corner0);
}

/** The point with weights (1 - u - v, u, v), from the corners themselves: nearer to the plane than an edge's multiples come. */
export function pointInTriangle(u: f32, v: f32): v128 {
  return add(scale(corner0, <f32>1.0 - u - v), addScaled(scale(corner1, u), corner2, v));
}
