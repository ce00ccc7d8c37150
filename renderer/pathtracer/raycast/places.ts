/** Where rays met their surfaces. */
import type { SceneDescription } from '../scene/description.ts';
import type { PinholeView } from './view.ts';

/**
 * World positions (four numbers a pixel, the last unused; null unless wanted) and depths along the viewing axis (infinite without a
 * hit) of what `findHit` gave. `memoryOf`: which instance of the scene each of the tree's is.
 */
export function placesOf(
  hits: Float32Array,
  { scene, memoryOf }: { scene: SceneDescription; memoryOf: readonly number[] },
  { back, eye }: PinholeView,
  withPositions: boolean,
): { positions: Float32Array | null; depth: Float32Array } {
  const count = hits.length / 4;
  const positions = withPositions ? new Float32Array(count * 4) : null;
  const depth = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const placed = memoryOf.map((source) => {
    const { mesh, transform } = scene.instances[source]!;
    const { indices, positions: points } = scene.meshes[mesh]!;
    return { indices, points, transform };
  });
  for (let i = 0; i < count; i++) {
    const instance = hits[4 * i]!;
    if (instance < 0) continue;
    const { indices, points, transform } = placed[instance]!;
    const at = hits[4 * i + 1]! * 3;
    const u = hits[4 * i + 2]!;
    const v = hits[4 * i + 3]!;
    const w = 1 - u - v;
    const a = indices[at]! * 3;
    const b = indices[at + 1]! * 3;
    const c = indices[at + 2]! * 3;
    const x = points[a]! * w + points[b]! * u + points[c]! * v;
    const y = points[a + 1]! * w + points[b + 1]! * u + points[c + 1]! * v;
    const z = points[a + 2]! * w + points[b + 2]! * u + points[c + 2]! * v;
    let along = 0;
    for (let k = 0; k < 3; k++) {
      const value = transform[k]! * x + transform[4 + k]! * y + transform[8 + k]! * z + transform[12 + k]!;
      if (positions) positions[4 * i + k] = value;
      along -= (value - eye[k]!) * back[k]!;
    }
    depth[i] = along;
  }
  return { positions, depth };
}
