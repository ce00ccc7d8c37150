/** Morph targets and skinning on the CPU: one mesh's vertices at one instant. Standard: glTF 2.0, 3.7.2.2 and 3.7.3. */
import { type BaseGeometry, computeFlatNormals } from './geometry.ts';
import type { Mat4 } from './matrix.ts';

export interface DeformedVertices {
  positions: Float32Array;
  normals: Float32Array;
  tangents: Float32Array | null;
}

/** Adds weighted target displacements. */
export function morph(base: BaseGeometry, weights: ArrayLike<number>): DeformedVertices {
  const positions = base.positions.slice();
  const normals = base.normals.slice();
  const tangents = base.targets.some((target) => target.tangents) ? (base.tangents?.slice() ?? null) : base.tangents;
  base.targets.forEach((target, index) => {
    const weight = weights[index] ?? 0;
    if (weight === 0) return;
    const { positions: dp, normals: dn, tangents: dt } = target;
    if (dp) for (let i = 0; i < positions.length; i++) positions[i]! += weight * dp[i]!;
    if (dn) for (let i = 0; i < normals.length; i++) normals[i]! += weight * dn[i]!;
    if (dt && tangents)
      for (let i = 0; i < dt.length; i++) tangents[Math.floor(i / 3) * 4 + (i % 3)]! += weight * dt[i]!;
  });
  if (base.flatNormals) computeFlatNormals(positions, base.indices, normals);
  else normalizeAll(normals, 3);
  if (tangents && tangents !== base.tangents) normalizeAll(tangents, 4);
  return { positions, normals, tangents };
}

/**
 * Moves vertices by their joints (linear blend skinning). `jointMatrices` hold joint-to-world · inverse bind matrix, so
 * that the result is in world space.
 */
export function skin(base: BaseGeometry, source: DeformedVertices, jointMatrices: Mat4[]): DeformedVertices {
  const { joints, weights, influences } = base;
  const count = base.positions.length / 3;
  const positions = new Float32Array(count * 3);
  const normals = new Float32Array(count * 3);
  const tangents = source.tangents ? new Float32Array(count * 4) : null;
  const m = new Float64Array(12);
  for (let v = 0; v < count; v++) {
    m.fill(0);
    for (let k = 0; k < influences; k++) {
      const weight = weights![v * influences + k]!;
      if (weight === 0) continue;
      const joint = jointMatrices[joints![v * influences + k]!]!;
      for (let column = 0; column < 4; column++) {
        for (let row = 0; row < 3; row++) m[column * 3 + row]! += weight * joint[column * 4 + row]!;
      }
    }
    const [x, y, z] = [source.positions[v * 3]!, source.positions[v * 3 + 1]!, source.positions[v * 3 + 2]!];
    const [nx, ny, nz] = [source.normals[v * 3]!, source.normals[v * 3 + 1]!, source.normals[v * 3 + 2]!];
    for (let row = 0; row < 3; row++) {
      positions[v * 3 + row] = m[row]! * x + m[3 + row]! * y + m[6 + row]! * z + m[9 + row]!;
      // Normals go by the cofactor matrix, which is right for uneven scale too and needs no inverse.
      const [r1, r2] = [(row + 1) % 3, (row + 2) % 3];
      normals[v * 3 + row] =
        (m[3 + r1]! * m[6 + r2]! - m[3 + r2]! * m[6 + r1]!) * nx +
        (m[6 + r1]! * m[r2]! - m[6 + r2]! * m[r1]!) * ny +
        (m[r1]! * m[3 + r2]! - m[r2]! * m[3 + r1]!) * nz;
      if (tangents) {
        const t = source.tangents!;
        tangents[v * 4 + row] = m[row]! * t[v * 4]! + m[3 + row]! * t[v * 4 + 1]! + m[6 + row]! * t[v * 4 + 2]!;
        tangents[v * 4 + 3] = t[v * 4 + 3]!;
      }
    }
  }
  if (base.flatNormals) computeFlatNormals(positions, base.indices, normals);
  else normalizeAll(normals, 3);
  if (tangents) normalizeAll(tangents, 4);
  return { positions, normals, tangents };
}

/** Makes the first three of every `stride` numbers a unit vector; zero becomes +Y. */
function normalizeAll(vectors: Float32Array, stride: number): void {
  for (let i = 0; i < vectors.length; i += stride) {
    const length = Math.hypot(vectors[i]!, vectors[i + 1]!, vectors[i + 2]!);
    if (length > 0) {
      vectors[i]! /= length;
      vectors[i + 1]! /= length;
      vectors[i + 2]! /= length;
    } else {
      vectors[i + 1] = 1;
    }
  }
}
