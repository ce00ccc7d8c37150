/** Which node of the next frame's file is the same as one of this frame's. */
import type { SceneNode } from './sceneNodes.ts';

/**
 * Counterparts by index: a node of the same name in the same place of the file, else the only one of that name; -1 where
 * there is none. Exporters of sequences write the same graph again and again, and simulations add and drop a few nodes.
 */
export function counterparts(now: readonly SceneNode[], next: readonly SceneNode[]): (index: number) => number {
  const byName = new Map<string, number>();
  for (const [index, { name }] of next.entries()) byName.set(name, byName.has(name) ? -1 : index);
  return (index) => {
    const { name } = now[index]!;
    return next[index]?.name === name ? index : (byName.get(name) ?? -1);
  };
}
