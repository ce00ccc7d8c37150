/** The light that a scene without light gets: a photographer's studio, made of numbers. */
import type { EnvironmentMap } from '../scene/description.ts';

/** A rectangular light on the sphere of directions; angles in radians. */
interface Softbox {
  /** Where its middle is: 0 straight ahead (-Z), positive to the right (+X). */
  azimuth: number;
  elevation: number;
  halfWidth: number;
  halfHeight: number;
  /** Width of its soft edge. */
  feather: number;
  radiance: [number, number, number];
}

const DEGREE = Math.PI / 180;

/** Key from the upper left behind the camera, weaker cool fill from the right, a rim from behind, an overhead bank. */
const SOFTBOXES: Softbox[] = [
  {
    azimuth: -140 * DEGREE,
    elevation: 38 * DEGREE,
    halfWidth: 26 * DEGREE,
    halfHeight: 20 * DEGREE,
    feather: 8 * DEGREE,
    radiance: [9, 8.4, 7.6],
  },
  {
    azimuth: 120 * DEGREE,
    elevation: 20 * DEGREE,
    halfWidth: 24 * DEGREE,
    halfHeight: 24 * DEGREE,
    feather: 14 * DEGREE,
    radiance: [1.9, 2.2, 2.7],
  },
  {
    azimuth: 12 * DEGREE,
    elevation: 30 * DEGREE,
    halfWidth: 34 * DEGREE,
    halfHeight: 7 * DEGREE,
    feather: 5 * DEGREE,
    radiance: [4.6, 4.8, 5.2],
  },
];

const WIDTH = 512;
const HEIGHT = 256;

const smoothstep = (edge0: number, edge1: number, x: number): number => {
  const t = Math.min(1, Math.max(0, (x - edge0) / (edge1 - edge0)));
  return t * t * (3 - 2 * t);
};

function softboxWeight(box: Softbox, azimuth: number, elevation: number): number {
  let across = Math.abs(azimuth - box.azimuth);
  if (across > Math.PI) across = 2 * Math.PI - across;
  across *= Math.cos(elevation);
  const up = Math.abs(elevation - box.elevation);
  return (
    (1 - smoothstep(box.halfWidth - box.feather, box.halfWidth + box.feather, across)) *
    (1 - smoothstep(box.halfHeight - box.feather, box.halfHeight + box.feather, up))
  );
}

let studio: EnvironmentMap | undefined;

/** A 512×256 studio: grey cyclorama, three softboxes, mean radiance near 1. The same object every time. */
export function studioEnvironment(): EnvironmentMap {
  if (studio) return studio;
  const data = new Float32Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    const elevation = Math.PI / 2 - ((y + 0.5) / HEIGHT) * Math.PI;
    // Floor darker than ceiling, with a soft horizon.
    const height = smoothstep(-0.35, 0.9, Math.sin(elevation));
    const wall = [0.16 + 0.5 * height, 0.165 + 0.52 * height, 0.175 + 0.56 * height];
    for (let x = 0; x < WIDTH; x++) {
      const azimuth = ((x + 0.5) / WIDTH - 0.5) * 2 * Math.PI;
      const at = (y * WIDTH + x) * 3;
      for (let k = 0; k < 3; k++) data[at + k] = wall[k]!;
      for (const box of SOFTBOXES) {
        const weight = softboxWeight(box, azimuth, elevation);
        if (weight > 0) for (let k = 0; k < 3; k++) data[at + k]! += weight * box.radiance[k]!;
      }
    }
  }
  studio = { width: WIDTH, height: HEIGHT, data, rotation: 0, intensity: 1, revision: 1 };
  return studio;
}
