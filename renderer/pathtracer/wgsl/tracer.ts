/** The tracer's GPU tier: the CPU tier's light transport in WGSL, over the memory that the CPU tier's host lays out. */
import { FarmError } from '../../../domain/errors.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { type OpenGpu, openGpu } from '../../gpu/device.ts';
import type { SceneDescription } from '../scene/description.ts';
import type { TracedPixels, TraceRequest, Tracer } from '../tracer.ts';
import * as layout from '../wasm/assembly/layout.ts';
import { Heap } from '../wasm/heap.ts';
import { validateRequest, writeJob } from '../wasm/job-block.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { SceneMemory } from '../wasm/scene-memory.ts';
import { ThreadPool } from '../wasm/threads.ts';
import { Kernel, SUM_WORDS, type Tile } from './kernel.ts';
import { MemoryImage } from './memoryImage.ts';
import { loadTracerWgsl } from './module.ts';

export interface GpuTracerOptions {
  /** Threads that build trees and tables. */
  threads: number;
  /** Takes a driver that computes on the CPU, too, which tests do. */
  allowSoftware?: boolean;
  strategy?: 'mis' | 'bsdf' | 'light';
}

const STRATEGIES = { mis: 0, bsdf: 1, light: 2 } as const;
/** Side of the tiles whose film is on the GPU at a time. */
const TILE = 512;
const QUANTA = 2 ** 24;

/** Opens the GPU and compiles the kernel. Throws `GpuMissing` and `BinaryMissing`. */
export async function createGpuTracer(options: GpuTracerOptions): Promise<Tracer> {
  const [{ module }, { text }] = await Promise.all([loadTracerModule(), loadTracerWgsl()]);
  const open = (): Promise<OpenGpu> => openGpu({ allowSoftware: options.allowSoftware ?? false });
  const gpu = await open();
  const heap = new Heap();
  const pool = new ThreadPool(module, heap.memory, options.threads);
  try {
    const scene = new SceneMemory(heap, pool);
    await scene.prepare(STRATEGIES[options.strategy ?? 'mis']);
    return new GpuTracer({ heap, pool, scene }, { gpu, kernel: await Kernel.compile(gpu, text) }, { open, text });
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

interface Device {
  gpu: OpenGpu;
  kernel: Kernel;
}

class GpuTracer implements Tracer {
  readonly tier = 'gpu';
  readonly device: string;
  readonly threads: number;
  readonly #host: Host;
  readonly #again: { open: () => Promise<OpenGpu>; text: string };
  #device: Device;
  #memory: MemoryImage;
  #turn: Promise<unknown> = Promise.resolve();
  #hasScene = false;

  constructor(host: Host, device: Device, again: { open: () => Promise<OpenGpu>; text: string }) {
    this.#host = host;
    this.#device = device;
    this.#again = again;
    this.#memory = new MemoryImage(device.gpu, host.heap);
    this.threads = host.pool.size;
    this.device = device.gpu.adapterInfo.description || device.gpu.adapterInfo.device;
  }

  setScene(scene: SceneDescription): Promise<void> {
    return this.#inTurn(async () => {
      this.#hasScene = false;
      await this.#host.scene.load(scene);
      await this.#memory.upload();
      this.#device.kernel.pace.reset();
      this.#hasScene = true;
    });
  }

  trace(request: TraceRequest, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<TracedPixels> {
    return this.#inTurn(() => this.#trace(request, onProgress, signal));
  }

  async close(): Promise<void> {
    this.#device.gpu.close();
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
    validateRequest(request);
    if (!this.#hasScene) throw new FarmError('Internal', 'The tracer was asked to trace before it had a scene.');
    if (signal?.aborted) throw new FarmError('Cancelled', 'Tracing was cancelled.');
    const { heap } = this.#host;
    const { rect } = request;
    const picture = new Picture(rect, request.sampleCount);
    const total = picture.pixels * request.sampleCount;
    const job = heap.allocate(layout.JOB_SIZE);
    heap.bytes(job, layout.JOB_SIZE).fill(0);
    writeJob(heap.view(job, layout.JOB_SIZE), request);
    let paths = 0;
    try {
      await this.#memory.upload();
      for (const tile of tilesOf(rect)) {
        const { film, rays } = await this.#survivingLoss(() => {
          const before = paths;
          return this.#device.kernel
            .traceTile({
              memory: this.#memory.buffer,
              scene: this.#host.scene.address,
              job,
              tile,
              sampleStart: request.sampleStart,
              sampleCount: request.sampleCount,
              onPaths: (more) => {
                paths += more;
                onProgress?.(paths / total);
              },
              signal,
            })
            .catch((error: unknown) => {
              paths = before;
              throw error;
            });
        });
        picture.add(tile, film, rays);
      }
    } finally {
      heap.free(job);
    }
    return picture.finish();
  }

  /** Does the work again on a new device when the GPU was lost; a second loss is passed on. */
  async #survivingLoss<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FarmError) || error.code !== 'GpuLost') throw error;
      const gpu = await this.#again.open();
      this.#device = { gpu, kernel: await Kernel.compile(gpu, this.#again.text) };
      this.#memory = new MemoryImage(gpu, this.#host.heap);
      await this.#memory.upload();
      return work();
    }
  }
}

function* tilesOf({ x0, y0, x1, y1 }: PixelRect): Generator<Tile> {
  for (let y = y0; y < y1; y += TILE) {
    for (let x = x0; x < x1; x += TILE) {
      yield { x0: x, y0: y, width: Math.min(TILE, x1 - x), height: Math.min(TILE, y1 - y) };
    }
  }
}

/** The layers of a rectangle, put together from the films of its tiles. */
class Picture {
  readonly pixels: number;
  readonly #rect: PixelRect;
  readonly #samples: number;
  readonly #beauty: Float32Array;
  readonly #albedo: Float32Array;
  readonly #normal: Float32Array;
  readonly #depth: Float32Array;
  #rays = 0;

  constructor(rect: PixelRect, samples: number) {
    this.pixels = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
    this.#rect = rect;
    this.#samples = samples;
    this.#beauty = new Float32Array(this.pixels * 4);
    this.#albedo = new Float32Array(this.pixels * 3);
    this.#normal = new Float32Array(this.pixels * 3);
    this.#depth = new Float32Array(this.pixels);
  }

  add({ x0, y0, width, height }: Tile, film: Uint32Array, rays: number): void {
    const { x0: left, y0: top, x1: right } = this.#rect;
    const depths = new Float32Array(film.buffer, width * height * SUM_WORDS * 4);
    const scale = this.#samples * QUANTA;
    const mean = (at: number): number => ((film[at + 1]! | 0) * 2 ** 32 + film[at]!) / scale;
    for (let i = 0; i < width * height; i++) {
      const to = (y0 - top + Math.floor(i / width)) * (right - left) + (x0 - left) + (i % width);
      const at = i * SUM_WORDS;
      for (let k = 0; k < 4; k++) this.#beauty[to * 4 + k] = mean(at + 2 * k);
      for (let k = 0; k < 3; k++) {
        this.#albedo[to * 3 + k] = mean(at + 8 + 2 * k);
        this.#normal[to * 3 + k] = mean(at + 14 + 2 * k);
      }
      // The kernel's largest float stands for no hit at all.
      this.#depth[to] = depths[i]! >= 3.4028e38 ? Infinity : depths[i]!;
    }
    this.#rays += rays;
  }

  finish(): TracedPixels {
    return {
      rect: { ...this.#rect },
      beauty: this.#beauty,
      albedo: this.#albedo,
      normal: this.#normal,
      depth: this.#depth,
      layers: {},
      samples: this.pixels * this.#samples,
      rays: this.#rays,
    };
  }
}
