/** The compiled kernel and its film buffers: traces tiles slice by slice and reads their film back. */
/// <reference types="@webgpu/types" />
import { performance } from 'node:perf_hooks';
import { FarmError } from '../../../domain/errors.ts';
import type { OpenGpu } from '../../gpu/device.ts';
import type { AdaptiveBlocks } from './adaptive.ts';
import type { FilmPlan, Tile } from './filmPlan.ts';
import { longestPathOf, Pace, slices, WORKGROUP } from './pace.ts';

const DISPATCH_WORDS = 24;
const COUNTER_BYTES = 8;
/** In front of a path's records (`twins/record.wgsl`). */
const RECORD_HEADER = 4;

export interface TileWork {
  memory: GPUBuffer;
  scene: number;
  job: number;
  tile: Tile;
  film: FilmPlan;
  sampleStart: number;
  sampleCount: number;
  maxDepth: number;
  /** Which blocks get how many samples; null where all pixels get all. */
  adaptive: AdaptiveBlocks | null;
  onPaths: (paths: number) => void;
  signal: AbortSignal | undefined;
}

/** One path to write down. */
export interface PathWork extends Pick<TileWork, 'memory' | 'scene' | 'job'> {
  x: number;
  y: number;
  sample: number;
  /** Records to make room for, and words of each. */
  capacity: number;
  stride: number;
}

export class Kernel {
  readonly pace = new Pace();
  readonly #gpu: OpenGpu;
  readonly #module: GPUShaderModule;
  readonly #pipeline: GPUComputePipeline;
  /** Compiled when somebody wants to see a path. */
  #recorder: GPUComputePipeline | null = null;
  readonly #dispatch: GPUBuffer;
  readonly #counters: GPUBuffer;
  readonly #countersBack: GPUBuffer;
  #film: GPUBuffer | null = null;
  #filmBack: GPUBuffer | null = null;

  private constructor(gpu: OpenGpu, module: GPUShaderModule, pipeline: GPUComputePipeline) {
    const { device } = gpu;
    this.#gpu = gpu;
    this.#module = module;
    this.#pipeline = pipeline;
    this.#dispatch = device.createBuffer({
      size: DISPATCH_WORDS * 4,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#counters = device.createBuffer({
      size: COUNTER_BYTES,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    this.#countersBack = device.createBuffer({
      size: COUNTER_BYTES,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Compiles, which takes seconds. */
  static compile(gpu: OpenGpu, text: string): Promise<Kernel> {
    return gpu.scoped('the kernel', async () => {
      const module = gpu.device.createShaderModule({ label: 'tracer', code: text });
      return new Kernel(gpu, module, await pipelineOf(gpu, module, 'trace_paths'));
    });
  }

  /**
   * Traces a tile and returns the words of its film. Throws `Cancelled`, `RenderFailed`
   * for a tree too deep for the kernel's stack, and what `OpenGpu.scoped` throws.
   */
  traceTile(work: TileWork): Promise<{ words: Uint32Array<ArrayBuffer>; rays: number }> {
    return this.#gpu.scoped('tracing', async () => {
      const { film, adaptive, tile, sampleStart, sampleCount } = work;
      this.#prepareFilm(film);
      const bindings = this.#bind(this.#pipeline, work.memory);
      this.pace.longestPath = longestPathOf(work.maxDepth);
      if (!adaptive) {
        const rays = await this.#traceSamples(work, bindings, sampleStart, sampleCount);
        return { words: await this.#readFilm(film.words * 4), rays };
      }
      let rays = 0;
      let words = new Uint32Array();
      for (let { round } = adaptive; round; { round } = adaptive) {
        this.#gpu.device.queue.writeBuffer(this.#film!, film.startOfBlocks * 4, adaptive.open);
        rays += await this.#traceSamples(work, bindings, round.first, round.count);
        words = await this.#readFilm(film.words * 4);
        adaptive.finishRound(words, film, tile.width);
      }
      return { words, rays };
    });
  }

  /** Traces samples of all of the tile's pixels (with adaptive sampling, of the open blocks); returns the rays cast. */
  async #traceSamples(work: TileWork, bindings: GPUBindGroup, first: number, count: number): Promise<number> {
    const { tile, film, adaptive } = work;
    const blocks = adaptive ? [film.startOfBlocks, adaptive.columns, tile.x0, tile.y0] : [0, 0, 0, 0];
    let rays = 0;
    for (const slice of slices(tile.width, tile.height, first, count, this.pace)) {
      if (work.signal?.aborted) throw new FarmError('Cancelled', 'Tracing was cancelled.');
      const { column, columns, row, rows, sample, samples } = slice;
      const words = [work.scene, work.job, sample, samples, tile.x0 + column, tile.y0 + row, columns, rows];
      words.push(row * tile.width + column, tile.width, film.channels, ...film.offsets, ...blocks);
      this.#gpu.device.queue.writeBuffer(this.#dispatch, 0, Uint32Array.from(words));
      const begin = performance.now();
      const groups = [Math.ceil(columns / WORKGROUP.x), Math.ceil(rows / WORKGROUP.y)] as const;
      const cast = await this.#run(this.#pipeline, bindings, groups);
      const paths = columns * rows * samples;
      this.pace.learn(paths, cast, (performance.now() - begin) / 1000);
      rays += cast;
      work.onPaths(paths);
    }
    return rays;
  }

  /** Follows one path; returns how many steps it took and as many records as there is room for. Throws like `traceTile`. */
  recordPath(work: PathWork): Promise<{ steps: number; words: Uint32Array<ArrayBuffer> }> {
    return this.#gpu.scoped('recording a path', async () => {
      this.#recorder ??= await pipelineOf(this.#gpu, this.#module, 'write_path');
      const { scene, job, x, y, sample, capacity, stride } = work;
      const words = RECORD_HEADER + capacity * stride;
      this.#makeFilm(words);
      const dispatch = new Uint32Array(DISPATCH_WORDS);
      dispatch.set([scene, job, sample, capacity, x, y]);
      this.#gpu.device.queue.writeBuffer(this.#dispatch, 0, dispatch);
      await this.#run(this.#recorder, this.#bind(this.#recorder, work.memory), [1, 1]);
      const written = await this.#readFilm(words * 4);
      return { steps: written[0]!, words: written.slice(RECORD_HEADER) };
    });
  }

  free(): void {
    for (const buffer of [this.#dispatch, this.#counters, this.#countersBack, this.#film, this.#filmBack]) {
      buffer?.destroy();
    }
  }

  #prepareFilm({ words, startOfDepths, depths }: FilmPlan): void {
    this.#makeFilm(words);
    this.#gpu.device.queue.writeBuffer(this.#film!, startOfDepths * 4, new Float32Array(depths).fill(Infinity));
  }

  /** Room for so many words, all zero. */
  #makeFilm(words: number): void {
    const { device } = this.#gpu;
    const bytes = words * 4;
    if (!this.#film || this.#film.size < bytes) {
      this.#film?.destroy();
      this.#filmBack?.destroy();
      this.#film = device.createBuffer({
        label: 'film',
        size: bytes,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      this.#filmBack = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    }
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(this.#film);
    device.queue.submit([encoder.finish()]);
  }

  #bind(pipeline: GPUComputePipeline, memory: GPUBuffer): GPUBindGroup {
    const buffers = [memory, memory, this.#film!, this.#dispatch, this.#counters];
    return this.#gpu.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  /** One dispatch; returns the rays that it cast. */
  async #run(
    pipeline: GPUComputePipeline,
    bindings: GPUBindGroup,
    [columns, rows]: readonly [number, number],
  ): Promise<number> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(this.#counters);
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(columns, rows);
    pass.end();
    encoder.copyBufferToBuffer(this.#counters, 0, this.#countersBack, 0, COUNTER_BYTES);
    device.queue.submit([encoder.finish()]);
    await this.#countersBack.mapAsync(GPUMapMode.READ);
    const [rays, overflow] = new Uint32Array(this.#countersBack.getMappedRange());
    this.#countersBack.unmap();
    if (overflow) throw new FarmError('RenderFailed', 'The scene has a tree that is too deep for the GPU tracer.');
    return rays!;
  }

  async #readFilm(bytes: number): Promise<Uint32Array<ArrayBuffer>> {
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#film!, 0, this.#filmBack!, 0, bytes);
    this.#gpu.device.queue.submit([encoder.finish()]);
    await this.#filmBack!.mapAsync(GPUMapMode.READ, 0, bytes);
    const words = new Uint32Array(this.#filmBack!.getMappedRange(0, bytes).slice(0));
    this.#filmBack!.unmap();
    return words;
  }
}

function pipelineOf({ device }: OpenGpu, module: GPUShaderModule, entryPoint: string): Promise<GPUComputePipeline> {
  return device.createComputePipelineAsync({ label: entryPoint, layout: 'auto', compute: { module, entryPoint } });
}
