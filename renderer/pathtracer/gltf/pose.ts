/** World transforms, morph weights and visibility of all nodes at one time. */
import { type Clip, sampleChannel } from './animation.ts';
import { compose, type Mat4, multiply } from './matrix.ts';
import type { SceneNode } from './sceneNodes.ts';

export interface Pose {
  /** Object to world, by node. */
  world: Mat4[];
  /** Morph weights, by node. */
  weights: number[][];
  /** Whether a node and all above it are shown. */
  visible: boolean[];
}

/** The pose at `time` seconds; the last key is held after the end, the first before the beginning. */
export function poseAt(scene: { nodes: readonly SceneNode[]; clips: readonly Clip[] }, time: number): Pose {
  const translation = scene.nodes.map((node): ArrayLike<number> => node.translation);
  const rotation = scene.nodes.map((node): ArrayLike<number> => node.rotation);
  const scale = scene.nodes.map((node): ArrayLike<number> => node.scale);
  const weights = scene.nodes.map((node) => node.weights);
  const shown = scene.nodes.map((node): ArrayLike<number> => [node.visible ? 1 : 0]);
  const targets = { translation, rotation, scale, weights, visible: shown };
  const moved = new Set<number>();
  for (const clip of scene.clips) {
    for (const channel of clip.channels) {
      if (channel.path === 'pointer') continue;
      targets[channel.path][channel.node] = sampleChannel(channel, time);
      moved.add(channel.node);
    }
  }
  const world: Mat4[] = [];
  const visible: boolean[] = [];
  scene.nodes.forEach((node, index) => {
    const local =
      node.matrix && !moved.has(index) ? node.matrix : compose(translation[index]!, rotation[index]!, scale[index]!);
    world.push(node.parent < 0 ? local : multiply(world[node.parent]!, local));
    visible.push(shown[index]![0]! !== 0 && (node.parent < 0 || visible[node.parent]!));
  });
  return { world, weights, visible };
}
