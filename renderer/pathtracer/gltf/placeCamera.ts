/** A camera of the file as the tracer wants it: placed, fitted to the picture, with its lens and its shutter. */
import type { LensSettings } from '../../../domain/scene.ts';
import type { TracerCamera } from '../scene/description.ts';
import type { CameraLens, CameraOptics } from './cameras.ts';
import { type Mat4, withoutScale } from './matrix.ts';

/** Half the height of the sensor that lenses are stated for: 24 mm, full frame. */
const HALF_SENSOR_METRES = 0.012;

/** Where the camera stands and what it sees, for a picture of this aspect (width over height). */
export function placeCamera(optics: CameraOptics, world: Readonly<Mat4>, aspect: number): TracerCamera {
  const transform = Float32Array.from(withoutScale(world));
  const { projection, near, aspectRatio } = optics;
  // What was framed stays in the picture when the picture is narrower than the camera.
  if (projection.kind === 'orthographic') {
    const ymag = Math.max(projection.ymag, projection.xmag / aspect);
    return { transform, projection: { kind: 'orthographic', ymag }, near };
  }
  let { yfov } = projection;
  if (aspectRatio !== null && aspect < aspectRatio) {
    yfov = 2 * Math.atan((Math.tan(yfov / 2) * aspectRatio) / aspect);
  }
  return { transform, projection: { kind: 'perspective', yfov }, near };
}

/**
 * The thin lens of a camera, or null for a pinhole: what the settings say goes before what the file says. The aperture
 * follows from the f-stop and the focal length that the field of view has over a sensor 24 mm high. `middle` tells the
 * distance of what the picture's middle shows, for lenses that are not told where to focus.
 */
export function lensOf(
  yfov: number,
  file: CameraLens | null,
  settings: LensSettings | null,
  middle: () => number,
): TracerCamera['lens'] {
  const fStop = settings?.fStop ?? file?.fStop ?? null;
  if (fStop === null) return null;
  const focalLength = HALF_SENSOR_METRES / Math.tan(yfov / 2);
  return {
    radius: focalLength / (2 * fStop),
    focusDistance: settings?.focusDistance ?? file?.focusDistance ?? middle(),
    blades: settings?.blades || file?.blades || 0,
  };
}
