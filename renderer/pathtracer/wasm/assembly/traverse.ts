// Two-level traversal: a tree over instances, below each a tree over its mesh's triangles in object space.
// Eight children are tested as two v128 with planes selected by the ray's signs; leaves test four triangles at once
// (Moeller and Trumbore 1997). Far planes are widened by 2 gamma(3) so that rounding never loses a box (Ize 2013).
import { passesAlpha } from './alpha';
import {
  INSTANCE_MESH,
  INSTANCE_STRIDE,
  INSTANCE_TO_OBJECT,
  MESH_ALPHA,
  MESH_NODES,
  MESH_PACKS,
  NODE_CHILDREN,
  NODE_STRIDE,
  PACK_IDS,
  PACK_STRIDE,
  WORKSPACE_MESH_STACK,
  WORKSPACE_SCRATCH,
} from './layout';
import { transformPoint, transformVector, x, y, z } from './vec';

/** The closest hit found by `intersect`. */
export let hitT: f32 = 0;
export let hitU: f32 = 0;
export let hitV: f32 = 0;
/** Address of the triangle's lane inside its pack: v0.x at +0, v0.y at +16 … */
export let hitTriangle: usize = 0;
export let hitInstance: usize = 0;
/** Rays cast by this thread since the counter was last read. */
export let rayCount: f64 = 0;

let workspace: usize = 0;
let sceneNodes: usize = 0;
let instances: usize = 0;

const ROBUST: f32 = <f32>1.0000006;

export function setTraversal(workspaceAt: usize, nodesAt: usize, instancesAt: usize): void {
  workspace = workspaceAt;
  sceneNodes = nodesAt;
  instances = instancesAt;
  rayCount = 0;
}

/** Reciprocal that stays finite for zero, so that box tests meet no NaN. */
// @ts-ignore: decorator
@inline function reciprocal(d: f32): f32 {
  return <f32>1.0 / (abs<f32>(d) > <f32>1e-18 ? d : copysign<f32>(<f32>1e-18, d));
}

/** Bit i is set where child i of `node` is hit before `tMax`; entry distances are left in `scratch`. */
// @ts-ignore: decorator
@inline function hitChildren(
  node: usize, nearX: usize, nearY: usize, nearZ: usize,
  ox: v128, oy: v128, oz: v128, ix: v128, iy: v128, iz: v128, fx: v128, fy: v128, fz: v128,
  tMax: v128, scratch: usize,
): i32 {
  const nx = node + nearX;
  const ny = node + nearY;
  const nz = node + nearZ;
  const gx = node + (nearX ^ 32);
  const gy = node + (nearY ^ 32);
  const gz = node + (nearZ ^ 32);
  const zero = f32x4.splat(<f32>0.0);
  const near0 = f32x4.pmax(
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nx), ox), ix), f32x4.mul(f32x4.sub(v128.load(ny), oy), iy)),
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nz), oz), iz), zero),
  );
  const far0 = f32x4.pmin(
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gx), ox), fx), f32x4.mul(f32x4.sub(v128.load(gy), oy), fy)),
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gz), oz), fz), tMax),
  );
  const near1 = f32x4.pmax(
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nx, 16), ox), ix), f32x4.mul(f32x4.sub(v128.load(ny, 16), oy), iy)),
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nz, 16), oz), iz), zero),
  );
  const far1 = f32x4.pmin(
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gx, 16), ox), fx), f32x4.mul(f32x4.sub(v128.load(gy, 16), oy), fy)),
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gz, 16), oz), fz), tMax),
  );
  v128.store(scratch, near0);
  v128.store(scratch, near1, 16);
  return i32x4.bitmask(f32x4.le(near0, far0)) | (i32x4.bitmask(f32x4.le(near1, far1)) << 4);
}

/** Moves the hit children onto the stack, nearest on top; returns the new stack pointer. Entries are (t, reference). */
// @ts-ignore: decorator
@inline function pushSorted(node: usize, mask: i32, scratch: usize, stack: usize): usize {
  const bottom = stack;
  const first = <usize>ctz(mask) << 2;
  mask &= mask - 1;
  store<f32>(stack, load<f32>(scratch + first));
  store<i32>(stack, load<i32>(node + first, NODE_CHILDREN), 4);
  stack += 8;
  do {
    const i = <usize>ctz(mask) << 2;
    mask &= mask - 1;
    const t = load<f32>(scratch + i);
    let p = stack;
    while (p > bottom && load<f32>(p - 8) < t) {
      store<u64>(p, load<u64>(p - 8));
      p -= 8;
    }
    store<f32>(p, t);
    store<i32>(p, load<i32>(node + i, NODE_CHILDREN), 4);
    stack += 8;
  } while (mask);
  return stack;
}

/** Finds the closest hit with 0 < t < tMax; fills the `hit…` variables. */
export function intersect(origin: v128, direction: v128, tMax: f32): bool {
  rayCount += 1;
  hitT = tMax;
  hitInstance = 0;
  if (sceneNodes == 0) return false;
  const scratch = workspace + WORKSPACE_SCRATCH;
  const bottom = workspace;
  const ox = f32x4.splat(x(origin));
  const oy = f32x4.splat(y(origin));
  const oz = f32x4.splat(z(origin));
  const rx = reciprocal(x(direction));
  const ry = reciprocal(y(direction));
  const rz = reciprocal(z(direction));
  const nearX: usize = rx < <f32>0.0 ? 32 : 0;
  const nearY: usize = ry < <f32>0.0 ? 96 : 64;
  const nearZ: usize = rz < <f32>0.0 ? 160 : 128;
  const ix = f32x4.splat(rx);
  const iy = f32x4.splat(ry);
  const iz = f32x4.splat(rz);
  const fx = f32x4.splat(rx * ROBUST);
  const fy = f32x4.splat(ry * ROBUST);
  const fz = f32x4.splat(rz * ROBUST);
  let stack = bottom;
  let current = 0;
  while (true) {
    if (current >= 0) {
      const node = sceneNodes + <usize>current * NODE_STRIDE;
      const mask = hitChildren(node, nearX, nearY, nearZ, ox, oy, oz, ix, iy, iz, fx, fy, fz, f32x4.splat(hitT), scratch);
      if (mask) {
        if ((mask & (mask - 1)) == 0) {
          current = load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN);
          continue;
        }
        stack = pushSorted(node, mask, scratch, stack) - 8;
        current = load<i32>(stack, 4);
        continue;
      }
    } else {
      const instance = instances + <usize>~current * INSTANCE_STRIDE;
      const o = transformPoint(instance + INSTANCE_TO_OBJECT, origin);
      const d = transformVector(instance + INSTANCE_TO_OBJECT, direction);
      closestInMesh(instance, load<u32>(instance, INSTANCE_MESH), x(o), y(o), z(o), x(d), y(d), z(d));
    }
    do {
      if (stack == bottom) return hitInstance != 0;
      stack -= 8;
    } while (load<f32>(stack) >= hitT);
    current = load<i32>(stack, 4);
  }
}

function closestInMesh(instance: usize, mesh: usize, px: f32, py: f32, pz: f32, dx: f32, dy: f32, dz: f32): void {
  const scratch = workspace + WORKSPACE_SCRATCH + 64;
  const bottom = workspace + WORKSPACE_MESH_STACK;
  const nodes = <usize>load<u32>(mesh, MESH_NODES);
  const packs = <usize>load<u32>(mesh, MESH_PACKS);
  const alpha = load<i32>(mesh, MESH_ALPHA) != 0;
  const ox = f32x4.splat(px);
  const oy = f32x4.splat(py);
  const oz = f32x4.splat(pz);
  const vx = f32x4.splat(dx);
  const vy = f32x4.splat(dy);
  const vz = f32x4.splat(dz);
  const rx = reciprocal(dx);
  const ry = reciprocal(dy);
  const rz = reciprocal(dz);
  const nearX: usize = rx < <f32>0.0 ? 32 : 0;
  const nearY: usize = ry < <f32>0.0 ? 96 : 64;
  const nearZ: usize = rz < <f32>0.0 ? 160 : 128;
  const ix = f32x4.splat(rx);
  const iy = f32x4.splat(ry);
  const iz = f32x4.splat(rz);
  const fx = f32x4.splat(rx * ROBUST);
  const fy = f32x4.splat(ry * ROBUST);
  const fz = f32x4.splat(rz * ROBUST);
  let far = hitT;
  let stack = bottom;
  let current = 0;
  while (true) {
    if (current >= 0) {
      const node = nodes + <usize>current * NODE_STRIDE;
      const mask = hitChildren(node, nearX, nearY, nearZ, ox, oy, oz, ix, iy, iz, fx, fy, fz, f32x4.splat(far), scratch);
      if (mask) {
        if ((mask & (mask - 1)) == 0) {
          current = load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN);
          continue;
        }
        stack = pushSorted(node, mask, scratch, stack) - 8;
        current = load<i32>(stack, 4);
        continue;
      }
    } else {
      const pack = packs + <usize>~current * PACK_STRIDE;
      const e1x = v128.load(pack, 48);
      const e1y = v128.load(pack, 64);
      const e1z = v128.load(pack, 80);
      const e2x = v128.load(pack, 96);
      const e2y = v128.load(pack, 112);
      const e2z = v128.load(pack, 128);
      const pvx = f32x4.sub(f32x4.mul(vy, e2z), f32x4.mul(vz, e2y));
      const pvy = f32x4.sub(f32x4.mul(vz, e2x), f32x4.mul(vx, e2z));
      const pvz = f32x4.sub(f32x4.mul(vx, e2y), f32x4.mul(vy, e2x));
      const inv = f32x4.div(f32x4.splat(<f32>1.0), dot3(e1x, e1y, e1z, pvx, pvy, pvz));
      const tvx = f32x4.sub(ox, v128.load(pack));
      const tvy = f32x4.sub(oy, v128.load(pack, 16));
      const tvz = f32x4.sub(oz, v128.load(pack, 32));
      const u = f32x4.mul(dot3(tvx, tvy, tvz, pvx, pvy, pvz), inv);
      const qvx = f32x4.sub(f32x4.mul(tvy, e1z), f32x4.mul(tvz, e1y));
      const qvy = f32x4.sub(f32x4.mul(tvz, e1x), f32x4.mul(tvx, e1z));
      const qvz = f32x4.sub(f32x4.mul(tvx, e1y), f32x4.mul(tvy, e1x));
      const v = f32x4.mul(dot3(vx, vy, vz, qvx, qvy, qvz), inv);
      const t = f32x4.mul(dot3(e2x, e2y, e2z, qvx, qvy, qvz), inv);
      let mask = inside(u, v, t, f32x4.splat(far));
      if (mask) {
        v128.store(scratch, t, 32);
        v128.store(scratch, u, 48);
        v128.store(scratch, v, 64);
        do {
          const i = <usize>ctz(mask) << 2;
          mask &= mask - 1;
          const ti = load<f32>(scratch + i, 32);
          if (ti >= far) continue;
          const ui = load<f32>(scratch + i, 48);
          const vi = load<f32>(scratch + i, 64);
          if (alpha && !passesAlpha(instance, mesh, load<i32>(pack + i, PACK_IDS), ui, vi)) continue;
          far = ti;
          hitU = ui;
          hitV = vi;
          hitTriangle = pack + i;
          hitInstance = instance;
        } while (mask);
        hitT = far;
      }
    }
    do {
      if (stack == bottom) return;
      stack -= 8;
    } while (load<f32>(stack) >= far);
    current = load<i32>(stack, 4);
  }
}

// @ts-ignore: decorator
@inline function dot3(ax: v128, ay: v128, az: v128, bx: v128, by: v128, bz: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(ax, bx), f32x4.mul(ay, by)), f32x4.mul(az, bz));
}

/** Lanes whose barycentrics lie inside and 0 < t < far. Unused lanes give NaN and fail every comparison. */
// @ts-ignore: decorator
@inline function inside(u: v128, v: v128, t: v128, far: v128): i32 {
  const zero = f32x4.splat(<f32>0.0);
  return i32x4.bitmask(
    v128.and(
      v128.and(v128.and(f32x4.ge(u, zero), f32x4.ge(v, zero)), f32x4.le(f32x4.add(u, v), f32x4.splat(<f32>1.0))),
      v128.and(f32x4.gt(t, zero), f32x4.lt(t, far)),
    ),
  );
}

/** Whether anything opaque lies at 0 < t < tMax. Transmissive surfaces block: light through them is found by the path itself. */
export function occluded(origin: v128, direction: v128, tMax: f32): bool {
  rayCount += 1;
  if (sceneNodes == 0) return false;
  const scratch = workspace + WORKSPACE_SCRATCH;
  const bottom = workspace;
  const ox = f32x4.splat(x(origin));
  const oy = f32x4.splat(y(origin));
  const oz = f32x4.splat(z(origin));
  const rx = reciprocal(x(direction));
  const ry = reciprocal(y(direction));
  const rz = reciprocal(z(direction));
  const nearX: usize = rx < <f32>0.0 ? 32 : 0;
  const nearY: usize = ry < <f32>0.0 ? 96 : 64;
  const nearZ: usize = rz < <f32>0.0 ? 160 : 128;
  const ix = f32x4.splat(rx);
  const iy = f32x4.splat(ry);
  const iz = f32x4.splat(rz);
  const fx = f32x4.splat(rx * ROBUST);
  const fy = f32x4.splat(ry * ROBUST);
  const fz = f32x4.splat(rz * ROBUST);
  const far = f32x4.splat(tMax);
  let stack = bottom;
  let current = 0;
  while (true) {
    if (current >= 0) {
      const node = sceneNodes + <usize>current * NODE_STRIDE;
      let mask = hitChildren(node, nearX, nearY, nearZ, ox, oy, oz, ix, iy, iz, fx, fy, fz, far, scratch);
      while (mask) {
        store<i32>(stack, load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN));
        stack += 4;
        mask &= mask - 1;
      }
    } else {
      const instance = instances + <usize>~current * INSTANCE_STRIDE;
      const o = transformPoint(instance + INSTANCE_TO_OBJECT, origin);
      const d = transformVector(instance + INSTANCE_TO_OBJECT, direction);
      if (occludedInMesh(instance, load<u32>(instance, INSTANCE_MESH), x(o), y(o), z(o), x(d), y(d), z(d), tMax)) return true;
    }
    if (stack == bottom) return false;
    stack -= 4;
    current = load<i32>(stack);
  }
}

function occludedInMesh(instance: usize, mesh: usize, px: f32, py: f32, pz: f32, dx: f32, dy: f32, dz: f32, tMax: f32): bool {
  const scratch = workspace + WORKSPACE_SCRATCH + 64;
  const bottom = workspace + WORKSPACE_MESH_STACK;
  const nodes = <usize>load<u32>(mesh, MESH_NODES);
  const packs = <usize>load<u32>(mesh, MESH_PACKS);
  const alpha = load<i32>(mesh, MESH_ALPHA) != 0;
  const ox = f32x4.splat(px);
  const oy = f32x4.splat(py);
  const oz = f32x4.splat(pz);
  const vx = f32x4.splat(dx);
  const vy = f32x4.splat(dy);
  const vz = f32x4.splat(dz);
  const rx = reciprocal(dx);
  const ry = reciprocal(dy);
  const rz = reciprocal(dz);
  const nearX: usize = rx < <f32>0.0 ? 32 : 0;
  const nearY: usize = ry < <f32>0.0 ? 96 : 64;
  const nearZ: usize = rz < <f32>0.0 ? 160 : 128;
  const ix = f32x4.splat(rx);
  const iy = f32x4.splat(ry);
  const iz = f32x4.splat(rz);
  const fx = f32x4.splat(rx * ROBUST);
  const fy = f32x4.splat(ry * ROBUST);
  const fz = f32x4.splat(rz * ROBUST);
  const far = f32x4.splat(tMax);
  let stack = bottom;
  let current = 0;
  while (true) {
    if (current >= 0) {
      const node = nodes + <usize>current * NODE_STRIDE;
      let mask = hitChildren(node, nearX, nearY, nearZ, ox, oy, oz, ix, iy, iz, fx, fy, fz, far, scratch);
      while (mask) {
        store<i32>(stack, load<i32>(node + (<usize>ctz(mask) << 2), NODE_CHILDREN));
        stack += 4;
        mask &= mask - 1;
      }
    } else {
      const pack = packs + <usize>~current * PACK_STRIDE;
      const e1x = v128.load(pack, 48);
      const e1y = v128.load(pack, 64);
      const e1z = v128.load(pack, 80);
      const e2x = v128.load(pack, 96);
      const e2y = v128.load(pack, 112);
      const e2z = v128.load(pack, 128);
      const pvx = f32x4.sub(f32x4.mul(vy, e2z), f32x4.mul(vz, e2y));
      const pvy = f32x4.sub(f32x4.mul(vz, e2x), f32x4.mul(vx, e2z));
      const pvz = f32x4.sub(f32x4.mul(vx, e2y), f32x4.mul(vy, e2x));
      const inv = f32x4.div(f32x4.splat(<f32>1.0), dot3(e1x, e1y, e1z, pvx, pvy, pvz));
      const tvx = f32x4.sub(ox, v128.load(pack));
      const tvy = f32x4.sub(oy, v128.load(pack, 16));
      const tvz = f32x4.sub(oz, v128.load(pack, 32));
      const u = f32x4.mul(dot3(tvx, tvy, tvz, pvx, pvy, pvz), inv);
      const qvx = f32x4.sub(f32x4.mul(tvy, e1z), f32x4.mul(tvz, e1y));
      const qvy = f32x4.sub(f32x4.mul(tvz, e1x), f32x4.mul(tvx, e1z));
      const qvz = f32x4.sub(f32x4.mul(tvx, e1y), f32x4.mul(tvy, e1x));
      const v = f32x4.mul(dot3(vx, vy, vz, qvx, qvy, qvz), inv);
      const t = f32x4.mul(dot3(e2x, e2y, e2z, qvx, qvy, qvz), inv);
      let mask = inside(u, v, t, far);
      if (mask) {
        if (!alpha) return true;
        v128.store(scratch, u, 48);
        v128.store(scratch, v, 64);
        do {
          const i = <usize>ctz(mask) << 2;
          mask &= mask - 1;
          if (passesAlpha(instance, mesh, load<i32>(pack + i, PACK_IDS), load<f32>(scratch + i, 48), load<f32>(scratch + i, 64))) {
            return true;
          }
        } while (mask);
      }
    }
    if (stack == bottom) return false;
    stack -= 4;
    current = load<i32>(stack);
  }
}
