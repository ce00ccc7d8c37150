/** The tracer's CPU tier: WebAssembly with SIMD on worker threads that share one memory. */
import os from 'node:os';
import { FarmError } from '../../../domain/errors.ts';
import type { SceneDescription } from '../scene/description.ts';
import type { TracedPixels, TraceRequest, Tracer } from '../tracer.ts';
import * as layout from './assembly/layout.ts';
import { Heap } from './heap.ts';
import { loadTracerModule } from './module.ts';
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
export async function createCpuTracer(options: CpuTracerOptions): Promise<Tracer> {
  if (!Number.isInteger(options.threads) || options.threads < 1 || options.threads > 256) {
    throw new FarmError('SettingInvalid', `A tracer cannot have ${options.threads} threads.`, { setting: 'threads' });
  }
  const { module } = await loadTracerModule();
  const heap = new Heap(options.maximumBytes);
  const pool = new ThreadPool(module, heap.memory, options.threads);
  try {
    const scene = new SceneMemory(heap, pool);
    await scene.prepare(STRATEGIES[options.strategy ?? 'mis']);
    return new CpuTracer(heap, pool, scene);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Identifies the compiled tracer: equal builds give equal bits. Throws `BinaryMissing`. */
export async function cpuTracerBuild(): Promise<string> {
  return (await loadTracerModule()).build;
}

class CpuTracer implements Tracer {
  readonly tier = 'cpu';
  readonly device = os.cpus()[0]?.model.trim() ?? os.arch();
  readonly threads: number;
  readonly #heap: Heap;
  readonly #pool: ThreadPool;
  readonly #scene: SceneMemory;
  readonly #workspaces: number[];
  /** Calls take turns: a scene is not replaced while it is being traced. */
  #turn: Promise<unknown> = Promise.resolve();
  #hasScene = false;

  constructor(heap: Heap, pool: ThreadPool, scene: SceneMemory) {
    this.#heap = heap;
    this.#pool = pool;
    this.#scene = scene;
    this.threads = pool.size;
    this.#workspaces = Array.from({ length: pool.size }, () => heap.allocate(layout.WORKSPACE_SIZE));
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
    validate(request);
    if (!this.#hasScene) throw new FarmError('Internal', 'The tracer was asked to trace before it had a scene.');
    const cancelled = (): FarmError => new FarmError('Cancelled', 'Tracing was cancelled.');
    if (signal?.aborted) throw cancelled();
    const { rect } = request;
    const pixels = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
    const job = this.#heap.allocate(layout.JOB_SIZE);
    let film = 0;
    try {
      film = this.#heap.allocate(pixels * 11 * 4 + 64);
    } catch (error) {
      this.#heap.free(job);
      throw error;
    }
    const beauty = film;
    const albedo = beauty + pixels * 16;
    const normal = albedo + pixels * 12;
    const depth = normal + pixels * 12;
    this.#writeJob(job, request, { beauty, albedo, normal, depth });
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
          this.#pool.lend((call, index) => call('trace', scene, job, this.#workspaces[index]!)),
        ),
      );
      let rays = 0;
      for (const run of runs) {
        if (run.status === 'rejected') throw run.reason;
        rays += run.value;
      }
      if (Atomics.load(counters, layout.JOB_ABORT / 4) !== 0) throw cancelled();
      onProgress?.(1);
      return {
        rect: { ...rect },
        beauty: this.#heap.floats(beauty, pixels * 4).slice(),
        albedo: this.#heap.floats(albedo, pixels * 3).slice(),
        normal: this.#heap.floats(normal, pixels * 3).slice(),
        depth: this.#heap.floats(depth, pixels).slice(),
        layers: {},
        samples: pixels * request.sampleCount,
        rays,
      };
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', abort);
      this.#heap.free(job);
      this.#heap.free(film);
    }
  }

  #writeJob(
    job: number,
    { width, height, sampleStart, sampleCount, seed, frame, rect, options }: TraceRequest,
    film: { beauty: number; albedo: number; normal: number; depth: number },
  ): void {
    this.#heap.bytes(job, layout.JOB_SIZE).fill(0);
    const view = this.#heap.view(job, layout.JOB_SIZE);
    const fields: [number, number][] = [
      [layout.JOB_WIDTH, width],
      [layout.JOB_HEIGHT, height],
      [layout.JOB_SAMPLE_START, sampleStart],
      [layout.JOB_SAMPLE_COUNT, sampleCount],
      [layout.JOB_MAX_DEPTH, options.maxDepth],
      [layout.JOB_SEED, seed],
      [layout.JOB_FRAME, frame],
      [layout.JOB_X0, rect.x0],
      [layout.JOB_Y0, rect.y0],
      [layout.JOB_X1, rect.x1],
      [layout.JOB_Y1, rect.y1],
      [layout.JOB_BEAUTY, film.beauty],
      [layout.JOB_ALBEDO, film.albedo],
      [layout.JOB_NORMAL, film.normal],
      [layout.JOB_DEPTH, film.depth],
    ];
    for (const [offset, value] of fields) view.setUint32(offset, value >>> 0, true);
  }
}

function validate({ width, height, sampleStart, sampleCount, options: { maxDepth }, rect }: TraceRequest): void {
  const check = (setting: string, holds: boolean): void => {
    if (!holds) throw new FarmError('SettingInvalid', `The trace request has an impossible ${setting}.`, { setting });
  };
  const whole = (...values: number[]): boolean => values.every((value) => Number.isInteger(value));
  check('resolution', whole(width, height) && width >= 1 && height >= 1 && width <= 16_384 && height <= 16_384);
  check('sample range', whole(sampleStart, sampleCount) && sampleStart >= 0 && sampleCount >= 1);
  check('sample range', sampleStart + sampleCount <= 2 ** 24);
  check('depth', whole(maxDepth) && maxDepth >= 0 && maxDepth <= 1024);
  check(
    'rectangle',
    whole(rect.x0, rect.y0, rect.x1, rect.y1) && rect.x0 >= 0 && rect.y0 >= 0 && rect.x0 < rect.x1 && rect.y0 < rect.y1,
  );
  check('rectangle', rect.x1 <= width && rect.y1 <= height);
}
