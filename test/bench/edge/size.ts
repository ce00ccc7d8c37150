/** How large a benchmark of a given size is: everything in proportion to the article's shot. */

/** Of projects and frames so small that their bytes cost nothing beside the steps; none of their bytes is one of a larger size's. */
export const TINY_SIZE = 0.0005;
/** Frames of the shot. */
export const SHOT_FRAMES = 100;

const FULL_WIDTH = 8192;
const FULL_HEIGHT = 4608;
/** Project data of the whole shot, of that what every frame needs, and what each frame needs beside it; bytes at size 1. */
const PROJECT_BYTES = 1e9;
const SHARED_SHARE = 0.04;
const OWN_SHARE = 0.0096;
/** Proxies for film and contact sheet. */
const FULL_PREVIEW_WIDTH = 960;

export interface ShotSize {
  width: number;
  height: number;
  previewWidth: number;
  /** Wanted bytes; the generated files come close to them. */
  projectBytes: number;
  sharedBytes: number;
  ownBytes: number;
}

/** Pixels and bytes in proportion to `size` (1 is the article's), the picture's shape kept. */
export function shotSize(size: number): ShotSize {
  const pixels = FULL_WIDTH * FULL_HEIGHT * size;
  const width = Math.max(16, 2 * Math.round((FULL_WIDTH * Math.sqrt(size)) / 2));
  return {
    width,
    height: Math.max(9, Math.round(pixels / width)),
    previewWidth: Math.max(16, Math.round(FULL_PREVIEW_WIDTH * Math.sqrt(size))),
    projectBytes: PROJECT_BYTES * size,
    sharedBytes: PROJECT_BYTES * size * SHARED_SHARE,
    ownBytes: PROJECT_BYTES * size * OWN_SHARE,
  };
}
