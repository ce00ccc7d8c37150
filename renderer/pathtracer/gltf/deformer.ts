/** Vertices of a scene's parts at a time: as in the file, or morphed and skinned. */
import { FarmError } from '../../../domain/errors.ts';
import type { MeshGeometry } from '../scene/description.ts';
import { type DeformedVertices, morph, skin } from './deform.ts';
import type { LoadedScene } from './load.ts';
import { isFiniteMatrix, multiply } from './matrix.ts';
import type { ScenePart } from './parts.ts';
import type { Pose } from './pose.ts';

interface Deformed {
  /** What the vertices follow from; null for those that never change. */
  key: string | null;
  vertices: DeformedVertices;
}

export interface Deformer {
  /** A node's part (by its place among the node's parts). Throws `SceneInvalid` when a joint is not finite. */
  at(nodeIndex: number, ordinal: number, pose: Pose): Deformed;
}

/** What does not move with vertices. */
export const attributesOf = ({
  geometry,
  material,
}: ScenePart): Pick<MeshGeometry, 'uv0' | 'uv1' | 'colors' | 'indices' | 'material'> => {
  const { uv0, uv1, colors, indices } = geometry;
  return { uv0, uv1, colors, indices, material };
};

/** Remembers the last two results of each part: with motion blur this frame's next is the next frame's now. */
export function makeDeformer(scene: LoadedScene): Deformer {
  const recent = new Map<string, Deformed[]>();
  return {
    at(nodeIndex, ordinal, pose) {
      const node = scene.nodes[nodeIndex]!;
      const { geometry } = scene.parts[node.parts[ordinal]!]!;
      const skinOf = node.skin >= 0 && geometry.joints ? scene.skins[node.skin]! : null;
      const isMorphed = geometry.targets.length > 0;
      const rest = { positions: geometry.positions, normals: geometry.normals, tangents: geometry.tangents };
      if (!skinOf && !isMorphed) return { key: null, vertices: rest };
      const weights = pose.weights[nodeIndex]!;
      const joints = skinOf?.joints.map((joint, k) => multiply(pose.world[joint]!, skinOf.inverseBind[k]!)) ?? null;
      const key = JSON.stringify([isMorphed ? weights : null, joints]);
      const slot = `${nodeIndex}/${ordinal}`;
      const known = recent.get(slot) ?? [];
      const found = known.find((deformed) => deformed.key === key);
      if (found) return found;
      if (!(joints ?? []).every(isFiniteMatrix)) {
        const { file } = scene;
        throw new FarmError('SceneInvalid', `${file}: the place of node "${node.name}" is not finite`, {
          file,
          node: node.name,
        });
      }
      const morphed = isMorphed ? morph(geometry, weights) : rest;
      const deformed = { key, vertices: joints ? skin(geometry, morphed, joints) : morphed };
      recent.set(slot, [...known.slice(-1), deformed]);
      return deformed;
    },
  };
}
