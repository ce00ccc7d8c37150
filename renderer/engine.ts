/**
 * The one interface behind which every renderer stands (`pathtracer`, later `blender`, `command`).
 *
 * The farm knows nothing of triangles: it hands an engine files and settings, and receives frames.
 */
import type { FrameSeconds } from '../domain/frameSeconds.ts';
import type { InspectedSequence, PixelRect, RenderSettings, SceneInspection } from '../domain/scene.ts';

export type { PixelRect } from '../domain/scene.ts';

/**
 * Files of one project version, as an engine sees them: paths relative to `root`, all that the work needs present on local
 * disk (for `render`: by the time that its `ready` says).
 */
export interface SceneFiles {
  /** Absolute folder that holds the files. */
  root: string;
  /** Path of the scene file inside `root`, with forward slashes. */
  main: string;
  /**
   * What the inspection found the shot to be: null for one file. Absent: looked up among the files, which must all be there
   * then.
   */
  sequence?: InspectedSequence | null;
}

/** Which part of a file is meant: settings that decide what there is to inspect. */
export type SceneChoice = Pick<RenderSettings, 'scene' | 'variant'>;

/** What an engine can do on this machine, and how fast it measured itself to be. */
export interface EngineProbe {
  engine: string;
  /** Identifies the build: equal builds on one device class give equal bits. */
  build: string;
  tier: 'cpu' | 'gpu';
  device: string;
  threads: number;
  memoryBytes: number;
  /** FarmBench score: millions of camera samples a second on the fixed benchmark scene, measured here. */
  score: number;
}

/** One piece of work inside a frame. */
export interface RenderUnit {
  frame: number;
  /** Index of the tile; 0 with a `rect` that covers the whole frame when the frame is not cut. */
  tile: number;
  rect?: PixelRect;
  /**
   * Part of the samples, for frames that several nodes share. The unit's EXR then holds exact sums that merge into the very
   * bits of an undivided render; it excludes adaptive sampling.
   */
  samples?: { start: number; count: number };
}

/** The files that one unit made; the engine has written them below the request's output folder. */
export interface RenderedUnit {
  unit: RenderUnit;
  /** The linear picture with its layers, OpenEXR. */
  exrPath: string;
  /** SHA-256 (hex) of that file, from an engine that makes it while it writes; absent: who needs it reads the file. */
  exrHash?: string;
  /** Tone mapped (and denoised when asked) picture for film and page, PNG whatever the settings say. */
  previewPath: string;
  /** The same picture in the format that the settings ask for; null when that is PNG. */
  picturePath: string | null;
  width: number;
  height: number;
  /** Layers in the EXR, in file order, e.g. `R G B A albedo.R …`. */
  channels: string[];
  /** Wall time spent on this unit, seconds. */
  renderSeconds: number;
  /** What rendered it: the frame cache tells frames by it. */
  maker?: Pick<EngineProbe, 'build' | 'tier' | 'device'>;
  /** Paths traced (camera samples) and rays cast, for the estimates. */
  samples: number;
  rays: number;
}

export interface RenderProgress {
  frame: number;
  tile: number;
  /** 0 to 1 within the unit. */
  fraction: number;
}

/** Where an engine delivers. `unit` is awaited before the next unit starts, so a slow upload holds the engine back. */
export interface RenderSink {
  unit(rendered: RenderedUnit): Promise<void>;
  progress(progress: RenderProgress): void;
  log(line: string): void;
}

export interface RenderRequest {
  files: SceneFiles;
  settings: RenderSettings;
  units: RenderUnit[];
  /** Absolute folder that exists and is empty; the engine writes only below it. */
  outputFolder: string;
  /** Threads the engine may use. */
  threads: number;
  /**
   * Resolves when all files that a frame reads are in place; the engine waits for it before it opens any of them, so that
   * it may begin while files of later frames are still on their way. Rejects when they will not come. Absent: all are there.
   */
  ready?(frame: number): Promise<void>;
}

export interface Estimate {
  /** Seconds that a frame takes on the calibrating node while it does nothing else: the mean, loading included. */
  secondsPerFrame: number;
  /** Score of the node that calibrated. */
  referenceScore: number;
  /** Share of these frames' samples that calibration really traced. */
  tracedShare: number;
  /** The calibrated frames without what is done once a chunk, ascending; those in between by `secondsOfFrame`. */
  frames: FrameSeconds[];
}

/** A renderer. All methods throw `FarmError` with a code of `domain/errors.ts`. */
export interface RenderEngine {
  readonly name: string;
  readonly build: string;
  /** Measures this machine; takes at most about 2 s. */
  probe(threads: number): Promise<EngineProbe>;
  /**
   * Reads the scene without rendering: of several in a file the chosen one, by default the file's own. The files that it lists are
   * those of all scenes. Throws `SceneInvalid`, `EnvironmentInvalid`, `AssetMissing`, `SceneUnsupported`, and `SettingInvalid` for a choice that the file does not have.
   */
  inspect(files: SceneFiles, choice?: SceneChoice): Promise<SceneInspection>;
  /**
   * Traces a small share of a few frames (some of those given) and extrapolates, with the job's own layers, denoiser and
   * adaptive sampling. An abort ends it with `Cancelled`, also before it began. `jobFrameCount`: how many frames the job renders
   * in all, over which loading is spread; those given when absent.
   */
  estimate(
    files: SceneFiles,
    settings: RenderSettings,
    frames: number[],
    threads: number,
    signal?: AbortSignal,
    jobFrameCount?: number,
  ): Promise<Estimate>;
  /** Renders the units in order; loads the scene once. Stops within one bucket of an abort and throws `Cancelled`. */
  render(request: RenderRequest, sink: RenderSink, signal: AbortSignal): Promise<void>;
}
