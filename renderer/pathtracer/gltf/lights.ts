/** KHR_lights_punctual: lamps without a surface, in candela and lux. */
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { PunctualLight } from '../scene/description.ts';
import { type Mat4, normalize, transformDirection, type Vec3 } from './matrix.ts';

export const LIGHTS_EXTENSION = 'KHR_lights_punctual';

/** A lamp where no node has placed it yet. */
export interface SceneLight {
  kind: 'point' | 'spot' | 'directional';
  /** Colour times intensity: candela, or lux for directional lights. */
  intensity: Vec3;
  innerConeAngle: number;
  outerConeAngle: number;
}

interface LightJson {
  type?: unknown;
  color?: number[];
  intensity?: number;
  spot?: { innerConeAngle?: number; outerConeAngle?: number };
}

/** All lamps of the file, in its order. `range` is a hint for rasterisers and changes nothing. Throws `SceneInvalid`. */
export function readLights(json: GLTF.IGLTF, file: string): SceneLight[] {
  const lights = (json.extensions?.[LIGHTS_EXTENSION] as { lights?: LightJson[] } | undefined)?.lights ?? [];
  return lights.map((light, index) => {
    const { type: kind, color = [1, 1, 1], intensity = 1, spot = {} } = light;
    if (kind !== 'point' && kind !== 'spot' && kind !== 'directional') {
      const pointer = `/extensions/${LIGHTS_EXTENSION}/lights/${index}/type`;
      throw new FarmError('SceneInvalid', `${file}: ${pointer} is no kind of light`, { file, pointer });
    }
    return {
      kind,
      intensity: [0, 1, 2].map((k) => Math.max(0, (color[k] ?? 1) * intensity)) as Vec3,
      innerConeAngle: Math.max(0, spot.innerConeAngle ?? 0),
      outerConeAngle: Math.min(Math.PI / 2, spot.outerConeAngle ?? Math.PI / 4),
    };
  });
}

/** A lamp at its node: it shines down the node's -Z, and scale does not change it. */
export function placeLight(light: SceneLight, world: Readonly<Mat4>): PunctualLight {
  const position: Vec3 = [world[12]!, world[13]!, world[14]!];
  const direction = normalize(transformDirection(world, 0, 0, -1));
  const { intensity, innerConeAngle, outerConeAngle } = light;
  if (light.kind === 'point') return { kind: 'point', position, intensity };
  if (light.kind === 'directional') return { kind: 'directional', direction, intensity };
  return { kind: 'spot', position, direction, intensity, innerConeAngle, outerConeAngle };
}
