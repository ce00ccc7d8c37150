/**
 * Animation channels: reading them, choosing which clips play, and sampling them. Standards: glTF 2.0, 3.11 and appendix C;
 * KHR_animation_pointer.
 */
import type { Accessor, GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { SceneWarning } from '../../../domain/scene.ts';
import { readFloats } from './accessors.ts';
import type { PointerTargets } from './pointers.ts';

export type NodePath = 'translation' | 'rotation' | 'scale' | 'weights' | 'visible';
type Interpolation = 'LINEAR' | 'STEP' | 'CUBICSPLINE';

export interface Channel {
  /** Index of the node that moves; -1 for what is not a node's. */
  node: number;
  path: NodePath | 'pointer';
  /** Sets what `pointer` names in the loaded document. */
  write?: (value: number[]) => void;
  /** JSON pointer of what is set, for `pointer`. */
  pointer?: string;
  interpolation: Interpolation;
  /** Seconds, increasing. */
  times: Float32Array;
  /** `size` numbers a key; for cubic splines in-tangent, value, out-tangent. */
  values: Float32Array;
  /** Numbers of one value: 1 to 4, or the number of morph targets. */
  size: number;
}

export interface Clip {
  name: string;
  channels: Channel[];
  /** Time of the last key, seconds. */
  duration: number;
}

/** Numbers that a value of a path has; null for morph weights, which have as many as there are targets. */
const SIZES: Record<NodePath, number | null> = { translation: 3, rotation: 4, scale: 3, weights: null, visible: 1 };

type Keys = Pick<Channel, 'interpolation' | 'times' | 'values' | 'size'>;

/** Keys of a sampler, checked against the size of what they set. Throws `SceneInvalid`. */
function readKeys(
  sampler: GLTF.IAnimationSampler,
  size: number | null,
  what: string,
  { accessors, file }: Pick<ClipContext, 'accessors' | 'file'>,
): Keys {
  const use = { file, what };
  const refuse = (why: string): never => {
    throw new FarmError('SceneInvalid', `${file}: ${what} ${why}`, { file, what });
  };
  const [input, output] = [accessors[sampler.input], accessors[sampler.output]];
  if (!input || !output) return refuse('has no keys');
  const times = readFloats(input, use);
  const values = readFloats(output, use);
  for (let i = 1; i < times.length; i++) if (times[i]! < times[i - 1]!) refuse(`has keys out of order at ${i}`);
  const interpolation = (sampler.interpolation ?? 'LINEAR') as Interpolation;
  const perKey = times.length ? values.length / times.length : 0;
  const found = interpolation === 'CUBICSPLINE' ? perKey / 3 : perKey;
  if (!Number.isInteger(found) || found === 0 || found !== (size ?? found)) {
    refuse(`has ${values.length} numbers for ${times.length} keys`);
  }
  return { interpolation, times, values, size: found };
}

/** What channels refer to. */
export interface ClipContext {
  json: GLTF.IGLTF;
  accessors: Accessor[];
  /** Index in `LoadedScene.nodes` by index in the file; nodes outside the scene have none. */
  nodeIndex: Map<number, number>;
  targets: PointerTargets;
  file: string;
}

/** All clips of a file; what moves nothing that is seen is left out. Throws `SceneInvalid`. */
export function readClips(context: ClipContext): { clips: Clip[]; warnings: SceneWarning[] } {
  const { json, nodeIndex, targets } = context;
  const unknown: string[] = [];
  const clips = (json.animations ?? []).map((animation, index): Clip => {
    const name = animation.name || `animation ${index + 1}`;
    const channels = animation.channels.flatMap(({ sampler: samplerIndex, target }): Channel[] => {
      const sampler = animation.samplers[samplerIndex];
      if (!sampler) return [];
      const pointer = pointerOf(target);
      if (pointer !== null) {
        const what = `${pointer} of animation "${name}"`;
        const found = targets.resolve(pointer);
        if (found === 'unknown') unknown.push(pointer);
        if (typeof found === 'string') return [];
        if ('nodes' in found) {
          const keys = readKeys(sampler, SIZES[found.path], what, context);
          return found.nodes.map((node) => ({ node, path: found.path, ...keys }));
        }
        return [
          { node: -1, path: 'pointer', pointer, write: found.write, ...readKeys(sampler, found.size, what, context) },
        ];
      }
      const node = target.node === undefined ? undefined : nodeIndex.get(target.node);
      const path = target.path as NodePath;
      if (!(path in SIZES)) return [];
      const keys = readKeys(sampler, SIZES[path], `${path} of animation "${name}"`, context);
      return node === undefined ? [] : [{ node, path, ...keys }];
    });
    return {
      name,
      channels,
      duration: channels.reduce((end, { times }) => Math.max(end, times[times.length - 1]!), 0),
    };
  });
  const warnings = [...new Set(unknown)].slice(0, 5).map((pointer): SceneWarning => {
    return { code: 'FeatureIgnored', message: `An animation moves ${pointer}, which this engine does not read.` };
  });
  return { clips, warnings };
}

/** The JSON pointer of a channel of KHR_animation_pointer, else null. */
function pointerOf(target: GLTF.IAnimationChannelTarget): string | null {
  if ((target.path as string) !== 'pointer') return null;
  const pointer = (target.extensions?.KHR_animation_pointer as { pointer?: unknown } | undefined)?.pointer;
  return typeof pointer === 'string' ? pointer : '';
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
    const targets = clip.channels.map(({ node, path, pointer }) => pointer ?? `${node}/${path}`);
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
