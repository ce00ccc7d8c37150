/**
 * KTX2 pictures (KHR_texture_basisu: ETC1S and UASTC, with Zstandard) as RGBA8, through the Basis Universal transcoder that
 * npm `ktx2-encoder` carries. Sizes are checked in the header first: https://registry.khronos.org/KTX/specs/2.0/
 */
import type { TextureImage } from '../scene/description.ts';

const IDENTIFIER = Buffer.from([0xab, 0x4b, 0x54, 0x58, 0x20, 0x32, 0x30, 0xbb, 0x0d, 0x0a, 0x1a, 0x0a]);
const HEADER_BYTES = 80;
const LEVEL_BYTES = 24;
/** Bytes of a compressed block of 4 × 4 pixels in UASTC. */
const BLOCK_BYTES = 16;
const ZSTANDARD = 2;
/** `cTFRGBA32` of the transcoder. */
const RGBA32 = 13;

export const isKtx2 = (bytes: Uint8Array): boolean => IDENTIFIER.equals(bytes.subarray(0, IDENTIFIER.length));

/** Width and height from a checked header. Throws an `Error` that says what is wrong. */
export function readKtx2Size(bytes: Uint8Array): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES + LEVEL_BYTES) throw new Error('it is cut off');
  const word = (offset: number): number => view.getUint32(offset, true);
  const [format, width, height] = [word(12), word(20), word(24)];
  if (format !== 0) throw new Error('it is a KTX2 picture of another kind than Basis Universal');
  if (word(28) > 1 || word(32) > 1 || word(36) !== 1) throw new Error('it is no flat KTX2 picture');
  if (width === 0 || height === 0) throw new Error('it has no pixels');
  if (word(40) > 16) throw new Error(`it claims ${word(40)} levels`);
  const [start, length, unfolded] = [0, 8, 16].map((offset) => Number(view.getBigUint64(HEADER_BYTES + offset, true)));
  if (start! + length! > bytes.length) throw new Error('it is cut off');
  const possible = Math.ceil(width / 4) * Math.ceil(height / 4) * BLOCK_BYTES;
  if (word(44) === ZSTANDARD && unfolded! > possible)
    throw new Error('its first level unfolds to more than its pixels');
  return { width, height };
}

/** What we call of the transcoder. */
interface Transcoder {
  KTX2File: new (
    bytes: Uint8Array,
  ) => {
    isValid(): boolean;
    getWidth(): number;
    getHeight(): number;
    startTranscoding(): number;
    getImageTranscodedSizeInBytes(level: number, layer: number, face: number, format: number): number;
    transcodeImage(
      target: Uint8Array,
      level: number,
      layer: number,
      face: number,
      format: number,
      flags: number,
      channel0: number,
      channel1: number,
    ): number;
    close(): void;
    delete(): void;
  };
}

let transcoder: Promise<Transcoder> | undefined;

async function loadTranscoder(): Promise<Transcoder> {
  // The package's types are those of its build for browsers; Node gets this class beside the same functions.
  const library = (await import('ktx2-encoder')) as unknown as {
    NodeBasisEncoder: new () => { init(): Promise<Transcoder> };
  };
  return new library.NodeBasisEncoder().init();
}

/** Decodes the largest level. Throws an `Error` that says what is wrong. */
export async function decodeKtx2(bytes: Uint8Array): Promise<TextureImage> {
  const { width, height } = readKtx2Size(bytes);
  transcoder ??= loadTranscoder();
  const { KTX2File } = await transcoder;
  const file = new KTX2File(bytes);
  try {
    if (!file.isValid() || file.getWidth() !== width || file.getHeight() !== height || !file.startTranscoding()) {
      throw new Error('its data is damaged');
    }
    const data = new Uint8Array(file.getImageTranscodedSizeInBytes(0, 0, 0, RGBA32));
    if (data.length !== width * height * 4 || !file.transcodeImage(data, 0, 0, 0, RGBA32, 0, -1, -1)) {
      throw new Error('its data is damaged');
    }
    return { width, height, data };
  } catch (error) {
    // A trap leaves the module's memory in an unknown state.
    if (error instanceof WebAssembly.RuntimeError) transcoder = undefined;
    throw error;
  } finally {
    file.close();
    file.delete();
  }
}
