/** Textures without a picture: glTF allows them (5.29), for extensions that bring one. */
import type { GLTF } from '@gltf-transform/core';

/** Extensions that name a texture's picture, of those that are followed. */
const SOURCES = ['KHR_texture_basisu', 'EXT_texture_webp', 'EXT_texture_avif'];

const hasSource = ({ source, extensions = {} }: GLTF.ITexture): boolean =>
  source !== undefined || SOURCES.some((name) => extensions[name] !== undefined);

/** Indices of the textures that have no picture that this engine reads. */
export const emptyTextures = ({ textures = [] }: GLTF.IGLTF): number[] =>
  [...textures.keys()].filter((index) => !hasSource(textures[index]!));

/** The file's JSON with materials that do without these textures. */
export function withoutTextures(json: GLTF.IGLTF, empty: readonly number[]): GLTF.IGLTF {
  if (empty.length === 0) return json;
  const strip = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const kept = Object.entries(value).filter(([key, { index }]) => !(/Texture$/.test(key) && empty.includes(index)));
    return Object.fromEntries(kept.map(([key, child]) => [key, strip(child)]));
  };
  return { ...json, materials: json.materials?.map((material) => strip(material) as GLTF.IMaterial) ?? [] };
}
