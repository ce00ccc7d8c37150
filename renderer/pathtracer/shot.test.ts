import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { filesOfFrame } from '../../domain/sceneFrames.ts';
import { completeSettings, type RequestedSettings, resolveSettings } from '../../domain/settings.ts';
import { inspectShot } from './gltf/inspectShot.ts';
import { addAccessor, type LooseGltf, projectWith, type TinyScene, toGlb, triangleScene } from './gltf/tinyScenes.ts';
import { SceneCache } from './sceneCache.ts';
import { Shot } from './shot.ts';

const settings = (asked: RequestedSettings = {}) => completeSettings({ width: 16, height: 16, ...asked });

const open = (root: string, main: string, frames: number[], asked: RequestedSettings = {}, cache = new SceneCache()) =>
  Shot.open(cache, { root, main }, settings(asked), frames);

/** The triangle with its second vertex at height `z`, and a second mesh that never changes. */
function simulationFrame(z: number): TinyScene {
  const scene = triangleScene();
  scene.binary.writeFloatLE(z, 20);
  const fixed = addAccessor(scene, [0, 0, -1, 1, 0, -1, 0, 1, -1], 'VEC3');
  fixed.scene.json.meshes.push({ name: 'ground', primitives: [{ attributes: { POSITION: fixed.index } }] });
  fixed.scene.json.nodes = [
    { name: 'wave', mesh: 0 },
    { name: 'ground', mesh: 1 },
  ];
  fixed.scene.json.scenes[0].nodes = [0, 1];
  return fixed.scene;
}

const sequence = (frames: number[]) =>
  Object.fromEntries(
    frames.map((frame) => [`shot.${String(frame).padStart(4, '0')}.glb`, toGlb(simulationFrame(frame))]),
  );

describe('a sequence', () => {
  it.each(['shot.####.glb', 'shot.0005.glb', ''])('is found by "%s"', async (main) => {
    const root = await projectWith(sequence([5, 6, 7]));
    const shot = await open(root, main, [6]);
    expect((await shot.at(6)).meshes[0]!.positions[5]).toBe(6);
    expect((await shot.at(7)).meshes[0]!.positions[5]).toBe(7);
  });

  it('keeps what its files share, and moves what they do not', async () => {
    const root = await projectWith(sequence([1, 2, 3]));
    const shot = await open(root, 'shot.####.glb', [1, 2, 3], { shutter: 0.5 });
    const [first, second, third] = [await shot.at(1), await shot.at(2), await shot.at(3)];
    expect(second.meshes[1]).toBe(first.meshes[1]);
    expect(first.meshes[1]!.positionsNext).toBeUndefined();
    expect(first.meshes[0]!.positionsNext?.[5]).toBe(2);
    expect(second.meshes[0]!.positionsNext?.[5]).toBe(3);
    expect(third.meshes[0]!.positionsNext).toBeUndefined();
    expect(first.camera.shutter).toBe(0.5);
    const ids = new Set([first, second, third].map(({ meshes }) => meshes[0]!.id));
    expect(ids).not.toContain(first.meshes[1]!.id);
  });

  it('needs no other files than those of the frame, and with motion of the next', async () => {
    const root = await projectWith(sequence([1, 2, 3, 4]));
    for (const frame of [1, 4]) await rm(path.join(root, `shot.000${frame}.glb`));
    const shot = await open(root, 'shot.####.glb', [2], { shutter: 0.5 });
    expect((await shot.at(2)).meshes[0]!.positionsNext?.[5]).toBe(3);
  });

  it('is refused with the number of a frame that has no file', async () => {
    const root = await projectWith(sequence([1, 2, 4]));
    await expect(open(root, 'shot.####.glb', [1, 2, 3, 4])).rejects.toMatchObject({
      code: 'AssetMissing',
      message: expect.stringContaining('frame 3 has no file: there is no shot.0003.glb'),
    });
    await expect(open(root, 'other.####.glb', [1])).rejects.toMatchObject({ code: 'FileNotFound' });
  });

  it('is not what two scenes of other names are', async () => {
    const root = await projectWith({ 'shot1.glb': toGlb(triangleScene()), 'shot2.glb': toGlb(triangleScene()) });
    await expect(open(root, '', [1])).rejects.toMatchObject({ code: 'SceneAmbiguous' });
    expect((await (await open(root, 'shot1.glb', [1])).at(1)).meshes).toHaveLength(1);
  });
});

describe('the inspection of a sequence', () => {
  const picture = () =>
    sharp({ create: { width: 2, height: 2, channels: 3, background: '#f00' } })
      .png()
      .toBuffer();

  /** Frames 8 to 11 as JSON with a buffer of their own; they share a picture, and the last also has another one. */
  async function project() {
    const files: Record<string, string | Uint8Array> = { 'red.png': await picture(), 'blue.png': await picture() };
    for (const frame of [8, 9, 10, 11]) {
      const { json, binary } = simulationFrame(frame);
      json.buffers[0].uri = `sim.${frame}.bin`;
      json.images = [{ uri: 'red.png' }, ...(frame === 11 ? [{ uri: 'blue.png' }] : [])];
      json.textures = [{ source: 0 }];
      json.materials[0].pbrMetallicRoughness.baseColorTexture = { index: 0 };
      files[`shot.${String(frame).padStart(3, '0')}.gltf`] = JSON.stringify(json);
      files[`sim.${frame}.bin`] = binary;
    }
    return projectWith(files);
  }

  it('says which files which frame reads, and no frame reads others', async () => {
    const root = await project();
    const inspection = await inspectShot({ root, main: 'shot.###.gltf' }, 'pathtracer');
    expect(inspection).toMatchObject({
      sequence: { pattern: 'shot.###.gltf', frames: '8-11' },
      frameFiles: [
        { frames: '8-9', files: ['red.png'], perFrame: ['shot.{frame:03}.gltf', 'sim.{frame:01}.bin'] },
        { frames: '10', files: ['red.png'], perFrame: ['shot.{frame:03}.gltf', 'sim.{frame:02}.bin'] },
        { frames: '11', files: ['red.png', 'blue.png'] },
      ],
    });
    expect(resolveSettings({}, inspection).frames).toEqual([8, 9, 10, 11]);
    expect(() => resolveSettings({ frames: '8-12' }, inspection)).toThrow('Frame 12 has no file');
    for (const asked of [{}, { shutter: 0.5 }]) {
      for (const frame of [8, 10, 11]) {
        const paths = filesOfFrame(inspection, frame, settings(asked));
        const staged = await projectWith(
          Object.fromEntries(
            await Promise.all(paths.map(async (name) => [name, await readFile(path.join(root, name))])),
          ),
        );
        const shot = await open(staged, 'shot.###.gltf', [frame], asked);
        const whole = await open(root, 'shot.###.gltf', [frame], asked);
        expect(await shot.at(frame)).toEqual(await whole.at(frame));
        // Nothing on the list is there in vain.
        await rm(path.join(staged, paths[0]!));
        await expect(open(staged, 'shot.###.gltf', [frame], asked).then((it) => it.at(frame))).rejects.toThrow();
      }
    }
  });

  it('names the frame whose files are missing or damaged', async () => {
    const root = await project();
    await rm(path.join(root, 'sim.10.bin'));
    await expect(inspectShot({ root, main: '' }, 'pathtracer')).rejects.toMatchObject({
      code: 'AssetMissing',
      place: { frame: 10 },
      message: expect.stringContaining('sim.10.bin'),
    });
    const glb = await projectWith(sequence([1, 2]));
    await writeFile(path.join(glb, 'shot.0002.glb'), toGlb(triangleScene()).subarray(0, -9));
    await expect(inspectShot({ root: glb, main: '' }, 'pathtracer')).rejects.toMatchObject({
      code: 'SceneInvalid',
      place: { frame: 2 },
    });
  });
});

/** Adds an animation with one channel; a path that begins with a slash is a pointer. */
function animate(
  scene: TinyScene,
  target: number | string,
  route: string,
  values: number[],
  type: 'SCALAR' | 'VEC3' | 'VEC4',
): TinyScene {
  const times = addAccessor(scene, [0, 1], 'SCALAR');
  const keys = addAccessor(times.scene, values, type);
  const { json } = keys.scene;
  json.animations ??= [];
  const aim =
    typeof target === 'string'
      ? { path: 'pointer', extensions: { KHR_animation_pointer: { pointer: target + route } } }
      : { node: target, path: route };
  json.animations.push({
    samplers: [{ input: times.index, output: keys.index }],
    channels: [{ sampler: 0, target: aim }],
  });
  return keys.scene;
}

/** The file as a shot of one frame a second, frame N at N seconds. */
async function shotOf(scene: TinyScene, asked: RequestedSettings = {}) {
  const root = await projectWith({ 'a.glb': toGlb(scene) });
  return open(root, 'a.glb', [0], { fps: 1, start: 0, ...asked });
}

function withCamera(camera: LooseGltf = {}): TinyScene {
  const scene = triangleScene();
  scene.json.cameras = [{ type: 'perspective', perspective: { yfov: 0.5, znear: 0.1 }, ...camera }];
  scene.json.nodes.push({ name: 'eye', camera: 0, translation: [0.25, 0.25, 5] });
  scene.json.scenes[0].nodes = [0, 1];
  return scene;
}

describe('motion', () => {
  it('gives what moves its place one frame later, and the rest none', async () => {
    const moving = animate(withCamera(), 0, 'translation', [0, 0, 0, 8, 0, 0], 'VEC3');
    const still = await (await shotOf(moving)).at(0);
    expect(still.instances[0]!.transformNext).toBeUndefined();
    const shot = await shotOf(moving, { output: { layers: ['motion'] } });
    const [start, end] = [await shot.at(0), await shot.at(1)];
    expect(start.instances[0]!.transformNext?.[12]).toBe(8);
    expect(start.camera.transformNext).toBeUndefined();
    expect(start.camera.shutter ?? 0).toBe(0);
    expect(end.instances[0]!.transformNext).toBeUndefined();
    const panned = await shotOf(animate(withCamera(), 1, 'translation', [0, 0, 5, 1, 0, 5], 'VEC3'), { shutter: 1 });
    expect((await panned.at(0)).camera).toMatchObject({ shutter: 1, transformNext: expect.anything() });
  });
});

describe('lenses', () => {
  const lens = { extensions: { FRAMEWRIGHT_lens: { fStop: 2, focusDistance: 3, blades: 6 } } };

  it('come from the file, and from the settings before it', async () => {
    const focal = 0.012 / Math.tan(0.25);
    expect((await (await shotOf(withCamera())).at(0)).camera.lens).toBeNull();
    const file = await (await shotOf(withCamera(lens))).at(0);
    expect(file.camera.lens).toEqual({ radius: focal / 4, focusDistance: 3, blades: 6 });
    const asked = await (await shotOf(withCamera(lens), { lens: { fStop: 4, focusDistance: 2, blades: 0 } })).at(0);
    expect(asked.camera.lens).toEqual({ radius: focal / 8, focusDistance: 2, blades: 6 });
  });

  it('focus on what the middle of the picture shows', async () => {
    const focused = await (await shotOf(withCamera(), { lens: { fStop: 2 } })).at(0);
    expect(focused.camera.lens?.focusDistance).toBeCloseTo(5, 5);
    const past = withCamera();
    past.json.nodes[0].translation = [50, 0, 0];
    expect((await (await shotOf(past, { lens: { fStop: 2 } })).at(0)).camera.lens?.focusDistance).toBe(1e6);
  });
});

describe('pointers', () => {
  it('move materials, their extensions and texture transforms', async () => {
    const scene = triangleScene();
    scene.json.materials[0].extensions = { KHR_materials_transmission: {}, KHR_materials_ior: { ior: 1.5 } };
    scene.json.extensionsUsed = ['KHR_materials_transmission', 'KHR_materials_ior', 'KHR_animation_pointer'];
    let animated = animate(
      scene,
      '/materials/0',
      '/pbrMetallicRoughness/baseColorFactor',
      [0, 0, 0, 1, 1, 1, 1, 1],
      'VEC4',
    );
    animated = animate(animated, '/materials/0', '/extensions/KHR_materials_ior/ior', [1, 2], 'SCALAR');
    animated = animate(
      animated,
      '/materials/0/extensions',
      '/KHR_materials_transmission/transmissionFactor',
      [0, 0.5],
      'SCALAR',
    );
    const shot = await shotOf(animated, { fps: 2 });
    expect((await shot.at(1)).materials[0]).toMatchObject({
      baseColor: [0.5, 0.5, 0.5, 1],
      ior: 1.5,
      transmission: 0.25,
    });
    expect((await shot.at(2)).materials[0]).toMatchObject({ baseColor: [1, 1, 1, 1], ior: 2, transmission: 0.5 });
    expect((await shot.at(0)).materials[0]).toMatchObject({ baseColor: [0, 0, 0, 1], ior: 1, transmission: 0 });
  });

  it('move cameras, lenses, lights and the visibility of nodes', async () => {
    const scene = withCamera({ extensions: { FRAMEWRIGHT_lens: { fStop: 2, focusDistance: 1 } } });
    const { json } = scene;
    json.extensionsUsed = ['KHR_lights_punctual', 'KHR_node_visibility', 'KHR_animation_pointer', 'FRAMEWRIGHT_lens'];
    json.extensions = { KHR_lights_punctual: { lights: [{ type: 'point' }] } };
    json.nodes[0].extensions = { KHR_node_visibility: { visible: true } };
    json.nodes[1].extensions = { KHR_lights_punctual: { light: 0 } };
    let animated = animate(scene, '/cameras/0', '/perspective/yfov', [0.5, 1], 'SCALAR');
    animated = animate(animated, '/cameras/0', '/extensions/FRAMEWRIGHT_lens/focusDistance', [1, 9], 'SCALAR');
    animated = animate(animated, '/extensions/KHR_lights_punctual', '/lights/0/intensity', [1, 3], 'SCALAR');
    animated = animate(animated, '/nodes/0', '/extensions/KHR_node_visibility/visible', [1, 0], 'SCALAR');
    animated.json.animations[3].samplers[0].interpolation = 'STEP';
    const shot = await shotOf(animated);
    const [now, later] = [await shot.at(0), await shot.at(1)];
    expect([now.instances.length, later.instances.length]).toEqual([1, 0]);
    expect(later.camera.projection).toEqual({ kind: 'perspective', yfov: 1 });
    expect([now.camera.lens?.focusDistance, later.camera.lens?.focusDistance]).toEqual([1, 9]);
    expect(later.lights).toMatchObject([{ kind: 'point', intensity: [3, 3, 3] }]);
  });

  it('to what does not exist are left out with a warning', async () => {
    const root = await projectWith({
      'a.glb': toGlb(animate(triangleScene(), '/materials/7', '/alphaCutoff', [0, 1], 'SCALAR')),
    });
    const shot = await open(root, 'a.glb', [0]);
    expect(await shot.warnings(0)).toEqual([expect.stringContaining('/materials/7/alphaCutoff')]);
  });
});

describe('choices', () => {
  it('of scene and variant go by name or number, and unknown ones list what exists', async () => {
    const scene = triangleScene();
    const { json } = scene;
    json.extensionsUsed = ['KHR_materials_variants'];
    json.extensions = { KHR_materials_variants: { variants: [{ name: 'day' }, { name: 'night' }] } };
    json.materials.push({ name: 'coal' });
    json.meshes[0].primitives[0].extensions = {
      KHR_materials_variants: { mappings: [{ material: 1, variants: [1] }] },
    };
    json.nodes.push({ name: 'other' });
    json.scenes = [{ name: 'set', nodes: [0] }, { nodes: [1] }];
    const materialOf = async (asked: RequestedSettings) => {
      const { meshes, materials } = await (await shotOf(scene, asked)).at(0);
      return meshes.map(({ material }) => materials[material]!.name);
    };
    expect(await materialOf({})).toEqual(['clay']);
    expect(await materialOf({ variant: 'night', scene: 'set' })).toEqual(['coal']);
    expect(await materialOf({ scene: '1' })).toEqual([]);
    await expect(shotOf(scene, { variant: 'dusk' })).rejects.toMatchObject({
      code: 'SettingInvalid',
      message: expect.stringContaining('"day", "night"'),
    });
    await expect(shotOf(scene, { scene: 'x' })).rejects.toMatchObject({
      message: expect.stringContaining('"set", "scene 1"'),
    });
  });
});
