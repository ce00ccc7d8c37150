/** What the farm knows of a scene and of how it shall be rendered. Plain data; no I/O. */

export interface InspectedCamera {
  name: string;
  /** Vertical field of view, radians; null for orthographic cameras. */
  yfov: number | null;
  /** Width over height as authored, null where the file leaves it to the viewport. */
  aspectRatio: number | null;
  animated: boolean;
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

/** The answer of `RenderEngine.inspect`: all that intake shows, plan estimates from and submit checks against. */
export interface SceneInspection {
  formatVersion: 1;
  engine: string;
  /** Tool that wrote the file, as the file says. */
  generator: string | null;
  cameras: InspectedCamera[];
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
  files: InspectedFile[];
  /** Sentences for people: defaults taken, extensions ignored, … */
  warnings: SceneWarning[];
}

export interface SceneWarning {
  code: 'NoCamera' | 'NoLight' | 'ExtensionIgnored' | 'FeatureIgnored' | 'FrameRangeHolds';
  message: string;
}

/** All that decides a frame's pixels beside the files. Part of the job; hashed into the quote. */
export interface RenderSettings {
  formatVersion: 1;
  engine: 'pathtracer';
  width: number;
  height: number;
  /** Samples a pixel. */
  samples: number;
  /** Longest path, in bounces. */
  maxDepth: number;
  seed: number;
  /** Camera by name; null takes the first, or the default camera when there is none. */
  camera: string | null;
  fps: number;
  /** Number of the frame that stands for time 0: frame N is time (N - start) / fps. */
  start: number;
  /** Denoise previews and film (the EXR always keeps the original). */
  denoise: boolean;
  /** Exposure of previews, in stops. */
  exposure: number;
}

/** Bounds that `domain/settings` checks before anything is spent. */
export const RENDER_LIMITS = {
  minSide: 1,
  maxSide: 16_384,
  maxPixels: 134_217_728,
  maxSamples: 65_536,
  maxDepth: 64,
  maxFps: 1_000,
} as const;

export const DEFAULT_RENDER_SETTINGS: RenderSettings = {
  formatVersion: 1,
  engine: 'pathtracer',
  width: 960,
  height: 540,
  samples: 64,
  maxDepth: 8,
  seed: 1,
  camera: null,
  fps: 24,
  start: 1,
  denoise: true,
  exposure: 0,
};
