// Writes the binary tree as eight-wide nodes (Wald, Benthin, Boulos 2008, "Getting Rid of Packets"), as bvh-collapse.ts chose them,
// and leaves as packs of four triangles.
import { areaOf, BINARY_COUNT, BINARY_FIRST, BINARY_LEFT, binaryNode, buildBinary, leafCount } from './bvh-build';
import { chooseCollapse, collapseNode } from './bvh-collapse';
import {
  BUILD_BINS_BYTES,
  BUILD_NODE_STRIDE,
  MESH_INDICES,
  MESH_MAX,
  MESH_MIN,
  MESH_NODES,
  MESH_PACKS,
  MESH_TRIANGLES,
  NODE_CHILDREN,
  MESH_MOVING,
  NODE_STRIDE,
  PACK_DELTAS,
  PACK_IDS,
  PACK_MOVING_STRIDE,
  PACK_STRIDE,
  PACK_V1,
  PACK_V2,
  REFERENCE_SHIFT,
  REF_STRIDE,
} from './layout';
import { addScaled, cross, largestMagnitude, vec, x, y, z } from './vec';

let wideNodes: usize = 0;
let wideCount: i32 = 0;
let packs: usize = 0; // 0 while emitting the scene's tree, whose leaves are instances
let packCount: i32 = 0;
let packStride: i32 = PACK_STRIDE;
let references: usize = 0;
let positions: usize = 0;
let positionsNext: usize = 0; // 0 unless the mesh moves
let shutter: f32 = 0;
let indices: usize = 0;

/** Writes references of all triangles that can be hit (finite, not degenerate) to `refs`; returns how many. */
function referTriangles(count: i32, refs: usize): i32 {
  let at = refs;
  for (let i = 0; i < count; i++) {
    const a = corner(positions, i, 0);
    const b = corner(positions, i, 1);
    const c = corner(positions, i, 2);
    let lo = f32x4.min(f32x4.min(a, b), c);
    let hi = f32x4.max(f32x4.max(a, b), c);
    let canBeHit = hasArea(a, b, c);
    if (positionsNext) {
      // Corners move on straight lines, so the box around both ends holds all that is between.
      const a1 = shutterEnd(a, i, 0);
      const b1 = shutterEnd(b, i, 1);
      const c1 = shutterEnd(c, i, 2);
      lo = f32x4.min(lo, f32x4.min(f32x4.min(a1, b1), c1));
      hi = f32x4.max(hi, f32x4.max(f32x4.max(a1, b1), c1));
      canBeHit = canBeHit || hasArea(a1, b1, c1);
    }
    // Comparisons are false for NaN; the size limit keeps areas finite.
    const size = max<f32>(max<f32>(x(hi) - x(lo), y(hi) - y(lo)), z(hi) - z(lo));
    const reach = max<f32>(max<f32>(abs<f32>(x(hi)), abs<f32>(y(hi))), abs<f32>(z(hi)));
    const reachLow = max<f32>(max<f32>(abs<f32>(x(lo)), abs<f32>(y(lo))), abs<f32>(z(lo)));
    if (!(canBeHit && size < <f32>1e18 && reach < <f32>1e18 && reachLow < <f32>1e18)) continue;
    v128.store(at, i32x4.replace_lane(lo, 3, i));
    v128.store(at, hi, 16);
    at += REF_STRIDE;
  }
  return <i32>((at - refs) / REF_STRIDE);
}

// @ts-ignore: decorator
@inline function hasArea(a: v128, b: v128, c: v128): bool {
  return largestMagnitude(cross(f32x4.sub(b, a), f32x4.sub(c, a))) > <f32>0.0;
}

// @ts-ignore: decorator
@inline function corner(base: usize, triangle: i32, k: i32): v128 {
  const p = base + <usize>load<u32>(indices + <usize>(triangle * 3 + k) * 4) * 12;
  return vec(load<f32>(p), load<f32>(p, 4), load<f32>(p, 8));
}

/** Where a corner is when the shutter closes. */
// @ts-ignore: decorator
@inline function shutterEnd(now: v128, triangle: i32, k: i32): v128 {
  return addScaled(now, f32x4.sub(corner(positionsNext, triangle, k), now), shutter);
}

/**
 * First step of building a mesh's BVH: the binary tree, kept in `scratch` (n references, the bins and 2 n + 1 nodes) until
 * `emitMeshTree` is called on the same thread. Sets the mesh record's bounds; returns the number of leaves, which is the number
 * of packs; 2 leaves - 1 nodes are then in use. No leaves: nothing in the mesh can be hit. A mesh that moves has its vertices
 * one frame later at `nextAt` (else 0) and is enclosed from time 0 to `shutterTime`. The second step is `chooseCollapse`.
 */
export function buildMeshTree(mesh: usize, positionsAt: usize, nextAt: usize, shutterTime: f32, scratch: usize): i32 {
  positions = positionsAt;
  positionsNext = nextAt;
  shutter = shutterTime;
  indices = load<u32>(mesh, MESH_INDICES);
  references = scratch;
  const count = referTriangles(load<i32>(mesh, MESH_TRIANGLES), references);
  if (count == 0) return 0;
  buildBinary(references, count, scratch + <usize>count * REF_STRIDE, 4);
  const root = binaryNode(0);
  for (let k: usize = 0; k < 3; k++) {
    store<f32>(mesh + k * 4, load<f32>(root + k * 4), MESH_MIN);
    store<f32>(mesh + k * 4, load<f32>(root + k * 4, 16), MESH_MAX);
  }
  return leafCount;
}

/** Third step: writes wide nodes and packs and enters them in the mesh record; returns the number of nodes. */
export function emitMeshTree(mesh: usize, nodesAt: usize, packsAt: usize): i32 {
  wideNodes = nodesAt;
  packs = packsAt;
  wideCount = 0;
  packCount = 0;
  packStride = positionsNext ? PACK_MOVING_STRIDE : PACK_STRIDE;
  emitRoot();
  store<i32>(mesh, positionsNext ? 1 : 0, MESH_MOVING);
  store<u32>(mesh, <u32>nodesAt, MESH_NODES);
  store<u32>(mesh, <u32>packsAt, MESH_PACKS);
  return wideCount;
}

/**
 * Builds the scene's tree over `count` > 0 instance references at `refs` (ids are instance indices). `scratch` holds the bins,
 * 2 count + 1 nodes and `chooseCollapse`'s records of as many.
 */
export function buildSceneBvh(refs: usize, count: i32, nodesAt: usize, scratch: usize): void {
  references = refs;
  wideNodes = nodesAt;
  packs = 0;
  wideCount = 0;
  buildBinary(refs, count, scratch, 1);
  chooseCollapse(scratch + BUILD_BINS_BYTES + <usize>(2 * count + 1) * BUILD_NODE_STRIDE);
  emitRoot();
}

function emitRoot(): void {
  const root = binaryNode(0);
  if (load<i32>(root, BINARY_LEFT) >= 0) {
    emitNode(0);
    return;
  }
  // A tree that is one leaf still gets a node, so that traversal has one case less.
  const node = openNode();
  setChild(node, 0, root, emitLeaf(root));
}

function openNode(): usize {
  const node = wideNodes + <usize>wideCount * NODE_STRIDE;
  wideCount++;
  for (let i: usize = 0; i < 192; i += 64) {
    v128.store(node + i, f32x4.splat(Infinity));
    v128.store(node + i, f32x4.splat(Infinity), 16);
    v128.store(node + i, f32x4.splat(-Infinity), 32);
    v128.store(node + i, f32x4.splat(-Infinity), 48);
  }
  v128.store(node, i32x4.splat(0), NODE_CHILDREN);
  v128.store(node, i32x4.splat(0), NODE_CHILDREN + 16);
  return node;
}

function setChild(node: usize, slot: i32, binary: usize, reference: i32): void {
  const at = node + <usize>slot * 4;
  for (let axis: usize = 0; axis < 3; axis++) {
    store<f32>(at + axis * 64, load<f32>(binary + axis * 4));
    store<f32>(at + axis * 64, load<f32>(binary + axis * 4, 16), 32);
  }
  store<i32>(at, reference, NODE_CHILDREN);
}

function emitNode(binaryIndex: i32): i32 {
  const index = wideCount;
  const node = openNode();
  const children = node + NODE_CHILDREN; // holds binary indices until each child is emitted
  const count = collapseNode(binaryIndex, children);
  sortByArea(children, count);
  for (let i = 0; i < count; i++) {
    const childIndex = load<i32>(children + <usize>i * 4);
    const child = binaryNode(childIndex);
    setChild(node, i, child, load<i32>(child, BINARY_LEFT) < 0 ? emitLeaf(child) : emitNode(childIndex));
  }
  return <i32>((<usize>index * NODE_STRIDE) >> REFERENCE_SHIFT);
}

/** Largest first: rays that ask for any hit take children in this order, and are likeliest to end in a large one. */
function sortByArea(children: usize, count: i32): void {
  for (let i = 1; i < count; i++) {
    const index = load<i32>(children + <usize>i * 4);
    const a = areaOf(binaryNode(index));
    let j = i;
    for (; j > 0 && areaOf(binaryNode(load<i32>(children + <usize>(j - 1) * 4))) < a; j--) {
      store<i32>(children + <usize>j * 4, load<i32>(children + <usize>(j - 1) * 4));
    }
    store<i32>(children + <usize>j * 4, index);
  }
}

function emitLeaf(binary: usize): i32 {
  const ref = references + <usize>load<i32>(binary, BINARY_FIRST) * REF_STRIDE;
  if (packs == 0) return ~load<i32>(ref, 12);
  const count = load<i32>(binary, BINARY_COUNT);
  const offset = <usize>packCount * <usize>packStride;
  packCount++;
  const pack = packs + offset;
  memory.fill(pack, 0, packStride);
  v128.store(pack, i32x4.splat(-1), PACK_IDS);
  for (let i = 0; i < count; i++) {
    const triangle = load<i32>(ref + <usize>i * REF_STRIDE, 12);
    const at = pack + <usize>i * 4;
    store<i32>(at, triangle, PACK_IDS);
    storeCorner(at, triangle, 0);
    storeCorner(at + PACK_V1, triangle, 1);
    storeCorner(at + PACK_V2, triangle, 2);
  }
  return ~(<i32>(offset >> REFERENCE_SHIFT));
}

function storeCorner(at: usize, triangle: i32, k: i32): void {
  const now = corner(positions, triangle, k);
  storeColumn(at, now);
  if (positionsNext) storeColumn(at + PACK_DELTAS, f32x4.sub(corner(positionsNext, triangle, k), now));
}

// @ts-ignore: decorator
@inline function storeColumn(at: usize, v: v128): void {
  store<f32>(at, x(v));
  store<f32>(at, y(v), 16);
  store<f32>(at, z(v), 32);
}
