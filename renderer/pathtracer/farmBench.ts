/**
 * FarmBench: the fixed scene by which machines are measured. 20,000 triangles of terrain and forty spheres of rough, metal
 * and glass under the studio light: coherent and incoherent rays, every kind of surface. Changing it changes every score, so
 * it has a version that is part of the engine's build.
 */
import { studioEnvironment } from './environment/studio.ts';
import { DEFAULT_MATERIAL } from './gltf/materials.ts';
import { lookAt } from './gltf/matrix.ts';
import type { MeshGeometry, MeshInstance, SceneDescription, SurfaceMaterial } from './scene/description.ts';
import { addSpent, type Spent, Stopwatch } from './stopwatch.ts';
import { DEFAULT_TRACE_OPTIONS, type Tracer } from './tracer.ts';

export const FARM_BENCH_VERSION = 2;

/** Picture and path settings of the benchmark. */
const BENCH = { width: 256, height: 144, seed: 1, frame: 0, options: DEFAULT_TRACE_OPTIONS } as const;

const SAMPLES_PER_STEP = 2;

const GRID = 100;
const SPHERES = 40;

const terrainHeight = (x: number, z: number): number =>
  0.35 * Math.sin(x * 1.3) * Math.cos(z * 1.1) + 0.08 * Math.sin(x * 5 + z * 4);

function mesh(id: number, material: number, positions: number[], normals: number[], indices: number[]): MeshGeometry {
  return {
    id,
    revision: 0,
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    tangents: null,
    uv0: null,
    uv1: null,
    colors: null,
    indices: Uint32Array.from(indices),
    material,
  };
}

function terrain(id: number): MeshGeometry {
  const positions: number[] = [];
  const normals: number[] = [];
  const indices: number[] = [];
  const at = (i: number): number => (i / GRID - 0.5) * 14;
  for (let j = 0; j <= GRID; j++) {
    for (let i = 0; i <= GRID; i++) {
      const [x, z] = [at(i), at(j)];
      positions.push(x, terrainHeight(x, z), z);
      const dx = (terrainHeight(x + 0.01, z) - terrainHeight(x - 0.01, z)) / 0.02;
      const dz = (terrainHeight(x, z + 0.01) - terrainHeight(x, z - 0.01)) / 0.02;
      const length = Math.hypot(dx, 1, dz);
      normals.push(-dx / length, 1 / length, -dz / length);
      if (i < GRID && j < GRID) {
        const a = j * (GRID + 1) + i;
        indices.push(a, a + GRID + 1, a + 1, a + 1, a + GRID + 1, a + GRID + 2);
      }
    }
  }
  return mesh(id, 0, positions, normals, indices);
}

/** Unit sphere by longitude and latitude. */
function sphereMesh(id: number, material: number, rings: number): MeshGeometry {
  const positions: number[] = [];
  const indices: number[] = [];
  const sectors = rings * 2;
  for (let j = 0; j <= rings; j++) {
    for (let i = 0; i <= sectors; i++) {
      const theta = (j / rings) * Math.PI;
      const phi = (i / sectors) * 2 * Math.PI;
      positions.push(Math.sin(theta) * Math.sin(phi), Math.cos(theta), Math.sin(theta) * Math.cos(phi));
      if (i < sectors && j < rings) {
        const a = j * (sectors + 1) + i;
        const b = a + sectors + 1;
        if (j > 0) indices.push(a, b, a + 1);
        if (j < rings - 1) indices.push(a + 1, b, b + 1);
      }
    }
  }
  return mesh(id, material, positions, positions, indices);
}

/** The benchmark's scene; the same for everybody. */
function farmBenchScene(): SceneDescription {
  const surface = (changes: Partial<SurfaceMaterial>): SurfaceMaterial => ({
    ...DEFAULT_MATERIAL,
    metallic: 0,
    ...changes,
  });
  const materials = [
    surface({ name: 'ground', baseColor: [0.45, 0.42, 0.38, 1], roughness: 0.9 }),
    surface({ name: 'plastic', baseColor: [0.7, 0.15, 0.1, 1], roughness: 0.35 }),
    surface({ name: 'metal', baseColor: [0.95, 0.78, 0.4, 1], metallic: 1, roughness: 0.2 }),
    surface({ name: 'glass', roughness: 0, transmission: 1, thickness: 1 }),
  ];
  const meshes = [terrain(0), ...[1, 2, 3].map((material) => sphereMesh(material, material, 24))];
  const instances: MeshInstance[] = [
    { mesh: 0, name: 'terrain', transform: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1) },
  ];
  for (let i = 0; i < SPHERES; i++) {
    // A sunflower's seeds: even, and without a random number.
    const radius = 0.75 * Math.sqrt(i + 0.5);
    const angle = i * 2.399_963;
    const [x, z] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    const size = 0.25 + 0.2 * ((i * 7) % 5) * 0.25;
    const transform = Float32Array.of(size, 0, 0, 0, 0, size, 0, 0, 0, 0, size, 0, x, terrainHeight(x, z) + size, z, 1);
    instances.push({ mesh: 1 + (i % 3), name: `sphere ${i}`, transform });
  }
  return {
    meshes,
    instances,
    materials,
    images: [],
    lights: [],
    environment: studioEnvironment(),
    camera: {
      transform: Float32Array.from(lookAt([4.2, 3.4, 6.4], [0, 0, 0])),
      projection: { kind: 'perspective', yfov: 0.62 },
      near: 0.01,
    },
  };
}

/**
 * Millions of paths (camera samples) a second on this tracer while the machine does nothing else (`stopwatch.ts`). Takes about a
 * second after the scene is built, on a busy machine two.
 */
export async function measureFarmBench(tracer: Tracer): Promise<number> {
  await tracer.setScene(farmBenchScene());
  const stopwatch = new Stopwatch(tracer);
  const rect = { x0: 0, y0: 0, x1: BENCH.width, y1: BENCH.height };
  // The first samples warm the machine (threads, optimising compiler) and do not count.
  await tracer.trace({ ...BENCH, rect, sampleStart: 0, sampleCount: 1 });
  let traced = 0;
  let sampleStart = 1;
  let spent: Spent = { wallSeconds: 0, processorSeconds: 0 };
  do {
    // Small steps, so that a slow or busy machine does not overrun.
    const request = { ...BENCH, rect, sampleStart, sampleCount: SAMPLES_PER_STEP };
    spent = addSpent(spent, (await stopwatch.time(() => tracer.trace(request))).spent);
    sampleStart += SAMPLES_PER_STEP;
    traced += BENCH.width * BENCH.height * SAMPLES_PER_STEP;
  } while (stopwatch.traceSeconds(spent) < 0.9 && spent.wallSeconds < 2);
  return traced / stopwatch.traceSeconds(spent) / 1e6;
}
