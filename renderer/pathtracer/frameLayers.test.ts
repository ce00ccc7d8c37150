/** Every layer and setting of the output, from the scene through the engine into the file and back. */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAYER_NAMES, LAYERS, type LayerName } from '../../domain/layers.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import type { RenderedUnit } from '../engine.ts';
import { cryptomatteBits, cryptomatteHex } from '../image/cryptomatte.ts';
import { decodeExr, type ExrPicture } from '../image/exr/read.ts';
import { createPathTracerEngine } from './engine.ts';
import { toGlb, triangleScene } from './gltf/tinyScenes.ts';

const THREADS = 2;
const SAMPLES = 4;
const LIGHT = LAYER_NAMES.filter((name) => LAYERS[name].isLight);
const DENOISED: LayerName[] = ['beauty', ...LIGHT];
const engine = createPathTracerEngine();
let root: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'framewright-layers-'));
});
afterAll(async () => {
  await engine.close();
  await rm(root, { recursive: true, force: true });
});

/** A clay plate and, before a part of it, one that glows; the default view and light. */
async function twoPlates(): Promise<void> {
  const { json, binary } = triangleScene();
  json.nodes.push({ name: 'lamp', mesh: 1, translation: [0.2, 0.1, 0.1], scale: [0.3, 0.3, 0.3] });
  json.scenes[0].nodes.push(1);
  json.meshes.push({ primitives: [{ ...json.meshes[0].primitives[0], material: 1 }] });
  json.materials.push({ name: 'glow', emissiveFactor: [1, 0.5, 0.25], pbrMetallicRoughness: { metallicFactor: 0 } });
  await writeFile(path.join(root, 'plates.glb'), toGlb({ json, binary }));
}

async function renderOne(settings: RenderSettings): Promise<RenderedUnit> {
  const outputFolder = await mkdtemp(path.join(root, 'out-'));
  const rendered: RenderedUnit[] = [];
  const sink = { unit: async (unit: RenderedUnit) => void rendered.push(unit), progress() {}, log() {} };
  const files = { root, main: 'plates.glb' };
  const request = { files, settings, units: [{ frame: 1, tile: 0 }], outputFolder, threads: THREADS };
  await engine.render(request, sink, new AbortController().signal);
  return rendered[0]!;
}

const asked = (output: object, rest: object = {}): RenderSettings =>
  completeSettings({ ...{ width: 40, height: 48, samples: SAMPLES, maxDepth: 4, start: 1 }, ...rest, output });

describe('all layers, floats, denoised copies, ACEScg, PIZ and a crop', () => {
  const crop = { x0: 3, y0: 5, x1: 38, y1: 46 };
  let unit: RenderedUnit;
  let picture: ExrPicture;
  const plane = (name: string): Float32Array => picture.planes.get(name)!;

  beforeAll(async () => {
    await twoPlates();
    const output = {
      layers: ['all'],
      floatLayers: ['beauty', 'albedo'],
      denoisedLayers: true,
      picture: 'tiff' as const,
    };
    unit = await renderOne(asked({ ...output, compression: 'piz', colorSpace: 'acescg' }, { crop }));
    picture = decodeExr(await readFile(unit.exrPath));
    // Compiling the tracer and the denoiser takes seconds, more on a busy machine.
  }, 240_000);

  it('name their channels and have the types asked for', () => {
    expect(picture.compression).toBe('piz');
    expect(picture.channels.map(({ name }) => name)).toEqual(unit.channels);
    const types = Object.fromEntries(picture.channels.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      ...{ R: 'float', A: 'float', 'albedo.G': 'float', 'normal.Z': 'half', 'diffuse_direct.R': 'half' },
      ...{ 'depth.Z': 'float', 'position.X': 'float', 'motion.Y': 'float', 'uv.U': 'float', 'sample_count.N': 'float' },
      ...{ 'variance.Y': 'float', 'CryptoObject00.R': 'float', 'CryptoMaterial02.A': 'float' },
      ...{ 'beauty_denoised.R': 'float', 'emission_denoised.B': 'half' },
    });
    const pictures = LAYER_NAMES.reduce((sum, name) => sum + LAYERS[name].channels.length, 0);
    expect(picture.channels).toHaveLength(
      pictures + DENOISED.reduce((sum, name) => sum + LAYERS[name].channels.length, 0),
    );
  });

  it('lie where the crop says', () => {
    expect(picture.dataWindow).toEqual({ xMin: 3, yMin: 5, xMax: 37, yMax: 45 });
    expect(picture.displayWindow).toEqual({ xMin: 0, yMin: 0, xMax: 39, yMax: 47 });
    expect(unit).toMatchObject({ width: 35, height: 41 });
  });

  it.each(['R', 'G', 'B'])('light layers add up to the beauty in %s', (channel) => {
    const beauty = plane(channel);
    const parts = LIGHT.map((layer) => plane(`${layer}.${channel}`));
    expect(Math.max(...beauty)).toBeGreaterThan(0.1);
    beauty.forEach((value, i) => {
      const sum = parts.reduce((total, part) => total + part[i]!, 0);
      // Half floats round by 2^-11 of their value, or half a quantum of 2^-24; ACEScg makes no negative light of ours.
      const magnitude = parts.reduce((total, part) => total + Math.abs(part[i]!), 0);
      expect(Math.abs(sum - value)).toBeLessThanOrEqual(magnitude * 2 ** -10 + LIGHT.length * 2 ** -24 + 1e-6);
    });
  });

  it('name objects and materials with coverage that sums to the alpha', () => {
    for (const [type, names] of [
      ['CryptoObject', ['plate', 'lamp']],
      ['CryptoMaterial', ['clay', 'glow']],
    ] as const) {
      const ids = new Set(names.map(cryptomatteBits));
      const seen = new Set<number>();
      const bits = (name: string): Uint32Array => new Uint32Array(plane(name).slice().buffer);
      const ranks = ['00', '01', '02'].flatMap((layer) => [
        { id: bits(`${type}${layer}.R`), coverage: plane(`${type}${layer}.G`) },
        { id: bits(`${type}${layer}.B`), coverage: plane(`${type}${layer}.A`) },
      ]);
      for (let i = 0; i < plane('A').length; i++) {
        let sum = 0;
        for (const { id, coverage } of ranks) {
          sum += coverage[i]!;
          if (coverage[i]! > 0) seen.add(id[i]!);
          else if (id[i] !== 0) throw new Error(`pixel ${i} has a name that covers nothing`);
        }
        expect(sum).toBeLessThanOrEqual(1 + 1e-6);
        // Where every sample hit something every sample has a name.
        if (plane('A')[i] === 1) expect(sum).toBeCloseTo(1, 6);
        if (sum === 0) expect(plane('depth.Z')[i]).toBeCloseTo(1e10, -4);
      }
      expect(seen).toEqual(ids);
      const key = `cryptomatte/${cryptomatteHex(type).slice(0, 7)}`;
      expect(picture.attributes[`${key}/name`]).toBe(type);
      // The manifest also has names that no pixel shows, such as that of glTF's default material.
      expect(JSON.parse(String(picture.attributes[`${key}/manifest`]))).toMatchObject(
        Object.fromEntries(names.map((name) => [name, cryptomatteHex(name)])),
      );
    }
  });

  it('say what was measured, and where', () => {
    expect(new Set(plane('sample_count.N'))).toEqual(new Set([SAMPLES]));
    expect(plane('variance.Y').every((value) => value >= 0)).toBe(true);
    expect(Math.max(...plane('variance.Y'))).toBeGreaterThan(0);
    // Nothing moves, and both plates are parallel to z = 0.
    expect(plane('motion.X').every((value) => Math.abs(value) < 1e-3)).toBe(true);
    plane('depth.Z').forEach((depth, i) => {
      if (depth > 1e9) return;
      const z = plane('position.Z')[i]!;
      expect(Math.min(Math.abs(z), Math.abs(z - 0.1))).toBeLessThan(1e-5);
      expect(plane('uv.U')[i]).toBeGreaterThanOrEqual(-1e-5);
      expect(plane('uv.U')[i]).toBeLessThanOrEqual(1 + 1e-5);
    });
  });

  it('place the camera by the header: positions project to their pixels', () => {
    const matrix = picture.attributes.worldToNDC as number[];
    let checked = 0;
    plane('depth.Z').forEach((depth, i) => {
      if (depth > 1e9) return;
      const world = ['X', 'Y', 'Z'].map((axis) => plane(`position.${axis}`)[i]!).concat(1);
      const [x, y, , w] = [0, 1, 2, 3].map((row) => world.reduce((sum, v, k) => sum + v * matrix[k * 4 + row]!, 0));
      const px = (x! / w! / 2 + 0.5) * 40 - 3;
      const py = (0.5 - y! / w! / 2) * 48 - 5;
      // A sample lies within the filter's radius, one pixel, of the pixel's centre.
      expect(Math.abs(px - ((i % 35) + 0.5))).toBeLessThan(1.01);
      expect(Math.abs(py - (Math.floor(i / 35) + 0.5))).toBeLessThan(1.01);
      checked++;
    });
    expect(checked).toBeGreaterThan(100);
  });

  it('come with a PNG for the farm and the picture asked for', async () => {
    expect(await sharp(unit.previewPath).metadata()).toMatchObject({ format: 'png', width: 35, height: 41 });
    expect(await sharp(unit.picturePath!).metadata()).toMatchObject({ format: 'tiff', depth: 'ushort', width: 35 });
  });
});

it.each(['webp', 'jpeg'] as const)('writes %s beside the PNG', async (format) => {
  await twoPlates();
  const unit = await renderOne(asked({ picture: format, layers: [] }, { samples: 1 }));
  expect(path.extname(unit.picturePath!)).toBe(format === 'jpeg' ? '.jpg' : '.webp');
  expect((await sharp(unit.picturePath!).metadata()).format).toBe(format);
  expect((await sharp(unit.previewPath).metadata()).format).toBe('png');
});

it('writes no second picture when PNG is asked for', async () => {
  await twoPlates();
  const unit = await renderOne(asked({ layers: [] }, { samples: 1 }));
  expect(unit.picturePath).toBeNull();
  await access(unit.previewPath);
});
