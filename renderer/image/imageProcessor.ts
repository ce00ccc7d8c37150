/**
 * Where image stages run: gpu.js pipelines, compiled once for a picture size and cut into tiles for large pictures.
 *
 * Backend: `webasm`, gpu.js' WebAssembly backend with SIMD and threads, which fuses a whole pipeline over one memory
 * (480×270, six filter passes, two cores: 0.25 s; its `cpu` backend takes 0.6-0.9 s), or `gpu`, its WebGPU backend. Each gives
 * the same bits for the same input.
 */
import gpujs, {
  type GPU as GpuInstance,
  type IKernelRunShortcut,
  type IPipelineRunShortcut,
  type KernelFunction,
} from 'gpu.js';
import { FarmError } from '../../domain/errors.ts';
import type { PixelRect } from '../../domain/scene.ts';
import { isSoftwareVulkanAsked } from '../gpu/softwareVulkan.ts';
import { type ImageBackend, imageBackend } from './imageBackend.ts';

// gpu.js is CommonJS; named imports of its classes are not seen by every loader, and its types forget `input`.
const { GPU } = gpujs;
const { input } = gpujs as unknown as { input: (data: Float32Array, size: [number, number, number]) => unknown };

/** A picture in planes: `data[(channel * height + y) * width + x]`. */
export interface PlanarImage {
  width: number;
  height: number;
  channels: number;
  data: Float32Array;
}

/** A picture that gives its planes tile by tile, so that they never lie in memory as a whole. */
export interface TileSource {
  width: number;
  height: number;
  /** What lies in `rect`, one image for each input of the stage. */
  cut(rect: PixelRect): PlanarImage[];
}

/** Rows of a picture, `from <= y < to`. */
export interface RowSpan {
  from: number;
  to: number;
}

/** Builds the pipeline of one stage for a tile size. */
export interface ImageStage {
  /** Distinguishes compiled stages; settings that are compiled in belong to it. */
  key: string;
  /** Pixels around a tile that its result depends on. */
  halo: number;
  outputChannels: number;
  build(kernels: KernelFactory): (...inputs: unknown[]) => unknown;
}

interface KernelFactory {
  /** Makes a kernel that fills `channels` planes of the tile; `this.constants` has `w`, `h` and the given ones. */
  kernel(body: KernelFunction, channels: number, constants?: Record<string, number>): IKernelRunShortcut;
}

/** Longest edge of a tile with its halo: bounds the memory a stage takes to about 200 MB. */
const MAX_TILE = 1024;
/** The WebAssembly backend computes four neighbours at a time where rows are a multiple of that. */
const LANES = 4;
/** Compiled pipelines that are kept; shots have one size, tiled ones a few. */
const MAX_PIPELINES = 8;
/** Pixels of the tiles that the kept pipelines are for, all together: each holds its memory. */
const MAX_PIPELINE_PIXELS = 3 * MAX_TILE * MAX_TILE;

/** A tile along one axis: what it looks at, `size` from `start` on, and what it is there for. */
interface Window extends RowSpan {
  start: number;
  size: number;
}

/**
 * Windows for `[from, to)` of a length, all of one size, so that one compiled pipeline does for them. They reach `halo` beyond what
 * they are there for, but not beyond the length.
 */
export function windowsOf(length: number, { from, to }: RowSpan, halo: number): Window[] {
  const begin = Math.max(0, from - halo);
  const end = Math.min(length, to + halo);
  if (end - begin <= MAX_TILE) return [{ start: begin, size: end - begin, from, to }];
  const inner = end - begin - 2 * halo;
  const count = Math.ceil(inner / (MAX_TILE - 2 * halo));
  const size = Math.ceil((Math.ceil(inner / count) + 2 * halo) / LANES) * LANES;
  const windows: Window[] = [];
  for (let k = 0; k < count; k++) {
    // The last may overlap more of the one before it.
    const start = Math.min(begin + k * (size - 2 * halo), end - size);
    windows.push({ start, size, from: windows.at(-1)?.to ?? from, to: k === count - 1 ? to : start + size - halo });
  }
  return windows;
}

/** Runs image stages, one after the other. Close it to end its threads. */
export class ImageProcessor {
  readonly backend: ImageBackend;
  private gpu: GpuInstance | null = null;
  private readonly pipelines = new Map<string, { pipeline: IPipelineRunShortcut; pixels: number }>();
  private last: Promise<unknown> = Promise.resolve();
  private endGpu: (() => void) | null = null;

  /** @throws FarmError `SettingInvalid` for a wrong `FARM_IMAGE_BACKEND` */
  constructor(backend: ImageBackend = imageBackend()) {
    this.backend = backend;
  }

  /**
   * Runs a stage; the result has the picture's width, the given rows (all when left out) and `stage.outputChannels` planes.
   * @throws FarmError `GpuMissing`, `GpuLost` where the backend is `gpu`
   */
  run(stage: ImageStage, picture: TileSource, rows: RowSpan = { from: 0, to: picture.height }): Promise<PlanarImage> {
    const work = (): Promise<PlanarImage> => this.runTiles(stage, picture, rows);
    const result = this.last.then(this.backend === 'gpu' ? () => this.onGpu(work) : work);
    this.last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.last;
    await this.forget();
  }

  private async forget(): Promise<void> {
    this.pipelines.clear();
    await this.gpu?.destroy();
    this.gpu = null;
    this.endGpu?.();
    this.endGpu = null;
  }

  /** The next stage after a failure finds a new device. */
  private async onGpu<T>(work: () => Promise<T>): Promise<T> {
    const { offerNavigatorGpu } = await import('../gpu/navigatorGpu.ts');
    this.endGpu ??= await offerNavigatorGpu({ allowSoftware: isSoftwareVulkanAsked() });
    try {
      return await work();
    } catch (cause) {
      await this.forget();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FarmError('GpuLost', `The GPU did not run an image stage: ${why}`, {}, { cause });
    }
  }

  private async runTiles(stage: ImageStage, picture: TileSource, rows: RowSpan): Promise<PlanarImage> {
    const { width } = picture;
    const height = rows.to - rows.from;
    const channels = stage.outputChannels;
    const output: PlanarImage = { width, height, channels, data: new Float32Array(width * height * channels) };
    const columns = windowsOf(width, { from: 0, to: width }, stage.halo);
    for (const row of windowsOf(picture.height, rows, stage.halo)) {
      for (const column of columns) {
        const planes = await this.runTile(stage, picture, column, row);
        for (let channel = 0; channel < channels; channel++) {
          for (let y = row.from; y < row.to; y++) {
            const line = planes[channel]![y - row.start]!;
            output.data.set(
              line.subarray(column.from - column.start, column.to - column.start),
              (channel * height + y - rows.from) * width + column.from,
            );
          }
        }
      }
    }
    return output;
  }

  private async runTile(
    stage: ImageStage,
    picture: TileSource,
    { start: x0, size: w }: Window,
    { start: y0, size: h }: Window,
  ): Promise<Float32Array[][]> {
    const pipeline = this.pipelineFor(stage, w, h);
    const inputs = picture.cut({ x0, y0, x1: x0 + w, y1: y0 + h });
    const tiles = inputs.map(({ data, channels }) => input(data, [w, h, channels]));
    return (await pipeline(...(tiles as never[]))) as unknown as Float32Array[][];
  }

  private pipelineFor(stage: ImageStage, w: number, h: number): IPipelineRunShortcut {
    const key = `${stage.key}/${w}x${h}`;
    const known = this.pipelines.get(key);
    if (known) {
      // Most recently used last.
      this.pipelines.delete(key);
      this.pipelines.set(key, known);
      return known.pipeline;
    }
    this.makeRoom(w * h);
    this.gpu ??= new GPU({ mode: (this.backend === 'gpu' ? 'webgpu' : this.backend) as never });
    const gpu = this.gpu;
    const kernel: KernelFactory['kernel'] = (body, channels, constants = {}) =>
      gpu.createKernel(body, {
        output: [w, h, channels],
        constants: { w, h, ...constants },
        precision: 'single',
      } as never) as IKernelRunShortcut;
    const pipeline = gpu.createPipeline(stage.build({ kernel }) as never);
    this.pipelines.set(key, { pipeline, pixels: w * h });
    return pipeline;
  }

  /** Forgets pipelines, those that were not used for longest first, until there is room for one of so many pixels. */
  private makeRoom(pixels: number): void {
    let held = [...this.pipelines.values()].reduce((sum, known) => sum + known.pixels, pixels);
    for (const [key, known] of this.pipelines) {
      if (this.pipelines.size < MAX_PIPELINES && held <= MAX_PIPELINE_PIXELS) return;
      known.pipeline.destroy();
      this.pipelines.delete(key);
      held -= known.pixels;
    }
  }
}
