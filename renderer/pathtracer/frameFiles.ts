/** Turns traced pixels into the files that a unit delivers: the layered EXR, the preview and the picture beside them. */
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LayerName } from '../../domain/layers.ts';
import { PICTURE_EXTENSIONS, type PictureFormat, type RenderSettings } from '../../domain/scene.ts';
import type { RenderedUnit, RenderUnit } from '../engine.ts';
import { denoise } from '../image/denoise.ts';
import { ExrWriter } from '../image/exr/write.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { PictureBuilder } from '../image/picture.ts';
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
 * Writes the files of a unit below `folder`; each has its name only when it is whole, and after an error none is left.
 * Throws `SettingInvalid` for a compression that cannot be written, `Internal` for a layer that the tracer did not fill in.
 */
export async function writeUnitFiles(
  folder: string,
  pixels: TracedPixels,
  facts: FrameFacts,
  processor: ImageProcessor,
): Promise<UnitPaths> {
  const { settings, unit } = facts;
  const { output } = settings;
  const { rect } = pixels;
  const compression = writableCompression(output);
  const paths = unitPaths(folder, unit, output);
  const denoised = await denoiseLayers(pixels, facts, processor);
  const channels = channelSources(pixels, output, denoised);
  const writer = await ExrWriter.open(paths.exrPath, {
    width: settings.width,
    height: settings.height,
    rect,
    compression,
    channels: frameChannels(output),
    attributes: headerAttributes(facts),
  });
  const beauty = (settings.denoise && denoised.get('beauty')) || pixels.beauty;
  const pictures: [string, PictureFormat][] = [[paths.previewPath, 'png']];
  if (paths.picturePath) pictures.push([paths.picturePath, output.picture]);
  const partial = (file: string): string => `${file}.partial`;
  try {
    const shown = pictures.map(async ([file, format]) => {
      const picture = new PictureBuilder(rect.x1 - rect.x0, rect.y1 - rect.y0, format, settings);
      picture.add(beauty);
      await writeFile(partial(file), await picture.encode());
    });
    await Promise.all([writer.writeRows(0, rect.y1 - rect.y0, channels), ...shown]);
    await writer.close();
    for (const [file] of pictures) await rename(partial(file), file);
  } catch (error) {
    await writer.abandon();
    const left = pictures.flatMap(([file]) => [file, partial(file)]);
    await Promise.all([paths.exrPath, ...left].map((file) => rm(file, { force: true })));
    throw error;
  }
  return paths;
}
