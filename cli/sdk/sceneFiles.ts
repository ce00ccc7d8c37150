/** Which files a scene file brings along: those it names, and pictures beside it that are its light. */
import { open, readdir, readFile } from 'node:fs/promises';
import { basename, extname, join, posix } from 'node:path';
import { refuse } from './errors.ts';
import type { ProjectFolder } from './projectFolder.ts';

/** What of a scene's JSON names files. */
interface NamingJson {
  buffers?: (Naming | null)[];
  images?: (Naming | null)[];
  extensions?: EnvironmentExtension;
  scenes?: ({ extensions?: EnvironmentExtension } | null)[];
}
interface Naming {
  uri?: unknown;
}
interface EnvironmentExtension {
  FRAMEWRIGHT_environment?: Naming;
}

/**
 * The external buffers, images and environments of a scene. What is named and not there is a mistake of the submission.
 * @param scene name of a file at the top of the folder
 * @returns paths relative to the folder
 * @throws FarmApiError `AssetMissing`, `NameInvalid` for URIs that do not stay inside the folder, `SceneInvalid` for a
 *   `.gltf` that is no JSON, and as `ProjectFolder.look`
 */
export async function filesNamedBy(folder: ProjectFolder, scene: string): Promise<string[]> {
  const json = await jsonOf(folder, scene);
  if (json === null) return [];
  const environments = [json.extensions, ...listOf(json.scenes).map((one) => one?.extensions)];
  const uris = [
    ...listOf(json.buffers),
    ...listOf(json.images),
    ...environments.map((extensions) => extensions?.FRAMEWRIGHT_environment),
  ]
    .map((naming) => naming?.uri)
    .filter((uri): uri is string => typeof uri === 'string' && !uri.startsWith('data:'));
  return uris.map((uri) => {
    const path = pathNamed(scene, uri);
    const info = folder.look(join(folder.root, path));
    if (info?.isFile()) return path;
    const why = info ? 'is not a file' : 'is not there';
    throw refuse('AssetMissing', `"${scene}" names "${path}", which ${why}.`, 'Put the file beside the scene.', {
      path,
      scene,
    });
  });
}

/**
 * The path that a URI stands for, read as the engine reads it (`ProjectReader.resolveUri` in the renderer).
 * @throws FarmApiError `NameInvalid` when it does not stay inside the folder
 */
function pathNamed(scene: string, uri: string): string {
  const refusal = (why: string) =>
    refuse('NameInvalid', `"${scene}" names "${uri}", which ${why}.`, 'Copy the file beside the scene.', {
      path: uri,
      scene,
    });
  if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) throw refusal('is not a path inside its folder');
  let decoded = uri;
  try {
    decoded = decodeURIComponent(uri);
  } catch {
    // A lone percent sign: exporters that do not encode mean it literally.
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  if (/[\u0000-\u001f\u007f]/.test(decoded)) throw refusal('holds control characters');
  const path = posix.normalize(decoded.replaceAll('\\', '/'));
  if (path.startsWith('/') || path === '..' || path.startsWith('../')) throw refusal('lies outside its folder');
  return path;
}

/** Damaged files are the inspection's to explain. */
const listOf = <T>(value: T[] | undefined): T[] => (Array.isArray(value) ? value : []);

const GLB_MAGIC = 0x46546c67;

/** The scene's JSON; null for a `.glb` whose first chunk is not whole, about which the farm's inspection says more. */
async function jsonOf(folder: ProjectFolder, scene: string): Promise<NamingJson | null> {
  const path = join(folder.root, scene);
  if (extname(scene).toLowerCase() === '.gltf') {
    const text = await readFile(path, 'utf8');
    if (text.length === 0) return null;
    try {
      return JSON.parse(text) as NamingJson;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw refuse('SceneInvalid', `"${scene}" is not JSON: ${why}`, 'Export the scene again.', { path: scene });
    }
  }
  const file = await open(path);
  try {
    const { buffer: head, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
    if (bytesRead < 20 || head.readUInt32LE(0) !== GLB_MAGIC) return null;
    const length = Math.min(head.readUInt32LE(12), (await file.stat()).size);
    const chunk = await file.read(Buffer.alloc(length), 0, length, 20);
    return JSON.parse(chunk.buffer.toString('utf8', 0, chunk.bytesRead)) as NamingJson;
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

/** Pictures that the engine takes as the scene's light when they lie beside it: those with its name, or `environment`. */
export async function environmentsBeside(folder: ProjectFolder, scene: string): Promise<string[]> {
  const stems = [basename(scene, extname(scene)).toLowerCase(), 'environment'];
  const wanted = new Set(stems.flatMap((stem) => ['.exr', '.hdr'].map((extension) => stem + extension)));
  const names = (await readdir(folder.root)).filter((name) => wanted.has(name.toLowerCase()));
  return names.filter((name) => folder.look(join(folder.root, name))?.isFile());
}
