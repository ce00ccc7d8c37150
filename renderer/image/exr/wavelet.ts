/**
 * The two-dimensional Haar wavelet of PIZ, in place on 16-bit samples, lossless. Layout and arithmetic are those of OpenEXR's
 * `wav2Encode`: below 2^14 a plain mean and difference, above it both modulo 2^16.
 */

const OFFSET = 1 << 15;
const MASK = 0xffff;

/** Results of one butterfly. */
let low = 0;
let high = 0;

const signed = (value: number): number => (value << 16) >> 16;

function encodeSmall(a: number, b: number): void {
  low = ((signed(a) + signed(b)) >> 1) & MASK;
  high = (signed(a) - signed(b)) & MASK;
}

function decodeSmall(l: number, h: number): void {
  const difference = signed(h);
  const a = signed(l) + (difference & 1) + (difference >> 1);
  low = a & MASK;
  high = (a - difference) & MASK;
}

function encodeModulo(a: number, b: number): void {
  const shifted = (a + OFFSET) & MASK;
  const difference = shifted - b;
  const mean = (shifted + b) >> 1;
  low = difference < 0 ? (mean + OFFSET) & MASK : mean;
  high = difference & MASK;
}

function decodeModulo(l: number, h: number): void {
  const b = (l - (h >> 1)) & MASK;
  low = (h + b - OFFSET) & MASK;
  high = b;
}

/** A plane of samples inside an array. */
export interface WaveletPlane {
  data: Uint16Array;
  /** Index of its first sample. */
  start: number;
  width: number;
  height: number;
  /** From one sample to the next, and from one line to the next. */
  stepX: number;
  stepY: number;
}

/** Largest value for which the plain butterflies do not overflow. */
const SMALL = 1 << 14;

/** Transforms a plane whose values are at most `largest`. */
export function waveletEncode(plane: WaveletPlane, largest: number): void {
  const encode = largest < SMALL ? encodeSmall : encodeModulo;
  const shorter = Math.min(plane.width, plane.height);
  for (let p = 1; p * 2 <= shorter; p *= 2) level(plane, p, encode, false);
}

/** Undoes `waveletEncode`. */
export function waveletDecode(plane: WaveletPlane, largest: number): void {
  const decode = largest < SMALL ? decodeSmall : decodeModulo;
  const shorter = Math.min(plane.width, plane.height);
  let p = 1;
  while (p * 2 <= shorter) p *= 2;
  for (p /= 2; p >= 1; p /= 2) level(plane, p, decode, true);
}

/** One level: squares of four samples `p` apart; an odd last column or line goes in pairs. */
function level(
  { data, start, width, height, stepX, stepY }: WaveletPlane,
  p: number,
  butterfly: (a: number, b: number) => void,
  isInverse: boolean,
): void {
  const [x1, x2, y1, y2] = [stepX * p, stepX * p * 2, stepY * p, stepY * p * 2];
  const lastX = stepX * (width - p * 2);
  // The inverse undoes lines before columns, which is the same square with its middle corners swapped.
  const [near, far] = isInverse ? [y1, x1] : [x1, y1];
  let y = start;
  for (const lastY = start + stepY * (height - p * 2); y <= lastY; y += y2) {
    let at = y;
    for (const end = y + lastX; at <= end; at += x2) {
      butterfly(data[at]!, data[at + near]!);
      const a = low;
      const b = high;
      butterfly(data[at + far]!, data[at + near + far]!);
      const c = low;
      const d = high;
      butterfly(a, c);
      data[at] = low;
      data[at + far] = high;
      butterfly(b, d);
      data[at + near] = low;
      data[at + near + far] = high;
    }
    if (width & p) pair(data, at, at + y1, butterfly);
  }
  if (height & p) {
    for (let at = y; at <= y + lastX; at += x2) pair(data, at, at + x1, butterfly);
  }
}

function pair(data: Uint16Array, first: number, second: number, butterfly: (a: number, b: number) => void): void {
  butterfly(data[first]!, data[second]!);
  data[first] = low;
  data[second] = high;
}
