/** What the farm knows of a scene and of how it shall be rendered. Plain data; no I/O. */
import type { LayerName } from './layers.ts';

export interface InspectedCamera {
  name: string;
  /** Vertical field of view, radians; null for orthographic cameras. */
  yfov: number | null;
  /** Width over height as authored, null where the file leaves it to the viewport. */
  aspectRatio: number | null;
  animated: boolean;
  /** The thin lens that the file gives it; absent or null for a pinhole. A distance of null focuses on the picture's middle. */
  lens?: { fStop: number | null; focusDistance: number | null; blades: number } | null;
}

export interface InspectedTexture {
  name: string;
  width: number;
  height: number;
  mimeType: string;
  sizeBytes: number;
}

/** A file that the scene reads, relative to the project's root, with the bytes it has. */
export interface InspectedFile {
  path: string;
  sizeBytes: number;
}

/** A shot of one file a frame. */
export interface InspectedSequence {
  /** Path with a number sign for each digit: `shot.####.glb`. */
  pattern: string;
  /** Frames that have a file, as a range. */
  frames: string;
}

/** Files that are read whole for each of these frames; what is not listed for a frame is not opened for it. */
export interface FrameFiles {
  /** A range; null for every frame. */
  frames: string | null;
  files: string[];
  /** Paths that differ by frame: `{frame:04}` stands for its number with four digits at least. */
  perFrame: string[];
}

/**
 * The answer of `RenderEngine.inspect`: all that intake shows, plan estimates from and submit checks against. Cameras, lights,
 * surfaces, length and warnings are those of the one scene that was chosen.
 */
export interface SceneInspection {
  formatVersion: 1;
  engine: string;
  /** Tool that wrote the file, as the file says. */
  generator: string | null;
  /** Names of the file's scenes in its order, `scene 2` where one has none; the one that is taken when none is asked for. */
  scenes: string[];
  defaultScene: number | null;
  /** Names of the material variants (KHR_materials_variants). */
  variants: string[];
  /** Extensions that the file uses, and whether the engine acts on them. */
  extensions: { name: string; required: boolean; supported: boolean }[];
  cameras: InspectedCamera[];
  /** Names of the cameras of every scene of the file, in the order of `scenes`. */
  sceneCameras: string[][];
  /** Names of animation clips. */
  animations: string[];
  /** Length of the longest clip, seconds; 0 for a still. */
  durationSeconds: number;
  /** Frames per second that the file states (glTF `asset.extras.fps`), else null. */
  fps: number | null;
  /** First frame number that the file states, else null. */
  start: number | null;
  triangles: number;
  /** Triangles after instancing. */
  instancedTriangles: number;
  meshes: number;
  materials: number;
  nodes: number;
  skins: number;
  lights: number;
  emissiveMeshes: number;
  hasEnvironment: boolean;
  textures: InspectedTexture[];
  textureBytes: number;
  /** World bounds at time 0: min xyz, max xyz. */
  bounds: [number, number, number, number, number, number];
  /** Null for a shot of one file. */
  sequence: InspectedSequence | null;
  /** Everything that any frame reads. */
  files: InspectedFile[];
  /** Which of `files` which frame reads; see `filesOfFrame`. */
  frameFiles: FrameFiles[];
  /** Sentences for people: defaults taken, extensions ignored, … */
  warnings: SceneWarning[];
}

export interface SceneWarning {
  code: 'NoCamera' | 'NoLight' | 'NoSurface' | 'ExtensionIgnored' | 'FeatureIgnored' | 'FrameRangeHolds';
  message: string;
}

/** How a frame is made: a scrub draft, a quick look of one ray a pixel, or the final. */
export type RenderTechnique = 'raster' | 'raycast' | 'pathtrace';
export const TECHNIQUES: readonly RenderTechnique[] = ['raster', 'raycast', 'pathtrace'];

/** How linear light becomes screen values in previews and film. */
export type ViewTransform = 'srgb' | 'agx' | 'aces' | 'neutral' | 'raw';
export const VIEW_TRANSFORMS: readonly ViewTransform[] = ['srgb', 'agx', 'aces', 'neutral', 'raw'];

/** What we write; why not DWAA, OpenEXR's lossy one, is in docs/renderer.md. */
export type ExrCompression = 'none' | 'zips' | 'zip' | 'piz';
export const EXR_COMPRESSIONS: readonly ExrCompression[] = ['none', 'zips', 'zip', 'piz'];

export type PictureFormat = 'png' | 'tiff' | 'webp' | 'jpeg';
export const PICTURE_FORMATS: readonly PictureFormat[] = ['png', 'tiff', 'webp', 'jpeg'];
/** Endings of files by format. One list, so that names are alike on a farm and without one. */
export const PICTURE_EXTENSIONS: Record<PictureFormat, string> = {
  png: 'png',
  tiff: 'tiff',
  webp: 'webp',
  jpeg: 'jpg',
};

export type PixelFilterKind = 'box' | 'triangle' | 'gaussian' | 'blackman-harris';
export const PIXEL_FILTERS: readonly PixelFilterKind[] = ['box', 'triangle', 'gaussian', 'blackman-harris'];

/** A rectangle of pixels, half open: `x0 <= x < x1`. */
export interface PixelRect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Longest path in bounces of one kind; null leaves only `maxDepth` as the limit. */
export interface DepthLimits {
  diffuse: number | null;
  specular: number | null;
  transmission: number | null;
}

/** Sampling that stops where the picture is clean enough. Excludes sample ranges. */
export interface AdaptiveSampling {
  /** Standard error of a pixel's tone-mapped luminance at which its block stops, e.g. 0.01. */
  threshold: number;
  /** Every pixel gets at least so many samples. */
  minSamples: number;
}

/** A thin lens over a 24 mm high sensor; a pinhole where `fStop` is null. */
export interface LensSettings {
  fStop: number | null;
  /** Metres along the viewing axis; null takes the file's, else the distance of what the picture's middle shows. */
  focusDistance: number | null;
  /** Blades of the iris, 0 for a round one. */
  blades: number;
}

/** All that decides a frame's pixels beside the files. Part of the job; hashed into the quote. */
export interface RenderSettings {
  formatVersion: 1;
  engine: 'pathtracer';
  technique: RenderTechnique;
  /** Which tier traces; `auto` lets the node decide. Bits are equal within one tier and device class only. */
  tier: 'auto' | 'cpu' | 'gpu';
  width: number;
  height: number;
  /** Only this part is rendered; the file's data window says where it lies. */
  crop: PixelRect | null;
  /** Samples a pixel; with adaptive sampling the most a pixel gets. */
  samples: number;
  adaptive: AdaptiveSampling | null;
  /** Longest path, in bounces. */
  maxDepth: number;
  depths: DepthLimits;
  /** Largest luminance that one sample may add, by light at the first hit and after it; 0 leaves light as it is. */
  clampDirect: number;
  clampIndirect: number;
  filter: { kind: PixelFilterKind /** Pixels. */; radius: number };
  /** Gives rough specular lobes back the light that single scattering loses (Turquin 2019). */
  energyCompensation: boolean;
  lens: LensSettings;
  /** Share of the frame's time that the shutter is open, from the frame on; 0 freezes. 0.5 is film's 180 degrees. */
  shutter: number;
  seed: number;
  /** glTF scene by name or number; null takes the file's own choice. */
  scene: string | null;
  /** Material variant by name (KHR_materials_variants); null takes the materials as they stand. */
  variant: string | null;
  /** Camera by name; null takes the first, or the default camera when there is none. */
  camera: string | null;
  fps: number;
  /** Number of the frame that stands for time 0: frame N is time (N - start) / fps. */
  start: number;
  /** Denoise previews and film; the EXR always keeps the original, and gets a `denoised` layer beside it when asked. */
  denoise: boolean;
  /** Exposure of previews, in stops. */
  exposure: number;
  view: ViewTransform;
  output: OutputSettings;
}

/** What is written, and how. */
export interface OutputSettings {
  /** Layers in the EXR; `beauty` is always there. */
  layers: LayerName[];
  /** Adds denoised copies of beauty and of the light layers in `layers`, named `<layer>_denoised`. */
  denoisedLayers: boolean;
  /** Layers to be written as float rather than half. */
  floatLayers: LayerName[];
  compression: ExrCompression;
  colorSpace: 'rec709' | 'acescg';
  /** Format of the picture beside the EXR. */
  picture: PictureFormat;
}

/** Bounds that `domain/settings` checks before anything is spent. */
export const RENDER_LIMITS = {
  minSide: 1,
  maxSide: 16_384,
  maxPixels: 134_217_728,
  maxSamples: 65_536,
  maxDepth: 64,
  maxFps: 1_000,
  maxFilterRadius: 4,
  maxBlades: 16,
} as const;

export const DEFAULT_RENDER_SETTINGS: RenderSettings = {
  formatVersion: 1,
  engine: 'pathtracer',
  technique: 'pathtrace',
  tier: 'auto',
  width: 960,
  height: 540,
  crop: null,
  samples: 64,
  adaptive: null,
  maxDepth: 8,
  depths: { diffuse: null, specular: null, transmission: null },
  clampDirect: 0,
  clampIndirect: 0,
  filter: { kind: 'blackman-harris', radius: 1 },
  energyCompensation: true,
  lens: { fStop: null, focusDistance: null, blades: 0 },
  shutter: 0,
  seed: 1,
  scene: null,
  variant: null,
  camera: null,
  fps: 24,
  start: 1,
  denoise: true,
  exposure: 0,
  view: 'neutral',
  output: {
    layers: ['beauty', 'albedo', 'normal', 'depth'],
    denoisedLayers: false,
    floatLayers: [],
    compression: 'zip',
    colorSpace: 'rec709',
    picture: 'png',
  },
};
