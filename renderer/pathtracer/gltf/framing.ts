/** The camera of a scene that has none: a three-quarter view from slightly above, all of the scene in the picture. */
import type { MeshGeometry, MeshInstance, TracerCamera } from '../scene/description.ts';
import { lookAt, type Mat4, normalize, type Vec3 } from './matrix.ts';

/** World box: min xyz, max xyz. */
export type Bounds = [number, number, number, number, number, number];

/** Vertical angle of a 35 mm lens on a full-frame sensor (24 mm high). */
const DEFAULT_YFOV = 2 * Math.atan(12 / 35);
/** Where the camera stands, seen from the scene: right of the middle, above, in front (+Z, to which glTF models face). */
const VIEW_DIRECTION: Vec3 = normalize([0.62, 0.42, 1]);
/** Room around the subject. */
const MARGIN = 1.08;

/** Smallest box around vertices (xyz each). */
export function objectBounds(positions: Float32Array): Bounds {
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

/**
 * A camera that sees every vertex, as near as that allows, in a picture of the given aspect (width over height). For a fixed
 * direction of view each side of the picture is a plane that all vertices must lie behind; the nearest eye follows from the
 * outermost vertex on each side.
 */
export function frameScene(meshes: MeshGeometry[], instances: MeshInstance[], aspect: number): TracerCamera {
  const axes = lookAt(VIEW_DIRECTION, [0, 0, 0]);
  const tanY = Math.tan(DEFAULT_YFOV / 2) / MARGIN;
  const tanX = tanY * aspect;
  let [left, right, below, above, front] = [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity];
  for (const { mesh, transform } of instances) {
    const toView = viewMatrix(axes, transform);
    const { positions } = meshes[mesh]!;
    for (let i = 0; i < positions.length; i += 3) {
      const [px, py, pz] = [positions[i]!, positions[i + 1]!, positions[i + 2]!];
      const x = toView[0]! * px + toView[3]! * py + toView[6]! * pz + toView[9]!;
      const y = toView[1]! * px + toView[4]! * py + toView[7]! * pz + toView[10]!;
      const z = toView[2]! * px + toView[5]! * py + toView[8]! * pz + toView[11]!;
      left = Math.max(left, -x + tanX * z);
      right = Math.max(right, x + tanX * z);
      below = Math.max(below, -y + tanY * z);
      above = Math.max(above, y + tanY * z);
      front = Math.max(front, z);
    }
  }
  if (!Number.isFinite(left)) [left, right, below, above, front] = [1, 1, 1, 1, 0];
  const depth = Math.max((left + right) / (2 * tanX), (below + above) / (2 * tanY), front + 1e-3);
  const place: Vec3 = [(right - left) / 2, (above - below) / 2, depth];
  const eye = [0, 1, 2].map((k) => axes[k]! * place[0] + axes[4 + k]! * place[1] + axes[8 + k]! * place[2]);
  return {
    transform: Float32Array.from([...axes.slice(0, 12), ...eye, 1]),
    projection: { kind: 'perspective', yfov: DEFAULT_YFOV },
    near: Math.max(1e-6, (depth - front) * 1e-3),
  };
}

/** Object to view, three rows by four columns, column by column. */
function viewMatrix(axes: Mat4, transform: Float32Array): number[] {
  const out: number[] = [];
  for (let column = 0; column < 4; column++) {
    for (let axis = 0; axis < 3; axis++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += axes[axis * 4 + k]! * transform[column * 4 + k]!;
      out.push(sum);
    }
  }
  return out;
}
