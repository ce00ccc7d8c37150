/**
 * Edge-avoiding À-Trous wavelet denoiser for previews and film (the EXR always keeps the original).
 *
 * H. Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform for fast Global Illumination Filtering", HPG 2010, with the
 * variance-guided luminance weight of C. Schied et al., "Spatiotemporal Variance-Guided Filtering", HPG 2017 (its spatial
 * part). Light is filtered without the surface's colour (albedo), which is multiplied in again. The noise level is the
 * variance that the tracer measured at each pixel. Without it, it comes from the picture: J. Immerkær, "Fast Noise Variance
 * Estimation", CVIU 1996, whose mask does not answer to straight edges.
 *
 * The kernels are gpu.js: plain functions that gpu.js translates, so no closures and no helpers inside. Weights use a
 * rational falloff instead of exp, which every backend computes alike, and fast.
 */
import type { IKernelFunctionThis } from 'gpu.js';
import type { ImageProcessor, ImageStage, PlanarImage } from './imageProcessor.ts';

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
  /** Whether the light was multiplied by the albedo, as diffuse light is and most of a whole picture; true when left out. */
  hasAlbedo?: boolean;
}

type Planes = number[][][];
type Tile = IKernelFunctionThis<{ w: number; h: number }>;
type ToleranceTile = IKernelFunctionThis<{ w: number; h: number; k: number }>;
type FilterTile = IKernelFunctionThis<{ w: number; h: number; s: number }>;

/** Guide planes: albedo 0-2, normal 3-5, depth 6 (-1 where nothing was hit). */
const GUIDE_CHANNELS = 7;
/** Distances between taps; each pass doubles them. Four reach 15 pixels, and a fifth changes little at film resolutions. */
const STEPS = [1, 2, 4, 8];
/**
 * Standard deviations that count as noise. Measured ones are trusted at every pixel, and the tracer's stratified samples scatter
 * less than they claim; chosen by relMSE and FLIP (docs/benchmarks/2026-11-23-denoise.md).
 */
const DEVIATIONS = { measured: 1.5, estimated: 2.5 };

/** Size of Immerkær's mask on the albedo's luminance: noise, or fine texture. */
function albedoResponse(this: Tile, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  let answer = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    const luma = 0.2126 * guide[0]![ny]![nx]! + 0.7152 * guide[1]![ny]![nx]! + 0.0722 * guide[2]![ny]![nx]!;
    answer += (2 - 3 * Math.abs(i)) * (2 - 3 * Math.abs(j)) * luma;
  }
  return Math.abs(answer);
}

/**
 * Noise of the albedo (variance): the quietest of four quarters around the pixel. Glass, whose albedo is that of whatever a
 * random path met, is noisy all around; a texture nearly always has a calm side.
 */
function albedoNoise(this: Tile, response: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  let quietest = 1000000;
  for (let q = 0; q < 4; q++) {
    let sum = 0;
    for (let t = 0; t < 9; t++) {
      const i = (t % 3) - 2 + (q % 2) * 2;
      const j = Math.floor(t / 3) - 2 + Math.floor(q / 2) * 2;
      const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
      const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
      sum += response[0]![ny]![nx]!;
    }
    quietest = Math.min(quietest, sum);
  }
  // Mean of |mask| over nine, times sqrt(pi / 2) / 6 (Immerkær, equation 3), squared.
  const sigma = (quietest / 9) * 0.2089;
  return sigma * sigma;
}

/** The albedo smoothed by as much as it is noisy. */
function calmAlbedo(this: FilterTile, albedo: Planes, guide: Planes, noise: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  const own = albedo[z]![y]![x]!;
  const variance = noise[0]![y]![x]!;
  if (variance < 0.00002 || guide[6]![y]![x]! < 0) return own;
  let sum = 0;
  let total = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i * this.constants.s, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j * this.constants.s, 0), this.constants.h - 1);
    const n0 = guide[3]![y]![x]! - guide[3]![ny]![nx]!;
    const n1 = guide[4]![y]![x]! - guide[4]![ny]![nx]!;
    const n2 = guide[5]![y]![x]! - guide[5]![ny]![nx]!;
    const a0 = albedo[0]![y]![x]! - albedo[0]![ny]![nx]!;
    const a1 = albedo[1]![y]![x]! - albedo[1]![ny]![nx]!;
    const a2 = albedo[2]![y]![x]! - albedo[2]![ny]![nx]!;
    let e = (n0 * n0 + n1 * n1 + n2 * n2) * 12;
    e += (a0 * a0 + a1 * a1 + a2 * a2) / (30 * variance);
    if (guide[6]![ny]![nx]! < 0) e = 1000;
    const weight = 1 / (1 + e + e * e);
    sum += weight * albedo[z]![ny]![nx]!;
    total += weight;
  }
  return sum / total;
}

/** Light arriving at the surface: colour over albedo. What was not hit stays as it is. */
function demodulate(this: Tile, beauty: Planes, albedo: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  if (guide[6]![y]![x]! < 0) return beauty[z]![y]![x]!;
  return beauty[z]![y]![x]! / Math.max(albedo[z]![y]![x]!, 0.02);
}

function luminance(this: Tile, light: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  return 0.2126 * light[0]![y]![x]! + 0.7152 * light[1]![y]![x]! + 0.0722 * light[2]![y]![x]!;
}

/** Factor that brings a lone bright pixel (a firefly) down to its second brightest neighbour; 1 elsewhere. */
function fireflyScale(this: Tile, luma: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (guide[6]![y]![x]! < 0) return 1;
  let first = 0;
  let second = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    let value = luma[0]![ny]![nx]!;
    if (t === 4) value = 0;
    second = Math.max(second, Math.min(first, value));
    first = Math.max(first, value);
  }
  const own = luma[0]![y]![x]!;
  if (own > second) return second / own;
  return 1;
}

/**
 * The same by measured variance: brought down is only what its neighbours' noise does not explain, and kept is what the
 * pixel's own samples agree on, which is a small highlight. Cutting every local maximum, as `fireflyScale` does, would darken.
 */
function measuredFireflyScale(this: Tile, luma: Planes, variance: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (guide[6]![y]![x]! < 0) return 1;
  let second = 0;
  let first = 0;
  let sum = 0;
  let noise = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    let value = luma[0]![ny]![nx]!;
    let spread = variance[0]![ny]![nx]!;
    if (t === 4) {
      value = 0;
      spread = 0;
    }
    second = Math.max(second, Math.min(first, value));
    first = Math.max(first, value);
    sum += value;
    noise += spread;
  }
  const own = luma[0]![y]![x]!;
  const limit = Math.max(second, sum / 8 + 3 * Math.sqrt(Math.max(noise / 8, 0)));
  const isCertain = own - limit > 4 * Math.sqrt(Math.max(variance[0]![y]![x]!, 0));
  if (own > limit && !isCertain) return limit / own;
  return 1;
}

function scaleLight(this: Tile, light: Planes, scale: Planes): number {
  return light[this.thread.z]![this.thread.y]![this.thread.x]! * scale[0]![this.thread.y]![this.thread.x]!;
}

/** Square of Immerkær's mask: noise variance at one pixel, a very noisy estimate itself. */
function noiseResponse(this: Tile, luma: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const l = Math.max(x - 1, 0);
  const r = Math.min(x + 1, this.constants.w - 1);
  const u = Math.max(y - 1, 0);
  const d = Math.min(y + 1, this.constants.h - 1);
  const answer =
    luma[0]![u]![l]! -
    2 * luma[0]![u]![x]! +
    luma[0]![u]![r]! -
    2 * luma[0]![y]![l]! +
    4 * luma[0]![y]![x]! -
    2 * luma[0]![y]![r]! +
    luma[0]![d]![l]! -
    2 * luma[0]![d]![x]! +
    luma[0]![d]![r]!;
  return (answer * answer) / 36;
}

/** Light in planes 0-2, its luminance variance (mean over 5×5) in plane 3. */
function withEstimate(this: Tile, light: Planes, response: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (this.thread.z < 3) return light[this.thread.z]![y]![x]!;
  let sum = 0;
  for (let t = 0; t < 25; t++) {
    const i = (t % 5) - 2;
    const j = Math.floor(t / 5) - 2;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    sum += response[0]![ny]![nx]!;
  }
  return sum / 25;
}

/** Measured variance of the picture's luminance as one of the light's luminance. */
function varianceOfLight(this: Tile, measured: Planes, beauty: Planes, luma: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (guide[6]![y]![x]! < 0) return 0;
  const shown = 0.2126 * beauty[0]![y]![x]! + 0.7152 * beauty[1]![y]![x]! + 0.0722 * beauty[2]![y]![x]!;
  const ratio = Math.min(luma[0]![y]![x]! / Math.max(shown, 0.000001), 50);
  return measured[0]![y]![x]! * ratio * ratio;
}

/** Light in planes 0-2, its measured luminance variance (mean over 3×3) in plane 3. */
function withMeasured(this: Tile, light: Planes, variance: Planes, scale: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  if (this.thread.z < 3) return light[this.thread.z]![y]![x]!;
  let sum = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    sum += variance[0]![ny]![nx]! * scale[0]![ny]![nx]! * scale[0]![ny]![nx]!;
  }
  return sum / 9;
}

/** Luminance (plane 0), and one over the difference in luminance that noise explains (plane 1; variance blurred over 3×3). */
function lumaTolerance(this: ToleranceTile, state: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const luma = 0.2126 * state[0]![y]![x]! + 0.7152 * state[1]![y]![x]! + 0.0722 * state[2]![y]![x]!;
  if (this.thread.z < 1) return luma;
  let variance = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j, 0), this.constants.h - 1);
    variance += (2 - Math.abs(i)) * (2 - Math.abs(j)) * 0.0625 * state[3]![ny]![nx]!;
  }
  return 1 / (this.constants.k * Math.sqrt(Math.max(variance, 0)) + 0.004 * luma + 0.0005);
}

/** Slope of depth in x (plane 0) and y (plane 1): the smaller of the two one-sided differences, which stays on the surface. */
function depthSlope(this: Tile, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = guide[6]![y]![x]!;
  let before = 0;
  let after = 0;
  if (this.thread.z < 1) {
    before = z - guide[6]![y]![Math.max(x - 1, 0)]!;
    after = guide[6]![y]![Math.min(x + 1, this.constants.w - 1)]! - z;
  } else {
    before = z - guide[6]![Math.max(y - 1, 0)]![x]!;
    after = guide[6]![Math.min(y + 1, this.constants.h - 1)]![x]! - z;
  }
  if (Math.abs(before) < Math.abs(after)) return before;
  return after;
}

/** Weights of the nine taps of one pass, one plane each. */
function tapWeights(this: FilterTile, tolerance: Planes, albedo: Planes, guide: Planes, slope: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const t = this.thread.z;
  const i = (t % 3) - 1;
  const j = Math.floor(t / 3) - 1;
  const nx = Math.min(Math.max(x + i * this.constants.s, 0), this.constants.w - 1);
  const ny = Math.min(Math.max(y + j * this.constants.s, 0), this.constants.h - 1);
  const depth = guide[6]![y]![x]!;
  const depthThere = guide[6]![ny]![nx]!;
  // What was not hit is the environment, seen directly: it has no noise.
  if (t !== 4 && (depth < 0 || depthThere < 0)) return 0;
  const n0 = guide[3]![y]![x]! - guide[3]![ny]![nx]!;
  const n1 = guide[4]![y]![x]! - guide[4]![ny]![nx]!;
  const n2 = guide[5]![y]![x]! - guide[5]![ny]![nx]!;
  const a0 = albedo[0]![y]![x]! - albedo[0]![ny]![nx]!;
  const a1 = albedo[1]![y]![x]! - albedo[1]![ny]![nx]!;
  const a2 = albedo[2]![y]![x]! - albedo[2]![ny]![nx]!;
  const rise = slope[0]![y]![x]! * (nx - x) + slope[1]![y]![x]! * (ny - y);
  const offPlane = Math.abs(depthThere - depth - rise);
  let e = (n0 * n0 + n1 * n1 + n2 * n2) * 12;
  e += (a0 * a0 + a1 * a1 + a2 * a2) * 60;
  e += offPlane / (0.015 * Math.abs(depth) + 0.6 * Math.abs(rise) + 0.000001);
  e += Math.abs(tolerance[0]![y]![x]! - tolerance[0]![ny]![nx]!) * tolerance[1]![y]![x]!;
  e = Math.min(e, 10000);
  const gauss = (2 - Math.abs(i)) * (2 - Math.abs(j)) * 0.0625;
  return gauss / (1 + e + 0.5 * e * e + 0.16667 * e * e * e);
}

/** Weighted mean of nine taps; the variance plane by squared weights, as variances of means go. */
function filterTaps(this: FilterTile, state: Planes, weights: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  let sum = 0;
  let total = 0;
  for (let t = 0; t < 9; t++) {
    const i = (t % 3) - 1;
    const j = Math.floor(t / 3) - 1;
    const nx = Math.min(Math.max(x + i * this.constants.s, 0), this.constants.w - 1);
    const ny = Math.min(Math.max(y + j * this.constants.s, 0), this.constants.h - 1);
    const weight = weights[t]![y]![x]!;
    total += weight;
    let factor = weight;
    if (z > 2) factor = weight * weight;
    sum += factor * state[z]![ny]![nx]!;
  }
  if (z > 2) return sum / (total * total);
  return sum / total;
}

/** Colour again: light times albedo. */
function remodulate(this: Tile, state: Planes, albedo: Planes, guide: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const z = this.thread.z;
  if (guide[6]![y]![x]! < 0) return state[z]![y]![x]!;
  return state[z]![y]![x]! * Math.max(albedo[z]![y]![x]!, 0.02);
}

/** The pipeline over beauty, guides and, where it was measured, variance. `byAlbedo`: filters light without the albedo. */
const denoiseStage = (byAlbedo: boolean, isMeasured: boolean): ImageStage => ({
  key: `denoise/${byAlbedo ? 'light' : 'color'}/${isMeasured ? 'measured' : 'estimated'}`,
  // Reach of all passes (15) with the blur of the last tolerance (1), of the variance (2 + 1), of the firefly test (1) and of
  // the albedo's smoothing (3 + 2 + 1).
  halo: 29,
  outputChannels: 3,
  build({ kernel }) {
    const demodulated = kernel(demodulate as never, 3);
    const luma = kernel(luminance as never, 1);
    const scale = kernel(fireflyScale as never, 1);
    const measuredScale = kernel(measuredFireflyScale as never, 1);
    const scaled = kernel(scaleLight as never, 3);
    const lumaAgain = kernel(luminance as never, 1);
    const response = kernel(noiseResponse as never, 1);
    const estimated = kernel(withEstimate as never, 4);
    const lightVariance = kernel(varianceOfLight as never, 1);
    const measured = kernel(withMeasured as never, 4);
    const slope = kernel(depthSlope as never, 2);
    const passes = STEPS.map((s) => ({
      tolerance: kernel(lumaTolerance as never, 2, { k: isMeasured ? DEVIATIONS.measured : DEVIATIONS.estimated }),
      weights: kernel(tapWeights as never, 9, { s }),
      filter: kernel(filterTaps as never, 4, { s }),
    }));
    const result = kernel(remodulate as never, 3);
    const albedoMask = kernel(albedoResponse as never, 1);
    const albedoVariance = kernel(albedoNoise as never, 1);
    const calm = [1, 2].map((s) => kernel(calmAlbedo as never, 3, { s }));
    return (beauty, guide, variance) => {
      const call = (run: unknown, ...args: unknown[]): unknown => (run as (...inputs: unknown[]) => unknown)(...args);
      const noise = call(albedoVariance, call(albedoMask, guide));
      // The first three planes of the guides are the albedo.
      const albedo = calm.reduce((planes, pass) => call(pass, planes, guide, noise), guide);
      const raw = byAlbedo ? call(demodulated, beauty, albedo, guide) : beauty;
      const rawLuma = call(luma, raw);
      const spread = isMeasured ? call(lightVariance, variance, beauty, rawLuma, guide) : null;
      const scales = isMeasured ? call(measuredScale, rawLuma, spread, guide) : call(scale, rawLuma, guide);
      const light = call(scaled, raw, scales);
      const slopes = call(slope, guide);
      let state = isMeasured
        ? call(measured, light, spread, scales)
        : call(estimated, light, call(response, call(lumaAgain, light)));
      for (const { tolerance, weights, filter } of passes)
        state = call(filter, state, call(weights, call(tolerance, state), albedo, guide, slopes));
      return byAlbedo ? call(result, state, albedo, guide) : state;
    };
  },
});

/** Interleaved pixels as planes. */
export function toPlanes(
  data: Float32Array,
  width: number,
  height: number,
  stride: number,
  channels: number,
): PlanarImage {
  const pixels = width * height;
  const planes = new Float32Array(pixels * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < pixels; i++) planes[channel * pixels + i] = data[i * stride + channel]!;
  }
  return { width, height, channels, data: planes };
}

function guidePlanes({ width, height, albedo, normal, depth }: DenoiseInput): PlanarImage {
  const pixels = width * height;
  const data = new Float32Array(pixels * GUIDE_CHANNELS);
  data.set(toPlanes(albedo, width, height, 3, 3).data, 0);
  data.set(toPlanes(normal, width, height, 3, 3).data, pixels * 3);
  for (let i = 0; i < pixels; i++) data[pixels * 6 + i] = Number.isFinite(depth[i]!) ? depth[i]! : -1;
  whitenSilhouettes(data, width, height);
  return { width, height, channels: GUIDE_CHANNELS, data };
}

/**
 * Along silhouettes some samples of a pixel hit the surface and others the background, which has light but no albedo; light
 * over albedo would be far too bright there. The missing share, read from the length of the mean normal, counts as white.
 */
function whitenSilhouettes(guide: Float32Array, width: number, height: number): void {
  const pixels = width * height;
  const depthAt = pixels * 6;
  const isNearBackground = (x: number, y: number): boolean => {
    for (let j = Math.max(0, y - 2); j <= Math.min(height - 1, y + 2); j++) {
      for (let i = Math.max(0, x - 2); i <= Math.min(width - 1, x + 2); i++) {
        if (guide[depthAt + j * width + i]! < 0) return true;
      }
    }
    return false;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (guide[depthAt + i]! < 0) continue;
      const covered = Math.hypot(guide[pixels * 3 + i]!, guide[pixels * 4 + i]!, guide[pixels * 5 + i]!);
      if (covered > 0.99 || !isNearBackground(x, y)) continue;
      for (let channel = 0; channel < 3; channel++) guide[pixels * channel + i]! += 1 - covered;
    }
  }
}

/** The denoised picture: linear RGBA with the alpha of the input. Same input, same bits, on one class of machine. */
export async function denoise(input: DenoiseInput, processor: ImageProcessor): Promise<Float32Array> {
  const { width, height, beauty, variance, hasAlbedo = true } = input;
  const planes = [toPlanes(beauty, width, height, 4, 3), guidePlanes(input)];
  if (variance) planes.push({ width, height, channels: 1, data: variance });
  const result = await processor.run(denoiseStage(hasAlbedo, variance !== undefined), planes);
  const pixels = width * height;
  const out = beauty.slice();
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < pixels; i++) out[i * 4 + channel] = result.data[channel * pixels + i]!;
  }
  return out;
}
