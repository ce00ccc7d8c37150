/** Animation channels: reading them, choosing which clips play, and sampling them. Standard: glTF 2.0, 3.11 and appendix C. */
import type { Animation, AnimationChannel } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import { readFloats } from './accessors.ts';

type AnimatedPath = 'translation' | 'rotation' | 'scale' | 'weights';
type Interpolation = 'LINEAR' | 'STEP' | 'CUBICSPLINE';

export interface Channel {
  /** Index of the node that moves. */
  node: number;
  path: AnimatedPath;
  interpolation: Interpolation;
  /** Seconds, increasing. */
  times: Float32Array;
  /** `size` numbers a key; for cubic splines in-tangent, value, out-tangent. */
  values: Float32Array;
  /** Numbers of one value: 3, 4, or the number of morph targets. */
  size: number;
}

export interface Clip {
  name: string;
  channels: Channel[];
  /** Time of the last key, seconds. */
  duration: number;
}

function readChannel(channel: AnimationChannel, node: number, file: string, clip: string): Channel | null {
  const sampler = channel.getSampler();
  const input = sampler?.getInput();
  const output = sampler?.getOutput();
  const path = channel.getTargetPath();
  if (!sampler || !input || !output || !path) return null;
  const use = { file, what: `${path} of animation "${clip}"` };
  const times = readFloats(input, use);
  const values = readFloats(output, use);
  const refuse = (why: string): never => {
    throw new FarmError('SceneInvalid', `${file}: ${use.what} ${why}`, { file, animation: clip, path });
  };
  for (let i = 1; i < times.length; i++) if (times[i]! < times[i - 1]!) refuse(`has keys out of order at ${i}`);
  const interpolation = sampler.getInterpolation() as Interpolation;
  const perKey = times.length ? values.length / times.length : 0;
  const size = interpolation === 'CUBICSPLINE' ? perKey / 3 : perKey;
  const expected = path === 'rotation' ? 4 : path === 'weights' ? size : 3;
  if (times.length === 0 || size !== expected || !Number.isInteger(size) || size === 0) {
    refuse(`has ${values.length} numbers for ${times.length} keys`);
  }
  return { node, path: path as AnimatedPath, interpolation, times, values, size };
}

/** All clips of a document. `nodeIndex` numbers the nodes. Throws `SceneInvalid`. */
export function readClips(
  animations: Animation[],
  nodeIndex: (node: NonNullable<ReturnType<AnimationChannel['getTargetNode']>>) => number,
  file: string,
): Clip[] {
  return animations.map((animation, index) => {
    const name = animation.getName() || `animation ${index}`;
    const channels: Channel[] = [];
    for (const channel of animation.listChannels()) {
      const target = channel.getTargetNode();
      const read = target && readChannel(channel, nodeIndex(target), file, name);
      if (read) channels.push(read);
    }
    return { name, channels, duration: Math.max(0, ...channels.map(({ times }) => times[times.length - 1]!)) };
  });
}

/**
 * Which clips make up the shot. Exporters write one clip an object, which all belong together, or many actions of one
 * character, which exclude each other: so clips play in file order as long as no two move the same thing.
 */
export function chooseClips(clips: Clip[]): { played: Clip[]; skipped: Clip[] } {
  const claimed = new Set<string>();
  const played: Clip[] = [];
  const skipped: Clip[] = [];
  for (const clip of clips) {
    const targets = clip.channels.map((channel) => `${channel.node}/${channel.path}`);
    if (targets.some((target) => claimed.has(target))) {
      skipped.push(clip);
      continue;
    }
    for (const target of targets) claimed.add(target);
    played.push(clip);
  }
  return { played, skipped };
}

/** Last key at or before `time`; -1 before the first. */
function keyBefore(times: Float32Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Shortest way between two unit quaternions at `offset` and `next` in `values`. */
function slerp(values: Float32Array, offset: number, next: number, t: number): number[] {
  const a = Array.from(values.subarray(offset, offset + 4));
  let b = Array.from(values.subarray(next, next + 4));
  let cosine = a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]! + a[3]! * b[3]!;
  if (cosine < 0) {
    b = b.map((value) => -value);
    cosine = -cosine;
  }
  let [wa, wb] = [1 - t, t];
  if (cosine < 0.9995) {
    const angle = Math.acos(cosine);
    wa = Math.sin((1 - t) * angle) / Math.sin(angle);
    wb = Math.sin(t * angle) / Math.sin(angle);
  }
  return normalizeQuaternion(a.map((value, k) => wa * value + wb * b[k]!));
}

function normalizeQuaternion(q: number[]): number[] {
  const length = Math.hypot(...q);
  return length > 0 ? q.map((value) => value / length) : [0, 0, 0, 1];
}

/** Value of a channel at a time; held before the first and after the last key. */
export function sampleChannel(channel: Channel, time: number): number[] {
  const { times, values, size, interpolation, path } = channel;
  const cubic = interpolation === 'CUBICSPLINE';
  const stride = cubic ? size * 3 : size;
  const middle = cubic ? size : 0;
  const finish = (value: number[]): number[] => (path === 'rotation' ? normalizeQuaternion(value) : value);
  const keyValue = (key: number): number[] => {
    const at = key * stride + middle;
    return finish(Array.from(values.subarray(at, at + size)));
  };
  const key = keyBefore(times, time);
  if (key < 0) return keyValue(0);
  if (key >= times.length - 1) return keyValue(times.length - 1);
  if (interpolation === 'STEP') return keyValue(key);
  const span = times[key + 1]! - times[key]!;
  const t = span > 0 ? (time - times[key]!) / span : 0;
  const from = key * stride;
  const to = from + stride;
  if (!cubic) {
    if (path === 'rotation') return slerp(values, from, to, t);
    return Array.from({ length: size }, (_, k) => values[from + k]! + (values[to + k]! - values[from + k]!) * t);
  }
  const [t2, t3] = [t * t, t * t * t];
  return finish(
    Array.from({ length: size }, (_, k) => {
      const start = values[from + size + k]!;
      const leave = values[from + 2 * size + k]! * span;
      const arrive = values[to + k]! * span;
      const end = values[to + size + k]!;
      return (2 * t3 - 3 * t2 + 1) * start + (t3 - 2 * t2 + t) * leave + (-2 * t3 + 3 * t2) * end + (t3 - t2) * arrive;
    }),
  );
}
