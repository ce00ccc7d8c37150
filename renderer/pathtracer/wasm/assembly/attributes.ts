// Vertex attributes interpolated inside a triangle, and textures looked up with them.
import { MESH_COLORS, MESH_INDICES, MESH_UV0, MESH_UV1, TEXTURE_FLAGS, TEXTURE_PIXELS, TEXTURE_UV1 } from './layout';
import { sampleTexture } from './texture';
import { vec } from './vec';

/** Vertex numbers of the triangle that was looked at last. */
export let vertex0: usize = 0;
export let vertex1: usize = 0;
export let vertex2: usize = 0;

export function selectTriangle(mesh: usize, triangle: i32): void {
  const at = <usize>load<u32>(mesh, MESH_INDICES) + <usize>triangle * 12;
  vertex0 = load<u32>(at);
  vertex1 = load<u32>(at, 4);
  vertex2 = load<u32>(at, 8);
}

/** Three floats a vertex (the fourth lane is whatever follows). */
// @ts-ignore: decorator
@inline export function interpolate3(base: usize, u: f32, v: f32): v128 {
  return blend(v128.load(base + vertex0 * 12), v128.load(base + vertex1 * 12), v128.load(base + vertex2 * 12), u, v);
}

// @ts-ignore: decorator
@inline export function interpolate4(base: usize, u: f32, v: f32): v128 {
  return blend(v128.load(base + vertex0 * 16), v128.load(base + vertex1 * 16), v128.load(base + vertex2 * 16), u, v);
}

// @ts-ignore: decorator
@inline function blend(a: v128, b: v128, c: v128, u: f32, v: f32): v128 {
  return f32x4.add(
    f32x4.mul(a, f32x4.splat(<f32>1.0 - u - v)),
    f32x4.add(f32x4.mul(b, f32x4.splat(u)), f32x4.mul(c, f32x4.splat(v))),
  );
}

/** Texture in `slot` at barycentrics (u, v) of the selected triangle; `otherwise` when the slot is empty or the mesh has no uv. */
// @ts-ignore: decorator
@inline export function textureAt(slot: usize, mesh: usize, u: f32, v: f32, otherwise: v128): v128 {
  return load<u32>(slot, TEXTURE_PIXELS) == 0 ? otherwise : pictureAt(slot, mesh, u, v, otherwise);
}

/** The same for a slot that has a picture. */
function pictureAt(slot: usize, mesh: usize, u: f32, v: f32, otherwise: v128): v128 {
  const uvs = <usize>(load<i32>(slot, TEXTURE_FLAGS) & TEXTURE_UV1 ? load<u32>(mesh, MESH_UV1) : load<u32>(mesh, MESH_UV0));
  if (uvs == 0) return otherwise;
  const w = <f32>1.0 - u - v;
  const a = uvs + vertex0 * 8;
  const b = uvs + vertex1 * 8;
  const c = uvs + vertex2 * 8;
  return sampleTexture(
    slot,
    load<f32>(a) * w + load<f32>(b) * u + load<f32>(c) * v,
    load<f32>(a, 4) * w + load<f32>(b, 4) * u + load<f32>(c, 4) * v,
  );
}

/** First texture coordinates at barycentrics (u, v) of the selected triangle, lanes 0 and 1; zero without. */
export function textureCoordinates(mesh: usize, u: f32, v: f32): v128 {
  const uvs = <usize>load<u32>(mesh, MESH_UV0);
  if (uvs == 0) return f32x4.splat(<f32>0.0);
  const w = <f32>1.0 - u - v;
  const a = uvs + vertex0 * 8;
  const b = uvs + vertex1 * 8;
  const c = uvs + vertex2 * 8;
  const s = load<f32>(a) * w + load<f32>(b) * u + load<f32>(c) * v;
  const t = load<f32>(a, 4) * w + load<f32>(b, 4) * u + load<f32>(c, 4) * v;
  return vec(s, t, <f32>0.0);
}

export function vertexColor(mesh: usize, u: f32, v: f32): v128 {
  const colors = <usize>load<u32>(mesh, MESH_COLORS);
  return colors ? interpolate4(colors, u, v) : f32x4.splat(<f32>1.0);
}
