/** The compiled ray-cast kernels: one set for each size of tile, kept from frame to frame. */
import os from 'node:os';
import gpujs, { type GPU as GpuInstance, type IKernelRunShortcut } from 'gpu.js';
import { findHit } from './kernels/find.ts';
import { shade } from './kernels/shade.ts';
import { baseColour, sampleTextures, shadingNormal } from './kernels/surface.ts';

const { GPU } = gpujs;
const { input } = gpujs as unknown as { input: (data: Float32Array, size: number[]) => unknown };

/** Boxes that a ray looks at before it is given up: more than any tree has. */
const MAX_STEPS = 33_554_432;
/**
 * Threads that find hits, more than there are cores where these are few: gpu.js gives each an equal part of the picture's rows, and
 * rows of sky are done long before those of a busy floor.
 */
function findThreads(): number {
  const cores = os.availableParallelism();
  return Math.max(cores, Math.min(4 * cores, 16));
}
/** Shots have one size, tiled ones a few. */
const MAX_SETS = 4;

export type RaycastBackend = 'webasm' | 'cpu' | 'gpu' | 'webgpu';

/** A kernel that gives four numbers a pixel, row-major. */
export type PixelKernel = (...values: unknown[]) => Promise<Float32Array>;

export interface RaycastKernels {
  find: PixelKernel;
  /** One for each number of slots that textures are looked up for. */
  textures: (slots: number) => PixelKernel;
  base: PixelKernel;
  normal: PixelKernel;
  shade: PixelKernel;
}

/** Where gpu.js runs when nobody says so: WebAssembly, where the machine has it. */
export const defaultBackend = (): RaycastBackend => (GPU.isWebAssemblySupported ? 'webasm' : 'cpu');

/**
 * Rows of `width` floats for a kernel. Their number is rounded up by at most an eighth: gpu.js compiles a kernel anew for every
 * size of its arguments, and the tree of a moving mesh has another size in every frame.
 */
export function rows(data: Float32Array, width: number): unknown {
  const count = Math.max(1, data.length / width);
  const step = 2 ** Math.max(0, Math.floor(Math.log2(count)) - 3);
  const padded = new Float32Array(Math.ceil(count / step) * step * width);
  padded.set(data);
  return input(padded, [width, padded.length / width]);
}

/** Four numbers a pixel, as kernels take them. */
export const pixelsOf = (data: Float32Array, width: number): unknown =>
  input(data, [4, width, data.length / (4 * width)]);

export class KernelSets {
  readonly backend: RaycastBackend;
  readonly #sets = new Map<string, RaycastKernels>();
  #gpu: GpuInstance | null = null;

  constructor(backend: RaycastBackend) {
    this.backend = backend;
  }

  /** Kernels for tiles of this size. `tables`: what they will read; only WebAssembly takes other sizes later (gpu.js 2.24). */
  of(width: number, height: number, tables: readonly unknown[]): RaycastKernels {
    const sizes = this.backend === 'webasm' ? [] : tables.map(sizeOf);
    const key = [width, height, ...sizes].join();
    let known = this.#sets.get(key);
    if (!known) {
      if (this.#sets.size >= MAX_SETS) this.#sets.clear();
      known = this.#make(width, height);
      this.#sets.set(key, known);
    }
    return known;
  }

  async close(): Promise<void> {
    this.#sets.clear();
    await this.#gpu?.destroy();
    this.#gpu = null;
  }

  #make(width: number, height: number): RaycastKernels {
    const textures = new Map<number, PixelKernel>();
    return {
      find: this.#kernel(findHit, width, height, { constants: { maxSteps: MAX_STEPS }, poolSize: findThreads() }),
      textures: (slots) => {
        const kernel = textures.get(slots) ?? this.#kernel(sampleTextures, width, height * slots);
        textures.set(slots, kernel);
        return kernel;
      },
      base: this.#kernel(baseColour, width, height),
      normal: this.#kernel(shadingNormal, width, height),
      shade: this.#kernel(shade, width, height),
    };
  }

  #kernel(
    body: unknown,
    width: number,
    height: number,
    more: { constants?: Record<string, number>; poolSize?: number } = {},
  ): PixelKernel {
    this.#gpu ??= new GPU({ mode: this.backend as never });
    const settings = {
      ...{ output: [width, height], precision: 'single', asyncMode: true, ...more },
      dynamicArguments: this.backend === 'webasm',
      loopMaxIterations: MAX_STEPS,
    };
    const shortcut = this.#gpu.createKernel(body as never, settings as never) as IKernelRunShortcut;
    keepFlat(shortcut);
    return async (...values) => flat(await shortcut(...(values as never[])), width, height);
  }
}

/**
 * gpu.js hands vectors out as one small array a pixel, which takes longer than casting the rays. Underneath, WebAssembly's result is
 * flat already; this leaves it so. Where a gpu.js has no such step, `flat` undoes it.
 */
function keepFlat({ kernel }: { kernel?: unknown }): void {
  const inner = kernel as { _shapeOutput?: (data: Float32Array) => unknown } | undefined;
  if (typeof inner?._shapeOutput === 'function') inner._shapeOutput = (data) => data;
}

function flat(result: unknown, width: number, height: number): Float32Array {
  if (result instanceof Float32Array) return result;
  const lines = result as ArrayLike<number>[][];
  const out = new Float32Array(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out.set(lines[y]![x]!, (y * width + x) * 4);
  return out;
}

const sizeOf = (table: unknown): string => Array.from((table as { size: ArrayLike<number> }).size).join('x');
