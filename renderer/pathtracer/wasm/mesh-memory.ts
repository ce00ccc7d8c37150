/** One mesh in the tracer's memory: its attributes and its bounding volume hierarchy. */
import { FarmError } from '../../../domain/errors.ts';
import type { MeshGeometry } from '../scene/description.ts';
import * as layout from './assembly/layout.ts';
import type { Heap } from './heap.ts';
import type { Vector } from './matrix.ts';
import type { ThreadPool } from './threads.ts';

/** Tells geometry apart when two scenes happen to use the same mesh ids. */
interface GeometryIdentity {
  positions: WeakRef<Float32Array>;
  indices: WeakRef<Uint32Array>;
  /** The vertices one frame later; null when the mesh does not move. */
  next: WeakRef<Float32Array> | null;
  fingerprint: number;
  /** For which shutter its boxes are; 0 when it does not move. */
  shutter: number;
}

export interface StoredMesh {
  revision: number;
  identity: GeometryIdentity;
  /** Address of the mesh record. */
  record: number;
  /** Everything that belongs to it, the record included. */
  addresses: number[];
  /** Object-space bounds; meaningless when nothing can be hit. */
  min: Vector;
  max: Vector;
  hittable: boolean;
}

/**
 * Copies the mesh and builds its BVH on one of the threads. `shutter` is how long the shutter is open, in frames: a mesh with
 * vertices one frame later moves when it is. Throws `SceneInvalid` and `SceneTooLarge`, leaving nothing.
 */
export async function loadMesh(heap: Heap, pool: ThreadPool, mesh: MeshGeometry, shutter: number): Promise<StoredMesh> {
  validate(mesh);
  const addresses: number[] = [];
  const keep = (address: number): number => {
    addresses.push(address);
    return address;
  };
  const optional = (values: Float32Array | null): number => (values ? keep(heap.store(values)) : 0);
  const temporary: number[] = [];
  try {
    const triangles = mesh.indices.length / 3;
    const record = keep(heap.allocate(layout.MESH_STRIDE));
    const fields: [number, number][] = [
      [layout.MESH_NODES, 0],
      [layout.MESH_PACKS, 0],
      [layout.MESH_TRIANGLES, triangles],
      [layout.MESH_INDICES, keep(heap.store(mesh.indices))],
      [layout.MESH_NORMALS, keep(heap.store(mesh.normals))],
      [layout.MESH_TANGENTS, optional(mesh.tangents)],
      [layout.MESH_UV0, optional(mesh.uv0)],
      [layout.MESH_UV1, optional(mesh.uv1)],
      [layout.MESH_COLORS, optional(mesh.colors)],
    ];
    for (const [offset, value] of fields) heap.view(record, layout.MESH_STRIDE).setUint32(offset, value, true);
    const hittable = await pool.lend(async (call) => {
      // Not before a thread is free: only as many meshes as there are threads hold scratch at a time.
      const positions = heap.store(mesh.positions);
      temporary.push(positions);
      const next = moves(mesh, shutter) ? heap.store(mesh.positionsNext!) : 0;
      temporary.push(next);
      const scratch = heap.allocate(
        triangles * layout.REF_STRIDE + layout.BUILD_BINS_BYTES + (2 * triangles + 1) * layout.BUILD_NODE_STRIDE,
      );
      temporary.push(scratch);
      const leaves = await call('buildMeshTree', record, positions, next, shutter, scratch);
      let used = 0;
      if (leaves > 0) {
        // The binary tree has fewer nodes than triangles could make; what is left over makes room for the packs.
        heap.shrink(
          scratch,
          triangles * layout.REF_STRIDE + layout.BUILD_BINS_BYTES + (2 * leaves - 1) * layout.BUILD_NODE_STRIDE,
        );
        const choices = heap.allocate((2 * leaves - 1) * layout.COLLAPSE_STRIDE);
        temporary.push(choices);
        const wide = await call('chooseCollapse', choices);
        const nodes = keep(heap.allocate(wide * layout.NODE_STRIDE));
        const packs = keep(heap.allocate(leaves * (next ? layout.PACK_MOVING_STRIDE : layout.PACK_STRIDE)));
        used = await call('emitMeshTree', record, nodes, packs);
      }
      for (const address of temporary.splice(0)) heap.free(address);
      return used > 0;
    });
    const bounds = heap.floats(record + layout.MESH_MIN, 6);
    return {
      revision: mesh.revision,
      identity: identify(mesh, shutter),
      record,
      addresses,
      min: [bounds[0]!, bounds[1]!, bounds[2]!],
      max: [bounds[3]!, bounds[4]!, bounds[5]!],
      hittable,
    };
  } catch (error) {
    for (const address of addresses) heap.free(address);
    throw error;
  } finally {
    for (const address of temporary) heap.free(address);
  }
}

/** Whether `stored` was made from this mesh: same revision and motion, and the same arrays or equal contents. */
export function isStored(stored: StoredMesh, mesh: MeshGeometry, shutter: number): boolean {
  if (stored.revision !== mesh.revision) return false;
  const { positions, next, indices, fingerprint, shutter: builtFor } = stored.identity;
  const moving = moves(mesh, shutter);
  if (builtFor !== (moving ? shutter : 0)) return false;
  const sameMotion = !moving || next?.deref() === mesh.positionsNext;
  if (positions.deref() === mesh.positions && indices.deref() === mesh.indices && sameMotion) return true;
  return fingerprint === identify(mesh, shutter).fingerprint;
}

function moves({ positions, positionsNext }: MeshGeometry, shutter: number): boolean {
  return shutter > 0 && positionsNext != null && positionsNext !== positions;
}

function identify(mesh: MeshGeometry, shutter: number): GeometryIdentity {
  const { positions, positionsNext, indices } = mesh;
  const moving = moves(mesh, shutter);
  return {
    positions: new WeakRef(positions),
    indices: new WeakRef(indices),
    next: moving ? new WeakRef(positionsNext!) : null,
    fingerprint: moving ? fingerprintOf(positions, indices, positionsNext!) : fingerprintOf(positions, indices),
    shutter: moving ? shutter : 0,
  };
}

/** FNV-1a over the words of the arrays. */
export function fingerprintOf(...arrays: (Float32Array | Uint32Array)[]): number {
  let hash = 0x811c9dc5;
  for (const array of arrays) {
    const words = new Uint32Array(array.buffer, array.byteOffset, array.length);
    hash = Math.imul(hash ^ words.length, 0x01000193);
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  }
  return hash;
}

/** Squares of larger ones do not fit single precision. */
const LARGEST_COORDINATE = 1e18;

/** Lengths, coordinates and indices: the tracer itself checks nothing while it runs. */
function validate(mesh: MeshGeometry): void {
  const vertices = Math.floor(mesh.positions.length / 3);
  const refuse = (what: string): never => {
    throw new FarmError('SceneInvalid', `Mesh ${mesh.id}: ${what}.`, { mesh: mesh.id });
  };
  if (mesh.indices.length % 3 !== 0) refuse('the number of indices is no multiple of three');
  const lengths: [string, Float32Array | null, number][] = [
    ['positionsNext', mesh.positionsNext ?? null, 3],
    ['normals', mesh.normals, 3],
    ['tangents', mesh.tangents, 4],
    ['uv0', mesh.uv0, 2],
    ['uv1', mesh.uv1, 2],
    ['colors', mesh.colors, 4],
  ];
  for (const [name, values, width] of lengths) {
    if (values && values.length < vertices * width) refuse(`${name} has fewer entries than there are vertices`);
  }
  for (const positions of mesh.positionsNext ? [mesh.positions, mesh.positionsNext] : [mesh.positions]) {
    for (let i = 0; i < positions.length; i++) {
      // NaN passes: triangles that have one are left out.
      if (Math.abs(positions[i]!) > LARGEST_COORDINATE)
        refuse(
          `vertex ${Math.floor(i / 3)} lies at ${positions[i]}, farther out than the tracer can reckon with (1e18)`,
        );
    }
  }
  for (let i = 0; i < mesh.indices.length; i++) {
    if (mesh.indices[i]! >= vertices) refuse(`index ${i} is ${mesh.indices[i]}, but there are ${vertices} vertices`);
  }
}
