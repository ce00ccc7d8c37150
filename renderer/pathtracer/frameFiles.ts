/** Turns traced pixels into the files that a unit delivers: the layered EXR, the preview and the picture beside them. */
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { LayerName } from '../../domain/layers.ts';
import { PICTURE_EXTENSIONS, type PictureFormat, type PixelRect, type RenderSettings } from '../../domain/scene.ts';
import type { RenderedUnit, RenderUnit } from '../engine.ts';
import { DENOISE_REACH } from '../image/denoise.ts';
import { ExrWriter } from '../image/exr/write.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { PictureBuilder } from '../image/picture.ts';
import { bandOf, cutBands, GUIDES, type RowsInContext, RowWindow } from './bands.ts';
import { denoiseLayers } from './denoiseLayers.ts';
import {
  channelSources,
  type FrameFacts,
  frameChannels,
  headerAttributes,
  writableCompression,
} from './frameLayers.ts';
import type { TracedPixels } from './tracer.ts';

/**
 * File names of a unit without their ending: `frame.0012`, with `.tile03` behind it when the frame is cut, and
 * `.samples00032-00063` for a part of the samples.
 */
export function unitBaseName({ frame, tile, rect, samples }: RenderUnit): string {
  const number = `${frame < 0 ? '-' : ''}${String(Math.abs(frame)).padStart(4, '0')}`;
  const place = rect || tile > 0 ? `.tile${String(tile).padStart(2, '0')}` : '';
  return `frame.${number}${place}${samples ? sampleSuffix(samples) : ''}`;
}

/** `.samples00032-00063`: first and last, both included, so that names sort as the samples do. */
export function sampleSuffix({ start, count }: NonNullable<RenderUnit['samples']>): string {
  const digits = (sample: number): string => String(sample).padStart(5, '0');
  return `.samples${digits(start)}-${digits(start + count - 1)}`;
}

/** Where the files of a unit are. */
export type UnitPaths = Pick<RenderedUnit, 'exrPath' | 'exrHash' | 'previewPath' | 'picturePath'>;

function unitPaths(folder: string, unit: RenderUnit, { picture }: RenderSettings['output']): UnitPaths {
  const base = path.join(folder, unitBaseName(unit));
  return {
    exrPath: `${base}.exr`,
    previewPath: `${base}.png`,
    picturePath: picture === 'png' ? null : `${base}.${PICTURE_EXTENSIONS[picture]}`,
  };
}

/**
 * Writes the files of a unit below a folder from bands of rows, top down, so that a large picture with all its layers is never
 * whole in memory. What is denoised follows some rows behind, when all is there that the denoiser looks at. Each file has its name
 * only when it is whole, and after `abandon` none is left. The bytes do not depend on the bands.
 */
export class UnitWriter {
  readonly #rect: PixelRect;
  readonly #facts: FrameFacts;
  readonly #processor: ImageProcessor;
  readonly #paths: UnitPaths;
  readonly #exr: ExrWriter;
  readonly #pictures: { file: string; builder: PictureBuilder; encoded: Buffer | null }[];
  /** Rows for the denoiser. */
  readonly #noisy: RowWindow | null;

  private constructor(
    rect: PixelRect,
    facts: FrameFacts,
    processor: ImageProcessor,
    ...[paths, exr]: [UnitPaths, ExrWriter]
  ) {
    const { settings } = facts;
    const { output } = settings;
    this.#rect = rect;
    this.#facts = facts;
    this.#processor = processor;
    this.#paths = paths;
    this.#exr = exr;
    const pictures: [string, PictureFormat][] = [[paths.previewPath, 'png']];
    if (paths.picturePath) pictures.push([paths.picturePath, output.picture]);
    const [width, height] = [rect.x1 - rect.x0, rect.y1 - rect.y0];
    this.#pictures = pictures.map(([file, format]) => ({
      file,
      builder: new PictureBuilder(width, height, format, settings),
      encoded: null,
    }));
    const layers = output.denoisedLayers ? 'all' : settings.denoise ? GUIDES : null;
    this.#noisy = layers && new RowWindow(rect, layers, DENOISE_REACH);
  }

  /**
   * @param rect of the whole unit
   * @throws FarmError `SettingInvalid` for a compression that cannot be written
   */
  static async open(
    folder: string,
    rect: PixelRect,
    facts: FrameFacts,
    processor: ImageProcessor,
  ): Promise<UnitWriter> {
    const { settings, unit } = facts;
    const paths = unitPaths(folder, unit, settings.output);
    const exr = await ExrWriter.open(paths.exrPath, {
      ...{ width: settings.width, height: settings.height, rect },
      compression: writableCompression(settings.output),
      channels: frameChannels(settings.output),
      attributes: headerAttributes(facts),
    });
    return new UnitWriter(rect, facts, processor, paths, exr);
  }

  /** Takes the next rows; all bands but the last have a multiple of `ExrWriter.bandRows`. @throws FarmError `Internal` for a layer that is not filled in */
  async add(pixels: TracedPixels): Promise<void> {
    const { denoise, output } = this.#facts.settings;
    for (const band of cutBands(pixels)) {
      await together(
        output.denoisedLayers ? undefined : this.#writeRows(band, NO_LAYERS),
        denoise ? undefined : this.#show(band.beauty),
      );
      const ready = this.#noisy?.add(band);
      if (ready) await this.#denoise(ready);
    }
  }

  async #denoise(ready: RowsInContext): Promise<void> {
    const { denoise, output } = this.#facts.settings;
    const denoised = await denoiseLayers(ready, this.#facts.settings, this.#processor);
    await together(
      output.denoisedLayers ? this.#writeRows(bandOf(ready.context, ready.rect), denoised) : undefined,
      denoise ? this.#show(denoised.get('beauty')!) : undefined,
    );
  }

  /** Adds rows to the pictures, a few at a time, so that this thread still hands out rows to compress; encodes whole pictures. */
  async #show(beauty: Float32Array): Promise<void> {
    const step = (this.#rect.x1 - this.#rect.x0) * 4 * ROWS_AT_ONCE;
    for (let from = 0; from < beauty.length; from += step) {
      for (const { builder } of this.#pictures) builder.add(beauty.subarray(from, from + step));
      await setImmediate();
    }
    for (const picture of this.#pictures) if (picture.builder.isWhole) picture.encoded = await picture.builder.encode();
  }

  /** Completes all files and gives them their names. Throws `RangeError` when rows are missing. */
  async close(): Promise<UnitPaths> {
    const shown = this.#pictures.map(async ({ file, builder, encoded }) =>
      writeFile(partial(file), encoded ?? (await builder.encode())),
    );
    const [exrHash] = await Promise.all([this.#exr.close(), ...shown]);
    for (const { file } of this.#pictures) await rename(partial(file), file);
    return exrHash ? { ...this.#paths, exrHash } : this.#paths;
  }

  /** Gives up: no file is left. */
  async abandon(): Promise<void> {
    await this.#exr.abandon();
    const left = this.#pictures.flatMap(({ file }) => [file, partial(file)]);
    await Promise.all([this.#paths.exrPath, ...left].map((file) => rm(file, { force: true })));
  }

  async #writeRows(band: TracedPixels, denoised: ReadonlyMap<LayerName, Float32Array>): Promise<void> {
    const { y0, y1 } = band.rect;
    await this.#exr.writeRows(y0 - this.#rect.y0, y1 - y0, channelSources(band, this.#facts.settings.output, denoised));
  }
}

/** Rows of a picture that are made between two looks at the EXR's threads: some milliseconds. */
const ROWS_AT_ONCE = 32;
/** Threads compress the EXR's rows while libvips encodes the picture: both are over when one of them fails. @throws the first failure */
async function together(...work: (Promise<void> | undefined)[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

const NO_LAYERS: ReadonlyMap<LayerName, Float32Array> = new Map();
const partial = (file: string): string => `${file}.partial`;

/** Writes the files of a unit whose pixels are all there. @throws FarmError as `UnitWriter` does; then no file is left */
export async function writeUnitFiles(
  folder: string,
  pixels: TracedPixels,
  facts: FrameFacts,
  processor: ImageProcessor,
): Promise<UnitPaths> {
  const writer = await UnitWriter.open(folder, pixels.rect, facts, processor);
  try {
    await writer.add(pixels);
    return await writer.close();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
