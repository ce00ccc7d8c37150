/** Which channels a frame's EXR has, and what its header says: settings and traced pixels in the file's terms. */
import { FarmError } from '../../domain/errors.ts';
import { LAYERS, type LayerDefinition, type LayerName } from '../../domain/layers.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import type { RenderUnit } from '../engine.ts';
import { CHROMATICITIES, COLOR_INTEROP_IDS, type ColorSpace, convertColors } from '../image/colorSpace.ts';
import { cryptomatteAttributes, cryptomatteChannels, isCryptomatteLayer } from '../image/cryptomatte.ts';
import { type ExrAttribute, WRITABLE_COMPRESSIONS, type WritableCompression } from '../image/exr/format.ts';
import { type ExrChannelSource, exrChannelOrder } from '../image/exr/write.ts';
import type { SceneDescription, TracerCamera } from './scene/description.ts';
import type { TracedPixels } from './tracer.ts';

/** Depth of pixels that hit nothing, as Blender writes it: compositors take infinity for an error. */
const BACKGROUND_DEPTH = 1e10;

type OutputSettings = RenderSettings['output'];

const definitionOf = (layer: LayerName): LayerDefinition => LAYERS[layer];

/** Layers that the file holds: `beauty`, then those asked for. */
const layersOf = ({ layers }: OutputSettings): LayerName[] => [...new Set<LayerName>(['beauty', ...layers])];

/** Layers that the denoiser cleans for a frame: those with a denoised copy, and the beauty where the picture shows it so. */
export const denoisedLayers = ({ denoise, output }: RenderSettings): LayerName[] => [
  ...new Set<LayerName>([...(denoise ? (['beauty'] as const) : []), ...denoisedLayersOf(output)]),
];

/** Layers that get a denoised copy: beauty and light. */
const denoisedLayersOf = (output: OutputSettings): LayerName[] =>
  output.denoisedLayers ? layersOf(output).filter((layer) => layer === 'beauty' || definitionOf(layer).isLight) : [];

const denoisedPrefix = (layer: LayerName): string => `${layer}_denoised.`;

/** Channels of one layer by their names in the file, in the order of the tracer's array. */
function channelsOf(layer: LayerName): string[] {
  if (isCryptomatteLayer(layer)) return cryptomatteChannels(layer);
  return definitionOf(layer).channels.map((channel) => (layer === 'beauty' ? channel : `${layer}.${channel}`));
}

const denoisedChannelsOf = (layer: LayerName): string[] =>
  definitionOf(layer).channels.map((channel) => denoisedPrefix(layer) + channel);

const typeOf = (layer: LayerName, { floatLayers }: OutputSettings): 'half' | 'float' =>
  floatLayers.includes(layer) ? 'float' : definitionOf(layer).type;

const isColor = (layer: LayerName): boolean => definitionOf(layer).channels[0] === 'R';

/** All channels of a frame's EXR with their types, in file order. */
export function frameChannels(output: OutputSettings): { name: string; type: 'half' | 'float' }[] {
  const types = new Map<string, 'half' | 'float'>();
  for (const layer of layersOf(output)) for (const name of channelsOf(layer)) types.set(name, typeOf(layer, output));
  for (const layer of denoisedLayersOf(output)) {
    for (const name of denoisedChannelsOf(layer)) types.set(name, typeOf(layer, output));
  }
  return exrChannelOrder(types.keys()).map((name) => ({ name, type: types.get(name)! }));
}

/** The tracer's array of one layer. Throws `Internal` when it was not filled in. */
export function layerData(pixels: TracedPixels, layer: LayerName): Float32Array {
  const data = layer === 'beauty' || layer === 'albedo' || layer === 'normal' ? pixels[layer] : pixels.layers[layer];
  if (layer === 'depth') {
    // A loop over a copy: mapping calls a function for each.
    const depth = pixels.depth.slice();
    for (let i = 0; i < depth.length; i++) if (depth[i] === Number.POSITIVE_INFINITY) depth[i] = BACKGROUND_DEPTH;
    return depth;
  }
  if (!data) throw new FarmError('Internal', `the tracer did not fill in the layer ${layer}`, { layer });
  return data;
}

function sources(
  names: string[],
  type: 'half' | 'float',
  layer: LayerName,
  data: Float32Array,
  space: ColorSpace,
): ExrChannelSource[] {
  const stride = names.length;
  const converted = isColor(layer) ? convertColors(data, stride, space) : data;
  return names.map((name, offset) => ({ name, type, data: converted, stride, offset }));
}

/** Channels of traced rows, in the file's colour space. `denoised` holds what `denoisedLayersOf` names. */
export function channelSources(
  pixels: TracedPixels,
  output: OutputSettings,
  denoised: ReadonlyMap<LayerName, Float32Array>,
): ExrChannelSource[] {
  const { colorSpace } = output;
  return [
    ...layersOf(output).flatMap((layer) =>
      sources(channelsOf(layer), typeOf(layer, output), layer, layerData(pixels, layer), colorSpace),
    ),
    ...denoisedLayersOf(output).flatMap((layer) =>
      sources(denoisedChannelsOf(layer), typeOf(layer, output), layer, denoised.get(layer)!, colorSpace),
    ),
  ];
}

/** The compression that the settings ask for. Throws `SettingInvalid` for another, which an older farm may have stored. */
export function writableCompression({ compression }: OutputSettings): WritableCompression {
  const known = WRITABLE_COMPRESSIONS.find((name) => name === compression);
  if (known) return known;
  throw new FarmError(
    'SettingInvalid',
    `EXR compression ${compression} cannot be written here; there are ${WRITABLE_COMPRESSIONS.join(', ')}.`,
    { setting: 'output.compression', value: compression },
  );
}

/** What the EXR header says of the frame. */
export interface FrameFacts {
  settings: RenderSettings;
  unit: RenderUnit;
  build: string;
  /** Name of the camera, null for the default view. */
  cameraName: string | null;
  camera: TracerCamera;
  /** Time of the frame in the shot, seconds. */
  time: number;
  /** Names for the Cryptomatte manifests. */
  names: { objects: string[]; materials: string[] };
}

/** Names of the scene as Cryptomatte lists them. */
export const cryptomatteNames = ({ instances, materials }: SceneDescription): FrameFacts['names'] => ({
  objects: instances.map(({ name }) => name),
  materials: materials.map(({ name }) => name),
});

/** Column-major 4x4 product. */
function multiply(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: 16 }, (_, at) => {
    const [column, row] = [at >> 2, at & 3];
    return [0, 1, 2, 3].reduce((sum, k) => sum + a[k * 4 + row]! * b[column * 4 + k]!, 0);
  });
}

/** Inverse of a column-major affine 4x4. */
function invertAffine(m: ArrayLike<number>): Float64Array {
  const [x, y, z, t] = [0, 4, 8, 12].map((at) => [m[at]!, m[at + 1]!, m[at + 2]!]) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const cross = (a: number[], b: number[]): number[] => [
    a[1]! * b[2]! - a[2]! * b[1]!,
    a[2]! * b[0]! - a[0]! * b[2]!,
    a[0]! * b[1]! - a[1]! * b[0]!,
  ];
  const dot = (a: number[], b: number[]): number => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
  const rows = [cross(y, z), cross(z, x), cross(x, y)];
  const determinant = dot(x, rows[0]!);
  const out = new Float64Array(16);
  for (const [row, values] of rows.entries()) {
    for (let column = 0; column < 3; column++) out[column * 4 + row] = values[column]! / determinant;
    out[12 + row] = -dot(values, t) / determinant;
  }
  out[15] = 1;
  return out;
}

/** Camera to normalised device coordinates (x and y from -1 to 1, up is positive), column-major, with the far plane at infinity. */
function projectionMatrix({ projection, near }: TracerCamera, aspect: number): Float64Array {
  const out = new Float64Array(16);
  if (projection.kind === 'orthographic') {
    out[0] = 1 / (projection.ymag * aspect);
    out[5] = 1 / projection.ymag;
    out[10] = -1;
    out[15] = 1;
    return out;
  }
  const scale = 1 / Math.tan(projection.yfov / 2);
  out[0] = scale / aspect;
  out[5] = scale;
  out[10] = -1;
  out[11] = -1;
  out[14] = -2 * near;
  return out;
}

/** Attributes beside those that every file has. The bytes depend on the frame alone: there is no date. */
export function headerAttributes(facts: FrameFacts): Record<string, ExrAttribute> {
  const { settings, unit, build, cameraName, camera, time, names } = facts;
  const { output } = settings;
  const text = (value: string): ExrAttribute => ({ kind: 'string', value });
  const integer = (value: number): ExrAttribute => ({ kind: 'int', value });
  const aspect = settings.width / settings.height;
  const worldToCamera = invertAffine(camera.transform);
  const attributes: Record<string, ExrAttribute> = {
    cameraName: text(cameraName ?? 'default'),
    chromaticities: { kind: 'chromaticities', value: CHROMATICITIES[output.colorSpace] },
    colorInteropID: text(COLOR_INTEROP_IDS[output.colorSpace]),
    'framewright:build': text(build),
    // Row vectors in OpenEXR, columns here: the sixteen numbers are the same.
    'framewright:cameraToWorld': { kind: 'm44f', value: camera.transform },
    'framewright:exposure': { kind: 'double', value: settings.exposure },
    'framewright:frame': integer(unit.frame),
    'framewright:maxDepth': integer(settings.maxDepth),
    'framewright:samples': integer(settings.samples),
    'framewright:seed': { kind: 'double', value: settings.seed },
    'framewright:tile': integer(unit.tile),
    'framewright:time': { kind: 'double', value: time },
    'framewright:view': text(settings.view),
    framesPerSecond: { kind: 'double', value: settings.fps },
    software: text('Framewright'),
    worldToCamera: { kind: 'm44f', value: worldToCamera },
    worldToNDC: { kind: 'm44f', value: multiply(projectionMatrix(camera, aspect), worldToCamera) },
  };
  // Height of the picture, of a perspective at distance 1.
  const { projection } = camera;
  const height = 2 * (projection.kind === 'perspective' ? Math.tan(projection.yfov / 2) : projection.ymag);
  attributes.screenWindowWidth = { kind: 'float', value: height * aspect };
  for (const layer of layersOf(output)) {
    if (!isCryptomatteLayer(layer)) continue;
    const known = layer === 'cryptomatte_object' ? names.objects : names.materials;
    Object.assign(attributes, cryptomatteAttributes(layer, known));
  }
  return attributes;
}
