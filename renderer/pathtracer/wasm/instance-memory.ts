/** Instances in the tracer's memory: their records, how they move, and the tree over them. */
import { FarmError } from '../../../domain/errors.ts';
import { cryptomatteBits } from '../../image/cryptomatte.ts';
import type { MeshGeometry, SceneDescription } from '../scene/description.ts';
import * as layout from './assembly/layout.ts';
import type { Heap } from './heap.ts';
import { invertAffine, transformPoint, type Vector } from './matrix.ts';
import type { StoredMesh } from './mesh-memory.ts';
import { type Motion, motionBetween, posesOfShutter, writeMotion } from './motion.ts';
import type { ThreadPool } from './threads.ts';

/** An instance that can be hit. */
export interface PlacedInstance {
  mesh: MeshGeometry;
  stored: StoredMesh;
  /** Position in the scene description's list. */
  source: number;
  /** Of the node. */
  name: string;
  transform: Float32Array;
  inverse: Float64Array;
  /** Null when it stands still until the next frame. */
  motion: Motion | null;
  /** It moves while the shutter is open. */
  isBlurred: boolean;
  /** World bounds while the shutter is open. */
  min: Vector;
  max: Vector;
}

/**
 * Instances that can be hit, with world bounds. Those that are empty, or flattened to a line or a point, are left out: they cover no pixel. Throws
 * `SceneInvalid` for a mesh that does not exist and a transform that is not finite.
 */
export function placeInstances(scene: SceneDescription, stored: readonly StoredMesh[]): PlacedInstance[] {
  const shutter = scene.camera.shutter ?? 0;
  const placed: PlacedInstance[] = [];
  scene.instances.forEach(({ mesh: index, transform, transformNext, name }, source) => {
    const mesh = scene.meshes[index];
    const geometry = stored[index];
    if (!mesh || !geometry)
      throw new FarmError('SceneInvalid', `Instance ${name} names mesh ${index}, which does not exist.`);
    if (!transform.every(Number.isFinite) || !(transformNext?.every(Number.isFinite) ?? true)) {
      throw new FarmError('SceneInvalid', `Instance ${name} has a transform that is not finite.`, { node: name });
    }
    const inverse = invertAffine(transform);
    if (!inverse || !geometry.hittable) return;
    const moves = transformNext && invertAffine(transformNext) !== null;
    const motion = moves ? motionBetween(transform, transformNext) : null;
    placed.push({
      mesh,
      stored: geometry,
      source,
      name,
      transform,
      inverse,
      motion,
      isBlurred: shutter > 0 && motion !== null,
      ...worldBounds(geometry, transform, shutter > 0 ? motion : null, shutter),
    });
  });
  return placed;
}

function worldBounds(
  { min: low, max: high }: StoredMesh,
  transform: ArrayLike<number>,
  motion: Motion | null,
  shutter: number,
): { min: Vector; max: Vector } {
  const { poses, padding } = motion ? posesOfShutter(motion, shutter, low, high) : { poses: [transform], padding: 0 };
  const min: Vector = [Infinity, Infinity, Infinity];
  const max: Vector = [-Infinity, -Infinity, -Infinity];
  for (const pose of poses) {
    for (let corner = 0; corner < 8; corner++) {
      const pick = (axis: number): number => (corner & (1 << axis) ? high : low)[axis]!;
      const point = transformPoint(pose, [pick(0), pick(1), pick(2)]);
      for (let axis = 0; axis < 3; axis++) {
        min[axis] = Math.min(min[axis]!, point[axis]! - padding);
        max[axis] = Math.max(max[axis]!, point[axis]! + padding);
      }
    }
  }
  return { min, max };
}

/** Writes the records; `allocate` gives memory that lives as long as the scene. Returns the first record's address. */
export function writeInstances(
  heap: Heap,
  allocate: (bytes: number) => number,
  placed: readonly PlacedInstance[],
): number {
  const address = allocate(Math.max(1, placed.length) * layout.INSTANCE_STRIDE);
  const moving = placed.filter(({ motion }) => motion !== null).length;
  const motions = moving > 0 ? allocate(moving * layout.MOTION_STRIDE) : 0;
  let motionsWritten = 0;
  const view = heap.view(address, placed.length * layout.INSTANCE_STRIDE);
  placed.forEach(({ name, stored, transform, inverse, motion, isBlurred }, index) => {
    const at = index * layout.INSTANCE_STRIDE;
    for (let i = 0; i < 16; i++) {
      view.setFloat32(at + layout.INSTANCE_TO_OBJECT + 4 * i, inverse[i]!, true);
      view.setFloat32(at + layout.INSTANCE_TO_WORLD + 4 * i, transform[i]!, true);
    }
    view.setUint32(at + layout.INSTANCE_MESH, stored.record, true);
    view.setUint32(at + layout.INSTANCE_LIGHTS, 0, true);
    view.setInt32(at + layout.INSTANCE_ID, index, true);
    view.setUint32(at + layout.INSTANCE_NAME, cryptomatteBits(name), true);
    view.setInt32(at + layout.INSTANCE_FLAGS, isIdentity(transform) ? layout.INSTANCE_IS_IDENTITY : 0, true);
    view.setUint32(at + layout.INSTANCE_MOTION, 0, true);
    view.setUint32(at + layout.INSTANCE_NEXT, 0, true);
    if (!motion) return;
    const record = motionsWritten++ * layout.MOTION_STRIDE;
    writeMotion(heap.view(motions, moving * layout.MOTION_STRIDE), record, motion);
    view.setUint32(at + layout.INSTANCE_NEXT, motions + record, true);
    if (isBlurred) view.setUint32(at + layout.INSTANCE_MOTION, motions + record, true);
  });
  return address;
}

function isIdentity(transform: ArrayLike<number>): boolean {
  return Array.from(transform).every((value, i) => value === (i % 5 === 0 ? 1 : 0));
}

/** Builds the tree over the instances; returns the address of its nodes, 0 when there is nothing to hit. */
export async function buildSceneTree(
  heap: Heap,
  pool: ThreadPool,
  allocate: (bytes: number) => number,
  placed: readonly PlacedInstance[],
): Promise<number> {
  const count = placed.length;
  if (count === 0) return 0;
  const nodes = allocate(count * layout.NODE_STRIDE);
  const refs = heap.allocate(count * layout.REF_STRIDE);
  const view = heap.view(refs, count * layout.REF_STRIDE);
  placed.forEach(({ min, max }, index) => {
    for (let axis = 0; axis < 3; axis++) {
      // Outward by a little more than rounding to single precision and transforming rays can lose.
      const slack = 1e-6 * (Math.abs(min[axis]!) + Math.abs(max[axis]!));
      view.setFloat32(index * layout.REF_STRIDE + 4 * axis, min[axis]! - slack, true);
      view.setFloat32(index * layout.REF_STRIDE + 16 + 4 * axis, max[axis]! + slack, true);
    }
    view.setInt32(index * layout.REF_STRIDE + 12, index, true);
  });
  let scratch = 0;
  try {
    scratch = heap.allocate(
      layout.BUILD_BINS_BYTES + (2 * count + 1) * (layout.BUILD_NODE_STRIDE + layout.COLLAPSE_STRIDE),
    );
    await pool.lend((call) => call('buildSceneBvh', refs, count, nodes, scratch));
  } finally {
    heap.free(refs);
    heap.free(scratch);
  }
  return nodes;
}

/** Half the diagonal of everything that can be hit. */
export function sceneRadius(placed: readonly PlacedInstance[]): number {
  if (placed.length === 0) return 1e-6;
  const size = [0, 1, 2].map((axis) => {
    let low = Infinity;
    let high = -Infinity;
    for (const { min, max } of placed) {
      low = Math.min(low, min[axis]!);
      high = Math.max(high, max[axis]!);
    }
    return high - low;
  });
  return Math.max(1e-6, Math.hypot(...size) / 2);
}
