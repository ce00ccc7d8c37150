// The camera's rays through a block of pixels, cast together: they go nearly the same way, so a node is asked once for all of
// them, by intervals (Boulos et al. 2006, "Geometric and Arithmetic Culling Methods for Entire Ray Packets"), and only in front of
// a leaf each ray is tested for itself. What a ray hits is found with the very arithmetic of a ray that is cast alone, and
// does not depend on the tree; so whether rays are cast together changes no bit. Nothing may move while they are cast.
import { setAlphaSegment } from './alpha';
import { setRay } from './camera';
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
  PACK_IDS,
  REFERENCE_SHIFT,
  WORKSPACE_MESH_STACK,
  WORKSPACE_PACKET,
  WORKSPACE_SCRATCH,
} from './layout';
import { setPixelKey } from './sampler';
import {
  closestInMesh,
  END,
  hitInstance,
  hitT,
  hitTriangle,
  hitU,
  hitV,
  LANES_T,
  LANES_U,
  LANES_V,
  meetPack,
  reachOf,
  setHit,
  slackOf,
  winsTie,
} from './traverse-mesh';
import { nearPlanes, reciprocal, ROBUST } from './traverse-node';
import { countRays, instances, intersect, only, sceneNodes, workspace } from './traverse';
import { transformPoint, transformVector, x, y, z } from './vec';

/** Fewer rays than these are taken to an instance one by one. */
const FEW: i32 = 8;
/** From this many leaves on, packets whose leaves meet fewer than SPARSE rays each are broken up. */
const MANY_LEAVES: i32 = 48;
const SPARSE: i32 = 3;

// One ray as it was given: origin, direction (fourth lane: depth scale); then what it hit.
const RAY_STRIDE: usize = 64;
const RAY_DIRECTION: usize = 16;
const RAY_T: usize = 32;
const RAY_U: usize = 36;
const RAY_V: usize = 40;
const RAY_TRIANGLE: usize = 44;
const RAY_INSTANCE: usize = 48;
const RAY_KEY: usize = 52; // its pixel's (sampler.ts)
// Columns of one float a ray: origins, reciprocals of directions, how far boxes count. There are two sets of them.
const WORLD: usize = 4096;
const OBJECT: usize = 6144;
const ORIGIN_X: usize = 0;
const ORIGIN_Y: usize = 256;
const ORIGIN_Z: usize = 512;
const INVERSE_X: usize = 768;
const INVERSE_Y: usize = 1024;
const INVERSE_Z: usize = 1280;
const REACH: usize = 1536;
// The shear of each ray (traverse-mesh.ts): axes, origin along them, shear, slack.
const SHEARS: usize = 8192;
const SHEAR_STRIDE: usize = 64;
const SHEAR_V: usize = 4;
const SHEAR_W: usize = 8;
const SHEAR_ORIGIN: usize = 12; // three floats
const SHEAR_FACTORS: usize = 24; // three floats
const SHEAR_SLACK: usize = 36;

// Entry of a stack: distance, reference, the node that it is a child of, and which one (times four).
const ENTRY: usize = 16;

let packet: usize = 0;
let scratch: usize = 0;
let count: i32 = 0;
let groups: usize = 0; // bytes of a column that are used: 16 for each four rays

// The space that the rays are in: its columns, and where in a node the planes lie that all of them enter through.
let columns: usize = 0;
let nearX: usize = 0;
let nearY: usize = 0;
let nearZ: usize = 0;

/** Takes the memory of `setTraversal`, which comes first. */
export function setPackets(): void {
  packet = workspace + WORKSPACE_PACKET;
  scratch = workspace + WORKSPACE_SCRATCH + 64;
}

/** Sets ray `index`; `key` is its pixel's (sampler.ts), for what is decided by chance on the way. */
export function setPacketRay(index: i32, origin: v128, direction: v128, depthScale: f32, key: u32): void {
  const ray = packet + <usize>index * RAY_STRIDE;
  v128.store(ray, origin);
  v128.store(ray, f32x4.replace_lane(direction, 3, depthScale), RAY_DIRECTION);
  store<f32>(ray, Infinity, RAY_T);
  store<u32>(ray, 0, RAY_INSTANCE);
  store<u32>(ray, key, RAY_KEY);
}

/** Makes ray `index` the one that camera and sampler are at. */
export function recallRay(index: i32): void {
  const ray = packet + <usize>index * RAY_STRIDE;
  setPixelKey(load<u32>(ray, RAY_KEY));
  setRay(v128.load(ray), v128.load(ray, RAY_DIRECTION), load<f32>(ray, RAY_DIRECTION + 12));
}

/** Makes the hit of ray `index` the one that `traverse.ts` tells of; false when there is none. */
export function recallHit(index: i32): bool {
  const ray = packet + <usize>index * RAY_STRIDE;
  const instance = load<u32>(ray, RAY_INSTANCE);
  setHit(instance, load<u32>(ray, RAY_TRIANGLE), load<f32>(ray, RAY_T), load<f32>(ray, RAY_U), load<f32>(ray, RAY_V));
  return instance != 0;
}

/** Finds the closest hit of each of the first `rays` rays. */
export function castPacket(rays: i32): void {
  if (sceneNodes == 0) {
    countRays(rays);
    return;
  }
  count = rays;
  groups = <usize>((rays + 3) >> 2) << 4;
  setAlphaSegment(0);
  if (only) {
    countRays(rays);
    visit(only);
  } else if (enterSpace(WORLD, 0, 0)) {
    countRays(rays);
    traverseTree(sceneNodes, workspace, 0, 0);
  } else {
    for (let i = 0; i < count; i++) {
      const ray = packet + <usize>i * RAY_STRIDE;
      setPixelKey(load<u32>(ray, RAY_KEY));
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
  for (let i = 0; i < count; i++) visitAlone(packet + <usize>i * RAY_STRIDE, instance, mesh);
}

/** Takes one ray to an instance. */
function visitAlone(ray: usize, instance: usize, mesh: usize): void {
  setPixelKey(load<u32>(ray, RAY_KEY));
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

/** Keeps the hit that `traverse-mesh.ts` tells of. */
function keepFound(ray: usize): void {
  keepHit(ray, hitInstance, hitTriangle, hitT, hitU, hitV);
}

/**
 * Brings the rays into the space of `instance` (0: the world) and says whether they all point into one octant there, without
 * which they cannot go together. `mesh`: what they are to meet there, 0 for instances.
 */
function enterSpace(space: usize, instance: usize, mesh: usize): bool {
  const toObject = instance != 0 && (load<i32>(instance, INSTANCE_FLAGS) & INSTANCE_IS_IDENTITY) == 0;
  columns = packet + space;
  let signs = 0;
  for (let i = 0; i < count; i++) {
    const ray = packet + <usize>i * RAY_STRIDE;
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

/** The rays that meet the box at `planes` (`meetBox`), and only they, are taken to an instance. */
function meetInstance(instance: usize, planes: usize): void {
  let met: u64 = 0;
  for (let group: usize = 0; group < groups; group += 16) met |= <u64>meetBox(planes, columns + group) << <u64>(group >> 2);
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  if (<i32>popcnt<u64>(met) < FEW) {
    for (; met; met &= met - 1) visitAlone(packet + <usize>ctz<u64>(met) * RAY_STRIDE, instance, mesh);
  } else {
    const worldX = nearX;
    const worldY = nearY;
    const worldZ = nearZ;
    visit(instance);
    columns = packet + WORLD;
    nearX = worldX;
    nearY = worldY;
    nearZ = worldZ;
  }
  for (let i = 0; i < count; i++) {
    const at = <usize>i;
    store<f32>(columns + (at << 2), load<f32>(packet + at * RAY_STRIDE, RAY_T), REACH);
  }
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
function rangeOf(column: usize): v128 {
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
  const ray = packet + index * RAY_STRIDE;
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

// @ts-ignore: decorator
@inline function keepHit(ray: usize, instance: usize, lane: usize, t: f32, u: f32, v: f32): void {
  store<f32>(ray, t, RAY_T);
  store<f32>(ray, u, RAY_U);
  store<f32>(ray, v, RAY_V);
  store<u32>(ray, <u32>lane, RAY_TRIANGLE);
  store<u32>(ray, <u32>instance, RAY_INSTANCE);
}
