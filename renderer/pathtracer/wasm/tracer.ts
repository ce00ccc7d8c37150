/** The tracer's CPU tier: WebAssembly with SIMD on worker threads that share one memory. */
import os from 'node:os';
import { FarmError } from '../../../domain/errors.ts';
import type { TracePartial } from '../partial.ts';
import type { SceneDescription } from '../scene/description.ts';
import type { PathTracer, TracedPixels, TraceRequest } from '../tracer.ts';
import * as layout from './assembly/layout.ts';
import { FilmMemory, SumMemory, tracedRect } from './film-memory.ts';
import { Heap } from './heap.ts';
import { refuseAdaptiveRange, validateRequest, writeJob } from './job-block.ts';
import { loadTracerModule } from './module.ts';
import { type PathRecord, recordPath } from './path-record.ts';
import { SceneMemory } from './scene-memory.ts';
import { ThreadPool } from './threads.ts';

export interface CpuTracerOptions {
  /** Worker threads, at least 1; one is used even then, so that the caller's event loop stays free. */
  threads: number;
  /** Largest memory the scene may take, bytes; default and maximum 4 GiB. */
  maximumBytes?: number;
  /** How light is found: combined (default), or by one technique alone, which tests compare in the mean. */
  strategy?: 'mis' | 'bsdf' | 'light';
}

const STRATEGIES = { mis: 0, bsdf: 1, light: 2 } as const;
const PROGRESS_MILLISECONDS = 100;

/** Starts the threads. Throws `BinaryMissing` when there is no compiled tracer and `SettingInvalid` for a wrong thread count. */
export async function createCpuTracer(options: CpuTracerOptions): Promise<PathTracer> {
  if (!Number.isInteger(options.threads) || options.threads < 1 || options.threads > 256) {
    throw new FarmError('SettingInvalid', `A tracer cannot have ${options.threads} threads.`, { setting: 'threads' });
  }
  const { module } = await loadTracerModule();
  const heap = new Heap(options.maximumBytes);
  const pool = new ThreadPool(module, heap.memory, options.threads);
  try {
    const scene = new SceneMemory(heap, pool);
    await scene.prepare(STRATEGIES[options.strategy ?? 'mis']);
    return new WasmTracer(heap, pool, scene);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Identifies the compiled tracer: equal builds give equal bits. Throws `BinaryMissing`. */
export async function cpuTracerBuild(): Promise<string> {
  return (await loadTracerModule()).build;
}

class WasmTracer implements PathTracer {
  readonly tier = 'cpu';
  readonly device = os.cpus()[0]?.model.trim() ?? os.arch();
  readonly threads: number;
  readonly #heap: Heap;
  readonly #pool: ThreadPool;
  readonly #scene: SceneMemory;
  readonly #workspaces: number[];
  readonly #filmScratches: number[];
  /** Calls take turns: a scene is not replaced while it is being traced. */
  #turn: Promise<unknown> = Promise.resolve();
  #hasScene = false;

  constructor(heap: Heap, pool: ThreadPool, scene: SceneMemory) {
    this.#heap = heap;
    this.#pool = pool;
    this.#scene = scene;
    this.threads = pool.size;
    this.#workspaces = Array.from({ length: pool.size }, () => heap.allocate(layout.WORKSPACE_SIZE));
    this.#filmScratches = Array.from({ length: pool.size }, () => heap.allocate(layout.FILM_SCRATCH_SIZE));
  }

  setScene(scene: SceneDescription): Promise<void> {
    return this.#inTurn(async () => {
      this.#hasScene = false;
      await this.#scene.load(scene);
      this.#hasScene = true;
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
      validateRequest(request);
      if (!this.#hasScene) throw new FarmError('Internal', 'The tracer was asked to record before it had a scene.');
      return recordPath(this.#heap, this.#pool, this.#scene, this.#workspaces, request, { x, y, sample });
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
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
    validateRequest(request);
    const film = new FilmMemory(this.#heap, request);
    try {
      const { rays, samples } = await this.#runJob(request, film, onProgress, signal);
      return { rect: { ...request.rect }, ...film.read(request.rect), samples, rays };
    } finally {
      film.free();
    }
  }

  async #tracePartial(
    request: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracePartial> {
    validateRequest(request);
    if (request.options.adaptive) refuseAdaptiveRange();
    const sums = new SumMemory(this.#heap, request);
    try {
      const { rays } = await this.#runJob(request, sums, onProgress, signal);
      return sums.read(rays);
    } finally {
      sums.free();
    }
  }

  /** Has all threads trace the request into `film`. */
  async #runJob(
    request: TraceRequest,
    film: FilmMemory | SumMemory,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<{ rays: number; samples: number }> {
    if (!this.#hasScene) throw new FarmError('Internal', 'The tracer was asked to trace before it had a scene.');
    const cancelled = (): FarmError => new FarmError('Cancelled', 'Tracing was cancelled.');
    if (signal?.aborted) throw cancelled();
    const rect = tracedRect(request);
    const pixels = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
    const filter = this.#scene.filterTable(request.options.filter);
    const job = this.#heap.allocate(layout.JOB_SIZE);
    this.#heap.bytes(job, layout.JOB_SIZE).fill(0);
    const view = this.#heap.view(job, layout.JOB_SIZE);
    writeJob(view, request, rect, filter);
    film.describe(view);
    const counters = this.#heap.words(job, layout.JOB_SIZE / 4);
    const abort = (): void => {
      Atomics.store(counters, layout.JOB_ABORT / 4, 1);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const timer = onProgress
      ? setInterval(
          () => onProgress(Atomics.load(counters, layout.JOB_PIXELS_DONE / 4) / pixels),
          PROGRESS_MILLISECONDS,
        )
      : undefined;
    try {
      const scene = this.#scene.address;
      const runs = await Promise.allSettled(
        Array.from({ length: this.threads }, () =>
          this.#pool.lend((call, index) =>
            call('trace', scene, job, this.#workspaces[index]!, this.#filmScratches[index]!),
          ),
        ),
      );
      let rays = 0;
      for (const run of runs) {
        if (run.status === 'rejected') throw run.reason;
        rays += run.value;
      }
      if (Atomics.load(counters, layout.JOB_ABORT / 4) !== 0) throw cancelled();
      onProgress?.(1);
      const samples = request.options.adaptive
        ? Number(view.getBigUint64(layout.JOB_SAMPLES_TAKEN, true))
        : pixels * request.sampleCount;
      return { rays, samples };
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
      this.#heap.free(job);
    }
  }
}
