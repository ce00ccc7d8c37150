/**
 * The tracer's bounding volume hierarchy as gpu.js can walk it: without a stack.
 *
 * Boxes stand in one list in depth-first order, each with the place to go on at when a ray misses it (Smits 1998, "Efficiency
 * issues for ray tracing"; MacDonald and Booth 1990 call it threading). A list has one order for all rays, so children are
 * sorted by their distance from the eye, which is nearly the best order for rays that all start there.
 */
import { FarmError } from '../../../domain/errors.ts';
import * as layout from '../wasm/assembly/layout.ts';

/** Floats of a box: minimum, maximum, index to skip to, 0 or 1 + index of what a leaf holds. */
export const BOX_WIDTH = 8;
/** Floats of a triangle: corner, two edges, its number in the mesh, 1 where it is the last of its leaf, 0. */
export const TRIANGLE_WIDTH = 12;

/** Whole numbers are exact up to here in kernels, whose numbers are floats. */
const MAX_EXACT = 2 ** 24;
/** Bytes that child references count in. */
const REFERENCE_UNIT = 1 << layout.REFERENCE_SHIFT;

export interface FlatTree {
  /** `BOX_WIDTH` floats a box; the scene's own lists first. */
  boxes: Float32Array;
  /** Where the scene's list of solid instances ends, which begins at 0, and behind it that of see-through ones. */
  solidEnd: number;
  seeThroughEnd: number;
  /** `TRIANGLE_WIDTH` floats a triangle. */
  triangles: Float32Array;
  /** For each instance of the tracer: where its mesh's list begins and ends. */
  lists: { begin: number; end: number }[];
  /** World to object, sixteen floats (four columns of four) an instance. */
  toObject: Float32Array[];
}

/**
 * Reads the tree of a scene whose shutter is closed (packs of moving meshes are larger) that scene memory at `sceneAddress` holds. Throws
 * `SceneTooLarge` beyond what kernels can number.
 */
export function flattenTree(
  memory: ArrayBufferLike,
  sceneAddress: number,
  instanceCount: number,
  eye: readonly [number, number, number],
  isSeeThrough: (instance: number) => boolean,
): FlatTree {
  const words = new Uint32Array(memory);
  const signed = new Int32Array(memory);
  const floats = new Float32Array(memory);
  const boxes = new FloatList(BOX_WIDTH);
  const triangles = new FloatList(TRIANGLE_WIDTH);

  /**
   * Appends the boxes below the wide node at `offset` that hold anything; `leaf` writes what a leaf holds and returns its index, or
   * null for a leaf to be left out.
   */
  const appendNode = (
    nodes: number,
    offset: number,
    from: readonly number[],
    leaf: (reference: number) => number | null,
  ): void => {
    const at = (nodes + offset) >>> 2;
    const children: { slot: number; distance: number }[] = [];
    for (let slot = 0; slot < 8; slot++) {
      // Unused children have empty boxes.
      if (!(floats[at + slot]! <= floats[at + 8 + slot]!)) continue;
      let distance = 0;
      for (let axis = 0; axis < 3; axis++) {
        const plane = at + 16 * axis + slot;
        const beside = 0.5 * (floats[plane]! + floats[plane + 8]!) - from[axis]!;
        distance += beside * beside;
      }
      children.push({ slot, distance });
    }
    children.sort((a, b) => a.distance - b.distance);
    for (const { slot } of children) {
      const reference = signed[at + (layout.NODE_CHILDREN >>> 2) + slot]!;
      const held = reference < 0 ? leaf(~reference) : null;
      if (reference < 0 && held === null) continue;
      const box = boxes.append();
      for (let axis = 0; axis < 3; axis++) {
        boxes.data[box * BOX_WIDTH + axis] = floats[at + 16 * axis + slot]!;
        boxes.data[box * BOX_WIDTH + 3 + axis] = floats[at + 16 * axis + 8 + slot]!;
      }
      if (held !== null) {
        boxes.data[box * BOX_WIDTH + 7] = 1 + held;
      } else {
        appendNode(nodes, reference * REFERENCE_UNIT, from, leaf);
        // Nothing below: the next box takes its place.
        if (boxes.length === box + 1) boxes.length = box;
      }
      boxes.data[box * BOX_WIDTH + 6] = boxes.length;
    }
  };

  const appendPack = (packs: number, reference: number): number => {
    const at = (packs + reference * REFERENCE_UNIT) >>> 2;
    const first = triangles.length;
    for (let lane = 0; lane < 4; lane++) {
      const id = signed[at + (layout.PACK_IDS >>> 2) + lane]!;
      if (id < 0) continue;
      const to = triangles.append() * TRIANGLE_WIDTH;
      for (let axis = 0; axis < 3; axis++) {
        const corner = floats[at + 4 * axis + lane]!;
        triangles.data[to + axis] = corner;
        triangles.data[to + 3 + axis] = floats[at + (layout.PACK_V1 >>> 2) + 4 * axis + lane]! - corner;
        triangles.data[to + 6 + axis] = floats[at + (layout.PACK_V2 >>> 2) + 4 * axis + lane]! - corner;
      }
      triangles.data[to + 9] = id;
    }
    triangles.data[(triangles.length - 1) * TRIANGLE_WIDTH + 10] = 1;
    return first;
  };

  const sceneNodes = words[(sceneAddress + layout.SCENE_NODES) >>> 2]!;
  const instances = words[(sceneAddress + layout.SCENE_INSTANCES) >>> 2]!;
  const appendScene = (seeThrough: boolean): number => {
    const keep = (instance: number): number | null => (isSeeThrough(instance) === seeThrough ? instance : null);
    if (sceneNodes !== 0) appendNode(sceneNodes, 0, eye, keep);
    return boxes.length;
  };
  const solidEnd = appendScene(false);
  const seeThroughEnd = appendScene(true);
  const lists: FlatTree['lists'] = [];
  const toObject: Float32Array[] = [];
  const byMesh = new Map<number, { begin: number; end: number }>();
  for (let index = 0; index < instanceCount && sceneNodes !== 0; index++) {
    const instance = instances + index * layout.INSTANCE_STRIDE;
    const matrix = floats.slice(
      (instance + layout.INSTANCE_TO_OBJECT) >>> 2,
      ((instance + layout.INSTANCE_TO_OBJECT) >>> 2) + 16,
    );
    toObject.push(matrix);
    const mesh = words[(instance + layout.INSTANCE_MESH) >>> 2]!;
    let list = byMesh.get(mesh);
    if (!list) {
      // Instances share a list; the first one's view orders it.
      const from = [0, 1, 2].map(
        (row) => matrix[row]! * eye[0] + matrix[4 + row]! * eye[1] + matrix[8 + row]! * eye[2] + matrix[12 + row]!,
      );
      const packs = words[(mesh + layout.MESH_PACKS) >>> 2]!;
      const begin = boxes.length;
      appendNode(words[(mesh + layout.MESH_NODES) >>> 2]!, 0, from, (pack) => appendPack(packs, pack));
      list = { begin, end: boxes.length };
      byMesh.set(mesh, list);
    }
    lists.push(list);
  }
  if (boxes.length > MAX_EXACT || triangles.length > MAX_EXACT) {
    throw new FarmError(
      'SceneTooLarge',
      'The scene has more than 16 million triangles, which the quick look cannot number.',
      {
        technique: 'raycast',
      },
    );
  }
  return { boxes: boxes.trimmed(), solidEnd, seeThroughEnd, triangles: triangles.trimmed(), lists, toObject };
}

/** Records of `width` floats that grow. */
class FloatList {
  data: Float32Array;
  length = 0;
  readonly #width: number;

  constructor(width: number) {
    this.#width = width;
    this.data = new Float32Array(width * 1024);
  }

  /** Index of a new record, all zero. */
  append(): number {
    if ((this.length + 1) * this.#width > this.data.length) {
      const larger = new Float32Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    return this.length++;
  }

  trimmed(): Float32Array {
    return this.data.subarray(0, Math.max(1, this.length) * this.#width);
  }
}
