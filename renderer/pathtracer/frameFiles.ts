/** Turns traced pixels into the two files that a unit delivers: the layered EXR and the picture beside it. */
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LayerName } from '../../domain/layers.ts';
import type { RenderUnit } from '../engine.ts';
import { denoise } from '../image/denoise.ts';
import { ExrWriter } from '../image/exr/write.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { PICTURE_EXTENSIONS, PictureBuilder } from '../image/picture.ts';
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

/** File names of a unit without their ending: `frame.0012`, or `frame.0012.tile03` when the frame is cut. */
function unitBaseName({ frame, tile, rect }: RenderUnit): string {
  const number = `${frame < 0 ? '-' : ''}${String(Math.abs(frame)).padStart(4, '0')}`;
  return rect || tile > 0 ? `frame.${number}.tile${String(tile).padStart(2, '0')}` : `frame.${number}`;
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

/** Denoised copies of what the settings ask for; `beauty` also for the picture. */
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
    const beauty = asRgba(data, width * height);
    const calm = await denoise({ ...pixels, width, height, beauty }, processor);
    denoised.set(layer, layer === 'beauty' ? calm : asRgb(calm));
  }
  return denoised;
}

/**
 * Writes both files of a unit below `folder`; each has its name only when it is whole, and after an error neither is left.
 * Throws `SettingInvalid` for a compression that cannot be written, `Internal` for a layer that the tracer did not fill in.
 */
export async function writeUnitFiles(
  folder: string,
  pixels: TracedPixels,
  facts: FrameFacts,
  processor: ImageProcessor,
): Promise<{ exrPath: string; previewPath: string }> {
  const { settings, unit } = facts;
  const { output } = settings;
  const { rect } = pixels;
  const compression = writableCompression(output);
  const base = path.join(folder, unitBaseName(unit));
  const paths = { exrPath: `${base}.exr`, previewPath: `${base}.${PICTURE_EXTENSIONS[output.picture]}` };
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
  const partial = `${paths.previewPath}.partial`;
  try {
    const picture = new PictureBuilder(rect.x1 - rect.x0, rect.y1 - rect.y0, output.picture, settings);
    picture.add((settings.denoise && denoised.get('beauty')) || pixels.beauty);
    const shown = picture.encode();
    await Promise.all([
      writer.writeRows(0, rect.y1 - rect.y0, channels),
      shown.then((bytes) => writeFile(partial, bytes)),
    ]);
    await writer.close();
    await rename(partial, paths.previewPath);
  } catch (error) {
    await writer.abandon();
    await Promise.all([partial, paths.exrPath].map((file) => rm(file, { force: true })));
    throw error;
  }
  return paths;
}
