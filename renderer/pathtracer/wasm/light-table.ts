/** What the tracer's light sampler picks from: emissive triangles and punctual lights, their power and their bounds. */
import type {
  MeshGeometry,
  PunctualLight,
  SceneDescription,
  SurfaceMaterial,
  TextureRef,
} from '../scene/description.ts';
import {
  PUNCTUAL_DIRECTION,
  PUNCTUAL_INTENSITY,
  PUNCTUAL_KIND,
  PUNCTUAL_POSITION,
  PUNCTUAL_SPOT_OFFSET,
  PUNCTUAL_SPOT_SCALE,
  PUNCTUAL_STRIDE,
} from './assembly/layout.ts';
import type { LightBounds } from './light-tree.ts';
import { transformPoint, unit, type Vector } from './matrix.ts';

/** One emissive triangle in world space. */
export interface TriangleLight {
  /** Position in the list of instances that was handed in. */
  instance: number;
  triangle: number;
  v0: Vector;
  e1: Vector;
  e2: Vector;
  area: number;
  isTwoSided: boolean;
  power: number;
}

export const luminance = ([r, g, b]: readonly [number, number, number] | Vector): number =>
  0.2126 * r + 0.7152 * g + 0.0722 * b;

/** Cumulative distribution (n + 1 entries, 0 to 1) of non-negative weights with a positive sum. */
export function cumulative(weights: readonly number[]): Float32Array {
  const out = new Float32Array(weights.length + 1);
  const total = weights.reduce((a, b) => a + b, 0);
  let sum = 0;
  weights.forEach((weight, i) => {
    sum += weight;
    out[i + 1] = sum / total;
  });
  out[weights.length] = 1;
  return out;
}

/** Triangles of the given instances that emit, with the power that their texture lets through at a few points. */
export function collectTriangleLights(
  scene: SceneDescription,
  instances: readonly { mesh: MeshGeometry; transform: ArrayLike<number> }[],
): TriangleLight[] {
  const lights: TriangleLight[] = [];
  instances.forEach(({ mesh, transform }, instance) => {
    const material = scene.materials[mesh.material]!;
    const factor = luminance(material.emissive);
    if (!(factor > 0) || !Number.isFinite(factor) || material.unlit) return;
    const sides = material.doubleSided ? 2 : 1;
    for (let triangle = 0; triangle < mesh.indices.length / 3; triangle++) {
      const visible = textureMean(scene, mesh, material, triangle);
      if (visible <= 0) continue;
      const corner = (k: number): Vector => {
        const at = 3 * mesh.indices[3 * triangle + k]!;
        return transformPoint(transform, [mesh.positions[at]!, mesh.positions[at + 1]!, mesh.positions[at + 2]!]);
      };
      const v0 = corner(0);
      const [b, c] = [corner(1), corner(2)];
      const e1: Vector = [b[0] - v0[0], b[1] - v0[1], b[2] - v0[2]];
      const e2: Vector = [c[0] - v0[0], c[1] - v0[1], c[2] - v0[2]];
      const area =
        Math.hypot(e1[1] * e2[2] - e1[2] * e2[1], e1[2] * e2[0] - e1[0] * e2[2], e1[0] * e2[1] - e1[1] * e2[0]) / 2;
      if (!(area > 0) || !Number.isFinite(area)) continue;
      const power = factor * visible * area * Math.PI * sides;
      lights.push({ instance, triangle, v0, e1, e2, area, isTwoSided: material.doubleSided, power });
    }
  });
  return lights;
}

/** Barycentric points at which an emissive texture is looked at: corners (drawn in), middles of edges, centre. */
const PROBES: readonly [number, number][] = [
  [1 / 3, 1 / 3],
  [0.05, 0.05],
  [0.9, 0.05],
  [0.05, 0.9],
  [0.5, 0.05],
  [0.05, 0.5],
  [0.475, 0.475],
];

/** Share of the emissive factor that the texture lets through, 0 to 1; where nothing is seen the triangle is left to BSDF sampling. */
function textureMean(scene: SceneDescription, mesh: MeshGeometry, material: SurfaceMaterial, triangle: number): number {
  const texture = material.emissiveTexture;
  const uvs = texture?.texCoord === 1 ? mesh.uv1 : mesh.uv0;
  if (!texture || !uvs) return 1;
  let sum = 0;
  for (const [u, v] of PROBES) {
    const weights = [1 - u - v, u, v];
    let s = 0;
    let t = 0;
    for (let k = 0; k < 3; k++) {
      const at = 2 * mesh.indices[3 * triangle + k]!;
      s += weights[k]! * uvs[at]!;
      t += weights[k]! * uvs[at + 1]!;
    }
    sum += nearestLuminance(scene, texture, s, t);
  }
  return sum / PROBES.length;
}

function nearestLuminance(scene: SceneDescription, texture: TextureRef, s: number, t: number): number {
  const image = scene.images[texture.image];
  if (!image) return 1;
  const [a, b, tx, c, d, ty] = texture.uvTransform;
  const x = wrapped(a * s + b * t + tx, texture.wrapS, image.width);
  const y = wrapped(c * s + d * t + ty, texture.wrapT, image.height);
  const at = 4 * (y * image.width + x);
  const linear = (value: number): number => (texture.srgb ? decodeSrgb(value / 255) : value / 255);
  return luminance([linear(image.data[at]!), linear(image.data[at + 1]!), linear(image.data[at + 2]!)]);
}

function wrapped(value: number, mode: TextureRef['wrapS'], size: number): number {
  let folded = value;
  if (mode === 'repeat') folded -= Math.floor(folded);
  if (mode === 'mirror') folded = 1 - Math.abs(1 - (folded - 2 * Math.floor(folded / 2)));
  return Math.min(size - 1, Math.max(0, Math.floor(folded * size))) || 0;
}

/** IEC 61966-2-1, for 0 <= value <= 1. */
export function decodeSrgb(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** What the light tree knows of an emissive triangle. */
export function boundsOfTriangle({ v0, e1, e2, isTwoSided, power }: TriangleLight): LightBounds {
  const low = (k: number): number => v0[k]! + Math.min(0, e1[k]!, e2[k]!);
  const high = (k: number): number => v0[k]! + Math.max(0, e1[k]!, e2[k]!);
  return {
    min: [low(0), low(1), low(2)],
    max: [high(0), high(1), high(2)],
    axis: unit([e1[1] * e2[2] - e1[2] * e2[1], e1[2] * e2[0] - e1[0] * e2[2], e1[0] * e2[1] - e1[1] * e2[0]]),
    spread: 0,
    emission: Math.PI / 2,
    intensity: power / (isTwoSided ? 2 : 1) / Math.PI,
    isTwoSided,
  };
}

/** What the light tree knows of a point or spot light. */
export function boundsOfLocal(light: Exclude<PunctualLight, { kind: 'directional' }>): LightBounds {
  const isSpot = light.kind === 'spot';
  return {
    min: light.position,
    max: light.position,
    axis: isSpot ? unit(light.direction) : [0, 0, 0],
    spread: isSpot ? light.outerConeAngle : Math.PI,
    // A spot light is dark outside its outer cone; its edge is soft, and given a little more.
    emission: isSpot ? 0.01 : Math.PI / 2,
    intensity: luminance(light.intensity),
    isTwoSided: false,
  };
}

/** Power of a punctual light in a scene of the given radius, by which it is picked. */
export function punctualPower(light: PunctualLight, radius: number): number {
  const strength = luminance(light.intensity);
  if (light.kind === 'directional') return strength * Math.PI * radius * radius;
  if (light.kind === 'point') return strength * 4 * Math.PI;
  return strength * 2 * Math.PI * (1 - Math.cos(light.outerConeAngle));
}

/** Writes the light's record. */
export function writePunctual(view: DataView, index: number, light: PunctualLight): void {
  const at = index * PUNCTUAL_STRIDE;
  const triple = (offset: number, values: readonly number[]): void =>
    values.forEach((value, i) => {
      view.setFloat32(at + offset + 4 * i, value, true);
    });
  triple(PUNCTUAL_POSITION, light.kind === 'directional' ? [0, 0, 0] : light.position);
  triple(PUNCTUAL_DIRECTION, light.kind === 'point' ? [0, 0, 0] : unit(light.direction));
  triple(PUNCTUAL_INTENSITY, light.intensity);
  view.setInt32(at + PUNCTUAL_KIND, { point: 0, spot: 1, directional: 2 }[light.kind], true);
  if (light.kind !== 'spot') return;
  // KHR_lights_punctual, "Inner and Outer Cone Angles".
  const outer = Math.cos(light.outerConeAngle);
  const scale = 1 / Math.max(0.001, Math.cos(light.innerConeAngle) - outer);
  view.setFloat32(at + PUNCTUAL_SPOT_SCALE, scale, true);
  view.setFloat32(at + PUNCTUAL_SPOT_OFFSET, -outer * scale, true);
}
