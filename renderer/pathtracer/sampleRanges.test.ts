import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LAYER_NAMES } from '../../domain/layers.ts';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../domain/scene.ts';
import type { RenderedUnit, RenderUnit, SceneFiles } from '../engine.ts';
import { ImageProcessor } from '../image/imageProcessor.ts';
import { createPathTracerEngine } from './engine.ts';
import { toGlb, triangleScene } from './gltf/tinyScenes.ts';
import { mergeParts } from './sampleRanges.ts';

const engine = createPathTracerEngine();
const processor = new ImageProcessor();
let folder: string;
let files: SceneFiles;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-ranges-'));
  files = { root: path.join(folder, 'scene'), main: 'a.glb' };
  await mkdir(files.root);
  await writeFile(path.join(files.root, 'a.glb'), toGlb(triangleScene()));
});
afterAll(async () => {
  await engine.close();
  await processor.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every layer there is, with an open shutter; the picture denoised. */
const SETTINGS: RenderSettings = {
  ...DEFAULT_RENDER_SETTINGS,
  ...{ width: 40, height: 24, samples: 16, maxDepth: 4, shutter: 0.5, tier: 'cpu' },
  output: { ...DEFAULT_RENDER_SETTINGS.output, layers: [...LAYER_NAMES] },
};

const newFolder = (): Promise<string> => mkdtemp(path.join(folder, `${count++}-`));

async function render(units: RenderUnit[], settings = SETTINGS, threads = 2): Promise<RenderedUnit[]> {
  const rendered: RenderedUnit[] = [];
  const sink = {
    unit: async (unit: RenderedUnit) => void rendered.push(unit),
    progress: () => undefined,
    log: () => undefined,
  };
  const request = { files, settings, units, outputFolder: await newFolder(), threads };
  await engine.render(request, sink, new AbortController().signal);
  return rendered;
}

const range = (start: number, end: number, unit: Partial<RenderUnit> = {}): RenderUnit => ({
  ...{ frame: 3, tile: 0, samples: { start, count: end - start } },
  ...unit,
});

const pathsOf = (units: RenderedUnit[]): string[] => units.map(({ exrPath }) => exrPath);

describe('sample ranges', () => {
  it('merge into the very bytes of an undivided render, whatever their order, sizes and threads', async () => {
    const [whole] = await render([{ frame: 3, tile: 0 }]);
    const parts = [...(await render([range(0, 1), range(1, 9)])), ...(await render([range(9, 16)], SETTINGS, 1))];
    expect(pathsOf(parts).map((file) => path.basename(file))).toEqual([
      'frame.0003.samples00000-00000.exr',
      'frame.0003.samples00001-00008.exr',
      'frame.0003.samples00009-00015.exr',
    ]);
    expect(parts.map(({ samples }) => samples)).toEqual([960, 8 * 960, 7 * 960]);
    const merged = await mergeParts(pathsOf(parts).reverse(), await newFolder(), processor);
    expect(merged).toMatchObject({ frame: 3, tile: 0, samples: 16 * 960, rays: whole!.rays });
    expect(await readFile(merged.exrPath)).toEqual(await readFile(whole!.exrPath));
    expect(await readFile(merged.previewPath)).toEqual(await readFile(whole!.previewPath));
  });

  it('of a tile merge into the tile', async () => {
    const rect = { x0: 5, y0: 3, x1: 21, y1: 20 };
    const [whole] = await render([{ frame: 3, tile: 2, rect }]);
    const parts = await render([range(0, 7, { tile: 2, rect }), range(7, 16, { tile: 2, rect })]);
    const merged = await mergeParts(pathsOf(parts), await newFolder(), processor);
    expect(path.basename(merged.exrPath)).toBe('frame.0003.tile02.exr');
    expect(await readFile(merged.exrPath)).toEqual(await readFile(whole!.exrPath));
  });

  it('are refused with adaptive sampling, with a quick technique and outside the samples, before anything is traced', async () => {
    const adaptive = { ...SETTINGS, adaptive: { threshold: 0.1, minSamples: 4 } };
    await expect(render([range(0, 4)], adaptive)).rejects.toThrow(/adaptive sampling nobody knows/);
    const quick = { ...DEFAULT_RENDER_SETTINGS, technique: 'raycast' as const };
    await expect(render([range(0, 1)], quick)).rejects.toThrow(/raycast has one sample/);
    for (const [start, end] of [
      [-1, 4],
      [0, 17],
      [4, 4],
      [0.5, 2.5],
    ] as const) {
      await expect(render([range(start, end)])).rejects.toMatchObject({ code: 'SettingInvalid' });
    }
  });

  it('are not merged when samples are missing or there twice, or when they are of different frames', async () => {
    const settings = { ...DEFAULT_RENDER_SETTINGS, width: 16, height: 8, samples: 16, denoise: false };
    const [a, b, c, overlap] = pathsOf(await render([range(0, 4), range(4, 8), range(10, 16), range(3, 5)], settings));
    const [otherFrame] = pathsOf(await render([range(8, 16, { frame: 4 })], settings));
    const [otherSeed] = pathsOf(await render([range(8, 16)], { ...settings, seed: 7 }));
    const [finished] = pathsOf(await render([{ frame: 3, tile: 0 }], settings));
    const merging = async (...parts: string[]): Promise<unknown> => mergeParts(parts, await newFolder(), processor);
    await expect(merging(a!, b!, c!)).rejects.toThrow('Frame 3 has 16 samples; 8-9 are in none of the files.');
    await expect(merging(b!)).rejects.toThrow('Frame 3 has 16 samples; 0-3, 8-15 are in none of the files.');
    await expect(merging(a!, b!, overlap!)).rejects.toThrow(/samples in common/);
    await expect(merging(a!, otherFrame!)).rejects.toThrow(/it is of frame 4, not 3/);
    await expect(merging(a!, otherSeed!)).rejects.toThrow(/another setting seed/);
    await expect(merging(a!, finished!)).rejects.toThrow(/it is a finished picture/);
    await expect(merging(a!, `${a}-gone.exr`)).rejects.toMatchObject({ code: 'FileNotFound' });
  });

  it('are not merged when a file of the scene has changed between them', async () => {
    const settings = { ...DEFAULT_RENDER_SETTINGS, width: 16, height: 8, samples: 4, denoise: false };
    const [before] = pathsOf(await render([range(0, 2)], settings));
    const repainted = triangleScene();
    repainted.json.materials[0].pbrMetallicRoughness.baseColorFactor = [0.1, 0.2, 0.3, 1];
    await writeFile(path.join(files.root, 'a.glb'), toGlb(repainted));
    onTestFinished(() => writeFile(path.join(files.root, 'a.glb'), toGlb(triangleScene())));
    const [after] = pathsOf(await render([range(2, 4)], settings));
    await expect(mergeParts([before!, after!], await newFolder(), processor)).rejects.toMatchObject({
      code: 'SettingInvalid',
      message: `"${after}" does not belong to "${before}": its files were other ones: the scene, a texture or an environment has changed between them.`,
    });
  });

  it('are not merged when another tier or device traced some of them', async () => {
    const settings = { ...DEFAULT_RENDER_SETTINGS, width: 16, height: 8, samples: 4, denoise: false };
    const [first, second] = pathsOf(await render([range(0, 2), range(2, 4)], settings));
    const place = await newFolder();
    /** The same sums, as if the GPU of that name (two letters) had traced them. */
    const asTracedOn = async (file: string, device: string): Promise<string> => {
      const from = '"tier":"cpu","device":null';
      const text = (await readFile(file)).toString('latin1');
      expect(text).toContain(from);
      const changed = path.join(place, `${device}-${path.basename(file)}`);
      await writeFile(changed, Buffer.from(text.replace(from, `"tier":"gpu","device":"${device}"`), 'latin1'));
      return changed;
    };
    const merging = (...parts: string[]): Promise<unknown> => mergeParts(parts, place, processor);
    await expect(merging(first!, await asTracedOn(second!, 'A1'))).rejects.toThrow(
      /"A1" traced it, not the cpu tier, so sums may differ/,
    );
    await expect(merging(await asTracedOn(first!, 'A1'), await asTracedOn(second!, 'B2'))).rejects.toThrow(
      /"B2" traced it, not "A1"/,
    );
    await expect(merging(await asTracedOn(first!, 'A1'), await asTracedOn(second!, 'A1'))).resolves.toMatchObject({
      frame: 3,
    });
  });

  it('are refused by name when they are damaged or of a later format', async () => {
    const settings = { ...DEFAULT_RENDER_SETTINGS, width: 16, height: 8, samples: 2, denoise: false };
    const bytes = await readFile((await render([range(0, 2)], settings))[0]!.exrPath);
    const place = await newFolder();
    const merging = async (changed: Buffer): Promise<unknown> => {
      const file = path.join(place, 'part.exr');
      await writeFile(file, changed);
      return mergeParts([file], place, processor);
    };
    const replaced = (from: string, to: string): Buffer => {
      const text = bytes.toString('latin1');
      expect(text).toContain(from);
      return Buffer.from(text.replace(from, to), 'latin1');
    };
    await expect(merging(bytes)).resolves.toMatchObject({ frame: 3 });
    for (const length of [0, 7, 300, Math.floor(bytes.length / 2), bytes.length - 1]) {
      await expect(merging(bytes.subarray(0, length))).rejects.toMatchObject({ code: 'SettingInvalid' });
    }
    await expect(merging(replaced('"formatVersion":2,"ranges"', '"formatVersion":3,"ranges"'))).rejects.toThrow(
      /format 3/,
    );
    await expect(merging(replaced('{"formatVersion":2,"ranges"', '["formatVersion":2,"ranges"'))).rejects.toThrow(
      /damaged/,
    );
  });
});
