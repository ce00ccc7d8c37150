/** The tracer's GPU tier: the CPU tier's light transport in WGSL, over the memory that the CPU tier's host lays out. */
import { FarmError } from '../../../domain/errors.ts';
import type { LayerName } from '../../../domain/layers.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { type GpuOptions, type OpenGpu, openGpu } from '../../gpu/device.ts';
import { finishPartial, type TracePartial } from '../partial.ts';
import type { SceneDescription } from '../scene/description.ts';
import type { PathTracer, TracedPixels, TraceRequest } from '../tracer.ts';
import * as layout from '../wasm/assembly/layout.ts';
import { RECORD_STRIDE } from '../wasm/assembly/layout-record.ts';
import { filledLayers, layerBits, tracedRect } from '../wasm/film-memory.ts';
import { Heap } from '../wasm/heap.ts';
import { refuseAdaptiveRange, validateRequest, writeJob } from '../wasm/job-block.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { checkPath, mostSteps, type PathRecord, readPath } from '../wasm/path-record.ts';
import { SceneMemory } from '../wasm/scene-memory.ts';
import { ThreadPool } from '../wasm/threads.ts';
import { AdaptiveBlocks } from './adaptive.ts';
import { type Feature, featuresOf, specialise } from './features.ts';
import { FilmPlan, type Tile } from './filmPlan.ts';
import { joinPartials, joinPixels } from './join.ts';
import { Kernel } from './kernel.ts';
import { MemoryImage } from './memoryImage.ts';
import { loadTracerWgsl } from './module.ts';

export interface GpuTracerOptions {
  /** Threads that build trees and tables. */
  threads: number;
  /** Takes a driver that computes on the CPU, too, which tests do. */
  allowSoftware?: boolean;
  strategy?: 'mis' | 'bsdf' | 'light';
  /** Opens the device; tests lower its limits or take it away. */
  open?: (options: GpuOptions) => Promise<OpenGpu>;
  /** WGSL instead of the one that was built; tests take one that compiles fast. */
  text?: string;
}

const STRATEGIES = { mis: 0, bsdf: 1, light: 2 } as const;
/** Side of the tiles whose film is on the GPU at a time. */
const TILE = 512;
/** Largest film that is on the GPU at a time. */
const FILM_BYTES = 128 * 2 ** 20;

/** Opens the GPU; kernels are compiled with the scenes, for what they contain. Throws `GpuMissing` and `BinaryMissing`. */
export async function createGpuTracer(options: GpuTracerOptions): Promise<PathTracer> {
  const [{ module }, built] = await Promise.all([loadTracerModule(), loadTracerWgsl()]);
  const text = options.text ?? built.text;
  const openDevice = options.open ?? openGpu;
  const open = (): Promise<OpenGpu> => openDevice({ allowSoftware: options.allowSoftware ?? false });
  const gpu = await open();
  const heap = new Heap();
  const pool = new ThreadPool(module, heap.memory, options.threads);
  try {
    const scene = new SceneMemory(heap, pool);
    await scene.prepare(STRATEGIES[options.strategy ?? 'mis']);
    return new GpuTracer({ heap, pool, scene }, gpu, { open, text });
  } catch (error) {
    gpu.close();
    await pool.close();
    throw error;
  }
}

/** Identifies the compiled tracer, both of its halves. Throws `BinaryMissing`. */
export async function gpuTracerBuild(): Promise<string> {
  const [module, wgsl] = await Promise.all([loadTracerModule(), loadTracerWgsl()]);
  return `${module.build}-${wgsl.build}`;
}

interface Host {
  heap: Heap;
  pool: ThreadPool;
  scene: SceneMemory;
}

class GpuTracer implements PathTracer {
  readonly tier = 'gpu';
  readonly device: string;
  readonly threads: number;
  readonly #host: Host;
  readonly #again: { open: () => Promise<OpenGpu>; text: string };
  #gpu: OpenGpu;
  #compiled: { key: string; kernel: Kernel } | null = null;
  #memory: MemoryImage;
  #turn: Promise<unknown> = Promise.resolve();
  /** What the scene needs; null before there is one. */
  #features: ReadonlySet<Feature> | null = null;

  constructor(host: Host, gpu: OpenGpu, again: { open: () => Promise<OpenGpu>; text: string }) {
    this.#host = host;
    this.#gpu = gpu;
    this.#again = again;
    this.#memory = new MemoryImage(gpu, host.heap);
    this.threads = host.pool.size;
    this.device = gpu.adapterInfo.description || gpu.adapterInfo.device;
  }

  setScene(scene: SceneDescription): Promise<void> {
    return this.#inTurn(async () => {
      this.#features = null;
      await this.#host.scene.load(scene);
      const features = featuresOf(scene);
      await this.#survivingLoss({ rebuilds: 1 }, () => this.#bring(features));
      this.#kernel.pace.reset();
      this.#features = features;
    });
  }

  trace(request: TraceRequest, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<TracedPixels> {
    return this.#inTurn(() => this.#trace(request, onProgress, signal));
  }

  tracePartial(
    request: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracePartial> {
    return this.#inTurn(() => this.#tracePartial(request, onProgress, signal));
  }

  recordPath(request: TraceRequest, x: number, y: number, sample: number): Promise<PathRecord> {
    return this.#inTurn(async () => {
      const features = this.#featuresFor(request);
      const place = { x, y, sample };
      checkPath(request, place);
      const { scene } = this.#host;
      const [capacity, stride] = [mostSteps(request), RECORD_STRIDE / 4];
      return this.#withJob(request, request.rect, filledLayers(request), async (job) => {
        const { steps, words } = await this.#survivingLoss({ rebuilds: 1 }, async () => {
          await this.#bring(features);
          const at = { memory: this.#memory.buffer, scene: scene.address, job };
          return this.#kernel.recordPath({ ...at, ...place, capacity, stride });
        });
        return readPath(new DataView(words.buffer), Math.min(steps, capacity), scene, place);
      });
    });
  }

  async close(): Promise<void> {
    this.#gpu.close();
    await this.#host.pool.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #trace(
    request: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracedPixels> {
    const parts: { tile: Tile; pixels: TracedPixels }[] = [];
    const wanted = request.options.layers;
    await this.#traceTiles(request, onProgress, signal, (tile, partial, counts) => {
      const pixels = finishPartial(partial, counts);
      // Adaptive sampling keeps the variance for itself.
      if (!wanted.includes('variance')) delete pixels.layers.variance;
      parts.push({ tile, pixels });
    });
    return joinPixels(request, parts);
  }

  async #tracePartial(
    request: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracePartial> {
    if (request.options.adaptive) refuseAdaptiveRange();
    const parts: { tile: Tile; partial: TracePartial }[] = [];
    await this.#traceTiles(request, onProgress, signal, (tile, partial) => parts.push({ tile, partial }));
    return joinPartials(request, parts);
  }

  /** Traces tile by tile; a tile's partial holds views that are its own. */
  async #traceTiles(
    request: TraceRequest,
    onProgress: ((fraction: number) => void) | undefined,
    signal: AbortSignal | undefined,
    onTile: (tile: Tile, partial: TracePartial, counts?: Uint32Array) => void,
  ): Promise<void> {
    const features = this.#featuresFor(request);
    if (signal?.aborted) throw new FarmError('Cancelled', 'Tracing was cancelled.');
    const { scene } = this.#host;
    const { width, height, seed, frame, sampleStart, sampleCount } = request;
    const { adaptive, maxDepth } = request.options;
    const rect = tracedRect(request);
    const filled = filledLayers(request);
    const layers: LayerName[] = adaptive && !filled.includes('variance') ? [...filled, 'variance'] : filled;
    const total = (rect.x1 - rect.x0) * (rect.y1 - rect.y0) * sampleCount;
    let done = 0;
    const losses = { rebuilds: 1 };
    const { limits } = this.#gpu;
    const filmBytes = Math.min(FILM_BYTES, limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    await this.#withJob(request, rect, layers, async (job) => {
      for (const tile of tilesOf(rect, layers, filmBytes)) {
        let blocks: AdaptiveBlocks | null = null;
        let film = new FilmPlan(tile.width * tile.height, layers);
        const { words, rays } = await this.#survivingLoss(losses, async () => {
          await this.#bring(features);
          blocks = adaptive ? new AdaptiveBlocks(tile, adaptive, request.options.exposure, sampleCount) : null;
          film = new FilmPlan(tile.width * tile.height, layers, blocks?.open.length);
          let paths = 0;
          const onPaths = (more: number): void => {
            paths += more;
            onProgress?.((done + paths) / total);
          };
          const memory = this.#memory.buffer;
          const range = { sampleStart, sampleCount, maxDepth, adaptive: blocks };
          return this.#kernel.traceTile({ memory, scene: scene.address, job, tile, film, ...range, onPaths, signal });
        });
        done += tile.width * tile.height * sampleCount;
        const { x0, y0 } = tile;
        const counts = (blocks as AdaptiveBlocks | null)?.counts(tile.width, tile.height);
        const partial = {
          ...{ width, height, seed, frame, layers, rays },
          rect: { x0, y0, x1: x0 + tile.width, y1: y0 + tile.height },
          ranges: [[sampleStart, sampleStart + sampleCount]] as const,
          ...film.read(words),
        };
        onTile(tile, partial, counts);
      }
    });
  }

  /** What the scene needs, once there is one and the request is right. */
  #featuresFor(request: TraceRequest): ReadonlySet<Feature> {
    validateRequest(request);
    if (this.#features) return this.#features;
    throw new FarmError('Internal', 'The tracer was asked to trace before it had a scene.');
  }

  /** Does work for which the request lies in the host's memory, at the address that it is given. */
  async #withJob<T>(
    request: TraceRequest,
    rect: PixelRect,
    layers: readonly LayerName[],
    work: (job: number) => Promise<T>,
  ): Promise<T> {
    const { heap, scene } = this.#host;
    const filter = scene.filterTable(request.options.filter);
    const job = heap.allocate(layout.JOB_SIZE);
    try {
      heap.bytes(job, layout.JOB_SIZE).fill(0);
      const view = heap.view(job, layout.JOB_SIZE);
      writeJob(view, request, rect, filter);
      view.setUint32(layout.JOB_LAYERS, layerBits(layers), true);
      return await work(job);
    } finally {
      heap.free(job);
    }
  }

  get #kernel(): Kernel {
    if (!this.#compiled) throw new FarmError('Internal', 'The GPU tracer has no kernel.');
    return this.#compiled.kernel;
  }

  /**
   * Makes the device ready for the scene: the kernel for what it has, and what the host wrote since. What does not fit is
   * refused before anything is compiled or sent.
   */
  async #bring(features: ReadonlySet<Feature>): Promise<void> {
    this.#memory.check();
    const key = [...features].sort().join();
    if (this.#compiled?.key !== key) {
      this.#compiled?.kernel.free();
      this.#compiled = null;
      this.#compiled = { key, kernel: await Kernel.compile(this.#gpu, specialise(this.#again.text, features)) };
    }
    await this.#memory.upload();
  }

  /**
   * Does the work again on a new device when the GPU was lost. A further loss is passed on as `GpuLost`: a GPU that goes twice in
   * a frame would go on doing so, and another node may have a better one. The next frame starts with a new device again.
   */
  async #survivingLoss<T>(losses: { rebuilds: number }, work: () => Promise<T>): Promise<T> {
    try {
      if (this.#gpu.failure) await this.#reopen(this.#gpu.failure);
      return await work();
    } catch (error) {
      if (!(error instanceof FarmError) || error.code !== 'GpuLost') throw error;
      if (losses.rebuilds-- > 0 && this.#gpu.failure) return this.#survivingLoss(losses, work);
      throw new FarmError(
        'GpuLost',
        `${error.message} It was opened anew for this frame and did not last. Look at the driver's log, or keep this node to its CPU with FARM_TIER=cpu.`,
        error.place,
        { cause: error },
      );
    }
  }

  async #reopen(failure: FarmError): Promise<void> {
    this.#gpu.close();
    try {
      this.#gpu = await this.#again.open();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FarmError('GpuLost', `${failure.message} No new one could be opened: ${why}`, {}, { cause });
    }
    this.#compiled = null;
    this.#memory = new MemoryImage(this.#gpu, this.#host.heap);
  }
}

/** Tiles of a rectangle, no larger than the film may be at a time. */
function* tilesOf({ x0, y0, x1, y1 }: PixelRect, layers: readonly LayerName[], filmBytes: number): Generator<Tile> {
  const rows = Math.floor(filmBytes / (4 * FilmPlan.wordsPerPixel(layers) * TILE));
  // Cut at multiples of the blocks in which adaptive sampling decides.
  const side = Math.max(layout.BLOCK, Math.min(TILE, rows - (rows % layout.BLOCK)));
  const next = (at: number, step: number, end: number): number => Math.min(end, at - (at % step) + step);
  for (let y = y0; y < y1; y = next(y, side, y1)) {
    for (let x = x0; x < x1; x = next(x, TILE, x1)) {
      yield { x0: x, y0: y, width: next(x, TILE, x1) - x, height: next(y, side, y1) - y };
    }
  }
}
