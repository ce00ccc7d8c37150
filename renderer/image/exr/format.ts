/**
 * OpenEXR's file layout as far as we write and read it: single part, scan lines, HALF, FLOAT and UINT channels, compression
 * NONE, ZIPS, ZIP or PIZ. Standard: "Technical Introduction to OpenEXR" and "OpenEXR File Layout" (openexr.com).
 *
 * Why not a library: `hdrify`, which we use for reading environments, exports a writer for the colour channels of one layer
 * only, and no maintained npm package for Node 20 exports one for several layers of half floats, or for DWAA.
 */
import { EXR_COMPRESSIONS, type ExrCompression } from '../../../domain/scene.ts';

/** What is wrong with an EXR file. The caller knows whose file it is and makes a `FarmError` of it. */
export class ExrError extends Error {
  override readonly name = 'ExrError';
}

export const EXR_MAGIC = 20_000_630;

/** Version 2, single-part scan line file without long names. */
export const EXR_VERSION = 2;

export type ExrPixelType = 'uint' | 'half' | 'float';
/** What we write, of the compressions below. */
export type WritableCompression = ExrCompression;
export const WRITABLE_COMPRESSIONS: readonly WritableCompression[] = EXR_COMPRESSIONS;

/** Index is the code in the file. */
export const PIXEL_TYPES: readonly ExrPixelType[] = ['uint', 'half', 'float'];

/** Codes of the `compression` attribute that exist, by index; we decode those that we write. */
export const COMPRESSION_NAMES = ['none', 'rle', 'zips', 'zip', 'piz', 'pxr24', 'b44', 'b44a', 'dwaa', 'dwab'] as const;
export type ExrCompressionName = (typeof COMPRESSION_NAMES)[number];

/** Scan lines that share one chunk. */
export const LINES_PER_CHUNK: Record<WritableCompression, number> = { none: 1, zips: 1, zip: 16, piz: 32 };

/** Chunks of every compression end at multiples of this many lines. */
export const CHUNK_ALIGNMENT = 32;

export const bytesPerSample = (type: ExrPixelType): number => (type === 'half' ? 2 : 4);

/** Inclusive box, as EXR writes it. */
export interface ExrBox {
  xMin: number;
  yMin: number;
  xMax: number;
  yMax: number;
}

/** A rectangle of pixels as the renderer counts them: half open. */
export interface ExrRect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Values of attributes beyond those that every file must have. */
export type ExrAttribute =
  | { kind: 'int'; value: number }
  | { kind: 'float'; value: number }
  | { kind: 'double'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'm44f' /** Row-major as OpenEXR stores matrices. */; value: ArrayLike<number> }
  | { kind: 'chromaticities' /** Red x y, green x y, blue x y, white x y. */; value: ArrayLike<number> };

/**
 * Undoes the two transforms that OpenEXR applies before deflate: bytes of even and odd place are separated, then each byte is stored
 * as difference from its neighbour. Changes `coded`.
 */
export function unpredict(coded: Uint8Array, out: Uint8Array): void {
  for (let i = 1; i < coded.length; i++) coded[i] = coded[i - 1]! + coded[i]! - 128;
  const half = (coded.length + 1) >> 1;
  for (let i = 0, low = 0, high = half; i < coded.length; i += 2) {
    out[i] = coded[low++]!;
    if (i + 1 < coded.length) out[i + 1] = coded[high++]!;
  }
}
