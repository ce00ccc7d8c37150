/** The part of a frame that may leave before the frame is committed (docs/decisions/2026-11-30-heads-of-frames-being-judged.md). */

/**
 * Of a frame's bytes. What goes before the frame is put twice, and must not keep others waiting. While a frame is judged as much
 * again may follow: half a picture is of no use to anybody, and takes a link as long as judging takes where many are judged.
 */
const HEAD_SHARE = 1 / 4;
/** Less is here with the rest just as soon. */
const LEAST_HEAD_BYTES = 256 * 1024;

/** How many bytes, from the first on, of a frame of so many; 0 where a head is not worth its question. */
export function headBytesOf(sizeBytes: number): number {
  const headBytes = Math.floor(sizeBytes * HEAD_SHARE);
  return headBytes < LEAST_HEAD_BYTES ? 0 : headBytes;
}
