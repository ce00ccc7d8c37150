/** The ray-cast kernels where they run: one set for each size of tile, kept from frame to frame. */
import gpujs, { type GPU as GpuInstance, type IKernelRunShortcut } from 'gpu.js';
import { canAssemble, KernelProgram } from './kernelProgram.ts';
import { KernelThreads } from './kernelThreads.ts';
import { isStep, lengthOf, MAX_STEPS, STEPS, type StepName, type Table, type TableName, type Tables } from './steps.ts';

const { GPU } = gpujs;
const { input } = gpujs as unknown as { input: (data: Float32Array, size: number[]) => unknown };

/** Shots have one size, tiled ones a few. */
const MAX_SETS = 4;

export type RaycastBackend = 'webasm' | 'cpu' | 'gpu' | 'webgpu';

/** The kernels for tiles of one size. */
export interface RaycastKernels {
  readonly width: number;
  readonly height: number;
  /** Runs `steps` at least for the tile's first `lines` lines. What they read that is no table must have run before. */
  run(steps: readonly StepName[], tables: Tables, lines: number): Promise<void>;
  /** What a step left, four numbers a pixel: valid until the step runs again. */
  output(step: StepName): Float32Array;
  close(): void;
}

export class KernelSets {
  readonly backend: RaycastBackend;
  readonly #threadCount: number;
  #sets: RaycastKernels[] = [];
  #gpu: GpuInstance | null = null;
  #threads: KernelThreads | null = null;

  constructor(backend: RaycastBackend, threads: number) {
    this.backend = backend;
    this.#threadCount = threads;
  }

  /** Kernels for tiles of this size; they may be for higher ones, where running some lines of these costs no more. */
  of(width: number, height: number): RaycastKernels {
    const isFor = (set: RaycastKernels): boolean =>
      set.width === width && (set instanceof KernelProgram ? set.height >= height : set.height === height);
    const known = this.#sets.find(isFor);
    if (known) return known;
    if (this.#sets.length >= MAX_SETS) this.#forget();
    this.#gpu ??= new GPU({ mode: this.backend as never });
    const made = this.#make(this.#gpu, width, height);
    this.#sets.push(made);
    return made;
  }

  async close(): Promise<void> {
    this.#forget();
    await this.#threads?.close();
    this.#threads = null;
    await this.#gpu?.destroy();
    this.#gpu = null;
  }

  #make(gpu: GpuInstance, width: number, height: number): RaycastKernels {
    if (this.backend !== 'webasm' || !canAssemble(gpu)) return new PlainKernels(gpu, this.backend, width, height);
    this.#threads ??= new KernelThreads(this.#threadCount);
    return new KernelProgram(gpu, this.#threads, width, height);
  }

  #forget(): void {
    for (const set of this.#sets) set.close();
    this.#sets = [];
  }
}

/** Kernels that gpu.js itself calls, on any of its backends. */
class PlainKernels implements RaycastKernels {
  readonly #gpu: GpuInstance;
  readonly #backend: RaycastBackend;
  readonly width: number;
  readonly height: number;
  /** By step and sizes of what it reads: only WebAssembly takes other sizes later (gpu.js 2.24). */
  readonly #kernels = new Map<string, IKernelRunShortcut>();
  readonly #outputs = new Map<StepName, Float32Array>();

  constructor(gpu: GpuInstance, backend: RaycastBackend, width: number, height: number) {
    this.#gpu = gpu;
    this.#backend = backend;
    this.width = width;
    this.height = height;
  }

  async run(steps: readonly StepName[], tables: Tables): Promise<void> {
    for (const step of steps) {
      const planes = step === 'textures' ? tables.slots.data.length : 1;
      const values = STEPS[step].reads.map((name) => this.#value(name, tables));
      const key = [step, planes, ...values.map(sizeOf)].join();
      let kernel = this.#kernels.get(key);
      if (!kernel) {
        kernel = this.#kernel(step, planes);
        this.#kernels.set(key, kernel);
      }
      this.#outputs.set(step, flat(await kernel(...(values as never[])), this.width, this.height * planes));
    }
  }

  output(step: StepName): Float32Array {
    return this.#outputs.get(step)!;
  }

  close(): void {
    this.#kernels.clear();
    this.#outputs.clear();
  }

  #value(name: TableName | StepName, tables: Tables): unknown {
    if (name === 'view' || name === 'slots') return tables[name].data;
    if (!isStep(name)) return padded(tables[name]);
    const data = this.#outputs.get(name);
    const lines = data ? data.length / (4 * this.width) : 1;
    return input(data ?? new Float32Array(4 * this.width), [4, this.width, lines]);
  }

  #kernel(step: StepName, planes: number): IKernelRunShortcut {
    const { body, constants } = STEPS[step];
    const settings = {
      ...{ output: [this.width, this.height * planes], precision: 'single', asyncMode: true, constants },
      dynamicArguments: this.#backend === 'webasm',
      loopMaxIterations: MAX_STEPS,
    };
    return this.#gpu.createKernel(body as never, settings as never) as IKernelRunShortcut;
  }
}

/** gpu.js hands vectors out as one small array a pixel. */
function flat(result: unknown, width: number, height: number): Float32Array {
  const lines = result as ArrayLike<number>[][];
  const out = new Float32Array(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out.set(lines[y]![x]!, (y * width + x) * 4);
  return out;
}

/** gpu.js wants as many numbers as a size says. */
function padded({ data, size }: Table): unknown {
  const length = lengthOf({ size });
  if (data.length === length) return input(data, [...size]);
  const whole = new Float32Array(length);
  whole.set(data);
  return input(whole, [...size]);
}

const sizeOf = (value: unknown): string => {
  const { size, length } = value as { size?: ArrayLike<number>; length?: number };
  return size ? Array.from(size).join('x') : String(length);
};
