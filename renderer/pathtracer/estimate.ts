/**
 * Predicts the frames' times from a small share of their samples. A frame costs what its scene costs, something a pixel,
 * something a sample, and its files; each is measured on its own, so that few samples of some patches stand for many samples of
 * the whole picture:
 *
 * - samples and pixels: patches of the picture itself (full resolution, so that rays lie as close together as they will), spread
 *   evenly, each with one and then with more samples;
 * - adaptive sampling: the same, but patches are traced to their end, since nobody knows beforehand where noise will be;
 * - files: a small picture of the scene with the job's own layers, denoiser and formats, written twice, once per kind of output;
 * - scene: instantiating each calibrated frame; loading the file and building what all frames share count once for as many of
 *   the job's frames as a chunk has.
 *
 * Times are processor time where that can be had (`stopwatch.ts`). Frames in between lie on the line between calibrated ones.
 */
import { FarmError } from '../../domain/errors.ts';
import { type FrameSeconds, secondsOfFrame, spreadFrames } from '../../domain/frameSeconds.ts';
import type { PixelRect, RenderSettings } from '../../domain/scene.ts';
import type { Estimate } from '../engine.ts';
import { isDisturbed, lesserOf, type PatchTimes, patchesOf, pixelCost, pixelsOf } from './probePatches.ts';
import type { SceneDescription } from './scene/description.ts';
import type { Shot } from './shot.ts';
import { addSpent, type Spent, type Stopwatch } from './stopwatch.ts';
import type { TracedPixels, TraceOptions, Tracer } from './tracer.ts';
import { BLOCK } from './wasm/assembly/layout.ts';

/** Frames that are calibrated at most. */
const PROBE_FRAMES = 5;
/** Share of a calibrated frame's samples that is traced. */
const SHARE = 0.016;
/** But no longer than this for one frame, seconds of a free machine, */
const SECONDS_PER_PROBE_FRAME = 0.5;
/** and so many patches at least: fewer say nothing about a picture. */
const LEAST_PATCHES = 6;
/** Samples of the second look at a patch. */
const MORE_SAMPLES = 4;
/** Pixels of a patch at most; a GPU needs many at a time to be itself. */
const PATCH = { cpu: { width: 1024, height: 8 }, gpu: { width: 1024, height: 256 } };
/** The budget is spent on about so many patches, where they need not be narrower than this. */
const PATCHES = 12;
const LEAST_WIDTH = 64;
/** Two of the blocks in which adaptive sampling decides. */
const ADAPTIVE_PATCH = { width: 16, height: 8 };
const LEAST_ADAPTIVE_PATCHES = 16;
/** Frames over which one chunk's loading is spread, where the job has so many. */
const FRAMES_PER_LOAD = 8;

export interface CalibrationInput {
  shot: Shot;
  settings: RenderSettings;
  /** What the tracer will be asked for. */
  options: TraceOptions;
  /** Frames that may be looked at. */
  frames: number[];
  /** Frames that the job renders, those and all others. */
  jobFrameCount: number;
  tracer: Tracer;
  stopwatch: Stopwatch;
  /** What loading took, seconds. */
  loadSeconds: number;
  referenceScore: number;
  /** Seconds that a frame's files take: denoising, encoding, writing. */
  outputSeconds(description: SceneDescription, frame: number): Promise<number>;
  /** Ends the calibration early: it then throws `Cancelled`. */
  signal?: AbortSignal | undefined;
}

/** What of a chunk's loading each frame pays, seconds. */
export const loadingPerFrame = (loadSeconds: number, jobFrameCount: number): number =>
  loadSeconds / Math.min(FRAMES_PER_LOAD, jobFrameCount);

/** Throws `Cancelled` once the signal says so. */
export function checkCalibrating(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new FarmError('Cancelled', 'The calibration was cancelled.');
}

interface FrameTime {
  frame: number;
  sceneSeconds: number;
  traceSeconds: number;
  samplesTraced: number;
  /** Samples that the whole frame is expected to have. */
  samples: number;
}

/** Calibrates up to five of the frames, evenly spread. Throws `Cancelled` after an abort. */
export async function calibrate(input: CalibrationInput): Promise<Estimate> {
  const { shot, tracer, stopwatch, frames, signal } = input;
  const ascending = [...frames].sort((a, b) => a - b);
  const times: FrameTime[] = [];
  let outputSeconds = 0;
  let firstSceneSeconds = 0;
  for (const frame of spreadFrames(ascending, PROBE_FRAMES)) {
    checkCalibrating(signal);
    const place = async (): Promise<SceneDescription> => {
      const description = await shot.at(frame);
      await tracer.setScene(description);
      return description;
    };
    // The first time also builds what all frames share.
    const first = times.length === 0 ? (await stopwatch.time(place)).spent : null;
    checkCalibrating(signal);
    const scene = await stopwatch.time(place);
    checkCalibrating(signal);
    const traced = input.options.adaptive ? await timeAdaptive(input, frame) : await timeSamples(input, frame);
    // What tracing told of the machine's load holds for the seconds around it.
    times.push({ frame, sceneSeconds: stopwatch.mixedSeconds(scene.spent), ...traced });
    if (first) firstSceneSeconds = stopwatch.mixedSeconds(first);
    if (first) outputSeconds = await input.outputSeconds(scene.value, frame);
  }
  const known: FrameSeconds[] = times.map(({ frame, sceneSeconds, traceSeconds }) => ({
    frame,
    seconds: sceneSeconds + traceSeconds + outputSeconds,
  }));
  const startSeconds = input.loadSeconds + Math.max(0, firstSceneSeconds - times[0]!.sceneSeconds);
  const mean = frames.reduce((sum, frame) => sum + secondsOfFrame(known, frame), 0) / frames.length;
  const samples = times.reduce((sum, time) => sum + time.samples, 0) / times.length;
  return {
    secondsPerFrame: mean + loadingPerFrame(startSeconds, input.jobFrameCount),
    referenceScore: input.referenceScore,
    tracedShare: Math.min(1, times.reduce((sum, time) => sum + time.samplesTraced, 0) / (samples * frames.length)),
    frames: known,
  };
}

const wholeRect = ({ width, height, crop }: RenderSettings): PixelRect =>
  crop ?? { x0: 0, y0: 0, x1: width, y1: height };

/** Traces part of a picture for the clock. */
async function tracePart(
  { tracer, settings: { width, height, seed }, options, stopwatch, signal }: CalibrationInput,
  frame: number,
  rect: PixelRect,
  [sampleStart, sampleEnd]: [number, number],
): Promise<{ value: TracedPixels; spent: Spent }> {
  const sampleCount = sampleEnd - sampleStart;
  const request = { width, height, rect, sampleStart, sampleCount, seed, frame, options };
  return stopwatch.time(() => tracer.trace(request, undefined, signal));
}

type TracedTime = Omit<FrameTime, 'frame' | 'sceneSeconds'>;

async function timeSamples(input: CalibrationInput, frame: number): Promise<TracedTime> {
  const { settings, stopwatch, tracer } = input;
  const { samples } = settings;
  const rect = wholeRect(settings);
  const few = 1;
  const more = Math.min(MORE_SAMPLES, Math.max(few, samples - few));
  const budget = SHARE * pixelsOf(rect) * samples;
  const { width, height } = patchSize(tracer.tier, budget / (few + more));
  const overhead = await callSeconds(input, frame, rect);
  const secondsOf = (spent: Spent): number => Math.max(0, stopwatch.traceSeconds(spent) - overhead);
  const times: PatchTimes[] = [];
  let samplesTraced = 0;
  let seconds = 0;
  for (const patch of patchesOf(rect, width, height)) {
    const pixels = pixelsOf(patch);
    const isEnough = samplesTraced + pixels * (few + more) > budget || seconds > SECONDS_PER_PROBE_FRAME;
    if (isEnough && times.length >= LEAST_PATCHES) break;
    // Code that this scene needs for the first time is compiled, and pictures come into the caches.
    if (times.length === 0) samplesTraced += (await tracePart(input, frame, patch, [0, few])).value.samples;
    const look = async (): Promise<PatchTimes> => {
      const first = (await tracePart(input, frame, patch, [0, few])).spent;
      const second = (await tracePart(input, frame, patch, [few, few + more])).spent;
      stopwatch.noteTraced(second);
      samplesTraced += pixels * (few + more);
      seconds += stopwatch.traceSeconds(addSpent(first, second));
      return {
        pixels,
        few: { samples: few, seconds: secondsOf(first) },
        more: { samples: more, seconds: secondsOf(second) },
      };
    };
    let time = await look();
    // Something else of this process (memory being tidied, a compiler) took part: once more.
    if (isDisturbed(time)) time = lesserOf(time, await look());
    times.push(time);
  }
  const { perPixel, perSample } = pixelCost(times);
  const pixels = pixelsOf(rect);
  return { traceSeconds: pixels * (perPixel + samples * perSample), samplesTraced, samples: pixels * samples };
}

/** Smaller patches where the pixels to trace would not make enough of the largest ones. */
function patchSize(tier: Tracer['tier'], pixels: number): { width: number; height: number } {
  const { width, height } = PATCH[tier];
  if (tier === 'gpu') return { width, height };
  const wanted = 8 * Math.floor(pixels / PATCHES / height / 8);
  return { width: Math.min(width, Math.max(LEAST_WIDTH, wanted)), height };
}

/** Patches traced to their end: only they know how many samples their noise wants. */
async function timeAdaptive(input: CalibrationInput, frame: number): Promise<TracedTime> {
  const { settings, stopwatch } = input;
  const rect = wholeRect(settings);
  // The tracer takes whole blocks, which may reach out of a crop.
  const pixels = pixelsOf(wholeBlocks(rect, settings));
  const overhead = await callSeconds(input, frame, rect);
  let patches = 0;
  let pixelsTraced = 0;
  let samplesTraced = 0;
  let seconds = 0;
  for (const patch of patchesOf(rect, ADAPTIVE_PATCH.width, ADAPTIVE_PATCH.height)) {
    // Of the samples that the frame will have, not of those that it may have: a share of the pixels.
    const isEnough = pixelsTraced > SHARE * pixels || seconds > SECONDS_PER_PROBE_FRAME;
    if (isEnough && patches >= LEAST_ADAPTIVE_PATCHES) break;
    const { value, spent } = await tracePart(input, frame, patch, [0, settings.samples]);
    patches++;
    pixelsTraced += pixelsOf(wholeBlocks(patch, settings));
    samplesTraced += value.samples;
    seconds += Math.max(0, stopwatch.traceSeconds(spent) - overhead);
  }
  return {
    traceSeconds: (seconds / pixelsTraced) * pixels,
    samplesTraced,
    samples: (samplesTraced / pixelsTraced) * pixels,
  };
}

function wholeBlocks({ x0, y0, x1, y1 }: PixelRect, { width, height }: RenderSettings): PixelRect {
  const down = (value: number): number => value - (value % BLOCK);
  const up = (value: number): number => down(value + BLOCK - 1);
  return { x0: down(x0), y0: down(y0), x1: Math.min(width, up(x1)), y1: Math.min(height, up(y1)) };
}

/** What one call of the tracer costs by itself: a pixel with a sample. */
async function callSeconds(input: CalibrationInput, frame: number, { x0, y0 }: PixelRect): Promise<number> {
  const plain = { ...input, options: { ...input.options, adaptive: null } };
  const seconds: number[] = [];
  for (let i = 0; i < 7; i++) {
    const { spent } = await tracePart(plain, frame, { x0, y0, x1: x0 + 1, y1: y0 + 1 }, [0, 1]);
    seconds.push(input.stopwatch.traceSeconds(spent));
  }
  return seconds.sort((a, b) => a - b)[3]!;
}
