/** Large frames: the part that may leave before the frame is committed (docs/decisions/2026-11-30-heads-of-frames-being-judged.md), and what waits for what. */

/**
 * Of a frame's bytes. What goes before the frame is put twice, and must not keep others waiting. While a frame is judged as much
 * again may follow: half a picture is of no use to anybody, and takes a link as long as judging takes where many are judged.
 */
const HEAD_SHARE = 1 / 4;
/**
 * A frame of so many bytes is large: its node sends a head, and waits for its verdict. Smaller ones take their site little time, and a
 * node that makes many would wait for each.
 */
export const LARGE_FRAME_BYTES = 4 * 2 ** 20;
/** How long the next frame waits for the verdict on a large one, milliseconds; ten sites on two cores took 0.3 to 1.2 s. */
export const VERDICT_MS = 2_000;
/** A frame's pause behind its head, as a multiple of what putting that took, and at most (milliseconds). */
const PAUSE = 3;
const LONGEST_PAUSE_MS = 600;
/** Less is here with the rest just as soon. */
const LEAST_HEAD_BYTES = 256 * 1024;

/** How many bytes, from the first on, of a frame of so many; 0 where a head is not worth its question. */
export function headBytesOf(sizeBytes: number): number {
  const headBytes = Math.floor(sizeBytes * HEAD_SHARE);
  return headBytes < LEAST_HEAD_BYTES ? 0 : headBytes;
}

/**
 * How long a frame waits behind its head, milliseconds. Where many nodes share a machine, their heads go before any of their frames;
 * where none does, it is no time. The link has the head to carry.
 */
export const pauseBehindHead = (putMs: number): number => Math.min(LONGEST_PAUSE_MS, PAUSE * putMs);
