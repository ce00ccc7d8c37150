/** Nodes at rest, their instances (EXT_mesh_gpu_instancing) and their skins, from the JSON and its accessors. */
import type { Accessor, GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import { readFloats } from './accessors.ts';
import type { OrderedNode } from './graph.ts';
import { LIGHTS_EXTENSION } from './lights.ts';
import { compose, IDENTITY, type Mat4, type Vec3 } from './matrix.ts';

/** A node of the scene graph, its resting pose included. */
export interface SceneNode {
  name: string;
  /** Index in the file's nodes. */
  source: number;
  /** Index of the parent in `LoadedScene.nodes`, which always comes earlier; -1 for roots. */
  parent: number;
  translation: Vec3;
  rotation: [number, number, number, number];
  scale: Vec3;
  /** Stands in for the three above where the file gives a matrix, which may shear. */
  matrix: Mat4 | null;
  /** KHR_node_visibility; hides what is below it too. */
  visible: boolean;
  /** Indices into `LoadedScene.parts`. */
  parts: number[];
  /** Index into `LoadedScene.skins`, or -1. */
  skin: number;
  /** Morph weights at rest. */
  weights: number[];
  /** Transforms of EXT_mesh_gpu_instancing, relative to the node, or null for the node alone. */
  copies: Mat4[] | null;
  /** Index into the file's lights, or -1. */
  light: number;
}

export interface SceneSkin {
  /** Node indices. */
  joints: number[];
  inverseBind: Mat4[];
}

/** What nodes refer to. */
export interface NodeContext {
  json: GLTF.IGLTF;
  accessors: Accessor[];
  file: string;
  /** Lights in the file. */
  lightCount: number;
  /** Parts of a mesh, by its index in the file. */
  partsOfMesh: Map<number, number[]>;
  /** Index into `LoadedScene.skins` by index in the file. */
  skinIndex: Map<number, number>;
}

const INSTANCING = 'EXT_mesh_gpu_instancing';
const VISIBILITY = 'KHR_node_visibility';

/** Extensions of a node as they stand in the JSON. */
type NodeExtensions = {
  [INSTANCING]?: { attributes?: Record<string, number> };
  [VISIBILITY]?: { visible?: boolean };
  [LIGHTS_EXTENSION]?: { light?: number };
};

function readCopies(extensions: NodeExtensions, source: number, name: string, context: NodeContext): Mat4[] | null {
  const { file, accessors } = context;
  const attributes = extensions[INSTANCING]?.attributes;
  if (!attributes) return null;
  const what = `instances of "${name || `node ${source}`}"`;
  const pointer = `/nodes/${source}/extensions/${INSTANCING}/attributes`;
  const refuse = (why: string): never => {
    throw new FarmError('SceneInvalid', `${file}: ${what} ${why}`, { file, node: name, pointer });
  };
  const read = (semantic: string, size: number) => {
    const index = attributes[semantic];
    if (index === undefined) return null;
    const accessor = accessors[index] ?? refuse(`have no ${semantic}`);
    if (accessor.getElementSize() !== size) refuse(`have a ${semantic} of the wrong type`);
    return { values: readFloats(accessor, { file, what }), count: accessor.getCount() };
  };
  const [t, r, s] = [read('TRANSLATION', 3), read('ROTATION', 4), read('SCALE', 3)];
  const counts = [t, r, s].flatMap((attribute) => (attribute ? [attribute.count] : []));
  if (counts.some((count) => count !== counts[0])) refuse('have attributes of different length');
  return Array.from({ length: counts[0] ?? 0 }, (_, i) => {
    const turn = r?.values.subarray(i * 4, i * 4 + 4) ?? [0, 0, 0, 1];
    // Quantised quaternions are a little off unit length, which would scale what they turn.
    const length = Math.hypot(...turn) || 1;
    return compose(
      t?.values.subarray(i * 3, i * 3 + 3) ?? [0, 0, 0],
      Array.from(turn, (value) => value / length),
      s?.values.subarray(i * 3, i * 3 + 3) ?? [1, 1, 1],
    );
  });
}

/** One node at rest. Throws `SceneInvalid`. */
export function readNode({ source, parent }: OrderedNode, context: NodeContext): SceneNode {
  const { json, file } = context;
  const node = json.nodes![source]!;
  const mesh = node.mesh === undefined ? null : json.meshes![node.mesh]!;
  const extensions = (node.extensions ?? {}) as NodeExtensions;
  const light = extensions[LIGHTS_EXTENSION]?.light ?? -1;
  if (!Number.isInteger(light) || light >= context.lightCount) {
    const pointer = `/nodes/${source}/extensions/${LIGHTS_EXTENSION}/light`;
    throw new FarmError('SceneInvalid', `${file}: ${pointer} names a light that does not exist`, { file, pointer });
  }
  return {
    name: node.name ?? '',
    source,
    parent,
    translation: (node.translation as Vec3 | undefined) ?? [0, 0, 0],
    rotation: (node.rotation as SceneNode['rotation'] | undefined) ?? [0, 0, 0, 1],
    scale: (node.scale as Vec3 | undefined) ?? [1, 1, 1],
    matrix: node.matrix ?? null,
    visible: extensions[VISIBILITY]?.visible !== false,
    parts: node.mesh === undefined ? [] : context.partsOfMesh.get(node.mesh)!,
    skin: mesh && node.skin !== undefined ? context.skinIndex.get(node.skin)! : -1,
    weights: node.weights?.length ? node.weights : (mesh?.weights ?? []),
    copies: readCopies(extensions, source, node.name ?? '', context),
    light,
  };
}

/** The file's skin `source`. `nodeIndex` finds joints by their index in the file. Throws `SceneInvalid`. */
export function readSkin(
  source: number,
  nodeIndex: Map<number, number>,
  { json, accessors, file }: Pick<NodeContext, 'json' | 'accessors' | 'file'>,
): SceneSkin {
  const skin = json.skins![source]!;
  const label = skin.name || `skin ${source}`;
  const joints = skin.joints.map((joint) => {
    const index = nodeIndex.get(joint);
    if (index === undefined) {
      const name = json.nodes?.[joint]?.name || `node ${joint}`;
      throw new FarmError('SceneInvalid', `${file}: joint "${name}" of "${label}" is not in the scene`, {
        file,
        skin: label,
      });
    }
    return index;
  });
  const accessor = skin.inverseBindMatrices === undefined ? null : accessors[skin.inverseBindMatrices]!;
  const matrices = accessor && readFloats(accessor, { file, what: `inverse bind matrices of "${label}"` });
  if (matrices && matrices.length < joints.length * 16) {
    throw new FarmError('SceneInvalid', `${file}: "${label}" has fewer inverse bind matrices than joints`, {
      file,
      skin: label,
    });
  }
  const inverseBind = joints.map((_, joint) =>
    matrices ? Array.from(matrices.subarray(joint * 16, joint * 16 + 16)) : [...IDENTITY],
  );
  return { joints, inverseBind };
}
