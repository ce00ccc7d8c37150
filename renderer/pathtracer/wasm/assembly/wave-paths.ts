// What the paths of a block carry along while they go together (wave.ts). Ray and hit of each lie in packet-rays.ts.
import { WORKSPACE_PATHS } from './layout';
import { workspace } from './traverse';

export const PATH_STRIDE: usize = 160;
export const PATH_THROUGHPUT: usize = 0;
export const PATH_RADIANCE: usize = 16;
/** Where light was last sampled and the normal there. */
export const PATH_LIT_POSITION: usize = 32;
export const PATH_LIT_NORMAL: usize = 48;
/** The first hit: albedo, position and normal. */
export const PATH_ALBEDO: usize = 64;
export const PATH_FIRST_POSITION: usize = 80;
export const PATH_FIRST_NORMAL: usize = 96;
/** Direction in which light was sampled. */
export const PATH_LIGHT: usize = 112;
/** What a unit of radiance from there adds, but for what lane 3 holds: the weight over the density. */
export const PATH_FACTOR: usize = 128;
export const PATH_DEPTH: usize = 144;
/** Instance record of the first hit, 0 for none. */
export const PATH_INSTANCE: usize = 148;
/** The pixel's film record. */
export const PATH_FILM: usize = 152;
export const PATH_COVERAGE: usize = 156;

/** As many paths as a block has pixels. */
const PATHS: usize = 64;
/** Room for that many numbers of paths, and for the copies that fill up the last four. */
export const LIST_BYTES: usize = 272;

/** Lists of paths, and four columns of scratch. */
export let lists: usize = 0;
export let columnScratch: usize = 0;
let paths: usize = 0;

/** Takes the memory of `setTraversal`, which comes first. */
export function setWavePaths(): void {
  paths = workspace + WORKSPACE_PATHS;
  lists = paths + PATHS * PATH_STRIDE;
  columnScratch = lists + 3 * LIST_BYTES;
}

// @ts-ignore: decorator
@inline export function pathAt(index: u32): usize {
  return paths + <usize>index * PATH_STRIDE;
}
