/** Damaged and hostile files: each is a clear error with its place, or a scene of finite numbers, and never a hang. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../domain/errors.ts';
import type { SceneDescription } from '../scene/description.ts';
import { DEFAULT_TRACE_OPTIONS, type Tracer } from '../tracer.ts';
import { createCpuTracer } from '../wasm/tracer.ts';
import { SceneInstancer } from './instantiate.ts';
import { loadScene } from './load.ts';
import { addAccessor, type LooseGltf, projectWith, type TinyScene, toGlb, triangleScene } from './tinyScenes.ts';

const describeScene = async (bytes: Uint8Array, main = 'a.glb'): Promise<SceneDescription> =>
  new SceneInstancer(await loadScene({ root: await projectWith({ [main]: bytes }), main })).at(0, null, 1);

function changed(change: (json: LooseGltf, scene: TinyScene) => void): Buffer {
  const scene = triangleScene();
  change(scene.json, scene);
  return toGlb(scene);
}

const refused = async (bytes: Uint8Array, code: ErrorCode, where: RegExp, main?: string): Promise<void> => {
  const place = expect.objectContaining({ file: expect.any(String) });
  const error = { name: 'FarmError', code, message: expect.stringMatching(where), place };
  await expect(describeScene(bytes, main)).rejects.toMatchObject(error);
};

function expectFinite({ meshes, instances, camera }: SceneDescription): void {
  const arrays = [camera.transform, ...instances.map(({ transform }) => transform)];
  for (const { positions, normals, tangents } of meshes)
    arrays.push(positions, normals, ...(tangents ? [tangents] : []));
  for (const array of arrays) expect(array.every(Number.isFinite)).toBe(true);
}

describe('bytes', () => {
  it('cut off at every hundredth are refused, of both containers', async () => {
    const glb = toGlb(triangleScene());
    const { json, binary } = triangleScene();
    json.buffers[0].uri = `data:application/octet-stream;base64,${binary.toString('base64')}`;
    const text = Buffer.from(JSON.stringify(json));
    for (let percent = 1; percent < 100; percent++) {
      await refused(glb.subarray(0, Math.ceil((glb.length * percent) / 100)), 'SceneInvalid', /a\.glb/);
      await refused(text.subarray(0, Math.floor((text.length * percent) / 100)), 'SceneInvalid', /a\.gltf/, 'a.gltf');
    }
  });

  it('changed at random end in an error or in finite numbers', async () => {
    const glb = toGlb(triangleScene());
    const change = fc.tuple(fc.nat(glb.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Buffer.from(glb);
        for (const [at, value] of changes) bytes[at] = value;
        const result = await describeScene(bytes).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toMatchObject({ name: 'FarmError', fault: 'user' });
        else expectFinite(result as SceneDescription);
      }),
      { seed: 4, numRuns: 150 },
    );
  });

  it('compressed with gzip are refused by that name', () =>
    refused(gzipSync(toGlb(triangleScene())), 'SceneInvalid', /gzip/));
});

describe('JSON', () => {
  it('nested without end is refused', async () => {
    const deep = `{"asset":{"version":"2.0"},"extras":${'['.repeat(1e6)}${']'.repeat(1e6)}}`;
    await refused(Buffer.from(deep), 'SceneInvalid', /nests more than 128 deep/, 'a.gltf');
    const inString = JSON.stringify({ asset: { version: '2.0', extras: { note: `\\"${'['.repeat(500)}` } } });
    await refused(Buffer.from(inString), 'SceneInvalid', /holds no scene/, 'a.gltf');
  });

  it.each(['nodes', 'meshes', 'bufferViews', 'buffers', 'accessors', 'scenes', 'materials'])(
    'with %s that are no objects is refused',
    async (list) => {
      for (const value of [null, 0.5, 'data:,', [1]]) {
        const where = new RegExp(`/${list}/1: This is no object`);
        await refused(
          changed((json) => json[list].splice(1, 0, value)),
          'SceneInvalid',
          where,
        );
      }
    },
  );

  it('with names that are no UTF-8, or twice the same, is read', async () => {
    const glb = changed((json) => {
      json.nodes = ['plate', 'plate', '####'].map((name) => ({ name, mesh: 0 }));
      json.scenes[0].nodes = [0, 1, 2];
    });
    const at = glb.indexOf('####');
    glb.set([0xff, 0xfe, 0xc0, 0x80], at);
    const { instances } = await describeScene(glb);
    expect(instances.map(({ name }) => name)).toEqual(['plate', 'plate', '\ufffd\ufffd\ufffd\ufffd']);
  });

  it.each(['../a.bin', '/etc/passwd', 'a/%2e%2e/../../x', 'http://x/a.bin', 'a\u0000b'])(
    'with the URI %j is refused',
    (uri) =>
      refused(
        changed((json) => (json.images = [{ uri }])),
        'NameInvalid',
        /refers to/,
      ),
  );
});

describe('the node graph', () => {
  it('with 100,000 empty nodes is read', async () => {
    const count = 100_000;
    const { instances } = await describeScene(
      changed((json) => {
        for (let i = 1; i < count; i++) json.nodes.push({});
        json.scenes[0].nodes = Array.from({ length: count }, (_, i) => i);
      }),
    );
    expect(instances).toHaveLength(1);
  });

  const chain = (length: number, last: number[]) =>
    changed((json) => {
      json.nodes = Array.from({ length }, (_, i) => ({ children: i < length - 1 ? [i + 1] : last }));
      json.scenes[0].nodes = [0];
    });

  it('100,000 deep is refused, and so are circles of any length', async () => {
    await refused(chain(100_000, []), 'SceneTooLarge', /nested more than 512/);
    await refused(chain(100_000, [0]), 'SceneInvalid', /\/nodes\/0 is part of a circle/);
    await refused(chain(2, [0]), 'SceneInvalid', /circle/);
  });
});

describe('claims of size are checked before memory is taken', () => {
  it.each<[string, (json: LooseGltf) => void, ErrorCode, RegExp]>([
    [
      'an accessor of billions',
      (json) => Object.assign(json.accessors[0], { count: 3e9 }),
      'SceneInvalid',
      /\/accessors\/0/,
    ],
    [
      'zeros without bytes',
      (json) => json.accessors.push({ componentType: 5126, count: 2 ** 31, type: 'MAT4' }),
      'SceneTooLarge',
      /\/accessors\/4/,
    ],
    [
      'many accessors of one view',
      (json) => {
        for (let i = 0; i < 20; i++) json.accessors.push({ componentType: 5126, count: 5_000_000, type: 'VEC3' });
      },
      'SceneTooLarge',
      /takes zeros over/,
    ],
    [
      'sparse values beyond the accessor',
      (json) =>
        Object.assign(json.accessors[0], {
          sparse: { count: 3, indices: { bufferView: 3, componentType: 5123 }, values: { bufferView: 0 } },
          count: 2,
        }),
      'SceneInvalid',
      /accessor/i,
    ],
    [
      'meshopt data that cannot hold so much',
      (json) => {
        json.extensionsUsed = ['EXT_meshopt_compression'];
        json.buffers.push({ byteLength: 2 ** 31, extensions: { EXT_meshopt_compression: { fallback: true } } });
        const packed = { buffer: 0, byteLength: 36, byteStride: 16, count: 2 ** 27, mode: 'ATTRIBUTES' };
        json.bufferViews.push({ buffer: 1, byteLength: 2 ** 31, extensions: { EXT_meshopt_compression: packed } });
      },
      'SceneInvalid',
      /more than its meshopt data can hold/,
    ],
    [
      'meshopt data that is none',
      (json) => {
        json.extensionsUsed = ['EXT_meshopt_compression'];
        json.buffers.push({ byteLength: 48, extensions: { EXT_meshopt_compression: { fallback: true } } });
        const packed = { buffer: 0, byteLength: 36, byteStride: 16, count: 3, mode: 'ATTRIBUTES' };
        json.bufferViews.push({ buffer: 1, byteLength: 48, extensions: { EXT_meshopt_compression: packed } });
      },
      'SceneInvalid',
      /a\.glb/,
    ],
    [
      'Draco data that is none',
      (json) => {
        json.extensionsUsed = ['KHR_draco_mesh_compression'];
        json.meshes[0].primitives[0].extensions = {
          KHR_draco_mesh_compression: { bufferView: 0, attributes: { POSITION: 0 } },
        };
      },
      'SceneInvalid',
      /Draco|draco|read/,
    ],
    [
      'a Draco view that is not there',
      (json) => {
        json.extensionsUsed = ['KHR_draco_mesh_compression'];
        json.meshes[0].primitives[0].extensions = { KHR_draco_mesh_compression: { bufferView: 9, attributes: {} } };
      },
      'SceneInvalid',
      /bufferView/,
    ],
  ])('%s', (_, change, code, where) => refused(changed(change), code, where));
});

describe('pictures', () => {
  const textured = (picture: Buffer) =>
    changed((json) => {
      json.images = [{ uri: `data:image/png;base64,${picture.toString('base64')}` }];
      json.textures = [{ source: 0 }];
      json.materials[0].emissiveTexture = { index: 0 };
    });
  const blank = (side: number) =>
    sharp({ create: { width: side, height: side, channels: 3, background: '#fff' }, limitInputPixels: false })
      .png({ compressionLevel: 1, palette: false })
      .toBuffer();

  it.each([1, 8192])('of %i pixels a side are decoded', async (side) => {
    const { images } = await describeScene(textured(await blank(side)));
    expect(images[0]).toMatchObject({ width: side, height: side });
    expect([...images[0]!.data.subarray(-4)]).toEqual([255, 255, 255, 255]);
  });

  it('that claim more pixels than any scene has, or are cut off, are refused', async () => {
    const picture = await blank(16);
    const bomb = Buffer.from(picture);
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    await expect(describeScene(textured(bomb))).rejects.toMatchObject({ name: 'FarmError', fault: 'user' });
    await refused(textured(picture.subarray(0, picture.length - 20)), 'SceneInvalid', /texture image 0/);
  });
});

describe('numbers', () => {
  const withPositions = (...values: number[]) =>
    changed((_, { binary }) => {
      for (const [i, value] of values.entries()) binary.writeFloatLE(value, i * 4);
    });
  let tracer: Tracer;
  beforeAll(async () => {
    tracer = await createCpuTracer({ threads: 1 });
  });
  afterAll(() => tracer.close());

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d are refused', (value) =>
    refused(withPositions(0, 0, 0, value), 'SceneInvalid', /POSITION of "triangle": element 1/),
  );

  it('further out than numbers carry are refused', async () => {
    await refused(withPositions(0, 0, 0, 1e20), 'SceneInvalid', /"plate" reaches beyond/);
    await refused(
      changed((json) => (json.nodes[0].scale = [1e20, 1, 1])),
      'SceneInvalid',
      /"plate" reaches beyond/,
    );
  });

  it.each<[string, Buffer]>([
    ['of no size', withPositions(0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['without area', withPositions(0, 0, 0, 1, 0, 0, 2, 0, 0)],
    ['of size 1e-20', withPositions(0, 0, 0, 1e-20, 0, 0, 0, 1e-20, 0)],
    ['of size 1e11', withPositions(0, 0, 0, 1e11, 0, 0, 0, 1e11, 0)],
    ['scaled to nothing', changed((json) => (json.nodes[0].scale = [0, 0, 0]))],
    [
      'without normals or extent',
      changed((json, { binary }) => {
        binary.fill(0, 0, 36);
        delete json.meshes[0].primitives[0].attributes.NORMAL;
      }),
    ],
    ['turned by no quaternion', changed((json) => (json.nodes[0].rotation = [0, 0, 0, 0]))],
  ])('a triangle %s gives a finite picture', async (_, bytes) => {
    const scene = await describeScene(bytes);
    expectFinite(scene);
    await tracer.setScene(scene);
    const pixels = await tracer.trace({
      ...{ width: 8, height: 8, rect: { x0: 0, y0: 0, x1: 8, y1: 8 }, seed: 1, frame: 1 },
      ...{ sampleStart: 0, sampleCount: 2, options: DEFAULT_TRACE_OPTIONS },
    });
    for (const array of [pixels.beauty, pixels.albedo, pixels.normal]) expect(array.every(Number.isFinite)).toBe(true);
    expect(pixels.depth.some(Number.isNaN)).toBe(false);
  });

  it('of an animation that are damaged are refused', async () => {
    const base = triangleScene();
    const times = addAccessor(base, [1, 0], 'SCALAR');
    const values = addAccessor(times.scene, [0, 0, 0, 1, 1, 1], 'VEC3');
    values.scene.json.animations = [
      {
        samplers: [{ input: times.index, output: values.index }],
        channels: [{ sampler: 0, target: { node: 0, path: 'scale' } }],
      },
    ];
    await refused(toGlb(values.scene), 'SceneInvalid', /keys out of order/);
  });
});
