/**
 * A scene at one instant, as the tracer wants it: the boundary between reading glTF (`renderer/pathtracer/gltf`) and
 * tracing (`renderer/pathtracer/wasm`). World space is glTF's: right-handed, +Y up, metres; cameras look down -Z.
 */

/** Geometry that any number of instances share. All arrays are tightly packed. */
export interface MeshGeometry {
  /** Stable within the scene; a mesh whose `revision` did not change since the last frame keeps its BVH. */
  id: number;
  revision: number;
  /** xyz per vertex, object space (after skinning and morphing). */
  positions: Float32Array;
  /** The same vertices one frame later, where they move and motion matters. */
  positionsNext?: Float32Array | null;
  /** xyz per vertex, unit length; the loader computes them where the file has none. */
  normals: Float32Array;
  /** xyzw per vertex (w = handedness), or null when no normal map needs them. */
  tangents: Float32Array | null;
  /** uv per vertex, or null. */
  uv0: Float32Array | null;
  uv1: Float32Array | null;
  /** RGBA per vertex, linear, or null. */
  colors: Float32Array | null;
  /** Three per triangle. */
  indices: Uint32Array;
  /** Index into `materials`. */
  material: number;
}

export interface MeshInstance {
  /** Index into `meshes`. */
  mesh: number;
  /** Column-major 4x4, object to world. */
  transform: Float32Array;
  /** The same one frame later, where it moves and motion matters. */
  transformNext?: Float32Array | null;
  /** Node name, for Cryptomatte and messages. */
  name: string;
}

export type TextureWrap = 'repeat' | 'clamp' | 'mirror';

/** A decoded picture: RGBA8, row 0 on top as in the file. */
export interface TextureImage {
  width: number;
  height: number;
  data: Uint8Array;
}

export interface TextureRef {
  /** Index into `images`. */
  image: number;
  /** sRGB-encoded colour (base colour, emissive) or linear data. */
  srgb: boolean;
  wrapS: TextureWrap;
  wrapT: TextureWrap;
  /** Nearest instead of bilinear. */
  nearest: boolean;
  texCoord: 0 | 1;
  /** KHR_texture_transform as rows [a b tx; c d ty] applied to uv, identity when absent. */
  uvTransform: [number, number, number, number, number, number];
}

/** KHR_materials_clearcoat. */
export interface ClearcoatLayer {
  factor: number;
  /** R. */
  texture: TextureRef | null;
  roughness: number;
  /** G. */
  roughnessTexture: TextureRef | null;
  normalTexture: TextureRef | null;
  normalScale: number;
}

/** KHR_materials_sheen. */
export interface SheenLayer {
  /** Linear. */
  color: [number, number, number];
  colorTexture: TextureRef | null;
  roughness: number;
  /** A. */
  roughnessTexture: TextureRef | null;
}

/** KHR_materials_specular: reflectance of the dielectric part. */
export interface SpecularFactors {
  factor: number;
  /** A. */
  texture: TextureRef | null;
  /** Linear; may be above 1. */
  color: [number, number, number];
  colorTexture: TextureRef | null;
}

/** KHR_materials_iridescence. */
export interface IridescentFilm {
  factor: number;
  /** R. */
  texture: TextureRef | null;
  ior: number;
  /** Nanometres, where the thickness texture is 0 and 1; without texture the maximum. */
  thicknessMinimum: number;
  thicknessMaximum: number;
  /** G. */
  thicknessTexture: TextureRef | null;
}

/** KHR_materials_anisotropy. */
export interface Anisotropy {
  strength: number;
  /** Radians, counter-clockwise from the tangent. */
  rotation: number;
  /** RG direction, B strength. */
  texture: TextureRef | null;
}

/** KHR_materials_diffuse_transmission. */
export interface DiffuseTransmissionFactors {
  factor: number;
  /** A. */
  texture: TextureRef | null;
  /** Linear. */
  color: [number, number, number];
  colorTexture: TextureRef | null;
}

export interface SurfaceMaterial {
  name: string;
  baseColor: [number, number, number, number];
  baseColorTexture: TextureRef | null;
  metallic: number;
  roughness: number;
  /** G = roughness, B = metallic. */
  metallicRoughnessTexture: TextureRef | null;
  normalTexture: TextureRef | null;
  normalScale: number;
  /** Linear, already multiplied by KHR_materials_emissive_strength; cd/m² in the scene's relative scale. */
  emissive: [number, number, number];
  emissiveTexture: TextureRef | null;
  alphaMode: 'opaque' | 'mask' | 'blend';
  alphaCutoff: number;
  doubleSided: boolean;
  /** KHR_materials_transmission: 0 opaque, 1 clear glass. */
  transmission: number;
  transmissionTexture: TextureRef | null;
  /** KHR_materials_ior: 1 or more, or 0 for a boundary that reflects all (its specular-glossiness mode). */
  ior: number;
  /** KHR_materials_volume: zero thickness is a thin wall that does not bend rays. */
  thickness: number;
  attenuationDistance: number;
  attenuationColor: [number, number, number];
  unlit: boolean;
  /** KHR_materials_dispersion: 20 over the Abbe number; acts inside volumes that let light through. */
  dispersion?: number;
  clearcoat?: ClearcoatLayer | null;
  sheen?: SheenLayer | null;
  specular?: SpecularFactors | null;
  iridescence?: IridescentFilm | null;
  anisotropy?: Anisotropy | null;
  diffuseTransmission?: DiffuseTransmissionFactors | null;
}

export type PunctualLight =
  | {
      kind: 'point';
      position: [number, number, number];
      /** cd */
      intensity: [number, number, number];
    }
  | {
      kind: 'spot';
      position: [number, number, number];
      direction: [number, number, number];
      intensity: [number, number, number];
      innerConeAngle: number;
      outerConeAngle: number;
    }
  | {
      kind: 'directional';
      direction: [number, number, number];
      /** lux */
      intensity: [number, number, number];
    };

/** Latitude-longitude radiance, linear Rec.709. Row 0 is straight up (+Y). u = 0.5 + atan2(x, -z) / 2π, v = acos(y) / π. */
export interface EnvironmentMap {
  width: number;
  height: number;
  /** RGB, three floats a pixel. */
  data: Float32Array;
  /** Turn about +Y, radians. */
  rotation: number;
  intensity: number;
  /** Stable across frames so that its sampling tables are built once. */
  revision: number;
}

export interface TracerCamera {
  /** Column-major camera to world. */
  transform: Float32Array;
  /** The same one frame later, where the camera moves and motion matters. */
  transformNext?: Float32Array | null;
  projection:
    | { kind: 'perspective'; yfov: number }
    | { kind: 'orthographic' /** Half height in world units. */; ymag: number };
  near: number;
  /** Thin lens (Kolb et al. 1995); a pinhole without. Lengths in world units. */
  lens?: { radius: number; focusDistance: number; blades: number } | null;
  /** Share of a frame's time that the shutter is open, from the frame on: rays have times between 0 and this. 0 without. */
  shutter?: number;
}

export interface SceneDescription {
  meshes: MeshGeometry[];
  instances: MeshInstance[];
  materials: SurfaceMaterial[];
  images: TextureImage[];
  lights: PunctualLight[];
  environment: EnvironmentMap | null;
  camera: TracerCamera;
}
