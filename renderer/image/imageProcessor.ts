/**
 * Where image stages run: gpu.js pipelines, compiled once for a picture size and cut into tiles for large pictures.
 *
 * Backend: `webasm`, gpu.js' WebAssembly backend with SIMD and threads, which fuses a whole pipeline over one memory
 * (480×270, six filter passes, two cores: 0.25 s; its `cpu` backend takes 0.6-0.9 s). It needs no GPU, and the same
 * input gives the same bits.
 */
import gpujs, {
  type GPU as GpuInstance,
  type IKernelRunShortcut,
  type IPipelineRunShortcut,
  type KernelFunction,
} from 'gpu.js';

// gpu.js is CommonJS; named imports of its classes are not seen by every loader, and its types forget `input`.
const { GPU } = gpujs;
const { input } = gpujs as unknown as { input: (data: Float32Array, size: [number, number, number]) => unknown };

export type ImageBackend = 'webasm' | 'cpu';

/** A picture in planes: `data[(channel * height + y) * width + x]`. */
export interface PlanarImage {
  width: number;
  height: number;
  channels: number;
  data: Float32Array;
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

/** Edge of a tile with its halo: bounds the memory a stage takes to about 200 MB. */
const MAX_TILE = 1024;
/** Compiled pipelines that are kept; shots have one size, tiled ones a few. */
const MAX_PIPELINES = 8;

/** Largest tile edges that leave `core + 2 · halo` within the bound; a picture that fits is one tile. */
function tileLength(length: number, halo: number): number {
  return length <= MAX_TILE ? length : MAX_TILE - 2 * halo;
}

/** Runs image stages, one after the other. Close it to end its threads. */
export class ImageProcessor {
  readonly backend: ImageBackend;
  private gpu: GpuInstance | null = null;
  private readonly pipelines = new Map<string, IPipelineRunShortcut>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(backend: ImageBackend = GPU.isWebAssemblySupported ? 'webasm' : 'cpu') {
    this.backend = backend;
  }

  /** Runs a stage over pictures of one size; the result has that size and `stage.outputChannels` planes. */
  run(stage: ImageStage, inputs: PlanarImage[]): Promise<PlanarImage> {
    const result = this.last.then(() => this.runTiles(stage, inputs));
    this.last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.last;
    this.pipelines.clear();
    await this.gpu?.destroy();
    this.gpu = null;
  }

  private async runTiles(stage: ImageStage, inputs: PlanarImage[]): Promise<PlanarImage> {
    const { width, height } = inputs[0]!;
    const output = {
      width,
      height,
      channels: stage.outputChannels,
      data: new Float32Array(width * height * stage.outputChannels),
    };
    const coreWidth = tileLength(width, stage.halo);
    const coreHeight = tileLength(height, stage.halo);
    for (let y0 = 0; y0 < height; y0 += coreHeight) {
      for (let x0 = 0; x0 < width; x0 += coreWidth) {
        const core = { x0, y0, x1: Math.min(x0 + coreWidth, width), y1: Math.min(y0 + coreHeight, height) };
        await this.runTile(stage, inputs, core, output);
      }
    }
    return output;
  }

  private async runTile(
    stage: ImageStage,
    inputs: PlanarImage[],
    core: { x0: number; y0: number; x1: number; y1: number },
    output: PlanarImage,
  ): Promise<void> {
    const x0 = Math.max(0, core.x0 - stage.halo);
    const y0 = Math.max(0, core.y0 - stage.halo);
    const w = Math.min(output.width, core.x1 + stage.halo) - x0;
    const h = Math.min(output.height, core.y1 + stage.halo) - y0;
    const pipeline = this.pipelineFor(stage, w, h);
    const tiles = inputs.map((image) => input(cutTile(image, x0, y0, w, h), [w, h, image.channels]));
    const planes = (await pipeline(...(tiles as never[]))) as unknown as Float32Array[][];
    for (let channel = 0; channel < stage.outputChannels; channel++) {
      for (let y = core.y0; y < core.y1; y++) {
        const row = planes[channel]![y - y0]!;
        output.data.set(
          row.subarray(core.x0 - x0, core.x1 - x0),
          (channel * output.height + y) * output.width + core.x0,
        );
      }
    }
  }

  private pipelineFor(stage: ImageStage, w: number, h: number): IPipelineRunShortcut {
    const key = `${stage.key}/${w}x${h}`;
    const known = this.pipelines.get(key);
    if (known) {
      // Most recently used last.
      this.pipelines.delete(key);
      this.pipelines.set(key, known);
      return known;
    }
    if (this.pipelines.size >= MAX_PIPELINES) {
      const oldest = this.pipelines.keys().next().value!;
      this.pipelines.get(oldest)!.destroy();
      this.pipelines.delete(oldest);
    }
    this.gpu ??= new GPU({ mode: this.backend as never });
    const gpu = this.gpu;
    const kernel: KernelFactory['kernel'] = (body, channels, constants = {}) =>
      gpu.createKernel(body, {
        output: [w, h, channels],
        constants: { w, h, ...constants },
        precision: 'single',
      } as never) as IKernelRunShortcut;
    const pipeline = gpu.createPipeline(stage.build({ kernel }) as never);
    this.pipelines.set(key, pipeline);
    return pipeline;
  }
}

function cutTile(image: PlanarImage, x0: number, y0: number, w: number, h: number): Float32Array {
  if (w === image.width && h === image.height) return image.data;
  const tile = new Float32Array(w * h * image.channels);
  for (let channel = 0; channel < image.channels; channel++) {
    for (let y = 0; y < h; y++) {
      const from = (channel * image.height + y0 + y) * image.width + x0;
      tile.set(image.data.subarray(from, from + w), (channel * h + y) * w);
    }
  }
  return tile;
}
