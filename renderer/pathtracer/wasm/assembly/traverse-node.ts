// One step down an eight-wide tree: which children a ray meets, and in what order they are visited. Children are tested as two
// v128 with planes selected by the ray's signs; far distances are widened by 2 gamma(3), so that rounding never loses a box
// (Ize 2013, "Robust BVH Ray Traversal").
import { NODE_CHILDREN } from './layout';

/** 1 + 2 gamma(3), rounded up. */
export const ROBUST: f32 = <f32>1.0000006;

/** Reciprocal that stays finite for zero, so that box tests meet no NaN. */
// @ts-ignore: decorator
@inline export function reciprocal(d: f32): f32 {
  return <f32>1.0 / (abs<f32>(d) > <f32>1e-18 ? d : copysign<f32>(<f32>1e-18, d));
}

/** Where in a node the planes lie that a ray with this reciprocal enters through, for the axis that starts at `base`. */
// @ts-ignore: decorator
@inline export function nearPlanes(r: f32, base: usize): usize {
  return r < <f32>0.0 ? base + 32 : base;
}

/** Bit i is set where child i of `node` is hit before `tMax`; entry distances are left in `scratch`. */
// @ts-ignore: decorator
@inline export function hitChildren(
  node: usize, nearX: usize, nearY: usize, nearZ: usize,
  ox: v128, oy: v128, oz: v128, ix: v128, iy: v128, iz: v128, tMax: v128, scratch: usize,
): i32 {
  const nx = node + nearX;
  const ny = node + nearY;
  const nz = node + nearZ;
  const gx = node + (nearX ^ 32);
  const gy = node + (nearY ^ 32);
  const gz = node + (nearZ ^ 32);
  const zero = f32x4.splat(<f32>0.0);
  const widen = f32x4.splat(ROBUST);
  const near0 = f32x4.pmax(
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nx), ox), ix), f32x4.mul(f32x4.sub(v128.load(ny), oy), iy)),
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nz), oz), iz), zero),
  );
  const far0 = f32x4.pmin(
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gx), ox), ix), f32x4.mul(f32x4.sub(v128.load(gy), oy), iy)),
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gz), oz), iz), tMax),
  );
  // Stored here, between the halves: compilers that keep loads and stores in order then need fewer registers.
  v128.store(scratch, near0);
  const near1 = f32x4.pmax(
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nx, 16), ox), ix), f32x4.mul(f32x4.sub(v128.load(ny, 16), oy), iy)),
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nz, 16), oz), iz), zero),
  );
  const far1 = f32x4.pmin(
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gx, 16), ox), ix), f32x4.mul(f32x4.sub(v128.load(gy, 16), oy), iy)),
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gz, 16), oz), iz), tMax),
  );
  v128.store(scratch, near1, 16);
  return (
    i32x4.bitmask(f32x4.le(near0, f32x4.mul(far0, widen))) | (i32x4.bitmask(f32x4.le(near1, f32x4.mul(far1, widen))) << 4)
  );
}

/** Stack entry: distance, reference. */
// @ts-ignore: decorator
@inline export function push(stack: usize, t: f32, reference: i32): void {
  store<f32>(stack, t);
  store<i32>(stack, reference, 4);
}

/**
 * Moves the two or more hit children onto the stack, nearest on top; returns the new stack pointer. Entries are (t, reference),
 * eight bytes each.
 */
// @ts-ignore: decorator
@inline export function pushSorted(node: usize, mask: i32, scratch: usize, stack: usize): usize {
  const first = <usize>ctz(mask) << 2;
  mask &= mask - 1;
  const second = <usize>ctz(mask) << 2;
  mask &= mask - 1;
  const t0 = load<f32>(scratch + first);
  const t1 = load<f32>(scratch + second);
  const nearerIsFirst = t0 <= t1;
  const far = nearerIsFirst ? second : first;
  const near = nearerIsFirst ? first : second;
  push(stack, nearerIsFirst ? t1 : t0, load<i32>(node + far, NODE_CHILDREN));
  push(stack + 8, nearerIsFirst ? t0 : t1, load<i32>(node + near, NODE_CHILDREN));
  return sortIn(node, mask, scratch, stack, stack + 16);
}

/** Inserts the children in `mask` among the entries from `bottom` to `stack`, of which the nearest is on top. */
// @ts-ignore: decorator
@inline export function sortIn(node: usize, mask: i32, scratch: usize, bottom: usize, stack: usize): usize {
  while (mask) {
    const i = <usize>ctz(mask) << 2;
    mask &= mask - 1;
    const t = load<f32>(scratch + i);
    let p = stack;
    while (p > bottom && load<f32>(p - 8) < t) {
      store<u64>(p, load<u64>(p - 8));
      p -= 8;
    }
    push(p, t, load<i32>(node + i, NODE_CHILDREN));
    stack += 8;
  }
  return stack;
}
