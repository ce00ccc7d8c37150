// Everything the light transport wants to know about a hit: place, normals, and the material with its textures.
import { interpolate3, interpolate4, selectTriangle, textureAt, vertexColor, vertex0, vertex1, vertex2 } from './attributes';
import { normalToWorld, placeInstance, pointToWorld, toWorldOrigin, vectorToWorld } from './instance';
import {
  FLAG_ANISOTROPY, FLAG_CLEARCOAT, FLAG_DIFFUSE_TRANSMISSION, FLAG_DOUBLE_SIDED, FLAG_EMISSIVE, FLAG_IRIDESCENCE,
  FLAG_LAMBERTIAN, FLAG_SHEEN, FLAG_SPECULAR, FLAG_TANGENTS, FLAG_TANGENTS_UV1, FLAG_THICK, FLAG_TRANSMISSION,
  FLAG_UNLIT, FLAGS_EXTENDED, INSTANCE_FLAGS, INSTANCE_IS_IDENTITY, INSTANCE_MESH, INSTANCE_MOTION, MATERIAL_ANISOTROPY,
  MATERIAL_ANISOTROPY_COSINE, MATERIAL_ANISOTROPY_SINE, MATERIAL_BASE_COLOR, MATERIAL_CLEARCOAT,
  MATERIAL_CLEARCOAT_NORMAL_SCALE, MATERIAL_CLEARCOAT_ROUGHNESS, MATERIAL_DIFFUSE_TRANSMISSION,
  MATERIAL_DIFFUSE_TRANSMISSION_COLOR, MATERIAL_EMISSIVE, MATERIAL_F0, MATERIAL_FLAGS, MATERIAL_IOR,
  MATERIAL_IRIDESCENCE, MATERIAL_IRIDESCENCE_IOR, MATERIAL_IRIDESCENCE_MAXIMUM, MATERIAL_IRIDESCENCE_MINIMUM,
  MATERIAL_METALLIC, MATERIAL_NORMAL_SCALE, MATERIAL_ROUGHNESS, MATERIAL_SHEEN_COLOR, MATERIAL_SHEEN_ROUGHNESS,
  MATERIAL_SPECULAR, MATERIAL_SPECULAR_COLOR, MATERIAL_TEX_ANISOTROPY, MATERIAL_TEX_BASE, MATERIAL_TEX_CLEARCOAT,
  MATERIAL_TEX_CLEARCOAT_NORMAL, MATERIAL_TEX_CLEARCOAT_ROUGHNESS, MATERIAL_TEX_DIFFUSE_TRANSMISSION,
  MATERIAL_TEX_DIFFUSE_TRANSMISSION_COLOR, MATERIAL_TEX_EMISSIVE, MATERIAL_TEX_IRIDESCENCE,
  MATERIAL_TEX_IRIDESCENCE_THICKNESS, MATERIAL_TEX_NORMAL, MATERIAL_TEX_ROUGHNESS, MATERIAL_TEX_SHEEN_COLOR,
  MATERIAL_TEX_SHEEN_ROUGHNESS, MATERIAL_TEX_SPECULAR, MATERIAL_TEX_SPECULAR_COLOR, MATERIAL_TEX_TRANSMISSION,
  MATERIAL_TRANSMISSION, MESH_MATERIAL, MESH_NORMALS, MESH_TANGENTS, MESH_UV0, MESH_UV1, PACK_IDS, TEXTURE_PIXELS,
} from './layout';
import { edge1, edge2, pointInTriangle, readTriangle } from './triangle';
import {
  add, addScaled, cross, dot, greaterOf, largestMagnitude, mul, neg, normalize, scale, sub, vec, w, x, y, z,
} from './vec';

export let position: v128 = i32x4(0, 0, 0, 0);
/** Geometric and shading normal, unit, on the side the ray came from. */
export let geometricNormal: v128 = i32x4(0, 0, 0, 0);
export let normal: v128 = i32x4(0, 0, 0, 0);
/** The ray met the side that glTF winding calls front. */
export let frontFace: bool = true;
/** How far rays start off the surface: some ulps of the largest coordinate that took part in finding the point. */
export let offset: f32 = 0;
export let material: usize = 0;
export let triangle: i32 = 0;
/** The material is Lambertian and nothing else: of the variables below only `baseColor` is set. */
export let isLambertian: bool = false;
export let emission: v128 = i32x4(0, 0, 0, 0);
export let unlit: bool = false;
export let thick: bool = false;
/** FLAG_… of the extensions (FLAGS_EXTENDED) that the material uses; the variables of others are stale. */
export let lobes: i32 = 0;
export let baseColor: v128 = i32x4(0, 0, 0, 0);
export let metallic: f32 = 0;
export let roughness: f32 = 0;
/** Always set; 0 without the extension. */
export let transmission: f32 = 0;
export let ior: f32 = <f32>1.5;
/** Reflectance of the dielectric part at normal and grazing incidence. Always set. */
export let dielectricF0: v128 = i32x4(0, 0, 0, 0);
export let dielectricF90: f32 = 1;
export let specularColor: v128 = i32x4(0, 0, 0, 0);
export let clearcoat: f32 = 0;
export let clearcoatRoughness: f32 = 0;
export let clearcoatNormal: v128 = i32x4(0, 0, 0, 0);
export let sheenColor: v128 = i32x4(0, 0, 0, 0);
export let sheenRoughness: f32 = 0;
/** Strength of the anisotropy, which runs along x of the shading frame. */
export let anisotropy: f32 = 0;
export let iridescence: f32 = 0;
export let iridescenceIor: f32 = <f32>1.3;
/** Nanometres. */
export let iridescenceThickness: f32 = 0;
export let diffuseTransmission: f32 = 0;
export let diffuseTransmissionColor: v128 = i32x4(0, 0, 0, 0);

// With `normal` the shading frame in which the scattering functions work.
let frameTangent: v128 = i32x4(0, 0, 0, 0);
let frameBitangent: v128 = i32x4(0, 0, 0, 0);
// The surface's own tangents about the interpolated normal, as glTF defines them.
let surfaceTangent: v128 = i32x4(0, 0, 0, 0);
let surfaceBitangent: v128 = i32x4(0, 0, 0, 0);

/** 2^-18: 32 ulps of a float in [1, 2). */
export const OFFSET_SCALE: f32 = <f32>3.8146973e-6;

/** Fills the variables above for a hit that `direction` (unit) made. `lane` is what `traverse.hitTriangle` holds. */
export function describeHit(instance: usize, lane: usize, u: f32, v: f32, direction: v128): void {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  readTriangle(mesh, lane);
  const e1 = edge1;
  const e2 = edge2;
  triangle = load<i32>(lane, PACK_IDS);
  selectTriangle(mesh, triangle);

  // Brought to size 1 first, so that the product of two edges neither vanishes nor overflows.
  const size1 = largestMagnitude(e1);
  const size2 = largestMagnitude(e2);
  const unitSize = <f32>1.0 / greaterOf(size1, size2);
  const point = pointInTriangle(u, v);
  let plane = normalize(cross(scale(e1, unitSize), scale(e2, unitSize)));
  let smooth = interpolate3(<usize>load<u32>(mesh, MESH_NORMALS), u, v);
  const isPlaced = (load<i32>(instance, INSTANCE_FLAGS) & INSTANCE_IS_IDENTITY) == 0 || load<u32>(instance, INSTANCE_MOTION) != 0;
  if (isPlaced) {
    placeInstance(instance);
    position = pointToWorld(point);
    offset = offsetOf(largestMagnitude(vectorToWorld(e1)) + largestMagnitude(vectorToWorld(e2)), largestMagnitude(toWorldOrigin));
    plane = normalize(normalToWorld(plane));
    smooth = normalToWorld(smooth);
  } else {
    position = point;
    offset = offsetOf(size1 + size2, <f32>0.0);
  }
  smooth = normalize(smooth);
  if (dot(smooth, smooth) < <f32>0.5) smooth = plane;

  material = <usize>load<u32>(mesh, MESH_MATERIAL);
  const flags = load<i32>(material, MATERIAL_FLAGS);
  frontFace = dot(plane, direction) < <f32>0.0;
  isLambertian = (flags & FLAG_LAMBERTIAN) != 0;
  let hasTangents = false;
  if (flags & (FLAG_TANGENTS | FLAG_CLEARCOAT)) {
    normal = smooth;
    clearcoatNormal = smooth;
    if (flags & FLAG_TANGENTS) {
      if (!isPlaced) placeInstance(instance);
      hasTangents = findTangents(mesh, flags, e1, e2, u, v);
    }
    if (hasTangents) {
      const bent = mapNormal(MATERIAL_TEX_NORMAL, load<f32>(material, MATERIAL_NORMAL_SCALE), mesh, smooth, u, v);
      if (flags & FLAG_CLEARCOAT) {
        const coatScale = load<f32>(material, MATERIAL_CLEARCOAT_NORMAL_SCALE);
        clearcoatNormal = mapNormal(MATERIAL_TEX_CLEARCOAT_NORMAL, coatScale, mesh, smooth, u, v);
      }
      smooth = bent;
    }
    if (!frontFace) clearcoatNormal = neg(clearcoatNormal);
  }
  if (!frontFace) {
    plane = neg(plane);
    smooth = neg(smooth);
  }
  geometricNormal = plane;
  normal = facing(smooth, direction);
  if (flags & FLAG_CLEARCOAT) clearcoatNormal = facing(clearcoatNormal, direction);
  makeFrame(normal);
  if (isLambertian) {
    baseColor = baseColorAt(mesh, u, v);
    return;
  }
  describeMaterial(mesh, flags, u, v);
  if (hasTangents && lobes & FLAG_ANISOTROPY) turnFrame(mesh, u, v);
}

/** For `offset`: the size of two edges together and the distance of the object's origin, each by its largest coordinate. */
// @ts-ignore: decorator
@inline function offsetOf(edges: f32, origin: f32): f32 {
  return OFFSET_SCALE * (largestMagnitude(position) + origin + <f32>0.25 * edges);
}

/** A shading normal that faces away from the viewer is pulled back until it just does not. */
// @ts-ignore: decorator
@inline function facing(n: v128, direction: v128): v128 {
  const cosine = -dot(n, direction);
  return cosine > <f32>0.01 ? n : pulledBack(n, direction, cosine);
}

function pulledBack(n: v128, direction: v128, cosine: f32): v128 {
  const pulled = normalize(addScaled(n, direction, cosine - <f32>0.01));
  return dot(pulled, pulled) > <f32>0.5 && dot(pulled, direction) < <f32>0.0 ? pulled : geometricNormal;
}

/** Orthonormal basis about the shading normal (Duff et al. 2017). */
// @ts-ignore: decorator
@inline function makeFrame(n: v128): void {
  const sign = copysign<f32>(<f32>1.0, z(n));
  const a = <f32>-1.0 / (sign + z(n));
  const b = x(n) * y(n) * a;
  frameTangent = vec(<f32>1.0 + sign * x(n) * x(n) * a, sign * b, -sign * x(n));
  frameBitangent = vec(b, sign + y(n) * y(n) * a, -y(n));
}

/** World direction in the shading frame: x along the tangent, z along the shading normal. */
// @ts-ignore: decorator
@inline export function toLocal(d: v128): v128 {
  return vec(dot(d, frameTangent), dot(d, frameBitangent), dot(d, normal));
}

/** Direction in the shading frame as a world direction. */
// @ts-ignore: decorator
@inline export function fromLocal(d: v128): v128 {
  return add(add(scale(frameTangent, x(d)), scale(frameBitangent, y(d))), scale(normal, z(d)));
}

/** Turns the frame's x along the anisotropy (KHR_materials_anisotropy: direction in red and green, then the rotation). */
function turnFrame(mesh: usize, u: f32, v: f32): void {
  const t = textureAt(material + MATERIAL_TEX_ANISOTROPY, mesh, u, v, f32x4(1.0, 0.5, 1.0, 0.0));
  const dx = x(t) * <f32>2.0 - <f32>1.0;
  const dy = y(t) * <f32>2.0 - <f32>1.0;
  const c = load<f32>(material, MATERIAL_ANISOTROPY_COSINE);
  const s = load<f32>(material, MATERIAL_ANISOTROPY_SINE);
  const along = add(scale(surfaceTangent, dx * c - dy * s), scale(surfaceBitangent, dx * s + dy * c));
  const projected = normalize(addScaled(along, normal, -dot(along, normal)));
  if (!(dot(projected, projected) > <f32>0.5)) return;
  frameTangent = projected;
  frameBitangent = cross(normal, projected);
}

// @ts-ignore: decorator
@inline function baseColorAt(mesh: usize, u: f32, v: f32): v128 {
  return mul(
    mul(v128.load(material, MATERIAL_BASE_COLOR), vertexColor(mesh, u, v)),
    textureAt(material + MATERIAL_TEX_BASE, mesh, u, v, f32x4.splat(<f32>1.0)),
  );
}

/** Base colour at barycentrics (u, v) of a triangle that `describeHit` was not asked about. */
export function baseColorOf(mesh: usize, triangle: i32, u: f32, v: f32): v128 {
  material = <usize>load<u32>(mesh, MESH_MATERIAL);
  selectTriangle(mesh, triangle);
  return baseColorAt(mesh, u, v);
}

function describeMaterial(mesh: usize, flags: i32, u: f32, v: f32): void {
  const one = f32x4.splat(<f32>1.0);
  baseColor = baseColorAt(mesh, u, v);
  const rough = textureAt(material + MATERIAL_TEX_ROUGHNESS, mesh, u, v, one);
  roughness = load<f32>(material, MATERIAL_ROUGHNESS) * y(rough);
  metallic = load<f32>(material, MATERIAL_METALLIC) * z(rough);
  ior = load<f32>(material, MATERIAL_IOR);
  unlit = (flags & FLAG_UNLIT) != 0;
  thick = (flags & FLAG_THICK) != 0;
  emission =
    flags & FLAG_EMISSIVE && (frontFace || flags & FLAG_DOUBLE_SIDED) ? emissionAt(mesh, u, v) : f32x4.splat(<f32>0.0);
  lobes = flags & FLAGS_EXTENDED;
  transmission = <f32>0.0;
  dielectricF0 = f32x4.splat(load<f32>(material, MATERIAL_F0));
  dielectricF90 = <f32>1.0;
  if (lobes) describeExtensions(mesh, u, v);
}

/** Factor times a channel of its texture. */
// @ts-ignore: decorator
@inline function textured(factor: usize, slot: usize, mesh: usize, u: f32, v: f32): v128 {
  return scale(textureAt(material + slot, mesh, u, v, f32x4.splat(<f32>1.0)), load<f32>(material + factor));
}

function describeExtensions(mesh: usize, u: f32, v: f32): void {
  const one = f32x4.splat(<f32>1.0);
  if (lobes & FLAG_TRANSMISSION) transmission = x(textured(MATERIAL_TRANSMISSION, MATERIAL_TEX_TRANSMISSION, mesh, u, v));
  if (lobes & FLAG_SPECULAR) {
    dielectricF90 = w(textured(MATERIAL_SPECULAR, MATERIAL_TEX_SPECULAR, mesh, u, v));
    specularColor = mul(
      v128.load(material, MATERIAL_SPECULAR_COLOR),
      textureAt(material + MATERIAL_TEX_SPECULAR_COLOR, mesh, u, v, one),
    );
    dielectricF0 = scale(f32x4.min(mul(dielectricF0, specularColor), one), dielectricF90);
  } else {
    specularColor = one;
  }
  if (lobes & FLAG_CLEARCOAT) {
    clearcoat = x(textured(MATERIAL_CLEARCOAT, MATERIAL_TEX_CLEARCOAT, mesh, u, v));
    clearcoatRoughness = y(textured(MATERIAL_CLEARCOAT_ROUGHNESS, MATERIAL_TEX_CLEARCOAT_ROUGHNESS, mesh, u, v));
  }
  if (lobes & FLAG_SHEEN) {
    sheenColor = mul(
      v128.load(material, MATERIAL_SHEEN_COLOR),
      textureAt(material + MATERIAL_TEX_SHEEN_COLOR, mesh, u, v, one),
    );
    sheenRoughness = w(textured(MATERIAL_SHEEN_ROUGHNESS, MATERIAL_TEX_SHEEN_ROUGHNESS, mesh, u, v));
  }
  if (lobes & FLAG_ANISOTROPY) anisotropy = z(textured(MATERIAL_ANISOTROPY, MATERIAL_TEX_ANISOTROPY, mesh, u, v));
  if (lobes & FLAG_IRIDESCENCE) {
    iridescence = x(textured(MATERIAL_IRIDESCENCE, MATERIAL_TEX_IRIDESCENCE, mesh, u, v));
    iridescenceIor = load<f32>(material, MATERIAL_IRIDESCENCE_IOR);
    const low = load<f32>(material, MATERIAL_IRIDESCENCE_MINIMUM);
    const high = load<f32>(material, MATERIAL_IRIDESCENCE_MAXIMUM);
    iridescenceThickness = low + (high - low) * y(textureAt(material + MATERIAL_TEX_IRIDESCENCE_THICKNESS, mesh, u, v, one));
  }
  if (lobes & FLAG_DIFFUSE_TRANSMISSION) {
    diffuseTransmission = w(textured(MATERIAL_DIFFUSE_TRANSMISSION, MATERIAL_TEX_DIFFUSE_TRANSMISSION, mesh, u, v));
    diffuseTransmissionColor = mul(
      v128.load(material, MATERIAL_DIFFUSE_TRANSMISSION_COLOR),
      textureAt(material + MATERIAL_TEX_DIFFUSE_TRANSMISSION_COLOR, mesh, u, v, one),
    );
  }
}

/**
 * Describes a material without textures at a flat place whose frame is the world's axes, for tests. `mesh` is a mesh record of
 * zeros, `coatNormal` the clear coat's normal.
 */
export function describeBare(materialAt: usize, mesh: usize, isFront: bool, coatNormal: v128): void {
  material = materialAt;
  frontFace = isFront;
  frameTangent = f32x4(1.0, 0.0, 0.0, 0.0);
  frameBitangent = f32x4(0.0, 1.0, 0.0, 0.0);
  normal = f32x4(0.0, 0.0, 1.0, 0.0);
  clearcoatNormal = coatNormal;
  describeMaterial(mesh, load<i32>(material, MATERIAL_FLAGS), <f32>0.0, <f32>0.0);
}

/** Emitted radiance of the selected triangle at (u, v). */
export function emissionAt(mesh: usize, u: f32, v: f32): v128 {
  const m = <usize>load<u32>(mesh, MESH_MATERIAL);
  return mul(v128.load(m, MATERIAL_EMISSIVE), textureAt(m + MATERIAL_TEX_EMISSIVE, mesh, u, v, f32x4.splat(<f32>1.0)));
}

/** Sets the surface's tangents, from the mesh or else from the gradient of its texture coordinates; false when it has none. */
function findTangents(mesh: usize, flags: i32, e1: v128, e2: v128, u: f32, v: f32): bool {
  let tangent: v128;
  let handed: f32 = <f32>1.0;
  const tangents = <usize>load<u32>(mesh, MESH_TANGENTS);
  if (tangents) {
    tangent = interpolate4(tangents, u, v);
    handed = w(tangent) < <f32>0.0 ? <f32>-1.0 : <f32>1.0;
  } else {
    const uvs = <usize>(flags & FLAG_TANGENTS_UV1 ? load<u32>(mesh, MESH_UV1) : load<u32>(mesh, MESH_UV0));
    if (uvs == 0) return false;
    const a = uvs + vertex0 * 8;
    const b = uvs + vertex1 * 8;
    const c = uvs + vertex2 * 8;
    const du1 = load<f32>(b) - load<f32>(a);
    const dv1 = load<f32>(b, 4) - load<f32>(a, 4);
    const du2 = load<f32>(c) - load<f32>(a);
    const dv2 = load<f32>(c, 4) - load<f32>(a, 4);
    const det = du1 * dv2 - du2 * dv1;
    if (det == <f32>0.0) return false;
    tangent = scale(sub(scale(e1, dv2), scale(e2, dv1)), det < <f32>0.0 ? <f32>-1.0 : <f32>1.0);
    // glTF's v points down, so a positive determinant means a left-handed bitangent.
    handed = det < <f32>0.0 ? <f32>1.0 : <f32>-1.0;
  }
  tangent = vectorToWorld(tangent);
  surfaceTangent = normalize(addScaled(tangent, normal, -dot(tangent, normal)));
  surfaceBitangent = scale(cross(normal, surfaceTangent), handed);
  return dot(surfaceTangent, surfaceTangent) > <f32>0.5;
}

/** Tangent-space normal map (glTF 2.0, 3.9.3) in texture slot `slot` about `smooth`, which stays where there is no map. */
function mapNormal(slot: usize, strength: f32, mesh: usize, smooth: v128, u: f32, v: f32): v128 {
  if (load<u32>(material + slot, TEXTURE_PIXELS) == 0) return smooth;
  const t = textureAt(material + slot, mesh, u, v, f32x4(0.5, 0.5, 1.0, 0.0));
  const bent = normalize(
    add(
      add(
        scale(surfaceTangent, (x(t) * <f32>2.0 - <f32>1.0) * strength),
        scale(surfaceBitangent, (y(t) * <f32>2.0 - <f32>1.0) * strength),
      ),
      scale(smooth, z(t) * <f32>2.0 - <f32>1.0),
    ),
  );
  return dot(bent, bent) > <f32>0.5 ? bent : smooth;
}
