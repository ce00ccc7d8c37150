/** Encodes preview pictures as an H.264 film, through FFmpeg's libraries (`node-av`, which brings them along). */
import { rm } from 'node:fs/promises';
import {
  AV_LOG_ERROR,
  AV_PIX_FMT_YUV420P,
  AVCOL_PRI_BT709,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_TRC_BT709,
  Encoder,
  FF_ENCODER_LIBX264,
  Frame,
  Log,
  Muxer,
  Rational,
} from 'node-av';
import sharp from 'sharp';
import { FarmError } from '../../domain/errors.ts';
import { gapPicture } from './contactSheet.ts';

export interface FilmFrame {
  frame: number;
  /** Path of the PNG, or null: a missing frame is shown as a gap with its number, so that time stays right. */
  previewPath: string | null;
}

export interface FilmOptions {
  fps: number;
  /** Constant rate factor, 0 (lossless) to 51; 18 (visually lossless) when left out. */
  crf?: number;
  /** Larger pictures are scaled down, as players' decoders end here; 3840 when left out. */
  maxWidth?: number;
  signal?: AbortSignal;
  /** Called after each picture. */
  onFrame?: (done: number, total: number) => void;
}

export interface FilmFacts {
  width: number;
  height: number;
  frames: number;
}

/** Widest that a film is, pixels. */
export const FILM_WIDTH = 3840;

const even = (value: number): number => Math.max(2, value + (value & 1));

/** A frame rate as a fraction: 23.976 and its like are n·1000/1001 (SMPTE), others have three decimals. */
export function frameRate(fps: number): { num: number; den: number } {
  const ntsc = Math.round(fps * 1.001);
  if (Math.abs(fps - (ntsc * 1000) / 1001) < 0.0006 && Math.abs(fps - ntsc) > 0.001)
    return { num: ntsc * 1000, den: 1001 };
  return Number.isInteger(fps) ? { num: fps, den: 1 } : { num: Math.round(fps * 1000), den: 1000 };
}

/** RGB bytes to planar Y'CbCr 4:2:0, BT.709, limited range (ITU-R BT.709-6, 3.4). Sizes are even. */
function toYuv420(rgb: Uint8Array, width: number, height: number): Buffer {
  const luma = width * height;
  const out = Buffer.alloc(luma * 1.5);
  const chromaWidth = width / 2;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      let [r4, g4, b4] = [0, 0, 0];
      for (let k = 0; k < 4; k++) {
        const at = (y + (k >> 1)) * width + x + (k & 1);
        const [r, g, b] = [rgb[at * 3]!, rgb[at * 3 + 1]!, rgb[at * 3 + 2]!];
        out[at] = 16.5 + (219 / 255) * (0.2126 * r + 0.7152 * g + 0.0722 * b);
        r4 += r;
        g4 += g;
        b4 += b;
      }
      const y4 = 0.2126 * r4 + 0.7152 * g4 + 0.0722 * b4;
      const at = luma + (y / 2) * chromaWidth + x / 2;
      out[at] = 128.5 + ((224 / 255) * (b4 - y4)) / (4 * 1.8556);
      out[at + luma / 4] = 128.5 + ((224 / 255) * (r4 - y4)) / (4 * 1.5748);
    }
  }
  return out;
}

/** Size of the film: the pictures' own, bounded and even. */
async function filmSize(
  frames: FilmFrame[],
  maxWidth: number,
): Promise<{ width: number; height: number; inner: [number, number] }> {
  const first = frames.find(({ previewPath }) => previewPath !== null)?.previewPath;
  if (!first) throw new FarmError('RenderFailed', 'there is no frame to make a film of');
  const { width, height } = await sharp(first).metadata();
  const scale = Math.min(1, maxWidth / width);
  const inner: [number, number] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  return { width: even(inner[0]), height: even(inner[1]), inner };
}

async function pixelsOf(
  { frame, previewPath }: FilmFrame,
  size: Awaited<ReturnType<typeof filmSize>>,
): Promise<Buffer> {
  const [innerWidth, innerHeight] = size.inner;
  return sharp(previewPath ?? gapPicture(innerWidth, innerHeight, frame))
    .resize(innerWidth, innerHeight, { fit: 'contain', background: '#000' })
    .flatten({ background: '#000' })
    .extend({ right: size.width - innerWidth, bottom: size.height - innerHeight, extendWith: 'copy' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer();
}

/**
 * Writes an MP4 (H.264 High, 4:2:0, index in front so that it plays while it loads). Odd sizes grow by one pixel. Throws
 * `RenderFailed` without frames, `Cancelled`, `Internal` when the encoder fails; then no file is left.
 */
export async function encodeFilm(frames: FilmFrame[], outFile: string, options: FilmOptions): Promise<FilmFacts> {
  const { fps, crf = 18, maxWidth = FILM_WIDTH, signal, onFrame } = options;
  const size = await filmSize(frames, maxWidth);
  Log.setLevel(AV_LOG_ERROR);
  const rate = frameRate(fps);
  const timeBase = { num: rate.den, den: rate.num };
  let encoder: Encoder | undefined;
  let muxer: Muxer | undefined;
  try {
    encoder = await Encoder.create(FF_ENCODER_LIBX264, {
      options: { crf, preset: 'medium' },
      context: {
        framerate: new Rational(rate.num, rate.den),
        timeBase: new Rational(timeBase.num, timeBase.den),
        // A key frame a second, so that scrubbing on the page is exact enough and quick.
        gopSize: Math.max(1, Math.round(fps)),
        colorSpace: AVCOL_SPC_BT709,
        colorRange: AVCOL_RANGE_MPEG,
        colorPrimaries: AVCOL_PRI_BT709,
        colorTrc: AVCOL_TRC_BT709,
      },
    });
    muxer = await Muxer.open(outFile, { format: 'mp4', options: { movflags: '+faststart' } });
    const stream = muxer.addStream(encoder);
    const drain = async (picture: Frame | null): Promise<void> => {
      for await (const packet of encoder!.packets(picture)) {
        if (!packet) continue;
        await muxer!.writePacket(packet, stream);
        packet.free();
      }
    };
    for (const [index, frame] of frames.entries()) {
      if (signal?.aborted) throw new FarmError('Cancelled', 'making the film was cancelled');
      const yuv = toYuv420(await pixelsOf(frame, size), size.width, size.height);
      const picture = Frame.fromVideoBuffer(yuv, {
        width: size.width,
        height: size.height,
        format: AV_PIX_FMT_YUV420P,
        timeBase,
      });
      picture.pts = BigInt(index);
      await drain(picture);
      picture.free();
      onFrame?.(index + 1, frames.length);
    }
    await drain(null);
    await muxer.close();
    muxer = undefined;
  } catch (cause) {
    await muxer?.close().catch(() => undefined);
    await rm(outFile, { force: true });
    if (cause instanceof FarmError) throw cause;
    throw new FarmError(
      'Internal',
      `the film cannot be encoded: ${(cause as Error).message}`,
      { file: outFile },
      { cause },
    );
  } finally {
    encoder?.close();
  }
  return { width: size.width, height: size.height, frames: frames.length };
}
