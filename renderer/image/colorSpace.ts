/**
 * Linear colour spaces of the files: Rec.709 (in which the tracer works) and ACEScg. Matrices are made from the published
 * primaries: SMPTE RP 177-1993 for RGB to XYZ, Bradford's cone responses (K. M. Lam 1985, as in ICC.1:2022 annex E) from one white
 * to the other.
 */
import type { RenderSettings } from '../../domain/scene.ts';

export type ColorSpace = RenderSettings['output']['colorSpace'];

/** Red x y, green x y, blue x y, white x y (CIE 1931), as the `chromaticities` attribute has them. */
export type Chromaticities = readonly [number, number, number, number, number, number, number, number];

export const CHROMATICITIES: Record<ColorSpace, Chromaticities> = {
  /** ITU-R BT.709-6, D65. */
  rec709: [0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329],
  /** SMPTE S-2014-004 (ACEScg): primaries AP1, the ACES white near D60. */
  acescg: [0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767],
};

/** Names by which the Color Interop Forum knows them; OpenEXR's `colorInteropID`. */
export const COLOR_INTEROP_IDS: Record<ColorSpace, string> = { rec709: 'lin_rec709_scene', acescg: 'lin_ap1_scene' };

/** Row-major 3x3. */
export type Matrix3 = readonly number[];

const BRADFORD: Matrix3 = [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296];

const multiply = (a: Matrix3, b: Matrix3): Matrix3 =>
  Array.from({ length: 9 }, (_, at) => {
    const [row, column] = [Math.floor(at / 3), at % 3];
    return a[row * 3]! * b[column]! + a[row * 3 + 1]! * b[3 + column]! + a[row * 3 + 2]! * b[6 + column]!;
  });

const apply = (m: Matrix3, [x, y, z]: readonly [number, number, number]): [number, number, number] => [
  m[0]! * x + m[1]! * y + m[2]! * z,
  m[3]! * x + m[4]! * y + m[5]! * z,
  m[6]! * x + m[7]! * y + m[8]! * z,
];

function invert(m: Matrix3): Matrix3 {
  const [a, b, c, d, e, f, g, h, i] = m as [number, number, number, number, number, number, number, number, number];
  const adjugate = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f];
  adjugate.push(d * h - e * g, b * g - a * h, a * e - b * d);
  const determinant = a * adjugate[0]! + b * adjugate[3]! + c * adjugate[6]!;
  return adjugate.map((value) => value / determinant);
}

const diagonal = ([x, y, z]: readonly [number, number, number]): Matrix3 => [x, 0, 0, 0, y, 0, 0, 0, z];

/** XYZ of a chromaticity with Y = 1. */
const xyzOf = (x: number, y: number): [number, number, number] => [x / y, 1, (1 - x - y) / y];

function rgbToXyz([rx, ry, gx, gy, bx, by, wx, wy]: Chromaticities): Matrix3 {
  const [red, green, blue] = [xyzOf(rx, ry), xyzOf(gx, gy), xyzOf(bx, by)];
  const primaries = [0, 1, 2].flatMap((row) => [red[row]!, green[row]!, blue[row]!]);
  return multiply(primaries, diagonal(apply(invert(primaries), xyzOf(wx, wy))));
}

/** From one linear space to another, white to white. */
export function conversionMatrix(from: Chromaticities, to: Chromaticities): Matrix3 {
  const [a, b] = [apply(BRADFORD, xyzOf(from[6], from[7])), apply(BRADFORD, xyzOf(to[6], to[7]))];
  const scale = diagonal([b[0] / a[0], b[1] / a[1], b[2] / a[2]]);
  const adaptation = multiply(invert(BRADFORD), multiply(scale, BRADFORD));
  return multiply(invert(rgbToXyz(to)), multiply(adaptation, rgbToXyz(from)));
}

/** Linear Rec.709 pixels in the named space; the array itself when there is nothing to do. `stride` floats a pixel, RGB first. */
export function convertColors(pixels: Float32Array, stride: number, space: ColorSpace): Float32Array {
  if (space === 'rec709') return pixels;
  const m = conversionMatrix(CHROMATICITIES.rec709, CHROMATICITIES[space]);
  const out = pixels.slice();
  for (let i = 0; i + 2 < pixels.length; i += stride) {
    const [r, g, b] = [pixels[i]!, pixels[i + 1]!, pixels[i + 2]!];
    out[i] = m[0]! * r + m[1]! * g + m[2]! * b;
    out[i + 1] = m[3]! * r + m[4]! * g + m[5]! * b;
    out[i + 2] = m[6]! * r + m[7]! * g + m[8]! * b;
  }
  return out;
}
