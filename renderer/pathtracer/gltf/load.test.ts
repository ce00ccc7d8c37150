import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../domain/errors.ts';
import { inspectScene } from './inspect.ts';
import { chooseCamera, SceneInstancer } from './instantiate.ts';
import { loadScene } from './load.ts';
import { addAccessor, type LooseGltf, projectWith, type TinyScene, toGlb, triangleScene } from './tinyScenes.ts';

async function loadGlb(scene: TinyScene, text?: string) {
  return loadScene({ root: await projectWith({ 'a.glb': toGlb(scene, text) }), main: 'a.glb' });
}

async function loadBytes(bytes: Uint8Array, main = 'a.glb') {
  return loadScene({ root: await projectWith({ [main]: bytes }), main });
}

/** Rejects with this code, and says `where` in its message. */
async function refuses(loading: Promise<unknown>, code: ErrorCode, where: RegExp): Promise<void> {
  await expect(loading).rejects.toMatchObject({ name: 'FarmError', code, message: expect.stringMatching(where) });
}

/** A scene with its JSON changed. */
function changed(change: (json: LooseGltf) => void): TinyScene {
  const scene = triangleScene();
  change(scene.json);
  return scene;
}

describe('a whole scene', () => {
  it('is read from .glb', async () => {
    const scene = await loadGlb(triangleScene());
    expect(scene.parts[0]!.geometry.positions).toEqual(Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0));
    expect(scene.materials[0]).toMatchObject({ name: 'clay', baseColor: [0.8, 0.4, 0.2, 1], metallic: 0, ior: 1.5 });
    const inspection = inspectScene(scene, 'pathtracer');
    expect(inspection).toMatchObject({ triangles: 1, nodes: 1, generator: 'tiny', bounds: [0, 0, 0, 1, 1, 0] });
    expect(inspection.warnings.map((warning) => warning.code)).toEqual(['NoCamera', 'NoLight']);
  });

  it('is read from .gltf with a buffer and a texture beside it, and lists them', async () => {
    const { json, binary } = changed((gltf) => {
      gltf.buffers[0].uri = 'data%20one.bin';
      // Not a percent escape: some exporters do not encode.
      gltf.images = [{ uri: '100% red.png' }];
      gltf.textures = [{ source: 0 }];
      gltf.materials[0].pbrMetallicRoughness.baseColorTexture = { index: 0 };
    });
    const red = await sharp({ create: { width: 3, height: 2, channels: 3, background: '#f00' } })
      .png()
      .toBuffer();
    const root = await projectWith({ 'shot.gltf': JSON.stringify(json), 'data one.bin': binary, '100% red.png': red });
    const scene = await loadScene({ root, main: '' });
    expect(scene.files.map((file) => file.path)).toEqual(['shot.gltf', 'data one.bin', '100% red.png']);
    expect(scene.files[1]!.sizeBytes).toBe(binary.length);
    expect(scene.images[0]).toMatchObject({ width: 3, height: 2 });
    expect([...scene.images[0]!.data.subarray(0, 4)]).toEqual([255, 0, 0, 255]);
    expect(scene.materials[0]!.baseColorTexture).toMatchObject({ image: 0, srgb: true, wrapS: 'repeat', texCoord: 0 });
  });

  it('shares geometry between nodes, and keeps ids and revisions from frame to frame', async () => {
    const scene = await loadGlb(
      changed((json) => {
        json.nodes = [{ mesh: 0 }, { mesh: 0, translation: [5, 0, 0] }];
        json.scenes[0].nodes = [0, 1];
      }),
    );
    const instancer = new SceneInstancer(scene);
    const [first, later] = [instancer.at(0, null, 1), instancer.at(1, null, 1)];
    expect(first.meshes).toHaveLength(1);
    expect(first.instances.map((instance) => instance.transform[12])).toEqual([0, 5]);
    expect(later.meshes[0]).toBe(first.meshes[0]);
  });

  it('gets flat normals where it has none, and tangents where a normal map needs them', async () => {
    const red = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#88f' } })
      .png()
      .toBuffer();
    const scene = await loadGlb(
      changed((json) => {
        delete json.meshes[0].primitives[0].attributes.NORMAL;
        json.images = [{ uri: `data:image/png;base64,${red.toString('base64')}` }];
        json.textures = [{ source: 0 }];
        json.materials[0].normalTexture = { index: 0 };
      }),
    );
    const { normals, tangents } = scene.parts[0]!.geometry;
    expect([...normals]).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1]);
    expect([...tangents!].map((value) => Math.round(value * 1e6) / 1e6 + 0)).toEqual([
      1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1,
    ]);
  });
});

describe('a damaged file is refused with its place', () => {
  const glb = toGlb(triangleScene());

  it.each([
    ['empty', Buffer.alloc(0), 'FileEmpty', /a\.glb is empty/],
    ['cut in its header', glb.subarray(0, 15), 'SceneInvalid', /byte 15/],
    ['cut in its body', glb.subarray(0, glb.length - 5), 'SceneInvalid', /cut off/],
    ['not glTF at all', Buffer.from('hello, this is text'), 'SceneInvalid', /does not begin with "glTF"/],
  ] as const)('%s', async (_, bytes, code, where) => {
    await refuses(loadBytes(bytes), code, where);
  });

  it('at every length', async () => {
    for (let length = 1; length < glb.length; length += 97) {
      await expect(loadBytes(glb.subarray(0, length))).rejects.toMatchObject({ code: 'SceneInvalid' });
    }
  });

  it('with damaged JSON', async () => {
    await refuses(loadGlb(triangleScene(), '{"asset": {"version": "2.0"'), 'SceneInvalid', /JSON is damaged/);
    await refuses(loadBytes(Buffer.from('[1, 2]'), 'a.gltf'), 'SceneInvalid', /not an object/);
    await refuses(loadBytes(Buffer.from('{}'), 'a.gltf'), 'SceneInvalid', /asset/);
  });

  it('with NaN or infinity in a matrix', async () => {
    const bare = JSON.stringify(triangleScene().json).replace(
      '"name":"plate"',
      '"name":"plate","matrix":[1,0,0,0,0,NaN,0,0,0,0,1,0,0,0,0,1]',
    );
    await refuses(
      loadGlb(triangleScene(), bare),
      'SceneInvalid',
      /\/nodes\/0\/matrix\/5 \("plate"\) is not a finite number/,
    );
    const huge = bare.replace('NaN', '1e999');
    await refuses(loadGlb(triangleScene(), huge), 'SceneInvalid', /\/nodes\/0\/matrix\/5/);
  });

  it('with NaN in its positions', async () => {
    const scene = triangleScene();
    scene.binary.writeFloatLE(Number.NaN, 12);
    await refuses(loadGlb(scene), 'SceneInvalid', /POSITION of "triangle".*element 1 is NaN/);
  });

  it('with NaN in an animation', async () => {
    const scene = triangleScene();
    const times = addAccessor(scene, [0, 1], 'SCALAR');
    const values = addAccessor(times.scene, [0, 0, 0, Number.NaN, 0, 0], 'VEC3');
    values.scene.json.animations = [
      {
        name: 'spin',
        samplers: [{ input: times.index, output: values.index }],
        channels: [{ sampler: 0, target: { node: 0, path: 'translation' } }],
      },
    ];
    await refuses(loadGlb(values.scene), 'SceneInvalid', /translation of animation "spin".*NaN/);
  });

  it('with an index beyond its vertices', async () => {
    const scene = triangleScene();
    scene.binary.writeUInt16LE(9, 98);
    await refuses(loadGlb(scene), 'SceneInvalid', /indices of "triangle": index 9 at 1/);
  });

  it.each<[string, (json: LooseGltf) => void, RegExp]>([
    ['nodes in a circle', (json) => Object.assign(json.nodes[0], { children: [0] }), /\/nodes\/0/],
    ['a mesh that is not there', (json) => Object.assign(json.nodes[0], { mesh: 7 }), /\/nodes\/0\/mesh/],
    ['an accessor longer than its view', (json) => Object.assign(json.accessors[0], { count: 400 }), /\/accessors\/0/],
    [
      'a view longer than its buffer',
      (json) => Object.assign(json.bufferViews[3], { byteLength: 4000 }),
      /\/bufferViews\/3/,
    ],
    [
      'a buffer longer than the file',
      (json) => Object.assign(json.buffers[0], { byteLength: 99_999 }),
      /holds 104 of 99999 bytes/,
    ],
    ['no scene', (json) => delete json.scenes && delete json.scene, /no scene/],
  ])('with %s', async (_, change, where) => {
    await refuses(loadGlb(changed(change)), 'SceneInvalid', where);
  });

  it('with a texture that is no picture', async () => {
    const scene = changed((json) => {
      json.images = [{ uri: `data:image/png;base64,${Buffer.from('no picture').toString('base64')}` }];
      json.textures = [{ source: 0 }];
      json.materials[0].emissiveTexture = { index: 0 };
    });
    await refuses(loadGlb(scene), 'SceneInvalid', /texture image 0 cannot be read/);
  });
});

describe('files beside the scene', () => {
  const withUri = (uri: string) => JSON.stringify(changed((json) => Object.assign(json.buffers[0], { uri })).json);

  it('are named when they are missing', async () => {
    const root = await projectWith({ 'a.gltf': withUri('gone.bin') });
    await refuses(loadScene({ root, main: 'a.gltf' }), 'AssetMissing', /gone\.bin/);
    const { json, binary } = changed((gltf) => {
      gltf.buffers[0].uri = 'a.bin';
      gltf.images = [{ uri: 'wood.png' }];
    });
    const second = await projectWith({ 'a.gltf': JSON.stringify(json), 'a.bin': binary });
    await refuses(loadScene({ root: second, main: 'a.gltf' }), 'AssetMissing', /wood\.png/);
  });

  it.each([
    '../secret.bin',
    '/etc/passwd',
    'file:///etc/passwd',
    'https://example.org/a.bin',
    'a/../../b.bin',
    '..%2fsecret.bin',
  ])('outside the project are refused: %s', async (uri) => {
    const root = await projectWith({ 'a.gltf': withUri(uri) });
    await refuses(loadScene({ root, main: 'a.gltf' }), 'NameInvalid', /refers to/);
  });

  it('are not reached through links either', async () => {
    const outside = await projectWith({ 'secret.bin': triangleScene().binary });
    const root = await projectWith({ 'a.gltf': withUri('link.bin') });
    await symlink(path.join(outside, 'secret.bin'), path.join(root, 'link.bin'));
    await refuses(loadScene({ root, main: 'a.gltf' }), 'NameInvalid', /leads out/);
  });

  it('are looked for beside the scene, in folders too', async () => {
    const root = await projectWith({});
    await mkdir(path.join(root, 'sets/data'), { recursive: true });
    await writeFile(path.join(root, 'sets/a.gltf'), withUri('data/a.bin'));
    await writeFile(path.join(root, 'sets/data/a.bin'), triangleScene().binary);
    expect((await loadScene({ root, main: '' })).files.map((file) => file.path)).toEqual([
      'sets/a.gltf',
      'sets/data/a.bin',
    ]);
  });

  it('must leave no doubt which one is the scene', async () => {
    const glb = toGlb(triangleScene());
    await refuses(
      loadScene({ root: await projectWith({ 'a.glb': glb, 'b.glb': glb }), main: '' }),
      'SceneAmbiguous',
      /2 scenes: a\.glb, b\.glb/,
    );
    await refuses(
      loadScene({ root: await projectWith({ 'notes.txt': 'x' }), main: '' }),
      'FileNotFound',
      /no \.glb or \.gltf/,
    );
    await refuses(loadScene({ root: await projectWith({}), main: 'x.glb' }), 'FileNotFound', /x\.glb/);
  });
});

describe('extensions', () => {
  it('that are required and unknown are refused by name', async () => {
    const scene = changed((json) =>
      Object.assign(json, { extensionsUsed: ['ACME_fog'], extensionsRequired: ['ACME_fog'] }),
    );
    await refuses(loadGlb(scene), 'SceneUnsupported', /ACME_fog/);
  });

  it('that are only used are warned about', async () => {
    const scene = await loadGlb(changed((json) => Object.assign(json, { extensionsUsed: ['ACME_fog'] })));
    expect(scene.warnings).toEqual([{ code: 'ExtensionIgnored', message: expect.stringContaining('ACME_fog') }]);
  });

  it('of materials arrive', async () => {
    const scene = await loadGlb(
      changed((json) => {
        json.extensionsUsed = [
          'KHR_materials_transmission',
          'KHR_materials_ior',
          'KHR_materials_volume',
          'KHR_materials_emissive_strength',
        ];
        Object.assign(json.materials[0], {
          emissiveFactor: [1, 0.5, 0],
          extensions: {
            KHR_materials_transmission: { transmissionFactor: 0.9 },
            KHR_materials_ior: { ior: 1.33 },
            KHR_materials_volume: { thicknessFactor: 2, attenuationDistance: 3, attenuationColor: [0.1, 0.2, 0.3] },
            KHR_materials_emissive_strength: { emissiveStrength: 4 },
          },
        });
      }),
    );
    expect(scene.materials[0]).toMatchObject({
      transmission: 0.9,
      ior: 1.33,
      thickness: 2,
      attenuationDistance: 3,
      attenuationColor: [0.1, 0.2, 0.3],
      emissive: [4, 2, 0],
    });
  });
});

describe('cameras', () => {
  const withCameras = () =>
    changed((json) => {
      json.cameras = [{ type: 'perspective', name: 'lens', perspective: { yfov: 0.5, znear: 0.1, aspectRatio: 2 } }];
      json.nodes.push(
        { name: 'hero', camera: 0, translation: [0, 0, 5], scale: [3, 3, 3] },
        { name: 'witness', camera: 0 },
      );
      json.scenes[0].nodes = [0, 1, 2];
    });

  it('are found by node name or camera name, first by default', async () => {
    const scene = await loadGlb(withCameras());
    expect(inspectScene(scene, 'pathtracer').cameras.map((camera) => camera.name)).toEqual(['hero', 'witness']);
    expect(chooseCamera(scene, null)?.name).toBe('hero');
    expect(chooseCamera(scene, 'witness')?.node).toBe(2);
    expect(chooseCamera(scene, 'lens')?.name).toBe('hero');
  });

  it('that do not exist are refused, with a list of those that do', async () => {
    const scene = await loadGlb(withCameras());
    expect(() => chooseCamera(scene, 'Camera.001')).toThrow(
      expect.objectContaining({ code: 'CameraUnknown', message: expect.stringContaining('"hero", "witness"') }),
    );
  });

  it('keep what was framed in narrower pictures, and ignore scale', async () => {
    const instancer = new SceneInstancer(await loadGlb(withCameras()));
    const wide = instancer.at(0, 'hero', 2).camera;
    const square = instancer.at(0, 'hero', 1).camera;
    expect([...wide.transform.subarray(0, 3)]).toEqual([1, 0, 0]);
    const yfov = (camera: typeof wide) =>
      camera.projection.kind === 'perspective' ? camera.projection.yfov : Number.NaN;
    expect(yfov(wide)).toBeCloseTo(0.5, 6);
    expect(Math.tan(yfov(square) / 2)).toBeCloseTo(2 * Math.tan(0.25), 6);
  });

  it('are invented so that every vertex is in the picture', async () => {
    const { camera, meshes } = new SceneInstancer(await loadGlb(triangleScene())).at(0, null, 16 / 9);
    const tan = camera.projection.kind === 'perspective' ? Math.tan(camera.projection.yfov / 2) : Number.NaN;
    const m = camera.transform;
    let nearest = 0;
    for (let v = 0; v < 3; v++) {
      const d = [0, 1, 2].map((k) => meshes[0]!.positions[v * 3 + k]! - m[12 + k]!);
      const view = [0, 4, 8].map((axis) => d[0]! * m[axis]! + d[1]! * m[axis + 1]! + d[2]! * m[axis + 2]!);
      const [x, y] = [Math.abs(view[0]! / view[2]!) / (tan * (16 / 9)), Math.abs(view[1]! / view[2]!) / tan];
      nearest = Math.max(nearest, x, y);
    }
    expect(nearest).toBeLessThan(1);
    expect(nearest).toBeGreaterThan(0.85);
  });
});
