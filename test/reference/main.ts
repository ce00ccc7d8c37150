/**
 * Compares our path tracer with Mitsuba 3, in the mean and by FLIP: `npm run check:reference [-- --help]`.
 *
 * Needs a Python with `mitsuba` and `numpy` (FRAMEWRIGHT_MITSUBA_PYTHON, default python3) and an LLVM of version 16 or later for
 * Mitsuba (DRJIT_LIBLLVM_PATH). Exits with 1 when a scene differs by more than its bound.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { DEFAULT_RENDER_SETTINGS } from '../../domain/scene.ts';
import { comparePictures } from '../../renderer/image/compare.ts';
import type { SceneDescription } from '../../renderer/pathtracer/scene/description.ts';
import { type Tracer, traceOptionsOf } from '../../renderer/pathtracer/tracer.ts';
import { createCpuTracer } from '../../renderer/pathtracer/wasm/tracer.ts';
import { pictureSize, readCommandLine, someOf, wholeNumber } from '../bench/commandLine.ts';
import { exportScene } from './exportScene.ts';
import { REFERENCE_SCENES } from './scenes.ts';
import { compareMeans } from './statistics.ts';

const SCENES = REFERENCE_SCENES.map(({ name }) => name);
const USAGE = `npm run check:reference [-- --only SCENE,SCENE] [--spp 1024] [--size 192x108] [--threads 2] [--out FOLDER] [--json FILE]

Scenes: ${SCENES.join(', ')}. --out takes both pictures and their difference.`;

/** Largest deviation of a display mean that noise and the conventions in docs/renderer.md explain. */
const DISPLAY_BOUND = 0.01;

interface Picture {
  width: number;
  height: number;
  spp: number;
  depth: number;
}

async function renderOurs(tracer: Tracer, scene: SceneDescription, picture: Picture): Promise<Float32Array> {
  const { width, height, spp, depth } = picture;
  await tracer.setScene(scene);
  const { beauty } = await tracer.trace({
    ...{ width, height, seed: 1, frame: 1, sampleStart: 0, sampleCount: spp },
    rect: { x0: 0, y0: 0, x1: width, y1: height },
    options: traceOptionsOf({
      ...DEFAULT_RENDER_SETTINGS,
      maxDepth: depth,
      energyCompensation: false,
      filter: { kind: 'box', radius: 0.5 },
    }),
  });
  const rgb = new Float32Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) rgb.set(beauty.subarray(pixel * 4, pixel * 4 + 3), pixel * 3);
  return rgb;
}

/** Mitsuba's picture, or the reason why it cannot make one. */
async function renderTheirs(folder: string, { spp, depth }: Picture): Promise<Float32Array | string> {
  const script = fileURLToPath(
    new URL(
      import.meta.url.includes('/dist/') ? '../../../test/reference/mitsuba/render.py' : 'mitsuba/render.py',
      import.meta.url,
    ),
  );
  const out = join(folder, 'theirs.f32');
  const python = process.env.FRAMEWRIGHT_MITSUBA_PYTHON ?? 'python3';
  try {
    await promisify(execFile)(python, [script, folder, out, '--spp', `${spp}`, '--depth', `${depth}`]);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return (stderr?.trim().split('\n').at(-1) ?? message).slice(0, 300);
  }
  const bytes = await readFile(out);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).slice();
}

/** Ours, theirs and sixteen times their difference side by side. */
async function sideBySide(ours: Float32Array, theirs: Float32Array, { width, height }: Picture, path: string) {
  const screen = (value: number): number => 255 * (Math.max(0, value) / (1 + Math.max(0, value))) ** (1 / 2.2);
  const pixels = Buffer.alloc(width * 3 * height * 3);
  for (let i = 0; i < ours.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const at = (column: number): number => (y * width * 3 + column * width + x) * 3 + (i % 3);
    pixels[at(0)] = screen(ours[i]!);
    pixels[at(1)] = screen(theirs[i]!);
    const difference = ours[i]! / (1 + ours[i]!) - theirs[i]! / (1 + theirs[i]!);
    pixels[at(2)] = Math.min(255, Math.max(0, 128 + 16 * 128 * difference));
  }
  await sharp(pixels, { raw: { width: width * 3, height, channels: 3 } })
    .png()
    .toFile(path);
}

async function main(): Promise<number> {
  const { values, width, height, spp, wanted, threads } = readCommandLine(
    USAGE,
    {
      only: { type: 'string', default: SCENES.join(',') },
      spp: { type: 'string', default: '1024' },
      size: { type: 'string', default: '192x108' },
      out: { type: 'string' },
      json: { type: 'string' },
      threads: { type: 'string', default: '2' },
    },
    (values) => ({
      values,
      ...pictureSize('size', values.size),
      spp: wholeNumber('spp', values.spp, 1),
      wanted: someOf('only', values.only, SCENES),
      threads: wholeNumber('threads', values.threads, 1),
    }),
  );
  const tracer = await createCpuTracer({ threads });
  const results: Record<string, unknown>[] = [];
  let differs = false;
  try {
    for (const { name, depth, build } of REFERENCE_SCENES) {
      if (!wanted.includes(name)) continue;
      const folder = await mkdtemp(join(tmpdir(), 'framewright-reference-'));
      try {
        const picture = { width, height, spp, depth };
        const scene = await build(folder, width / height);
        if (!scene) {
          results.push({ scene: name, skipped: 'its file is not there' });
          continue;
        }
        await exportScene(scene, folder, picture);
        const theirs = await renderTheirs(folder, picture);
        if (typeof theirs === 'string') {
          results.push({ scene: name, skipped: theirs });
          continue;
        }
        const ours = await renderOurs(tracer, scene, picture);
        const means = compareMeans(ours, theirs, width, height);
        const worst = Math.max(...means.displayRatio.map((ratio) => Math.abs(ratio - 1)));
        differs ||= worst > DISPLAY_BOUND;
        const { flip } = comparePictures(ours, theirs, { width, height, stride: 3 }, 0);
        results.push({ scene: name, ...means, flip, within: worst <= DISPLAY_BOUND });
        if (values.out) {
          await mkdir(values.out, { recursive: true });
          await sideBySide(ours, theirs, picture, join(values.out, `${name}.png`));
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  } finally {
    await tracer.close();
  }
  for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
  if (values.json) await writeFile(values.json, `${JSON.stringify({ ...values, results }, null, 2)}\n`);
  return differs ? 1 : 0;
}

process.exitCode = await main();
