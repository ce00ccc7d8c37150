// Rays against one mesh, in its object space. Leaves test four triangles at once, watertight (Woop, Benthin and Wald 2013,
// "Watertight Ray/Triangle Intersection"): corners are sheared into a space where the ray is the z axis, so that neighbours agree
// on which side of their edge it passes. A zero counts as inside for both, which spares the paper's double precision.
//
// Which triangle is hit does not depend on the tree: equal distances are decided by instance and triangle, and boxes are only
// culled when they begin behind the closest hit by more than its distance can be wrong.
import { passesAlpha } from './alpha';
import { rayTime } from './instance';
import {
  MESH_ALPHA,
  MESH_MAX,
  MESH_MIN,
  MESH_MOVING,
  MESH_NODES,
  MESH_PACKS,
  NODE_CHILDREN,
  PACK_DELTAS,
  PACK_IDS,
  PACK_V1,
  PACK_V2,
  REFERENCE_SHIFT,
  WORKSPACE_MESH_STACK,
  WORKSPACE_SCRATCH,
} from './layout';
import { ENTRY_DISTANCE, hitChildren, nearPlanes, pushSorted, reciprocal } from './traverse-node';
import { greaterOf } from './vec';

/** The closest hit so far; `hitT` is the limit before there is one. */
export let hitT: f32 = 0;
/** Barycentric weights of the second and third corner. */
export let hitU: f32 = 0;
export let hitV: f32 = 0;
/** Address of the triangle's lane inside its pack: v0.x at +0, v0.y at +16 … */
export let hitTriangle: usize = 0;
/** 0 when nothing was hit. */
export let hitInstance: usize = 0;

let workspace: usize = 0;

// Offsets in the mesh's scratch, behind the entry distances of a node's children.
/** Where `meetPack` leaves distances and weights in the scratch. */
export const LANES_T: usize = 32;
export const LANES_U: usize = 48;
export const LANES_V: usize = 64;
const AXES: usize = 80; // origin, direction and its reciprocals
const MOVED_PACK: usize = 128;

/** Reference at the bottom of the stack: no leaf lies there. */
export const END: i32 = i32.MIN_VALUE;

/** 16 ulps: more than distance and box can differ by for one point, relative to what they were computed from. */
const SLACK: f32 = <f32>9.5367432e-7;

export function setMeshWorkspace(workspaceAt: usize): void {
  workspace = workspaceAt;
}

/** Forgets the hit and sets the distance from which on nothing counts. */
export function startRay(tMax: f32): void {
  hitT = tMax;
  hitInstance = 0;
}

/** Updates the hit with what of `mesh` is nearer. Origin and direction are the ray's in object space. */
export function closestInMesh(instance: usize, mesh: usize, px: f32, py: f32, pz: f32, dx: f32, dy: f32, dz: f32): void {
  traverse(false, instance, mesh, px, py, pz, dx, dy, dz, hitT);
}

/** Whether anything of `mesh` lies at 0 < t < tMax. */
export function occludedInMesh(
  instance: usize, mesh: usize, px: f32, py: f32, pz: f32, dx: f32, dy: f32, dz: f32, tMax: f32,
): bool {
  return traverse(true, instance, mesh, px, py, pz, dx, dy, dz, tMax);
}

/** Both of the above; `any` is a constant, so that each gets code of its own. */
// @ts-ignore: decorator
@inline function traverse(
  any: bool, instance: usize, mesh: usize, px: f32, py: f32, pz: f32, dx: f32, dy: f32, dz: f32, tMax: f32,
): bool {
  const scratch = workspace + WORKSPACE_SCRATCH + 64;
  const bottom = workspace + WORKSPACE_MESH_STACK;
  const nodes = <usize>load<u32>(mesh, MESH_NODES);
  const packs = <usize>load<u32>(mesh, MESH_PACKS);
  const alpha = load<i32>(mesh, MESH_ALPHA) != 0;
  const moving = load<i32>(mesh, MESH_MOVING) != 0;
  const ox = f32x4.splat(px);
  const oy = f32x4.splat(py);
  const oz = f32x4.splat(pz);
  const rx = reciprocal(dx);
  const ry = reciprocal(dy);
  const rz = reciprocal(dz);
  const nearX = nearPlanes(rx, 0);
  const nearY = nearPlanes(ry, 64);
  const nearZ = nearPlanes(rz, 128);
  const ix = f32x4.splat(rx);
  const iy = f32x4.splat(ry);
  const iz = f32x4.splat(rz);

  // The shear's z axis is the direction's largest component. It is looked up by number: three branches that nobody can guess less.
  const ax = abs<f32>(dx);
  const ay = abs<f32>(dy);
  const az = abs<f32>(dz);
  const mainX = <usize>(ax >= ay) & <usize>(ax >= az);
  const mainY = (mainX ^ 1) & <usize>(ay >= az);
  const axisU = mainX << 4;
  const axisV = 16 + ((mainX | mainY) << 4);
  const axisW = (mainX ^ 1) * (32 - (mainY << 4));
  const axes = scratch + AXES;
  store<f32>(axes, px);
  store<f32>(axes, py, 4);
  store<f32>(axes, pz, 8);
  store<f32>(axes, dx, 12);
  store<f32>(axes, dy, 16);
  store<f32>(axes, dz, 20);
  store<f32>(axes, rx, 24);
  store<f32>(axes, ry, 28);
  store<f32>(axes, rz, 32);
  const ou = v128.load32_splat(axes + (axisU >> 2));
  const ov = v128.load32_splat(axes + (axisV >> 2));
  const ow = v128.load32_splat(axes + (axisW >> 2));
  const inverse = load<f32>(axes + (axisW >> 2), 24);
  const shearU = f32x4.splat(load<f32>(axes + (axisU >> 2), 12) * inverse);
  const shearV = f32x4.splat(load<f32>(axes + (axisV >> 2), 12) * inverse);
  const shearW = f32x4.splat(inverse);
  // A hit's distance is as exact as those of its corners: the mesh's bounds say how far these may be.
  const slack = slackOf(mesh, axisW >> 2, f32x4.extract_lane(ow, 0), inverse);

  let far = tMax;
  let reach = any ? tMax : reachOf(far, slack);
  // What ends the traversal lies at the bottom, as a leaf that no distance culls.
  store<i32>(bottom, END);
  store<f32>(bottom, -Infinity, ENTRY_DISTANCE);
  let stack = bottom + 8;
  let current = 0;
  while (true) {
    // Two loops, each begun by what it does every time: compilers then take what does not change out of them.
    do {
      const node = nodes + (<usize>current << REFERENCE_SHIFT);
      let mask = hitChildren(!any, node, nearX, nearY, nearZ, ox, oy, oz, ix, iy, iz, f32x4.splat(reach), scratch);
      if (mask == 0) {
        do stack -= 8;
        while (!any && load<f32>(stack, ENTRY_DISTANCE) > reach);
        current = load<i32>(stack);
        continue;
      }
      if ((mask & (mask - 1)) == 0) {
        current = load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN);
        continue;
      }
      if (any) {
        current = load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN);
        mask &= mask - 1;
        do {
          store<i32>(stack, load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN));
          stack += 8;
          mask &= mask - 1;
        } while (mask);
        continue;
      }
      stack = pushSorted(node, mask, scratch, stack) - 8;
      current = load<i32>(stack);
    } while (current >= 0);
    do {
      if (current == END) return false;
      const offset = <usize>~current << REFERENCE_SHIFT;
      const pack = packs + offset;
      const corners = moving ? movePack(pack, scratch + MOVED_PACK) : pack;
      const us = corners + axisU;
      const vs = corners + axisV;
      const ws = corners + axisW;
      let mask = meetPack(any, us, vs, ws, ou, ov, ow, shearU, shearV, shearW, far, scratch);
      if (mask) {
        if (any && !alpha) return true;
        do {
          const i = <usize>ctz(mask) << 2;
          mask &= mask - 1;
          const ui = load<f32>(scratch + i, LANES_U);
          const vi = load<f32>(scratch + i, LANES_V);
          if (any) {
            if (passesAlpha(instance, mesh, load<i32>(pack + i, PACK_IDS), ui, vi)) return true;
          } else {
            const ti = load<f32>(scratch + i, LANES_T);
            if (ti > far || (ti == far && !winsTie(instance, pack + i, hitInstance, hitTriangle))) continue;
            if (alpha && !passesAlpha(instance, mesh, load<i32>(pack + i, PACK_IDS), ui, vi)) continue;
            far = ti;
            setHit(instance, pack + i, ti, ui, vi);
          }
        } while (mask);
        if (!any) reach = reachOf(far, slack);
      }
      do stack -= 8;
      while (!any && load<f32>(stack, ENTRY_DISTANCE) > reach);
      current = load<i32>(stack);
    } while (current < 0);
  }
}

/**
 * Which of a pack's four triangles the ray meets at 0 < t <= far (0 < t < far when `any` will do), as bits; then their distances
 * and weights are in `scratch`. `us`, `vs` and `ws` are where the corners lie along the shear's axes.
 */
// @ts-ignore: decorator
@inline export function meetPack(
  any: bool, us: usize, vs: usize, ws: usize,
  ou: v128, ov: v128, ow: v128, shearU: v128, shearV: v128, shearW: v128, far: f32, scratch: usize,
): i32 {
  const zero = f32x4.splat(<f32>0.0);
  const aw = f32x4.sub(v128.load(ws), ow);
  const bw = f32x4.sub(v128.load(ws, PACK_V1), ow);
  const cw = f32x4.sub(v128.load(ws, PACK_V2), ow);
  const au = f32x4.sub(f32x4.sub(v128.load(us), ou), f32x4.mul(aw, shearU));
  const av = f32x4.sub(f32x4.sub(v128.load(vs), ov), f32x4.mul(aw, shearV));
  const bu = f32x4.sub(f32x4.sub(v128.load(us, PACK_V1), ou), f32x4.mul(bw, shearU));
  const bv = f32x4.sub(f32x4.sub(v128.load(vs, PACK_V1), ov), f32x4.mul(bw, shearV));
  const cu = f32x4.sub(f32x4.sub(v128.load(us, PACK_V2), ou), f32x4.mul(cw, shearU));
  const cv = f32x4.sub(f32x4.sub(v128.load(vs, PACK_V2), ov), f32x4.mul(cw, shearV));
  // Twice the areas that each corner's opposite edge spans with the ray.
  const areaA = f32x4.sub(f32x4.mul(cu, bv), f32x4.mul(cv, bu));
  const areaB = f32x4.sub(f32x4.mul(au, cv), f32x4.mul(av, cu));
  const areaC = f32x4.sub(f32x4.mul(bu, av), f32x4.mul(bv, au));
  const inside = v128.or(
    f32x4.ge(f32x4.pmin(f32x4.pmin(areaA, areaB), areaC), zero),
    f32x4.le(f32x4.pmax(f32x4.pmax(areaA, areaB), areaC), zero),
  );
  if (!v128.any_true(inside)) return 0;
  // Unused lanes and triangles seen edge on divide by zero: NaN or infinity, which no comparison below lets through.
  const scale = f32x4.div(f32x4.splat(<f32>1.0), f32x4.add(f32x4.add(areaA, areaB), areaC));
  const u = f32x4.mul(areaB, scale);
  const v = f32x4.mul(areaC, scale);
  const t = f32x4.mul(
    f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(areaA, scale), aw), f32x4.mul(u, bw)), f32x4.mul(v, cw)),
    shearW,
  );
  v128.store(scratch, t, LANES_T);
  v128.store(scratch, u, LANES_U);
  v128.store(scratch, v, LANES_V);
  const limit = f32x4.splat(far);
  const near = any ? f32x4.lt(t, limit) : f32x4.le(t, limit);
  return i32x4.bitmask(v128.and(v128.and(inside, f32x4.gt(t, zero)), near));
}

/** How far boxes count that a ray meets which has a hit at `far`. */
// @ts-ignore: decorator
@inline export function reachOf(far: f32, slack: f32): f32 {
  return far + far * SLACK + slack;
}

/** The slack of a mesh, for rays whose main axis lies `axis` bytes into a vector. */
// @ts-ignore: decorator
@inline export function slackOf(mesh: usize, axis: usize, origin: f32, inverse: f32): f32 {
  const low = load<f32>(mesh + axis, MESH_MIN);
  const high = load<f32>(mesh + axis, MESH_MAX);
  return SLACK * abs<f32>(inverse) * greaterOf(abs<f32>(low - origin), abs<f32>(high - origin));
}

/** Sets the hit. */
// @ts-ignore: decorator
@inline export function setHit(instance: usize, lane: usize, t: f32, u: f32, v: f32): void {
  hitT = t;
  hitU = u;
  hitV = v;
  hitTriangle = lane;
  hitInstance = instance;
}

/** Whether a triangle at exactly the hit's distance replaces it: the lower instance, then the lower triangle does. */
export function winsTie(instance: usize, lane: usize, thereInstance: usize, thereLane: usize): bool {
  if (thereInstance == 0 || instance != thereInstance) return instance < thereInstance;
  return load<i32>(lane, PACK_IDS) < load<i32>(thereLane, PACK_IDS);
}

/** Writes a moving pack's corners at the ray's time to `to`; returns `to`. */
function movePack(pack: usize, to: usize): usize {
  const t = f32x4.splat(rayTime);
  for (let i: usize = 0; i < <usize>PACK_IDS; i += 16) {
    v128.store(to + i, f32x4.add(v128.load(pack + i), f32x4.mul(v128.load(pack + i, PACK_DELTAS), t)));
  }
  return to;
}
