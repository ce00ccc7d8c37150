/** What the ray-cast kernels read beside the tree: vertices, corners, instances and materials, as rows of floats. */
import type { SceneDescription, SurfaceMaterial, TextureRef } from '../scene/description.ts';
import type { Atlas, AtlasPart } from './atlas.ts';
import type { FlatTree } from './flatten.ts';

/** normal xyz, uv0, uv1, colour rgba, tangent xyzw, 0. */
export const VERTEX_WIDTH = 16;
/** Three vertex numbers, 0. */
export const CORNER_WIDTH = 4;
/** World to object (four columns of three), list begin, list end, kind, material, first corner row, object to world (three columns of three). */
export const INSTANCE_WIDTH = 28;
export const INSTANCE_BEGIN = 12;
export const INSTANCE_TO_WORLD = 17;
/** base rgba, emissive rgb, metallic, roughness, normal scale, alpha cutoff, transmission, unlit, then slots. */
export const MATERIAL_WIDTH = 112;
/** Sixteen floats a slot: present, x, y, width, height, wrap s, wrap t, nearest, texture coordinate set, sRGB, transform of six. */
const SLOT_BASE = 16;
const SLOT_ALPHA = 32;
const SLOT_ROUGHNESS = 48;
const SLOT_NORMAL = 64;
const SLOT_EMISSIVE = 80;
const SLOT_TRANSMISSION = 96;
/** In the order in which a kernel's `view` has them. */
export const SLOTS = [SLOT_BASE, SLOT_ALPHA, SLOT_ROUGHNESS, SLOT_NORMAL, SLOT_EMISSIVE, SLOT_TRANSMISSION] as const;

/** How a surface takes part: it stops rays, stops them where its alpha says so, or lets light through. */
export type SurfaceKind = 0 | 1 | 2;
export const KIND_SOLID: SurfaceKind = 0;
export const KIND_MASKED: SurfaceKind = 1;
export const KIND_SEE_THROUGH: SurfaceKind = 2;

export const kindOf = ({ alphaMode, transmission }: SurfaceMaterial): SurfaceKind =>
  alphaMode === 'blend' || transmission > 0 ? KIND_SEE_THROUGH : alphaMode === 'mask' ? KIND_MASKED : KIND_SOLID;

/** Textures that kernels look at, by slot. */
function slotsOf(material: SurfaceMaterial): [number, TextureRef | null, AtlasPart][] {
  const { baseColorTexture, metallicRoughnessTexture, normalTexture, emissiveTexture, transmissionTexture } = material;
  return [
    [SLOT_BASE, baseColorTexture, 'rgb'],
    [SLOT_ALPHA, kindOf(material) === KIND_SOLID ? null : baseColorTexture, 'alpha'],
    [SLOT_ROUGHNESS, metallicRoughnessTexture, 'rgb'],
    [SLOT_NORMAL, normalTexture, 'rgb'],
    [SLOT_EMISSIVE, emissiveTexture, 'rgb'],
    [SLOT_TRANSMISSION, transmissionTexture, 'rgb'],
  ];
}

/** Keys of `packAtlas` for all materials of a scene. */
export function wantedTextures(materials: readonly SurfaceMaterial[]): Set<string> {
  const wanted = new Set<string>();
  for (const material of materials) {
    for (const [, texture, part] of slotsOf(material)) if (texture) wanted.add(`${texture.image}/${part}`);
  }
  return wanted;
}

/** Those of `SLOTS` that any material has a texture in. */
export function usedSlots(materials: readonly SurfaceMaterial[]): number[] {
  const used = new Set(
    materials.flatMap((material) => slotsOf(material).flatMap(([slot, texture]) => (texture ? [slot] : []))),
  );
  return SLOTS.filter((slot) => used.has(slot));
}

export function materialTable(materials: readonly SurfaceMaterial[], atlas: Atlas): Float32Array {
  const table = new Float32Array(Math.max(1, materials.length) * MATERIAL_WIDTH);
  materials.forEach((material, index) => {
    const row = table.subarray(index * MATERIAL_WIDTH, (index + 1) * MATERIAL_WIDTH);
    const { baseColor, emissive, metallic, roughness, normalScale, transmission, unlit } = material;
    // What is blended with hardly any alpha lets everything through, and with it what lies behind.
    const cutoff = material.alphaMode === 'mask' ? material.alphaCutoff : material.alphaMode === 'blend' ? 0.004 : 0;
    row.set([...baseColor, ...emissive, metallic, roughness, normalScale, cutoff, transmission, unlit ? 1 : 0]);
    if (material.alphaMode === 'opaque') row[3] = 1;
    for (const [slot, texture, part] of slotsOf(material)) {
      if (part === 'alpha' && material.alphaMode === 'opaque') continue;
      const place = texture && atlas.place(texture.image, part);
      if (!texture || !place) continue;
      const wraps = { repeat: 0, clamp: 1, mirror: 2 };
      row.set(
        [
          ...[1, place.x, place.y, place.width, place.height, wraps[texture.wrapS], wraps[texture.wrapT]],
          ...[
            texture.nearest ? 1 : 0,
            texture.texCoord,
            texture.srgb && part === 'rgb' ? 1 : 0,
            ...texture.uvTransform,
          ],
        ],
        slot,
      );
    }
  });
  return table;
}

export interface GeometryTables {
  vertices: Float32Array;
  corners: Float32Array;
  /** Where each mesh's rows begin in `corners`. */
  firstCorner: number[];
}

export function geometryTables({ meshes }: SceneDescription): GeometryTables {
  const vertexCounts = meshes.map(({ positions }) => Math.floor(positions.length / 3));
  const vertices = new Float32Array(Math.max(1, sum(vertexCounts)) * VERTEX_WIDTH);
  const corners = new Float32Array(Math.max(1, sum(meshes.map(({ indices }) => indices.length / 3))) * CORNER_WIDTH);
  const firstCorner: number[] = [];
  let [vertexBase, cornerBase] = [0, 0];
  meshes.forEach(({ normals, uv0, uv1, colors, tangents, indices }, index) => {
    const count = vertexCounts[index]!;
    const copy = (from: Float32Array | null, width: number, offset: number, otherwise: number): void => {
      for (let i = 0; i < count; i++) {
        const to = (vertexBase + i) * VERTEX_WIDTH + offset;
        for (let k = 0; k < width; k++) vertices[to + k] = from ? from[i * width + k]! : otherwise;
      }
    };
    copy(normals, 3, 0, 0);
    if (uv0) copy(uv0, 2, 3, 0);
    if (uv1) copy(uv1, 2, 5, 0);
    copy(colors, 4, 7, 1);
    if (tangents) copy(tangents, 4, 11, 0);
    firstCorner.push(cornerBase);
    for (let triangle = 0; triangle < indices.length / 3; triangle++) {
      for (let k = 0; k < 3; k++) {
        corners[(cornerBase + triangle) * CORNER_WIDTH + k] = vertexBase + indices[triangle * 3 + k]!;
      }
    }
    vertexBase += count;
    cornerBase += indices.length / 3;
  });
  return { vertices, corners, firstCorner };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Rows of the instances that the tree knows, in its order; `placed` says where the description lists them. */
export function instanceTable(
  scene: SceneDescription,
  tree: FlatTree,
  placed: readonly number[],
  firstCorner: readonly number[],
): Float32Array {
  const table = new Float32Array(Math.max(1, placed.length) * INSTANCE_WIDTH);
  placed.forEach((source, index) => {
    const { mesh: meshIndex, transform } = scene.instances[source]!;
    const mesh = scene.meshes[meshIndex]!;
    const row = table.subarray(index * INSTANCE_WIDTH, (index + 1) * INSTANCE_WIDTH);
    const toObject = tree.toObject[index]!;
    for (let column = 0; column < 4; column++) {
      for (let k = 0; k < 3; k++) {
        row[column * 3 + k] = toObject[column * 4 + k]!;
        if (column < 3) row[INSTANCE_TO_WORLD + column * 3 + k] = transform[column * 4 + k]!;
      }
    }
    const { begin, end } = tree.lists[index]!;
    row.set(
      [begin, end, kindOf(scene.materials[mesh.material]!), mesh.material, firstCorner[meshIndex]!],
      INSTANCE_BEGIN,
    );
  });
  return table;
}
