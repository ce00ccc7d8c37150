import { Document, NodeIO } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  EXTMeshoptCompression,
  KHRDracoMeshCompression,
  KHRMeshQuantization,
} from '@gltf-transform/extensions';
import draco from 'draco3dgltf';
import { encodeToKTX2 } from 'ktx2-encoder';
import { MeshoptDecoder, MeshoptEncoder } from 'meshoptimizer';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadScene } from './load.ts';
import { projectWith, toGlb, triangleScene } from './tinyScenes.ts';

const load = async (bytes: Uint8Array) => loadScene({ root: await projectWith({ 'a.glb': bytes }), main: 'a.glb' });

/** A wavy grid of 8 × 8 quads as 16-bit or float positions. */
function gridDocument(quantised = false): Document {
  const document = new Document();
  const buffer = document.createBuffer();
  const side = 9;
  const values = Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return [x / 8, y / 8, ((x * 7 + y * 5) % 4) / 8];
  }).flat();
  const positions = quantised ? Int16Array.from(values, (v) => Math.round(v * 32_767)) : Float32Array.from(values);
  const corners = Array.from({ length: 64 }, (_, i) => {
    const a = (i % 8) + Math.floor(i / 8) * side;
    return [a, a + 1, a + side, a + 1, a + side + 1, a + side];
  }).flat();
  const accessor = document
    .createAccessor()
    .setType('VEC3')
    .setArray(positions)
    .setNormalized(quantised)
    .setBuffer(buffer);
  const indices = document.createAccessor().setType('SCALAR').setArray(Uint16Array.from(corners)).setBuffer(buffer);
  const primitive = document.createPrimitive().setAttribute('POSITION', accessor).setIndices(indices);
  document
    .createScene()
    .addChild(document.createNode('grid').setMesh(document.createMesh('grid').addPrimitive(primitive)));
  return document;
}

/** Corners of all triangles, sorted, so that another order of vertices and triangles is the same surface. */
async function surfaceOf(bytes: Uint8Array): Promise<string[]> {
  const { positions, indices } = (await load(bytes)).parts[0]!.geometry;
  const corner = (i: number) =>
    Array.from(positions.subarray(indices[i]! * 3, indices[i]! * 3 + 3), (v) => Math.round(v * 8)).join(' ');
  return Array.from({ length: indices.length }, (_, i) => corner(i)).sort();
}

describe('compressed geometry is what it was', () => {
  const io = () => new NodeIO().registerExtensions(ALL_EXTENSIONS);
  const plain = async () => surfaceOf(await io().writeBinary(gridDocument()));

  it('with Draco', async () => {
    const document = gridDocument();
    document.createExtension(KHRDracoMeshCompression).setRequired(true);
    const writer = io().registerDependencies({ 'draco3d.encoder': await draco.createEncoderModule() });
    expect(await surfaceOf(await writer.writeBinary(document))).toEqual(await plain());
  });

  it('quantised, with meshopt under both of its names', async () => {
    await MeshoptEncoder.ready;
    await MeshoptDecoder.ready;
    const document = gridDocument(true);
    document.createExtension(KHRMeshQuantization).setRequired(true);
    document.createExtension(EXTMeshoptCompression).setRequired(true);
    const writer = io().registerDependencies({ 'meshopt.encoder': MeshoptEncoder, 'meshopt.decoder': MeshoptDecoder });
    const bytes = await writer.writeBinary(document);
    expect(await surfaceOf(bytes)).toEqual(await plain());
    const renamed = Buffer.from(bytes);
    for (let at = renamed.indexOf('EXT_meshopt'); at >= 0; at = renamed.indexOf('EXT_meshopt'))
      renamed.write('KHR', at);
    expect(await surfaceOf(renamed)).toEqual(await plain());
  });
});

describe('KTX2 pictures', () => {
  const pixels = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) => [200, 100, 50, 255][i & 3]!);
  const encode = async (isUASTC: boolean) =>
    encodeToKTX2(new Uint8Array(4), {
      ...{ isUASTC, needSupercompression: true, generateMipmap: false, isSetKTX2SRGBTransferFunc: true },
      imageDecoder: async () => ({ width: 8, height: 8, data: pixels }),
    });
  const sceneWith = (picture: Uint8Array) => {
    const scene = triangleScene();
    const uri = `data:image/ktx2;base64,${Buffer.from(picture).toString('base64')}`;
    Object.assign(scene.json, {
      extensionsUsed: ['KHR_texture_basisu'],
      extensionsRequired: ['KHR_texture_basisu'],
      images: [{ uri, mimeType: 'image/ktx2' }],
      textures: [{ extensions: { KHR_texture_basisu: { source: 0 } } }],
    });
    scene.json.materials[0].pbrMetallicRoughness.baseColorTexture = { index: 0 };
    return toGlb(scene);
  };

  it.each([false, true])('are decoded (UASTC: %s), and refused when damaged', async (isUASTC) => {
    const picture = await encode(isUASTC);
    const { images, textures } = await load(sceneWith(picture));
    expect(textures[0]).toMatchObject({ width: 8, height: 8, mimeType: 'image/ktx2' });
    for (const [k, value] of [200, 100, 50, 255].entries()) {
      expect(Math.abs(images[0]!.data[k]! - value)).toBeLessThanOrEqual(2);
    }
    for (const length of [20, 90, picture.length - 30]) {
      const broken = load(sceneWith(picture.subarray(0, length)));
      await expect(broken).rejects.toMatchObject({ code: 'SceneInvalid', message: expect.stringContaining('texture') });
    }
    const huge = Uint8Array.from(picture);
    new DataView(huge.buffer).setUint32(20, 100_000, true);
    new DataView(huge.buffer).setUint32(24, 100_000, true);
    await expect(load(sceneWith(huge))).rejects.toMatchObject({ code: 'SceneTooLarge' });
  });

  it('are taken before the fallback, as WebP is', async () => {
    const webp = await sharp({ create: { width: 3, height: 2, channels: 3, background: '#0f0' } })
      .webp()
      .toBuffer();
    const scene = triangleScene();
    Object.assign(scene.json, {
      extensionsUsed: ['EXT_texture_webp'],
      images: [{ uri: 'data:image/png;base64,AAAA' }, { uri: `data:image/webp;base64,${webp.toString('base64')}` }],
      textures: [{ source: 0, extensions: { EXT_texture_webp: { source: 1 } } }],
    });
    scene.json.materials[0].pbrMetallicRoughness.baseColorTexture = { index: 0 };
    expect((await load(toGlb(scene))).images[0]).toMatchObject({ width: 3, height: 2 });
  });
});
