/**
 * Light for the quick techniques (ray-cast look and raster draft), which trace no second ray: an environment as nine numbers of
 * irradiance and some blurred copies, punctual lights as they are, and a lamp at the camera where a scene offers neither.
 *
 * R. Ramamoorthi and P. Hanrahan, "An Efficient Representation for Irradiance Environment Maps", SIGGRAPH 2001; B. Karis, "Real
 * Shading in Unreal Engine 4", SIGGRAPH 2013 courses (copies blurred by GGX with view = normal = reflection).
 */
import type { EnvironmentMap, PunctualLight, SceneDescription } from '../scene/description.ts';

/** Size of the picture of the environment, which mirrors and background show, at most. */
const SHARP_WIDTH = 1024;
/** Size of the blurred copies. */
export const BLURRED_WIDTH = 64;
export const BLURRED_HEIGHT = 32;
/** Roughness of the blurred copies; 0 is the sharp picture. */
export const BLURRED_ROUGHNESS = [0.25, 0.5, 0.75, 1] as const;
/** Light that fills shadows where there is no environment, as a share of what the lamps give. */
const FILL = 0.12;
/** Most punctual lights that are looked at, the strongest first. */
export const MAX_QUICK_LIGHTS = 16;

/** Latitude-longitude radiance in world directions, three floats a pixel, intensity and rotation applied. */
export interface RadianceMap {
  width: number;
  height: number;
  data: Float32Array;
}

export interface QuickLight {
  /** Irradiance over π for a normal n: sum of these nine RGB coefficients times the basis 1, y, z, x, xy, yz, 3z²-1, xz, x²-y². */
  irradiance: Float32Array;
  /** What a ray that hits nothing sees; null shows nothing, with alpha 0. */
  sharp: RadianceMap | null;
  /** One for each of `BLURRED_ROUGHNESS`; a uniform fill where there is no environment. */
  blurred: RadianceMap[];
  lights: PunctualLight[];
}

/** Keeps what it made of the last environment: shots have one. */
export class QuickLightMaker {
  #environment: { map: EnvironmentMap; light: Pick<QuickLight, 'irradiance' | 'sharp' | 'blurred'> } | null = null;

  /** Light of a scene; `towards` is the direction in which the camera looks. */
  make(scene: SceneDescription, towards: readonly [number, number, number]): QuickLight {
    const { environment } = scene;
    const lights = [...scene.lights].sort((a, b) => strength(b) - strength(a)).slice(0, MAX_QUICK_LIGHTS);
    if (environment && environment.intensity > 0) return { ...this.#environmentLight(environment), lights };
    // Emissive meshes light nothing here, so a scene lit by them alone needs the lamp, too.
    if (lights.length === 0) lights.push({ kind: 'directional', direction: [...towards], intensity: [2.5, 2.5, 2.5] });
    const fill = lights.reduce((sum, light) => sum + Math.min(1, strength(light)), 0) * (FILL / lights.length);
    return { ...uniform(Math.max(0.02, fill)), sharp: null, lights };
  }

  #environmentLight(map: EnvironmentMap): Pick<QuickLight, 'irradiance' | 'sharp' | 'blurred'> {
    const known = this.#environment;
    if (
      known &&
      known.map.data === map.data &&
      known.map.intensity === map.intensity &&
      known.map.rotation === map.rotation
    ) {
      return known.light;
    }
    const sharp = resample(map, Math.min(SHARP_WIDTH, map.width));
    const small = shrinkTo(sharp, BLURRED_WIDTH, BLURRED_HEIGHT);
    const light = {
      sharp,
      irradiance: project(small),
      blurred: BLURRED_ROUGHNESS.map((roughness) => blur(small, roughness)),
    };
    this.#environment = { map, light };
    return light;
  }
}

const strength = ({ intensity }: PunctualLight): number =>
  0.2126 * intensity[0] + 0.7152 * intensity[1] + 0.0722 * intensity[2];

function uniform(radiance: number): { irradiance: Float32Array; blurred: RadianceMap[] } {
  const irradiance = new Float32Array(27).fill(radiance, 0, 3);
  const map = { width: 1, height: 1, data: new Float32Array(3).fill(radiance) };
  return { irradiance, blurred: BLURRED_ROUGHNESS.map(() => map) };
}

/** Mean of the picture over each pixel of a smaller one that is `width` wide and half as high, rotation and intensity applied. */
function resample({ width, height, data, rotation, intensity }: EnvironmentMap, wide: number): RadianceMap {
  const high = Math.max(1, Math.round((wide * height) / width));
  const out = new Float32Array(wide * high * 3);
  const across = Math.max(1, Math.round(width / wide));
  const down = Math.max(1, Math.round(height / high));
  const turn = rotation / (2 * Math.PI);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      // A direction at u looks at u + turn in the file.
      const u = x / wide + turn;
      const x0 = Math.round((u - Math.floor(u)) * width);
      const y0 = Math.floor((y * height) / high);
      let [r, g, b] = [0, 0, 0];
      for (let j = 0; j < down; j++) {
        const row = Math.min(height - 1, y0 + j) * width;
        for (let i = 0; i < across; i++) {
          const at = (row + ((x0 + i) % width)) * 3;
          r += data[at]!;
          g += data[at + 1]!;
          b += data[at + 2]!;
        }
      }
      const scale = intensity / (across * down);
      out.set([r * scale, g * scale, b * scale], (y * wide + x) * 3);
    }
  }
  return { width: wide, height: high, data: out };
}

function shrinkTo(map: RadianceMap, width: number, height: number): RadianceMap {
  const out = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    // At least one row and column: small pictures are repeated, so that sums over directions are still fine ones.
    const y0 = Math.floor((y * map.height) / height);
    const y1 = Math.max(y0 + 1, Math.floor(((y + 1) * map.height) / height));
    for (let x = 0; x < width; x++) {
      const x0 = Math.floor((x * map.width) / width);
      const x1 = Math.max(x0 + 1, Math.floor(((x + 1) * map.width) / width));
      const to = (y * width + x) * 3;
      for (let j = y0; j < y1; j++) {
        for (let i = x0; i < x1; i++) {
          for (let k = 0; k < 3; k++) out[to + k]! += map.data[(j * map.width + i) * 3 + k]!;
        }
      }
      for (let k = 0; k < 3; k++) out[to + k]! /= (y1 - y0) * (x1 - x0);
    }
  }
  return { width, height, data: out };
}

/** Direction and solid angle of each pixel: x, y, z, angle. */
function directions(width: number, height: number): Float32Array {
  const out = new Float32Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const theta = ((y + 0.5) / height) * Math.PI;
    const angle = ((2 * Math.PI) / width) * (Math.cos((y / height) * Math.PI) - Math.cos(((y + 1) / height) * Math.PI));
    for (let x = 0; x < width; x++) {
      const phi = ((x + 0.5) / width - 0.5) * 2 * Math.PI;
      out.set(
        [Math.sin(theta) * Math.sin(phi), Math.cos(theta), -Math.sin(theta) * Math.cos(phi), angle],
        (y * width + x) * 4,
      );
    }
  }
  return out;
}

/** The basis of `QuickLight.irradiance` at a direction, without normalisation. */
const basis = (x: number, y: number, z: number): number[] => [
  ...[1, y, z, x],
  ...[x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y],
];
/** Squares of the basis's normalisations (Ramamoorthi and Hanrahan, equation 3) times the cosine lobe's factor over π. */
const WEIGHTS = [
  0.282095 ** 2,
  ...[1, 1, 1].map(() => (0.488603 ** 2 * 2) / 3),
  ...[1.092548, 1.092548, 0.315392, 1.092548, 0.546274].map((norm) => norm ** 2 / 4),
];

function project({ width, height, data }: RadianceMap): Float32Array {
  const out = new Float64Array(27);
  const rays = directions(width, height);
  for (let i = 0; i < width * height; i++) {
    const values = basis(rays[4 * i]!, rays[4 * i + 1]!, rays[4 * i + 2]!);
    for (let n = 0; n < 9; n++) {
      const weight = values[n]! * WEIGHTS[n]! * rays[4 * i + 3]!;
      for (let k = 0; k < 3; k++) out[3 * n + k]! += weight * data[3 * i + k]!;
    }
  }
  return Float32Array.from(out);
}

/** Reflection of the map by a rough mirror that faces the viewer (GGX, alpha = roughness²). */
function blur(map: RadianceMap, roughness: number): RadianceMap {
  const [width, height] = [BLURRED_WIDTH, BLURRED_HEIGHT];
  const from = directions(map.width, map.height);
  const to = directions(width, height);
  const alpha2 = roughness ** 4;
  const out = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [nx, ny, nz] = [to[4 * i]!, to[4 * i + 1]!, to[4 * i + 2]!];
    let [r, g, b, sum] = [0, 0, 0, 0];
    for (let j = 0; j < from.length; j += 4) {
      const cosine = nx * from[j]! + ny * from[j + 1]! + nz * from[j + 2]!;
      if (cosine <= 0) continue;
      const half2 = 0.5 + 0.5 * cosine;
      const lobe = half2 * (alpha2 - 1) + 1;
      const weight = (cosine * from[j + 3]!) / (lobe * lobe);
      const at = (j >> 2) * 3;
      r += weight * map.data[at]!;
      g += weight * map.data[at + 1]!;
      b += weight * map.data[at + 2]!;
      sum += weight;
    }
    out.set([r / sum, g / sum, b / sum], 3 * i);
  }
  return { width, height, data: out };
}
