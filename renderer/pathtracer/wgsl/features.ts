/**
 * Kernels made for a scene: functions of what the scene has nothing of are emptied, which no path ever calls. That shortens
 * compiling (drivers copy every function to where it is called) and frees registers, without changing a picture.
 */
import { FarmError } from '../../../domain/errors.ts';
import type { SceneDescription } from '../scene/description.ts';
import * as layout from '../wasm/assembly/layout.ts';
import { flagsOf } from '../wasm/material-record.ts';

export type Feature =
  | 'transmission'
  | 'media'
  | 'clearcoat'
  | 'sheen'
  | 'layers'
  | 'anisotropy'
  | 'iridescence'
  | 'extensions'
  | 'tangents'
  | 'textures'
  | 'alpha'
  | 'environment'
  | 'emitters'
  | 'lamps'
  | 'motion';

/** What is called for the feature only: a whole module (`name_`) or a function. */
const CODE: Record<Feature, readonly string[]> = {
  transmission: ['glass_', 'medium_needsWavelength', 'medium_pickWavelength', 'medium_relativeIor', 'bsdf_sampleGlass'],
  media: ['medium_transmittance', 'medium_crossBoundary'],
  clearcoat: ['clearcoat_'],
  sheen: ['sheen_'],
  layers: ['bsdf_prepareLayers', 'bsdf_evaluateLayers'],
  anisotropy: ['energy_anisotropicEnergyAt', 'energy_averageAnisotropicEnergyAt', 'surface_turnFrame'],
  iridescence: ['iridescence_'],
  extensions: ['surface_describeExtensions'],
  tangents: ['surface_findTangents', 'surface_mapNormal'],
  textures: ['texture_sampleTexture'],
  alpha: ['alpha_passesAlpha'],
  environment: ['environment_sampleEnvironment', 'environment_environmentRadiance', 'environment_densityOfEnvironment'],
  emitters: ['lights_sampleTriangle'],
  lamps: ['lights_sampleLocal', 'lights_sampleDirectional'],
  motion: ['instance_placeMoving'],
};

const ALL = Object.keys(CODE) as Feature[];

/** What a scene needs. */
export function featuresOf(scene: SceneDescription): Set<Feature> {
  const flags = scene.materials.reduce((all, material) => all | flagsOf(material), 0);
  const has = (bits: number): boolean => (flags & bits) !== 0;
  const { FLAG_TRANSMISSION, FLAG_CLEARCOAT, FLAG_SHEEN } = layout;
  const needs: Record<Feature, boolean> = {
    transmission: has(FLAG_TRANSMISSION),
    media: has(FLAG_TRANSMISSION | layout.FLAG_DIFFUSE_TRANSMISSION),
    clearcoat: has(FLAG_CLEARCOAT),
    sheen: has(FLAG_SHEEN),
    layers: has(FLAG_TRANSMISSION | FLAG_CLEARCOAT | FLAG_SHEEN),
    anisotropy: has(layout.FLAG_ANISOTROPY),
    iridescence: has(layout.FLAG_IRIDESCENCE),
    extensions: has(layout.FLAGS_EXTENDED),
    tangents: has(layout.FLAG_TANGENTS),
    textures: scene.images.length > 0,
    alpha: has(layout.FLAG_MASK | layout.FLAG_BLEND),
    environment: scene.environment !== null,
    emitters: has(layout.FLAG_EMISSIVE),
    lamps: scene.lights.length > 0,
    motion: scene.instances.some(({ transformNext }) => transformNext != null),
  };
  return new Set(ALL.filter((feature) => needs[feature]));
}

/** The WGSL with the code of all other features emptied. Throws `Internal` when it has no such functions. */
export function specialise(text: string, features: ReadonlySet<Feature>): string {
  const unwanted = ALL.filter((feature) => !features.has(feature)).flatMap((feature) => CODE[feature]);
  const emptied = emptyFunctions(text, unwanted);
  if (emptied.missing.length > 0) {
    throw new FarmError('Internal', `The GPU tracer has no ${emptied.missing.join(', ')}.`);
  }
  return emptied.text;
}

/** Empties functions, by name or by module (`name_`); `missing` are the names that the text does not have. */
export function emptyFunctions(text: string, names: readonly string[]): { text: string; missing: string[] } {
  const missing = new Set(names);
  const lines = text.split('\n');
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    kept.push(line);
    const [, name, result] = /^(?:@must_use )?fn (\w+)\(.*\)(?: -> (\S+))? \{$/.exec(line) ?? [];
    const entry = name && names.find((code) => (code.endsWith('_') ? name.startsWith(code) : name === code));
    if (!entry) continue;
    missing.delete(entry);
    // The end of a function is the first line that closes at the margin.
    while (lines[i + 1] !== '}') i++;
    if (result) kept.push(`  return ${result}();`);
  }
  return { text: kept.join('\n'), missing: [...missing] };
}
