/** Affine 4x4 matrices, column-major as in glTF, in double precision. */
export type Vector = [number, number, number];

/** Inverse of an affine matrix as four columns of four, or null when it flattens space (or is not finite). */
export function invertAffine(m: ArrayLike<number>): Float64Array | null {
  const [a, b, c] = [m[0]!, m[1]!, m[2]!];
  const [d, e, f] = [m[4]!, m[5]!, m[6]!];
  const [g, h, i] = [m[8]!, m[9]!, m[10]!];
  const A = e * i - f * h;
  const B = f * g - d * i;
  const C = d * h - e * g;
  const determinant = a * A + b * B + c * C;
  if (!Number.isFinite(determinant) || determinant === 0) return null;
  const s = 1 / determinant;
  const out = new Float64Array(16);
  out.set([A * s, (c * h - b * i) * s, (b * f - c * e) * s, 0], 0);
  out.set([B * s, (a * i - c * g) * s, (c * d - a * f) * s, 0], 4);
  out.set([C * s, (b * g - a * h) * s, (a * e - b * d) * s, 0], 8);
  const t: Vector = [m[12]!, m[13]!, m[14]!];
  for (let row = 0; row < 3; row++) out[12 + row] = -(out[row]! * t[0] + out[4 + row]! * t[1] + out[8 + row]! * t[2]);
  return out.every((value) => Number.isFinite(Math.fround(value))) ? out : null;
}

/** The matrix applied to a point. */
export function transformPoint(m: ArrayLike<number>, [x, y, z]: Vector): Vector {
  return [
    m[0]! * x + m[4]! * y + m[8]! * z + m[12]!,
    m[1]! * x + m[5]! * y + m[9]! * z + m[13]!,
    m[2]! * x + m[6]! * y + m[10]! * z + m[14]!,
  ];
}

/** The columns' directions at unit length, made orthogonal (z kept): a camera's axes without its node's scale. */
export function orthonormalColumns(m: ArrayLike<number>): [Vector, Vector, Vector] {
  const back = unit([m[8]!, m[9]!, m[10]!]);
  const up: Vector = [m[4]!, m[5]!, m[6]!];
  const along = up[0] * back[0] + up[1] * back[1] + up[2] * back[2];
  const upright = unit([up[0] - along * back[0], up[1] - along * back[1], up[2] - along * back[2]]);
  const right: Vector = [m[0]!, m[1]!, m[2]!];
  const side: Vector = [
    upright[1] * back[2] - upright[2] * back[1],
    upright[2] * back[0] - upright[0] * back[2],
    upright[0] * back[1] - upright[1] * back[0],
  ];
  // A mirrored camera node stays mirrored.
  const flip = side[0] * right[0] + side[1] * right[1] + side[2] * right[2] < 0 ? -1 : 1;
  return [[side[0] * flip, side[1] * flip, side[2] * flip], upright, back];
}

export function unit([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z);
  return length > 0 ? [x / length, y / length, z / length] : [0, 0, 0];
}
