/** World transforms and morph weights of all nodes at one time. */
import { sampleChannel } from './animation.ts';
import type { LoadedScene } from './load.ts';
import { compose, type Mat4, multiply } from './matrix.ts';

export interface Pose {
  /** Object to world, by node. */
  world: Mat4[];
  /** Morph weights, by node. */
  weights: number[][];
}

/** The pose at `time` seconds; the last key is held after the end, the first before the beginning. */
export function poseAt(scene: LoadedScene, time: number): Pose {
  const translation = scene.nodes.map((node): ArrayLike<number> => node.translation);
  const rotation = scene.nodes.map((node): ArrayLike<number> => node.rotation);
  const scale = scene.nodes.map((node): ArrayLike<number> => node.scale);
  const weights = scene.nodes.map((node) => node.weights);
  const targets = { translation, rotation, scale, weights };
  for (const clip of scene.clips) {
    for (const channel of clip.channels) targets[channel.path][channel.node] = sampleChannel(channel, time);
  }
  const world: Mat4[] = [];
  scene.nodes.forEach((node, index) => {
    const local = compose(translation[index]!, rotation[index]!, scale[index]!);
    world.push(node.parent < 0 ? local : multiply(world[node.parent]!, local));
  });
  return { world, weights };
}
