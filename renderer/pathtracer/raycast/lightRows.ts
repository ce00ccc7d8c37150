/** Quick light as rows of floats for the ray-cast kernels. */
import { BLURRED_HEIGHT, BLURRED_WIDTH, type QuickLight, type RadianceMap } from '../environment/quickLight.ts';
import { rows, type Table } from './steps.ts';

/** Floats of a light: position, direction towards it, intensity, spot scale and offset, kind (0 point, 1 spot, 2 directional). */
export const LIGHT_WIDTH = 12;

/** Punctual lights, `LIGHT_WIDTH` floats each. */
export function packLights({ lights }: QuickLight): Float32Array {
  const table = new Float32Array(Math.max(1, lights.length) * LIGHT_WIDTH);
  lights.forEach((light, index) => {
    const position = light.kind === 'directional' ? [0, 0, 0] : light.position;
    const towards =
      light.kind === 'point' ? [0, 0, 0] : light.direction.map((value) => -value / Math.hypot(...light.direction));
    let [scale, offset] = [0, 1];
    if (light.kind === 'spot') {
      // KHR_lights_punctual: the cone's edge falls off between the cosines of its two angles.
      const outer = Math.cos(light.outerConeAngle);
      scale = 1 / Math.max(0.001, Math.cos(light.innerConeAngle) - outer);
      offset = -outer * scale;
    }
    const kind = { point: 0, spot: 1, directional: 2 }[light.kind];
    table.set([...position, ...towards, ...light.intensity, scale, offset, kind], index * LIGHT_WIDTH);
  });
  return table;
}

/** What the kernels read of the light. */
export function lightTables(light: QuickLight): Record<'lights' | 'irradiance' | 'sharp' | 'blurred', Table> {
  const sharp = sharpRows(light);
  return {
    lights: rows(packLights(light), LIGHT_WIDTH),
    irradiance: rows(light.irradiance, 3),
    sharp: rows(sharp.data, sharp.width * 3),
    blurred: rows(packBlurred(light), BLURRED_WIDTH * 3),
  };
}

/** The environment's picture; one black pixel where there is none. */
export const sharpRows = ({ sharp }: QuickLight): RadianceMap =>
  sharp ?? { width: 1, height: 1, data: new Float32Array(3) };

/** Blurred copies below one another, all of one size. */
export function packBlurred({ blurred }: QuickLight): Float32Array {
  const size = BLURRED_WIDTH * BLURRED_HEIGHT * 3;
  const stack = new Float32Array(size * blurred.length);
  blurred.forEach(({ data }, level) => {
    for (let i = 0; i < size; i++) stack[level * size + i] = data.length === 3 ? data[i % 3]! : data[i]!;
  });
  return stack;
}
