/** What the middle of the picture shows, and how far away it is: where a lens without a distance of its own is focused. */
import type { MeshGeometry, MeshInstance } from '../scene/description.ts';

/** Focus when nothing is in the middle: as good as infinity for any lens, and far from what floats lose. */
const FAR = 1e6;

interface Ray {
  origin: ArrayLike<number>;
  direction: ArrayLike<number>;
}

/** Whether a ray meets a box grown by nothing; directions with zeros are fine (A. Kay, J. Kajiya 1986). */
function meetsBox({ origin, direction }: Ray, box: readonly number[], nearest: number): boolean {
  let [enter, leave] = [0, nearest];
  for (let k = 0; k < 3; k++) {
    const d = direction[k]!;
    const [low, high] = [box[k]! - origin[k]!, box[k + 3]! - origin[k]!];
    if (d === 0) {
      if (low > 0 || high < 0) return false;
      continue;
    }
    enter = Math.max(enter, Math.min(low / d, high / d));
    leave = Math.min(leave, Math.max(low / d, high / d));
  }
  return enter <= leave * (1 + 1e-12) + 1e-300;
}

/** Nearest triangle along a ray in object space, in units of the direction (T. Möller, B. Trumbore 1997); `limit` if none. */
function nearestTriangle({ origin, direction }: Ray, { positions, indices }: MeshGeometry, limit: number): number {
  const [ox, oy, oz] = [origin[0]!, origin[1]!, origin[2]!];
  const [dx, dy, dz] = [direction[0]!, direction[1]!, direction[2]!];
  let nearest = limit;
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [indices[i]! * 3, indices[i + 1]! * 3, indices[i + 2]! * 3];
    const [ax, ay, az] = [positions[a]!, positions[a + 1]!, positions[a + 2]!];
    const [ux, uy, uz] = [positions[b]! - ax, positions[b + 1]! - ay, positions[b + 2]! - az];
    const [vx, vy, vz] = [positions[c]! - ax, positions[c + 1]! - ay, positions[c + 2]! - az];
    const [px, py, pz] = [dy * vz - dz * vy, dz * vx - dx * vz, dx * vy - dy * vx];
    const determinant = ux * px + uy * py + uz * pz;
    if (determinant === 0) continue;
    const [sx, sy, sz] = [ox - ax, oy - ay, oz - az];
    const u = (sx * px + sy * py + sz * pz) / determinant;
    if (!(u >= 0 && u <= 1)) continue;
    const [qx, qy, qz] = [sy * uz - sz * uy, sz * ux - sx * uz, sx * uy - sy * ux];
    const v = (dx * qx + dy * qy + dz * qz) / determinant;
    if (!(v >= 0 && u + v <= 1)) continue;
    const t = (vx * qx + vy * qy + vz * qz) / determinant;
    if (t > 0 && t < nearest) nearest = t;
  }
  return nearest;
}

/** Point or direction in an instance's object space, by Cramer's rule; null where the transform flattens space. */
function toObject(m: ArrayLike<number>, x: number, y: number, z: number): number[] | null {
  const [a, b, c] = [m[0]!, m[4]!, m[8]!];
  const [d, e, f] = [m[1]!, m[5]!, m[9]!];
  const [g, h, i] = [m[2]!, m[6]!, m[10]!];
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (!Number.isFinite(1 / determinant)) return null;
  return [
    (x * (e * i - f * h) + y * (c * h - b * i) + z * (b * f - c * e)) / determinant,
    (x * (f * g - d * i) + y * (a * i - c * g) + z * (c * d - a * f)) / determinant,
    (x * (d * h - e * g) + y * (b * g - a * h) + z * (a * e - b * d)) / determinant,
  ];
}

/**
 * Distance along the viewing axis of what the picture's middle shows, world units; a million where it shows nothing. Every
 * triangle counts, whatever its material. `boundsOf` gives a mesh's box in object space.
 */
export function middleDistance(
  camera: ArrayLike<number>,
  near: number,
  meshes: readonly MeshGeometry[],
  instances: readonly MeshInstance[],
  boundsOf: (mesh: MeshGeometry) => readonly number[],
): number {
  let nearest = FAR;
  for (const { mesh, transform: m } of instances) {
    const start = [0, 1, 2].map((k) => camera[12 + k]! - near * camera[8 + k]! - m[12 + k]!);
    const origin = toObject(m, start[0]!, start[1]!, start[2]!);
    // The direction keeps its length in world units, so that distances along it are the same in both spaces.
    const direction = toObject(m, -camera[8]!, -camera[9]!, -camera[10]!);
    const geometry = meshes[mesh]!;
    if (!origin || !direction || !meetsBox({ origin, direction }, boundsOf(geometry), nearest)) continue;
    nearest = nearestTriangle({ origin, direction }, geometry, nearest);
  }
  return Math.min(FAR, nearest + near);
}
