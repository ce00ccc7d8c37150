/** Units that are part of a frame's samples: what may be asked for, what comes out, and how parts become the frame. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FarmError } from '../../domain/errors.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import type { RenderUnit } from '../engine.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { PictureBuilder } from '../image/picture.ts';
import { type UnitPaths, unitBaseName, writeUnitFiles } from './frameFiles.ts';
import type { FrameFacts } from './frameLayers.ts';
import { readPart, readPartFacts, type SamplePart, writePart } from './partFile.ts';
import { finishPartial, mergePartials, sampleCountOf, type TracePartial } from './partial.ts';
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
export async function writePartFiles(
  folder: string,
  partial: TracePartial,
  facts: FrameFacts,
): Promise<UnitPaths & { channels: string[] }> {
  const base = path.join(folder, unitBaseName(facts.unit));
  const { rect } = partial;
  const picture = new PictureBuilder(rect.x1 - rect.x0, rect.y1 - rect.y0, 'png', facts.settings);
  picture.add(finishPartial(partial).beauty);
  const preview = `${base}.png`;
  await writeFile(`${preview}.partial`, await picture.encode());
  const channels = await writePart(`${base}.exr`, { partial, facts });
  await rename(`${preview}.partial`, preview);
  return { exrPath: `${base}.exr`, previewPath: preview, picturePath: null, channels };
}

async function readFileOf(file: string): Promise<Buffer> {
  return readFile(file).catch(() => {
    throw new FarmError('FileNotFound', `There is no file "${file}".`, { path: file });
  });
}

/** Files of sample ranges by their frames, ascending. Throws `FileNotFound`, and `SettingInvalid` for a file that is no part. */
export async function groupParts(files: readonly string[]): Promise<Map<number, string[]>> {
  const frames = new Map<number, string[]>();
  for (const file of files) {
    const { frame } = readPartFacts(await readFileOf(file), file).unit;
    frames.set(frame, [...(frames.get(frame) ?? []), file]);
  }
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
 * @throws FarmError `FileNotFound`; `SettingInvalid` for files that are no parts, for parts of different frames, settings or
 * builds, and for samples that are there twice or not at all
 */
export async function mergeParts(
  files: readonly string[],
  folder: string,
  processor: ImageProcessor,
): Promise<MergedUnit> {
  const parts: SamplePart[] = [];
  for (const file of files) {
    parts.push(readPart(await readFileOf(file), file));
  }
  const [first, ...others] = parts;
  if (!first) throw new FarmError('SettingInvalid', 'There are no sample ranges to merge.', { setting: 'files' });
  for (const [index, part] of others.entries()) requireSameFrame(first, part, [files[0]!, files[index + 1]!]);
  parts.sort((a, b) => a.partial.ranges[0]![0] - b.partial.ranges[0]![0]);
  const partial = parts.map((part) => part.partial).reduce(mergePartials);
  requireAllSamples(partial, first.facts);
  const { samples: _, ...unit } = first.facts.unit;
  const pixels = finishPartial(partial);
  const paths = await writeUnitFiles(folder, pixels, { ...first.facts, unit }, processor);
  return { ...paths, frame: unit.frame, tile: unit.tile, samples: pixels.samples, rays: pixels.rays };
}

function requireSameFrame(a: SamplePart, b: SamplePart, files: [string, string]): void {
  const refuse = (what: string): FarmError =>
    new FarmError('SettingInvalid', `"${files[1]}" does not belong to "${files[0]}": ${what}.`, { file: files[1] });
  const [one, other] = [a.facts, b.facts];
  if (one.unit.frame !== other.unit.frame) throw refuse(`it is of frame ${other.unit.frame}, not ${one.unit.frame}`);
  if (one.build !== other.build) throw refuse(`${other.build} made it, not ${one.build}, so sums may differ`);
  if (one.unit.tile !== other.unit.tile) throw refuse(`it is of tile ${other.unit.tile}, not ${one.unit.tile}`);
  const differing = Object.keys({ ...one.settings, ...other.settings }).find(
    (key) => !isDeepStrictEqual(one.settings[key as keyof RenderSettings], other.settings[key as keyof RenderSettings]),
  );
  if (differing) throw refuse(`it was rendered with another setting ${differing}`);
  const seen = ({ camera, cameraName, names, time }: FrameFacts): unknown => [camera, cameraName, names, time];
  if (!isDeepStrictEqual(seen(one), seen(other))) throw refuse('it shows another scene or camera');
}

function requireAllSamples(partial: TracePartial, { settings, unit }: FrameFacts): void {
  if (sampleCountOf(partial) === settings.samples) return;
  const missing: string[] = [];
  let next = 0;
  for (const [start, end] of [...partial.ranges, [settings.samples, settings.samples] as const]) {
    if (start > next) missing.push(start - next === 1 ? `${next}` : `${next}-${start - 1}`);
    next = end;
  }
  const message = `Frame ${unit.frame} has ${settings.samples} samples; ${missing.join(', ')} are in none of the files.`;
  throw new FarmError('SettingInvalid', message, { setting: 'samples', missing: missing.join(',') });
}
