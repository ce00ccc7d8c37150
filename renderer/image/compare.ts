/** How far a picture is from a reference: numbers for tests, verification and benchmarks. */
import { flipMap } from './flip.ts';

export interface Comparison {
  /** Mean over pixels and RGB of the squared difference. */
  mse: number;
  /** The same, each over the reference's square plus 0.01 (Rousselle et al. 2011): what dark parts lack counts as much. */
  relMse: number;
  /** Mean FLIP of the pictures as a screen would show them, 0 to 1; see `flip.ts`. */
  flip: number;
}

export interface PictureSize {
  width: number;
  height: number;
  /** Numbers from one pixel to the next, RGB first; 4 when left out. */
  stride?: number;
}

/** Keeps relMSE finite where the reference is black. */
const RELATIVE_EPSILON = 0.01;

function checkSizes(test: ArrayLike<number>, reference: ArrayLike<number>, size: PictureSize): number {
  const stride = size.stride ?? 4;
  const needed = size.width * size.height * stride;
  if (test.length !== needed || reference.length !== needed) {
    throw new RangeError(`pictures of ${test.length} and ${reference.length} numbers; ${needed} are needed`);
  }
  return stride;
}

function meanOverColors(
  test: ArrayLike<number>,
  reference: ArrayLike<number>,
  size: PictureSize,
  error: (value: number, wanted: number) => number,
): number {
  const stride = checkSizes(test, reference, size);
  const pixels = size.width * size.height;
  let sum = 0;
  for (let i = 0; i < pixels; i++) {
    for (let k = 0; k < 3; k++) sum += error(test[i * stride + k]!, reference[i * stride + k]!);
  }
  return sum / (pixels * 3);
}

/** Mean squared error over RGB. Throws `RangeError` when sizes differ. */
export const meanSquaredError = (test: ArrayLike<number>, reference: ArrayLike<number>, size: PictureSize): number =>
  meanOverColors(test, reference, size, (a, b) => (a - b) ** 2);

/** Relative mean squared error over RGB. Throws `RangeError` when sizes differ. */
export const relativeMeanSquaredError = (
  test: ArrayLike<number>,
  reference: ArrayLike<number>,
  size: PictureSize,
): number => meanOverColors(test, reference, size, (a, b) => (a - b) ** 2 / (b * b + RELATIVE_EPSILON));

/**
 * Mean FLIP of two linear pictures, shown at an exposure (stops) and clamped: light above the screen's white counts as white.
 * Throws `RangeError` when sizes differ.
 */
export function meanFlip(
  test: ArrayLike<number>,
  reference: ArrayLike<number>,
  size: PictureSize,
  exposure = 0,
): number {
  const stride = checkSizes(test, reference, size);
  const gain = 2 ** exposure;
  const shown = (picture: ArrayLike<number>): Float32Array => Float32Array.from(picture, (value) => value * gain);
  const map = flipMap(shown(test), shown(reference), size.width, size.height, stride);
  return map.reduce((sum, value) => sum + value, 0) / map.length;
}

/** All three. NaN anywhere makes the numbers NaN. */
export function comparePictures(
  test: ArrayLike<number>,
  reference: ArrayLike<number>,
  size: PictureSize,
  exposure = 0,
): Comparison {
  return {
    mse: meanSquaredError(test, reference, size),
    relMse: relativeMeanSquaredError(test, reference, size),
    flip: meanFlip(test, reference, size, exposure),
  };
}
