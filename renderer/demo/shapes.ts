/** Shapes that the demo shot is built of, beside the models. */
import type { ModelGeometry } from './cc0Assets.ts';

export interface Shape extends ModelGeometry {
  uvs?: Float32Array;
}

/** A point of a profile: distance from the axis, height, and the normal there. */
interface ProfilePoint {
  radius: number;
  height: number;
  normal: [outward: number, up: number];
}

/** Turns a profile (from bottom to top, outside to the right) about the Y axis. Texture coordinates look down on it, metres. */
function lathe(profile: ProfilePoint[], sectors: number): Shape {
  const positions: number[] = [];
  const normals: number[] = [];
  const uvs: number[] = [];
  const indices: number[] = [];
  for (const { radius, height, normal } of profile) {
    for (let i = 0; i <= sectors; i++) {
      const angle = (i / sectors) * 2 * Math.PI;
      const [s, c] = [Math.sin(angle), Math.cos(angle)];
      positions.push(radius * s, height, radius * c);
      normals.push(normal[0] * s, normal[1], normal[0] * c);
      uvs.push(radius * s, radius * c);
    }
  }
  for (let j = 0; j + 1 < profile.length; j++) {
    for (let i = 0; i < sectors; i++) {
      const a = j * (sectors + 1) + i;
      const b = a + sectors + 1;
      if (profile[j]!.radius > 0) indices.push(a, a + 1, b);
      if (profile[j + 1]!.radius > 0) indices.push(b, a + 1, b + 1);
    }
  }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    uvs: Float32Array.from(uvs),
    indices: Uint32Array.from(indices),
  };
}

/** A sphere of radius 1 about the origin. */
export function sphere(rings: number): Shape {
  const profile = Array.from({ length: rings + 1 }, (_, j): ProfilePoint => {
    const angle = (j / rings - 0.5) * Math.PI;
    const [s, c] = [Math.sin(angle), j === 0 || j === rings ? 0 : Math.cos(angle)];
    return { radius: c, height: s, normal: [c, s] };
  });
  return lathe(profile, rings * 2);
}

/** The top of a round slab: a disc at height 0 that runs into a rounded rim. */
export function slabTop(radius: number, rim: number): Shape {
  const inner = radius - rim;
  const profile: ProfilePoint[] = Array.from({ length: 9 }, (_, i) => {
    const angle = (i / 8) * (Math.PI / 2);
    const [s, c] = [Math.sin(angle), Math.cos(angle)];
    return { radius: inner + rim * c, height: rim * (s - 1), normal: [c, s] };
  });
  return lathe([...profile, { radius: 0, height: 0, normal: [0, 1] }], 128);
}

/** The upright side of a slab, from `-thickness` to `-rim`. */
export function slabSide(radius: number, thickness: number, rim: number): Shape {
  return lathe(
    [
      { radius, height: -thickness, normal: [1, 0] },
      { radius, height: -rim, normal: [1, 0] },
    ],
    128,
  );
}

/** A ring (torus) lying flat about the Y axis; `tube` is the radius of its section. */
export function ring(radius: number, tube: number): Shape {
  const profile = Array.from({ length: 25 }, (_, j): ProfilePoint => {
    const angle = (j / 24) * 2 * Math.PI;
    const [s, c] = [Math.sin(angle), Math.cos(angle)];
    return { radius: radius + tube * c, height: tube * s, normal: [c, s] };
  });
  return lathe(profile, 96);
}
