/** Small scenes for the tracer's tests. */
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import type {
  EnvironmentMap,
  MeshGeometry,
  MeshInstance,
  SceneDescription,
  SurfaceMaterial,
  TracerCamera,
} from '../scene/description.ts';
import { type TracedPixels, type TraceRequest, traceOptionsOf } from '../tracer.ts';

/** White, rough, not metallic; change what the test is about. */
export function material(changes: Partial<SurfaceMaterial> = {}): SurfaceMaterial {
  return {
    name: 'test',
    baseColor: [1, 1, 1, 1],
    baseColorTexture: null,
    metallic: 0,
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
    attenuationDistance: Infinity,
    attenuationColor: [1, 1, 1],
    unlit: false,
    ...changes,
  };
}

let nextMesh = 1;

/** A mesh from positions, uv and indices; normals are the triangles' own unless given. */
export function mesh(positions: number[], indices: number[], changes: Partial<MeshGeometry> = {}): MeshGeometry {
  return {
    id: nextMesh++,
    revision: 0,
    positions: Float32Array.from(positions),
    normals: new Float32Array(positions.length),
    tangents: null,
    uv0: null,
    uv1: null,
    colors: null,
    indices: Uint32Array.from(indices),
    material: 0,
    ...changes,
  };
}

/** Square of the given half side in the plane y = 0, facing up; uv (0,0) at -x -z. */
export function square(half: number, materialIndex = 0): MeshGeometry {
  return mesh([-half, 0, -half, -half, 0, half, half, 0, half, half, 0, -half], [0, 1, 2, 0, 2, 3], {
    normals: Float32Array.from([0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0]),
    uv0: Float32Array.from([0, 0, 0, 1, 1, 1, 1, 0]),
    material: materialIndex,
  });
}

/** Unit sphere of `rings` x `2 rings` quads with smooth normals. */
export function sphere(rings: number, materialIndex = 0): MeshGeometry {
  const columns = 2 * rings;
  const positions: number[] = [];
  const uvs: number[] = [];
  const indices: number[] = [];
  for (let j = 0; j <= rings; j++) {
    for (let i = 0; i <= columns; i++) {
      const theta = (j / rings) * Math.PI;
      const phi = (i / columns) * 2 * Math.PI;
      positions.push(Math.sin(theta) * Math.sin(phi), Math.cos(theta), Math.sin(theta) * Math.cos(phi));
      uvs.push(i / columns, j / rings);
      if (i === columns || j === rings) continue;
      const a = j * (columns + 1) + i;
      const b = a + columns + 1;
      if (j > 0) indices.push(a, b, a + 1);
      if (j < rings - 1) indices.push(a + 1, b, b + 1);
    }
  }
  return mesh(positions, indices, {
    normals: Float32Array.from(positions),
    uv0: Float32Array.from(uvs),
    material: materialIndex,
  });
}

export const IDENTITY = Float32Array.from([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);

/** Uniform scale and translation. */
export function place(meshIndex: number, [x, y, z]: [number, number, number] = [0, 0, 0], scale = 1): MeshInstance {
  return {
    mesh: meshIndex,
    name: `instance ${meshIndex}`,
    transform: Float32Array.from([scale, 0, 0, 0, 0, scale, 0, 0, 0, 0, scale, 0, x, y, z, 1]),
  };
}

/** The same radiance from everywhere. */
export function constantEnvironment(radiance: [number, number, number] = [1, 1, 1]): EnvironmentMap {
  const data = new Float32Array(4 * 2 * 3);
  for (let i = 0; i < data.length; i++) data[i] = radiance[i % 3]!;
  return { width: 4, height: 2, data, rotation: 0, intensity: 1, revision: radiance[0] * 1e6 + radiance[1] };
}

/** Camera at `eye` that looks at `target`. */
export function camera(
  eye: [number, number, number],
  target: [number, number, number] = [0, 0, 0],
  yfov = 0.6,
): TracerCamera {
  const unit = (v: number[]): number[] => v.map((value) => value / Math.hypot(...v));
  const cross = (a: number[], b: number[]): number[] => [
    a[1]! * b[2]! - a[2]! * b[1]!,
    a[2]! * b[0]! - a[0]! * b[2]!,
    a[0]! * b[1]! - a[1]! * b[0]!,
  ];
  const back = unit(eye.map((value, i) => value - target[i]!));
  const right = unit(cross(Math.abs(back[1]!) > 0.99 ? [0, 0, -1] : [0, 1, 0], back));
  const up = cross(back, right);
  return {
    transform: Float32Array.from([...right, 0, ...up, 0, ...back, 0, ...eye, 1]),
    projection: { kind: 'perspective', yfov },
    near: 1e-3,
  };
}

/** A scene with sensible empties. */
export function scene(changes: Partial<SceneDescription>): SceneDescription {
  return {
    meshes: [],
    instances: [],
    materials: [material()],
    images: [],
    lights: [],
    environment: null,
    camera: camera([0, 0, 5]),
    ...changes,
  };
}

/** What a test may change of a request; `maxDepth` is short for options of that depth. */
export type RequestChanges = Partial<TraceRequest> & { maxDepth?: number };

/** A whole small picture. */
export function request({ maxDepth = 8, ...changes }: RequestChanges = {}): TraceRequest {
  const width = changes.width ?? 16;
  const height = changes.height ?? 16;
  return {
    width,
    height,
    sampleStart: 0,
    sampleCount: 16,
    seed: 1,
    frame: 1,
    rect: { x0: 0, y0: 0, x1: width, y1: height },
    options: traceOptionsOf({ ...DEFAULT_RENDER_SETTINGS, maxDepth }),
    ...changes,
  };
}

/** Mean of a colour channel over the picture. */
export function meanOf(pixels: TracedPixels, channel = 1): number {
  let sum = 0;
  for (let i = channel; i < pixels.beauty.length; i += 4) sum += pixels.beauty[i]!;
  return sum / (pixels.beauty.length / 4);
}
