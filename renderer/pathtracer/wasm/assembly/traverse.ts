// Two-level traversal: a tree over instances, below each a tree over its mesh's triangles in object space.
import { placeInstance, pointToObject, setInstanceTime, vectorToObject } from './instance';
import {
  INSTANCE_FLAGS,
  INSTANCE_IS_IDENTITY,
  INSTANCE_MESH,
  INSTANCE_MOTION,
  INSTANCE_STRIDE,
  INSTANCE_TO_OBJECT,
  NODE_CHILDREN,
  REFERENCE_SHIFT,
  WORKSPACE_SCRATCH,
} from './layout';
import { closestInMesh, hitInstance, hitT, occludedInMesh, setMeshWorkspace, startRay } from './traverse-mesh';
import { ENTRY_DISTANCE, hitChildren, nearPlanes, pushSorted, reciprocal } from './traverse-node';
import { transformPoint, transformVector, x, y, z } from './vec';

export { hitInstance, hitT, hitTriangle, hitU, hitV } from './traverse-mesh';

/** Rays cast by this thread since the counter was last read. */
export let rayCount: f64 = 0;

/** What `setTraversal` was given. */
export let workspace: usize = 0;
export let sceneNodes: usize = 0;
export let instances: usize = 0;
/** The scene's one instance, when it has no more: there is no tree to ask then. */
export let only: usize = 0;

export function setTraversal(workspaceAt: usize, nodesAt: usize, instancesAt: usize): void {
  workspace = workspaceAt;
  sceneNodes = nodesAt;
  instances = instancesAt;
  rayCount = 0;
  only = nodesAt && isAlone(nodesAt) ? instancesAt + <usize>~load<i32>(nodesAt, NODE_CHILDREN) * INSTANCE_STRIDE : 0;
  setMeshWorkspace(workspaceAt);
  setInstanceTime(<f32>0.0);
}

/** Whether a node has one child only: the second one's box holds nothing. */
function isAlone(node: usize): bool {
  return load<i32>(node, NODE_CHILDREN) < 0 && load<f32>(node, 4) > load<f32>(node, 36);
}

/** Counts rays that were cast by others. */
export function countRays(rays: i32): void {
  rayCount += <f64>rays;
}

/** Sets the time, in frames (0 to the shutter's end), at which the rays to come see the scene. */
export function setRayTime(frames: f32): void {
  setInstanceTime(frames);
}

/** Finds the closest hit with 0 < t < tMax; fills the `hit…` variables. */
export function intersect(origin: v128, direction: v128, tMax: f32): bool {
  rayCount += 1;
  startRay(tMax);
  if (sceneNodes == 0) return false;
  if (only) visit(false, only, origin, direction, tMax);
  else traverse(false, origin, direction, tMax);
  return hitInstance != 0;
}

/** Whether anything opaque lies at 0 < t < tMax. Transmissive surfaces block: light through them is found by the path itself. */
export function occluded(origin: v128, direction: v128, tMax: f32): bool {
  rayCount += 1;
  if (sceneNodes == 0) return false;
  return only ? visit(true, only, origin, direction, tMax) : traverse(true, origin, direction, tMax);
}

/** Takes the ray to an instance's mesh; true when `any` hit was all that was wanted and there is one. */
// @ts-ignore: decorator
@inline function visit(any: bool, instance: usize, origin: v128, direction: v128, tMax: f32): bool {
  let o = origin;
  let d = direction;
  if (load<u32>(instance, INSTANCE_MOTION)) {
    placeInstance(instance);
    o = pointToObject(origin);
    d = vectorToObject(direction);
  } else if ((load<i32>(instance, INSTANCE_FLAGS) & INSTANCE_IS_IDENTITY) == 0) {
    o = transformPoint(instance + INSTANCE_TO_OBJECT, origin);
    d = transformVector(instance + INSTANCE_TO_OBJECT, direction);
  }
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  if (any) return occludedInMesh(instance, mesh, x(o), y(o), z(o), x(d), y(d), z(d), tMax);
  closestInMesh(instance, mesh, x(o), y(o), z(o), x(d), y(d), z(d));
  return false;
}

/** Both of the above; `any` is a constant, so that each gets code of its own. */
// @ts-ignore: decorator
@inline function traverse(any: bool, origin: v128, direction: v128, tMax: f32): bool {
  const scratch = workspace + WORKSPACE_SCRATCH;
  const bottom = workspace;
  const ox = f32x4.splat(x(origin));
  const oy = f32x4.splat(y(origin));
  const oz = f32x4.splat(z(origin));
  const rx = reciprocal(x(direction));
  const ry = reciprocal(y(direction));
  const rz = reciprocal(z(direction));
  const nearX = nearPlanes(rx, 0);
  const nearY = nearPlanes(ry, 64);
  const nearZ = nearPlanes(rz, 128);
  const ix = f32x4.splat(rx);
  const iy = f32x4.splat(ry);
  const iz = f32x4.splat(rz);
  let stack = bottom;
  let current = 0;
  while (true) {
    if (current >= 0) {
      const node = sceneNodes + (<usize>current << REFERENCE_SHIFT);
      const limit = f32x4.splat(any ? tMax : hitT);
      const mask = hitChildren(true, node, nearX, nearY, nearZ, ox, oy, oz, ix, iy, iz, limit, scratch);
      if (mask) {
        if ((mask & (mask - 1)) == 0) {
          current = load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN);
          continue;
        }
        stack = pushSorted(node, mask, scratch, stack) - 8;
        current = load<i32>(stack);
        continue;
      }
    } else {
      const instance = instances + <usize>~current * INSTANCE_STRIDE;
      if (visit(any, instance, origin, direction, tMax)) return true;
    }
    do {
      if (stack == bottom) return false;
      stack -= 8;
    } while (!any && load<f32>(stack, ENTRY_DISTANCE) > hitT);
    current = load<i32>(stack);
  }
}
