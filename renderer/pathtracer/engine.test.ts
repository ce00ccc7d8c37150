import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../domain/scene.ts';
import type { RenderedUnit, RenderSink, RenderUnit, SceneFiles } from '../engine.ts';
import { inspectExr } from '../image/exr/inspect.ts';
import { decodeExr } from '../image/exr/read.ts';
import { createPathTracerEngine } from './engine.ts';
import { frameChannels } from './frameLayers.ts';
import { projectWith, toGlb, triangleScene } from './gltf/tinyScenes.ts';

const THREADS = 2;
const FRAME_CHANNELS = frameChannels(DEFAULT_RENDER_SETTINGS.output).map(({ name }) => name);
const engine = createPathTracerEngine();
afterAll(() => engine.close());

const SHARED_SCENES = path.resolve('../shared/scenes');
const sharedScene = (main: string): SceneFiles => ({ root: SHARED_SCENES, main });

const tiny = (changes: Partial<RenderSettings> = {}): RenderSettings => ({
  ...DEFAULT_RENDER_SETTINGS,
  width: 48,
  height: 32,
  samples: 4,
  maxDepth: 4,
  ...changes,
});

interface Rendering {
  units: RenderedUnit[];
  logs: string[];
  folder: string;
}

async function render(
  files: SceneFiles,
  settings: RenderSettings,
  units: RenderUnit[],
  signal = new AbortController().signal,
  onUnit: (done: number) => void = () => undefined,
): Promise<Rendering> {
  const folder = await mkdtemp(path.join(tmpdir(), 'framewright-render-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const rendering: Rendering = { units: [], logs: [], folder };
  const sink: RenderSink = {
    async unit(rendered) {
      rendering.units.push(rendered);
      onUnit(rendering.units.length);
    },
    progress: ({ fraction }) => expect(fraction).toBeLessThanOrEqual(1),
    log: (line) => rendering.logs.push(line),
  };
  await engine.render({ files, settings, units, outputFolder: folder, threads: THREADS }, sink, signal);
  return rendering;
}

const triangle = async (): Promise<SceneFiles> => ({
  root: await projectWith({ 'a.glb': toGlb(triangleScene()) }),
  main: 'a.glb',
});

describe('rendering', () => {
  it('delivers a layered EXR and a preview for each unit, in order', async () => {
    const { units, folder } = await render(await triangle(), tiny(), [
      { frame: 3, tile: 0 },
      { frame: 12, tile: 0 },
    ]);
    expect(units.map(({ unit }) => unit.frame)).toEqual([3, 12]);
    expect((await readdir(folder)).sort()).toEqual([
      'frame.0003.exr',
      'frame.0003.png',
      'frame.0012.exr',
      'frame.0012.png',
    ]);
    const first = units[0]!;
    expect(first).toMatchObject({ width: 48, height: 32, channels: FRAME_CHANNELS, samples: 48 * 32 * 4 });
    const inspection = await inspectExr(first.exrPath);
    expect(inspection).toMatchObject({
      width: 48,
      height: 32,
      channels: FRAME_CHANNELS,
      compression: 'zip',
      hasNaN: false,
      allBlack: false,
    });
    expect(inspection.attributes).toMatchObject({
      'framewright:frame': 3,
      'framewright:samples': 4,
      'framewright:seed': 1,
      'framewright:build': engine.build,
      cameraName: 'default',
      framesPerSecond: 24,
    });
    // The triangle is clay and faces us; around it there is no depth.
    const { planes } = decodeExr(await readFile(first.exrPath));
    const largest = (name: string): number => Math.max(...planes.get(name)!);
    expect(largest('albedo.R')).toBeCloseTo(0.8, 2);
    expect(largest('normal.Z')).toBeCloseTo(1, 2);
    expect(largest('depth.Z')).toBeCloseTo(1e10, -4);
    expect(await sharp(first.previewPath).metadata()).toMatchObject({ format: 'png', width: 48, height: 32 });
  });

  it('gives the same bits again, and in tiles', async () => {
    const files = await triangle();
    const settings = tiny({ denoise: false });
    const whole = await render(files, settings, [{ frame: 1, tile: 0 }]);
    const again = await render(files, settings, [{ frame: 1, tile: 0 }]);
    expect(await readFile(again.units[0]!.exrPath)).toEqual(await readFile(whole.units[0]!.exrPath));
    const rect = { x0: 10, y0: 7, x1: 31, y1: 29 };
    const tile = await render(files, settings, [{ frame: 1, tile: 2, rect }]);
    const [full, part] = await Promise.all(
      [whole, tile].map(async ({ units }) => decodeExr(await readFile(units[0]!.exrPath))),
    );
    expect(part!.dataWindow).toEqual({ xMin: 10, yMin: 7, xMax: 30, yMax: 28 });
    expect(part!.displayWindow).toEqual({ xMin: 0, yMin: 0, xMax: 47, yMax: 31 });
    for (const [name, plane] of part!.planes) {
      const fullPlane = full!.planes.get(name)!;
      for (let y = 0; y < part!.height; y++) {
        for (let x = 0; x < part!.width; x++) {
          expect(plane[y * part!.width + x]).toBe(fullPlane[(y + 7) * 48 + x + 10]);
        }
      }
    }
    expect(path.basename(tile.units[0]!.exrPath)).toBe('frame.0001.tile02.exr');
  });

  it('makes another picture of another seed or frame', async () => {
    const files = await triangle();
    const { units } = await render(files, tiny(), [
      { frame: 1, tile: 0 },
      { frame: 2, tile: 0 },
    ]);
    const other = await render(files, tiny({ seed: 2 }), [{ frame: 1, tile: 0 }]);
    const pictures = await Promise.all(
      [...units, ...other.units].map(async ({ exrPath }) =>
        decodeExr(await readFile(exrPath))
          .planes.get('R')!
          .join(),
      ),
    );
    expect(new Set(pictures).size).toBe(3);
  });

  it('stops when it is cancelled, and goes on with the next request', async () => {
    const abort = new AbortController();
    const units = Array.from({ length: 50 }, (_, i) => ({ frame: i + 1, tile: 0 }));
    let delivered = 0;
    const cancelled = render(await triangle(), tiny(), units, abort.signal, (done) => {
      delivered = done;
      if (done === 2) abort.abort();
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'Cancelled' });
    expect(delivered).toBe(2);
    expect((await render(await triangle(), tiny(), [{ frame: 1, tile: 0 }])).units).toHaveLength(1);
  });

  it('stops in the middle of a frame', async () => {
    const abort = new AbortController();
    const long = render(await triangle(), tiny({ samples: 60_000 }), [{ frame: 1, tile: 0 }], abort.signal);
    setTimeout(() => abort.abort(), 150);
    await expect(long).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('refuses an unknown camera and a tile outside the picture before it traces', async () => {
    await expect(render(await triangle(), tiny({ camera: 'hero' }), [{ frame: 1, tile: 0 }])).rejects.toMatchObject({
      code: 'CameraUnknown',
    });
    const outside = { frame: 1, tile: 0, rect: { x0: 0, y0: 0, x1: 49, y1: 32 } };
    await expect(render(await triangle(), tiny(), [outside])).rejects.toMatchObject({ code: 'SettingInvalid' });
  });
});

describe('measuring', () => {
  it('finds a score, and estimates that grow with the work', async () => {
    const probe = await engine.probe(THREADS);
    expect(probe).toMatchObject({ engine: 'pathtracer', tier: 'cpu', threads: THREADS, build: engine.build });
    expect(probe.score).toBeGreaterThan(0);
    expect(probe.memoryBytes).toBeGreaterThan(2 ** 28);
    const files = await triangle();
    const small = await engine.estimate(files, tiny({ width: 320, height: 180, samples: 16 }), [1, 2, 3], THREADS);
    const large = await engine.estimate(files, tiny({ width: 1920, height: 1080, samples: 256 }), [1, 2, 3], THREADS);
    expect(small.referenceScore).toBe(probe.score);
    expect(small.tracedShare).toBeLessThan(0.05);
    // 576 times the samples; the machine may be busy, so only the order of magnitude counts.
    expect(large.secondsPerFrame).toBeGreaterThan(small.secondsPerFrame * 10);
  });

  it('knows what adaptive sampling saves, what a crop leaves out, and what the frames are that it looked at', async () => {
    const files = await triangle();
    const settings = tiny({ width: 320, height: 180, samples: 512, denoise: false });
    const frames = Array.from({ length: 30 }, (_, i) => i + 1);
    const all = await engine.estimate(files, settings, frames, THREADS);
    expect(all.frames.map(({ frame }) => frame)).toEqual([1, 8, 16, 23, 30]);
    // No noise is as large as this, so 4 of 512 samples are taken.
    const adaptive = { ...settings, adaptive: { threshold: 100, minSamples: 4 } };
    const few = await engine.estimate(files, adaptive, [1], THREADS);
    expect(few.secondsPerFrame).toBeLessThan(all.secondsPerFrame / 3);
    const crop = { x0: 0, y0: 0, x1: 40, y1: 20 };
    const part = await engine.estimate(files, { ...settings, crop }, [1], THREADS);
    expect(part.secondsPerFrame).toBeLessThan(all.secondsPerFrame / 3);
  });

  it('ends soon after an abort, also when it did not begin yet', async () => {
    const files = await triangle();
    const settings = tiny({ width: 4096, height: 4096, samples: 4096 });
    const abort = new AbortController();
    const running = engine.estimate(files, settings, [1, 2, 3, 4, 5], THREADS, abort.signal);
    const waiting = engine.estimate(files, settings, [1], THREADS, abort.signal);
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: 'Cancelled' });
    await expect(waiting).rejects.toMatchObject({ code: 'Cancelled' });
    const begun = new AbortController();
    const traced = engine.estimate(files, settings, [1, 2, 3, 4, 5], THREADS, begun.signal);
    setTimeout(() => begun.abort(), 100);
    await expect(traced).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('asks for a camera that exists', async () => {
    const asked = engine.estimate(await triangle(), tiny({ camera: 'hero' }), [1], THREADS);
    await expect(asked).rejects.toMatchObject({ code: 'CameraUnknown' });
  });
});

describe.skipIf(!existsSync(SHARED_SCENES))('files from elsewhere', () => {
  it('damaged-helmet.glb, without camera and light, gets both', async () => {
    const inspection = await engine.inspect(sharedScene('damaged-helmet.glb'));
    expect(inspection).toMatchObject({ triangles: 15_452, cameras: [], durationSeconds: 0, hasEnvironment: false });
    expect(inspection.warnings.map((warning) => warning.code).sort()).toEqual(['NoCamera', 'NoLight']);
    expect(inspection.files).toEqual([{ path: 'damaged-helmet.glb', sizeBytes: 3_773_916 }]);
    const { units } = await render(sharedScene('damaged-helmet.glb'), tiny(), [{ frame: 1, tile: 0 }]);
    const exr = await inspectExr(units[0]!.exrPath);
    expect(exr).toMatchObject({ hasNaN: false, hasInfinity: false, allBlack: false });
    // The helmet fills a good part of the picture.
    const normal = decodeExr(await readFile(units[0]!.exrPath)).planes.get('depth.Z')!;
    const covered = normal.filter((z) => z < 1e9).length / normal.length;
    expect(covered).toBeGreaterThan(0.25);
    expect(covered).toBeLessThan(0.9);
  });

  it('robot-walk.glb, skinned and with a moving camera, walks', async () => {
    const inspection = await engine.inspect(sharedScene('robot-walk.glb'));
    expect(inspection).toMatchObject({ triangles: 3_240, skins: 1, durationSeconds: 2 });
    expect(inspection.cameras).toEqual([expect.objectContaining({ name: 'shot_cam', animated: true })]);
    const { units } = await render(sharedScene('robot-walk.glb'), tiny(), [
      { frame: 1, tile: 0 },
      { frame: 24, tile: 0 },
      { frame: 99, tile: 0 },
      { frame: 49, tile: 0 },
    ]);
    const depth = await Promise.all(
      units.map(async ({ exrPath }) => decodeExr(await readFile(exrPath)).planes.get('depth.Z')!),
    );
    const difference = (a: Float32Array, b: Float32Array): number =>
      a.filter((z, i) => Math.abs(z - b[i]!) > 0.2 * Math.min(z, b[i]!)).length;
    expect(difference(depth[0]!, depth[1]!)).toBeGreaterThan(50);
    // Past the last key the pose is held; only the noise of edges differs.
    expect(difference(depth[2]!, depth[3]!)).toBeLessThan(difference(depth[0]!, depth[1]!) / 4);
  });
});

it('waits for the files of each frame of a sequence, and needs no others', async () => {
  const root = await projectWith({});
  const folder = await mkdtemp(path.join(tmpdir(), 'framewright-render-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const order: string[] = [];
  const request = {
    files: { root, main: 'shot.0001.glb', sequence: { pattern: 'shot.####.glb', frames: '1-9' } },
    settings: tiny({ samples: 1 }),
    units: [4, 5].map((frame) => ({ frame, tile: 0 })),
    outputFolder: folder,
    threads: THREADS,
    async ready(frame: number) {
      order.push(`files of ${frame}`);
      await writeFile(path.join(root, `shot.000${frame}.glb`), toGlb(triangleScene()));
    },
  };
  const sink: RenderSink = {
    unit: async ({ unit }) => void order.push(`frame ${unit.frame}`),
    progress: () => undefined,
    log: () => undefined,
  };
  await engine.render(request, sink, new AbortController().signal);
  expect([...new Set(order)]).toEqual(['files of 4', 'frame 4', 'files of 5', 'frame 5']);
});
