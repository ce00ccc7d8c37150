/**
 * The layers (AOVs) a frame can hold: names, channels and what each stands for. The tracer fills them, the EXR writer names
 * channels after them, and settings ask for them by name.
 */

import { FarmError } from './errors.ts';

export interface LayerDefinition {
  /** Channel suffixes in the order of the tracer's array; the picture's own layer has no prefix in the file. */
  channels: readonly string[];
  /** `half` unless a compositor needs more: positions, depth, motion, ids. */
  type: 'half' | 'float';
  /** Light that adds up to the beauty; these are the layers a denoiser filters. */
  isLight: boolean;
  description: string;
}

/** In the order in which pages and commands list them. Light layers of one frame add up to `beauty`. */
export const LAYERS = {
  beauty: { channels: ['R', 'G', 'B', 'A'], type: 'half', isLight: false, description: 'the picture, premultiplied' },
  diffuse_direct: light('light that reached a diffuse first hit straight from a lamp or the environment'),
  diffuse_indirect: light('light that reached a diffuse first hit over other surfaces'),
  specular_direct: light('reflection, by the first hit, of lamps and environment'),
  specular_indirect: light('reflection, by the first hit, of other surfaces'),
  transmission: light('light through the first hit: glass and diffuse transmission'),
  emission: light('surfaces that glow, seen by the camera'),
  environment: light('the environment, seen by the camera'),
  albedo: {
    ...{ channels: ['R', 'G', 'B'], type: 'half', isLight: false },
    description: 'base colour of the first hit; through clear glass of the first rough one',
  },
  normal: {
    ...{ channels: ['X', 'Y', 'Z'], type: 'half', isLight: false },
    description: 'shading normal in world space, mean over samples; zero where nothing was hit',
  },
  position: {
    ...{ channels: ['X', 'Y', 'Z'], type: 'float', isLight: false },
    description: 'first hit in world space, of the sample nearest to the camera',
  },
  depth: {
    ...{ channels: ['Z'], type: 'float', isLight: false },
    description: 'distance along the viewing axis of the nearest sample; 1e10 where nothing was hit',
  },
  motion: {
    ...{ channels: ['X', 'Y'], type: 'float', isLight: false },
    description: 'where the first hit moves until the next frame: pixels to the right and down',
  },
  uv: {
    ...{ channels: ['U', 'V'], type: 'float', isLight: false },
    description: 'first texture coordinates of the nearest sample',
  },
  sample_count: {
    ...{ channels: ['N'], type: 'float', isLight: false },
    description: 'samples that the pixel got',
  },
  variance: {
    ...{ channels: ['Y'], type: 'float', isLight: false },
    description: "variance of the pixel's mean luminance (Rec.709), from its samples",
  },
  cryptomatte_object: cryptomatte('objects, by node name'),
  cryptomatte_material: cryptomatte('materials, by name'),
  diffuse_direct_variance: lightVariance('diffuse_direct'),
  diffuse_indirect_variance: lightVariance('diffuse_indirect'),
  specular_direct_variance: lightVariance('specular_direct'),
  specular_indirect_variance: lightVariance('specular_indirect'),
  transmission_variance: lightVariance('transmission'),
} as const satisfies Record<string, LayerDefinition>;

export type LayerName = keyof typeof LAYERS;

/** Light layers that are noisy. What the camera sees of lamps and of the environment directly is not, but for the pixel's edge. */
export const SAMPLED_LIGHT = [
  'diffuse_direct',
  'diffuse_indirect',
  'specular_direct',
  'specular_indirect',
  'transmission',
] as const satisfies readonly LayerName[];
export type SampledLight = (typeof SAMPLED_LIGHT)[number];

/** The layer with the variance of another's mean luminance, null where none is measured. */
export function varianceLayerOf(layer: LayerName): LayerName | null {
  if (layer === 'beauty') return 'variance';
  return (SAMPLED_LIGHT as readonly LayerName[]).includes(layer) ? `${layer as SampledLight}_variance` : null;
}

export const LAYER_NAMES = Object.keys(LAYERS) as LayerName[];

/** Words that stand for several layers where layers are asked for. */
export const LAYER_GROUPS: Record<string, readonly LayerName[]> = {
  all: LAYER_NAMES,
  light: LAYER_NAMES.filter((name) => LAYERS[name].isLight),
  cryptomatte: ['cryptomatte_object', 'cryptomatte_material'],
};

/**
 * Layers by name or group, each once, in the order of `LAYERS`.
 * @param setting what to name in the error
 * @param available those that a group stands for; a layer that is named is taken as it is
 * @throws FarmError `SettingInvalid` with all names when one is unknown
 */
export function chosenLayers(
  setting: string,
  wanted: readonly string[],
  available: readonly LayerName[] = LAYER_NAMES,
): LayerName[] {
  const chosen = new Set<LayerName>();
  for (const word of wanted) {
    const layers = Object.hasOwn(LAYERS, word)
      ? [word as LayerName]
      : LAYER_GROUPS[word]?.filter((layer) => available.includes(layer));
    if (!layers) {
      const known = [...LAYER_NAMES, ...Object.keys(LAYER_GROUPS)].join(', ');
      throw new FarmError('SettingInvalid', `${setting} names "${word}", which is no layer; there are ${known}.`, {
        setting,
        value: word,
      });
    }
    for (const layer of layers) chosen.add(layer);
  }
  return LAYER_NAMES.filter((name) => chosen.has(name));
}

/** Id and coverage pairs kept per pixel, best covered first: three RGBA layers of two, as the specification suggests. */
export const CRYPTOMATTE_RANKS = 6;

function light(description: string) {
  return { channels: ['R', 'G', 'B'] as const, type: 'half' as const, isLight: true, description };
}

function lightVariance(of: string) {
  return {
    ...{ channels: ['Y'] as const, type: 'float' as const, isLight: false },
    description: `variance of the mean luminance of ${of}, from its samples`,
  };
}

/** Cryptomatte 1.2: the layer becomes `CryptoObject00.R …`; in the tracer's array ranks follow one another as (id, coverage). */
function cryptomatte(of: string) {
  const channels = [
    '00.R',
    '00.G',
    '00.B',
    '00.A',
    '01.R',
    '01.G',
    '01.B',
    '01.A',
    '02.R',
    '02.G',
    '02.B',
    '02.A',
  ] as const;
  return { channels, type: 'float' as const, isLight: false, description: `Cryptomatte of ${of}` };
}
