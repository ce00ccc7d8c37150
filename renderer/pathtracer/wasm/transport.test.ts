/** Light transport against closed forms: furnaces, direct light, absorption, and strategies that must agree in the mean. */
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import type { SceneDescription, SurfaceMaterial } from '../scene/description.ts';
import { type Tracer, traceOptionsOf } from '../tracer.ts';
import {
  camera,
  constantEnvironment,
  material,
  meanOf,
  place,
  type RequestChanges,
  request,
  scene,
  sphere,
  square,
} from './test-scenes.ts';
import { createCpuTracer } from './tracer.ts';

const tracers: Tracer[] = [];
async function tracer(strategy: 'mis' | 'bsdf' | 'light' = 'mis'): Promise<Tracer> {
  const made = await createCpuTracer({ threads: 1, strategy });
  tracers.push(made);
  return made;
}
afterAll(() => Promise.all(tracers.map((made) => made.close())));

const shared = tracer();
async function render(description: SceneDescription, changes: RequestChanges = {}) {
  const made = await shared;
  await made.setScene(description);
  return made.trace(request(changes));
}

/** Looks at a large square from obliquely above, so that nothing but it is seen. */
const overSquare = (surface: Partial<SurfaceMaterial>): SceneDescription =>
  scene({
    meshes: [square(50)],
    instances: [place(0)],
    materials: [material(surface)],
    environment: constantEnvironment(),
    camera: camera([0, 2, 2], [0, 0, 0], 0.3),
  });

describe('white furnace', () => {
  it('shows a constant environment exactly', async () => {
    const pixels = await render(scene({ environment: constantEnvironment([0.25, 0.5, 2]) }), { sampleCount: 4 });
    for (let i = 0; i < pixels.beauty.length; i += 4) {
      expect([...pixels.beauty.subarray(i, i + 4)]).toEqual([0.25, 0.5, 2, 1]);
    }
    expect(pixels.depth.every((value) => value === Infinity)).toBe(true);
    expect(pixels.normal.every((value) => value === 0)).toBe(true);
  });

  for (const roughness of [0, 0.1, 0.3, 0.6, 1]) {
    it(`returns all light from a dielectric of roughness ${roughness}`, async () => {
      expect(meanOf(await render(overSquare({ roughness }), { sampleCount: 256 }))).toBeCloseTo(1, 2);
    });
    it(`returns all light from a white metal of roughness ${roughness}`, async () => {
      expect(meanOf(await render(overSquare({ roughness, metallic: 1 }), { sampleCount: 256 }))).toBeCloseTo(1, 2);
    });
    it(`returns all light through a thin wall of roughness ${roughness}`, async () => {
      expect(meanOf(await render(overSquare({ roughness, transmission: 1 }), { sampleCount: 256 }))).toBeCloseTo(1, 2);
    });
  }

  const glassSphere = (surface: Partial<SurfaceMaterial>): SceneDescription =>
    scene({
      meshes: [sphere(48)],
      instances: [place(0)],
      materials: [material({ transmission: 1, thickness: 1, ...surface })],
      environment: constantEnvironment(),
      camera: camera([0, 0, 4], [0, 0, 0], 0.3),
    });

  it('returns all light from a smooth glass sphere', async () => {
    const pixels = await render(glassSphere({ roughness: 0 }), { sampleCount: 128, maxDepth: 64 });
    expect(Math.abs(meanOf(pixels) - 1)).toBeLessThan(0.005);
  });

  it.each([0.2, 0.6])('returns all light from a glass sphere of roughness %s', async (roughness) => {
    const pixels = await render(glassSphere({ roughness }), { sampleCount: 128, maxDepth: 64 });
    expect(Math.abs(meanOf(pixels) - 1)).toBeLessThan(0.005);
  });

  it('returns all light from clear coat and sheen over plastic', async () => {
    const surface: Partial<SurfaceMaterial> = {
      roughness: 0.5,
      sheen: { color: [1, 1, 1], colorTexture: null, roughness: 0.5, roughnessTexture: null },
      clearcoat: {
        ...{ factor: 1, texture: null, roughness: 0.2, roughnessTexture: null },
        ...{ normalTexture: null, normalScale: 1 },
      },
    };
    expect(Math.abs(meanOf(await render(overSquare(surface), { sampleCount: 256 })) - 1)).toBeLessThan(0.005);
  });

  it('keeps white light white through a dispersing prism of glass', async () => {
    const pixels = await render(glassSphere({ roughness: 0, dispersion: 1 }), { sampleCount: 256, maxDepth: 64 });
    // 65,536 paths whose channels weigh 0 to 3.
    for (const channel of [0, 1, 2]) expect(Math.abs(meanOf(pixels, channel) - 1)).toBeLessThan(0.02);
  });

  it('sees volumes within volumes: equal indices do not bend light', async () => {
    // A ball of water in a bigger one is as if it were not there, and both absorb as one.
    const water = { transmission: 1, thickness: 1, roughness: 0, ior: 1.33 };
    const color: [number, number, number] = [0.5, 0.5, 0.5];
    const nested = scene({
      meshes: [sphere(48), sphere(48, 1)],
      instances: [place(0), place(1, [0, 0, 0], 0.5)],
      materials: [
        material({ ...water, attenuationColor: color, attenuationDistance: 1 }),
        material({ ...water, attenuationColor: color, attenuationDistance: 1 }),
      ],
      environment: constantEnvironment(),
      camera: camera([0, 0, 4], [0, 0, 0], 0.2),
    });
    const alone = { ...nested, instances: [place(0)] };
    const [a, b] = [await render(nested, { sampleCount: 64 }), await render(alone, { sampleCount: 64 })];
    expect(Math.abs(meanOf(a) / meanOf(b) - 1)).toBeLessThan(0.01);
  });

  it('absorbs by Beer and Lambert along the way through', async () => {
    // No refraction (ior 1): the middle of the picture crosses the whole diameter of 2.
    const surface = { ior: 1, attenuationColor: [0.5, 0.25, 1] as [number, number, number], attenuationDistance: 1 };
    const description = { ...glassSphere({ roughness: 0, ...surface }), camera: camera([0, 0, 4], [0, 0, 0], 0.01) };
    const pixels = await render(description, { sampleCount: 16 });
    expect(meanOf(pixels, 0)).toBeCloseTo(0.25, 3);
    expect(meanOf(pixels, 1)).toBeCloseTo(0.0625, 3);
    expect(meanOf(pixels, 2)).toBeCloseTo(1, 3);
  });

  it.each([1e-3, 1, 1e4])('holds at scale %s, away from the origin', async (scale) => {
    const at = 3 * scale;
    const description = scene({
      meshes: [sphere(32)],
      instances: [place(0, [at, at, at], scale)],
      materials: [material({ roughness: 1 })],
      environment: constantEnvironment(),
      camera: { ...camera([at, at, at + 4 * scale], [at, at, at], 0.3), near: scale * 1e-3 },
    });
    expect(Math.abs(meanOf(await render(description, { sampleCount: 64 })) - 1)).toBeLessThan(0.01);
  });
});

describe('direct light', () => {
  const lambert = { roughness: 1, ior: 1, baseColor: [0.5, 0.5, 0.5, 1] as [number, number, number, number] };
  const lit = (changes: Partial<SceneDescription>): SceneDescription =>
    scene({
      meshes: [square(50)],
      instances: [place(0)],
      materials: [material(lambert)],
      camera: camera([0, 2, 0.001], [0, 0, 0], 0.002),
      ...changes,
    });

  it('of a point light falls off with the square of the distance', async () => {
    const pixels = await render(lit({ lights: [{ kind: 'point', position: [0, 3, 4], intensity: [100, 100, 100] }] }), {
      sampleCount: 4,
    });
    // E = I cos / d^2 with d = 5, cos = 3/5; L = albedo / pi * E.
    expect(meanOf(pixels)).toBeCloseTo((0.5 / Math.PI) * ((100 * 0.6) / 25), 3);
  });

  it('of a directional light depends on the angle alone', async () => {
    const pixels = await render(
      lit({ lights: [{ kind: 'directional', direction: [0, -0.8, 0.6], intensity: [2, 2, 2] }] }),
      { sampleCount: 4 },
    );
    expect(meanOf(pixels) / ((0.5 / Math.PI) * 1.6)).toBeCloseTo(1, 2);
  });

  it('of a spot light is full inside the inner cone and none outside the outer', async () => {
    const spot = (x: number): SceneDescription =>
      lit({
        lights: [
          {
            kind: 'spot',
            position: [x, 4, 0],
            direction: [0, -1, 0],
            intensity: [16, 16, 16],
            innerConeAngle: 0.2,
            outerConeAngle: 0.3,
          },
        ],
      });
    expect(meanOf(await render(spot(0), { sampleCount: 4 }))).toBeCloseTo(0.5 / Math.PI, 3);
    expect(meanOf(await render(spot(2), { sampleCount: 4 }))).toBe(0);
  });

  /** A square emitter of half side 1 at height 2 over the middle of the floor, facing down. */
  const underPanel = (): SceneDescription =>
    lit({
      meshes: [square(50), square(1, 1)],
      instances: [
        place(0),
        { mesh: 1, name: 'panel', transform: Float32Array.from([1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 2, 0, 1]) },
      ],
      materials: [material(lambert), material({ emissive: [10, 10, 10], baseColor: [0, 0, 0, 1], ior: 1 })],
      camera: camera([0, 1, 0.001], [0, 0, 0], 0.002),
    });
  /** Irradiance over radiance below the centre of a parallel square (form factor of four quadrants; Howell C-11). */
  const panelFactor = (): number => {
    const a = 1 / 2;
    const t = a / Math.sqrt(1 + a * a);
    return 4 * 0.5 * (t * Math.atan(t) + t * Math.atan(t));
  };

  it('of an emissive square equals its form factor', async () => {
    const pixels = await render(underPanel(), { sampleCount: 256, maxDepth: 1 });
    expect(meanOf(pixels) / ((0.5 / Math.PI) * 10 * panelFactor())).toBeCloseTo(1, 2);
  });

  it('of a glowing sphere equals that of its solid angle', async () => {
    const glowing = material({ emissive: [10, 10, 10], baseColor: [0, 0, 0, 1], ior: 1 });
    const description = lit({
      meshes: [square(50), sphere(64, 1)],
      instances: [place(0), place(1, [0, 2, 0], 0.5)],
      materials: [material(lambert), glowing],
      camera: camera([0, 1, 0.001], [0, 0, 0], 0.002),
    });
    const pixels = await render(description, { width: 32, height: 32, sampleCount: 32, maxDepth: 1 });
    const values = Array.from({ length: 1024 }, (_, i) => pixels.beauty[4 * i + 1]!);
    const mean = meanOf(pixels);
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / 1024 / mean;
    expect(error).toBeLessThan(0.01);
    // E = pi L (r / d)^2; the facets are inscribed, and fill 1 - 0.001 of the sphere's disc.
    const expected = 0.5 * 10 * (0.5 / 2) ** 2;
    expect(Math.abs(mean / expected - 1)).toBeLessThan(4 * error + 0.002);
  });

  it('is the same in the mean by light sampling, by BSDF sampling and by both', async () => {
    const metal = { ...underPanel(), camera: camera([0, 1.5, 2], [0, 0, 0], 0.5) };
    metal.materials = [material({ metallic: 1, roughness: 0.4 }), metal.materials[1]!];
    const means: number[] = [];
    for (const strategy of ['mis', 'light', 'bsdf'] as const) {
      const made = await tracer(strategy);
      await made.setScene(metal);
      means.push(meanOf(await made.trace(request({ sampleCount: 512, maxDepth: 3 }))));
    }
    expect(means[1]! / means[0]!).toBeCloseTo(1, 1.7);
    expect(means[2]! / means[0]!).toBeCloseTo(1, 1.7);
  });

  it('of an uneven environment is the same by all strategies, and by the integral', async () => {
    const [width, height] = [32, 16];
    const data = new Float32Array(width * height * 3).fill(0.2);
    for (let j = 3; j < 6; j++)
      for (let i = 20; i < 23; i++) data.fill(30, 3 * (j * width + i), 3 * (j * width + i) + 3);
    const environment = { width, height, data, rotation: 0.7, intensity: 1.5, revision: 99 };
    const description = lit({ environment });
    const means: number[] = [];
    for (const strategy of ['mis', 'light', 'bsdf'] as const) {
      const made = await tracer(strategy);
      await made.setScene(description);
      means.push(meanOf(await made.trace(request({ sampleCount: 1024, maxDepth: 1 }))));
    }
    // Riemann sum of L cos over the upper hemisphere, with the same bilinear picture.
    let irradiance = 0;
    const steps = 8;
    const at = (x: number, y: number): number =>
      data[3 * (Math.min(height - 1, Math.max(0, y)) * width + ((x + width) % width))]!;
    for (let j = 0; j < (height / 2) * steps; j++) {
      const theta = ((j + 0.5) / (height * steps)) * Math.PI;
      for (let i = 0; i < width * steps; i++) {
        const [u, v] = [(i + 0.5) / steps - 0.5, (j + 0.5) / steps - 0.5];
        const [x, y] = [Math.floor(u), Math.floor(v)];
        const top = at(x, y) * (1 - u + x) + at(x + 1, y) * (u - x);
        const bottom = at(x, y + 1) * (1 - u + x) + at(x + 1, y + 1) * (u - x);
        irradiance += (top * (1 - v + y) + bottom * (v - y)) * Math.cos(theta) * Math.sin(theta);
      }
    }
    irradiance *= 1.5 * (Math.PI / (height * steps)) * ((2 * Math.PI) / (width * steps));
    for (const mean of means) expect(mean / ((0.5 / Math.PI) * irradiance)).toBeCloseTo(1, 1.7);
  });
});

describe('Lambertian surfaces', () => {
  // Without a boundary that reflects, and beside it the same material as a volume that lets nothing in: that goes the long way.
  const bare: Partial<SurfaceMaterial> = {
    specular: { factor: 0, texture: null, color: [1, 1, 1], colorTexture: null },
  };
  const room = (changes: Partial<SurfaceMaterial>): SceneDescription =>
    scene({
      meshes: [square(8), sphere(24, 1), sphere(24, 2)],
      instances: [place(0, [0, -1, 0]), place(1, [-1.1, 0, 0]), place(2, [1.1, 0, 0], 0.8)],
      materials: [
        material({ ...bare, baseColor: [0.6, 0.5, 0.4, 1], ...changes }),
        material({ ...bare, baseColor: [0.9, 0, 0, 1], alphaMode: 'blend', ...changes }),
        material({ ...bare, baseColor: [0.2, 0.9, 0.3, 0.7], alphaMode: 'blend', doubleSided: true, ...changes }),
      ],
      environment: constantEnvironment([0.2, 0.3, 0.4]),
      lights: [{ kind: 'point', position: [0, 4, 3], intensity: [20, 20, 20] }],
      camera: camera([0, 2, 6]),
    });

  it.each([8, 2, 0])('scatter by their short way what they scatter by the long one, to depth %s', async (maxDepth) => {
    const changes = { width: 40, height: 30, sampleCount: 8 };
    const options = (depth: number) =>
      traceOptionsOf({
        ...DEFAULT_RENDER_SETTINGS,
        maxDepth: depth,
        output: {
          ...DEFAULT_RENDER_SETTINGS.output,
          layers: ['beauty', 'diffuse_direct', 'diffuse_indirect', 'specular_indirect', 'albedo', 'normal'],
        },
      });
    const short = await render(room({}), { ...changes, options: options(maxDepth) });
    const long = await render(room({ thickness: 1 }), { ...changes, options: options(maxDepth) });
    expect(short.rays).toBe(long.rays);
    const planes = (traced: typeof short) => ({
      ...traced.layers,
      ...{ beauty: traced.beauty, albedo: traced.albedo, normal: traced.normal },
    });
    for (const [layer, a] of Object.entries(planes(short))) {
      const b = (planes(long) as Record<string, ArrayLike<number>>)[layer]!;
      expect(a.length, layer).toBe(b.length);
      a.forEach((value, i) => {
        expect(Math.abs(value - b[i]!), `${layer} ${i}`).toBeLessThan(1e-5);
      });
    }
    if (maxDepth > 0) expect(meanOf(short)).toBeGreaterThan(0.1);
  });
});
