/**
 * The kernels over one memory. gpu.js by itself gives each WebAssembly kernel a memory of its own, copies all arguments into it for
 * every call and the result out of it, and its pipelines take no kernels of several numbers a pixel: for a picture of 960x540 with four
 * textures that is 150 MB in and 65 MB out, and work for the garbage collector. Here gpu.js translates the kernels, and its assembler is
 * told where arguments and results lie, as its pipelines tell it. Each result lies where the next kernel reads it, and tables are
 * copied in when they are others than the last time.
 */
import gpujs, { type GPU as GpuInstance } from 'gpu.js';
import type { KernelThreads, ThreadProgram, ThreadStep } from './kernelThreads.ts';
import {
  isStep,
  lengthOf,
  MAX_STEPS,
  STEP_NAMES,
  STEPS,
  type StepName,
  type Table,
  type TableName,
  type Tables,
} from './steps.ts';

const { input } = gpujs as unknown as { input: (data: Float32Array, size: number[]) => unknown };

/** Where an array lies, as gpu.js' assembler has it. */
interface Region {
  index: number;
  /** Bytes. */
  offset: number;
  /** Three, the fastest first. */
  dims: number[];
  flatLength: number;
}

/** What is used of a kernel of gpu.js' WebAssembly backend (2.24). */
interface TranslatedKernel {
  argumentNames: string[];
  threadDim: number[];
  usedMathImports: Set<string>;
  setupConstants(): void;
  setupArguments(args: unknown[]): void;
  validateSettings(args: unknown[]): void;
  translateSource(): boolean;
  _assembleModule(
    layout: {
      arrays: Record<string, Region>;
      scalars: object;
      constantArrays: object;
      outputOffset: number;
      totalBytes: number;
    },
    cells: number,
    shared: boolean,
  ): { bytes: Uint8Array<ArrayBuffer>; initial: number; maximum: number };
}

type RegionName = TableName | StepName;
type Place = Omit<Region, 'index'>;

let programs = 0;

/** Kernels for tiles of one size. */
export class KernelProgram {
  readonly #gpu: GpuInstance;
  readonly #threads: KernelThreads;
  readonly width: number;
  readonly height: number;
  #slots = 0;
  #kernels: Record<StepName, TranslatedKernel> | null = null;
  #places = new Map<RegionName, Place>();
  #loaded: ThreadProgram | null = null;
  #floats = new Float32Array(0);
  /** What each table's region holds. */
  readonly #held = new Map<TableName, Float32Array>();

  constructor(gpu: GpuInstance, threads: KernelThreads, width: number, height: number) {
    this.#gpu = gpu;
    this.#threads = threads;
    this.width = width;
    this.height = height;
  }

  /** Runs `steps` for the tile's first `lines` lines. What they read that is no table must have run before. */
  async run(steps: readonly StepName[], tables: Tables, lines: number): Promise<void> {
    if (!this.#holds(tables)) this.#layOut(tables);
    for (const [name, table] of Object.entries(tables) as [TableName, Table][]) {
      if (this.#held.get(name) === table.data) continue;
      this.#floats.set(table.data, this.#places.get(name)!.offset / 4);
      this.#held.set(name, table.data);
    }
    const parts = steps.map((step): ThreadStep => {
      const planes = step === 'textures' ? this.#slots : 1;
      return { kernel: STEP_NAMES.indexOf(step), planes, planeLines: this.height };
    });
    await this.#threads.run(this.#loaded!, parts, lines);
  }

  /** What a step left, where it lies: the next run of the step writes there. */
  output(step: StepName): Float32Array {
    const { offset, flatLength } = this.#places.get(step)!;
    return this.#floats.subarray(offset / 4, offset / 4 + flatLength);
  }

  close(): void {
    if (this.#loaded) this.#threads.forget(this.#loaded);
    this.#loaded = null;
    this.#places.clear();
    this.#held.clear();
    this.#floats = new Float32Array(0);
  }

  /** Whether tables of these sizes fit where they lie: kernels know how long rows are, not how many there are. */
  #holds(tables: Tables): boolean {
    if (!this.#loaded || tables.slots.data.length !== this.#slots) return false;
    return (Object.entries(tables) as [TableName, Table][]).every(([name, { size }]) => {
      const { dims, flatLength } = this.#places.get(name)!;
      const inner = size.length === 3 ? 2 : 1;
      return lengthOf({ size }) <= flatLength && size.slice(0, inner).every((side, k) => side === dims[k]);
    });
  }

  /** Finds a place for everything and assembles the kernels for it. */
  #layOut(tables: Tables): void {
    const kernels = this.#kernels ?? this.#translate();
    this.#kernels = kernels;
    this.close();
    this.#slots = tables.slots.data.length;
    let end = 0;
    const place = (name: RegionName, size: readonly number[]): void => {
      const dims = [0, 1, 2].map((k) => size[k] ?? 1);
      const flatLength = lengthOf({ size });
      this.#places.set(name, { offset: end, dims, flatLength });
      end = align(end + flatLength * 4);
    };
    for (const step of STEP_NAMES) {
      const planes = step === 'textures' ? Math.max(1, this.#slots) : 1;
      place(step, [4, this.width, this.height * planes]);
    }
    for (const [name, table] of Object.entries(tables) as [TableName, Table][]) place(name, roomFor(table));
    const assembled = STEP_NAMES.map((step) => this.#assemble(step, kernels[step], end));
    const { initial, maximum } = assembled[0]!;
    const memory = new WebAssembly.Memory({ initial, maximum, shared: true });
    this.#floats = new Float32Array(memory.buffer);
    this.#loaded = {
      id: programs++,
      ...{ memory, width: this.width },
      kernels: assembled.map(({ bytes, math }) => ({ module: new WebAssembly.Module(bytes), math })),
    };
  }

  #assemble(step: StepName, kernel: TranslatedKernel, totalBytes: number) {
    const arrays = Object.fromEntries(
      STEPS[step].reads.map((name, index) => [kernel.argumentNames[index]!, { index, ...this.#places.get(name)! }]),
    );
    const layout = {
      arrays,
      scalars: {},
      constantArrays: {},
      outputOffset: this.#places.get(step)!.offset,
      totalBytes,
    };
    const { bytes, initial, maximum } = kernel._assembleModule(layout, this.#places.get(step)!.flatLength / 4, true);
    return { bytes, initial, maximum, math: [...kernel.usedMathImports] };
  }

  #translate(): Record<StepName, TranslatedKernel> {
    const made = STEP_NAMES.map((step) => {
      const { body, reads, constants } = STEPS[step];
      const settings = {
        // The number of planes does not show in what a kernel of two dimensions does.
        output: [this.width, this.height],
        ...{ precision: 'single', loopMaxIterations: MAX_STEPS, dynamicArguments: true, constants },
      };
      const { kernel } = this.#gpu.createKernel(body as never, settings as never) as unknown as {
        kernel: TranslatedKernel;
      };
      const stand = reads.map(standIn);
      kernel.setupConstants();
      kernel.setupArguments(stand);
      kernel.validateSettings(stand);
      kernel.threadDim = [this.width, this.height, 1];
      if (!kernel.translateSource()) throw new TypeError(`gpu.js does not translate the kernel ${step}`);
      return [step, kernel] as const;
    });
    return Object.fromEntries(made) as Record<StepName, TranslatedKernel>;
  }
}

/** Whether this gpu.js has what is used of it here. */
export function canAssemble(gpu: GpuInstance): boolean {
  const { kernel } = gpu.createKernel(
    function (this: unknown) {
      return 1;
    } as never,
    { output: [1] } as never,
  ) as unknown as { kernel: Partial<TranslatedKernel> };
  return [kernel._assembleModule, kernel.translateSource, kernel.setupArguments].every((f) => typeof f === 'function');
}

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** For translation only the kind of an argument matters. */
function standIn(name: RegionName): unknown {
  if (name === 'view' || name === 'slots') return new Float32Array(1);
  if (isStep(name) || name === 'places') return input(new Float32Array(1), [1, 1, 1]);
  return input(new Float32Array(1), [1, 1]);
}

/** An eighth more rows than there are, for the tree of a moving mesh has another size in every frame. */
function roomFor({ size }: Table): number[] {
  if (size.length !== 2) return [...size];
  const count = size[1]!;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(count)) - 3);
  return [size[0]!, Math.ceil(count / step) * step];
}
