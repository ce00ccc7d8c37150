/**
 * IEEE 754 binary16 ("half"), the sample type of most OpenEXR files. Rounding is to nearest, ties to even, as in OpenEXR's
 * own `half` class; what is beyond ±65504 is the caller's to clamp, here it becomes infinity.
 */

/** Largest finite half. */
export const HALF_MAX = 65_504;

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** One float as the 16 bits of the nearest half. */
export function floatToHalf(value: number): number {
  floatView[0] = value;
  return bitsToHalf(bitsView[0]!);
}

/** `floatToHalf` of the float that has these 32 bits. */
export function bitsToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude >= 0x4780_0000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
  if (magnitude < 0x3880_0000) {
    // Subnormal half: value / 2^-24, rounded by the float adder itself when 0.5 (ulp 2^-24) is added.
    if (magnitude < 0x3300_0000) return sign;
    const shift = 126 - (magnitude >>> 23);
    const mantissa = (magnitude & 0x7f_ffff) | 0x80_0000;
    const half = mantissa >>> shift;
    const rest = mantissa & ((1 << shift) - 1);
    const middle = 1 << (shift - 1);
    return sign | (rest > middle || (rest === middle && half & 1) ? half + 1 : half);
  }
  // A carry out of the mantissa walks into the exponent, which is the right answer (65520 and above becomes infinity).
  return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

let halfTable: Float32Array | undefined;

function decodeHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** All 65,536 halves as floats, built on first use: decoding a picture is then one look-up a sample. */
export function halfToFloatTable(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65_536 }, (_, half) => decodeHalf(half));
  return halfTable;
}
