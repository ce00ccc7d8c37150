/** Writes materials as the tracer reads them. */
import type { SpecularFactors, SurfaceMaterial, TextureImage, TextureRef } from '../scene/description.ts';
import * as layout from './assembly/layout.ts';

const WRAP = { repeat: 0, clamp: 1, mirror: 2 } as const;

/** Whether hits on the material need the alpha test. */
export function needsAlphaTest(material: SurfaceMaterial): boolean {
  return material.alphaMode !== 'opaque';
}

/** An index of refraction that stands for infinity. */
const INFINITE_IOR = 1e4;

/** Which of the albedo tables that not every scene has (`layout.SCENE_…_TABLE`) the materials' scattering reads. */
export function tablesOf(materials: readonly SurfaceMaterial[]): {
  anisotropic: boolean;
  glass: boolean;
  sheen: boolean;
} {
  const flags = materials.reduce((all, material) => all | flagsOf(material), 0);
  const isVolume = (material: SurfaceMaterial): boolean => material.thickness > 0 && material.transmission > 0;
  return {
    anisotropic: (flags & layout.FLAG_ANISOTROPY) !== 0,
    glass: materials.some(isVolume),
    sheen: (flags & layout.FLAG_SHEEN) !== 0,
  };
}

/** FLAG_… bits of a material: what it uses. */
export function flagsOf(material: SurfaceMaterial): number {
  const { clearcoat, sheen, specular, iridescence, anisotropy, diffuseTransmission, normalTexture } = material;
  const isThick = material.thickness > 0;
  const hasCoat = !!clearcoat && clearcoat.factor > 0;
  const isAnisotropic = !!anisotropy && anisotropy.strength > 0;
  const coatMap = hasCoat ? clearcoat.normalTexture : null;
  const tangentMap = normalTexture ?? coatMap ?? (isAnisotropic ? anisotropy.texture : null);
  const flags: [number, boolean][] = [
    [layout.FLAG_DOUBLE_SIDED, material.doubleSided],
    [layout.FLAG_UNLIT, material.unlit],
    [layout.FLAG_MASK, material.alphaMode === 'mask'],
    [layout.FLAG_BLEND, material.alphaMode === 'blend'],
    [layout.FLAG_THICK, isThick],
    [layout.FLAG_EMISSIVE, !material.unlit && material.emissive.some((value) => value > 0)],
    [layout.FLAG_TRANSMISSION, material.transmission > 0],
    [layout.FLAG_SPECULAR, !!specular && !isPlainSpecular(specular)],
    [layout.FLAG_CLEARCOAT, hasCoat],
    [layout.FLAG_SHEEN, !!sheen && sheen.color.some((value) => value > 0)],
    [layout.FLAG_ANISOTROPY, isAnisotropic],
    [layout.FLAG_IRIDESCENCE, !!iridescence && iridescence.factor > 0],
    [layout.FLAG_DIFFUSE_TRANSMISSION, !!diffuseTransmission && diffuseTransmission.factor > 0],
    [
      layout.FLAG_DISPERSION,
      isThick && material.transmission > 0 && (material.dispersion ?? 0) > 0 && material.ior >= 1,
    ],
    [layout.FLAG_TANGENTS, tangentMap !== null || isAnisotropic],
    [layout.FLAG_TANGENTS_UV1, tangentMap?.texCoord === 1],
  ];
  const used = flags.reduce((all, [flag, holds]) => (holds ? all | flag : all), 0);
  return isLambertian(material, used) ? used | layout.FLAG_LAMBERTIAN : used;
}

/** Uses of a material that leave it Lambertian: they concern which hits count, and from which side. */
const HARMLESS = layout.FLAG_DOUBLE_SIDED | layout.FLAG_MASK | layout.FLAG_BLEND | layout.FLAG_SPECULAR;

/** No metal, and a boundary that reflects nothing: only the base is left. */
const isLambertian = ({ metallic, specular }: SurfaceMaterial, flags: number): boolean =>
  (flags & ~HARMLESS) === 0 && metallic <= 0 && !!specular && specular.factor <= 0;

const isPlainSpecular = ({ factor, texture, color, colorTexture }: SpecularFactors): boolean =>
  factor === 1 && !texture && !colorTexture && color.every((value) => value === 1);

/** Writes `material` at record `index` of `view`; `imageOf` gives a picture and the address of its pixels. */
export function writeMaterial(
  view: DataView,
  index: number,
  material: SurfaceMaterial,
  imageOf: (index: number) => { image: TextureImage; address: number },
): void {
  const at = index * layout.MATERIAL_STRIDE;
  const float = (offset: number, value: number): void => view.setFloat32(at + offset, value, true);
  const floats = (offset: number, values: readonly number[]): void =>
    values.forEach((value, i) => {
      float(offset + 4 * i, value);
    });
  const texture = (offset: number, ref: TextureRef | null | undefined): void => {
    if (ref) writeTexture(view, at + offset, ref, imageOf(ref.image));
    else view.setUint32(at + offset + layout.TEXTURE_PIXELS, 0, true);
  };

  floats(layout.MATERIAL_BASE_COLOR, material.baseColor);
  floats(layout.MATERIAL_EMISSIVE, [...material.emissive, 0]);
  floats(layout.MATERIAL_ATTENUATION, absorption(material));
  float(layout.MATERIAL_METALLIC, clamp01(material.metallic));
  float(layout.MATERIAL_ROUGHNESS, clamp01(material.roughness));
  float(layout.MATERIAL_NORMAL_SCALE, material.normalScale);
  float(layout.MATERIAL_ALPHA_CUTOFF, material.alphaCutoff);
  float(layout.MATERIAL_TRANSMISSION, clamp01(material.transmission));
  const ior = material.ior > 0 ? Math.max(1, material.ior) : INFINITE_IOR;
  float(layout.MATERIAL_IOR, ior);
  float(layout.MATERIAL_F0, material.ior > 0 ? ((ior - 1) / (ior + 1)) ** 2 : 1);
  float(layout.MATERIAL_DISPERSION, Math.max(0, material.dispersion ?? 0));
  view.setInt32(at + layout.MATERIAL_FLAGS, flagsOf(material), true);
  texture(layout.MATERIAL_TEX_BASE, material.baseColorTexture);
  texture(layout.MATERIAL_TEX_ROUGHNESS, material.metallicRoughnessTexture);
  texture(layout.MATERIAL_TEX_NORMAL, material.normalTexture);
  texture(layout.MATERIAL_TEX_EMISSIVE, material.emissiveTexture);
  texture(layout.MATERIAL_TEX_TRANSMISSION, material.transmissionTexture);

  const { clearcoat, sheen, specular, iridescence, anisotropy, diffuseTransmission } = material;
  float(layout.MATERIAL_SPECULAR, clamp01(specular?.factor ?? 1));
  floats(layout.MATERIAL_SPECULAR_COLOR, (specular?.color ?? [1, 1, 1]).map(atLeast0));
  texture(layout.MATERIAL_TEX_SPECULAR, specular?.texture);
  texture(layout.MATERIAL_TEX_SPECULAR_COLOR, specular?.colorTexture);
  float(layout.MATERIAL_CLEARCOAT, clamp01(clearcoat?.factor ?? 0));
  float(layout.MATERIAL_CLEARCOAT_ROUGHNESS, clamp01(clearcoat?.roughness ?? 0));
  float(layout.MATERIAL_CLEARCOAT_NORMAL_SCALE, clearcoat?.normalScale ?? 1);
  texture(layout.MATERIAL_TEX_CLEARCOAT, clearcoat?.texture);
  texture(layout.MATERIAL_TEX_CLEARCOAT_ROUGHNESS, clearcoat?.roughnessTexture);
  texture(layout.MATERIAL_TEX_CLEARCOAT_NORMAL, clearcoat?.normalTexture);
  floats(layout.MATERIAL_SHEEN_COLOR, (sheen?.color ?? [0, 0, 0]).map(clamp01));
  float(layout.MATERIAL_SHEEN_ROUGHNESS, clamp01(sheen?.roughness ?? 0));
  texture(layout.MATERIAL_TEX_SHEEN_COLOR, sheen?.colorTexture);
  texture(layout.MATERIAL_TEX_SHEEN_ROUGHNESS, sheen?.roughnessTexture);
  float(layout.MATERIAL_ANISOTROPY, clamp01(anisotropy?.strength ?? 0));
  float(layout.MATERIAL_ANISOTROPY_COSINE, Math.cos(anisotropy?.rotation ?? 0));
  float(layout.MATERIAL_ANISOTROPY_SINE, Math.sin(anisotropy?.rotation ?? 0));
  texture(layout.MATERIAL_TEX_ANISOTROPY, anisotropy?.texture);
  float(layout.MATERIAL_IRIDESCENCE, clamp01(iridescence?.factor ?? 0));
  float(layout.MATERIAL_IRIDESCENCE_IOR, Math.max(1, iridescence?.ior ?? 1.3));
  float(layout.MATERIAL_IRIDESCENCE_MINIMUM, atLeast0(iridescence?.thicknessMinimum ?? 100));
  float(layout.MATERIAL_IRIDESCENCE_MAXIMUM, atLeast0(iridescence?.thicknessMaximum ?? 400));
  texture(layout.MATERIAL_TEX_IRIDESCENCE, iridescence?.texture);
  texture(layout.MATERIAL_TEX_IRIDESCENCE_THICKNESS, iridescence?.thicknessTexture);
  float(layout.MATERIAL_DIFFUSE_TRANSMISSION, clamp01(diffuseTransmission?.factor ?? 0));
  floats(layout.MATERIAL_DIFFUSE_TRANSMISSION_COLOR, (diffuseTransmission?.color ?? [1, 1, 1]).map(clamp01));
  texture(layout.MATERIAL_TEX_DIFFUSE_TRANSMISSION, diffuseTransmission?.texture);
  texture(layout.MATERIAL_TEX_DIFFUSE_TRANSMISSION_COLOR, diffuseTransmission?.colorTexture);
}

function writeTexture(
  view: DataView,
  at: number,
  ref: TextureRef,
  { image, address }: { image: TextureImage; address: number },
): void {
  view.setUint32(at + layout.TEXTURE_PIXELS, address, true);
  view.setInt32(at + layout.TEXTURE_WIDTH, image.width, true);
  view.setInt32(at + layout.TEXTURE_HEIGHT, image.height, true);
  view.setInt32(
    at + layout.TEXTURE_FLAGS,
    (ref.srgb ? layout.TEXTURE_SRGB : 0) |
      (ref.nearest ? layout.TEXTURE_NEAREST : 0) |
      (ref.texCoord === 1 ? layout.TEXTURE_UV1 : 0) |
      (WRAP[ref.wrapS] << layout.TEXTURE_WRAP_S_SHIFT) |
      (WRAP[ref.wrapT] << layout.TEXTURE_WRAP_T_SHIFT),
    true,
  );
  ref.uvTransform.forEach((value, i) => {
    view.setFloat32(at + layout.TEXTURE_TRANSFORM + 4 * i, value, true);
  });
}

/** KHR_materials_volume: the coefficient that leaves `attenuationColor` of white light after `attenuationDistance`. */
function absorption({ attenuationColor, attenuationDistance, thickness }: SurfaceMaterial): number[] {
  if (!(thickness > 0) || !(attenuationDistance > 0) || !Number.isFinite(attenuationDistance)) return [0, 0, 0, 0];
  return [...attenuationColor.map((value) => -Math.log(Math.min(1, Math.max(1e-6, value))) / attenuationDistance), 0];
}

const clamp01 = (value: number): number => Math.min(1, Math.max(0, value));
const atLeast0 = (value: number): number => Math.max(0, value);
