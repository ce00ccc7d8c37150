/**
 * PIZ: values that occur are numbered without gaps, planes go through a wavelet, what comes out through a Huffman coder.
 * Lossless, and best for grainy pictures. Layout: "OpenEXR File Layout" and OpenEXR's `ImfPizCompressor`.
 */
import { ExrError, type ExrPixelType } from './format.ts';
import { huffmanCompress, huffmanUncompress } from './huffman.ts';
import { type WaveletPlane, waveletDecode, waveletEncode } from './wavelet.ts';

/** One bit for each 16-bit value: whether it occurs. Zero counts as occurring and has no bit. */
const BITMAP_BYTES = 8192;

const wordsPerSample = (type: ExrPixelType): number => (type === 'half' ? 1 : 2);

/** Planes in a chunk's words: channel after channel; samples of 32 bits are two planes, low and high halves interleaved. */
function planesOf(data: Uint16Array, types: readonly ExrPixelType[], width: number, lines: number): WaveletPlane[] {
  const planes: WaveletPlane[] = [];
  let start = 0;
  for (const type of types) {
    const stepX = wordsPerSample(type);
    for (let word = 0; word < stepX; word++) {
      planes.push({ data, start: start + word, width, height: lines, stepX, stepY: width * stepX });
    }
    start += width * lines * stepX;
  }
  return planes;
}

/** Copies between the file's order (line by line, channel by channel) and planes (channel by channel, line by line). */
function reorder(
  types: readonly ExrPixelType[],
  width: number,
  lines: number,
  copy: (inLines: number, inPlanes: number, words: number) => void,
): void {
  const lineWords = types.reduce((sum, type) => sum + width * wordsPerSample(type), 0);
  let plane = 0;
  let column = 0;
  for (const type of types) {
    const words = width * wordsPerSample(type);
    for (let line = 0; line < lines; line++) copy(line * lineWords + column, plane + line * words, words);
    plane += words * lines;
    column += words;
  }
}

/** The words of a chunk's bytes; the copy is aligned. */
const wordsOf = (bytes: Uint8Array): Uint16Array => {
  const words = new Uint16Array(bytes.length / 2);
  new Uint8Array(words.buffer).set(bytes);
  return words;
};

/** Compresses a chunk of `lines` lines as the file lays them out raw. `types` are the channels' in file order. */
export function pizCompress(raw: Uint8Array, types: readonly ExrPixelType[], width: number, lines: number): Uint8Array {
  const inLines = wordsOf(raw);
  const data = new Uint16Array(inLines.length);
  reorder(types, width, lines, (from, to, words) => data.set(inLines.subarray(from, from + words), to));

  const bitmap = new Uint8Array(BITMAP_BYTES);
  for (const value of data) bitmap[value >>> 3]! |= 1 << (value & 7);
  bitmap[0]! &= ~1;
  const number = new Uint16Array(65_536);
  let largest = 0;
  for (let value = 1; value < 65_536; value++) {
    if (bitmap[value >>> 3]! & (1 << (value & 7))) number[value] = ++largest;
  }
  for (let i = 0; i < data.length; i++) data[i] = number[data[i]!]!;
  for (const plane of planesOf(data, types, width, lines)) waveletEncode(plane, largest);

  const codes = huffmanCompress(data);
  // Without any value but zero the range is written the wrong way round, and no bitmap follows.
  const first = largest > 0 ? bitmap.findIndex((byte) => byte !== 0) : BITMAP_BYTES - 1;
  const last = largest > 0 ? bitmap.findLastIndex((byte) => byte !== 0) : 0;
  const bitmapBytes = Math.max(0, last - first + 1);
  const out = new Uint8Array(4 + bitmapBytes + 4 + codes.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, first, true);
  view.setUint16(2, last, true);
  out.set(bitmap.subarray(first, first + bitmapBytes), 4);
  view.setUint32(4 + bitmapBytes, codes.length, true);
  out.set(codes, 8 + bitmapBytes);
  return out;
}

/** Undoes `pizCompress`. Throws `ExrError` on damage. */
export function pizUncompress(
  coded: Uint8Array,
  types: readonly ExrPixelType[],
  width: number,
  lines: number,
): Uint8Array {
  const view = new DataView(coded.buffer, coded.byteOffset, coded.byteLength);
  if (coded.length < 8) throw new ExrError('a chunk ends inside its range');
  const first = view.getUint16(0, true);
  const last = view.getUint16(2, true);
  if (last >= BITMAP_BYTES) throw new ExrError('a chunk has an absurd range');
  const bitmapBytes = Math.max(0, last - first + 1);
  if (coded.length < 8 + bitmapBytes) throw new ExrError('a chunk ends inside its range');
  const values = new Uint16Array(65_536);
  let largest = 0;
  for (let byte = 0; byte < bitmapBytes; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      const value = (first + byte) * 8 + bit;
      if (coded[4 + byte]! & (1 << bit) && value > 0) values[++largest] = value;
    }
  }
  const codesAt = 8 + bitmapBytes;
  const size = view.getUint32(4 + bitmapBytes, true);
  if (codesAt + size > coded.length) throw new ExrError('a chunk ends inside its codes');

  const words = types.reduce((sum, type) => sum + width * lines * wordsPerSample(type), 0);
  const data = new Uint16Array(words);
  huffmanUncompress(coded.subarray(codesAt, codesAt + size), data);
  for (const plane of planesOf(data, types, width, lines)) waveletDecode(plane, largest);
  for (let i = 0; i < words; i++) data[i] = values[data[i]!]!;
  const inLines = new Uint16Array(words);
  reorder(types, width, lines, (to, from, count) => inLines.set(data.subarray(from, from + count), to));
  return new Uint8Array(inLines.buffer);
}
