/** Which layers of a frame are denoised, and by what noise. */
import { type LayerName, varianceLayerOf } from '../../domain/layers.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import { denoise } from '../image/denoise.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { type RowsInContext, rowsOf } from './bands.ts';
import { denoisedLayers, layerData } from './frameLayers.ts';
import { type TracedPixels, type TraceOptions, traceOptionsOf } from './tracer.ts';

/** What to trace for a frame's files: the denoiser wants the variance of what it cleans, whether or not the file gets it. */
export function tracedOptions(settings: RenderSettings): TraceOptions {
  const options = traceOptionsOf(settings);
  const noise = denoisedLayers(settings).flatMap((layer) => varianceLayerOf(layer) ?? []);
  return { ...options, layers: [...new Set([...options.layers, ...noise])] };
}

/** RGBA of a layer for the denoiser, which takes alpha along untouched. */
export function asRgba(data: Float32Array, pixels: number): Float32Array {
  if (data.length === pixels * 4) return data;
  const out = new Float32Array(pixels * 4);
  for (let i = 0; i < pixels; i++) out.set(data.subarray(i * 3, i * 3 + 3), i * 4);
  return out;
}

function asRgb(data: Float32Array): Float32Array {
  const out = new Float32Array((data.length / 4) * 3);
  for (let i = 0; i < data.length / 4; i++) out.set(data.subarray(i * 4, i * 4 + 3), i * 3);
  return out;
}

/** Layers whose light was multiplied by the albedo; reflections and what comes through glass were not. */
export const hasAlbedo = (layer: LayerName): boolean =>
  layer === 'beauty' || layer === 'diffuse_direct' || layer === 'diffuse_indirect';

/**
 * A variance of fewer samples is not used: of one it is zero, as if there were no noise. Of four it is rough, but better than an
 * estimate from the picture (docs/benchmarks/renderer/2026-11-29-denoise.md).
 */
const FEWEST_SAMPLES = 4;

/** The measured variance of a layer where every pixel has samples enough for it. */
function trustedVariance(
  layer: LayerName,
  { layers }: TracedPixels,
  { samples, adaptive }: RenderSettings,
): Float32Array | undefined {
  if (Math.min(samples, adaptive?.minSamples ?? samples) < FEWEST_SAMPLES) return undefined;
  const noise = varianceLayerOf(layer);
  return noise ? layers[noise] : undefined;
}

/** Denoised copies, of the rows that are ready, of what the settings ask for; `beauty` also for the picture. */
export async function denoiseLayers(
  { rect, context }: RowsInContext,
  settings: RenderSettings,
  processor: ImageProcessor,
): Promise<Map<LayerName, Float32Array>> {
  const width = rect.x1 - rect.x0;
  const height = context.rect.y1 - context.rect.y0;
  const rows = { from: rect.y0 - context.rect.y0, to: rect.y1 - context.rect.y0 };
  const { albedo, normal, depth } = context;
  const denoised = new Map<LayerName, Float32Array>();
  for (const layer of denoisedLayers(settings)) {
    const data = layerData(context, layer);
    if (!varianceLayerOf(layer)) {
      denoised.set(layer, rowsOf(data, layer, width, rows));
      continue;
    }
    const variance = trustedVariance(layer, context, settings);
    const beauty = asRgba(data, width * height);
    const kind = { hasAlbedo: hasAlbedo(layer), isLayer: layer !== 'beauty' };
    const { exposure } = settings;
    const input = { width, height, beauty, albedo, normal, depth, variance, exposure, ...kind };
    const calm = await denoise(input, processor, rows);
    denoised.set(layer, layer === 'beauty' ? calm : asRgb(calm));
  }
  return denoised;
}
