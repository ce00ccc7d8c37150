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

/** Bit i is set where child i of `node` is hit before `tMax`; with `keeps`, a constant, entry distances are left in `scratch`. */
// @ts-ignore: decorator
@inline export function hitChildren(
  keeps: bool, node: usize, nearX: usize, nearY: usize, nearZ: usize,
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
  if (keeps) v128.store(scratch, near0);
  const near1 = f32x4.pmax(
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nx, 16), ox), ix), f32x4.mul(f32x4.sub(v128.load(ny, 16), oy), iy)),
    f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(nz, 16), oz), iz), zero),
  );
  const far1 = f32x4.pmin(
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gx, 16), ox), ix), f32x4.mul(f32x4.sub(v128.load(gy, 16), oy), iy)),
    f32x4.pmin(f32x4.mul(f32x4.sub(v128.load(gz, 16), oz), iz), tMax),
  );
  if (keeps) v128.store(scratch, near1, 16);
  return (
    i32x4.bitmask(f32x4.le(near0, f32x4.mul(far0, widen))) | (i32x4.bitmask(f32x4.le(near1, f32x4.mul(far1, widen))) << 4)
  );
}

/**
 * Stack entry, eight bytes: the reference of child `child` (times four) of `node`, and above it the bits of its distance, which is
 * not negative: entries compare as integers, without a branch to guess.
 */
// @ts-ignore: decorator
@inline export function entryOf(node: usize, child: usize, scratch: usize): u64 {
  return (<u64>load<u32>(scratch + child) << 32) | <u64>load<u32>(node + child, NODE_CHILDREN);
}
/** Where an entry's distance is. */
export const ENTRY_DISTANCE: usize = 4;

// @ts-ignore: decorator
@inline function lesser(a: u64, b: u64): u64 {
  return a < b ? a : b;
}

// @ts-ignore: decorator
@inline function greater(a: u64, b: u64): u64 {
  return a < b ? b : a;
}

/** Moves the two or more hit children onto the stack, nearest on top; returns the new stack pointer. */
// @ts-ignore: decorator
@inline export function pushSorted(node: usize, mask: i32, scratch: usize, stack: usize): usize {
  const a = entryOf(node, <usize>ctz(mask) << 2, scratch);
  mask &= mask - 1;
  const b = entryOf(node, <usize>ctz(mask) << 2, scratch);
  mask &= mask - 1;
  const near = lesser(a, b);
  const far = greater(a, b);
  if (mask == 0) {
    store<u64>(stack, far);
    store<u64>(stack, near, 8);
    return stack + 16;
  }
  const c = entryOf(node, <usize>ctz(mask) << 2, scratch);
  mask &= mask - 1;
  const nearer = lesser(far, c);
  store<u64>(stack, greater(far, c));
  store<u64>(stack, greater(near, nearer), 8);
  store<u64>(stack, lesser(near, nearer), 16);
  const bottom = stack;
  stack += 24;
  while (mask) {
    const entry = entryOf(node, <usize>ctz(mask) << 2, scratch);
    mask &= mask - 1;
    let at = stack;
    while (at > bottom && load<u64>(at - 8) < entry) {
      store<u64>(at, load<u64>(at - 8));
      at -= 8;
    }
    store<u64>(at, entry);
    stack += 8;
  }
  return stack;
}
