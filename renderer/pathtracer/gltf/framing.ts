/** The camera of a scene that has none: a three-quarter view from slightly above, all of the scene in the picture. */
import type { MeshGeometry, MeshInstance, TracerCamera } from '../scene/description.ts';
import { lookAt, normalize, type Vec3 } from './matrix.ts';

/** World box: min xyz, max xyz. */
export type Bounds = [number, number, number, number, number, number];

export const DEFAULT_CAMERA_NAME = 'default';

/** Vertical angle of a 35 mm lens on a full-frame sensor (24 mm high). */
const DEFAULT_YFOV = 2 * Math.atan(12 / 35);
/** Where the camera stands, seen from the scene: right of the middle, above, in front (+Z, to which glTF models face). */
const VIEW_DIRECTION: Vec3 = normalize([0.62, 0.42, 1]);
/** Room around the subject. */
const MARGIN = 1.08;

function objectBounds(positions: Float32Array): Bounds {
  const bounds: Bounds = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
  for (let i = 0; i < positions.length; i++) {
    const k = i % 3;
    const value = positions[i]!;
    if (value < bounds[k]!) bounds[k] = value;
    if (value > bounds[k + 3]!) bounds[k + 3] = value;
  }
  return bounds;
}

/** Bounds of all instances, from the corners of each mesh's box; all zero for an empty scene. */
export function worldBounds(meshes: MeshGeometry[], instances: MeshInstance[]): Bounds {
  const boxes = meshes.map((mesh) => objectBounds(mesh.positions));
  const bounds: Bounds = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
  for (const { mesh, transform: m } of instances) {
    const box = boxes[mesh]!;
    for (let corner = 0; corner < 8; corner++) {
      const x = box[corner & 1 ? 3 : 0]!;
      const y = box[corner & 2 ? 4 : 1]!;
      const z = box[corner & 4 ? 5 : 2]!;
      for (let k = 0; k < 3; k++) {
        const value = m[k]! * x + m[4 + k]! * y + m[8 + k]! * z + m[12 + k]!;
        if (value < bounds[k]!) bounds[k] = value;
        if (value > bounds[k + 3]!) bounds[k + 3] = value;
      }
    }
  }
  return Number.isFinite(bounds[0]) ? bounds : [0, 0, 0, 0, 0, 0];
}

/** A camera that sees the whole box in a picture of the given aspect (width over height). */
export function frameBounds(bounds: Bounds, aspect: number): TracerCamera {
  const centre: Vec3 = [(bounds[0] + bounds[3]) / 2, (bounds[1] + bounds[4]) / 2, (bounds[2] + bounds[5]) / 2];
  const half: Vec3 = [(bounds[3] - bounds[0]) / 2, (bounds[4] - bounds[1]) / 2, (bounds[5] - bounds[2]) / 2];
  const camera = lookAt(
    [centre[0] + VIEW_DIRECTION[0], centre[1] + VIEW_DIRECTION[1], centre[2] + VIEW_DIRECTION[2]],
    centre,
  );
  const tanY = Math.tan(DEFAULT_YFOV / 2);
  const tanX = tanY * aspect;
  let distance = 1e-3;
  for (let corner = 0; corner < 8; corner++) {
    const p = half.map((h, k) => (corner & (1 << k) ? h : -h)) as Vec3;
    const along = (axis: number): number =>
      p[0] * camera[axis * 4]! + p[1] * camera[axis * 4 + 1]! + p[2] * camera[axis * 4 + 2]!;
    // A corner at height y and depth z towards the camera is inside the picture from y / tan + z on.
    distance = Math.max(
      distance,
      (Math.abs(along(0)) * MARGIN) / tanX + along(2),
      (Math.abs(along(1)) * MARGIN) / tanY + along(2),
    );
  }
  const eye = centre.map((value, k) => value + VIEW_DIRECTION[k]! * distance) as Vec3;
  return {
    transform: Float32Array.from(lookAt(eye, centre)),
    projection: { kind: 'perspective', yfov: DEFAULT_YFOV },
    near: distance * 1e-4,
  };
}
