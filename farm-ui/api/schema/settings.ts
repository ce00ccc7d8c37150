/** Render settings in the API: what may be asked for, and what came of it. Bounds are checked by `domain/settingRules`. */
import { z } from 'zod';
import { LAYER_GROUPS, LAYER_NAMES } from '../../../domain/layers.ts';
import {
  EXR_COMPRESSIONS,
  PICTURE_FORMATS,
  PIXEL_FILTERS,
  type RenderSettings,
  TECHNIQUES,
  VIEW_TRANSFORMS,
} from '../../../domain/scene.ts';
import { storableText } from './text.ts';

const technique = z.enum(TECHNIQUES).describe('raster: scrub draft; raycast: quick look; pathtrace: final');
const tier = z.enum(['auto', 'cpu', 'gpu']).describe('Tier that traces; auto lets the node decide');
const crop = z
  .object({ x0: z.int(), y0: z.int(), x1: z.int(), y1: z.int() })
  .nullable()
  .describe('Only this part of the picture, pixels from its top left, half open');
const depth = z.int().nullable();
const filterKind = z.enum(PIXEL_FILTERS);
const view = z.enum(VIEW_TRANSFORMS).describe('View transform of previews and film');
const compression = z.enum(EXR_COMPRESSIONS);
const colorSpace = z.enum(['rec709', 'acescg']).describe('Primaries of the EXR, linear');
const picture = z.enum(PICTURE_FORMATS).describe('Format of the picture beside the EXR');
const layer = z.enum(LAYER_NAMES);

/** The fields of a submission that say how to render. All may be left out. */
export const requestedSettings = {
  frames: z.string().max(1000).optional().describe('1-100, 1-100x2, 1-10,20; default: what the animation covers'),
  technique: technique.optional(),
  tier: tier.optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  crop: crop.optional(),
  samples: z.int().optional().describe('Samples a pixel; the most a pixel gets when sampling is adaptive'),
  adaptive: z
    .object({
      threshold: z
        .number()
        .describe('Standard error of a pixel’s tone-mapped luminance that is good enough, e.g. 0.01'),
      minSamples: z.int().optional(),
    })
    .nullable()
    .optional(),
  maxDepth: z.int().optional().describe('Longest path, in bounces'),
  depths: z
    .object({ diffuse: depth.optional(), specular: depth.optional(), transmission: depth.optional() })
    .optional()
    .describe('Longest path in bounces of one kind; null: only maxDepth counts'),
  clampDirect: z.number().optional().describe('Largest luminance of one sample at the first hit; 0 is off'),
  clampIndirect: z.number().optional().describe('Largest luminance of one sample after the first hit; 0 is off'),
  filter: z.object({ kind: filterKind.optional(), radius: z.number().optional().describe('Pixels') }).optional(),
  energyCompensation: z.boolean().optional(),
  lens: z
    .object({
      fStop: z.number().nullable().optional().describe('Null is a pinhole'),
      focusDistance: z.number().nullable().optional().describe('Metres'),
      blades: z.int().optional(),
    })
    .optional(),
  shutter: z.number().optional().describe('Share of the frame that the shutter is open; 0.5 is 180 degrees'),
  seed: z.int().optional(),
  scene: storableText.max(500).nullable().optional().describe('Scene of the file, by name or number'),
  variant: storableText.max(500).nullable().optional().describe('Material variant, by name'),
  camera: storableText.nullable().optional(),
  fps: z.number().positive().max(1000).optional(),
  start: z.int().optional().describe('Frame number of time 0; default what the scene says, else 1'),
  denoise: z.boolean().optional(),
  exposure: z.number().min(-20).max(20).optional(),
  view: view.optional(),
  output: z
    .object({
      layers: z
        .array(z.string().max(100))
        .max(100)
        .optional()
        .describe(`Layers of the EXR: ${LAYER_NAMES.join(', ')}; or ${Object.keys(LAYER_GROUPS).join(', ')}`),
      denoisedLayers: z.boolean().optional().describe('Adds <layer>_denoised of beauty and of the light layers'),
      floatLayers: z.array(z.string().max(100)).max(100).optional().describe('Layers written as float, not half'),
      compression: compression.optional(),
      colorSpace: colorSpace.optional(),
      picture: picture.optional(),
    })
    .optional(),
};

/** Settings with everything filled in, as frames are rendered with them. Can be sent back in a new submission. */
export const renderSettings = z.object({
  formatVersion: z.literal(1),
  engine: z.literal('pathtracer'),
  technique,
  tier,
  width: z.int(),
  height: z.int(),
  crop,
  samples: z.int(),
  adaptive: z.object({ threshold: z.number(), minSamples: z.int() }).nullable(),
  maxDepth: z.int(),
  depths: z.object({ diffuse: depth, specular: depth, transmission: depth }),
  clampDirect: z.number(),
  clampIndirect: z.number(),
  filter: z.object({ kind: filterKind, radius: z.number() }),
  energyCompensation: z.boolean(),
  lens: z.object({ fStop: z.number().nullable(), focusDistance: z.number().nullable(), blades: z.int() }),
  shutter: z.number(),
  seed: z.int(),
  scene: z.string().nullable(),
  variant: z.string().nullable(),
  camera: z.string().nullable(),
  fps: z.number(),
  start: z.int(),
  denoise: z.boolean(),
  exposure: z.number(),
  view,
  output: z.object({
    layers: z.array(layer),
    denoisedLayers: z.boolean(),
    floatLayers: z.array(layer),
    compression,
    colorSpace,
    picture,
  }),
}) satisfies z.ZodType<RenderSettings>;
