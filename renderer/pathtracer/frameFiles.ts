/** Turns traced pixels into the two files that a unit delivers: the layered EXR and the preview PNG. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { RenderSettings } from '../../domain/scene.ts';
import type { RenderUnit } from '../engine.ts';
import { denoise } from '../image/denoise.ts';
import type { ExrAttribute } from '../image/exr/format.ts';
import { type ExrChannelSource, encodeExr, exrChannelOrder } from '../image/exr/write.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { toneMap } from '../image/tonemap.ts';
import type { TracerCamera } from './scene/description.ts';
import type { TracedPixels } from './tracer.ts';

/** Depth of pixels that hit nothing, as Blender writes it: compositors take infinity for an error. */
const BACKGROUND_DEPTH = 1e10;

/** What the EXR header says of the frame. */
export interface FrameFacts {
  settings: RenderSettings;
  unit: RenderUnit;
  build: string;
  /** Name of the camera, null for the default view. */
  cameraName: string | null;
  camera: TracerCamera;
  /** Time of the frame in the shot, seconds. */
  time: number;
}

function channelSources(pixels: TracedPixels): ExrChannelSource[] {
  const depth = pixels.depth.map((z) => (Number.isFinite(z) || Number.isNaN(z) ? z : BACKGROUND_DEPTH));
  const layer = (prefix: string, names: string, data: Float32Array): ExrChannelSource[] =>
    [...names].map((name, offset) => ({ name: prefix + name, type: 'half', data, stride: names.length, offset }));
  return [
    ...layer('', 'RGBA', pixels.beauty),
    ...layer('albedo.', 'RGB', pixels.albedo),
    ...layer('normal.', 'XYZ', pixels.normal),
    // Half has eleven bits: not enough for a compositor's depth.
    { name: 'depth.Z', type: 'float', data: depth, stride: 1, offset: 0 },
  ];
}

/** Layers of our EXR files, in file order. */
export const FRAME_CHANNELS: readonly string[] = exrChannelOrder([
  ...['R', 'G', 'B', 'A'],
  ...['albedo.R', 'albedo.G', 'albedo.B'],
  ...['normal.X', 'normal.Y', 'normal.Z'],
  'depth.Z',
]);

function headerAttributes({
  settings,
  unit,
  build,
  cameraName,
  camera,
  time,
}: FrameFacts): Record<string, ExrAttribute> {
  const text = (value: string): ExrAttribute => ({ kind: 'string', value });
  const integer = (value: number): ExrAttribute => ({ kind: 'int', value });
  return {
    cameraName: text(cameraName ?? 'default'),
    'framewright:build': text(build),
    // Row vectors in OpenEXR, columns here: the sixteen numbers are the same.
    'framewright:cameraToWorld': { kind: 'm44f', value: camera.transform },
    'framewright:frame': integer(unit.frame),
    'framewright:maxDepth': integer(settings.maxDepth),
    'framewright:samples': integer(settings.samples),
    'framewright:seed': { kind: 'double', value: settings.seed },
    'framewright:tile': integer(unit.tile),
    'framewright:time': { kind: 'double', value: time },
    framesPerSecond: { kind: 'double', value: settings.fps },
    software: text('Framewright'),
  };
}

/** File names of a unit without their ending: `frame.0012`, or `frame.0012.tile03` when the frame is cut. */
function unitBaseName({ frame, tile, rect }: RenderUnit): string {
  const number = `${frame < 0 ? '-' : ''}${String(Math.abs(frame)).padStart(4, '0')}`;
  return rect || tile > 0 ? `frame.${number}.tile${String(tile).padStart(2, '0')}` : `frame.${number}`;
}

/** The EXR of a unit: half floats (depth: float), ZIP, data window at the unit's place in the picture. */
function encodeFrame(pixels: TracedPixels, facts: FrameFacts): Promise<Buffer> {
  return encodeExr({
    width: facts.settings.width,
    height: facts.settings.height,
    rect: pixels.rect,
    channels: channelSources(pixels),
    compression: 'zip',
    attributes: headerAttributes(facts),
  });
}

/** The preview of a unit: denoised when the settings say so, tone mapped, PNG. */
async function encodePreview(
  pixels: TracedPixels,
  settings: RenderSettings,
  processor: ImageProcessor,
): Promise<Buffer> {
  const width = pixels.rect.x1 - pixels.rect.x0;
  const height = pixels.rect.y1 - pixels.rect.y0;
  const light = settings.denoise ? await denoise({ ...pixels, width, height }, processor) : pixels.beauty;
  const screen = await toneMap(light, width, height, settings.exposure, processor);
  return sharp(screen, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** Writes both files of a unit below `folder` and returns their paths. */
export async function writeUnitFiles(
  folder: string,
  pixels: TracedPixels,
  facts: FrameFacts,
  processor: ImageProcessor,
): Promise<{ exrPath: string; previewPath: string }> {
  const base = path.join(folder, unitBaseName(facts.unit));
  const [exr, preview] = await Promise.all([
    encodeFrame(pixels, facts),
    encodePreview(pixels, facts.settings, processor),
  ]);
  const paths = { exrPath: `${base}.exr`, previewPath: `${base}.png` };
  await Promise.all([writeFile(paths.exrPath, exr), writeFile(paths.previewPath, preview)]);
  return paths;
}
