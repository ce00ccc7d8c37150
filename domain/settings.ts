/**
 * From what a person asked for to complete render settings, in two steps: what can be checked without the scene
 * (`checkRequestedSettings`, before a byte is uploaded) and what needs its inspection (`resolveSettings`).
 */
import { FarmError } from './errors.ts';
import { type FrameList, framesOfAnimation, parseFrames } from './frames.ts';
import { DEFAULT_RENDER_SETTINGS, RENDER_LIMITS, type RenderSettings, type SceneInspection } from './scene.ts';

/** What may be asked for; everything has a default. */
export interface RequestedSettings {
  /** Range in our grammar; default: what the animation covers. */
  frames?: string | undefined;
  fps?: number | undefined;
  start?: number | undefined;
  camera?: string | undefined;
  width?: number | undefined;
  height?: number | undefined;
  samples?: number | undefined;
  maxDepth?: number | undefined;
  seed?: number | undefined;
  denoise?: boolean | undefined;
  exposure?: number | undefined;
}

export interface ResolvedSettings {
  settings: RenderSettings;
  frames: FrameList;
}

const integerIn = (name: string, value: number | undefined, low: number, high: number): void => {
  if (value === undefined || (Number.isInteger(value) && value >= low && value <= high)) return;
  throw new FarmError('SettingInvalid', `${name} is ${value}; it must be a whole number from ${low} to ${high}.`, {
    setting: name,
    value,
  });
};

/** Throws `FrameRangeInvalid`, `FrameRangeTooLarge`, `ResolutionInvalid` or `SettingInvalid`. */
export function checkRequestedSettings(request: RequestedSettings): void {
  if (request.frames !== undefined) parseFrames(request.frames);
  checkResolution(request.width, request.height);
  integerIn('samples', request.samples, 1, RENDER_LIMITS.maxSamples);
  integerIn('maxDepth', request.maxDepth, 1, RENDER_LIMITS.maxDepth);
  integerIn('seed', request.seed, 0, 0xffff_ffff);
  integerIn('start', request.start, -1_000_000, 1_000_000);
  const { fps, exposure } = request;
  if (fps !== undefined && !(fps > 0 && fps <= RENDER_LIMITS.maxFps)) {
    throw new FarmError('SettingInvalid', `fps is ${fps}; it must be above 0 and at most ${RENDER_LIMITS.maxFps}.`, {
      setting: 'fps',
      value: fps,
    });
  }
  if (exposure !== undefined && !(Math.abs(exposure) <= 20)) {
    throw new FarmError('SettingInvalid', `exposure is ${exposure} stops; it must be from -20 to 20.`, {
      setting: 'exposure',
      value: exposure,
    });
  }
}

function checkResolution(width: number | undefined, height: number | undefined): void {
  for (const side of [width, height]) {
    if (side === undefined) continue;
    if (!Number.isInteger(side) || side < RENDER_LIMITS.minSide || side > RENDER_LIMITS.maxSide) {
      throw new FarmError('ResolutionInvalid', `Resolution ${width ?? '?'}x${height ?? '?'} is out of bounds.`, {
        width: width ?? null,
        height: height ?? null,
        limit: RENDER_LIMITS.maxSide,
      });
    }
  }
  if ((width ?? 1) * (height ?? 1) > RENDER_LIMITS.maxPixels) {
    throw new FarmError('ResolutionInvalid', `Resolution ${width}x${height} has too many pixels.`, {
      width: width ?? null,
      height: height ?? null,
      limit: RENDER_LIMITS.maxPixels,
    });
  }
}

/** Completes the settings from the scene. Throws as `checkRequestedSettings`, and `CameraUnknown`. */
export function resolveSettings(request: RequestedSettings, scene: SceneInspection): ResolvedSettings {
  checkRequestedSettings(request);
  const camera = resolveCamera(request.camera, scene);
  const defaults = DEFAULT_RENDER_SETTINGS;
  const fps = request.fps ?? scene.fps ?? defaults.fps;
  const start = request.start ?? scene.start ?? defaults.start;
  const covered = framesOfAnimation(scene.durationSeconds, fps, start);
  const frames = parseFrames(request.frames ?? `${covered.first}-${covered.last}`);
  return {
    frames,
    settings: {
      ...defaults,
      width: request.width ?? defaults.width,
      height: request.height ?? defaults.height,
      samples: request.samples ?? defaults.samples,
      maxDepth: request.maxDepth ?? defaults.maxDepth,
      seed: request.seed ?? defaults.seed,
      denoise: request.denoise ?? defaults.denoise,
      exposure: request.exposure ?? defaults.exposure,
      camera,
      fps,
      start,
    },
  };
}

function resolveCamera(name: string | undefined, scene: SceneInspection): string | null {
  if (name === undefined) return scene.cameras[0]?.name ?? null;
  if (scene.cameras.some((camera) => camera.name === name)) return name;
  const known = scene.cameras.map((camera) => `"${camera.name}"`).join(', ');
  throw new FarmError(
    'CameraUnknown',
    known === ''
      ? `The scene has no camera, so "${name}" is unknown.`
      : `Camera "${name}" is unknown; the scene has ${known}.`,
    { camera: name },
  );
}

/** Parses `1920x1080`. Throws `ResolutionInvalid`. */
export function parseResolution(text: string): { width: number; height: number } {
  const match = /^(\d{1,9})[x×](\d{1,9})$/.exec(text.trim());
  if (!match) throw new FarmError('ResolutionInvalid', `"${text}" is not a resolution.`, { resolution: text });
  const resolution = { width: Number(match[1]), height: Number(match[2]) };
  checkResolution(resolution.width, resolution.height);
  return resolution;
}
