/**
 * FLIP: how different two pictures look to a person who flips between them, for each pixel from 0 (alike) to 1.
 *
 * P. Andersson, J. Nilsson, T. Akenine-Möller, M. Oskarsson, K. Åström, M. D. Fairchild, "FLIP: A Difference Evaluator for
 * Alternating Images", HPG 2020. This is the version for pictures of limited range; no npm package offers it. Symbols are the
 * paper's.
 */

/** The paper's viewing conditions: 0.7 m before a screen 0.7 m wide with 3840 pixels. */
export const DEFAULT_PIXELS_PER_DEGREE = (0.7 * 3840 * Math.PI) / (0.7 * 180);

/** Gaussians of the contrast sensitivity functions (weight a, width b) of luminance, red-green and blue-yellow. */
const SENSITIVITY = [
  [{ a: 1, b: 0.0047 }],
  [{ a: 1, b: 0.0053 }],
  [
    { a: 34.1, b: 0.04 },
    { a: 13.5, b: 0.025 },
  ],
] as const;
const WIDEST = 0.04;
/** Exponent and knee of the colour difference, exponent and width of the feature difference. */
const Q_C = 0.7;
const P_C = 0.4;
const P_T = 0.95;
const Q_F = 0.5;
const FEATURE_WIDTH = 0.082;

/** XYZ of linear sRGB (IEC 61966-2-1), each over that of white. */
const TO_XYZ = [0.412453, 0.35758, 0.180423, 0.212671, 0.71516, 0.072169, 0.019334, 0.119193, 0.950227] as const;
const WHITE = [0, 3, 6].map((row) => TO_XYZ[row]! + TO_XYZ[row + 1]! + TO_XYZ[row + 2]!);

function invert3(m: readonly number[]): number[] {
  const [a, b, c, d, e, f, g, h, i] = m as [number, number, number, number, number, number, number, number, number];
  const adjugate = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f];
  adjugate.push(d * h - e * g, b * g - a * h, a * e - b * d);
  const determinant = a * adjugate[0]! + b * adjugate[3]! + c * adjugate[6]!;
  return adjugate.map((value) => value / determinant);
}
const FROM_XYZ = invert3(TO_XYZ);

type Triple = [number, number, number];

const transform = (m: readonly number[], [x, y, z]: Triple): Triple => [
  m[0]! * x + m[1]! * y + m[2]! * z,
  m[3]! * x + m[4]! * y + m[5]! * z,
  m[6]! * x + m[7]! * y + m[8]! * z,
];

/** The paper's linearised L*a*b*: luminance, red-green, blue-yellow. */
function toOpponent(rgb: Triple): Triple {
  const [X, Y, Z] = transform(TO_XYZ, rgb);
  const [x, y, z] = [X / WHITE[0]!, Y / WHITE[1]!, Z / WHITE[2]!];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function fromOpponent([luminance, redGreen, blueYellow]: Triple): Triple {
  const y = (luminance + 16) / 116;
  const xyz: Triple = [(redGreen / 500 + y) * WHITE[0]!, y * WHITE[1]!, (y - blueYellow / 200) * WHITE[2]!];
  return transform(FROM_XYZ, xyz);
}

const labCurve = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);

/** L*a*b* with colourfulness that fades in the dark (Hunt effect). */
function toHuntLab(rgb: Triple): Triple {
  const xyz = transform(TO_XYZ, rgb);
  const [x, y, z] = xyz.map((value, i) => labCurve(value / WHITE[i]!)) as Triple;
  const lightness = 116 * y - 16;
  return [lightness, 0.01 * lightness * 500 * (x - y), 0.01 * lightness * 200 * (y - z)];
}

/** HyAB: city block in lightness, Euclidean in colour. */
const hyab = (a: Triple, b: Triple): number => Math.abs(a[0] - b[0]) + Math.hypot(a[1] - b[1], a[2] - b[2]);

const LARGEST = hyab(toHuntLab([0, 1, 0]), toHuntLab([0, 0, 1])) ** Q_C;

function colorDifference(a: Triple, b: Triple): number {
  const power = hyab(a, b) ** Q_C;
  const knee = P_C * LARGEST;
  return power < knee ? (P_T / knee) * power : P_T + ((power - knee) / (LARGEST - knee)) * (1 - P_T);
}

/** Samples a function at -radius to radius. */
const tabulate = (radius: number, of: (x: number) => number): Float64Array =>
  Float64Array.from({ length: 2 * radius + 1 }, (_, i) => of(i - radius));

const scaled = (kernel: Float64Array, factor: number): Float64Array => kernel.map((value) => value * factor);
const sumOf = (kernel: Float64Array): number => kernel.reduce((sum, value) => sum + value, 0);

/** Makes the positive values add up to 1 and the negative ones to -1. */
function balanced(kernel: Float64Array): Float64Array {
  const positive = sumOf(kernel.map((value) => Math.max(value, 0)));
  const negative = -sumOf(kernel.map((value) => Math.min(value, 0)));
  return kernel.map((value) => (value > 0 ? value / positive : value / negative));
}

interface Plane {
  width: number;
  height: number;
  data: Float64Array;
}

/** Convolves rows with one kernel and columns with another; pixels beyond the edge are those at the edge. */
function convolve({ width, height, data }: Plane, alongX: Float64Array, alongY: Float64Array): Float64Array {
  const [rx, ry] = [alongX.length >> 1, alongY.length >> 1];
  const rows = new Float64Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = -rx; k <= rx; k++) {
        sum += alongX[k + rx]! * data[y * width + Math.min(Math.max(x + k, 0), width - 1)]!;
      }
      rows[y * width + x] = sum;
    }
  }
  const out = new Float64Array(data.length);
  for (let k = -ry; k <= ry; k++) {
    const weight = alongY[k + ry]!;
    for (let y = 0; y < height; y++) {
      const from = Math.min(Math.max(y + k, 0), height - 1) * width;
      for (let x = 0; x < width; x++) out[y * width + x]! += weight * rows[from + x]!;
    }
  }
  return out;
}

/** What an eye at this distance resolves of one opponent plane. */
function blur(plane: Plane, channel: 0 | 1 | 2, pixelsPerDegree: number): Float64Array {
  const radius = Math.ceil(3 * Math.sqrt(WIDEST / (2 * Math.PI ** 2)) * pixelsPerDegree);
  const parts = SENSITIVITY[channel].map(({ a, b }) => {
    const kernel = tabulate(radius, (x) => Math.exp((-(Math.PI ** 2) * (x / pixelsPerDegree) ** 2) / b));
    return { kernel, weight: a * Math.sqrt(Math.PI / b) };
  });
  const total = parts.reduce((sum, { kernel, weight }) => sum + weight * sumOf(kernel) ** 2, 0);
  const out = new Float64Array(plane.data.length);
  for (const { kernel, weight } of parts) {
    const part = convolve(plane, scaled(kernel, weight / total), kernel);
    for (let i = 0; i < out.length; i++) out[i]! += part[i]!;
  }
  return out;
}

/** Strength of edges and of points in luminance. */
function features(luminance: Plane, pixelsPerDegree: number): { edges: Float64Array; points: Float64Array } {
  const sigma = 0.5 * FEATURE_WIDTH * pixelsPerDegree;
  const radius = Math.ceil(3 * sigma);
  const gauss = tabulate(radius, (x) => Math.exp(-(x ** 2) / (2 * sigma ** 2)));
  const smooth = scaled(gauss, 1 / sumOf(gauss));
  const first = balanced(gauss.map((value, i) => -(i - radius) * value));
  const second = balanced(gauss.map((value, i) => ((i - radius) ** 2 / sigma ** 2 - 1) * value));
  const strength = (kernel: Float64Array): Float64Array => {
    const [dx, dy] = [convolve(luminance, kernel, smooth), convolve(luminance, smooth, kernel)];
    return dx.map((value, i) => Math.hypot(value, dy[i]!));
  };
  return { edges: strength(first), points: strength(second) };
}

function seen(pixels: ArrayLike<number>, stride: number, width: number, height: number, pixelsPerDegree: number) {
  const count = width * height;
  const planes = [0, 1, 2].map(() => ({ width, height, data: new Float64Array(count) }));
  const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);
  for (let i = 0; i < count; i++) {
    const rgb = [0, 1, 2].map((k) => clamp(pixels[i * stride + k]!)) as Triple;
    for (const [k, value] of toOpponent(rgb).entries()) planes[k]!.data[i] = value;
  }
  const blurred = planes.map((plane, k) => blur(plane, k as 0 | 1 | 2, pixelsPerDegree));
  const colors = Array.from({ length: count }, (_, i) => {
    const rgb = fromOpponent([blurred[0]![i]!, blurred[1]![i]!, blurred[2]![i]!]);
    return toHuntLab(rgb.map(clamp) as Triple);
  });
  const luminance = { width, height, data: planes[0]!.data.map((value) => (value + 16) / 116) };
  return { colors, ...features(luminance, pixelsPerDegree) };
}

/**
 * The difference map of two pictures, row-major. Pixels are linear sRGB light as a screen shows it, 0 to 1 (what is beyond is
 * clamped), `stride` numbers a pixel, RGB first.
 */
export function flipMap(
  test: ArrayLike<number>,
  reference: ArrayLike<number>,
  width: number,
  height: number,
  stride = 3,
  pixelsPerDegree = DEFAULT_PIXELS_PER_DEGREE,
): Float32Array {
  const a = seen(reference, stride, width, height, pixelsPerDegree);
  const b = seen(test, stride, width, height, pixelsPerDegree);
  return Float32Array.from({ length: width * height }, (_, i) => {
    const color = colorDifference(a.colors[i]!, b.colors[i]!);
    const edges = Math.abs(a.edges[i]! - b.edges[i]!);
    const points = Math.abs(a.points[i]! - b.points[i]!);
    const feature = (Math.max(edges, points) / Math.SQRT2) ** Q_F;
    return color ** (1 - feature);
  });
}
