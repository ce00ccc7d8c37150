import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../domain/scene.ts';
import { writeCube } from '../test/support/scenes.ts';
import { createPathTracerEngine } from './pathtracer/engine.ts';
import { TracerSlot } from './pathtracer/tiers.ts';
import { smallKernel } from './pathtracer/wgsl/testing/smallKernel.ts';
import { hasVulkanForTests } from './pathtracer/wgsl/testing/softwareVulkan.ts';
import { createGpuTracer } from './pathtracer/wgsl/tracer.ts';
import { type ReproRequest, reproPixel } from './repro.ts';

const base: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, width: 40, height: 24, samples: 16 };

describe('one pixel again', () => {
  let folder: string;
  const files = () => ({ root: folder, main: 'cube.glb' });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'framewright-repro-test-'));
    await writeCube(join(folder, 'cube.glb'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The whole frame's file. */
  async function frameBy(tier: 'cpu' | 'gpu', settings: RenderSettings, slot = new TracerSlot()): Promise<Buffer> {
    const engine = createPathTracerEngine({ slot });
    let delivered: Buffer | undefined;
    try {
      await engine.render(
        {
          ...{ files: files(), settings: { ...settings, tier }, units: [{ frame: 3, tile: 0 }] },
          ...{ outputFolder: folder, threads: availableParallelism() },
        },
        {
          unit: async ({ exrPath }) => {
            delivered = await readFile(exrPath);
          },
          progress: () => undefined,
          log: () => undefined,
        },
        new AbortController().signal,
      );
    } finally {
      await engine.close();
    }
    return delivered!;
  }

  /** Pixel (21, 12), in the cube's face. */
  async function again(settings: RenderSettings, samples?: ReproRequest['samples'], at = { x: 21, y: 12 }) {
    const delivered = await frameBy('cpu', settings);
    return reproPixel({ files: files(), settings, frame: 3, ...at, samples, delivered });
  }
  const ask = (change: Partial<ReproRequest>) =>
    reproPixel({ files: files(), settings: base, frame: 3, x: 21, y: 12, ...change });

  it.each<[string, Partial<RenderSettings>]>([
    ['half', {}],
    ['float', { output: { ...base.output, floatLayers: ['beauty'] } }],
    ['ACEScg', { output: { ...base.output, colorSpace: 'acescg' } }],
    ['clamped, cropped light', { clampDirect: 0.3, clampIndirect: 0.1, crop: { x0: 13, y0: 9, x1: 30, y1: 20 } }],
    ['a long way, five samples', { maxDepth: 30, samples: 5 }],
    ['a moving cube', { shutter: 0.5 }],
  ])('is the sum of its samples to the bit: %s', async (_, change) => {
    const settings = { ...base, ...change };
    const made = await again(settings, { first: 0, last: settings.samples - 1 });
    expect(made).toMatchObject({ isEqual: true, addsUp: true, sampleCount: settings.samples });
    const delivered = ['R', 'G', 'B'].map((name) => made.pixel.find((channel) => channel.name === name)?.delivered);
    expect(made.sum).toEqual(delivered);
    expect(Math.min(...made.sum)).toBeGreaterThan(0);
    for (const { steps, radiance } of made.paths) {
      // Every bounce is there, each with what it brought; the last says why it was the last.
      expect(steps.map(({ bounce }) => bounce)).toEqual(steps.map((__, index) => index));
      expect(steps.map(({ end }) => end !== null)).toEqual(steps.map((__, index) => index === steps.length - 1));
      expect(steps.at(-1)?.radiance).toEqual(radiance);
    }
  });

  it('has as many samples as adaptive sampling gave it, and no more to tell of', async () => {
    const settings = { ...base, samples: 64, adaptive: { threshold: 0.02, minSamples: 8 } };
    const sky = await again(settings, undefined, { x: 1, y: 1 });
    expect(sky).toMatchObject({ isEqual: true, addsUp: true });
    expect(sky.sampleCount).toBeLessThan(64);
    const face = await again(settings);
    expect(face).toMatchObject({ isEqual: true, addsUp: true });
    expect(face.sampleCount).toBeGreaterThanOrEqual(sky.sampleCount);
    const first = sky.sampleCount;
    await expect(
      reproPixel({ files: files(), settings, frame: 3, x: 1, y: 1, samples: { first, last: first } }),
    ).rejects.toMatchObject({
      code: 'SettingInvalid',
      message: `sample is ${first}; the pixel has samples 0 to ${first - 1}.`,
    });
  });

  it('tells of the brightest sample where none was asked for, and whose a Cryptomatte id is', async () => {
    const settings = {
      ...base,
      output: { ...base.output, layers: ['cryptomatte_object', 'cryptomatte_material'] as const },
    };
    const all = await ask({ settings: settings as unknown as RenderSettings, samples: { first: 0, last: 15 } });
    const { paths } = await ask({});
    const light = all.paths.map(({ radiance: [r, g, b] }) => 0.2126 * r + 0.7152 * g + 0.0722 * b);
    expect(paths.map(({ sample }) => sample)).toEqual([light.indexOf(Math.max(...light))]);
    const shown = Object.fromEntries(all.pixel.map(({ name, shows }) => [name, shows]));
    expect(shown).toMatchObject({ 'CryptoObject00.R': 'cube', 'CryptoObject00.G': null, 'CryptoMaterial00.R': 'clay' });
    expect(all.isEqual).toBeNull();
  });

  it('refuses what is not in the picture, with what there is', async () => {
    const refusal = (change: Partial<ReproRequest>) => ask(change).catch((error: Error) => error.message);
    expect(await refusal({ x: 40 })).toBe('pixel is 40,12; the picture has 0,0 to 39,23.');
    expect(await refusal({ samples: { first: 16, last: 16 } })).toBe('sample is 16; the pixel has samples 0 to 15.');
    expect(await refusal({ samples: { first: 5, last: 2 } })).toMatch('from its first sample to its last');
    expect(await refusal({ settings: { ...base, technique: 'raycast' } })).toMatch('technique is raycast');
  });

  // With a kernel that compiles in a moment, whose paths end at once; wgsl/pictures.test.ts has real ones.
  describe.skipIf(!hasVulkanForTests())('of a frame that a GPU traced', () => {
    const settings = { ...base, samples: 8 };
    const small = () =>
      new TracerSlot({
        gpu: {
          create: async ({ threads }) => createGpuTracer({ threads, allowSoftware: true, text: await smallKernel() }),
          build: async () => 'gpu-small',
        },
      });
    afterEach(() => vi.unstubAllEnvs());

    it('is the sum of the samples that a GPU traces again', { timeout: 300_000 }, async () => {
      const delivered = await frameBy('gpu', settings, small());
      const asked = { files: files(), settings, frame: 3, x: 21, y: 12, samples: { first: 0, last: 7 }, delivered };
      const told = await reproPixel(asked, small());
      expect(told).toMatchObject({ isEqual: true, addsUp: true, sampleCount: 8, build: told.deliveredBuild });
      expect(told.build).toContain('-gpu-');
      expect(told.paths).toHaveLength(8);
      expect(Math.min(...told.sum)).toBeGreaterThan(0);
      vi.stubEnv('FARM_TIER', 'cpu');
      const elsewhere = await reproPixel(asked, small());
      // It says so by the builds.
      expect(elsewhere).toMatchObject({ isEqual: false, addsUp: true, deliveredBuild: told.deliveredBuild });
      expect(elsewhere.build).not.toContain('gpu');
    });
  });
});
