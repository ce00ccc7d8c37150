/** The path tracer as a `RenderEngine`: loads a scene once, then instantiates, traces and writes unit by unit. */
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { FarmError } from '../../domain/errors.ts';
import { frameTime } from '../../domain/frames.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import { buildOfTechnique, checkTechniqueLayers } from '../../domain/techniques.ts';
import type {
  EngineProbe,
  Estimate,
  PixelRect,
  RenderEngine,
  RenderRequest,
  RenderSink,
  RenderUnit,
  SceneFiles,
} from '../engine.ts';
import { ImageProcessor } from '../image/imageProcessor.ts';
import { tracedOptions } from './denoiseLayers.ts';
import { calibrate, checkCalibrating } from './estimate.ts';
import { FARM_BENCH_VERSION, measureFarmBench } from './farmBench.ts';
import type { UnitPaths } from './frameFiles.ts';
import { cryptomatteNames, type FrameFacts, frameChannels, writableCompression } from './frameLayers.ts';
import { inspectShot } from './gltf/inspectShot.ts';
import { makeUnit } from './makeUnit.ts';
import { OutputTimes } from './outputTime.ts';
import { sourceOf } from './partFile.ts';
import { checkSampleRange, writePartFiles } from './sampleRanges.ts';
import type { SceneDescription } from './scene/description.ts';
import { SceneCache } from './sceneCache.ts';
import { Shot } from './shot.ts';
import { Stopwatch } from './stopwatch.ts';
import { estimateQuick, isQuick, QuickTracers, settingsOfTechnique } from './techniques.ts';
import { buildOf, onTracerThatCan, TracerSlot } from './tiers.ts';
import type { Tracer } from './tracer.ts';

/** Goes up when pictures change for a reason outside the compiled tracer (loader, defaults, formats). */
const ENGINE_VERSION = 6;

/**
 * The engine with the means to end its threads. `build` names the compiled tracer once that was loaded, which every method
 * but `inspect` does; before, it is the engine's version with `+unloaded`.
 */
export interface PathTracerEngine extends RenderEngine {
  /** Ends all threads. The engine starts them again when it is used again. */
  close(): Promise<void>;
}

/** A unit's files and what they took. */
type MadeUnit = UnitPaths & { channels: string[]; samples: number; rays: number };

/** Runs tasks one after the other: one tracer holds one scene. */
class Turnstile {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new FarmError('Cancelled', 'rendering was cancelled');
}

/** The unit's rectangle, checked against the picture. */
function rectOf(unit: RenderUnit, { width, height, crop }: RenderSettings): PixelRect {
  const rect = unit.rect ?? crop ?? { x0: 0, y0: 0, x1: width, y1: height };
  const { x0, y0, x1, y1 } = rect;
  const isInside =
    [x0, y0, x1, y1].every(Number.isInteger) && x0 >= 0 && y0 >= 0 && x1 <= width && y1 <= height && x0 < x1 && y0 < y1;
  if (!isInside) {
    throw new FarmError('SettingInvalid', `tile ${unit.tile} of frame ${unit.frame} is not inside ${width}x${height}`, {
      ...rect,
    });
  }
  return rect;
}

/** Memory that this process may use, bytes. */
function usableMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

/**
 * Creates the engine. Threads start with the first call that traces, and live until `close`. `tracers` replace what makes them,
 * for tests of what happens when one fails.
 */
export function createPathTracerEngine(tracers: { slot?: TracerSlot; quick?: QuickTracers } = {}): PathTracerEngine {
  const processor = new ImageProcessor();
  // Denoised pixels of one backend are not those of another, to the bit.
  const images = processor.backend === 'webasm' ? '' : `.${processor.backend}-images`;
  const version = `pathtracer-${ENGINE_VERSION}.${FARM_BENCH_VERSION}${images}`;
  let build: string | null = null;
  const turnstile = new Turnstile();
  const outputTimes = new OutputTimes(processor);
  const scenes = new SceneCache();
  /** By tier and number of threads. */
  const scores = new Map<string, number>();
  const { slot = new TracerSlot(), quick = new QuickTracers() } = tracers;

  async function tracerFor(threads: number, choice: RenderSettings['tier'] = 'auto'): Promise<Tracer> {
    const taken = await slot.take(choice, threads);
    build = `${version}-${taken.build}`;
    return taken.tracer;
  }

  /** What draws a job: one of the quick tracers, or the path tracer. */
  async function tracerOf(settings: RenderSettings, threads: number): Promise<Tracer> {
    const { technique } = settings;
    if (!isQuick(technique)) return tracerFor(threads, settings.tier);
    build ??= `${version}-${await buildOf('auto')}`;
    return quick.for(technique, threads);
  }

  async function scoreOf(threads: number, choice: RenderSettings['tier'] = 'auto'): Promise<number> {
    const tracer = await tracerFor(threads, choice);
    const key = `${tracer.tier} ${threads}`;
    let score = scores.get(key);
    if (score === undefined) {
      score = await measureFarmBench(tracer);
      scores.set(key, score);
    }
    return score;
  }

  async function probe(threads: number): Promise<EngineProbe> {
    scores.clear();
    const score = await scoreOf(threads);
    const { tier, device } = await tracerFor(threads);
    return { engine: 'pathtracer', build: build!, tier, device, threads, memoryBytes: usableMemory(), score };
  }

  async function estimate(
    files: SceneFiles,
    asked: RenderSettings,
    frames: number[],
    threads: number,
    signal?: AbortSignal,
    jobFrameCount = frames.length,
  ): Promise<Estimate> {
    const settings = settingsOfTechnique(asked);
    if (frames.length === 0) throw new FarmError('FrameRangeInvalid', 'there are no frames to estimate');
    checkCalibrating(signal);
    const begin = performance.now();
    const shot = await Shot.open(scenes, files, settings, frames);
    const loadSeconds = (performance.now() - begin) / 1000;
    checkCalibrating(signal);
    const referenceScore = await scoreOf(threads, isQuick(settings.technique) ? 'auto' : settings.tier);
    checkCalibrating(signal);
    const tracer = await tracerOf(settings, threads);
    const stopwatch = new Stopwatch(tracer);
    const options = tracedOptions(settings);
    const outputSeconds = async (description: SceneDescription, frame: number): Promise<number> => {
      const facts = await factsOf(shot, settings, { frame, tile: 0 }, description);
      return outputTimes.seconds({ tracer, options, facts, stopwatch, signal });
    };
    const measure = isQuick(settings.technique) ? estimateQuick : calibrate;
    return measure({
      ...{ shot, settings, options, frames, jobFrameCount, tracer, stopwatch, loadSeconds, referenceScore },
      ...{ outputSeconds, signal },
    });
  }

  /** What a unit's files say beside their pixels. */
  async function factsOf(
    shot: Shot,
    settings: RenderSettings,
    unit: RenderUnit,
    description: SceneDescription,
  ): Promise<FrameFacts> {
    return {
      ...{ settings, unit, camera: description.camera },
      build: buildOfTechnique(build!, settings.technique),
      cameraName: await shot.cameraName(unit.frame),
      time: frameTime(unit.frame, settings.fps, settings.start),
      names: cryptomatteNames(description),
    };
  }

  async function render(request: RenderRequest, sink: RenderSink, signal: AbortSignal): Promise<void> {
    const { files, units, outputFolder, threads } = request;
    const settings = settingsOfTechnique(request.settings);
    checkTechniqueLayers(settings);
    throwIfCancelled(signal);
    writableCompression(settings.output);
    for (const unit of units) checkSampleRange(unit, settings);
    const rects = units.map((unit) => rectOf(unit, settings));
    const frames = units.map(({ frame }) => frame);
    if (frames[0] !== undefined) await request.ready?.(frames[0]);
    const shot = await Shot.open(scenes, files, settings, frames);
    if (frames[0] !== undefined) for (const message of await shot.warnings(frames[0])) sink.log(message);
    throwIfCancelled(signal);
    let active = await tracerOf(settings, threads);
    const elsewhere = async (reason: FarmError, tier: Tracer['tier']): Promise<Tracer | null> => {
      // A draft's device that was lost is opened anew; the path tracer does that itself.
      if (reason.code === 'GpuLost' && isQuick(settings.technique)) return tracerOf(settings, threads);
      const mayMove = settings.tier === 'auto' && tier === 'gpu' && !isQuick(settings.technique);
      if (!mayMove || reason.code !== 'SceneTooLarge') return null;
      sink.log(`${reason.message} The CPU traces it.`);
      return tracerFor(threads, 'cpu');
    };
    for (const [index, unit] of units.entries()) {
      throwIfCancelled(signal);
      await request.ready?.(unit.frame);
      throwIfCancelled(signal);
      const begin = performance.now();
      const description = await shot.at(unit.frame);
      const trace = {
        ...{ width: settings.width, height: settings.height, seed: settings.seed, frame: unit.frame },
        sampleStart: unit.samples?.start ?? 0,
        sampleCount: unit.samples?.count ?? settings.samples,
        rect: rects[index]!,
        options: tracedOptions(settings),
      };
      const { rect } = trace;
      const onProgress = (fraction: number): void => sink.progress({ frame: unit.frame, tile: unit.tile, fraction });
      // Once more from the beginning where a tracer fails: a picture is made by one.
      const work = async (tracer: Tracer): Promise<MadeUnit> => {
        await tracer.setScene(description);
        const facts = await factsOf(shot, settings, unit, description);
        if (!unit.samples) {
          const making = { tracer, trace, facts, outputFolder, processor, onProgress, signal };
          const channels = frameChannels(settings.output).map(({ name }) => name);
          return { ...(await makeUnit(making)), channels };
        }
        const partial = await tracer.tracePartial(trace, onProgress, signal);
        throwIfCancelled(signal);
        const source = sourceOf(tracer, await shot.inputs(unit.frame));
        const samples = partial.depth.length * trace.sampleCount;
        return { ...(await writePartFiles(outputFolder, { partial, facts, source })), samples, rays: partial.rays };
      };
      const { tracer, result: made } = await onTracerThatCan(active, work, (reason, { tier }) =>
        elsewhere(reason, tier),
      );
      active = tracer;
      await sink.unit({
        unit,
        ...made,
        width: rect.x1 - rect.x0,
        height: rect.y1 - rect.y0,
        renderSeconds: (performance.now() - begin) / 1000,
        maker: { build: buildOfTechnique(build!, settings.technique), tier: active.tier, device: active.device },
      });
    }
  }

  return {
    name: 'pathtracer',
    get build() {
      return build ?? `${version}+unloaded`;
    },
    probe: (threads) => turnstile.run(() => probe(threads)),
    inspect: (files, choice) => inspectShot(files, 'pathtracer', choice),
    estimate: (...asked) => turnstile.run(() => estimate(...asked)),
    render: (request, sink, signal) => turnstile.run(() => render(request, sink, signal)),
    close: () =>
      turnstile.run(async () => {
        await slot.close();
        await quick.close();
        scenes.clear();
        await processor.close();
      }),
  };
}
