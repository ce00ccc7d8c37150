/** A camera as the quick techniques want it: the tracer's own pixel grid, without lens and motion. */
import type { TracerCamera } from '../scene/description.ts';
import { orthonormalColumns, type Vector } from '../wasm/matrix.ts';

export interface PinholeView {
  right: Vector;
  up: Vector;
  back: Vector;
  eye: Vector;
  near: number;
  /** Size of a pixel at distance 1 (perspective) or in the world (orthographic). */
  pixelSize: number;
  orthographic: boolean;
}

/** The view of a picture that is `height` pixels high, as `wasm/assembly/camera.ts` has it. */
export function pinholeView({ transform, projection, near }: TracerCamera, height: number): PinholeView {
  const [right, up, back] = orthonormalColumns(transform);
  const half = projection.kind === 'perspective' ? Math.tan(projection.yfov / 2) : projection.ymag;
  return {
    ...{ right, up, back, near },
    eye: [transform[12]!, transform[13]!, transform[14]!],
    pixelSize: (2 * half) / height,
    orthographic: projection.kind === 'orthographic',
  };
}
