/** Environment pictures from Radiance (.hdr) and OpenEXR files, through `hdrify`. */
import { convertLinearColorSpace, type HdrifyImage, readExr, readHdr } from 'hdrify';
import { FarmError } from '../../../domain/errors.ts';
import { readExrHeader } from '../../image/exr/read.ts';

/** Latitude-longitude radiance, three floats a pixel, row 0 straight up. */
export interface EnvironmentPixels {
  width: number;
  height: number;
  data: Float32Array;
}

/** Largest picture, 16,384 × 8,192: 1.6 GiB of floats. */
const MAX_PIXELS = 16_384 * 8_192;

const isExr = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x76 && bytes[1] === 0x2f && bytes[2] === 0x31 && bytes[3] === 0x01;

/** Size that a Radiance header states ("-Y height +X width"). */
function radianceSize(bytes: Uint8Array): { width: number; height: number } {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 65_536)).toString('latin1');
  const match = /\n-Y (\d+) \+X (\d+)\n/.exec(head);
  if (!head.startsWith('#?') || !match)
    throw new Error('it is neither OpenEXR nor Radiance RGBE with rows from top to bottom');
  return { width: Number(match[2]), height: Number(match[1]) };
}

/**
 * Makes what `readHdr` read into what the file says, mantissa · 2^(exponent - 136) (Ward 1991), as OpenImageIO, Blender and Mitsuba
 * have it: the reader adds half a step and divides by 255 in place of 256, which is about a percent, more in dark channels.
 * What it gives for a mantissa m is an odd number, 2 m + 1, times a power of two, so that both are found again.
 */
function asStored(data: Float32Array): void {
  const step = new Float32Array(1);
  const bits = new Uint32Array(step.buffer);
  for (let i = 0; i < data.length; i++) {
    step[0] = (data[i]! * 255) / 256;
    const exponent = bits[0]! >>> 23;
    // The nine bits that an odd number below 512 has, rounded: the reader's floats are.
    const digits = Math.round(((bits[0]! & 0x7f_ffff) | 0x80_0000) / 2 ** 15);
    const one = digits & -digits;
    data[i] = exponent === 0 ? 0 : (digits - one) * 2 ** (exponent - 127 - 8);
  }
}

/**
 * Decodes to linear Rec.709. Negative and non-finite values become 0: an environment is a light. Throws `EnvironmentInvalid`
 * for damaged files and `SceneTooLarge` for absurd sizes, before memory is taken.
 */
export function decodeEnvironment(bytes: Uint8Array, label: string): EnvironmentPixels {
  let image: HdrifyImage;
  try {
    const { width, height } = isExr(bytes) ? readExrHeader(bytes) : radianceSize(bytes);
    if (!(width > 0 && height > 0 && width * height <= MAX_PIXELS)) {
      throw new FarmError('SceneTooLarge', `environment ${label} has ${width}x${height} pixels`, { file: label });
    }
    // Also files that begin with `#?RGBE`.
    image = isExr(bytes) ? readExr(bytes) : readHdr(bytes, { headerStrict: false });
    if (!isExr(bytes)) asStored(image.data);
    if (image.linearColorSpace !== 'linear-rec709') image = convertLinearColorSpace(image, 'linear-rec709');
  } catch (cause) {
    if (cause instanceof FarmError) throw cause;
    const why = (cause as Error).message;
    throw new FarmError(
      'EnvironmentInvalid',
      `environment ${label} cannot be read: ${why}`,
      { file: label },
      { cause },
    );
  }
  const pixels = image.width * image.height;
  const data = new Float32Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    for (let k = 0; k < 3; k++) {
      const value = image.data[i * 4 + k]!;
      data[i * 3 + k] = value > 0 && Number.isFinite(value) ? value : 0;
    }
  }
  return { width: image.width, height: image.height, data };
}
