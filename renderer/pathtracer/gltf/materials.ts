/** glTF materials in the tracer's form. */
import type { Material, Texture, TextureInfo } from '@gltf-transform/core';
import type {
  Anisotropy,
  Clearcoat,
  DiffuseTransmission,
  Dispersion,
  EmissiveStrength,
  IOR,
  Iridescence,
  Sheen,
  Specular,
  Transform,
  Transmission,
  Volume,
} from '@gltf-transform/extensions';
import type { SurfaceMaterial, TextureRef, TextureWrap } from '../scene/description.ts';

type Color = [number, number, number];

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

/** Where a texture's picture is in the scene's list; told which set of coordinates it follows. */
type ImageIndex = (texture: Texture, texCoord: number) => number;

function textureRef(
  texture: Texture | null,
  info: TextureInfo | null,
  imageIndex: ImageIndex,
  srgb = false,
): TextureRef | null {
  if (!texture || !info) return null;
  const { rows, texCoord } = uvTransformOf(info);
  return {
    image: imageIndex(texture, texCoord),
    srgb,
    wrapS: WRAP[info.getWrapS()] ?? 'repeat',
    wrapT: WRAP[info.getWrapT()] ?? 'repeat',
    nearest: info.getMagFilter() === NEAREST_FILTER,
    texCoord: texCoord === 1 ? 1 : 0,
    uvTransform: rows,
  };
}

/** The extensions that lay something over the metallic-roughness material or change its lobes; absent ones are null. */
function readLayers(material: Material, imageIndex: ImageIndex) {
  const ref = (texture: Texture | null, info: TextureInfo | null, srgb?: boolean): TextureRef | null =>
    textureRef(texture, info, imageIndex, srgb);
  const clearcoat = material.getExtension<Clearcoat>('KHR_materials_clearcoat');
  const sheen = material.getExtension<Sheen>('KHR_materials_sheen');
  const specular = material.getExtension<Specular>('KHR_materials_specular');
  const iridescence = material.getExtension<Iridescence>('KHR_materials_iridescence');
  const anisotropy = material.getExtension<Anisotropy>('KHR_materials_anisotropy');
  const diffuse = material.getExtension<DiffuseTransmission>('KHR_materials_diffuse_transmission');
  return {
    dispersion: material.getExtension<Dispersion>('KHR_materials_dispersion')?.getDispersion() ?? 0,
    clearcoat: clearcoat && {
      factor: clearcoat.getClearcoatFactor(),
      texture: ref(clearcoat.getClearcoatTexture(), clearcoat.getClearcoatTextureInfo()),
      roughness: clearcoat.getClearcoatRoughnessFactor(),
      roughnessTexture: ref(clearcoat.getClearcoatRoughnessTexture(), clearcoat.getClearcoatRoughnessTextureInfo()),
      normalTexture: ref(clearcoat.getClearcoatNormalTexture(), clearcoat.getClearcoatNormalTextureInfo()),
      normalScale: clearcoat.getClearcoatNormalScale(),
    },
    sheen: sheen && {
      color: sheen.getSheenColorFactor() as Color,
      colorTexture: ref(sheen.getSheenColorTexture(), sheen.getSheenColorTextureInfo(), true),
      roughness: sheen.getSheenRoughnessFactor(),
      roughnessTexture: ref(sheen.getSheenRoughnessTexture(), sheen.getSheenRoughnessTextureInfo()),
    },
    specular: specular && {
      factor: specular.getSpecularFactor(),
      texture: ref(specular.getSpecularTexture(), specular.getSpecularTextureInfo()),
      color: specular.getSpecularColorFactor() as Color,
      colorTexture: ref(specular.getSpecularColorTexture(), specular.getSpecularColorTextureInfo(), true),
    },
    iridescence: iridescence && {
      factor: iridescence.getIridescenceFactor(),
      texture: ref(iridescence.getIridescenceTexture(), iridescence.getIridescenceTextureInfo()),
      ior: iridescence.getIridescenceIOR(),
      thicknessMinimum: iridescence.getIridescenceThicknessMinimum(),
      thicknessMaximum: iridescence.getIridescenceThicknessMaximum(),
      thicknessTexture: ref(
        iridescence.getIridescenceThicknessTexture(),
        iridescence.getIridescenceThicknessTextureInfo(),
      ),
    },
    anisotropy: anisotropy && {
      strength: anisotropy.getAnisotropyStrength(),
      rotation: anisotropy.getAnisotropyRotation(),
      texture: ref(anisotropy.getAnisotropyTexture(), anisotropy.getAnisotropyTextureInfo()),
    },
    diffuseTransmission: diffuse && {
      factor: diffuse.getDiffuseTransmissionFactor(),
      texture: ref(diffuse.getDiffuseTransmissionTexture(), diffuse.getDiffuseTransmissionTextureInfo()),
      color: diffuse.getDiffuseTransmissionColorFactor() as Color,
      colorTexture: ref(
        diffuse.getDiffuseTransmissionColorTexture(),
        diffuse.getDiffuseTransmissionColorTextureInfo(),
        true,
      ),
    },
  } satisfies Partial<SurfaceMaterial>;
}

/** `imageIndex` tells where a texture's picture is in the scene's list; `name` is for what has none in the file. */
export function readMaterial(material: Material, imageIndex: ImageIndex, name = ''): SurfaceMaterial {
  const ref = (texture: Texture | null, info: TextureInfo | null, srgb?: boolean): TextureRef | null =>
    textureRef(texture, info, imageIndex, srgb);
  const transmission = material.getExtension<Transmission>('KHR_materials_transmission');
  const volume = material.getExtension<Volume>('KHR_materials_volume');
  const ior = material.getExtension<IOR>('KHR_materials_ior')?.getIOR() ?? 1.5;
  const strength =
    material.getExtension<EmissiveStrength>('KHR_materials_emissive_strength')?.getEmissiveStrength() ?? 1;
  const [red, green, blue] = material.getEmissiveFactor();
  return {
    name: material.getName() || name,
    baseColor: material.getBaseColorFactor().map(clamp01) as SurfaceMaterial['baseColor'],
    baseColorTexture: ref(material.getBaseColorTexture(), material.getBaseColorTextureInfo(), true),
    metallic: clamp01(material.getMetallicFactor()),
    roughness: clamp01(material.getRoughnessFactor()),
    metallicRoughnessTexture: ref(material.getMetallicRoughnessTexture(), material.getMetallicRoughnessTextureInfo()),
    normalTexture: ref(material.getNormalTexture(), material.getNormalTextureInfo()),
    normalScale: material.getNormalScale(),
    emissive: [Math.max(0, red * strength), Math.max(0, green * strength), Math.max(0, blue * strength)],
    emissiveTexture: ref(material.getEmissiveTexture(), material.getEmissiveTextureInfo(), true),
    alphaMode: material.getAlphaMode() === 'MASK' ? 'mask' : material.getAlphaMode() === 'BLEND' ? 'blend' : 'opaque',
    alphaCutoff: material.getAlphaCutoff(),
    doubleSided: material.getDoubleSided(),
    transmission: clamp01(transmission?.getTransmissionFactor() ?? 0),
    transmissionTexture: transmission
      ? ref(transmission.getTransmissionTexture(), transmission.getTransmissionTextureInfo())
      : null,
    // An index of 0 is the extension's mode for materials that were specular-glossiness; below 1 nothing real refracts.
    ior: ior === 0 ? 0 : Math.max(1, ior),
    thickness: Math.max(0, volume?.getThicknessFactor() ?? 0),
    attenuationDistance: volume?.getAttenuationDistance() || Number.POSITIVE_INFINITY,
    attenuationColor: (volume?.getAttenuationColor() ?? [1, 1, 1]) as Color,
    unlit: material.getExtension('KHR_materials_unlit') !== null,
    ...readLayers(material, imageIndex),
  };
}

/** Every texture that the materials really use, in a stable order. */
export function usedTextures(materials: Material[]): Texture[] {
  const used = new Set<Texture>();
  for (const material of materials) readMaterial(material, (texture) => used.add(texture).size);
  return [...used];
}

/** Whether a texture of the material follows a set of coordinates beyond the two that meshes are read with. */
export function followsUnreadSet(material: Material): boolean {
  let last = 0;
  readMaterial(material, (_, texCoord) => {
    last = Math.max(last, texCoord);
    return 0;
  });
  return last > 1;
}

/** The texture coordinates that a mesh's tangents follow for this material, or null when it needs none. */
export function tangentTexCoord({ normalTexture, clearcoat, anisotropy }: SurfaceMaterial): 0 | 1 | null {
  const isAnisotropic = !!anisotropy && anisotropy.strength > 0;
  const map = normalTexture ?? clearcoat?.normalTexture ?? (isAnisotropic ? anisotropy.texture : null);
  return map ? map.texCoord : isAnisotropic ? 0 : null;
}
