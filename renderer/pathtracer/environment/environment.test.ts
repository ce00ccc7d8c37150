import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeExr, writeHdr } from 'hdrify';
import { describe, expect, it } from 'vitest';
import { inspectScene } from '../gltf/inspect.ts';
import { inspectShot } from '../gltf/inspectShot.ts';
import { SceneInstancer } from '../gltf/instantiate.ts';
import { loadScene } from '../gltf/load.ts';
import { type LooseGltf, projectWith, toGlb, triangleScene } from '../gltf/tinyScenes.ts';
import { decodeEnvironment } from './decode.ts';
import { studioEnvironment } from './studio.ts';

const picture = () => ({
  width: 4,
  height: 2,
  data: Float32Array.from({ length: 32 }, (_, i) => (i % 4 === 3 ? 1 : 2 ** ((i % 7) - 2))),
  linearColorSpace: 'linear-rec709' as const,
});

/** Colours without alpha. */
const rgb = (data: Float32Array) => [...data].filter((_, i) => i % 4 !== 3);

function sceneWith(change: (json: LooseGltf) => void): Buffer {
  const scene = triangleScene();
  change(scene.json);
  return toGlb(scene);
}

describe('environment pictures', () => {
  it.each(['zip', 'piz', 'none'] as const)('are read from OpenEXR, %s', (compression) => {
    const decoded = decodeEnvironment(writeExr(picture(), { compression }), 'a.exr');
    expect([decoded.width, decoded.height]).toEqual([4, 2]);
    expect([...decoded.data]).toEqual(rgb(picture().data));
  });

  it.each(['RADIANCE', 'RGBE'])('have the values that a Radiance file (#?%s) says', (program) => {
    // Mantissas and exponents: 1.5, 0, 2^-7; the least and the most; a pixel of nothing.
    const pixels = [
      [192, 0, 1, 129],
      [1, 2, 255, 60],
      [255, 254, 128, 250],
      [7, 9, 11, 0],
    ];
    const head = `#?${program}\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 4\n`;
    const decoded = decodeEnvironment(Buffer.concat([Buffer.from(head), Buffer.from(pixels.flat())]), 'a.hdr');
    const expected = pixels.flatMap(([r, g, b, e]) => [r, g, b].map((m) => (e === 0 ? 0 : m! * 2 ** (e! - 136))));
    expect([...decoded.data]).toEqual(expected.map(Math.fround));
  });

  it('are read from Radiance', () => {
    const decoded = decodeEnvironment(writeHdr(picture()), 'a.hdr');
    // Three mantissas of eight bits share one exponent.
    const expected = rgb(picture().data);
    for (let i = 0; i < expected.length; i++) {
      const brightest = Math.max(...expected.slice(i - (i % 3), i - (i % 3) + 3));
      expect(Math.abs(decoded.data[i]! - expected[i]!)).toBeLessThanOrEqual(brightest / 100);
    }
  });

  it.each([
    ['nonsense', Buffer.from('no picture at all'), 'EnvironmentInvalid'],
    ['half a file', Buffer.from(writeExr(picture())).subarray(0, 330), 'EnvironmentInvalid'],
    ['absurd sizes', Buffer.from('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 900000 +X 900000\n'), 'SceneTooLarge'],
  ])('are refused when they are %s', (_, bytes, code) => {
    expect(() => decodeEnvironment(bytes, 'a.exr')).toThrow(expect.objectContaining({ code }));
  });
});

describe('the environment of a scene', () => {
  it('comes from the vendor extension', async () => {
    const glb = sceneWith((json) => {
      json.extensionsUsed = ['FRAMEWRIGHT_environment'];
      json.extensionsRequired = ['FRAMEWRIGHT_environment'];
      json.extensions = {
        FRAMEWRIGHT_environment: { uri: 'sky.exr', mimeType: 'image/x-exr', intensity: 2, rotation: 0.5 },
      };
    });
    const root = await projectWith({ 'a.glb': glb, 'sky.exr': writeExr(picture()) });
    const scene = await loadScene({ root, main: 'a.glb' });
    expect(scene.environment).toMatchObject({ width: 4, height: 2, intensity: 2, rotation: 0.5 });
    const inspection = inspectScene(scene, 'pathtracer');
    expect(inspection.files.map((file) => file.path)).toEqual(['a.glb', 'sky.exr']);
    expect(inspection.warnings.map((warning) => warning.code)).toEqual(['NoCamera']);
  });

  it('of another scene than the file’s own is among the files that are needed', async () => {
    const glb = sceneWith((json) => {
      json.extensionsUsed = ['FRAMEWRIGHT_environment'];
      json.scenes.push({ nodes: [0], extensions: { FRAMEWRIGHT_environment: { uri: 'sky.exr' } } });
      json.scenes.push({ nodes: [0], extensions: { FRAMEWRIGHT_environment: { uri: 'gone.exr' } } });
    });
    const root = await projectWith({ 'a.glb': glb, 'sky.exr': writeExr(picture()) });
    const inspection = await inspectShot({ root, main: 'a.glb' }, 'pathtracer');
    expect(inspection.files.map(({ path }) => path)).toEqual(['a.glb', 'sky.exr']);
    expect(inspection.frameFiles).toEqual([{ frames: null, files: ['a.glb', 'sky.exr'], perFrame: [] }]);
    expect(inspection.hasEnvironment).toBe(false);
  });

  it('is refused when it is missing or senseless', async () => {
    const load = async (extension: object) => {
      const glb = sceneWith((json) => Object.assign(json, { extensions: { FRAMEWRIGHT_environment: extension } }));
      return loadScene({ root: await projectWith({ 'a.glb': glb }), main: 'a.glb' });
    };
    await expect(load({ uri: 'gone.exr' })).rejects.toMatchObject({
      code: 'AssetMissing',
      message: expect.stringContaining('gone.exr'),
    });
    await expect(load({ uri: '../sky.exr' })).rejects.toMatchObject({ code: 'NameInvalid' });
    await expect(load({})).rejects.toMatchObject({ code: 'SceneInvalid' });
    await expect(load({ bufferView: 99 })).rejects.toMatchObject({ code: 'SceneInvalid' });
    await expect(load({ uri: 'a.exr', intensity: -1 })).rejects.toMatchObject({ code: 'SceneInvalid' });
  });

  it('is taken from beside the scene under its name only', async () => {
    const root = await projectWith({ 'a.glb': toGlb(triangleScene()), 'other.hdr': writeHdr(picture()) });
    expect((await loadScene({ root, main: 'a.glb' })).environment).toBeNull();
    await writeFile(path.join(root, 'a.hdr'), writeHdr(picture()));
    const scene = await loadScene({ root, main: 'a.glb' });
    expect(scene.environment).toMatchObject({ width: 4, height: 2 });
    expect(scene.warnings[0]!.message).toContain('a.hdr');
  });

  it('is the studio without any light, none with a lamp, and decoration is no lamp', async () => {
    const environmentOf = async (change: (json: LooseGltf) => void) => {
      const root = await projectWith({ 'a.glb': sceneWith(change) });
      return new SceneInstancer(await loadScene({ root, main: 'a.glb' })).at(0, null, 1).environment;
    };
    expect(await environmentOf(() => undefined)).toBe(studioEnvironment());
    expect(await environmentOf((json) => Object.assign(json.materials[0], { emissiveFactor: [1, 1, 1] }))).toBeNull();
    expect(
      await environmentOf((json) => {
        json.extensionsUsed = ['KHR_lights_punctual'];
        json.extensions = { KHR_lights_punctual: { lights: [{ type: 'point', intensity: 5 }] } };
        json.nodes[0].extensions = { KHR_lights_punctual: { light: 0 } };
      }),
    ).toBeNull();
  });

  it('of the studio is finite, soft and about as bright as white paper', () => {
    const { data } = studioEnvironment();
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(mean).toBeGreaterThan(0.5);
    expect(mean).toBeLessThan(1.5);
    expect(Math.max(...data.slice(0, 60_000))).toBeLessThan(12);
    expect(data.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
  });
});
