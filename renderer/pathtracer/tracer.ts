/** What the tracer's tiers (CPU in WebAssembly, GPU in WGSL) offer to the engine. */
import type { LayerName } from '../../domain/layers.ts';
import {
  type AdaptiveSampling,
  DEFAULT_RENDER_SETTINGS,
  type PixelRect,
  type RenderSettings,
} from '../../domain/scene.ts';
import type { TracePartial } from './partial.ts';
import type { SceneDescription } from './scene/description.ts';
import type { PathRecord } from './wasm/path-record.ts';

/** Everything about light transport and film that a request may choose; `traceOptionsOf` reads it from settings. */
export interface TraceOptions {
  maxDepth: number;
  /** Longest path by kind of scattering; `maxDepth` where there is no limit of its own. */
  diffuseDepth: number;
  specularDepth: number;
  transmissionDepth: number;
  /** Largest luminance a sample may add at (direct) or after (indirect) the first hit; 0 is off. */
  clampDirect: number;
  clampIndirect: number;
  adaptive: AdaptiveSampling | null;
  /** Stops by which the picture is shown brighter: adaptive sampling looks for the noise that is seen then. */
  exposure: number;
  filter: RenderSettings['filter'];
  energyCompensation: boolean;
  /** Layers to fill in. `beauty`, `albedo`, `normal` and `depth` are always filled. */
  layers: readonly LayerName[];
}

export interface TraceRequest {
  /** Of the whole picture. */
  width: number;
  height: number;
  /** Samples a pixel; this call traces `sampleStart <= s < sampleStart + sampleCount` of them. */
  sampleStart: number;
  sampleCount: number;
  seed: number;
  frame: number;
  /** Part of the picture to trace. Bits of a pixel do not depend on it. */
  rect: PixelRect;
  options: TraceOptions;
}

/** Row-major, top row first, of the request's rectangle. */
export interface TracedPixels {
  rect: PixelRect;
  /** Linear Rec.709, premultiplied alpha, four floats a pixel: mean over samples. */
  beauty: Float32Array;
  /** First-hit (through perfect glass: first rough) base colour, three floats a pixel. */
  albedo: Float32Array;
  /** World-space shading normal, three floats a pixel, mean over samples, zero where nothing was hit. */
  normal: Float32Array;
  /** Distance along the camera's viewing axis (Z), one float a pixel; +Infinity where nothing was hit. */
  depth: Float32Array;
  /**
   * The other layers asked for, by name, with as many floats a pixel as `domain/layers` lists channels. Cryptomatte ids are
   * the floats that the specification makes of a name's hash.
   */
  layers: Partial<Record<LayerName, Float32Array>>;
  samples: number;
  rays: number;
}

export interface Tracer {
  readonly tier: 'cpu' | 'gpu';
  /** What traces, for people: a processor's or an adapter's name. */
  readonly device: string;
  readonly threads: number;
  /** Whether its device is gone for good: it answers `GpuLost`, and another tracer must be made. */
  readonly isLost?: boolean;
  /** Whether a picture in short bands costs no more than at once, so that one can be written while the next is traced. */
  readonly isPipelined?: boolean;
  /** Replaces the scene. Meshes whose (id, revision) are known keep their BVH. Throws `FarmError` when it does not fit. */
  setScene(scene: SceneDescription): Promise<void>;
  /** Traces; `onProgress` gets 0..1. Rejects with `Cancelled` soon after an abort. */
  trace(request: TraceRequest, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<TracedPixels>;
  /** Takes back arrays that `trace` gave, which nobody looks at any more: a later `trace` fills them again. */
  recycle?(pixels: TracedPixels): void;
  /**
   * Traces the request's samples into exact sums, which `partial.ts` merges with those of other samples and finishes into the
   * bits that an undivided render has. Throws `SettingInvalid` for adaptive sampling, which does not know its samples beforehand.
   */
  tracePartial(
    request: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracePartial>;
  /** Ends its threads. */
  close(): Promise<void>;
}

/** Both tiers of the path tracer can also show what one path does. */
export interface PathTracer extends Tracer {
  /**
   * Follows the path of one sample of pixel (x, y) again and tells every step: the very numbers that `trace` adds up. Throws
   * `SettingInvalid` for a pixel or sample outside the request.
   */
  recordPath(request: TraceRequest, x: number, y: number, sample: number): Promise<PathRecord>;
}

/** Options of a plain request: what the default settings ask for. */
export const DEFAULT_TRACE_OPTIONS: TraceOptions = traceOptionsOf(DEFAULT_RENDER_SETTINGS);

/** The part of the settings that the tracer acts on. */
export function traceOptionsOf(settings: RenderSettings): TraceOptions {
  const { maxDepth, depths, clampDirect, clampIndirect, adaptive, exposure, filter, energyCompensation, output } =
    settings;
  return {
    maxDepth,
    diffuseDepth: Math.min(maxDepth, depths.diffuse ?? maxDepth),
    specularDepth: Math.min(maxDepth, depths.specular ?? maxDepth),
    transmissionDepth: Math.min(maxDepth, depths.transmission ?? maxDepth),
    ...{ clampDirect, clampIndirect, adaptive, exposure, filter, energyCompensation },
    layers: output.layers,
  };
}
