/** Which environment a scene asks for: our vendor extension, or a picture that lies beside the scene under its name. */
import path from 'node:path';
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { SceneWarning } from '../../../domain/scene.ts';
import type { ProjectReader } from '../gltf/files.ts';
import type { EnvironmentMap } from '../scene/description.ts';
import { decodeEnvironment } from './decode.ts';

export const ENVIRONMENT_EXTENSION = 'FRAMEWRIGHT_environment';

/** The extension's JSON, at the root or (stronger) at the scene. See `docs/renderer.md`. */
export interface EnvironmentExtension {
  /** Bytes inside the file … */
  bufferView?: number;
  /** … or beside it. */
  uri?: string;
  mimeType?: 'image/vnd.radiance' | 'image/x-exr';
  /** Factor on the radiance; 1 when left out. */
  intensity?: number;
  /** Turn about +Y in radians; 0 when left out. */
  rotation?: number;
}

function readExtension(json: GLTF.IGLTF, sceneIndex: number, file: string): EnvironmentExtension | null {
  const scene = json.scenes?.[sceneIndex]?.extensions?.[ENVIRONMENT_EXTENSION];
  const value = (scene ?? json.extensions?.[ENVIRONMENT_EXTENSION]) as EnvironmentExtension | undefined;
  if (value === undefined) return null;
  const refuse = (why: string): never => {
    throw new FarmError('SceneInvalid', `${file}: ${ENVIRONMENT_EXTENSION} ${why}`, {
      file,
      extension: ENVIRONMENT_EXTENSION,
    });
  };
  if (typeof value !== 'object' || value === null) return refuse('is not an object');
  if ((value.bufferView === undefined) === (value.uri === undefined)) refuse('needs either bufferView or uri');
  if (value.uri !== undefined && typeof value.uri !== 'string') refuse('has a uri that is no text');
  for (const key of ['intensity', 'rotation'] as const) {
    const number = value[key];
    if (number !== undefined && !Number.isFinite(number)) refuse(`has a ${key} that is no number`);
  }
  if ((value.intensity ?? 1) < 0) refuse('has a negative intensity');
  return value;
}

/** The scene's environment, or null. Throws `SceneInvalid`, `AssetMissing`, `NameInvalid`, `SceneTooLarge`. */
export async function findEnvironment(
  json: GLTF.IGLTF,
  bufferView: (index: number) => Uint8Array,
  sceneIndex: number,
  reader: ProjectReader,
  file: string,
): Promise<{ environment: EnvironmentMap | null; warnings: SceneWarning[] }> {
  const extension = readExtension(json, sceneIndex, file);
  if (extension) {
    const { uri } = extension;
    const bytes =
      uri === undefined
        ? bufferView(extension.bufferView!)
        : await reader.read(reader.resolveUri(file, uri), 'AssetMissing', file);
    const pixels = decodeEnvironment(bytes, uri ?? `of ${file}`);
    const { intensity = 1, rotation = 0 } = extension;
    return { environment: { ...pixels, intensity, rotation, revision: 1 }, warnings: [] };
  }
  const candidates = environmentNames(file);
  const beside = (await reader.siblings(file)).filter((name) =>
    candidates.includes(path.posix.basename(name).toLowerCase()),
  );
  if (beside.length === 0) return { environment: null, warnings: [] };
  beside.sort((a, b) => rank(candidates, a) - rank(candidates, b));
  const chosen = beside[0]!;
  const pixels = decodeEnvironment(await reader.read(chosen, 'AssetMissing'), chosen);
  return {
    environment: { ...pixels, intensity: 1, rotation: 0, revision: 1 },
    warnings: [
      { code: 'NoLight', message: `The scene names no environment; ${chosen}, which lies beside it, is taken.` },
    ],
  };
}

/**
 * Names under which a picture beside the scene is its environment, best first: the scene's own, or `environment`. Any other
 * picture is left alone: it may be somebody's render, or lie in the same download folder.
 */
function environmentNames(file: string): string[] {
  const own = path.posix
    .basename(file)
    .replace(/\.[^.]*$/, '')
    .toLowerCase();
  return [own, 'environment'].flatMap((name) => [`${name}.exr`, `${name}.hdr`]);
}

const rank = (candidates: string[], file: string): number =>
  candidates.indexOf(path.posix.basename(file).toLowerCase());
