/** A unit in bands has the files of a unit at once. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LAYER_NAMES, LAYERS, type LayerName } from '../../domain/layers.ts';
import type { PixelRect } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import { ImageProcessor } from '../image/imageProcessor.ts';
import { bandsOf, GUIDES, RowWindow } from './bands.ts';
import { tracedOptions } from './denoiseLayers.ts';
import { cryptomatteNames } from './frameLayers.ts';
import { makeUnit } from './makeUnit.ts';
import type { PathTracer, TracedPixels, Tracer } from './tracer.ts';
import { constantEnvironment, material, place, scene, sphere, square } from './wasm/test-scenes.ts';
import { createCpuTracer } from './wasm/tracer.ts';

const processor = new ImageProcessor();
const description = scene({
  meshes: [square(3), sphere(12, 1)],
  materials: [material({ name: 'ground' }), material({ name: 'ball', roughness: 0.3, metallic: 1 })],
  instances: [
    { ...place(0, [0, 0, -1]), name: 'floor' },
    { ...place(1), name: 'ball' },
  ],
  environment: constantEnvironment([0.8, 0.9, 1]),
});
let tracer: PathTracer;
let folder: string;

beforeAll(async () => {
  tracer = await createCpuTracer({ threads: 2 });
  await tracer.setScene(description);
  folder = await mkdtemp(join(tmpdir(), 'framewright-bands-'));
});
afterAll(async () => {
  await tracer?.close();
  await processor.close();
  await rm(folder, { recursive: true, force: true });
});

/** Files of the unit by ending; `bandBytes` of 1: bands as low as an EXR allows, 32 rows. */
async function make(settings: ReturnType<typeof asked>, bandBytes?: number, by: Tracer = tracer, signal = NEVER) {
  const outputFolder = await mkdtemp(join(folder, 'unit-'));
  const { width, height, seed, samples, crop } = settings;
  const rect: PixelRect = crop ?? { x0: 0, y0: 0, x1: width, y1: height };
  const shares: number[] = [];
  const made = await makeUnit({
    ...{ tracer: by, processor, outputFolder, bandBytes, signal },
    trace: {
      ...{ width, height, seed, frame: 1, rect, sampleStart: 0, sampleCount: samples },
      options: tracedOptions(settings),
    },
    facts: {
      ...{
        settings,
        unit: { frame: 1, tile: 0 },
        build: 'test',
        cameraName: null,
        camera: description.camera,
        time: 0,
      },
      names: cryptomatteNames(description),
    },
    onProgress: (share) => shares.push(share),
  });
  const files = new Map<string, Buffer>();
  for (const name of (await readdir(outputFolder)).sort()) files.set(name, await readFile(join(outputFolder, name)));
  return { samples: made.samples, rays: made.rays, files, shares };
}

/** Of pictures of nothing but noise: five bands. */
const NOISY = { width: 40, height: 160, samples: 16, denoise: false };
const NEVER = new AbortController().signal;
const asked = (output: object, rest: object = {}) =>
  completeSettings({ ...{ width: 70, height: 110, samples: 8, maxDepth: 4, start: 1 }, ...rest, output });

it.each([
  ['noisy, every layer', asked({ layers: ['all'], compression: 'piz' }, { denoise: false })],
  ['with a denoised picture', asked({ layers: ['diffuse_direct'], picture: 'tiff' }, { denoise: true })],
  ['cropped', asked({ compression: 'zips' }, { denoise: false, crop: { x0: 3, y0: 5, x1: 61, y1: 104 } })],
  ['adaptive', asked({ layers: ['sample_count'] }, { samples: 32, adaptive: { threshold: 0.05, minSamples: 8 } })],
  [
    'adaptive, cropped',
    asked({}, { samples: 32, adaptive: { threshold: 0.05, minSamples: 8 }, crop: { x0: 3, y0: 5, x1: 61, y1: 104 } }),
  ],
])('is the same to the byte in bands: %s', async (_, settings) => {
  const { shares: __, ...whole } = await make(settings);
  const { shares, ...banded } = await make(settings, 1);
  expect([...whole.files.keys()]).toContain('frame.0001.exr');
  expect(banded).toEqual(whole);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.at(-1)).toBe(1);
});

/** Noise of a layer's pixel, 0 to 1: of its place alone. */
function noiseAt(layer: LayerName, x: number, y: number, channel: number): number {
  let state = LAYER_NAMES.indexOf(layer) * 0x9e3779b9 + x * 0x85ebca6b + y * 0xc2b2ae35 + channel * 0x27d4eb2f;
  for (let round = 0; round < 3; round++) state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  return ((state ^ (state >>> 16)) >>> 0) / 2 ** 32;
}

/** Traces noise into every layer, with gaps and silhouettes everywhere: what a denoiser does at a band's edge shows in it. */
const noiseTracer: Tracer = {
  ...{ tier: 'cpu', device: 'test', threads: 1, setScene: async () => {}, close: async () => {} },
  trace: async ({ rect, options }) => {
    const of = (layer: LayerName, shaped = (value: number): number => value): Float32Array => {
      const data: number[] = [];
      for (let y = rect.y0; y < rect.y1; y++) {
        for (let x = rect.x0; x < rect.x1; x++) {
          for (let k = 0; k < LAYERS[layer].channels.length; k++) data.push(shaped(noiseAt(layer, x, y, k)));
        }
      }
      return Float32Array.from(data);
    };
    return {
      ...{ rect, samples: 0, rays: 0, beauty: of('beauty', (value) => -Math.log(1 - value)) },
      albedo: of('albedo', (value) => 0.45 + 0.1 * value),
      normal: of('normal', (value) => (value < 0.5 ? 0.56 : 0.578)),
      depth: of('depth', (value) => (value < 0.01 ? Infinity : 5)),
      layers: Object.fromEntries(options.layers.map((layer) => [layer, of(layer)])),
    };
  },
  tracePartial: () => Promise.reject(new Error('not asked for here')),
};

// All of one size, so that the denoiser compiles each of its pipelines once.
const layers = ['specular_direct', 'emission', 'uv'];
const float = { floatLayers: ['beauty', 'specular_direct'], colorSpace: 'acescg' };
it.each([
  ['the picture', asked({ picture: 'tiff' }, { ...NOISY, denoise: true })],
  ['layers', asked({ layers, denoisedLayers: true, ...float }, NOISY)],
  [
    'both by estimated noise, cropped',
    asked(
      { denoisedLayers: true, ...float },
      { ...NOISY, ...{ width: 50, height: 200, samples: 2, denoise: true, crop: { x0: 2, y0: 9, x1: 42, y1: 169 } } },
    ),
  ],
])('has the bits of the whole in denoised bands: %s', async (_, settings) => {
  const whole = await make(settings, undefined, noiseTracer);
  const banded = await make(settings, 1, noiseTracer);
  expect([...banded.files.keys()]).toEqual([...whole.files.keys()]);
  // By name: files that differ take minutes to print.
  expect(
    [...whole.files].filter(([name, file]) => !banded.files.get(name)!.equals(file)).map(([name]) => name),
  ).toEqual([]);
});

it('gives a denoiser all rows around a band that it looks at, and forgets what no later band needs', () => {
  const rect: PixelRect = { x0: 0, x1: 2, y0: 7, y1: 7 + 150 };
  const rows = (y0: number, y1: number): TracedPixels => {
    const of = (channels: number): Float32Array =>
      Float32Array.from({ length: (y1 - y0) * 2 * channels }, (_, i) => y0 + Math.floor(i / (2 * channels)));
    return {
      ...{ rect: { ...rect, y0, y1 }, beauty: of(4), albedo: of(3), normal: of(3), depth: of(1) },
      ...{ layers: { variance: of(1), uv: of(2) }, samples: 0, rays: 0 },
    };
  };
  const window = new RowWindow(rect, GUIDES, 34);
  const seen: unknown[] = [];
  for (const [from, to] of [
    [0, 32],
    [32, 64],
    [64, 96],
    [96, 128],
    [128, 150],
  ] as const) {
    const ready = window.add(rows(7 + from, 7 + to));
    if (!ready) continue;
    const { context } = ready;
    seen.push([ready.rect.y0 - 7, ready.rect.y1 - 7, context.rect.y0 - 7, context.rect.y1 - 7]);
    expect(context).toEqual({ ...rows(context.rect.y0, context.rect.y1), layers: { variance: expect.anything() } });
    expect(context.layers.variance).toEqual(rows(context.rect.y0, context.rect.y1).layers.variance);
  }
  expect(seen).toEqual([
    [0, 32, 0, 66],
    [32, 64, 0, 98],
    [64, 150, 30, 150],
  ]);
});

it('asks the tracer for bands, and leaves nothing behind when one fails or the work is given up', async () => {
  const settings = asked({}, { denoise: false });
  const traced: PixelRect[] = [];
  const failing = (after: number, fail: () => void): Tracer => ({
    ...{ tier: 'cpu', device: 'test', threads: 1, setScene: async () => {}, close: async () => {} },
    trace: (request, ...rest) => {
      traced.push(request.rect);
      if (traced.length > after) fail();
      return tracer.trace(request, ...rest);
    },
    tracePartial: (...request) => tracer.tracePartial(...request),
  });
  const broken = failing(2, () => {
    throw new Error('lost');
  });
  await expect(make(settings, 1, broken)).rejects.toThrow('lost');
  const bands = [0, 32, 64].map((y0) => ({ x0: 0, x1: 70, y0, y1: y0 + 32 }));
  expect(traced).toEqual(bands);
  traced.length = 0;
  const giveUp = new AbortController();
  const aborted = failing(1, () => giveUp.abort());
  await expect(make(settings, 1, aborted, giveUp.signal)).rejects.toMatchObject({ code: 'Cancelled' });
  const folders = (await readdir(folder)).filter((name) => name.startsWith('unit-'));
  const left = await Promise.all(folders.map((name) => readdir(join(folder, name))));
  expect(left.filter((names) => names.some((name) => name.includes('partial')))).toEqual([]);
  expect(left.filter((names) => names.length === 0)).toHaveLength(2);
});

/** Stripes, in memory that threads share. */
function stripes(rect: PixelRect): TracedPixels {
  const [width, height] = [rect.x1 - rect.x0, rect.y1 - rect.y0];
  const of = (channels: number): Float32Array => {
    const data = new Float32Array(new SharedArrayBuffer(width * height * channels * 4));
    const first = rect.y0 * width * channels;
    for (let i = 0; i < data.length; i++) data[i] = ((first + i) % 1021) / 1021;
    return data;
  };
  const basic = { beauty: of(4), albedo: of(3), normal: of(3), depth: of(1) };
  return { rect, ...basic, layers: {}, samples: width * height, rays: width * height };
}

it('writes a quick look while the next band is traced, and gives arrays back only when they are written', async () => {
  // So large that threads compress it: they read the arrays themselves.
  const settings = asked({}, { technique: 'raycast', width: 1920, height: 224, samples: 1, denoise: false });
  const [traced, spent]: [PixelRect[], TracedPixels[]] = [[], []];
  const base = { ...noiseTracer, trace: async ({ rect }: { rect: PixelRect }) => stripes(rect) };
  const pipelined: Tracer = {
    ...base,
    isPipelined: true,
    trace: async ({ rect }) => {
      traced.push(rect);
      return stripes(rect);
    },
    recycle: (pixels) => {
      // The first band was written while the second was there.
      expect(traced.length).toBe(Math.min(spent.length + 2, 4));
      for (const data of [pixels.beauty, pixels.albedo, pixels.normal, pixels.depth]) data.fill(0.5);
      spent.push(pixels);
    },
  };
  const { shares: _, ...whole } = await make(settings, undefined, base);
  const { shares: __, ...banded } = await make(settings, undefined, pipelined);
  expect(traced.map(({ y0, y1 }) => [y0, y1])).toEqual([0, 64, 128, 192].map((y0) => [y0, Math.min(y0 + 64, 224)]));
  expect(spent).toHaveLength(4);
  expect(banded.samples).toBe(whole.samples);
  expect([...whole.files].filter(([name, file]) => !banded.files.get(name)!.equals(file))).toEqual([]);
});

it('leaves nothing behind when a quick look cannot be written while its next band is traced', async () => {
  const settings = asked({}, { technique: 'raycast', width: 1920, height: 128, samples: 1, denoise: false });
  const broken: Tracer = {
    ...noiseTracer,
    isPipelined: true,
    trace: async ({ rect }) => ({ ...stripes(rect), ...(rect.y0 === 0 ? { depth: new Float32Array(3) } : {}) }),
  };
  const before = new Set(await readdir(folder));
  await expect(make(settings, undefined, broken)).rejects.toThrow(RangeError);
  const made = (await readdir(folder)).filter((name) => !before.has(name));
  expect(await Promise.all(made.map((name) => readdir(join(folder, name))))).toEqual([[]]);
});

it('cuts what is too large for one band, and nothing else', () => {
  const rect = { x0: 0, y0: 0, x1: 8192, y1: 4608 };
  const bands = bandsOf(rect, 260);
  expect(bands.length).toBeGreaterThan(10);
  expect(bands.every(({ y0, y1 }, index) => y0 === (bands[index - 1]?.y1 ?? 0) && y1 > y0)).toBe(true);
  expect(bands.at(-1)?.y1).toBe(4608);
  expect(bands.slice(0, -1).every(({ y0, y1 }) => (y1 - y0) % 32 === 0 && (y1 - y0) * 8192 * 260 <= 2 ** 29)).toBe(
    true,
  );
  expect(bandsOf({ ...rect, x1: 1920, y1: 1080 }, 44)).toEqual([{ ...rect, x1: 1920, y1: 1080 }]);
});
