/**
 * Bounds on what a file may unfold to, checked on the JSON and the compressed bytes before memory is taken: a few bytes can
 * claim billions of vertices.
 */
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import { MESHOPT_EXTENSIONS } from './resources.ts';

/** All accessors together, unfolded: about 300 million vertices. */
const MAX_ACCESSOR_BYTES = 16 * 2 ** 30;
/** Accessors that have no bytes in the file: zeros that sparse values are written into. */
const MAX_ZERO_BYTES = 2 ** 30;
/**
 * meshopt: a channel of 256 vertices takes at least two bits of control data in version 1 of the vertex codec, so a byte
 * of a vertex stream cannot stand for more than 1,024; triangles and indices take at least a byte each.
 */
const MESHOPT_LARGEST_RATIO = 1024;
/** What a Draco stream can unfold to per byte: connectivity takes a fraction of a bit, constant attributes nothing. */
const DRACO_LARGEST_RATIO = 16_384;

const COMPONENT_BYTES: Record<number, number> = { 5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4 };
const COMPONENTS: Record<string, number> = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT2: 4, MAT3: 9, MAT4: 16 };

const bytesOf = ({ count, type, componentType }: GLTF.IAccessor): number =>
  count * (COMPONENTS[type] ?? 16) * (COMPONENT_BYTES[componentType] ?? 8);

const tooLarge = (file: string, pointer: string, why: string): FarmError =>
  new FarmError('SceneTooLarge', `${file}: ${pointer} ${why}`, { file, pointer });

/** Throws `SceneTooLarge` when accessors claim more than any scene holds, and `SceneInvalid` for impossible compression. */
export function checkClaims(json: GLTF.IGLTF, file: string): void {
  const dracoView = dracoViews(json, file);
  let total = 0;
  let zeros = 0;
  for (const [index, accessor] of (json.accessors ?? []).entries()) {
    const bytes = bytesOf(accessor);
    const pointer = `/accessors/${index}`;
    total += bytes;
    if (!(total <= MAX_ACCESSOR_BYTES))
      throw tooLarge(file, pointer, `takes the scene over ${MAX_ACCESSOR_BYTES} bytes`);
    if (accessor.bufferView !== undefined) continue;
    const compressed = dracoView.get(index);
    if (compressed !== undefined) {
      refuseRatio(bytes, compressed * DRACO_LARGEST_RATIO, file, pointer, 'Draco');
      continue;
    }
    zeros += bytes;
    if (!(zeros <= MAX_ZERO_BYTES)) throw tooLarge(file, pointer, `takes zeros over ${MAX_ZERO_BYTES} bytes`);
  }
  for (const [index, view] of (json.bufferViews ?? []).entries()) {
    for (const name of MESHOPT_EXTENSIONS) {
      const packed = view.extensions?.[name] as Record<string, unknown> | undefined;
      if (packed) checkMeshopt(packed, view, json, file, `/bufferViews/${index}/extensions/${name}`);
    }
  }
}

function refuseRatio(bytes: number, possible: number, file: string, pointer: string, codec: string): void {
  if (bytes <= possible + 4096) return;
  throw new FarmError(
    'SceneInvalid',
    `${file}: ${pointer} claims ${bytes} bytes, more than its ${codec} data can hold`,
    {
      file,
      pointer,
    },
  );
}

/** Compressed bytes behind each accessor that Draco fills. Throws `SceneInvalid` for views that do not exist. */
function dracoViews(json: GLTF.IGLTF, file: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const [mesh, { primitives }] of (json.meshes ?? []).entries()) {
    for (const [index, primitive] of primitives.entries()) {
      const draco = primitive.extensions?.KHR_draco_mesh_compression as { bufferView?: number } | undefined;
      if (!draco) continue;
      const view = json.bufferViews?.[draco.bufferView ?? -1];
      if (!view) {
        const pointer = `/meshes/${mesh}/primitives/${index}/extensions/KHR_draco_mesh_compression/bufferView`;
        throw new FarmError('SceneInvalid', `${file}: ${pointer} does not exist`, { file, pointer });
      }
      for (const accessor of [...Object.values(primitive.attributes), primitive.indices]) {
        if (accessor !== undefined) found.set(accessor, view.byteLength);
      }
    }
  }
  return found;
}

function checkMeshopt(
  packed: Record<string, unknown>,
  view: GLTF.IBufferView,
  json: GLTF.IGLTF,
  file: string,
  pointer: string,
): void {
  const { buffer, byteOffset = 0, byteLength, byteStride, count } = packed as Record<string, number | undefined>;
  const refuse = (why: string): never => {
    throw new FarmError('SceneInvalid', `${file}: ${pointer} ${why}`, { file, pointer });
  };
  const sizes = [buffer, byteOffset, byteLength, byteStride, count];
  if (!sizes.every((size) => Number.isInteger(size) && size! >= 0)) refuse('has sizes that are no whole numbers');
  if (byteStride! < 1 || byteStride! > 256) refuse('has a stride that is not from 1 to 256');
  const source = json.buffers?.[buffer!] ?? refuse('names a buffer that does not exist');
  if (byteOffset + byteLength! > source.byteLength) refuse('reaches beyond its buffer');
  if (view.byteLength !== count! * byteStride!)
    refuse(`unfolds to ${count! * byteStride!} bytes, not ${view.byteLength}`);
  refuseRatio(view.byteLength, byteLength! * MESHOPT_LARGEST_RATIO, file, pointer, 'meshopt');
}

/** Throws `SceneInvalid` when a sparse accessor (glTF 2.0, 3.6.2.3) writes outside itself. */
export function checkSparse(json: GLTF.IGLTF, buffers: readonly Uint8Array[], file: string): void {
  for (const [index, { sparse, count }] of (json.accessors ?? []).entries()) {
    if (!sparse) continue;
    const view = json.bufferViews![sparse.indices.bufferView]!;
    // Compressed views are known only when they are decoded; what lies beyond their end is dropped there.
    if (MESHOPT_EXTENSIONS.some((name) => view.extensions?.[name])) continue;
    const bytes = buffers[view.buffer]!;
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = (view.byteOffset ?? 0) + (sparse.indices.byteOffset ?? 0);
    const size = COMPONENT_BYTES[sparse.indices.componentType] ?? 4;
    if (start + sparse.count * size > data.byteLength) {
      const pointer = `/accessors/${index}/sparse`;
      throw new FarmError('SceneInvalid', `${file}: ${pointer} reaches beyond its buffer`, { file, pointer });
    }
    for (let i = 0; i < sparse.count; i++) {
      const at = start + i * size;
      const target = size === 1 ? data.getUint8(at) : size === 2 ? data.getUint16(at, true) : data.getUint32(at, true);
      if (target >= count) {
        const pointer = `/accessors/${index}/sparse/indices`;
        throw new FarmError('SceneInvalid', `${file}: ${pointer}: element ${i} is ${target}, not below ${count}`, {
          file,
          pointer,
          element: i,
        });
      }
    }
  }
}
