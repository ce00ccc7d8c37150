// Everything the light transport wants to know about a hit: place, normals, and the material with its textures.
import { interpolate3, interpolate4, selectTriangle, textureAt, vertexColor, vertex0, vertex1, vertex2 } from './attributes';
import { normalToWorld, placeInstance, pointToWorld, toWorldOrigin, vectorToWorld } from './instance';
import {
  FLAG_DOUBLE_SIDED,
  FLAG_EMISSIVE,
  FLAG_THICK,
  FLAG_UNLIT,
  INSTANCE_MESH,
  MATERIAL_BASE_COLOR,
  MATERIAL_EMISSIVE,
  MATERIAL_FLAGS,
  MATERIAL_IOR,
  MATERIAL_METALLIC,
  MATERIAL_NORMAL_SCALE,
  MATERIAL_ROUGHNESS,
  MATERIAL_TEX_BASE,
  MATERIAL_TEX_EMISSIVE,
  MATERIAL_TEX_NORMAL,
  MATERIAL_TEX_ROUGHNESS,
  MATERIAL_TEX_TRANSMISSION,
  MATERIAL_TRANSMISSION,
  MESH_MATERIAL,
  MESH_NORMALS,
  MESH_TANGENTS,
  MESH_UV0,
  MESH_UV1,
  PACK_IDS,
  TEXTURE_FLAGS,
  TEXTURE_PIXELS,
  TEXTURE_UV1,
} from './layout';
import { edge1, edge2, pointInTriangle, readTriangle } from './triangle';
import {
  add,
  addScaled,
  cross,
  dot,
  largestMagnitude,
  mul,
  neg,
  normalize,
  scale,
  sub,
  vec,
  w,
  x,
  y,
  z,
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
export let baseColor: v128 = i32x4(0, 0, 0, 0);
export let metallic: f32 = 0;
export let roughness: f32 = 0;
export let transmission: f32 = 0;
export let ior: f32 = <f32>1.5;
export let emission: v128 = i32x4(0, 0, 0, 0);
export let unlit: bool = false;
export let thick: bool = false;
export let triangle: i32 = 0;
/** With `normal` the shading frame in which the scattering functions work. */
let frameTangent: v128 = i32x4(0, 0, 0, 0);
let frameBitangent: v128 = i32x4(0, 0, 0, 0);

/** 2^-18: 32 ulps of a float in [1, 2). */
const OFFSET_SCALE: f32 = <f32>3.8146973e-6;

/** Fills the variables above for a hit that `direction` (unit) made. `lane` is what `traverse.hitTriangle` holds. */
export function describeHit(instance: usize, lane: usize, u: f32, v: f32, direction: v128): void {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  placeInstance(instance);
  readTriangle(mesh, lane);
  const e1 = edge1;
  const e2 = edge2;
  triangle = load<i32>(lane, PACK_IDS);
  selectTriangle(mesh, triangle);

  position = pointToWorld(pointInTriangle(u, v));
  offset =
    OFFSET_SCALE *
    (largestMagnitude(position) +
      largestMagnitude(toWorldOrigin) +
      <f32>0.25 * (largestMagnitude(vectorToWorld(e1)) + largestMagnitude(vectorToWorld(e2))));

  geometricNormal = normalize(normalToWorld(normalize(cross(e1, e2))));
  const normals = <usize>load<u32>(mesh, MESH_NORMALS);
  normal = normalize(normalToWorld(interpolate3(normals, u, v)));
  if (dot(normal, normal) < <f32>0.5) normal = geometricNormal;

  material = <usize>load<u32>(mesh, MESH_MATERIAL);
  const normalMap = material + MATERIAL_TEX_NORMAL;
  if (load<u32>(normalMap, TEXTURE_PIXELS)) bend(normalMap, mesh, e1, e2, u, v);

  frontFace = dot(geometricNormal, direction) < <f32>0.0;
  if (!frontFace) {
    geometricNormal = neg(geometricNormal);
    normal = neg(normal);
  }
  // A shading normal that faces away from the viewer is pulled back until it just does not.
  const facing = -dot(normal, direction);
  if (!(facing > <f32>0.01)) {
    normal = normalize(addScaled(normal, direction, facing - <f32>0.01));
    if (!(dot(normal, normal) > <f32>0.5) || dot(normal, direction) >= <f32>0.0) normal = geometricNormal;
  }
  describeMaterial(mesh, u, v);
  makeFrame(normal);
}

/** Orthonormal basis about the shading normal (Duff et al. 2017). */
function makeFrame(n: v128): void {
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

function describeMaterial(mesh: usize, u: f32, v: f32): void {
  const one = f32x4.splat(<f32>1.0);
  const flags = load<i32>(material, MATERIAL_FLAGS);
  baseColor = mul(
    mul(v128.load(material, MATERIAL_BASE_COLOR), vertexColor(mesh, u, v)),
    textureAt(material + MATERIAL_TEX_BASE, mesh, u, v, one),
  );
  const rough = textureAt(material + MATERIAL_TEX_ROUGHNESS, mesh, u, v, one);
  roughness = load<f32>(material, MATERIAL_ROUGHNESS) * y(rough);
  metallic = load<f32>(material, MATERIAL_METALLIC) * z(rough);
  transmission = load<f32>(material, MATERIAL_TRANSMISSION);
  if (transmission > <f32>0.0) transmission *= x(textureAt(material + MATERIAL_TEX_TRANSMISSION, mesh, u, v, one));
  ior = load<f32>(material, MATERIAL_IOR);
  unlit = (flags & FLAG_UNLIT) != 0;
  thick = (flags & FLAG_THICK) != 0;
  emission =
    flags & FLAG_EMISSIVE && (frontFace || flags & FLAG_DOUBLE_SIDED) ? emissionAt(mesh, u, v) : f32x4.splat(<f32>0.0);
}

/** Emitted radiance of the selected triangle at (u, v). */
export function emissionAt(mesh: usize, u: f32, v: f32): v128 {
  const m = <usize>load<u32>(mesh, MESH_MATERIAL);
  return mul(v128.load(m, MATERIAL_EMISSIVE), textureAt(m + MATERIAL_TEX_EMISSIVE, mesh, u, v, f32x4.splat(<f32>1.0)));
}

/** Tangent-space normal map (glTF 2.0, 3.9.3); tangents come from the mesh, else from the uv gradient. */
function bend(slot: usize, mesh: usize, e1: v128, e2: v128, u: f32, v: f32): void {
  let tangent: v128;
  let handed: f32 = <f32>1.0;
  const tangents = <usize>load<u32>(mesh, MESH_TANGENTS);
  if (tangents) {
    tangent = interpolate4(tangents, u, v);
    handed = w(tangent) < <f32>0.0 ? <f32>-1.0 : <f32>1.0;
  } else {
    const uvs = <usize>(load<i32>(slot, TEXTURE_FLAGS) & TEXTURE_UV1 ? load<u32>(mesh, MESH_UV1) : load<u32>(mesh, MESH_UV0));
    if (uvs == 0) return;
    const a = uvs + vertex0 * 8;
    const b = uvs + vertex1 * 8;
    const c = uvs + vertex2 * 8;
    const du1 = load<f32>(b) - load<f32>(a);
    const dv1 = load<f32>(b, 4) - load<f32>(a, 4);
    const du2 = load<f32>(c) - load<f32>(a);
    const dv2 = load<f32>(c, 4) - load<f32>(a, 4);
    const det = du1 * dv2 - du2 * dv1;
    if (det == <f32>0.0) return;
    tangent = scale(sub(scale(e1, dv2), scale(e2, dv1)), det < <f32>0.0 ? <f32>-1.0 : <f32>1.0);
    // glTF's v points down, so a positive determinant means a left-handed bitangent.
    handed = det < <f32>0.0 ? <f32>1.0 : <f32>-1.0;
  }
  tangent = vectorToWorld(tangent);
  tangent = normalize(addScaled(tangent, normal, -dot(tangent, normal)));
  if (dot(tangent, tangent) < <f32>0.5) return;
  const bitangent = scale(cross(normal, tangent), handed);
  const t = textureAt(slot, mesh, u, v, f32x4(0.5, 0.5, 1.0, 0.0));
  const strength = load<f32>(material, MATERIAL_NORMAL_SCALE);
  const bent = normalize(
    add(
      add(scale(tangent, (x(t) * <f32>2.0 - <f32>1.0) * strength), scale(bitangent, (y(t) * <f32>2.0 - <f32>1.0) * strength)),
      scale(normal, z(t) * <f32>2.0 - <f32>1.0),
    ),
  );
  if (dot(bent, bent) > <f32>0.5) normal = bent;
}
