import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings, type RenderTechnique } from '../../domain/scene.ts';
import type { RenderedUnit } from '../engine.ts';
import { inspectExr } from '../image/exr/inspect.ts';
import { decodeExr } from '../image/exr/read.ts';
import { createPathTracerEngine } from './engine.ts';
import { projectWith, toGlb, triangleScene } from './gltf/tinyScenes.ts';
import { createRasterizer } from './raster/rasterizer.ts';
import { createRaycaster, type RaycastBackend } from './raycast/raycaster.ts';
import type { SceneDescription } from './scene/description.ts';
import type { TracedPixels, Tracer } from './tracer.ts';
import { camera, constantEnvironment, material, place, request, scene, sphere, square } from './wasm/test-scenes.ts';
import { createCpuTracer } from './wasm/tracer.ts';
import { hasVulkanForTests } from './wgsl/testing/softwareVulkan.ts';

const VULKAN = hasVulkanForTests();

/** A sphere, two instances of a square, one of them turned by its transform, seen from a slant. */
function arrangement(changes: Partial<SceneDescription> = {}): SceneDescription {
  const wall = place(1, [0.6, 0.4, -1.5], 1.4);
  // A quarter turn about x: the square stands up.
  wall.transform.set([1.4, 0, 0, 0, 0, 0, 1.4, 0, 0, -1.4, 0, 0]);
  return scene({
    meshes: [sphere(16), square(1)],
    instances: [place(0, [-0.4, 0.2, 0], 0.8), place(1, [0, -0.7, 0], 2), wall],
    environment: constantEnvironment([0.5, 0.5, 0.5]),
    camera: camera([1.2, 1.5, 4], [0, 0, 0], 0.8),
    ...changes,
  });
}

const size = { width: 96, height: 64 };

async function drawWith(tracer: Tracer, description: SceneDescription, changes = {}): Promise<TracedPixels> {
  await tracer.setScene(description);
  return tracer.trace(request({ ...size, rect: { x0: 0, y0: 0, x1: 96, y1: 64 }, ...changes }));
}

/** Share of pixels, not within a pixel of a silhouette, whose depth differs by more than a thousandth. */
function depthDifference(one: TracedPixels, other: TracedPixels): { inside: number; differing: number } {
  const { width, height } = size;
  let [inside, differing] = [0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const around = [-1, 0, 1].flatMap((j) => [-1, 0, 1].map((i) => one.depth[(y + j) * width + x + i]!));
      const [low, high] = [Math.min(...around), Math.max(...around)];
      const isFlat = !Number.isFinite(high) ? !Number.isFinite(low) : high - low < 0.2;
      if (!isFlat) continue;
      inside++;
      const depth = other.depth[y * width + x]!;
      // The final's depth is that of the nearest sample in the pixel's filter, which surfaces that lean away bring nearer.
      const holds = Number.isFinite(low)
        ? depth > 2 * low - high - 0.02 && depth < 2 * high - low + 0.02
        : !Number.isFinite(depth);
      if (!holds) differing++;
    }
  }
  return { inside, differing };
}

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});
const opened = async (tracer: Promise<Tracer>): Promise<Tracer> => {
  closers.push(async () => (await tracer).close());
  return tracer;
};

const raycaster = (backend?: RaycastBackend) => createRaycaster(backend ? { threads: 1, backend } : { threads: 1 });
const quick: [string, () => Promise<Tracer>, boolean][] = [
  ['the ray caster', () => raycaster(), true],
  ['the rasteriser', () => createRasterizer({ threads: 1 }), VULKAN],
];

describe.each(quick)('%s', (_, make, isHere) => {
  let made: Promise<Tracer> | undefined;
  const create = (): Promise<Tracer> => {
    made ??= opened(make());
    return made;
  };

  it.skipIf(!isHere)('sees what the path tracer sees, at the same pixels', async () => {
    const tracer = await create();
    const final = await opened(createCpuTracer({ threads: 1 }));
    const { camera: view, ...others } = arrangement();
    const orthographic = { ...view, projection: { kind: 'orthographic' as const, ymag: 1.8 } };
    for (const seen of [view, orthographic]) {
      const description = { ...others, camera: seen };
      const expected = await drawWith(final, description, { sampleCount: 16, maxDepth: 1 });
      const pixels = await drawWith(tracer, description);
      const { inside, differing } = depthDifference(expected, pixels);
      expect(inside).toBeGreaterThan(3000);
      expect(differing).toBe(0);
      // Away from edges the shading normal is the same, too.
      const middle = (34 * 96 + 40) * 3;
      for (let k = 0; k < 3; k++) expect(pixels.normal[middle + k]).toBeCloseTo(expected.normal[middle + k]!, 1);
    }
  });

  it.skipIf(!isHere)('draws parts of a picture as the whole has them', async () => {
    const tracer = await create();
    const whole = await drawWith(tracer, arrangement());
    const part = await tracer.trace(request({ ...size, rect: { x0: 20, y0: 10, x1: 61, y1: 51 } }));
    let largest = 0;
    for (let y = 0; y < 41; y++) {
      for (let x = 0; x < 41 * 4; x++) {
        const other = whole.beauty[((y + 10) * 96 + 20) * 4 + x]!;
        largest = Math.max(largest, Math.abs(part.beauty[y * 41 * 4 + x]! - other));
      }
    }
    expect(largest).toBeLessThan(2e-3);
  });

  it.skipIf(!isHere)('gives a white diffuse surface in a white room its albedo', async () => {
    const tracer = await create();
    const white = [material({ baseColor: [0.5, 0.5, 0.5, 1], roughness: 1 })];
    const pixels = await drawWith(
      tracer,
      arrangement({ materials: white, environment: constantEnvironment([1, 1, 1]) }),
    );
    const at = (34 * 96 + 40) * 4;
    // Half of the light, and a few per cent that the dielectric's mirror adds.
    expect(pixels.beauty[at]).toBeGreaterThan(0.49);
    expect(pixels.beauty[at]).toBeLessThan(0.56);
    expect(pixels.albedo[(34 * 96 + 40) * 3]).toBeCloseTo(0.5, 3);
    // The room itself.
    expect(pixels.beauty[3]).toBe(1);
    expect(pixels.beauty[0]).toBeCloseTo(1, 2);
  });

  it.skipIf(!isHere)('cuts masks out and looks through what is blended', async () => {
    const tracer = await create();
    const at = (34 * 96 + 40) * 4;
    const dark = constantEnvironment([0, 0, 0]);
    const lit = (front: ReturnType<typeof material>) =>
      drawWith(
        tracer,
        scene({
          meshes: [
            { ...square(1), material: 0 },
            { ...square(1), material: 1 },
          ],
          instances: [place(0, [0, 0, 0], 3), place(1, [0, -1, 0], 6)],
          materials: [front, material({ unlit: true, baseColor: [0, 1, 0, 1] })],
          camera: camera([0, 4, 0.01]),
          environment: dark,
        }),
      );
    const red = { unlit: true, baseColor: [1, 0, 0, 0.25] as [number, number, number, number] };
    const masked = await lit(material({ ...red, alphaMode: 'mask', alphaCutoff: 0.5 }));
    expect([...masked.beauty.subarray(at, at + 3)]).toEqual([0, 1, 0]);
    const blended = await lit(material({ ...red, alphaMode: 'blend' }));
    expect(blended.beauty[at]).toBeCloseTo(0.25, 2);
    expect(blended.beauty[at + 1]).toBeCloseTo(0.75, 2);
    const opaque = await lit(material(red));
    expect([...opaque.beauty.subarray(at, at + 3)]).toEqual([1, 0, 0]);
  });
});

it('casts the same rays on gpu.js’ plain backend', async () => {
  const small = { width: 24, height: 16, rect: { x0: 0, y0: 0, x1: 24, y1: 16 } };
  const pictures = [];
  for (const backend of ['webasm', 'cpu'] as const) {
    const tracer = await opened(raycaster(backend));
    pictures.push(await drawWith(tracer, arrangement(), small));
  }
  const [one, other] = pictures as [TracedPixels, TracedPixels];
  let largest = 0;
  one.beauty.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value - other.beauty[i]!));
  });
  expect(largest).toBeLessThan(1e-3);
});

describe('the engine', () => {
  const engine = createPathTracerEngine();
  closers.push(() => engine.close());

  it.for(['raycast', 'raster'] as RenderTechnique[])(
    'renders and estimates with technique %s',
    async (technique, { skip }) => {
      skip(technique === 'raster' && !VULKAN, 'needs Vulkan');
      const folder = await mkdtemp(path.join(tmpdir(), 'framewright-techniques-'));
      closers.push(() => rm(folder, { recursive: true, force: true }));
      const files = { root: await projectWith({ 'a.glb': toGlb(triangleScene()) }), main: 'a.glb' };
      const settings: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, width: 48, height: 32, technique };
      const units: RenderedUnit[] = [];
      const sink = {
        async unit(unit: RenderedUnit) {
          units.push(unit);
        },
        progress: () => undefined,
        log: () => undefined,
      };
      const asked = { files, settings, units: [{ frame: 1, tile: 0 }], outputFolder: folder, threads: 1 };
      await engine.render(asked, sink, new AbortController().signal);
      expect(units[0]).toMatchObject({ width: 48, height: 32, samples: 48 * 32 });
      expect(await inspectExr(units[0]!.exrPath)).toMatchObject({ hasNaN: false, hasInfinity: false, allBlack: false });
      expect(
        decodeExr(await readFile(units[0]!.exrPath))
          .planes.get('albedo.R')!
          .reduce((a, b) => Math.max(a, b)),
      ).toBeCloseTo(0.8, 2);
      const estimate = await engine.estimate(files, settings, [1, 2, 3], 1);
      expect(estimate.secondsPerFrame).toBeGreaterThan(0);
      const impossible = {
        ...settings,
        output: { ...settings.output, layers: ['beauty' as const, 'motion' as const] },
      };
      await expect(
        engine.render({ ...asked, settings: impossible }, sink, new AbortController().signal),
      ).rejects.toMatchObject({ code: 'SettingInvalid' });
    },
  );
});
