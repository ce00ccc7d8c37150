/** Writes materials as the tracer reads them. */
import type { SurfaceMaterial, TextureImage, TextureRef } from '../scene/description.ts';
import * as layout from './assembly/layout.ts';

const WRAP = { repeat: 0, clamp: 1, mirror: 2 } as const;

/** Whether hits on the material need the alpha test. */
export function needsAlphaTest(material: SurfaceMaterial): boolean {
  return material.alphaMode !== 'opaque';
}

/** Writes `material` at record `index` of `view`; `pixelsOf` gives the address of an image's pixels. */
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

  floats(layout.MATERIAL_BASE_COLOR, material.baseColor);
  floats(layout.MATERIAL_EMISSIVE, [...material.emissive, 0]);
  floats(layout.MATERIAL_ATTENUATION, absorption(material));
  float(layout.MATERIAL_METALLIC, clamp01(material.metallic));
  float(layout.MATERIAL_ROUGHNESS, clamp01(material.roughness));
  float(layout.MATERIAL_NORMAL_SCALE, material.normalScale);
  float(layout.MATERIAL_ALPHA_CUTOFF, material.alphaCutoff);
  float(layout.MATERIAL_TRANSMISSION, clamp01(material.transmission));
  float(layout.MATERIAL_IOR, Math.max(1, material.ior));
  const emits = !material.unlit && material.emissive.some((value) => value > 0);
  view.setInt32(
    at + layout.MATERIAL_FLAGS,
    (material.doubleSided ? layout.FLAG_DOUBLE_SIDED : 0) |
      (material.unlit ? layout.FLAG_UNLIT : 0) |
      (material.alphaMode === 'mask' ? layout.FLAG_MASK : 0) |
      (material.alphaMode === 'blend' ? layout.FLAG_BLEND : 0) |
      (material.thickness > 0 ? layout.FLAG_THICK : 0) |
      (emits ? layout.FLAG_EMISSIVE : 0),
    true,
  );
  const texture = (offset: number, ref: TextureRef | null): void => {
    if (ref) writeTexture(view, at + offset, ref, imageOf(ref.image));
    else view.setUint32(at + offset + layout.TEXTURE_PIXELS, 0, true);
  };
  texture(layout.MATERIAL_TEX_BASE, material.baseColorTexture);
  texture(layout.MATERIAL_TEX_ROUGHNESS, material.metallicRoughnessTexture);
  texture(layout.MATERIAL_TEX_NORMAL, material.normalTexture);
  texture(layout.MATERIAL_TEX_EMISSIVE, material.emissiveTexture);
  texture(layout.MATERIAL_TEX_TRANSMISSION, material.transmissionTexture);
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
