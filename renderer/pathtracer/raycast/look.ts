/** A scene as the ray-cast kernels read it: what did not change since the last one is kept. */
import type { SceneDescription } from '../scene/description.ts';
import { packAtlas } from './atlas.ts';
import { BOX_WIDTH, type FlatTree, TRIANGLE_WIDTH } from './flatten.ts';
import { rows, type Table, type Tables } from './steps.ts';
import {
  CORNER_WIDTH,
  geometryTables,
  INSTANCE_WIDTH,
  instanceTable,
  MATERIAL_WIDTH,
  materialTable,
  usedSlots,
  VERTEX_WIDTH,
  wantedTextures,
} from './tables.ts';

/** What the kernels read of the meshes alone. */
interface VertexTables {
  vertices: Table;
  corners: Table;
  /** See `GeometryTables`. */
  firstCorner: number[];
}

/** A scene as the kernels read it. */
export interface Look {
  scene: SceneDescription;
  memoryOf: readonly number[];
  /** See `FlatTree`. */
  solidEnd: number;
  seeThroughEnd: number;
  vertices: VertexTables;
  geometry: Pick<Tables, 'boxes' | 'triangles' | 'instances' | 'corners' | 'vertices'>;
  hasSeeThrough: boolean;
  /** Whether each of the tree's instances colours what lies behind it, as glass does: a blended surface covers it evenly. */
  tints: readonly boolean[];
  /** `slots`: which of `SLOTS` any material has a texture for. */
  textures: { largest: number; materials: Table; texels: Table; slots: number[] } | null;
}

/** `placed`: where the description lists each of the tree's instances. `previous`: the scene before. */
export function lookAt(
  scene: SceneDescription,
  tree: FlatTree,
  placed: readonly number[],
  previous: Look | null,
): Look {
  const vertices = previous && sameMeshes(previous.scene, scene) ? previous.vertices : vertexTables(scene);
  const sameTextures = previous?.scene.materials === scene.materials && previous.scene.images === scene.images;
  return {
    scene,
    memoryOf: placed,
    solidEnd: tree.solidEnd,
    seeThroughEnd: tree.seeThroughEnd,
    geometry: {
      boxes: rows(tree.boxes, BOX_WIDTH),
      triangles: rows(tree.triangles, TRIANGLE_WIDTH),
      instances: rows(instanceTable(scene, tree, placed, vertices.firstCorner), INSTANCE_WIDTH),
      ...{ corners: vertices.corners, vertices: vertices.vertices },
    },
    vertices,
    hasSeeThrough: tree.seeThroughEnd > tree.solidEnd,
    tints: placed.map(
      (source) => scene.materials[scene.meshes[scene.instances[source]!.mesh]!.material]!.transmission > 0,
    ),
    textures: sameTextures ? previous.textures : null,
  };
}

/** Textures of at most `largest` texels a side, kept with the look. */
export function texturesOf(look: Look, largest: number): NonNullable<Look['textures']> {
  if (look.textures?.largest === largest) return look.textures;
  const { materials, images } = look.scene;
  const atlas = packAtlas(images, wantedTextures(materials), largest);
  look.textures = {
    largest,
    slots: usedSlots(materials),
    materials: rows(materialTable(materials, atlas), MATERIAL_WIDTH),
    texels: rows(atlas.texels, atlas.width),
  };
  return look.textures;
}

function vertexTables(scene: SceneDescription): VertexTables {
  const { vertices, corners, firstCorner } = geometryTables(scene);
  return { vertices: rows(vertices, VERTEX_WIDTH), corners: rows(corners, CORNER_WIDTH), firstCorner };
}

const sameMeshes = (one: SceneDescription, other: SceneDescription): boolean =>
  one.meshes.length === other.meshes.length && one.meshes.every((mesh, index) => mesh === other.meshes[index]);

/** Whether all surfaces are the same and where they were, and the eye, by which trees are sorted. */
export function standsStill(one: SceneDescription, other: SceneDescription): boolean {
  if (!sameMeshes(one, other) || one.materials !== other.materials || one.images !== other.images) return false;
  const same = (a: ArrayLike<number>, b: ArrayLike<number>, from: number, to: number): boolean => {
    for (let k = from; k < to; k++) if (a[k] !== b[k]) return false;
    return true;
  };
  return (
    same(one.camera.transform, other.camera.transform, 12, 15) &&
    one.instances.length === other.instances.length &&
    one.instances.every(({ mesh, transform }, index) => {
      const { mesh: otherMesh, transform: otherTransform } = other.instances[index]!;
      return mesh === otherMesh && same(transform, otherTransform, 0, 16);
    })
  );
}
