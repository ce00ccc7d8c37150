/** Predicts a frame's time from a small share of it. */
import type { RenderSettings } from '../../domain/scene.ts';
import type { Estimate } from '../engine.ts';
import type { Shot } from './shot.ts';
import { type Tracer, traceOptionsOf } from './tracer.ts';

/** Longest time that calibration traces one frame. */
const SECONDS_PER_PROBE_FRAME = 0.3;
/** Side of the calibration picture relative to the frame's. */
const SHRINK = 8;
/**
 * EXR, denoiser, tone map and PNG, for a million pixels on a machine of score 1.0 (measured: 0.45 s for 480×270 with, 0.12 s
 * without the denoiser, at a score of about 1). Small beside any final frame, so a constant does.
 */
const OUTPUT_SECONDS_PER_MEGAPIXEL = { denoised: 3.4, plain: 0.9 };
/** Frames over which one chunk's loading is spread. */
const FRAMES_PER_LOAD = 8;

/** First, middle and last: cost changes along a shot. */
function probeFrames(frames: number[]): number[] {
  return [...new Set([frames[0]!, frames[Math.floor(frames.length / 2)]!, frames[frames.length - 1]!])];
}

export interface CalibrationInput {
  shot: Shot;
  settings: RenderSettings;
  frames: number[];
  tracer: Tracer;
  /** What loading took, seconds. */
  loadSeconds: number;
  referenceScore: number;
  /** Milliseconds, for measuring. */
  now: () => number;
  /** Ends the calibration early: it then throws `Cancelled`. */
  signal?: AbortSignal;
}

/** Traces up to three frames at an eighth of the resolution for a moment each, and scales up by samples. */
export async function calibrate(input: CalibrationInput): Promise<Estimate> {
  const { shot, settings, tracer, now } = input;
  const width = Math.max(1, Math.round(settings.width / SHRINK));
  const height = Math.max(1, Math.round(settings.height / SHRINK));
  const pixels = settings.width * settings.height;
  let traceSeconds = 0;
  let sceneSeconds = Number.POSITIVE_INFINITY;
  let traced = 0;
  const probes = probeFrames(input.frames);
  for (const frame of probes) {
    const begin = now();
    await tracer.setScene(await shot.at(frame));
    // The first frame also builds what the others keep.
    sceneSeconds = Math.min(sceneSeconds, (now() - begin) / 1000);
    const { samples, seconds } = await traceForAWhile(tracer, settings, frame, width, height, now, input.signal);
    traceSeconds += (seconds / samples) * pixels * settings.samples;
    traced += samples;
  }
  const perMegapixel = settings.denoise ? OUTPUT_SECONDS_PER_MEGAPIXEL.denoised : OUTPUT_SECONDS_PER_MEGAPIXEL.plain;
  const outputSeconds = (perMegapixel * pixels) / 1e6 / Math.max(input.referenceScore, 0.01);
  const loadSeconds = input.loadSeconds / Math.min(FRAMES_PER_LOAD, input.frames.length);
  return {
    secondsPerFrame: traceSeconds / probes.length + sceneSeconds + outputSeconds + loadSeconds,
    referenceScore: input.referenceScore,
    tracedShare: Math.min(1, traced / (pixels * settings.samples * input.frames.length)),
  };
}

/** Traces a small picture with ever more samples until the time is up or the frame's own number is reached. */
async function traceForAWhile(
  tracer: Tracer,
  settings: RenderSettings,
  frame: number,
  width: number,
  height: number,
  now: () => number,
  signal: AbortSignal | undefined,
): Promise<{ samples: number; seconds: number }> {
  const rect = { x0: 0, y0: 0, x1: width, y1: height };
  const begin = now();
  // Without adaptive sampling: rounds of samples say what one costs, and an upper bound of how many there will be.
  const options = { ...traceOptionsOf(settings), adaptive: null };
  let done = 0;
  for (let count = 1; done < settings.samples; count *= 2) {
    const sampleCount = Math.min(count, settings.samples - done);
    const request = { width, height, rect, sampleStart: done, sampleCount, seed: settings.seed, frame, options };
    await tracer.trace(request, undefined, signal);
    done += sampleCount;
    // The next round takes twice as long as all so far.
    if ((now() - begin) / 1000 > SECONDS_PER_PROBE_FRAME / 3) break;
  }
  return { samples: done * width * height, seconds: (now() - begin) / 1000 };
}
