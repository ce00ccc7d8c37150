/** glTF materials in the tracer's form. */
import type { Material, Texture, TextureInfo } from '@gltf-transform/core';
import type { EmissiveStrength, IOR, Transform, Transmission, Volume } from '@gltf-transform/extensions';
import type { SurfaceMaterial, TextureRef, TextureWrap } from '../scene/description.ts';

const NEAREST_FILTER = 9728;
const WRAP: Record<number, TextureWrap> = { 33071: 'clamp', 33648: 'mirror', 10497: 'repeat' };
const IDENTITY_UV: TextureRef['uvTransform'] = [1, 0, 0, 0, 1, 0];

/** Material of primitives that name none (glTF 2.0, 3.9). */
export const DEFAULT_MATERIAL: SurfaceMaterial = {
  name: 'default',
  baseColor: [1, 1, 1, 1],
  baseColorTexture: null,
  metallic: 1,
  roughness: 1,
  metallicRoughnessTexture: null,
  normalTexture: null,
  normalScale: 1,
  emissive: [0, 0, 0],
  emissiveTexture: null,
  alphaMode: 'opaque',
  alphaCutoff: 0.5,
  doubleSided: false,
  transmission: 0,
  transmissionTexture: null,
  ior: 1.5,
  thickness: 0,
  attenuationDistance: Number.POSITIVE_INFINITY,
  attenuationColor: [1, 1, 1],
  unlit: false,
};

const clamp01 = (value: number): number => Math.min(1, Math.max(0, value));

/** KHR_texture_transform as rows: translation · rotation · scale, the rotation as Khronos' sample renderer turns it. */
function uvTransformOf(info: TextureInfo): { rows: TextureRef['uvTransform']; texCoord: number } {
  const transform = info.getExtension<Transform>('KHR_texture_transform');
  if (!transform) return { rows: IDENTITY_UV, texCoord: info.getTexCoord() };
  const [sx, sy] = transform.getScale();
  const [tx, ty] = transform.getOffset();
  const c = Math.cos(transform.getRotation());
  const s = Math.sin(transform.getRotation());
  return { rows: [c * sx, s * sy, tx, -s * sx, c * sy, ty], texCoord: transform.getTexCoord() ?? info.getTexCoord() };
}

/** `imageIndex` tells where a texture's picture is in the scene's list. */
export function readMaterial(material: Material, imageIndex: (texture: Texture) => number): SurfaceMaterial {
  const reference = (texture: Texture | null, info: TextureInfo | null, srgb: boolean): TextureRef | null => {
    if (!texture || !info) return null;
    const { rows, texCoord } = uvTransformOf(info);
    return {
      image: imageIndex(texture),
      srgb,
      wrapS: WRAP[info.getWrapS()] ?? 'repeat',
      wrapT: WRAP[info.getWrapT()] ?? 'repeat',
      nearest: info.getMagFilter() === NEAREST_FILTER,
      texCoord: texCoord === 1 ? 1 : 0,
      uvTransform: rows,
    };
  };
  const transmission = material.getExtension<Transmission>('KHR_materials_transmission');
  const volume = material.getExtension<Volume>('KHR_materials_volume');
  const strength =
    material.getExtension<EmissiveStrength>('KHR_materials_emissive_strength')?.getEmissiveStrength() ?? 1;
  const [red, green, blue] = material.getEmissiveFactor();
  return {
    name: material.getName(),
    baseColor: material.getBaseColorFactor().map(clamp01) as SurfaceMaterial['baseColor'],
    baseColorTexture: reference(material.getBaseColorTexture(), material.getBaseColorTextureInfo(), true),
    metallic: clamp01(material.getMetallicFactor()),
    roughness: clamp01(material.getRoughnessFactor()),
    metallicRoughnessTexture: reference(
      material.getMetallicRoughnessTexture(),
      material.getMetallicRoughnessTextureInfo(),
      false,
    ),
    normalTexture: reference(material.getNormalTexture(), material.getNormalTextureInfo(), false),
    normalScale: material.getNormalScale(),
    emissive: [Math.max(0, red * strength), Math.max(0, green * strength), Math.max(0, blue * strength)],
    emissiveTexture: reference(material.getEmissiveTexture(), material.getEmissiveTextureInfo(), true),
    alphaMode: material.getAlphaMode() === 'MASK' ? 'mask' : material.getAlphaMode() === 'BLEND' ? 'blend' : 'opaque',
    alphaCutoff: material.getAlphaCutoff(),
    doubleSided: material.getDoubleSided(),
    transmission: clamp01(transmission?.getTransmissionFactor() ?? 0),
    transmissionTexture: transmission
      ? reference(transmission.getTransmissionTexture(), transmission.getTransmissionTextureInfo(), false)
      : null,
    // An index of 0 stands for "no Fresnel" in the extension; below 1 nothing real refracts.
    ior: Math.max(1, material.getExtension<IOR>('KHR_materials_ior')?.getIOR() ?? 1.5),
    thickness: Math.max(0, volume?.getThicknessFactor() ?? 0),
    attenuationDistance: volume?.getAttenuationDistance() || Number.POSITIVE_INFINITY,
    attenuationColor: (volume?.getAttenuationColor() ?? [1, 1, 1]) as [number, number, number],
    unlit: material.getExtension('KHR_materials_unlit') !== null,
  };
}

/** Every texture that the materials really use, in a stable order. */
export function usedTextures(materials: Material[]): Texture[] {
  const used = new Set<Texture>();
  for (const material of materials) {
    const transmission = material.getExtension<Transmission>('KHR_materials_transmission');
    for (const texture of [
      material.getBaseColorTexture(),
      material.getMetallicRoughnessTexture(),
      material.getNormalTexture(),
      material.getEmissiveTexture(),
      transmission?.getTransmissionTexture() ?? null,
    ]) {
      if (texture) used.add(texture);
    }
  }
  return [...used];
}
