/** How long paths may get by kind, and clamping, against sums that are known. */
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../../domain/scene.ts';
import type { SceneDescription, SurfaceMaterial } from '../scene/description.ts';
import { traceOptionsOf } from '../tracer.ts';
import { camera, constantEnvironment, material, meanOf, place, request, scene, sphere, square } from './test-scenes.ts';
import { createCpuTracer } from './tracer.ts';

const tracing = createCpuTracer({ threads: 1 });
afterAll(async () => (await tracing).close());

const MAX_DEPTH = 12;
async function brightness(description: SceneDescription, changes: Partial<RenderSettings>): Promise<number> {
  const tracer = await tracing;
  await tracer.setScene(description);
  const options = traceOptionsOf({ ...DEFAULT_RENDER_SETTINGS, maxDepth: MAX_DEPTH, ...changes });
  return meanOf(await tracer.trace(request({ options, sampleCount: 256 })));
}

/** A sphere that glows with 1 and sends half of what falls onto it back, seen from its middle. */
const glowing = (surface: Partial<SurfaceMaterial>): SceneDescription =>
  scene({
    ...{ meshes: [sphere(48)], instances: [place(0)], camera: camera([0, 0, 0], [0, 0, 1]) },
    materials: [material({ emissive: [1, 1, 1], baseColor: [0.5, 0.5, 0.5, 1], doubleSided: true, ...surface })],
  });
const LAMBERTIAN = {
  specular: { factor: 0, texture: null, color: [1, 1, 1], colorTexture: null },
} satisfies Partial<SurfaceMaterial>;
const MIRROR = { metallic: 1, roughness: 0 };
/** Light after so many times on the wall: 1 + 1/2 + 1/4 … */
const lightAfter = (bounces: number): number => 2 - 0.5 ** bounces;

describe('a path ends', () => {
  it.each([0, 1, 3])('after %i diffuse bounces where no more are allowed', async (diffuse) => {
    const depths = { ...DEFAULT_RENDER_SETTINGS.depths, diffuse };
    expect(await brightness(glowing(LAMBERTIAN), { depths })).toBeCloseTo(lightAfter(diffuse), 1.7);
  });

  it.each([0, 1, 3])('after %i specular bounces where no more are allowed', async (specular) => {
    const depths = { ...DEFAULT_RENDER_SETTINGS.depths, specular };
    expect(await brightness(glowing(MIRROR), { depths })).toBeCloseTo(lightAfter(specular), 1.7);
  });

  it('after so many walls of glass as are allowed', async () => {
    const wall = material({ transmission: 1, roughness: 0, ior: 1, baseColor: [0.5, 0.5, 0.5, 1], doubleSided: true });
    const walls = scene({
      ...{ meshes: [square(50)], materials: [wall], environment: constantEnvironment() },
      instances: [place(0), place(0, [0, 1, 0]), place(0, [0, 2, 0])],
      camera: camera([0, 5, 0], [0, 0, 0], 0.3),
    });
    const seen = (transmission: number | null): Promise<number> =>
      brightness(walls, { depths: { ...DEFAULT_RENDER_SETTINGS.depths, transmission } });
    expect(await seen(null)).toBeCloseTo(0.125, 2);
    expect(await seen(3)).toBeCloseTo(0.125, 2);
    expect(await seen(2)).toBe(0);
  });

  it('by its own kind alone: a diffuse wall does not ask how many mirrors are allowed', async () => {
    const depths = { diffuse: null, specular: 0, transmission: 0 };
    expect(await brightness(glowing(LAMBERTIAN), { depths })).toBeCloseTo(lightAfter(MAX_DEPTH), 1.7);
  });
});

describe('clamping', () => {
  const lit = scene({
    ...{ meshes: [square(50)], instances: [place(0)], environment: constantEnvironment([4, 4, 4]) },
    materials: [material({ baseColor: [0.5, 0.5, 0.5, 1], ...LAMBERTIAN })],
    camera: camera([0, 2, 2], [0, 0, 0], 0.3),
  });

  it('is off unless it is asked for', async () => {
    expect(await brightness(lit, {})).toBeCloseTo(2, 1.7);
  });

  it('bounds what comes straight from a light, or after one bounce', async () => {
    const clamped = await brightness(lit, { clampDirect: 0.25 });
    expect(clamped).toBeGreaterThan(0.1);
    // Of a sample, what was found and what was looked for is bounded each.
    expect(clamped).toBeLessThanOrEqual(0.5);
    expect(await brightness(lit, { clampIndirect: 0.25 })).toBeCloseTo(2, 1.7);
  });

  it('bounds what comes after more, and nothing else', async () => {
    const clamped = await brightness(glowing(LAMBERTIAN), { clampIndirect: 1e-4 });
    expect(clamped).toBeCloseTo(lightAfter(1), 1.7);
  });
});
