/** Scenes and the node graph, straight from the JSON: which scene is meant, and its nodes with parents before children. */
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';

/** Deepest nesting of nodes. Rigs stay below a hundred; checks of deeper graphs take time that grows with the square. */
const MAX_NODE_DEPTH = 512;

/** Children of each node, whatever the JSON holds in their place: the validator has not looked at it yet. */
function childrenOf(json: GLTF.IGLTF): number[][] {
  const nodes: unknown[] = Array.isArray(json.nodes) ? json.nodes : [];
  return nodes.map((node) => {
    const children = (node as { children?: unknown } | null)?.children;
    return Array.isArray(children) ? children.filter((child) => Number.isInteger(child) && child in nodes) : [];
  });
}

/**
 * Refuses circles (`SceneInvalid`) and graphs nested too deeply (`SceneTooLarge`) in one pass over the nodes (Kahn 1962),
 * before anything walks the graph that could lose its way or its stack.
 */
export function checkGraph(json: GLTF.IGLTF, file: string): void {
  const children = childrenOf(json);
  const parents = new Uint32Array(children.length);
  for (const list of children) for (const child of list) parents[child]!++;
  const depth = new Uint32Array(children.length);
  const ready = [...parents.keys()].filter((node) => parents[node] === 0);
  let placed = 0;
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    placed++;
    for (const child of children[next]!) {
      depth[child] = Math.max(depth[child]!, depth[next]! + 1);
      if (--parents[child]! === 0) ready.push(child);
    }
  }
  if (placed < children.length) {
    const pointer = `/nodes/${parents.findIndex((count) => count > 0)}`;
    throw new FarmError('SceneInvalid', `${file}: ${pointer} is part of a circle of nodes`, { file, pointer });
  }
  const deepest = depth.findIndex((nodes) => nodes > MAX_NODE_DEPTH);
  if (deepest >= 0) {
    const pointer = `/nodes/${deepest}`;
    const message = `${file}: ${pointer} is nested more than ${MAX_NODE_DEPTH} nodes deep`;
    throw new FarmError('SceneTooLarge', message, { file, pointer, limit: MAX_NODE_DEPTH });
  }
}

/** What people call a scene: its name, else its number. */
const sceneName = (json: GLTF.IGLTF, index: number): string => json.scenes?.[index]?.name || `scene ${index}`;

/**
 * Index of the scene that is wanted, by name or number; null takes the file's own choice. Throws `SceneInvalid` for a file
 * without scenes and `SettingInvalid` for an unknown one, listing those that exist.
 */
export function chooseScene(json: GLTF.IGLTF, wanted: string | null, file: string): number {
  const scenes = json.scenes ?? [];
  if (scenes.length === 0) throw new FarmError('SceneInvalid', `${file} holds no scene`, { file, pointer: '/scenes' });
  if (wanted === null) return json.scene ?? 0;
  const byName = scenes.findIndex((_, index) => sceneName(json, index) === wanted);
  if (byName >= 0) return byName;
  if (/^\d{1,9}$/.test(wanted) && Number(wanted) < scenes.length) return Number(wanted);
  const known = scenes.map((_, index) => `"${sceneName(json, index)}"`).join(', ');
  throw new FarmError('SettingInvalid', `${file} has no scene "${wanted}"; it has ${known}`, {
    file,
    setting: 'scene',
    value: wanted,
  });
}

/** A node of a scene by its place in the JSON, and its parent by its place in the ordered list (-1 for roots). */
export interface OrderedNode {
  source: number;
  parent: number;
}

/** Nodes of one scene, parents before children, each once, without recursion. */
export function orderNodes(json: GLTF.IGLTF, scene: number): OrderedNode[] {
  const ordered: OrderedNode[] = [];
  const seen = new Set<number>();
  const stack = (json.scenes?.[scene]?.nodes ?? []).map((source) => ({ source, parent: -1 })).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (seen.has(next.source)) continue;
    seen.add(next.source);
    const parent = ordered.push(next) - 1;
    const children = json.nodes?.[next.source]?.children ?? [];
    for (let k = children.length - 1; k >= 0; k--) stack.push({ source: children[k]!, parent });
  }
  return ordered;
}
