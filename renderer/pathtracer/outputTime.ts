/**
 * What a frame's files cost: denoising, encoding, writing. Two small pictures of a scene are traced and written as the job wants
 * it, and the line through their times is taken to the picture's size. The line is kept for jobs that write the same, since it
 * depends little on what is in the picture.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RenderSettings } from '../../domain/scene.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { writeUnitFiles } from './frameFiles.ts';
import type { FrameFacts } from './frameLayers.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { TraceOptions, Tracer } from './tracer.ts';

/** Longest sides of the two pictures. */
const SIDES = [128, 256];
/** Enough for the denoiser to be in earnest. */
const SAMPLES = 2;

export interface OutputProbe {
  /** Holds the scene of the frame. */
  tracer: Tracer;
  options: TraceOptions;
  facts: FrameFacts;
  stopwatch: Stopwatch;
  signal?: AbortSignal | undefined;
}

/** Seconds by pixels: `fixed + perPixel * pixels`. */
interface Line {
  fixed: number;
  perPixel: number;
}

export class OutputTimes {
  readonly #processor: ImageProcessor;
  readonly #lines = new Map<string, Line>();

  constructor(processor: ImageProcessor) {
    this.#processor = processor;
  }

  /** Seconds that the files of a whole picture take. Throws what tracing and writing throw. */
  async seconds(probe: OutputProbe): Promise<number> {
    const { settings } = probe.facts;
    const key = JSON.stringify([settings.denoise, settings.output, settings.technique, probe.tracer.threads]);
    let line = this.#lines.get(key);
    if (!line) {
      line = await this.#measure(probe);
      this.#lines.set(key, line);
    }
    const { x0, y0, x1, y1 } = settings.crop ?? { x0: 0, y0: 0, x1: settings.width, y1: settings.height };
    return line.fixed + line.perPixel * (x1 - x0) * (y1 - y0);
  }

  async #measure(probe: OutputProbe): Promise<Line> {
    const folder = await mkdtemp(join(tmpdir(), 'framewright-calibration-'));
    try {
      const points: { pixels: number; seconds: number }[] = [];
      for (const side of SIDES) points.push(await this.#writeSmall(probe, folder, side));
      const [small, large] = points as [(typeof points)[0], (typeof points)[0]];
      const slope = (large.seconds - small.seconds) / (large.pixels - small.pixels);
      const perPixel = Number.isFinite(slope) && slope > 0 ? slope : large.seconds / large.pixels;
      return { fixed: Math.max(0, large.seconds - perPixel * large.pixels), perPixel };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #writeSmall(
    { tracer, options, facts, stopwatch, signal }: OutputProbe,
    folder: string,
    side: number,
  ): Promise<{ pixels: number; seconds: number }> {
    const settings = shrunk(facts.settings, side);
    const { width, height, seed } = settings;
    const rect = { x0: 0, y0: 0, x1: width, y1: height };
    const request = { width, height, rect, sampleStart: 0, sampleCount: SAMPLES, seed, frame: facts.unit.frame };
    const traced = await tracer.trace({ ...request, options: { ...options, adaptive: null } }, undefined, signal);
    const write = (): Promise<unknown> => writeUnitFiles(folder, traced, { ...facts, settings }, this.#processor);
    // The first time compiles.
    await write();
    const { spent } = await stopwatch.time(write);
    return { pixels: width * height, seconds: stopwatch.mixedSeconds(spent) };
  }
}

function shrunk(settings: RenderSettings, side: number): RenderSettings {
  const scale = Math.min(1, side / Math.max(settings.width, settings.height));
  const smaller = (length: number): number => Math.max(1, Math.round(length * scale));
  return { ...settings, crop: null, width: smaller(settings.width), height: smaller(settings.height) };
}
