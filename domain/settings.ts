/**
 * From what a person asked for to complete render settings, in two steps: what can be checked without the scene
 * (`checkRequestedSettings`, before a byte is uploaded) and what needs its inspection (`resolveSettings`).
 */
import { FarmError } from './errors.ts';
import { type FrameList, framesOfAnimation, parseFrames } from './frames.ts';
import { chosenLayers } from './layers.ts';
import {
  type AdaptiveSampling,
  DEFAULT_RENDER_SETTINGS,
  type DepthLimits,
  type LensSettings,
  type OutputSettings,
  type PixelFilterKind,
  type PixelRect,
  type RenderSettings,
  type RenderTechnique,
  type SceneInspection,
} from './scene.ts';
import { requireFrameFiles } from './sceneFrames.ts';
import { checkResolution, checkSettings } from './settingRules.ts';
import { TECHNIQUE_LAYERS } from './techniques.ts';

type Maybe<T> = { [K in keyof T]?: T[K] | undefined };

/** What may be asked for, shaped like `RenderSettings`; everything has a default. */
export interface RequestedSettings
  extends Maybe<
    Omit<RenderSettings, 'formatVersion' | 'engine' | 'adaptive' | 'depths' | 'filter' | 'lens' | 'output' | 'crop'>
  > {
  /** Range in our grammar; default: what the animation covers. */
  frames?: string | undefined;
  crop?: PixelRect | null | undefined;
  /** Without `minSamples` 16, or all of them where there are fewer. */
  adaptive?: (Pick<AdaptiveSampling, 'threshold'> & Maybe<AdaptiveSampling>) | null | undefined;
  depths?: Maybe<DepthLimits> | undefined;
  /** Without `radius` what suits the kind: half a pixel for a box, one for the others. */
  filter?: Maybe<RenderSettings['filter']> | undefined;
  lens?: Maybe<LensSettings> | undefined;
  output?: RequestedOutput | undefined;
}

interface RequestedOutput extends Maybe<Omit<OutputSettings, 'layers' | 'floatLayers'>> {
  /** Names of layers or of groups of them (`all`, `light`, `cryptomatte`); `beauty` is added. */
  layers?: string[] | undefined;
  floatLayers?: string[] | undefined;
}

export interface ResolvedSettings {
  settings: RenderSettings;
  frames: FrameList;
}

/** Radius in pixels that a filter has when none is asked for. */
const FILTER_RADIUS: Record<PixelFilterKind, number> = { box: 0.5, triangle: 1, gaussian: 1, 'blackman-harris': 1 };
/** Samples that tell noise from a picture well enough to begin with. */
const ADAPTIVE_MIN_SAMPLES = 16;

/**
 * Fills in all that was not asked for. This is also how stored jobs are read: what an earlier version of the farm wrote
 * has fewer fields.
 * @throws FarmError `SettingInvalid` for a layer that does not exist
 */
export function completeSettings({ frames: _, ...asked }: RequestedSettings): RenderSettings {
  const defaults = DEFAULT_RENDER_SETTINGS;
  const { adaptive, depths, filter, lens, output, ...plain } = asked;
  const samples = asked.samples ?? defaults.samples;
  const kind = filter?.kind ?? defaults.filter.kind;
  return {
    ...withDefaults(defaults, plain),
    adaptive: adaptive ? { minSamples: Math.min(ADAPTIVE_MIN_SAMPLES, samples), ...given(adaptive) } : null,
    depths: withDefaults(defaults.depths, depths),
    filter: { kind, radius: filter?.radius ?? (filter?.kind ? FILTER_RADIUS[kind] : defaults.filter.radius) },
    lens: withDefaults(defaults.lens, lens),
    output: completeOutput(output, asked.technique ?? defaults.technique),
  };
}

function completeOutput(
  { layers, floatLayers, ...plain }: RequestedOutput = {},
  technique: RenderTechnique,
): OutputSettings {
  const defaults = DEFAULT_RENDER_SETTINGS.output;
  const chosen = chosenLayers('output.layers', ['beauty', ...(layers ?? defaults.layers)], TECHNIQUE_LAYERS[technique]);
  return {
    ...withDefaults(defaults, plain),
    layers: chosen,
    floatLayers: chosenLayers('output.floatLayers', floatLayers ?? defaults.floatLayers, chosen),
  };
}

/** The object without fields that are undefined. */
const given = <T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

const withDefaults = <T extends object>(defaults: T, values: Maybe<T> & object = {}): T => ({
  ...defaults,
  ...given(values),
});

/**
 * All that can be known to be wrong without the scene.
 * @throws FarmError `FrameRangeInvalid`, `FrameRangeTooLarge`, `ResolutionInvalid` or `SettingInvalid`
 */
export function checkRequestedSettings(request: RequestedSettings): void {
  if (request.frames !== undefined) parseFrames(request.frames);
  checkSettings(completeSettings(request));
}

/**
 * Completes the settings from the scene.
 * @throws FarmError as `checkRequestedSettings`, `CameraUnknown`, `SettingInvalid` for a scene or variant that the file does
 * not have, and `AssetMissing` for a frame of a sequence that has no file
 */
export function resolveSettings(request: RequestedSettings, scene: SceneInspection): ResolvedSettings {
  checkRequestedSettings(request);
  const defaults = DEFAULT_RENDER_SETTINGS;
  const fps = request.fps ?? scene.fps ?? defaults.fps;
  const start = request.start ?? scene.start ?? defaults.start;
  const covered = framesOfAnimation(scene.durationSeconds, fps, start);
  const frames = parseFrames(request.frames ?? scene.sequence?.frames ?? `${covered.first}-${covered.last}`);
  requireFrameFiles(scene, frames);
  return {
    frames,
    settings: {
      ...completeSettings(request),
      scene: resolveScene(request.scene ?? null, scene.scenes),
      variant: resolveVariant(request.variant ?? null, scene.variants),
      camera: resolveCamera(
        request.camera ?? undefined,
        scene.cameras.map(({ name }) => name),
      ),
      fps,
      start,
    },
  };
}

/** Index of the scene that is asked for: by its name or, where none has that name, by its number; else the file's own choice. */
export function chosenScene(
  wanted: string | null,
  { scenes, defaultScene }: Pick<SceneInspection, 'scenes' | 'defaultScene'>,
): number {
  if (wanted === null) return defaultScene ?? 0;
  const named = scenes.indexOf(wanted);
  return named < 0 ? Number(wanted) : named;
}

function resolveCamera(name: string | undefined, names: readonly string[]): string | null {
  if (name === undefined) return names[0] ?? null;
  if (names.includes(name)) return name;
  throw new FarmError(
    'CameraUnknown',
    names.length === 0
      ? `The scene has no camera, so "${name}" is unknown.`
      : `Camera "${name}" is unknown; the scene has ${quoted(names)}.`,
    { camera: name },
  );
}

/** By name first, so that a scene may be called "2". */
function resolveScene(wanted: string | null, names: readonly string[]): string | null {
  if (wanted === null || names.includes(wanted)) return wanted;
  if (/^\d+$/.test(wanted) && Number(wanted) < names.length) return wanted;
  const known =
    names.length === 0
      ? 'the file has no scene to choose'
      : `the file has ${quoted(names)}, or 0 to ${names.length - 1} by number`;
  throw unknown('scene', wanted, known);
}

function resolveVariant(wanted: string | null, names: readonly string[]): string | null {
  if (wanted === null || names.includes(wanted)) return wanted;
  throw unknown('variant', wanted, names.length === 0 ? 'the file has none' : `the file has ${quoted(names)}`);
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

const unknown = (setting: string, value: string, known: string): FarmError =>
  new FarmError('SettingInvalid', `${setting} is "${value}"; ${known}.`, { setting, value });

/** Parses `1920x1080`. Throws `ResolutionInvalid`. */
export function parseResolution(text: string): { width: number; height: number } {
  const match = /^(\d{1,9})[x×](\d{1,9})$/.exec(text.trim());
  if (!match) throw new FarmError('ResolutionInvalid', `"${text}" is not a resolution.`, { resolution: text });
  const resolution = { width: Number(match[1]), height: Number(match[2]) };
  checkResolution(resolution.width, resolution.height);
  return resolution;
}
