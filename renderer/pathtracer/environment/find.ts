/** Which environment a scene asks for: our vendor extension, or a picture that lies beside the scene under its name. */
import path from 'node:path';
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { SceneWarning } from '../../../domain/scene.ts';
import type { ContentStore } from '../gltf/contentStore.ts';
import type { ProjectReader } from '../gltf/files.ts';
import type { EnvironmentMap } from '../scene/description.ts';
import { decodeEnvironment, type EnvironmentPixels } from './decode.ts';

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
  return value;
}

/** What was found, if anything. */
interface FoundEnvironment {
  /** As the file says it at rest. */
  environment: EnvironmentMap | null;
  /** As the JSON says it now: intensity and rotation may be animated. */
  readEnvironment: () => EnvironmentMap | null;
  warnings: SceneWarning[];
}

export interface EnvironmentSearch {
  json: GLTF.IGLTF;
  bufferView: (index: number) => Uint8Array;
  /** Index of the scene in the file. */
  sceneIndex: number;
  reader: ProjectReader;
  file: string;
  /** Keeps the decoded picture from file to file of a sequence. */
  store: ContentStore | null;
}

/** Where the scene's environment is, without reading it: an extension, or a file beside the scene. */
export async function locateEnvironment({
  json,
  sceneIndex,
  reader,
  file,
}: Omit<EnvironmentSearch, 'bufferView' | 'store'>) {
  const extension = readExtension(json, sceneIndex, file);
  if (extension) {
    const path = extension.uri === undefined ? null : reader.resolveUri(file, extension.uri);
    return { extension, path };
  }
  const candidates = environmentNames(file);
  const beside = (await reader.siblings(file)).filter((name) =>
    candidates.includes(path.posix.basename(name).toLowerCase()),
  );
  beside.sort((a, b) => rank(candidates, a) - rank(candidates, b));
  return { extension: null, path: beside[0] ?? null };
}

/** Paths of all pictures that any scene of the file takes for its environment. Throws `NameInvalid`, `SceneInvalid`. */
export async function environmentPaths(json: GLTF.IGLTF, reader: ProjectReader, file: string): Promise<string[]> {
  const scenes = json.scenes?.length ? [...json.scenes.keys()] : [0];
  const found = await Promise.all(
    scenes.map(async (sceneIndex) => (await locateEnvironment({ json, sceneIndex, reader, file })).path ?? []),
  );
  return found.flat();
}

/** The scene's environment, or null. Throws `SceneInvalid`, `EnvironmentInvalid`, `AssetMissing`, `NameInvalid`, `SceneTooLarge`. */
export async function findEnvironment(search: EnvironmentSearch): Promise<FoundEnvironment> {
  const { json, sceneIndex, reader, file, store } = search;
  const { extension, path: source } = await locateEnvironment(search);
  if (!extension && source === null) {
    return { environment: null, readEnvironment: () => null, warnings: [] };
  }
  if ((extension?.intensity ?? 1) < 0) {
    throw new FarmError('SceneInvalid', `${file}: ${ENVIRONMENT_EXTENSION} has a negative intensity`, {
      file,
      extension: ENVIRONMENT_EXTENSION,
    });
  }
  const bytes =
    source === null ? search.bufferView(extension!.bufferView!) : await reader.read(source, 'AssetMissing', file);
  const decode = (): EnvironmentPixels => decodeEnvironment(bytes, source ?? `of ${file}`);
  const pixels = store ? store.environment(bytes, decode) : decode();
  const readEnvironment = (): EnvironmentMap => {
    const { intensity = 1, rotation = 0 } = readExtension(json, sceneIndex, file) ?? {};
    return { ...pixels, intensity: Math.max(0, intensity), rotation, revision: 1 };
  };
  const message = `The scene names no environment; ${source}, which lies beside it, is taken.`;
  const warnings: SceneWarning[] = extension ? [] : [{ code: 'NoLight', message }];
  return { environment: readEnvironment(), readEnvironment, warnings };
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
