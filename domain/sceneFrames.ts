/** Which frames a scene has, which files each of them reads, and what is to be said of frames beyond its end. */
import { FarmError } from './errors.ts';
import { type FrameList, formatFrames, framesOfAnimation, parseFrames } from './frames.ts';
import type { RenderSettings, SceneInspection, SceneWarning } from './scene.ts';

/** A path with the frame's number in place of `{frame:04}`. */
const pathOfFrame = (template: string, frame: number): string =>
  template.replace(/\{frame:0(\d+)\}/g, (_, digits: string) => String(frame).padStart(Number(digits), '0'));

/**
 * Paths of all files that the renderer opens for a frame, sorted. Motion (an open shutter or the motion layer) also needs
 * those of the next frame of a sequence, where it has one.
 */
export function filesOfFrame(
  inspection: Pick<SceneInspection, 'sequence' | 'frameFiles'>,
  frame: number,
  settings: Pick<RenderSettings, 'shutter' | 'output'>,
): string[] {
  return frameFiles(inspection, settings)(frame);
}

/** The same for many frames: ranges are read once. */
export function frameFiles(
  { sequence, frameFiles: groups }: Pick<SceneInspection, 'sequence' | 'frameFiles'>,
  { shutter, output }: Pick<RenderSettings, 'shutter' | 'output'>,
): (frame: number) => string[] {
  const needsMotion = shutter > 0 || output.layers.includes('motion');
  const covering = groups.map(({ frames, ...group }) => ({
    ...group,
    covered: frames === null ? null : new Set(parseFrames(frames)),
  }));
  return (frame) => {
    const frames = sequence && needsMotion ? [frame, frame + 1] : [frame];
    const paths = covering.flatMap(({ covered, files, perFrame }) =>
      frames
        .filter((number) => covered?.has(number) ?? true)
        .flatMap((number) => [...files, ...perFrame.map((template) => pathOfFrame(template, number))]),
    );
    return [...new Set(paths)].sort();
  };
}

/** Throws `AssetMissing` with the first of these frames that a sequence has no file for. */
export function requireFrameFiles({ sequence }: Pick<SceneInspection, 'sequence'>, frames: FrameList): void {
  if (!sequence) return;
  const known = new Set(parseFrames(sequence.frames));
  const missing = frames.find((frame) => !known.has(frame));
  if (missing === undefined) return;
  const { pattern } = sequence;
  throw new FarmError('AssetMissing', `Frame ${missing} has no file in the sequence ${pattern} (${sequence.frames}).`, {
    file: pattern,
    frame: missing,
  });
}

/** Warns of frames before the first or after the last key of an animation: they show its first or last pose. */
export function frameRangeWarnings(
  { sequence, durationSeconds }: Pick<SceneInspection, 'sequence' | 'durationSeconds'>,
  frames: FrameList,
  { fps, start }: Pick<RenderSettings, 'fps' | 'start'>,
): SceneWarning[] {
  if (sequence) return [];
  const { first, last } = framesOfAnimation(durationSeconds, fps, start);
  const beyond = frames.filter((frame) => frame < first || frame > last);
  if (beyond.length === 0 || frames.length === 1) return [];
  const message =
    durationSeconds === 0
      ? `Nothing moves in this scene, so all ${frames.length} frames show the same.`
      : `The animation covers frames ${first}-${last}; ${formatFrames(beyond)} hold its first or last pose.`;
  return [{ code: 'FrameRangeHolds', message }];
}
