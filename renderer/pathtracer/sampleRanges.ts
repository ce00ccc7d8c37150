/** Units that are part of a frame's samples: what may be asked for, what comes out, and how parts become the frame. */
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FarmError } from '../../domain/errors.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import type { RenderUnit } from '../engine.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { PictureBuilder } from '../image/picture.ts';
import { type UnitPaths, unitBaseName, writeUnitFiles } from './frameFiles.ts';
import type { FrameFacts } from './frameLayers.ts';
import { type PartHeader, type PartSource, readPart, readPartHeader, type SamplePart, writePart } from './partFile.ts';
import { finishPartial, mergePartials, type TracePartial } from './partial.ts';
import { isQuick } from './techniques.ts';

/**
 * Refuses a sample range that has no meaning.
 * @throws FarmError `SettingInvalid` with adaptive sampling (how many samples there will be is not known beforehand), with a quick
 * technique, and for samples that the frame does not have
 */
export function checkSampleRange({ frame, samples }: RenderUnit, settings: RenderSettings): void {
  if (!samples) return;
  const refuse = (why: string): FarmError =>
    new FarmError('SettingInvalid', `Frame ${frame} is asked for in part of its samples, ${why}.`, {
      setting: 'samples',
      ...samples,
    });
  if (settings.adaptive) {
    throw refuse(
      'but with adaptive sampling nobody knows beforehand how many there are; leave adaptive or the sample range out',
    );
  }
  if (isQuick(settings.technique)) throw refuse(`but technique ${settings.technique} has one sample`);
  const { start, count } = samples;
  const isInside =
    [start, count].every(Number.isInteger) && start >= 0 && count >= 1 && start + count <= settings.samples;
  if (!isInside) throw refuse(`${start} to ${start + count - 1}, but it has samples 0 to ${settings.samples - 1}`);
}

/**
 * Writes the files of a sample range: the exact sums (`partFile.ts`) and a picture of them as they are, not denoised. Both have
 * their names only when they are whole.
 */
export async function writePartFiles(folder: string, part: SamplePart): Promise<UnitPaths & { channels: string[] }> {
  const { partial, facts } = part;
  const base = path.join(folder, unitBaseName(facts.unit));
  const { rect } = partial;
  const picture = new PictureBuilder(rect.x1 - rect.x0, rect.y1 - rect.y0, 'png', facts.settings);
  picture.add(finishPartial(partial).beauty);
  const preview = `${base}.png`;
  await writeFile(`${preview}.partial`, await picture.encode());
  const channels = await writePart(`${base}.exr`, part);
  await rename(`${preview}.partial`, preview);
  return { exrPath: `${base}.exr`, previewPath: preview, picturePath: null, channels };
}

/** Parts of one frame. */
export type FrameParts = [PartHeader, ...PartHeader[]];

/**
 * Files of sample ranges by their frames, ascending. All samples of each frame are there and belong together, though nothing of
 * their sums was read yet. Throws as `mergeParts`.
 */
export async function groupParts(files: readonly string[]): Promise<Map<number, FrameParts>> {
  const frames = new Map<number, FrameParts>();
  for (const file of files) {
    const part = await readPartHeader(file);
    const { frame } = part.facts.unit;
    const others = frames.get(frame);
    if (others) others.push(part);
    else frames.set(frame, [part]);
  }
  for (const parts of frames.values()) checkParts(parts);
  return new Map([...frames].sort(([a], [b]) => a - b));
}

/** A frame (or tile) that parts were merged into. */
export interface MergedUnit extends UnitPaths {
  frame: number;
  tile: number;
  samples: number;
  rays: number;
}

/**
 * Merges the files of sample ranges into the frame that they are parts of, with the very bytes of an undivided render by the same
 * build. The order of the files does not matter.
 * @throws FarmError `FileNotFound`; `SettingInvalid` for files that are no parts, for parts of different frames, settings, inputs,
 * builds or devices, and for samples that are there twice or not at all
 */
export async function mergeParts(
  files: readonly string[],
  folder: string,
  processor: ImageProcessor,
): Promise<MergedUnit> {
  const [first, ...others] = await Promise.all(files.map(readPartHeader));
  if (!first) throw new FarmError('SettingInvalid', 'There are no sample ranges to merge.', { setting: 'files' });
  const parts: FrameParts = [first, ...others];
  checkParts(parts);
  // One after the other, so that their sums need not lie in memory together; the order of samples is that of an undivided render.
  parts.sort((a, b) => a.ranges[0]![0] - b.ranges[0]![0]);
  let partial: TracePartial | null = null;
  for (const { file } of parts) {
    const next = await readPart(file);
    partial = partial ? mergePartials(partial, next) : next;
  }
  const { samples: _, ...unit } = first.facts.unit;
  const pixels = finishPartial(partial!);
  const paths = await writeUnitFiles(folder, pixels, { ...first.facts, unit }, processor);
  return { ...paths, frame: unit.frame, tile: unit.tile, samples: pixels.samples, rays: pixels.rays };
}

/** Refuses parts that do not make up a frame. */
function checkParts(parts: FrameParts): void {
  const [first, ...others] = parts;
  for (const other of others) requireSameFrame(first, other);
  requireAllSamples(parts);
}

const apart = (a: PartHeader, b: PartHeader, why: string): FarmError =>
  new FarmError('SettingInvalid', `"${b.file}" does not belong to "${a.file}": ${why}.`, { file: b.file });

function requireSameFrame(a: PartHeader, b: PartHeader): void {
  const [one, other] = [a.facts, b.facts];
  const refuse = (why: string): FarmError => apart(a, b, why);
  if (one.unit.frame !== other.unit.frame) throw refuse(`it is of frame ${other.unit.frame}, not ${one.unit.frame}`);
  if (one.build !== other.build) throw refuse(`${other.build} made it, not ${one.build}, so sums may differ`);
  if (one.unit.tile !== other.unit.tile) throw refuse(`it is of tile ${other.unit.tile}, not ${one.unit.tile}`);
  if (!isDeepStrictEqual(one.unit.rect, other.unit.rect)) throw refuse('its tile is another part of the picture');
  const differing = Object.keys({ ...one.settings, ...other.settings }).find(
    (key) => !isDeepStrictEqual(one.settings[key as keyof RenderSettings], other.settings[key as keyof RenderSettings]),
  );
  if (differing) throw refuse(`it was rendered with another setting ${differing}`);
  const seen = ({ camera, cameraName, names, time }: FrameFacts): unknown => [camera, cameraName, names, time];
  if (!isDeepStrictEqual(seen(one), seen(other))) throw refuse('it shows another scene or camera');
  const placeOf = ({ tier, device }: PartSource): string => (device === null ? `the ${tier} tier` : `"${device}"`);
  const [here, there] = [placeOf(a.source), placeOf(b.source)];
  if (here !== there) throw refuse(`${there} traced it, not ${here}, so sums may differ`);
  if (a.source.inputs !== b.source.inputs) {
    throw refuse('its files were other ones: the scene, a texture or an environment has changed between them');
  }
}

function requireAllSamples(parts: FrameParts): void {
  const { settings, unit } = parts[0].facts;
  const ranges = parts
    .flatMap((part) => part.ranges.map(([start, end]) => ({ start, end, part })))
    .sort((a, b) => a.start - b.start);
  const missing: string[] = [];
  let next = 0;
  const noteGap = (until: number): void => {
    if (until > next) missing.push(until - next === 1 ? `${next}` : `${next}-${until - 1}`);
  };
  for (const [index, { start, end, part }] of ranges.entries()) {
    if (start < next) throw apart(ranges[index - 1]!.part, part, 'they have samples in common');
    noteGap(start);
    next = end;
  }
  noteGap(settings.samples);
  if (missing.length === 0) return;
  const message = `Frame ${unit.frame} has ${settings.samples} samples; ${missing.join(', ')} are in none of the files.`;
  throw new FarmError('SettingInvalid', message, { setting: 'samples', missing: missing.join(',') });
}
