// The camera's rays through a block of pixels, cast together: they go nearly the same way, so a node is asked once for all of
// them, by intervals (Boulos et al. 2006, "Geometric and Arithmetic Culling Methods for Entire Ray Packets"), and only in front of
// a leaf each ray is tested for itself. What a ray hits is found with the very arithmetic of a ray that is cast alone, and
// does not depend on the tree; so whether rays are cast together changes no bit. Nothing may move while they are cast. The rays lie
// in packet-rays.ts, what is known of them in one space in packet-space.ts.
import { setAlphaSegment } from './alpha';
import {
  INSTANCE_FLAGS,
  INSTANCE_IS_IDENTITY,
  INSTANCE_MESH,
  INSTANCE_STRIDE,
  INSTANCE_TO_OBJECT,
  MESH_ALPHA,
  MESH_NODES,
  MESH_PACKS,
  NODE_CHILDREN,
  REFERENCE_SHIFT,
  WORKSPACE_MESH_STACK,
} from './layout';
import {
  count,
  groups,
  keepFound,
  keepHit,
  packet,
  RAY_DIRECTION,
  RAY_INSTANCE,
  RAY_T,
  RAY_TRIANGLE,
  RAY_U,
  RAY_V,
  rayAt,
  recallKey,
  scratch,
  setRayCount,
} from './packet-rays';
import {
  columns,
  enterSpace,
  INVERSE_X,
  INVERSE_Y,
  INVERSE_Z,
  nearX,
  nearY,
  nearZ,
  OBJECT,
  ORIGIN_X,
  ORIGIN_Y,
  ORIGIN_Z,
  rangeOf,
  REACH,
  returnToWorld,
  SHEAR_FACTORS,
  SHEAR_ORIGIN,
  SHEAR_SLACK,
  SHEAR_STRIDE,
  SHEAR_V,
  SHEAR_W,
  SHEARS,
  WORLD,
} from './packet-space';
import { closestInMesh, END, LANES_T, LANES_U, LANES_V, meetPack, reachOf, setHit, winsTie } from './traverse-mesh';
import { ROBUST } from './traverse-node';
import { countRays, instances, intersect, only, sceneNodes, workspace } from './traverse';
import { transformPoint, transformVector, x, y, z } from './vec';

/** Fewer rays than these are taken to an instance one by one. */
const FEW: i32 = 8;
/** From this many leaves on, packets whose leaves meet fewer than SPARSE rays each are broken up. */
const MANY_LEAVES: i32 = 48;
const SPARSE: i32 = 3;

// Entry of a stack: distance, reference, the node that it is a child of, and which one (times four).
const ENTRY: usize = 16;

/** Finds the closest hit of each of the first `rays` rays. */
export function castPacket(rays: i32): void {
  if (sceneNodes == 0) {
    countRays(rays);
    return;
  }
  setRayCount(rays);
  setAlphaSegment(0);
  if (only) {
    countRays(rays);
    visit(only);
  } else if (enterSpace(WORLD, 0, 0)) {
    countRays(rays);
    traverseTree(sceneNodes, workspace, 0, 0);
  } else {
    for (let i = 0; i < count; i++) {
      const ray = rayAt(i);
      recallKey(ray);
      if (intersect(v128.load(ray), v128.load(ray, RAY_DIRECTION), Infinity)) keepFound(ray);
    }
  }
}

/** Takes all rays to an instance. */
function visit(instance: usize): void {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  const together =
    load<i32>(mesh, MESH_ALPHA) == 0 &&
    enterSpace(OBJECT, instance, mesh) &&
    traverseTree(load<u32>(mesh, MESH_NODES), workspace + WORKSPACE_MESH_STACK, instance, load<u32>(mesh, MESH_PACKS));
  if (together) return;
  for (let i = 0; i < count; i++) visitAlone(rayAt(i), instance, mesh);
}

/** Takes one ray to an instance. */
function visitAlone(ray: usize, instance: usize, mesh: usize): void {
  recallKey(ray);
  setHit(load<u32>(ray, RAY_INSTANCE), load<u32>(ray, RAY_TRIANGLE), load<f32>(ray, RAY_T), load<f32>(ray, RAY_U), load<f32>(ray, RAY_V));
  let o = v128.load(ray);
  let d = v128.load(ray, RAY_DIRECTION);
  if ((load<i32>(instance, INSTANCE_FLAGS) & INSTANCE_IS_IDENTITY) == 0) {
    o = transformPoint(instance + INSTANCE_TO_OBJECT, o);
    d = transformVector(instance + INSTANCE_TO_OBJECT, d);
  }
  closestInMesh(instance, mesh, x(o), y(o), z(o), x(d), y(d), z(d));
  keepFound(ray);
}

/** The rays that meet the box at `planes` (`meetBox`), and only they, are taken to an instance. */
function meetInstance(instance: usize, planes: usize): void {
  let met: u64 = 0;
  for (let group: usize = 0; group < groups; group += 16) met |= <u64>meetBox(planes, columns + group) << <u64>(group >> 2);
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  if (<i32>popcnt<u64>(met) < FEW) {
    for (; met; met &= met - 1) visitAlone(rayAt(<u32>ctz<u64>(met)), instance, mesh);
  } else {
    const worldX = nearX;
    const worldY = nearY;
    const worldZ = nearZ;
    visit(instance);
    returnToWorld(worldX, worldY, worldZ);
  }
  for (let i = 0; i < count; i++) {
    const at = <usize>i;
    store<f32>(columns + (at << 2), load<f32>(rayAt(at), RAY_T), REACH);
  }
}

/** Distances that no ray of the packet enters the planes at `near` before. Rounding keeps the order, so the bound holds. */
// @ts-ignore: decorator
@inline function earliest(plane: v128, origin: v128, low: v128, high: v128): v128 {
  const d = f32x4.sub(plane, origin);
  return f32x4.pmin(f32x4.mul(d, low), f32x4.mul(d, high));
}

/** Distances that no ray of the packet leaves the planes after. */
// @ts-ignore: decorator
@inline function latest(plane: v128, origin: v128, low: v128, high: v128): v128 {
  const d = f32x4.sub(plane, origin);
  return f32x4.pmax(f32x4.mul(d, low), f32x4.mul(d, high));
}

/**
 * Goes down a tree with all rays: an instance's mesh, or, where `packs` is 0, the scene's. False when it was given up, since the
 * rays have little in common there.
 */
function traverseTree(nodes: usize, bottom: usize, instance: usize, packs: usize): bool {
  const rangeX = rangeOf(ORIGIN_X);
  const rangeY = rangeOf(ORIGIN_Y);
  const rangeZ = rangeOf(ORIGIN_Z);
  const inverseX = rangeOf(INVERSE_X);
  const inverseY = rangeOf(INVERSE_Y);
  const inverseZ = rangeOf(INVERSE_Z);
  const px = nearX;
  const py = nearY;
  const pz = nearZ;
  // A near plane is met earliest from the origin that is furthest on, a far plane latest from the one that lies furthest back.
  const aheadX = f32x4.splat(px == 0 ? y(rangeX) : x(rangeX));
  const aheadY = f32x4.splat(py == 64 ? y(rangeY) : x(rangeY));
  const aheadZ = f32x4.splat(pz == 128 ? y(rangeZ) : x(rangeZ));
  const behindX = f32x4.splat(px == 0 ? x(rangeX) : y(rangeX));
  const behindY = f32x4.splat(py == 64 ? x(rangeY) : y(rangeY));
  const behindZ = f32x4.splat(pz == 128 ? x(rangeZ) : y(rangeZ));
  const lowX = f32x4.splat(x(inverseX));
  const lowY = f32x4.splat(x(inverseY));
  const lowZ = f32x4.splat(x(inverseZ));
  const highX = f32x4.splat(y(inverseX));
  const highY = f32x4.splat(y(inverseY));
  const highZ = f32x4.splat(y(inverseZ));
  const zero = f32x4.splat(<f32>0.0);
  const widen = f32x4.splat(ROBUST);
  let furthest = y(rangeOf(REACH));
  let leaves = 0;
  let met = 0;
  store<f32>(bottom, -Infinity);
  store<i32>(bottom, END, 4);
  let stack = bottom + ENTRY;
  let current = 0;
  let node: usize = 0;
  let slot: usize = 0;
  while (current != END) {
    if (current >= 0) {
      node = nodes + (<usize>current << REFERENCE_SHIFT);
      const reach = f32x4.splat(furthest);
      let mask = 0;
      for (let half: usize = 0; half < 32; half += 16) {
        const at = node + half;
        const enter = f32x4.pmax(
          f32x4.pmax(earliest(v128.load(at + px), aheadX, lowX, highX), earliest(v128.load(at + py), aheadY, lowY, highY)),
          f32x4.pmax(earliest(v128.load(at + pz), aheadZ, lowZ, highZ), zero),
        );
        const leave = f32x4.pmin(
          f32x4.pmin(
            latest(v128.load(at + (px ^ 32)), behindX, lowX, highX),
            latest(v128.load(at + (py ^ 32)), behindY, lowY, highY),
          ),
          f32x4.pmin(latest(v128.load(at + (pz ^ 32)), behindZ, lowZ, highZ), reach),
        );
        v128.store(scratch + half, enter);
        mask |= i32x4.bitmask(f32x4.le(enter, f32x4.mul(leave, widen))) << <i32>(half >> 2);
      }
      const base = stack;
      while (mask) {
        const child = <usize>ctz(mask) << 2;
        mask &= mask - 1;
        const t = load<f32>(scratch + child);
        let at = stack;
        while (at > base && load<f32>(at - ENTRY) < t) {
          v128.store(at, v128.load(at - ENTRY));
          at -= ENTRY;
        }
        store<f32>(at, t);
        store<i32>(at, load<i32>(node + child, NODE_CHILDREN), 4);
        store<u32>(at, <u32>node, 8);
        store<u32>(at, <u32>child, 12);
        stack += ENTRY;
      }
    } else {
      leaves++;
      if (packs) {
        const rays = meetLeaf(instance, packs + (<usize>~current << REFERENCE_SHIFT), node + slot);
        met += rays;
        if (rays) furthest = y(rangeOf(REACH));
        if (leaves >= MANY_LEAVES && met < leaves * SPARSE) return false;
      } else {
        meetInstance(instances + <usize>~current * INSTANCE_STRIDE, node + slot);
        furthest = y(rangeOf(REACH));
      }
    }
    do stack -= ENTRY;
    while (load<f32>(stack) > furthest);
    current = load<i32>(stack, 4);
    node = <usize>load<u32>(stack, 8);
    slot = <usize>load<u32>(stack, 12);
  }
  return true;
}

/** Bits of the rays of the group at `group` that meet the box whose planes lie at `planes`, as a node's child has them. */
// @ts-ignore: decorator
@inline function meetBox(planes: usize, group: usize): i32 {
  const ox = v128.load(group, ORIGIN_X);
  const oy = v128.load(group, ORIGIN_Y);
  const oz = v128.load(group, ORIGIN_Z);
  const ix = v128.load(group, INVERSE_X);
  const iy = v128.load(group, INVERSE_Y);
  const iz = v128.load(group, INVERSE_Z);
  const enter = f32x4.pmax(
    f32x4.pmax(
      f32x4.mul(f32x4.sub(v128.load32_splat(planes + nearX), ox), ix),
      f32x4.mul(f32x4.sub(v128.load32_splat(planes + nearY), oy), iy),
    ),
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load32_splat(planes + nearZ), oz), iz), f32x4.splat(<f32>0.0)),
  );
  const leave = f32x4.pmin(
    f32x4.pmin(
      f32x4.mul(f32x4.sub(v128.load32_splat(planes + (nearX ^ 32)), ox), ix),
      f32x4.mul(f32x4.sub(v128.load32_splat(planes + (nearY ^ 32)), oy), iy),
    ),
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load32_splat(planes + (nearZ ^ 32)), oz), iz), v128.load(group, REACH)),
  );
  return i32x4.bitmask(f32x4.le(enter, f32x4.mul(leave, f32x4.splat(ROBUST))));
}

/** Tests the rays that meet a leaf's box with its triangles; returns how many they were. */
function meetLeaf(instance: usize, pack: usize, planes: usize): i32 {
  let met = 0;
  for (let group: usize = 0; group < groups; group += 16) {
    let mask = meetBox(planes, columns + group);
    met += popcnt(mask);
    while (mask) {
      meetTriangles(instance, pack, (group >> 2) + <usize>ctz(mask));
      mask &= mask - 1;
    }
  }
  return met;
}

function meetTriangles(instance: usize, pack: usize, index: usize): void {
  const ray = rayAt(index);
  const s = packet + SHEARS + index * SHEAR_STRIDE;
  let far = load<f32>(ray, RAY_T);
  let mask = meetPack(
    false,
    pack + <usize>load<u32>(s),
    pack + <usize>load<u32>(s, SHEAR_V),
    pack + <usize>load<u32>(s, SHEAR_W),
    v128.load32_splat(s, SHEAR_ORIGIN),
    v128.load32_splat(s, SHEAR_ORIGIN + 4),
    v128.load32_splat(s, SHEAR_ORIGIN + 8),
    v128.load32_splat(s, SHEAR_FACTORS),
    v128.load32_splat(s, SHEAR_FACTORS + 4),
    v128.load32_splat(s, SHEAR_FACTORS + 8),
    far,
    scratch,
  );
  if (mask == 0) return;
  do {
    const i = <usize>ctz(mask) << 2;
    mask &= mask - 1;
    const t = load<f32>(scratch + i, LANES_T);
    if (t > far || (t == far && !winsTie(instance, pack + i, load<u32>(ray, RAY_INSTANCE), load<u32>(ray, RAY_TRIANGLE)))) {
      continue;
    }
    far = t;
    keepHit(ray, instance, pack + i, t, load<f32>(scratch + i, LANES_U), load<f32>(scratch + i, LANES_V));
  } while (mask);
  store<f32>(columns + (index << 2), reachOf(far, load<f32>(s, SHEAR_SLACK)), REACH);
}
