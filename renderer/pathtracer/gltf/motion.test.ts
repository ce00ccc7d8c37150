import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Channel, chooseClips, sampleChannel } from './animation.ts';
import { morph } from './deform.ts';
import { inspectScene } from './inspect.ts';
import { SceneInstancer } from './instantiate.ts';
import { loadScene } from './load.ts';
import { compose, multiply, transformPoint } from './matrix.ts';
import { addAccessor, projectWith, type TinyScene, toGlb, triangleScene } from './tinyScenes.ts';

const channel = (changes: Partial<Channel>): Channel => ({
  node: 0,
  path: 'translation',
  interpolation: 'LINEAR',
  times: Float32Array.of(1, 2, 4),
  values: Float32Array.of(0, 0, 0, 10, 0, 0, 30, 0, 0),
  size: 3,
  ...changes,
});

describe('sampling a channel', () => {
  it('interpolates, and holds before the first and after the last key', () => {
    const x = (time: number, changes: Partial<Channel> = {}) => sampleChannel(channel(changes), time)[0];
    expect([x(0), x(1), x(1.5), x(3), x(4), x(99)]).toEqual([0, 0, 5, 20, 30, 30]);
    expect([x(1.99, { interpolation: 'STEP' }), x(2, { interpolation: 'STEP' })]).toEqual([0, 10]);
  });

  it('turns the short way, at even speed, and stays a unit quaternion', () => {
    const half = Math.SQRT1_2;
    const turn = channel({
      path: 'rotation',
      size: 4,
      times: Float32Array.of(0, 1),
      // 90 degrees about Y, written with the opposite sign
      values: Float32Array.of(0, 0, 0, 1, 0, -half, 0, -half),
    });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (t) => {
        const q = sampleChannel(turn, t);
        expect(Math.hypot(...q)).toBeCloseTo(1, 6);
        expect(Math.abs(q[1]!)).toBeCloseTo(Math.sin((t * Math.PI) / 4), 5);
      }),
      { seed: 11 },
    );
  });

  it('follows cubic splines through their keys with their tangents', () => {
    const spline = channel({
      interpolation: 'CUBICSPLINE',
      times: Float32Array.of(0, 2),
      // in-tangent, value, out-tangent: x = t² from 0 to 2
      values: Float32Array.of(...[0, 0, 0], ...[0, 0, 0], ...[0, 0, 0], ...[4, 0, 0], ...[4, 0, 0], ...[4, 0, 0]),
    });
    for (const t of [0, 0.3, 1, 1.7, 2]) expect(sampleChannel(spline, t)[0]).toBeCloseTo(t * t, 5);
  });
});

describe('clips', () => {
  const clip = (name: string, ...nodes: number[]) => ({
    name,
    duration: 1,
    channels: nodes.map((node) => channel({ node })),
  });

  it('play together unless they move the same thing', () => {
    const { played, skipped } = chooseClips([clip('walk', 0, 1), clip('camera', 2), clip('run', 1)]);
    expect(played.map(({ name }) => name)).toEqual(['walk', 'camera']);
    expect(skipped.map(({ name }) => name)).toEqual(['run']);
  });
});

describe('matrices', () => {
  it('compose as glTF says: scale, then rotation, then translation', () => {
    const m = compose([1, 2, 3], [0, Math.SQRT1_2, 0, Math.SQRT1_2], [2, 2, 2]);
    const [x, y, z] = transformPoint(m, 1, 0, 0);
    expect([x, y, z].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([1, 2, 1]);
    expect(multiply(m, compose([0, 0, 0], [0, 0, 0, 1], [1, 1, 1]))).toEqual(m);
  });
});

/** Adds an animation of one node to a scene. */
function animate(
  scene: TinyScene,
  node: number,
  path: string,
  times: number[],
  values: number[],
  type: 'SCALAR' | 'VEC3',
): TinyScene {
  const input = addAccessor(scene, times, 'SCALAR');
  const output = addAccessor(input.scene, values, type);
  const { json } = output.scene;
  json.animations ??= [];
  json.animations.push({
    samplers: [{ input: input.index, output: output.index }],
    channels: [{ sampler: 0, target: { node, path } }],
  });
  return output.scene;
}

const load = async (scene: TinyScene) =>
  loadScene({ root: await projectWith({ 'a.glb': toGlb(scene) }), main: 'a.glb' });

describe('a moving scene', () => {
  it('moves instances and leaves their mesh alone', async () => {
    const scene = await load(animate(triangleScene(), 0, 'translation', [0, 1], [0, 0, 0, 8, 0, 0], 'VEC3'));
    expect(inspectScene(scene, 'pathtracer').durationSeconds).toBe(1);
    const instancer = new SceneInstancer(scene);
    const [start, middle, after] = [0, 0.5, 7].map((time) => instancer.at(time, null, 1));
    expect([start, middle, after].map((at) => at!.instances[0]!.transform[12])).toEqual([0, 4, 8]);
    expect(middle!.meshes[0]).toBe(start!.meshes[0]);
  });

  it('bends skinned meshes: vertices follow their joints, the node itself does not count', async () => {
    const base = triangleScene();
    // Vertex 1 hangs on the second joint; the joints rest at x = 0 and x = 1.
    const weights = addAccessor(base, [1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0], 'VEC4');
    const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const bind = addAccessor(weights.scene, [...identity, ...identity.with(12, -1)], 'MAT4');
    const { json } = bind.scene;
    const bytes = Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
    const view =
      json.bufferViews.push({ buffer: 0, byteOffset: bind.scene.binary.length, byteLength: bytes.length }) - 1;
    const joints = json.accessors.push({ bufferView: view, componentType: 5121, count: 3, type: 'VEC4' }) - 1;
    const withJoints = { json, binary: Buffer.concat([bind.scene.binary, bytes]) };
    json.buffers[0].byteLength = withJoints.binary.length;
    Object.assign(json.meshes[0].primitives[0].attributes, { JOINTS_0: joints, WEIGHTS_0: weights.index });
    json.skins = [{ joints: [1, 2], inverseBindMatrices: bind.index }];
    json.nodes = [
      { mesh: 0, skin: 0, translation: [100, 0, 0] },
      { name: 'hip' },
      { name: 'knee', translation: [1, 0, 0] },
    ];
    json.scenes[0].nodes = [0, 1, 2];
    const scene = await load(animate(withJoints, 2, 'translation', [0, 1], [1, 0, 0, 1, 0, 5], 'VEC3'));
    const instancer = new SceneInstancer(scene);
    const rest = instancer.at(0, null, 1);
    expect([...rest.meshes[0]!.positions]).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 0]);
    expect(rest.instances[0]!.transform[12]).toBe(0);
    const bent = instancer.at(1, null, 1);
    expect([...bent.meshes[0]!.positions]).toEqual([0, 0, 0, 1, 0, 5, 0, 1, 0]);
    expect(bent.meshes[0]!.id).toBe(rest.meshes[0]!.id);
    expect(bent.meshes[0]!.revision).toBe(rest.meshes[0]!.revision + 1);
    // Held after the end: the same vertices, so the same revision.
    expect(instancer.at(3, null, 1).meshes[0]).toBe(bent.meshes[0]);
  });

  it('morphs', async () => {
    const target = addAccessor(triangleScene(), [0, 0, 0, 0, 0, 2, 0, 0, 0], 'VEC3');
    target.scene.json.meshes[0].primitives[0].targets = [{ POSITION: target.index }];
    target.scene.json.meshes[0].weights = [0];
    const scene = await load(animate(target.scene, 0, 'weights', [0, 1], [0, 1], 'SCALAR'));
    const instancer = new SceneInstancer(scene);
    expect(instancer.at(0, null, 1).meshes[0]!.positions[5]).toBe(0);
    expect(instancer.at(0.5, null, 1).meshes[0]!.positions[5]).toBe(1);
  });

  it('morphs normals and tangents, whose handedness stays', () => {
    const base = {
      ...{ positions: new Float32Array(9), normals: new Float32Array([0, 0, 1, 0, 0, 1, 0, 0, 1]), flatNormals: false },
      ...{ tangents: new Float32Array([1, 0, 0, -1, 1, 0, 0, -1, 1, 0, 0, 1]), uv0: null, uv1: null, colors: null },
      ...{ indices: Uint32Array.of(0, 1, 2), joints: null, weights: null, influences: 0 },
      targets: [
        {
          positions: null,
          normals: new Float32Array([0, 2, 0, 0, 0, 0, 0, 0, 0]),
          tangents: new Float32Array([0, 0, 0, -1, 1, 0, 0, 0, 0]),
        },
      ],
    };
    const { normals, tangents } = morph(base, [1]);
    expect([...normals.subarray(0, 3)].map((value) => Math.round(value * 1e3) / 1e3)).toEqual([0, 0.894, 0.447]);
    expect([...tangents!]).toEqual([1, 0, 0, -1, 0, 1, 0, -1, 1, 0, 0, 1]);
    expect([...morph(base, [0]).tangents!]).toEqual([...base.tangents]);
  });
});
