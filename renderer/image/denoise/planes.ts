/**
 * What the denoiser's kernels work on. They are gpu.js: plain functions that gpu.js translates, so no closures and no helpers
 * inside. Weights use a rational falloff instead of exp, which every backend computes alike, and fast.
 */
import type { IKernelFunctionThis } from 'gpu.js';

/** Planes of a tile: `[channel][y][x]`. */
export type Planes = number[][][];
/** `w` and `h`: size of the tile. */
export type Tile = IKernelFunctionThis<{ w: number; h: number }>;
/** `s`: distance between taps. */
export type FilterTile = IKernelFunctionThis<{ w: number; h: number; s: number }>;
