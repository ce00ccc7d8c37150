// Whether a hit counts: alpha masks are cut out, blended surfaces are there with probability alpha. The decision is keyed by
// path, instance and triangle, so it depends neither on traversal order nor on how often the triangle is tested.
import { selectTriangle, textureAt, vertexColor } from './attributes';
import {
  FLAG_BLEND,
  FLAG_MASK,
  INSTANCE_ID,
  MATERIAL_ALPHA_CUTOFF,
  MATERIAL_BASE_COLOR,
  MATERIAL_FLAGS,
  MATERIAL_TEX_BASE,
  MESH_MATERIAL,
} from './layout';
import { keyedUniform } from './sampler';
import { w } from './vec';

let segment: u32 = 0;

/** Gives each segment of a path its own decisions. */
export function setAlphaSegment(index: u32): void {
  segment = index;
}

export function passesAlpha(instance: usize, mesh: usize, triangle: i32, u: f32, v: f32): bool {
  const material = <usize>load<u32>(mesh, MESH_MATERIAL);
  const flags = load<i32>(material, MATERIAL_FLAGS);
  selectTriangle(mesh, triangle);
  const alpha =
    load<f32>(material, MATERIAL_BASE_COLOR + 12) *
    w(textureAt(material + MATERIAL_TEX_BASE, mesh, u, v, f32x4.splat(<f32>1.0))) *
    w(vertexColor(mesh, u, v));
  if (flags & FLAG_MASK) return alpha >= load<f32>(material, MATERIAL_ALPHA_CUTOFF);
  if (flags & FLAG_BLEND) return keyedUniform(segment * 0x632be5ab + load<u32>(instance, INSTANCE_ID), <u32>triangle) < alpha;
  return true;
}
