/** What surfaces are made of: the primitives that a scene uses, with their materials and pictures. */
import type { GLTF, Material, Primitive, Root } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { InspectedTexture } from '../../../domain/scene.ts';
import type { SurfaceMaterial, TextureImage } from '../scene/description.ts';
import type { ContentStore } from './contentStore.ts';
import { type BaseGeometry, isSurface, readPrimitive } from './geometry.ts';
import { checkTextureBudget, decodeTexture, describeTexture } from './images.ts';
import { DEFAULT_MATERIAL, followsUnreadSet, readMaterial, tangentTexCoord, usedTextures } from './materials.ts';
import { variantNames } from './outline.ts';

/** A primitive: geometry that nodes share. */
export interface ScenePart {
  label: string;
  geometry: BaseGeometry;
  /** Index into `SceneParts.materials`. */
  material: number;
}

export interface SceneParts {
  parts: ScenePart[];
  /** Indices of parts by the mesh's index in the file. */
  partsOfMesh: Map<number, number[]>;
  materials: SurfaceMaterial[];
  images: TextureImage[];
  textures: InspectedTexture[];
  /** The material `source` of the file as its document holds it now; see `pointers.ts`. -1 where no surface uses it. */
  indexOfMaterial: (source: number) => number;
  rereadMaterial: (source: number) => SurfaceMaterial;
  /** Primitives without a surface, which were left out. */
  ignoredPrimitives: number;
  /** Names of materials whose textures follow other coordinates than they say. */
  unreadSets: string[];
}

const VARIANTS = 'KHR_materials_variants';

/** Index of the variant of that name, -1 for none. Throws `SettingInvalid`, listing those that exist. */
function chooseVariant(json: GLTF.IGLTF, wanted: string | null, file: string): number {
  if (wanted === null) return -1;
  const names = variantNames(json);
  const found = names.indexOf(wanted);
  if (found >= 0) return found;
  const known = names.map((name) => `"${name}"`).join(', ');
  throw new FarmError('SettingInvalid', `${file} has no material variant "${wanted}"; it has ${known || 'none'}`, {
    file,
    setting: 'variant',
    value: wanted,
  });
}

/** Index of a primitive's material in the file, the chosen variant's first; undefined for the default material. */
function materialOf(primitive: GLTF.IMeshPrimitive, variant: number): number | undefined {
  type Mapping = { variants?: number[]; material?: number };
  const mappings = (primitive.extensions?.[VARIANTS] as { mappings?: Mapping[] } | undefined)?.mappings;
  const mapping = variant < 0 ? undefined : mappings?.find(({ variants }) => variants?.includes(variant));
  return mapping?.material ?? primitive.material;
}

/**
 * Reads the given meshes (indices in the file) under one variant, with only those materials and pictures that they use.
 * Throws `SceneInvalid`, `SceneTooLarge`, `SettingInvalid`.
 */
export async function readParts(
  root: Root,
  json: GLTF.IGLTF,
  meshes: readonly number[],
  variant: string | null,
  file: string,
  store: ContentStore | null,
): Promise<SceneParts> {
  const chosen = chooseVariant(json, variant, file);
  const [allMaterials, allMeshes] = [root.listMaterials(), root.listMeshes()];
  const primitives: { source: number | undefined; primitive: Primitive; mesh: number; label: string }[] = [];
  let ignoredPrimitives = 0;
  for (const mesh of meshes) {
    const definitions = json.meshes![mesh]!.primitives;
    const name = json.meshes![mesh]!.name || `mesh ${mesh}`;
    for (const [index, primitive] of allMeshes[mesh]!.listPrimitives().entries()) {
      if (!isSurface(primitive)) {
        ignoredPrimitives++;
        continue;
      }
      const source = materialOf(definitions[index]!, chosen);
      if (source !== undefined && !allMaterials[source]) {
        const pointer = `/meshes/${mesh}/primitives/${index}`;
        throw new FarmError('SceneInvalid', `${file}: ${pointer} names material ${source}, which does not exist`, {
          file,
          pointer,
        });
      }
      primitives.push({ source, primitive, mesh, label: definitions.length > 1 ? `${name}#${index}` : name });
    }
  }

  const sources = [...new Set(primitives.flatMap(({ source }) => source ?? []))];
  const indexOf = new Map(sources.map((source, index) => [source, index] as const));
  const used = sources.map((source): Material => allMaterials[source]!);
  const textureList = usedTextures(used);
  const pictureIndex = new Map(textureList.map((texture, index) => [texture, index] as const));
  const numbers = new Map(root.listTextures().map((texture, index) => [texture, index] as const));
  const textures = await Promise.all(
    textureList.map((texture) => describeTexture(texture, numbers.get(texture)!, file)),
  );
  checkTextureBudget(textures, file);
  const images = await Promise.all(
    textureList.map((texture) => {
      const decode = () => decodeTexture(texture, numbers.get(texture)!, file);
      return store ? store.image(texture.getImage()!, decode) : decode();
    }),
  );
  const rereadMaterial = (source: number): SurfaceMaterial =>
    readMaterial(allMaterials[source]!, (texture) => pictureIndex.get(texture) ?? -1, `material ${source}`);
  const materials = [...sources.map(rereadMaterial), DEFAULT_MATERIAL];

  const parts: ScenePart[] = [];
  const partsOfMesh = new Map<number, number[]>(meshes.map((mesh) => [mesh, []]));
  for (const { source, primitive, mesh, label } of primitives) {
    const material = source === undefined ? materials.length - 1 : indexOf.get(source)!;
    const tangentUv = tangentTexCoord(materials[material]!);
    const read = () => readPrimitive(primitive, file, label, tangentUv);
    const geometry = store ? store.geometry(primitive, tangentUv, read) : read();
    if (geometry) partsOfMesh.get(mesh)!.push(parts.push({ label, geometry, material }) - 1);
  }
  const indexOfMaterial = (source: number): number => indexOf.get(source) ?? -1;
  const unreadSets = sources
    .filter((source) => followsUnreadSet(allMaterials[source]!))
    .map((source) => materials[indexOf.get(source)!]!.name);
  return {
    ...{ parts, partsOfMesh, materials, images, textures, indexOfMaterial, rereadMaterial },
    ...{ ignoredPrimitives, unreadSets },
  };
}
