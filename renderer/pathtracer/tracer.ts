/** What the tracer's tiers (CPU in WebAssembly, later GPU in WGSL) offer to the engine. */
import type { PixelRect } from '../engine.ts';
import type { SceneDescription } from './scene/description.ts';

export interface TraceRequest {
  width: number;
  height: number;
  /** Samples a pixel; this call traces `sampleStart <= s < sampleStart + sampleCount` of them. */
  sampleStart: number;
  sampleCount: number;
  maxDepth: number;
  seed: number;
  frame: number;
  /** Part of the picture to trace. Bits of a pixel do not depend on it. */
  rect: PixelRect;
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
  samples: number;
  rays: number;
}

export interface Tracer {
  readonly tier: 'cpu' | 'gpu';
  readonly threads: number;
  /** Replaces the scene. Meshes whose (id, revision) are known keep their BVH. Throws `FarmError` when it does not fit. */
  setScene(scene: SceneDescription): Promise<void>;
  /** Traces; `onProgress` gets 0..1. Rejects with `Cancelled` soon after an abort. */
  trace(request: TraceRequest, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<TracedPixels>;
  /** Ends its threads. */
  close(): Promise<void>;
}
