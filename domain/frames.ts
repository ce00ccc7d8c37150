/**
 * Frame ranges. Our grammar: `range ("," range)*`, a range being `N`, `A-B` or `A-BxS`, e.g. `1-100x2,120,200-210`.
 * Negative frame numbers are allowed (`-5--1`). Later dialects (OpenJD `A-B:S`, OpenCue, Flamenco) get parsers by name,
 * since `:` and `x` mean different things in each.
 */
import { FarmError } from './errors.ts';

/** Most frames that one job holds. */
export const MAX_FRAMES = 100_000;

/** Sorted, without duplicates. */
export type FrameList = readonly number[];

const RANGE = /^(-?\d{1,7})(?:-(-?\d{1,7})(?:x(\d{1,7}))?)?$/;

/**
 * Parses a range into its frames. Throws `FrameRangeInvalid` pointing at the part that is wrong, `FrameRangeTooLarge`
 * before it would make a list of more than `MAX_FRAMES`.
 */
export function parseFrames(text: string): FrameList {
  const frames = new Set<number>();
  let column = 1;
  for (const part of text.split(',')) {
    addRange(part, column, text, frames);
    column += part.length + 1;
  }
  return [...frames].sort((a, b) => a - b);
}

function addRange(part: string, column: number, text: string, frames: Set<number>): void {
  const refuse = (why: string): FarmError =>
    new FarmError('FrameRangeInvalid', `Frame range "${text}": ${why} at column ${column}.`, { range: text, column });
  const trimmed = part.trim();
  if (trimmed === '') throw refuse(text.trim() === '' ? 'it is empty' : 'a range is missing');
  const match = RANGE.exec(trimmed);
  if (!match) throw refuse(`"${trimmed}" is not a frame or range`);
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  const step = match[3] === undefined ? 1 : Number(match[3]);
  if (last < first) throw refuse(`"${trimmed}" runs backwards`);
  if (step < 1) throw refuse(`"${trimmed}" has a step of zero`);
  const count = Math.floor((last - first) / step) + 1;
  if (frames.size + count > MAX_FRAMES) {
    throw new FarmError(
      'FrameRangeTooLarge',
      `Frame range "${text}" holds more than ${MAX_FRAMES.toLocaleString('en')} frames.`,
      { range: text, column, limit: MAX_FRAMES },
    );
  }
  for (let frame = first; frame <= last; frame += step) frames.add(frame);
}

/** The shortest text of our grammar for sorted frames: runs of three or more equal steps become ranges. */
export function formatFrames(frames: FrameList): string {
  const parts: string[] = [];
  let index = 0;
  while (index < frames.length) {
    const first = frames[index]!;
    const step = (frames[index + 1] ?? first) - first;
    let end = index + 1;
    while (end < frames.length && frames[end]! - frames[end - 1]! === step) end++;
    const run = end - index;
    // Two frames in a row read better as "1,5" than as "1-5x4", but "1-2" better than "1,2".
    if (run >= 3 || (run === 2 && step === 1)) {
      parts.push(`${first}-${frames[end - 1]!}${step === 1 ? '' : `x${step}`}`);
      index = end;
    } else {
      parts.push(String(first));
      index++;
    }
  }
  return parts.join(',');
}

/** Time that frame N of a shot stands for, seconds: `(N - start) / fps`. */
export function frameTime(frame: number, fps: number, start: number): number {
  return (frame - start) / fps;
}

/** Frames that an animation of this length covers, its last instant included: `start … start + ceil(duration × fps)`. */
export function framesOfAnimation(
  durationSeconds: number,
  fps: number,
  start: number,
): { first: number; last: number } {
  // A clip exported from 24 frames spans 23 intervals; the rounding takes out float noise of the exporter.
  const intervals = Math.round(durationSeconds * fps * 1000) / 1000;
  return { first: start, last: start + Math.ceil(intervals) };
}
