/** Turns traced pixels into the files that a unit delivers: the layered EXR, the preview and the picture beside them. */
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LayerName } from '../../domain/layers.ts';
import { PICTURE_EXTENSIONS, type PictureFormat, type PixelRect, type RenderSettings } from '../../domain/scene.ts';
import type { RenderedUnit, RenderUnit } from '../engine.ts';
import { denoise } from '../image/denoise.ts';
import { ExrWriter } from '../image/exr/write.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { PictureBuilder } from '../image/picture.ts';
import { bandOf, bandsOf, GUIDES, rowsOf, TracedRows } from './bands.ts';
import {
  channelSources,
  denoisedLayersOf,
  type FrameFacts,
  frameChannels,
  headerAttributes,
  layerData,
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

/** RGBA of a layer for the denoiser, which takes alpha along untouched. */
function asRgba(data: Float32Array, pixels: number): Float32Array {
  if (data.length === pixels * 4) return data;
  const out = new Float32Array(pixels * 4);
  for (let i = 0; i < pixels; i++) out.set(data.subarray(i * 3, i * 3 + 3), i * 4);
  return out;
}

function asRgb(data: Float32Array): Float32Array {
  const out = new Float32Array((data.length / 4) * 3);
  for (let i = 0; i < data.length / 4; i++) out.set(data.subarray(i * 4, i * 4 + 3), i * 3);
  return out;
}

/** What the camera sees of lamps and of the environment directly: nothing about it was sampled but the pixel's edge. */
const isNoiseless = (layer: LayerName): boolean => layer === 'emission' || layer === 'environment';

/** Layers whose light was multiplied by the albedo; reflections and what comes through glass were not. */
const hasAlbedo = (layer: LayerName): boolean =>
  layer === 'beauty' || layer === 'diffuse_direct' || layer === 'diffuse_indirect';

/**
 * A variance of fewer samples is not used: of one it is zero, as if there were no noise. Of four it is rough, but better than an
 * estimate from the picture (docs/benchmarks/2026-11-29-denoise.md).
 */
const FEWEST_SAMPLES = 4;

/** The measured variance where every pixel has samples enough for it. */
function trustedVariance({ layers }: TracedPixels, { samples, adaptive }: RenderSettings): Float32Array | undefined {
  return Math.min(samples, adaptive?.minSamples ?? samples) < FEWEST_SAMPLES ? undefined : layers.variance;
}

/**
 * Denoised copies of what the settings ask for; `beauty` also for the picture. The tracer measures variance for the beauty;
 * for the other layers it is estimated.
 */
async function denoiseLayers(
  pixels: TracedPixels,
  { settings }: FrameFacts,
  processor: ImageProcessor,
): Promise<Map<LayerName, Float32Array>> {
  const width = pixels.rect.x1 - pixels.rect.x0;
  const height = pixels.rect.y1 - pixels.rect.y0;
  const layers = new Set<LayerName>([
    ...(settings.denoise ? (['beauty'] as const) : []),
    ...denoisedLayersOf(settings.output),
  ]);
  const denoised = new Map<LayerName, Float32Array>();
  for (const layer of layers) {
    const data = layerData(pixels, layer);
    if (isNoiseless(layer)) {
      denoised.set(layer, data);
      continue;
    }
    const { albedo, normal, depth } = pixels;
    const variance = layer === 'beauty' ? trustedVariance(pixels, settings) : undefined;
    const beauty = asRgba(data, width * height);
    const calm = await denoise(
      { width, height, beauty, albedo, normal, depth, variance, hasAlbedo: hasAlbedo(layer) },
      processor,
    );
    denoised.set(layer, layer === 'beauty' ? calm : asRgb(calm));
  }
  return denoised;
}

/** Where the files of a unit are. */
export type UnitPaths = Pick<RenderedUnit, 'exrPath' | 'previewPath' | 'picturePath'>;

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
 * whole in memory: only what a denoiser needs of it is kept. Each file has its name only when it is whole, and after `abandon`
 * none is left. The bytes do not depend on the bands.
 */
export class UnitWriter {
  readonly #rect: PixelRect;
  readonly #facts: FrameFacts;
  readonly #processor: ImageProcessor;
  readonly #paths: UnitPaths;
  readonly #exr: ExrWriter;
  readonly #pictures: { file: string; builder: PictureBuilder }[];
  /** Rows for the denoiser. */
  readonly #kept: TracedRows | null;

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
    }));
    const layers = output.denoisedLayers ? 'all' : settings.denoise ? GUIDES : null;
    this.#kept = layers && new TracedRows(rect, layers);
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
  async add(band: TracedPixels): Promise<void> {
    const { settings } = this.#facts;
    this.#kept?.add(band);
    if (!settings.output.denoisedLayers) await this.#writeRows(band, NO_LAYERS);
    if (!settings.denoise) for (const { builder } of this.#pictures) builder.add(band.beauty);
  }

  /** Denoises what is asked for, completes all files and gives them their names. */
  async close(): Promise<UnitPaths> {
    const { settings } = this.#facts;
    if (this.#kept) {
      const whole = this.#kept.whole();
      const denoised = await denoiseLayers(whole, this.#facts, this.#processor);
      if (settings.denoise) for (const { builder } of this.#pictures) builder.add(denoised.get('beauty')!);
      if (settings.output.denoisedLayers) await this.#writeWhole(whole, denoised);
    }
    const shown = this.#pictures.map(async ({ file, builder }) => writeFile(partial(file), await builder.encode()));
    await Promise.all([this.#exr.close(), ...shown]);
    for (const { file } of this.#pictures) await rename(partial(file), file);
    return this.#paths;
  }

  /** Gives up: no file is left. */
  async abandon(): Promise<void> {
    await this.#exr.abandon();
    const left = this.#pictures.flatMap(({ file }) => [file, partial(file)]);
    await Promise.all([this.#paths.exrPath, ...left].map((file) => rm(file, { force: true })));
  }

  async #writeWhole(whole: TracedPixels, denoised: ReadonlyMap<LayerName, Float32Array>): Promise<void> {
    const width = this.#rect.x1 - this.#rect.x0;
    for (const rect of bandsOf(this.#rect, frameChannels(this.#facts.settings.output).length * 4)) {
      const rows = [rect.y0 - this.#rect.y0, rect.y1 - this.#rect.y0] as const;
      const calm = new Map([...denoised].map(([layer, data]) => [layer, rowsOf(data, layer, width, rows)]));
      await this.#writeRows(bandOf(whole, rect), calm);
    }
  }

  async #writeRows(band: TracedPixels, denoised: ReadonlyMap<LayerName, Float32Array>): Promise<void> {
    const { y0, y1 } = band.rect;
    await this.#exr.writeRows(y0 - this.#rect.y0, y1 - y0, channelSources(band, this.#facts.settings.output, denoised));
  }
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
