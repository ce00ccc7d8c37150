/** Procedural scenes of the benchmarks: any number of triangles in one mesh, the same on every machine. */
import { DEFAULT_MATERIAL } from '../../renderer/pathtracer/gltf/materials.ts';
import type { EnvironmentMap, MeshGeometry, SceneDescription } from '../../renderer/pathtracer/scene/description.ts';
import { camera, constantEnvironment, place } from '../../renderer/pathtracer/wasm/test-scenes.ts';

const SPHERES = 8;
const CELL = 2.4;

/**
 * A square of 8 x 8 dented spheres on a floor, about `triangles` triangles (exact to a ring of each sphere): rays that bounce
 * between the spheres are incoherent, camera rays are not. One mesh, one diffuse material of albedo 0.8.
 */
export function sphereField(triangles: number): SceneDescription {
  const rings = Math.max(3, Math.round(Math.sqrt((triangles - 2) / (SPHERES * SPHERES * 4)) + 0.5));
  const geometry = fieldMesh(rings);
  return {
    meshes: [geometry],
    instances: [place(0)],
    materials: [
      {
        ...DEFAULT_MATERIAL,
        baseColor: [0.8, 0.8, 0.8, 1],
        metallic: 0,
        roughness: 1,
        specular: { factor: 0, texture: null, color: [1, 1, 1], colorTexture: null },
      },
    ],
    images: [],
    lights: [],
    environment: constantEnvironment() as EnvironmentMap,
    camera: camera([0, 9, 15], [0, 0, 1], 0.8),
  };
}

function fieldMesh(rings: number): MeshGeometry {
  const columns = 2 * rings;
  const perSphere = (rings + 1) * (columns + 1);
  const count = SPHERES * SPHERES;
  const positions = new Float32Array((count * perSphere + 4) * 3);
  const normals = new Float32Array(positions.length);
  const indices = new Uint32Array((count * 4 * rings * (rings - 1) + 2) * 3);
  let vertex = 0;
  let index = 0;
  const add = (a: number, b: number, c: number): void => {
    indices.set([a, b, c], index);
    index += 3;
  };
  for (let ball = 0; ball < count; ball++) {
    const cx = ((ball % SPHERES) - (SPHERES - 1) / 2) * CELL;
    const cz = (Math.floor(ball / SPHERES) - (SPHERES - 1) / 2) * CELL;
    const first = vertex;
    for (let j = 0; j <= rings; j++) {
      const theta = (j / rings) * Math.PI;
      for (let i = 0; i <= columns; i++) {
        const phi = (i / columns) * 2 * Math.PI;
        const n = [Math.sin(theta) * Math.sin(phi), Math.cos(theta), Math.sin(theta) * Math.cos(phi)] as const;
        const radius = 1 + 0.06 * Math.sin(9 * theta + ball) * Math.sin(8 * phi);
        positions.set([cx + radius * n[0], 1.05 + radius * n[1], cz + radius * n[2]], vertex * 3);
        normals.set(n, vertex * 3);
        vertex++;
        if (i === columns || j === rings) continue;
        const a = first + j * (columns + 1) + i;
        const b = a + columns + 1;
        if (j > 0) add(a, b, a + 1);
        if (j < rings - 1) add(a + 1, b, b + 1);
      }
    }
  }
  const half = SPHERES * CELL;
  positions.set([-half, 0, -half, -half, 0, half, half, 0, half, half, 0, -half], vertex * 3);
  normals.set([0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0], vertex * 3);
  indices.set([vertex, vertex + 1, vertex + 2, vertex, vertex + 2, vertex + 3], index);
  return {
    id: 1,
    revision: rings,
    positions,
    normals,
    tangents: null,
    uv0: null,
    uv1: null,
    colors: null,
    indices,
    material: 0,
  };
}
