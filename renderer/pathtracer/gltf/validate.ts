/**
 * Refuses what would lead a reader astray (references, graph, sizes, types), through Khronos' own validator on the JSON
 * alone, which takes milliseconds for any scene. What is merely untidy passes: real exporters are untidy.
 * Values inside buffers are checked where they are read (`geometry.ts`, `animation.ts`).
 */
import type { GLTF } from '@gltf-transform/core';
import { validateString } from 'gltf-validator';
import { FarmError } from '../../../domain/errors.ts';
import type { SceneWarning } from '../../../domain/scene.ts';

/** Issues of the validator that make a scene unreadable. The rest are matters of style. */
const FATAL = new Set([
  'INVALID_JSON',
  'TYPE_MISMATCH',
  'ARRAY_TYPE_MISMATCH',
  'ARRAY_LENGTH_NOT_IN_LIST',
  'INVALID_INDEX',
  'UNDEFINED_PROPERTY',
  'UNRESOLVED_REFERENCE',
  'UNKNOWN_ASSET_MAJOR_VERSION',
  'NODE_LOOP',
  'NODE_PARENT_OVERRIDE',
  'BUFFER_VIEW_TOO_LONG',
  'BUFFER_VIEW_TOO_BIG_BYTE_STRIDE',
  'ACCESSOR_TOO_LONG',
  'ACCESSOR_SMALL_BYTESTRIDE',
  'ACCESSOR_OFFSET_ALIGNMENT',
  'ACCESSOR_TOTAL_OFFSET_ALIGNMENT',
  'ACCESSOR_MATRIX_ALIGNMENT',
  'ACCESSOR_SPARSE_COUNT_OUT_OF_RANGE',
  'MESH_PRIMITIVE_ATTRIBUTES_ACCESSOR_INVALID_FORMAT',
  'MESH_PRIMITIVE_INDICES_ACCESSOR_INVALID_FORMAT',
  'MESH_PRIMITIVE_UNEQUAL_ACCESSOR_COUNT',
  'MESH_PRIMITIVE_MORPH_TARGET_INVALID_ATTRIBUTE_COUNT',
  'MESH_PRIMITIVES_UNEQUAL_TARGETS_COUNT',
  'ANIMATION_SAMPLER_INPUT_ACCESSOR_INVALID_FORMAT',
  'ANIMATION_SAMPLER_INPUT_ACCESSOR_TOO_FEW_ELEMENTS',
  'ANIMATION_SAMPLER_OUTPUT_ACCESSOR_INVALID_COUNT',
  'ANIMATION_SAMPLER_OUTPUT_ACCESSOR_INVALID_FORMAT',
  'INVALID_IBM_ACCESSOR_COUNT',
  'SKIN_IBM_INVALID_FORMAT',
]);

/** Out of range means nonsense in these arrays, and a colour of 1.01 elsewhere. */
const STRICT_RANGES = /^\/(accessors|bufferViews|buffers|meshes|cameras)\//;

/** Extensions that change pictures and that this engine follows. */
const SUPPORTED_EXTENSIONS = new Set([
  'KHR_draco_mesh_compression',
  'EXT_meshopt_compression',
  'KHR_mesh_quantization',
  'KHR_texture_transform',
  'KHR_lights_punctual',
  'KHR_materials_transmission',
  'KHR_materials_ior',
  'KHR_materials_volume',
  'KHR_materials_anisotropy',
  'KHR_materials_clearcoat',
  'KHR_materials_diffuse_transmission',
  'KHR_materials_dispersion',
  'KHR_materials_iridescence',
  'KHR_materials_sheen',
  'KHR_materials_specular',
  'KHR_materials_emissive_strength',
  'KHR_materials_unlit',
  'KHR_materials_variants',
  'KHR_node_visibility',
  'KHR_animation_pointer',
  'KHR_meshopt_compression',
  'KHR_texture_basisu',
  'EXT_texture_webp',
  'EXT_texture_avif',
  'EXT_mesh_gpu_instancing',
  'FRAMEWRIGHT_environment',
  'FRAMEWRIGHT_lens',
]);

/** Whether this engine acts on an extension. */
export const isSupportedExtension = (name: string): boolean => SUPPORTED_EXTENSIONS.has(name);

interface ValidatorMessage {
  code: string;
  message: string;
  severity: number;
  pointer?: string;
}

function isFatal({ code, severity, pointer = '' }: ValidatorMessage): boolean {
  if (severity !== 0) return false;
  return FATAL.has(code) || (code === 'VALUE_NOT_IN_RANGE' && STRICT_RANGES.test(pointer));
}

/** The `name` of the object that a JSON pointer such as `/nodes/3/matrix` runs through. */
function nameOf(json: GLTF.IGLTF, pointer: string): string | null {
  const [, list, index] = pointer.split('/');
  const item = (json as unknown as Record<string, { name?: string }[] | undefined>)[list ?? '']?.[Number(index)];
  return item?.name ?? null;
}

/** The validator runs into lists of anything but objects instead of reporting them. Throws `SceneInvalid`. */
function requireObjects(json: GLTF.IGLTF, file: string): void {
  for (const [list, items] of Object.entries(json)) {
    if (!Array.isArray(items) || list.startsWith('extensions')) continue;
    const index = items.findIndex((item) => typeof item !== 'object' || item === null || Array.isArray(item));
    if (index === -1) continue;
    const pointer = `/${list}/${index}`;
    throw new FarmError('SceneInvalid', `${file}: ${pointer}: This is no object.`, { file, pointer });
  }
}

/** Throws `SceneInvalid` at the first place that cannot be read. */
export async function validateStructure(json: GLTF.IGLTF, text: string, file: string): Promise<void> {
  requireObjects(json, file);
  const report = await validateString(text, {
    uri: file,
    // Matters of style would use up the list before what matters comes.
    onlyIssues: [...FATAL, 'VALUE_NOT_IN_RANGE'],
    maxIssues: 10_000,
    writeTimestamp: false,
  }).catch((error: unknown) => {
    throw new FarmError('SceneInvalid', `${file}: The validator of glTF cannot read it.`, { file }, { cause: error });
  });
  const worst = (report.issues.messages as ValidatorMessage[]).find(isFatal);
  if (!worst) return;
  const pointer = worst.pointer ?? '';
  const name = nameOf(json, pointer);
  const where = `${pointer}${name ? ` ("${name}")` : ''}`;
  throw new FarmError('SceneInvalid', `${file}: ${where}: ${worst.message}`, {
    file,
    pointer,
    name,
    issue: worst.code,
  });
}

/** Throws `SceneUnsupported` for a required extension that is unknown; warns of used ones. */
export function checkExtensions(json: GLTF.IGLTF, file: string): SceneWarning[] {
  const required = json.extensionsRequired ?? [];
  const unknown = required.find((name) => !isSupportedExtension(name));
  if (unknown) {
    throw new FarmError(
      'SceneUnsupported',
      `${file} requires the extension ${unknown}, which this engine does not know`,
      {
        file,
        extension: unknown,
      },
    );
  }
  return (json.extensionsUsed ?? [])
    .filter((name) => !isSupportedExtension(name))
    .map((name) => ({ code: 'ExtensionIgnored', message: `The scene uses ${name}, which is ignored.` }));
}
