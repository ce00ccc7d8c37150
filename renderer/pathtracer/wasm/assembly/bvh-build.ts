// Binary BVH by binned surface area heuristic (Wald 2007, "On fast Construction of SAH-based Bounding Volume Hierarchies"),
// over primitive references that are partitioned in place. `bvh-emit.ts` turns it into the wide tree that is traversed.
import { BUILD_BINS_BYTES, BUILD_NODE_STRIDE, REF_STRIDE } from './layout';
import { x, y, z } from './vec';

// Binary node: [min.xyz, _][max.xyz, _] then left child (index), right child (index) / for leaves -1, then first, count.
export const BINARY_LEFT: usize = 32;
export const BINARY_RIGHT: usize = 36;
export const BINARY_FIRST: usize = 40;
export const BINARY_COUNT: usize = 44;

const BINS: i32 = 16;
const BIN_STRIDE: usize = 32;
/** Below this depth splits are by SAH; further down by halves, which bounds recursion and traversal stacks. */
const SAH_DEPTH: i32 = 48;
const INFINITY_F: f32 = Infinity;

let refs: usize = 0;
let bins: usize = 0;
let nodes: usize = 0;
/** Nodes of the tree that was built last. */
export let binaryCount: i32 = 0;
/** Leaves of the tree that was built last. */
export let leafCount: i32 = 0;
let leafSize: i32 = 4;

// @ts-ignore: decorator
@inline function halfArea(lo: v128, hi: v128): f32 {
  const d = f32x4.sub(hi, lo);
  return x(d) * y(d) + y(d) * z(d) + z(d) * x(d);
}

/** Keeps xyz, clears the lane that carries an id. */
// @ts-ignore: decorator
@inline function xyz(v: v128): v128 {
  return v128.and(v, i32x4(-1, -1, -1, 0));
}

// @ts-ignore: decorator
@inline function lane(v: v128, axis: i32): f32 {
  return axis == 0 ? x(v) : axis == 1 ? y(v) : z(v);
}

// @ts-ignore: decorator
@inline function blocks(n: i32): f32 {
  return leafSize == 4 ? <f32>((n + 3) >> 2) : <f32>n;
}

/** Builds the binary tree over `count` references at `refsAt`; returns the number of nodes, root first. */
export function buildBinary(refsAt: usize, count: i32, scratch: usize, maxLeaf: i32): i32 {
  refs = refsAt;
  bins = scratch;
  nodes = scratch + BUILD_BINS_BYTES;
  binaryCount = 0;
  leafCount = 0;
  leafSize = maxLeaf;
  build(0, count, 0);
  return binaryCount;
}

export function binaryNode(index: i32): usize {
  return nodes + <usize>index * BUILD_NODE_STRIDE;
}

/** Half the surface area of a binary node's box. */
export function areaOf(binary: usize): f32 {
  return halfArea(v128.load(binary), v128.load(binary, 16));
}

function build(first: i32, count: i32, depth: i32): i32 {
  const index = binaryCount++;
  const node = binaryNode(index);
  let lo = f32x4.splat(INFINITY_F);
  let hi = f32x4.splat(-INFINITY_F);
  let centreLo = lo;
  let centreHi = hi;
  const end = refs + <usize>(first + count) * REF_STRIDE;
  for (let r = refs + <usize>first * REF_STRIDE; r < end; r += REF_STRIDE) {
    const a = xyz(v128.load(r));
    const b = xyz(v128.load(r, 16));
    const c = f32x4.add(a, b);
    lo = f32x4.pmin(lo, a);
    hi = f32x4.pmax(hi, b);
    centreLo = f32x4.pmin(centreLo, c);
    centreHi = f32x4.pmax(centreHi, c);
  }
  v128.store(node, lo);
  v128.store(node, hi, 16);
  store<i32>(node, first, BINARY_FIRST);
  store<i32>(node, count, BINARY_COUNT);
  store<i32>(node, -1, BINARY_LEFT);
  store<i32>(node, -1, BINARY_RIGHT);
  if (count <= leafSize) {
    leafCount++;
    return index;
  }

  let middle = depth < SAH_DEPTH ? splitBySah(first, count, centreLo, centreHi) : -1;
  if (middle <= first || middle >= first + count) middle = first + (count >> 1);
  const left = build(first, middle - first, depth + 1);
  store<i32>(node, left, BINARY_LEFT);
  const right = build(middle, first + count - middle, depth + 1);
  store<i32>(node, right, BINARY_RIGHT);
  return index;
}

/** Partitions at the cheapest of 3 x 15 planes; returns the first reference of the right side, or -1 when all centres coincide. */
function splitBySah(first: i32, count: i32, centreLo: v128, centreHi: v128): i32 {
  const extent = f32x4.sub(centreHi, centreLo);
  if (!(max<f32>(max<f32>(x(extent), y(extent)), z(extent)) > <f32>0.0)) return -1;
  // Lanes without extent get scale 0 and fall into bin 0.
  const wide = f32x4.gt(extent, f32x4.splat(<f32>0.0));
  const binScale = v128.and(f32x4.div(f32x4.splat(<f32>BINS * <f32>0.99999), extent), wide);
  const binMax = i32x4.splat(BINS - 1);

  for (let i = 0; i < 3 * BINS; i++) {
    const b = bins + <usize>i * BIN_STRIDE;
    v128.store(b, f32x4.splat(INFINITY_F));
    v128.store(b, f32x4.splat(-INFINITY_F), 16);
  }
  const counts = bins + 3 * BINS * BIN_STRIDE;
  memory.fill(counts, 0, 3 * BINS * 4);

  const end = refs + <usize>(first + count) * REF_STRIDE;
  for (let r = refs + <usize>first * REF_STRIDE; r < end; r += REF_STRIDE) {
    const a = xyz(v128.load(r));
    const b = xyz(v128.load(r, 16));
    const where = i32x4.min_s(
      i32x4.trunc_sat_f32x4_s(f32x4.mul(f32x4.sub(f32x4.add(a, b), centreLo), binScale)),
      binMax,
    );
    put(i32x4.extract_lane(where, 0), counts, a, b);
    put(i32x4.extract_lane(where, 1) + BINS, counts, a, b);
    put(i32x4.extract_lane(where, 2) + 2 * BINS, counts, a, b);
  }

  let bestCost: f32 = INFINITY_F;
  let bestAxis = -1;
  let bestBin = 0;
  const rightCost = counts + 3 * BINS * 4; // costs of the right sides, one axis at a time
  for (let axis = 0; axis < 3; axis++) {
    const base = bins + <usize>(axis * BINS) * BIN_STRIDE;
    const baseCounts = counts + <usize>(axis * BINS) * 4;
    let lo = f32x4.splat(INFINITY_F);
    let hi = f32x4.splat(-INFINITY_F);
    let n = 0;
    for (let i = BINS - 1; i > 0; i--) {
      const b = base + <usize>i * BIN_STRIDE;
      lo = f32x4.pmin(lo, v128.load(b));
      hi = f32x4.pmax(hi, v128.load(b, 16));
      n += load<i32>(baseCounts + <usize>i * 4);
      store<f32>(rightCost + <usize>i * 4, n > 0 ? halfArea(lo, hi) * blocks(n) : -<f32>1.0);
    }
    lo = f32x4.splat(INFINITY_F);
    hi = f32x4.splat(-INFINITY_F);
    n = 0;
    for (let i = 0; i < BINS - 1; i++) {
      const b = base + <usize>i * BIN_STRIDE;
      lo = f32x4.pmin(lo, v128.load(b));
      hi = f32x4.pmax(hi, v128.load(b, 16));
      n += load<i32>(baseCounts + <usize>i * 4);
      const right = load<f32>(rightCost + <usize>(i + 1) * 4);
      if (n == 0 || right < <f32>0.0) continue;
      const cost = halfArea(lo, hi) * blocks(n) + right;
      if (cost < bestCost) {
        bestCost = cost;
        bestAxis = axis;
        bestBin = i;
      }
    }
  }
  if (bestAxis < 0) return -1;

  const axisLo = lane(centreLo, bestAxis);
  const axisScale = lane(binScale, bestAxis);
  let i = refs + <usize>first * REF_STRIDE;
  let j = end;
  while (i < j) {
    const a = v128.load(i);
    const b = v128.load(i, 16);
    const where = min<i32>(<i32>((lane(f32x4.add(a, b), bestAxis) - axisLo) * axisScale), BINS - 1);
    if (where <= bestBin) {
      i += REF_STRIDE;
    } else {
      j -= REF_STRIDE;
      v128.store(i, v128.load(j));
      v128.store(i, v128.load(j, 16), 16);
      v128.store(j, a);
      v128.store(j, b, 16);
    }
  }
  return <i32>((i - refs) / REF_STRIDE);
}

// @ts-ignore: decorator
@inline function put(bin: i32, counts: usize, a: v128, b: v128): void {
  const at = bins + <usize>bin * BIN_STRIDE;
  v128.store(at, f32x4.pmin(v128.load(at), a));
  v128.store(at, f32x4.pmax(v128.load(at, 16), b), 16);
  const count = counts + <usize>bin * 4;
  store<i32>(count, load<i32>(count) + 1);
}
