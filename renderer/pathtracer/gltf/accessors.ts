/** Accessor contents as plain arrays, checked for what would poison a picture. */
import type { Accessor } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';

const NORMALIZED_SCALE = new Map<number, number>([
  [5120, 127],
  [5121, 255],
  [5122, 32_767],
  [5123, 65_535],
]);

/** "accessor 12 (positions of mesh "Body")": where a bad number stands. */
export interface AccessorUse {
  file: string;
  /** What the numbers are, e.g. `positions of "Body"`. */
  what: string;
}

/**
 * Numbers of an accessor as floats; normalised integers become -1..1 or 0..1 (glTF 2.0, 3.11). Floats are shared with the
 * document, not copied. Throws `SceneInvalid` when one is NaN or infinite.
 */
export function readFloats(accessor: Accessor, use: AccessorUse): Float32Array {
  const array = accessor.getArray();
  if (!array)
    throw new FarmError('SceneInvalid', `${use.file}: ${use.what} have no data`, { file: use.file, what: use.what });
  if (array instanceof Float32Array) {
    for (let i = 0; i < array.length; i++) {
      if (!Number.isFinite(array[i]!)) {
        const element = Math.floor(i / accessor.getElementSize());
        throw new FarmError('SceneInvalid', `${use.file}: ${use.what}: element ${element} is ${array[i]}`, {
          file: use.file,
          what: use.what,
          accessor: accessor.getName() || null,
          element,
        });
      }
    }
    return array;
  }
  const scale = accessor.getNormalized() ? NORMALIZED_SCALE.get(accessor.getComponentType()) : undefined;
  if (scale === undefined) return Float32Array.from(array);
  return Float32Array.from(array as ArrayLike<number>, (value) => Math.max(value / scale, -1));
}

/** Unsigned integers, each below `limit`. Throws `SceneInvalid` otherwise. */
export function readIndices(accessor: Accessor, limit: number, use: AccessorUse): Uint32Array {
  const indices = Uint32Array.from(accessor.getArray() ?? []);
  for (let i = 0; i < indices.length; i++) {
    if (indices[i]! >= limit) {
      throw new FarmError(
        'SceneInvalid',
        `${use.file}: ${use.what}: index ${indices[i]} at ${i} is not below ${limit}`,
        {
          file: use.file,
          what: use.what,
          element: i,
        },
      );
    }
  }
  return indices;
}
