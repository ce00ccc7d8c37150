/** How Node runs the farm's own programs. */

/**
 * V8 begins with a heap of a few megabytes and walks through all of it again and again while it grows, most of all under a
 * program's first load. So much may lie there before it is collected for the first time.
 */
export const HEAP_FLAG = '--initial-heap-size=256';

/** Flags of each program; `docker-compose.yml` names the same. */
export const PROGRAM_FLAGS: readonly string[] = ['--enable-source-maps', HEAP_FLAG];
