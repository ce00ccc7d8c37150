/** Chooses what draws: the path tracer for finals, the ray caster for a quick look, the rasteriser for a draft. */
import type { RenderSettings, RenderTechnique } from '../../domain/scene.ts';
import type { Estimate } from '../engine.ts';
import { type CalibrationInput, checkCalibrating, loadingPerFrame } from './estimate.ts';
import { createRasterizer } from './raster/rasterizer.ts';
import { createRaycaster } from './raycast/raycaster.ts';
import type { Tracer } from './tracer.ts';

type QuickTechnique = Exclude<RenderTechnique, 'pathtrace'>;

export const isQuick = (technique: RenderTechnique): technique is QuickTechnique => technique !== 'pathtrace';

/** The settings that a technique acts on: the quick ones have one sample a pixel and no noise to take away. */
export function settingsOfTechnique(settings: RenderSettings): RenderSettings {
  return isQuick(settings.technique) ? { ...settings, samples: 1, denoise: false, shutter: 0 } : settings;
}

/** Keeps one tracer for each quick technique, made when it is first wanted. */
export class QuickTracers {
  readonly #made = new Map<QuickTechnique, Tracer>();
  readonly #make: Record<QuickTechnique, (options: { threads: number }) => Promise<Tracer>>;

  constructor(make: Partial<Record<QuickTechnique, (options: { threads: number }) => Promise<Tracer>>> = {}) {
    this.#make = { raycast: createRaycaster, raster: createRasterizer, ...make };
  }

  /**
   * The technique's tracer; a new one when there is none for so many threads, or when its device was lost. Throws `GpuMissing`
   * for the raster draft on a machine without Vulkan, and `BinaryMissing`.
   */
  async for(technique: QuickTechnique, threads: number): Promise<Tracer> {
    const kept = this.#made.get(technique);
    if (kept && kept.threads === threads && !kept.isLost) return kept;
    await this.#drop(technique);
    const tracer = await this.#make[technique]({ threads });
    this.#made.set(technique, tracer);
    return tracer;
  }

  async #drop(technique: QuickTechnique): Promise<void> {
    const tracer = this.#made.get(technique);
    this.#made.delete(technique);
    await tracer?.close();
  }

  async close(): Promise<void> {
    const all = [...this.#made.values()];
    this.#made.clear();
    for (const tracer of all) await tracer.close();
  }
}

/** Longest side of the picture that a quick estimate draws. */
const PROBE_SIDE = 480;

/** Draws the middle frame small, twice (the first time compiles), and scales up by pixels. */
export async function estimateQuick(input: CalibrationInput): Promise<Estimate> {
  const { shot, settings, frames, tracer, stopwatch } = input;
  const frame = frames[Math.floor(frames.length / 2)]!;
  const shrink = Math.min(1, PROBE_SIDE / Math.max(settings.width, settings.height));
  const width = Math.max(1, Math.round(settings.width * shrink));
  const height = Math.max(1, Math.round(settings.height * shrink));
  const rect = { x0: 0, y0: 0, x1: width, y1: height };
  let sceneSeconds = 0;
  let drawSeconds = 0;
  let description = await shot.at(frame);
  for (let round = 0; round < 2; round++) {
    checkCalibrating(input.signal);
    const scene = await stopwatch.time(async () => {
      description = await shot.at(frame);
      await tracer.setScene(description);
    });
    const request = { width, height, rect, sampleStart: 0, sampleCount: 1, seed: settings.seed, frame };
    const drawn = await stopwatch.time(() =>
      tracer.trace({ ...request, options: input.options }, undefined, input.signal),
    );
    sceneSeconds = stopwatch.mixedSeconds(scene.spent);
    drawSeconds = stopwatch.mixedSeconds(drawn.spent);
  }
  const pixels = settings.width * settings.height;
  const outputSeconds = await input.outputSeconds(description, frame);
  const seconds = sceneSeconds + (drawSeconds * pixels) / (width * height) + outputSeconds;
  return {
    secondsPerFrame: seconds + loadingPerFrame(input.loadSeconds, input.jobFrameCount),
    referenceScore: input.referenceScore,
    tracedShare: Math.min(1, (width * height) / (pixels * frames.length)),
    frames: [{ frame, seconds }],
  };
}
