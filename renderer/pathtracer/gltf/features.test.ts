/** Features of glTF 2.0 and its extensions, each as its words are in a file: what the loader makes of them. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { invertAffine } from '../wasm/matrix.ts';
import { SceneInstancer } from './instantiate.ts';
import { loadScene } from './load.ts';
import { addAccessor, type LooseGltf, projectWith, type TinyScene, toGlb, triangleScene } from './tinyScenes.ts';

const load = async (scene: TinyScene) =>
  loadScene({ root: await projectWith({ 'a.glb': toGlb(scene) }), main: 'a.glb' });

function changed(change: (json: LooseGltf) => void): TinyScene {
  const scene = triangleScene();
  change(scene.json);
  return scene;
}

/** The scene with bytes appended to its buffer as one more view, whose index it tells. */
function withView({ json, binary }: TinyScene, bytes: Buffer, view: object = {}): { scene: TinyScene; view: number } {
  const grown = Buffer.concat([binary, bytes]);
  json.buffers[0].byteLength = grown.length;
  const index = json.bufferViews.push({ buffer: 0, byteOffset: binary.length, byteLength: bytes.length, ...view }) - 1;
  return { scene: { json, binary: grown }, view: index };
}
const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const rounded = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value) => Math.round(value * 1e5) / 1e5 + 0);

describe('vertices', () => {
  const square = (mode: number): TinyScene => {
    const { scene, index } = addAccessor(triangleScene(), [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0], 'VEC3');
    scene.json.meshes[0].primitives = [{ attributes: { POSITION: index }, mode }];
    return scene;
  };
  /** Corners in the order of the triangles, as the flat normals unshare them. */
  const corners = async (scene: TinyScene): Promise<number[][]> => {
    const { positions, indices } = (await load(scene)).parts[0]!.geometry;
    return Array.from(indices, (vertex) => [positions[vertex * 3]!, positions[vertex * 3 + 1]!]);
  };

  it('of a strip turn every second triangle', async () => {
    expect(await corners(square(5))).toEqual([
      ...[
        [0, 0],
        [1, 0],
        [0, 1],
      ],
      ...[
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    ]);
  });

  it('of a fan share the first corner', async () => {
    expect(await corners(square(6))).toEqual([
      ...[
        [1, 0],
        [0, 1],
        [0, 0],
      ],
      ...[
        [0, 1],
        [1, 1],
        [0, 0],
      ],
    ]);
  });

  it('may be interleaved', async () => {
    const rows = [
      [0, 0, 0, 0, 0, 1],
      [2, 0, 0, 0, 0, 1],
      [0, 3, 0, 0, 0, 1],
    ];
    const { scene, view } = withView(triangleScene(), floats(...rows.flat()), { byteStride: 24 });
    Object.assign(scene.json.accessors[0], { bufferView: view, byteOffset: 0, max: [2, 3, 0] });
    Object.assign(scene.json.accessors[1], { bufferView: view, byteOffset: 12 });
    const { positions, normals } = (await load(scene)).parts[0]!.geometry;
    expect([...positions]).toEqual([0, 0, 0, 2, 0, 0, 0, 3, 0]);
    expect([...normals]).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1]);
  });

  it('may be sparse: others at some places, and zeroes where there is no view', async () => {
    const indices = withView(triangleScene(), Buffer.from(Uint16Array.of(2, 0).buffer));
    const values = withView(indices.scene, floats(7, 8, 9));
    const sparse = {
      count: 1,
      indices: { bufferView: indices.view, componentType: 5123 },
      values: { bufferView: values.view },
    };
    const { json } = values.scene;
    Object.assign(json.accessors[0], { sparse, max: [7, 8, 9] });
    expect([...(await load(values.scene)).parts[0]!.geometry.positions]).toEqual([0, 0, 0, 1, 0, 0, 7, 8, 9]);
    delete json.accessors[0].bufferView;
    expect([...(await load(values.scene)).parts[0]!.geometry.positions]).toEqual([0, 0, 0, 0, 0, 0, 7, 8, 9]);
  });

  it('may follow eight joints, which share the weight', async () => {
    const weights = addAccessor(triangleScene(), [1, 0, 0, 0, 1, 0, 0, 0, 0.5, 0, 0, 0], 'VEC4');
    const more = addAccessor(weights.scene, [0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0, 0, 0], 'VEC4');
    const first = withView(more.scene, Buffer.alloc(12));
    const second = withView(first.scene, Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]));
    const { scene } = second;
    const { json } = scene;
    const joints = (bufferView: number): number =>
      json.accessors.push({ bufferView, componentType: 5121, count: 3, type: 'VEC4' }) - 1;
    Object.assign(json.meshes[0].primitives[0].attributes, {
      ...{ JOINTS_0: joints(first.view), WEIGHTS_0: weights.index },
      ...{ JOINTS_1: joints(second.view), WEIGHTS_1: more.index },
    });
    json.nodes = [{ mesh: 0, skin: 0 }, {}, { translation: [0, 0, 4] }];
    json.skins = [{ joints: [1, 2] }];
    json.scenes[0].nodes = [0, 1, 2];
    const { meshes } = new SceneInstancer(await load(scene)).at(0, null, 1);
    // The third corner hangs half on the joint that stands four higher.
    expect(rounded(meshes[0]!.positions)).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 2]);
  });
});

it('places the instances of EXT_mesh_gpu_instancing relative to their node, without triangles of their own', async () => {
  const places = addAccessor(triangleScene(), [0, 0, 0, 0, 5, 0], 'VEC3');
  const sizes = addAccessor(places.scene, [1, 1, 1, 2, 2, 2], 'VEC3');
  const { json } = sizes.scene;
  json.nodes[0] = {
    ...{ mesh: 0, translation: [10, 0, 0] },
    extensions: { EXT_mesh_gpu_instancing: { attributes: { TRANSLATION: places.index, SCALE: sizes.index } } },
  };
  json.extensionsUsed = ['EXT_mesh_gpu_instancing'];
  json.extensionsRequired = ['EXT_mesh_gpu_instancing'];
  const { meshes, instances } = new SceneInstancer(await load(sizes.scene)).at(0, null, 1);
  expect(meshes).toHaveLength(1);
  expect(instances.map(({ transform }) => [transform[0], transform[12], transform[13]])).toEqual([
    [1, 10, 0],
    [2, 10, 5],
  ]);
});

it('moves a node along a cubic spline', async () => {
  const times = addAccessor(triangleScene(), [0, 2], 'SCALAR');
  // Tangents of 0 at both ends: half way at half the time, and 5/32 of it after a quarter.
  const keys = addAccessor(times.scene, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0], 'VEC3');
  keys.scene.json.animations = [
    {
      samplers: [{ input: times.index, output: keys.index, interpolation: 'CUBICSPLINE' }],
      channels: [{ sampler: 0, target: { node: 0, path: 'translation' } }],
    },
  ];
  const instancer = new SceneInstancer(await load(keys.scene));
  const xAt = (seconds: number): number => instancer.at(seconds, null, 1).instances[0]!.transform[12]!;
  expect([0, 0.5, 1, 2].map(xAt)).toEqual([0, 5, 16, 32]);
});

it('sees through an orthographic camera', async () => {
  const scene = changed((json) => {
    json.cameras = [{ type: 'orthographic', orthographic: { xmag: 3, ymag: 2, znear: 0.1, zfar: 9 } }];
    json.nodes.push({ camera: 0, translation: [0, 0, 4] });
    json.scenes[0].nodes.push(1);
  });
  const { camera } = new SceneInstancer(await load(scene)).at(0, null, 1.5);
  expect(camera.projection).toMatchObject({ kind: 'orthographic', ymag: 2 });
});

it('has lamps of every kind, each along its node', async () => {
  const scene = changed((json) => {
    json.extensionsUsed = ['KHR_lights_punctual'];
    json.extensions = {
      KHR_lights_punctual: {
        lights: [
          { type: 'directional', intensity: 3 },
          { type: 'spot', intensity: 2, color: [1, 0.5, 0], spot: { innerConeAngle: 0.1, outerConeAngle: 0.4 } },
          { type: 'point' },
        ],
      },
    };
    // A quarter turn about +X: what looked along -Z looks along +Y.
    const turned = { rotation: [Math.SQRT1_2, 0, 0, Math.SQRT1_2] };
    for (const light of [0, 1, 2]) {
      json.nodes.push({ ...turned, translation: [light, 0, 0], extensions: { KHR_lights_punctual: { light } } });
      json.scenes[0].nodes.push(light + 1);
    }
  });
  const { lights } = new SceneInstancer(await load(scene)).at(0, null, 1);
  const [sun, spot, bulb] = lights;
  expect(sun).toMatchObject({ kind: 'directional', intensity: [3, 3, 3] });
  expect(rounded((sun as { direction: number[] }).direction)).toEqual([0, 1, 0]);
  expect(spot).toMatchObject({ kind: 'spot', position: [1, 0, 0], innerConeAngle: 0.1, outerConeAngle: 0.4 });
  expect(rounded(spot!.intensity)).toEqual([2, 1, 0]);
  expect(bulb).toMatchObject({ kind: 'point', position: [2, 0, 0], intensity: [1, 1, 1] });
});

describe('nodes', () => {
  const placed = async (node: object) => {
    const scene = await load(changed((json) => Object.assign(json.nodes[0], node)));
    return new SceneInstancer(scene).at(0, null, 1).instances[0]!.transform;
  };

  it('that flatten their mesh to a plane leave it there, with its normals', async () => {
    // glTF lets only those be left out that leave a point (3.5.3).
    const flat = invertAffine(await placed({ scale: [2, 3, 0], translation: [1, 2, 3] }));
    expect(flat).not.toBeNull();
    const turned = await placed({ rotation: [0, Math.SQRT1_2, 0, Math.SQRT1_2], scale: [2, 0, 3] });
    expect(rounded(turned.slice(0, 3))).toEqual([0, 0, -2]);
    expect(rounded(turned.slice(4, 7))).toEqual([0, 0, 0]);
    expect(turned[5]).toBeGreaterThan(0);
    expect(invertAffine(await placed({ scale: [1, 0, 0] }))).toBeNull();
    expect(rounded(await placed({ scale: [1, 1e-4, 1] }))[5]).toBe(1e-4);
  });
});

describe('materials', () => {
  const withExtension = (name: string, values: object): TinyScene =>
    changed((json) => {
      json.extensionsUsed = [name];
      json.extensionsRequired = [name];
      json.materials[0].extensions = { [name]: values };
    });

  it.each<[string, object, object]>([
    [
      'clearcoat',
      { clearcoatFactor: 0.5, clearcoatRoughnessFactor: 0.25 },
      { clearcoat: { factor: 0.5, roughness: 0.25 } },
    ],
    [
      'sheen',
      { sheenColorFactor: [1, 0.5, 0], sheenRoughnessFactor: 0.5 },
      { sheen: { color: [1, 0.5, 0], roughness: 0.5 } },
    ],
    [
      'specular',
      { specularFactor: 0.5, specularColorFactor: [1, 0, 1] },
      { specular: { factor: 0.5, color: [1, 0, 1] } },
    ],
    [
      'iridescence',
      { iridescenceFactor: 1, iridescenceIor: 1.5, iridescenceThicknessMinimum: 50, iridescenceThicknessMaximum: 300 },
      { iridescence: { factor: 1, ior: 1.5, thicknessMinimum: 50, thicknessMaximum: 300 } },
    ],
    [
      'anisotropy',
      { anisotropyStrength: 0.5, anisotropyRotation: 1.5 },
      { anisotropy: { strength: 0.5, rotation: 1.5 } },
    ],
    ['dispersion', { dispersion: 0.5 }, { dispersion: 0.5 }],
    [
      'diffuse_transmission',
      { diffuseTransmissionFactor: 0.25, diffuseTransmissionColorFactor: [0, 1, 0] },
      { diffuseTransmission: { factor: 0.25, color: [0, 1, 0] } },
    ],
    ['unlit', {}, { unlit: true }],
    ['transmission', { transmissionFactor: 0.75 }, { transmission: 0.75 }],
    ['ior', { ior: 1.25 }, { ior: 1.25 }],
  ])('take %s as it is written', async (name, values, expected) => {
    const { materials, warnings } = await load(withExtension(`KHR_materials_${name}`, values));
    expect(materials[0]).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  const red = sharp({ create: { width: 1, height: 1, channels: 3, background: '#f00' } }).png();
  async function withTexture(info: object, sampler: object): Promise<TinyScene> {
    const { scene, view } = withView(triangleScene(), await red.clone().toBuffer());
    Object.assign(scene.json, {
      ...{ images: [{ bufferView: view, mimeType: 'image/png' }], samplers: [sampler] },
      textures: [{ source: 0, sampler: 0 }],
    });
    scene.json.materials[0].pbrMetallicRoughness.baseColorTexture = { index: 0, ...info };
    return scene;
  }

  it('turn, scale and shift a texture, and wrap it as its sampler says', async () => {
    const transform = { offset: [0.25, 0.5], scale: [2, 4], rotation: Math.PI / 2, texCoord: 1 };
    const scene = await withTexture(
      { extensions: { KHR_texture_transform: transform } },
      { wrapS: 33071, wrapT: 33648, magFilter: 9728 },
    );
    scene.json.extensionsUsed = ['KHR_texture_transform'];
    const { baseColorTexture } = (await load(scene)).materials[0]!;
    expect(baseColorTexture).toMatchObject({ wrapS: 'clamp', wrapT: 'mirror', nearest: true, texCoord: 1 });
    // Rows of translation, rotation and scale: u is 4 times the old v, v is -2 times the old u.
    expect(rounded(baseColorTexture!.uvTransform)).toEqual([0, 4, 0.25, -2, 0, 0.5]);
  });

  it.each<[string, object]>([
    ['no source', {}],
    ['one that only an extension names which is not followed', { extensions: { VND_texture: { source: 0 } } }],
  ])('do without a texture of %s, and say so', async (_, texture) => {
    const scene = await withTexture({ texCoord: 0 }, {});
    scene.json.textures = [texture];
    const { materials, warnings } = await load(scene);
    expect(materials[0]).toMatchObject({ baseColorTexture: null, baseColor: [0.8, 0.4, 0.2, 1] });
    expect(warnings.map(({ message }) => message)).toEqual(['Texture 0 has no picture that this engine reads.']);
  });

  it('are told apart when they have no names', async () => {
    const { materials } = await load(
      changed((json) => {
        json.materials = [{}, { name: '' }];
        const [primitive] = json.meshes[0].primitives;
        json.meshes[0].primitives = [primitive, { ...primitive, material: 1 }];
      }),
    );
    expect(materials.map(({ name }) => name)).toEqual(['material 0', 'material 1', 'default']);
  });

  it('say so when a texture follows a third set of coordinates, and follow the first', async () => {
    const { materials, warnings } = await load(await withTexture({ texCoord: 2 }, {}));
    expect(materials[0]!.baseColorTexture).toMatchObject({ texCoord: 0 });
    expect(warnings).toEqual([
      { code: 'FeatureIgnored', message: expect.stringContaining('(clay) follow TEXCOORD_2') },
    ]);
  });
});
