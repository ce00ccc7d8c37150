/** Times of a shot's frames from those of the few that were measured. */

/** A frame with the seconds it takes. */
export interface FrameSeconds {
  frame: number;
  seconds: number;
}

/**
 * Seconds of a frame: on the line between the measured frames before and after it; beyond the ends the nearest one's. `known`
 * ascends by frame and has at least one entry.
 */
export function secondsOfFrame(known: readonly FrameSeconds[], frame: number): number {
  const after = known.findIndex((entry) => entry.frame >= frame);
  if (after < 0) return known[known.length - 1]!.seconds;
  const to = known[after]!;
  const from = known[after - 1];
  if (!from || to.frame === frame) return to.seconds;
  const share = (frame - from.frame) / (to.frame - from.frame);
  return from.seconds + share * (to.seconds - from.seconds);
}

/** `count` of these frames, evenly spread, the first and the last among them; all of them where there are no more. */
export function spreadFrames(frames: readonly number[], count: number): number[] {
  const steps = Math.min(count, frames.length) - 1;
  if (steps <= 0) return frames.slice(0, 1);
  return Array.from({ length: steps + 1 }, (_, i) => frames[Math.round((i * (frames.length - 1)) / steps)]!);
}
