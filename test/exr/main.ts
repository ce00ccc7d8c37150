/**
 * Has other people's software read the OpenEXR files that we write, and compares every pixel with what our own reader sees:
 * `npm run check:exr [-- --out FOLDER]`.
 *
 * OpenImageIO reads all channels of every compression, colour space and sample type, the header, and the Cryptomatte manifest, whose
 * ids must be those in the pixels; needs a Python with `OpenImageIO` and `numpy` (FRAMEWRIGHT_OIIO_PYTHON, default python3).
 * Blender's compositor reads all passes of the same files, and makes the mattes of all names by its Cryptomatte node; needs a Python
 * with `bpy` (FRAMEWRIGHT_BPY_PYTHON, default python3.11). A tool that is missing is named. Exits with 1 when something differs, and
 * with 3 when there was nothing to check with.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LAYER_NAMES } from '../../domain/layers.ts';
import { DEFAULT_RENDER_SETTINGS, EXR_COMPRESSIONS, type RenderSettings } from '../../domain/scene.ts';
import { buildDemoShot } from '../../renderer/demo/demoShot.ts';
import type { RenderedUnit } from '../../renderer/engine.ts';
import { cryptomatteHex } from '../../renderer/image/cryptomatte.ts';
import { decodeExr, type ExrPicture } from '../../renderer/image/exr/read.ts';
import { createPathTracerEngine } from '../../renderer/pathtracer/engine.ts';
import { readCommandLine } from '../bench/commandLine.ts';
import { blenderDifferences, matteNames } from './blender.ts';

const run = promisify(execFile);
const WIDTH = 97;
const HEIGHT = 53;
const MEBIBYTE = 2 ** 20;

/** Standard attributes that OpenImageIO gives a name of its own. */
const THEIR_NAMES: Record<string, string> = { pixelAspectRatio: 'PixelAspectRatio' };

/** What `read.py` found in a file. */
interface Read {
  width: number;
  height: number;
  channels: string[];
  attributes: Record<string, string | number | number[]>;
}

interface Case {
  name: string;
  settings: RenderSettings;
}

/** Every compression with all layers; then all as float, ACEScg, a crop, and the few default layers. */
function cases(): Case[] {
  const { output } = DEFAULT_RENDER_SETTINGS;
  const make = (
    name: string,
    changes: Partial<RenderSettings['output']>,
    rest: Partial<RenderSettings> = {},
  ): Case => ({
    name,
    settings: {
      ...DEFAULT_RENDER_SETTINGS,
      ...{ width: WIDTH, height: HEIGHT, samples: 8, ...rest },
      tier: 'cpu',
      output: { ...output, layers: [...LAYER_NAMES], denoisedLayers: true, ...changes },
    },
  });
  return [
    ...EXR_COMPRESSIONS.map((compression) => make(`all-${compression}`, { compression })),
    ...EXR_COMPRESSIONS.map((compression) =>
      make(`float-${compression}`, { compression, floatLayers: [...LAYER_NAMES] }),
    ),
    make('acescg', { colorSpace: 'acescg' }),
    make('crop', {}, { crop: { x0: 11, y0: 7, x1: 70, y1: 50 } }),
    make('default', { layers: output.layers, denoisedLayers: false }),
  ];
}

async function write(folder: string): Promise<string[]> {
  await buildDemoShot(join(folder, 'demo.glb'));
  const engine = createPathTracerEngine();
  const files: string[] = [];
  try {
    for (const { name, settings } of cases()) {
      const outputFolder = await mkdtemp(join(folder, 'out-'));
      const made: RenderedUnit[] = [];
      const sink = { unit: async (unit: RenderedUnit) => void made.push(unit), progress() {}, log() {} };
      const request = { files: { root: folder, main: 'demo.glb' }, settings, outputFolder, threads: 2 };
      await engine.render({ ...request, units: [{ frame: 3, tile: 0 }] }, sink, new AbortController().signal);
      const path = join(folder, `${name}.exr`);
      await rename(made[0]!.exrPath, path);
      await rm(outputFolder, { recursive: true });
      files.push(path);
    }
  } finally {
    await engine.close();
  }
  return files;
}

const script = (name: string): string =>
  fileURLToPath(new URL(import.meta.url.includes('/dist/') ? `../../../test/exr/${name}` : name, import.meta.url));

/** What is wrong with a file, in words. */
async function differences(path: string): Promise<string[]> {
  const ours = await decodeExr(await readFile(path));
  const theirs = JSON.parse(await readFile(`${path}.json`, 'utf8')) as Read;
  const planes = await readFile(`${path}.f32`);
  const found: string[] = [];
  if (theirs.width !== ours.width || theirs.height !== ours.height) found.push('has another size');
  const names = [...ours.planes.keys()];
  if ([...theirs.channels].sort().join() !== [...names].sort().join())
    found.push(`has channels ${theirs.channels.join()}`);
  const pixels = ours.width * ours.height;
  for (const [index, name] of theirs.channels.entries()) {
    const plane = planes.subarray(index * pixels * 4, (index + 1) * pixels * 4);
    const own = ours.planes.get(name);
    const isEqual = own && Buffer.from(own.buffer, own.byteOffset, own.byteLength).equals(plane);
    if (!isEqual) found.push(`differs in channel ${name}`);
  }
  return [...found, ...headerDifferences(ours, theirs), ...manifestDifferences(ours, theirs)];
}

/** Their header against ours, attribute by attribute; floats as floats are. */
function headerDifferences(ours: ExrPicture, theirs: Read): string[] {
  return Object.entries(ours.attributes).flatMap(([name, value]) => {
    const other = theirs.attributes[THEIR_NAMES[name] ?? name];
    if (other === undefined) return [`lacks attribute ${name}`];
    const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a));
    const [mine, its] = [[value].flat(), [other].flat()] as [(string | number)[], (string | number)[]];
    const isEqual =
      mine.length === its.length &&
      mine.every((one, i) => (typeof one === 'number' ? near(one, Number(its[i])) : one === its[i]));
    return isEqual ? [] : [`reads attribute ${name} as ${JSON.stringify(other)}`];
  });
}

/** Every id in the pixels is in the manifest that they read, under the name whose hash it is. */
function manifestDifferences(ours: ExrPicture, { attributes }: Read): string[] {
  const keys = Object.keys(attributes).filter((name) => /^cryptomatte\/.*\/name$/.test(name));
  return keys.flatMap((key) => {
    const manifest = JSON.parse(String(attributes[key.replace(/name$/, 'manifest')])) as Record<string, string>;
    const wrong = Object.entries(manifest).filter(([name, hex]) => cryptomatteHex(name) !== hex);
    const known = new Set(Object.values(manifest));
    const found = wrong.map(([name]) => `has another id for ${name} in its manifest`);
    const ids = [...ours.planes].filter(
      ([name]) => name.startsWith(String(attributes[key])) && /\d\d\.[RB]$/.test(name),
    );
    let seen = 0;
    for (const [name, plane] of ids) {
      const bits = new Uint32Array(plane.buffer, plane.byteOffset, plane.length);
      for (const id of new Set(bits)) {
        if (id === 0) continue;
        seen++;
        if (!known.has(id.toString(16).padStart(8, '0'))) found.push(`has an id in ${name} that the manifest lacks`);
      }
    }
    return seen > 0 ? found : [...found, `shows no id of ${String(attributes[key])}`];
  });
}

/** Runs a reader with arguments; the version of what it read with, or null when that Python lacks its module. */
async function readWith(python: string, reader: string, module: string, args: string[]): Promise<string | null> {
  try {
    await run(python, ['-c', `import ${module}`]);
  } catch {
    return null;
  }
  const { stdout } = await run(python, [script(reader), ...args], { maxBuffer: 64 * MEBIBYTE });
  return /^version (.*)$/m.exec(stdout)?.[1] ?? '(no version)';
}

/** How many files were looked at, and in how many something was wrong. */
interface Verdicts {
  checked: number;
  failed: number;
}

async function judge(
  tool: string,
  files: string[],
  right: string,
  differencesOf: (path: string) => Promise<string[]>,
): Promise<Verdicts> {
  let failed = 0;
  for (const path of files) {
    const found = await differencesOf(path);
    failed += found.length > 0 ? 1 : 0;
    process.stdout.write(`${tool} ${basename(path)}: ${found.length > 0 ? found.join('; ') : right}\n`);
  }
  return { checked: files.length, failed };
}

async function checkInOpenImageIO(files: string[]): Promise<Verdicts> {
  const python = process.env.FRAMEWRIGHT_OIIO_PYTHON ?? 'python3';
  const version = await readWith(python, 'read.py', 'OpenImageIO', files);
  if (version !== null)
    return judge(`OpenImageIO ${version}`, files, 'every pixel and attribute as we read it', differences);
  process.stderr.write(
    `${python} has no OpenImageIO: pip install OpenImageIO numpy, and name that Python in FRAMEWRIGHT_OIIO_PYTHON\n`,
  );
  return { checked: 0, failed: 0 };
}

/** The file that Blender's compositor writes of one of ours; Blender puts the frame's number in place of the signs. */
const seenInBlender = (path: string, number: string): string => path.replace(/exr$/, `blender.${number}.exr`);

async function checkInBlender(folder: string, files: string[]): Promise<Verdicts> {
  const jobs = [];
  for (const path of files) {
    const picture = await decodeExr(await readFile(path));
    const { width, height } = picture;
    jobs.push({ path, width, height, out: seenInBlender(path, '####'), mattes: matteNames(picture) });
  }
  const list = join(folder, 'blender.json');
  await writeFile(list, JSON.stringify(jobs));
  const python = process.env.FRAMEWRIGHT_BPY_PYTHON ?? 'python3.11';
  const version = await readWith(python, 'open_in_blender.py', 'bpy', [list]);
  if (version === null) {
    process.stderr.write(
      `${python} has no bpy: pip install bpy==4.5.15 for a Python 3.11, and name it in FRAMEWRIGHT_BPY_PYTHON\n`,
    );
    return { checked: 0, failed: 0 };
  }
  return judge(`Blender ${version}`, files, 'every pass as we read it, every matte by its name', async (path) => {
    const seen = await readFile(seenInBlender(path, '0001'));
    return blenderDifferences(await decodeExr(await readFile(path)), await decodeExr(seen));
  });
}

const USAGE = 'npm run check:exr [-- --out FOLDER]\n\n--out keeps the files.';
const out = readCommandLine(USAGE, { out: { type: 'string' } }, (values) => values.out);
const folder = out ?? (await mkdtemp(join(tmpdir(), 'framewright-exr-')));
await mkdir(folder, { recursive: true });
try {
  const files = await write(folder);
  const verdicts = [await checkInOpenImageIO(files), await checkInBlender(folder, files)];
  const sum = (of: keyof Verdicts): number => verdicts.reduce((total, one) => total + one[of], 0);
  process.exitCode = sum('failed') > 0 ? 1 : sum('checked') === 0 ? 3 : 0;
} finally {
  if (!out) await rm(folder, { recursive: true, force: true });
}
