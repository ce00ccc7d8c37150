/**
 * Denoiser for previews and film (the EXR always keeps the original): non-local means whose weights know the noise, in the few
 * widening passes of an edge-avoiding wavelet filter.
 *
 * F. Rousselle, C. Knaus, M. Zwicker, "Adaptive Rendering with Non-Local Means Filtering", SIGGRAPH Asia 2012: pixels are alike as far
 * as the variance of both explains their difference over a patch. H. Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for
 * fast Global Illumination Filtering", HPG 2010: nine taps a pass, each pass twice as far apart, and albedo, normal and depth stop
 * at edges. Light is filtered without the surface's colour (albedo), which is multiplied in again. The noise level is the variance
 * that the tracer measured at each pixel. Without it, it comes from the picture: J. Immerkær, "Fast Noise Variance Estimation",
 * CVIU 1996, whose mask does not answer to straight edges.
 */
import { albedoNoise, albedoResponse, calmAlbedo } from './denoise/albedo.ts';
import { depthSlope, filterTaps, lumaNoise, pairDistance, tapWeights } from './denoise/filter.ts';
import { cutPlanes, guidePlanes, SILHOUETTE_REACH } from './denoise/guides.ts';
import {
  demodulate,
  fireflyScale,
  keepQuiet,
  luminance,
  measuredFireflyScale,
  remodulate,
  scaleLight,
} from './denoise/light.ts';
import { noiseResponse, varianceOfLight, withEstimate, withMeasured } from './denoise/noise.ts';
import type { ImageProcessor, ImageStage, RowSpan, TileSource } from './imageProcessor.ts';

/** What is denoised: row-major pixels as the tracer gives them. */
export interface DenoiseInput {
  width: number;
  height: number;
  /** Linear RGBA, premultiplied. */
  beauty: Float32Array;
  /** RGB. */
  albedo: Float32Array;
  /** XYZ; zero where nothing was hit. */
  normal: Float32Array;
  /** Along the viewing axis; +Infinity where nothing was hit. */
  depth: Float32Array;
  /** Measured variance of the mean luminance of `beauty`, one float a pixel; estimated from the picture when left out. */
  variance?: Float32Array;
  /**
   * Whether this is one light layer of a picture: quieter and with more detail than a whole picture, so that the filter holds back
   * more. Counts only beside measured variance; false when left out.
   */
  isLayer?: boolean;
  /** Stops by which the picture is shown brighter, in whole steps: light of a millionth is noise of the arithmetic else. 0 when left out. */
  exposure?: number;
  /** Whether the light was multiplied by the albedo, as diffuse light is and most of a whole picture; true when left out. */
  hasAlbedo?: boolean;
}

/** Distances between taps; each pass doubles them. Four reach 15 pixels, and a fifth changes little at film resolutions. */
const STEPS = [1, 2, 4, 8];
/**
 * Pixels around one that its result depends on: each pass with a patch and the noise around it (1 + 1), the estimated variance (2 + 1),
 * the firefly test (1), and the albedo's smoothing, whose second pass looks at pixels smoothed by the noise around them (2 + 2 + 1).
 */
const HALO = STEPS.reduce((sum, step) => sum + step + 2, 0) + 3 + 1 + 5;
/** Rows above and below some that must be there for these to have the bits that they have in the whole picture. */
export const DENOISE_REACH = HALO + SILHOUETTE_REACH;
/** Standard deviations that count as noise; this and what is below chosen by FLIP and relMSE (docs/benchmarks/renderer/2026-11-29-denoise.md). */
const DEVIATIONS = 1.3;
/**
 * Where the noise comes from: how much of the stated variance is there (the tracer's stratified samples scatter less than they
 * claim), and by how many measured deviations of its neighbours a firefly stands out.
 */
const NOISE = {
  measured: { share: 0.4, outstanding: 3 },
  measuredLayer: { share: 0.25, outstanding: 8 },
  estimated: { share: 1, outstanding: 0 },
};
type Noise = keyof typeof NOISE;

/** The pipeline over beauty, guides and, where it was measured, variance. `byAlbedo`: filters light without the albedo. */
export const denoiseStage = (byAlbedo: boolean, source: Noise): ImageStage => ({
  key: `denoise/${byAlbedo ? 'light' : 'color'}/${source}`,
  halo: HALO,
  outputChannels: 3,
  build({ kernel }) {
    const isMeasured = source !== 'estimated';
    const demodulated = kernel(demodulate as never, 3);
    const luma = kernel(luminance as never, 1);
    const scale = kernel(fireflyScale as never, 1);
    const measuredScale = kernel(measuredFireflyScale as never, 1, { k: NOISE[source].outstanding });
    const scaled = kernel(scaleLight as never, 3);
    const lumaAgain = kernel(luminance as never, 1);
    const response = kernel(noiseResponse as never, 1);
    const estimated = kernel(withEstimate as never, 4);
    const lightVariance = kernel(varianceOfLight as never, 1);
    const measured = kernel(withMeasured as never, 4);
    const slope = kernel(depthSlope as never, 2);
    const passes = STEPS.map((s) => ({
      noise: kernel(lumaNoise as never, 2, { b: NOISE[source].share }),
      distance: kernel(pairDistance as never, 9, { s, k: DEVIATIONS }),
      weights: kernel(tapWeights as never, 9, { s }),
      filter: kernel(filterTaps as never, 4, { s }),
    }));
    const result = kernel(remodulate as never, 3);
    const quiet = kernel(keepQuiet as never, 3);
    const albedoMask = kernel(albedoResponse as never, 1);
    const albedoVariance = kernel(albedoNoise as never, 1);
    const calm = [1, 2].map((s) => kernel(calmAlbedo as never, 3, { s }));
    return (beauty, guide, variance) => {
      const call = (run: unknown, ...args: unknown[]): unknown => (run as (...inputs: unknown[]) => unknown)(...args);
      const albedoSpread = call(albedoVariance, call(albedoMask, guide));
      // The first three planes of the guides are the albedo.
      const albedo = calm.reduce((planes, pass) => call(pass, planes, guide, albedoSpread), guide);
      const raw = byAlbedo ? call(demodulated, beauty, albedo, guide) : beauty;
      const rawLuma = call(luma, raw);
      const spread = isMeasured ? call(lightVariance, variance, beauty, rawLuma, guide) : null;
      const scales = isMeasured ? call(measuredScale, rawLuma, spread, guide) : call(scale, rawLuma, guide);
      const light = call(scaled, raw, scales);
      const slopes = call(slope, guide);
      let state = isMeasured
        ? call(measured, light, spread, scales)
        : call(estimated, light, call(response, call(lumaAgain, light)));
      for (const { noise, distance, weights, filter } of passes) {
        const level = call(noise, state);
        state = call(filter, state, call(weights, call(distance, level), level, albedo, guide, slopes));
      }
      const clean = byAlbedo ? call(result, state, albedo, guide) : state;
      return source === 'measuredLayer' ? call(quiet, clean, beauty, variance) : clean;
    };
  },
});

/**
 * The denoised picture: linear RGBA with the alpha of the input. Same input, same bits, on one class of machine.
 * @param rows those that are wanted, all when left out. Nothing in the filter is of the whole picture: the bits of a row do not
 * depend on what lies more than `DENOISE_REACH` rows from it, so that `input` may be a band with that much around `rows`.
 */
export async function denoise(
  input: DenoiseInput,
  processor: ImageProcessor,
  rows: RowSpan = { from: 0, to: input.height },
): Promise<Float32Array> {
  const { width, height, beauty, variance, hasAlbedo = true, isLayer = false } = input;
  // A power of two rounds nothing.
  const gain = 2 ** Math.round(input.exposure ?? 0);
  const source = !variance ? 'estimated' : isLayer ? 'measuredLayer' : 'measured';
  const picture: TileSource = {
    width,
    height,
    cut: (rect) => [
      cutPlanes(beauty, width, rect, 4, 3, gain),
      guidePlanes(input, rect),
      ...(variance ? [cutPlanes(variance, width, rect, 1, 1, gain ** 2)] : []),
    ],
  };
  const result = await processor.run(denoiseStage(hasAlbedo, source), picture, rows);
  const pixels = width * (rows.to - rows.from);
  const out = beauty.slice(width * rows.from * 4, width * rows.to * 4);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < pixels; i++) out[i * 4 + channel] = result.data[channel * pixels + i]! / gain;
  }
  return out;
}
