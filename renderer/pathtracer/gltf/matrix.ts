/** The little linear algebra that scene graphs need. Matrices are 4x4, column-major, plain number arrays in double precision. */

export type Mat4 = number[];
export type Vec3 = [number, number, number];

export const IDENTITY: Readonly<Mat4> = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** a · b */
export function multiply(a: Readonly<Mat4>, b: Readonly<Mat4>): Mat4 {
  const out: Mat4 = new Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[k * 4 + row]! * b[column * 4 + k]!;
      out[column * 4 + row] = sum;
    }
  }
  return out;
}

/** Translation · rotation (quaternion xyzw) · scale, as glTF composes nodes. */
export function compose(t: ArrayLike<number>, q: ArrayLike<number>, s: ArrayLike<number>): Mat4 {
  const [x, y, z, w] = [q[0]!, q[1]!, q[2]!, q[3]!];
  const [sx, sy, sz] = [s[0]!, s[1]!, s[2]!];
  return [
    (1 - 2 * (y * y + z * z)) * sx,
    2 * (x * y + z * w) * sx,
    2 * (x * z - y * w) * sx,
    0,
    2 * (x * y - z * w) * sy,
    (1 - 2 * (x * x + z * z)) * sy,
    2 * (y * z + x * w) * sy,
    0,
    2 * (x * z + y * w) * sz,
    2 * (y * z - x * w) * sz,
    (1 - 2 * (x * x + y * y)) * sz,
    0,
    t[0]!,
    t[1]!,
    t[2]!,
    1,
  ];
}

export function transformPoint(m: Readonly<Mat4>, x: number, y: number, z: number): Vec3 {
  return [
    m[0]! * x + m[4]! * y + m[8]! * z + m[12]!,
    m[1]! * x + m[5]! * y + m[9]! * z + m[13]!,
    m[2]! * x + m[6]! * y + m[10]! * z + m[14]!,
  ];
}

export function transformDirection(m: Readonly<Mat4>, x: number, y: number, z: number): Vec3 {
  return [m[0]! * x + m[4]! * y + m[8]! * z, m[1]! * x + m[5]! * y + m[9]! * z, m[2]! * x + m[6]! * y + m[10]! * z];
}

const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The zero vector stays zero. */
export function normalize(v: Vec3): Vec3 {
  const length = Math.hypot(v[0], v[1], v[2]);
  return length > 0 ? [v[0] / length, v[1] / length, v[2] / length] : [0, 0, 0];
}

/** Camera to world for a camera at `eye` that looks down its -Z at `target`. */
export function lookAt(eye: Vec3, target: Vec3, up: Vec3 = [0, 1, 0]): Mat4 {
  const back = normalize(subtract(eye, target));
  let right = cross(up, back);
  // Looking straight up or down: any right will do.
  if (Math.hypot(...right) < 1e-6) right = cross([0, 0, 1], back);
  right = normalize(right);
  const above = cross(back, right);
  return [...right, 0, ...above, 0, ...back, 0, ...eye, 1];
}

/**
 * The same camera without the scale of its parents, which must not stretch the picture (glTF 2.0, 3.10.1: scale is not
 * applied to cameras): axes are made orthonormal from the viewing axis on.
 */
export function withoutScale(m: Readonly<Mat4>): Mat4 {
  const back = normalize([m[8]!, m[9]!, m[10]!]);
  const above: Vec3 = [m[4]!, m[5]!, m[6]!];
  const right = normalize(cross(above, back));
  if (right[0] === 0 && right[1] === 0 && right[2] === 0) return [...IDENTITY.slice(0, 12), m[12]!, m[13]!, m[14]!, 1];
  return [...right, 0, ...cross(back, right), 0, ...back, 0, m[12]!, m[13]!, m[14]!, 1];
}

/** Share of its other two sizes that a flattened matrix keeps in the third. */
const THINNEST = 1e-6;

/**
 * A matrix that flattens space to a plane, made thick enough to have an inverse: `m` plus a little of its cofactors, which point from
 * the direction that is lost to the plane's normal. Others come back as they are, also those that leave only a line or a point.
 */
export function thickened(m: Readonly<Mat4>): Readonly<Mat4> {
  const [a, b, c] = [0, 4, 8].map((at) => m.slice(at, at + 3) as Vec3) as [Vec3, Vec3, Vec3];
  const cofactors = [cross(b, c), cross(c, a), cross(a, b)];
  const area = Math.hypot(...cofactors.flat());
  const volume = a[0] * cofactors[0]![0] + a[1] * cofactors[0]![1] + a[2] * cofactors[0]![2];
  const size = Math.sqrt(area);
  if (!(area > 0) || Math.abs(volume) > 1e-3 * THINNEST * area * size) return m;
  const out = m.slice();
  for (const [column, cofactor] of cofactors.entries()) {
    for (let k = 0; k < 3; k++) out[4 * column + k]! += (THINNEST * cofactor[k]!) / size;
  }
  return out;
}

export const isFiniteMatrix = (m: ArrayLike<number>): boolean => Array.from(m).every(Number.isFinite);
