/** What complete render settings must satisfy: bounds of each value, and what excludes what. */
import { FarmError } from './errors.ts';
import {
  EXR_COMPRESSIONS,
  PICTURE_FORMATS,
  PIXEL_FILTERS,
  RENDER_LIMITS,
  type RenderSettings,
  TECHNIQUES,
  VIEW_TRANSFORMS,
} from './scene.ts';
import { checkTechniqueLayers } from './techniques.ts';

const TIERS: readonly RenderSettings['tier'][] = ['auto', 'cpu', 'gpu'];
const COLOR_SPACES: readonly RenderSettings['output']['colorSpace'][] = ['rec709', 'acescg'];

/** Half float's largest number: a clamp above it would do nothing. */
const LARGEST_CLAMP = 65_504;

const refusal = (setting: string, value: string | number | boolean | null, demand: string): FarmError =>
  new FarmError('SettingInvalid', `${setting} is ${value}; ${demand}.`, { setting, value });

function integerIn(setting: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw refusal(setting, value, `it must be a whole number from ${low} to ${high}`);
}

function numberIn(setting: string, value: number, low: number, high: number, of = ''): void {
  if (value >= low && value <= high) return;
  throw refusal(setting, value, `it must be from ${low} to ${high}${of}`);
}

function above0(setting: string, value: number, high: number, of = ''): void {
  if (value > 0 && value <= high) return;
  throw refusal(setting, value, `it must be above 0 and at most ${high}${of}`);
}

function oneOf<T extends string>(setting: string, value: T, known: readonly T[]): void {
  if (known.includes(value)) return;
  throw refusal(setting, `"${value}"`, `it must be one of ${known.join(', ')}`);
}

/** @throws FarmError `ResolutionInvalid` or `SettingInvalid`, with the setting's path (`filter.radius`) and its value */
export function checkSettings(settings: RenderSettings): void {
  oneOf('technique', settings.technique, TECHNIQUES);
  oneOf('tier', settings.tier, TIERS);
  checkResolution(settings.width, settings.height);
  checkCrop(settings);
  checkSampling(settings);
  checkLens(settings);
  integerIn('seed', settings.seed, 0, 0xffff_ffff);
  integerIn('start', settings.start, -1_000_000, 1_000_000);
  above0('fps', settings.fps, RENDER_LIMITS.maxFps);
  numberIn('exposure', settings.exposure, -20, 20, ' stops');
  oneOf('view', settings.view, VIEW_TRANSFORMS);
  checkOutput(settings.output);
  checkTechniqueLayers(settings);
}

/** @throws FarmError `ResolutionInvalid` */
export function checkResolution(width: number, height: number): void {
  const refuse = (why: string): FarmError =>
    new FarmError('ResolutionInvalid', `Resolution ${width}x${height} ${why}.`, {
      width,
      height,
      limit: RENDER_LIMITS.maxSide,
    });
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < RENDER_LIMITS.minSide || side > RENDER_LIMITS.maxSide) {
      throw refuse('is out of bounds');
    }
  }
  if (width * height > RENDER_LIMITS.maxPixels) throw refuse('has too many pixels');
}

function checkCrop({ crop, width, height }: RenderSettings): void {
  if (!crop) return;
  const { x0, y0, x1, y1 } = crop;
  const text = [x0, y0, x1, y1].join(',');
  if (![x0, y0, x1, y1].every(Number.isInteger)) throw refusal('crop', text, 'its corners must be whole pixels');
  if (x0 >= x1 || y0 >= y1) throw refusal('crop', text, 'it is empty: write x0,y0,x1,y1 with x0 < x1 and y0 < y1');
  if (x0 < 0 || y0 < 0 || x1 > width || y1 > height) {
    throw refusal('crop', text, `it must lie inside the picture, 0,0,${width},${height}`);
  }
}

function checkSampling(settings: RenderSettings): void {
  const { samples, adaptive, maxDepth, depths, filter } = settings;
  integerIn('samples', samples, 1, RENDER_LIMITS.maxSamples);
  if (adaptive) {
    above0('adaptive.threshold', adaptive.threshold, 1);
    integerIn('adaptive.minSamples', adaptive.minSamples, 1, RENDER_LIMITS.maxSamples);
    if (adaptive.minSamples > samples) {
      throw refusal('adaptive.minSamples', adaptive.minSamples, `it must not exceed samples, which is ${samples}`);
    }
    if (settings.technique !== 'pathtrace') {
      throw refusal(
        'adaptive.threshold',
        adaptive.threshold,
        `technique ${settings.technique} has no adaptive sampling`,
      );
    }
  }
  integerIn('maxDepth', maxDepth, 1, RENDER_LIMITS.maxDepth);
  for (const kind of ['diffuse', 'specular', 'transmission'] as const) {
    const depth = depths[kind];
    if (depth !== null) integerIn(`depths.${kind}`, depth, 0, RENDER_LIMITS.maxDepth);
  }
  numberIn('clampDirect', settings.clampDirect, 0, LARGEST_CLAMP, '; 0 is off');
  numberIn('clampIndirect', settings.clampIndirect, 0, LARGEST_CLAMP, '; 0 is off');
  oneOf('filter.kind', filter.kind, PIXEL_FILTERS);
  above0('filter.radius', filter.radius, RENDER_LIMITS.maxFilterRadius, ' pixels');
}

function checkLens({ lens, shutter }: RenderSettings): void {
  const { fStop, focusDistance, blades } = lens;
  if (fStop !== null) above0('lens.fStop', fStop, 1_000);
  if (focusDistance !== null) {
    above0('lens.focusDistance', focusDistance, 1e6, ' metres');
    if (fStop === null)
      throw refusal('lens.focusDistance', focusDistance, 'a pinhole has no focus: set lens.fStop too');
  }
  integerIn('lens.blades', blades, 0, RENDER_LIMITS.maxBlades);
  if (blades === 1 || blades === 2) throw refusal('lens.blades', blades, 'an iris has 0 (round) or at least 3 blades');
  if (blades > 0 && fStop === null) throw refusal('lens.blades', blades, 'a pinhole has no iris: set lens.fStop too');
  numberIn('shutter', shutter, 0, 1, ' of the frame');
}

function checkOutput({ layers, floatLayers, compression, colorSpace, picture }: RenderSettings['output']): void {
  oneOf('output.compression', compression, EXR_COMPRESSIONS);
  oneOf('output.colorSpace', colorSpace, COLOR_SPACES);
  oneOf('output.picture', picture, PICTURE_FORMATS);
  const left = floatLayers.find((layer) => !layers.includes(layer));
  if (left) throw refusal('output.floatLayers', `"${left}"`, 'it is not among output.layers: add it there');
}
