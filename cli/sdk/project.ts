/** Looks at a project on disk for submission: which files belong to it. */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { lstat, open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { refuse } from './errors.ts';
import type { LocalFile } from './upload/upload.ts';

export interface Project {
  name: string;
  /** Absolute path of the folder that paths are relative to. */
  root: string;
  main: string;
  /** In the order of their paths. */
  files: LocalFile[];
}

const SCENE_EXTENSIONS = new Set(['.glb', '.gltf']);

/**
 * @param path a scene file (it brings the files it names, and a picture beside it that is its light), or a folder with exactly one scene file at its top
 * @throws FarmApiError `FileNotFound`, `FileEmpty`, `SceneInvalid`, `SceneUnsupported`, `AssetMissing`, `NameInvalid`
 */
export async function readProject(path: string): Promise<Project> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch(() => undefined);
  if (!info && !isPattern(absolute))
    throw refuse('FileNotFound', `There is no file or folder "${path}".`, 'Check the path.', { path });
  const { root, main, files: paths } = info?.isDirectory() ? await listFolder(absolute) : await listScene(absolute);
  const real = await realpath(root);
  const files: LocalFile[] = [];
  for (const file of paths.toSorted()) {
    const source = join(root, ...file.split('/'));
    files.push({ path: file, source, sizeBytes: (await statInside(real, root, source)).size });
  }
  if (files.find((file) => file.path === main)!.sizeBytes === 0) {
    throw refuse('FileEmpty', `"${main}" is empty.`, 'Export the file again.', { path: main });
  }
  return { name: nameOf(main, files.length), root, main, files };
}

/**
 * What lies at `full`, links followed. Not asynchronous: 60,000 files are looked at in half a second.
 * @param real the root without links
 * @throws FarmApiError `NameInvalid` for a link out of the project, `FileNotFound`
 */
async function statInside(real: string, root: string, full: string): Promise<Stats> {
  const shown = relative(root, full);
  try {
    const info = lstatSync(full);
    if (!info.isSymbolicLink()) return info;
    const target = await realpath(full).catch(() => undefined);
    if (target?.startsWith(real + sep)) return statSync(full);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refuse('FileNotFound', `"${shown}" cannot be looked at: ${why}`, 'Check the file.', { path: shown });
  }
  throw refuse('NameInvalid', `"${shown}" is a link out of the project.`, 'Copy the file into the project.', {
    path: shown,
  });
}

async function listFolder(root: string): Promise<{ root: string; main: string; files: string[] }> {
  const files: string[] = [];
  const real = await realpath(root);
  /** @param above folders on the way here, without links */
  const visit = async (folder: string, above: readonly string[]): Promise<void> => {
    const here = await realpath(folder);
    if (above.includes(here)) {
      const shown = relative(root, folder);
      throw refuse('NameInvalid', `"${shown}" is a link to a folder that it lies in.`, 'Remove the link.', {
        path: shown,
      });
    }
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const full = join(folder, entry.name);
      if (entry.name.includes('\ufffd')) {
        const shown = relative(root, full);
        throw refuse('NameInvalid', `The name of "${shown}" is not valid UTF-8.`, 'Rename the file.', { path: shown });
      }
      const info = entry.isSymbolicLink() ? await statInside(real, root, full) : entry;
      if (info.isDirectory()) await visit(full, [...above, here]);
      else if (info.isFile()) files.push(toProjectPath(root, full));
    }
  };
  await visit(root, []);
  const scenes = files.filter((file) => !file.includes('/') && SCENE_EXTENSIONS.has(extname(file).toLowerCase()));
  if (scenes.length === 0) {
    throw refuse('FileNotFound', `The folder holds no .glb or .gltf at its top.`, 'Name the scene file instead.', {
      path: root,
    });
  }
  if (scenes.length > 1) {
    throw refuse(
      'SettingInvalid',
      `The folder holds several scenes: ${scenes.join(', ')}.`,
      'Name one of them instead.',
      {
        path: root,
      },
    );
  }
  return { root, main: scenes[0]!, files };
}

async function listScene(scene: string): Promise<{ root: string; main: string; files: string[] }> {
  const root = dirname(scene);
  const main = basename(scene);
  const extension = extname(main).toLowerCase();
  if (!SCENE_EXTENSIONS.has(extension)) {
    throw refuse('SceneUnsupported', `"${main}" is not a scene the farm renders (.glb, .gltf).`, 'Export it as .glb.', {
      path: main,
    });
  }
  const scenes = await framesOf(root, main);
  const named: string[] = [];
  for (const file of scenes) named.push(...(await filesNamedBy(join(root, file))));
  for (const file of scenes) named.push(...(await environmentsBeside(root, file)));
  return { root, main: scenes[0]!, files: [...new Set([...scenes, ...named])] };
}

const NUMBERED = /^(.*?(?:^|[._-]))(\d{1,7})(\.(?:glb|gltf))$/i;
const isPattern = (path: string): boolean => /#+\.(?:glb|gltf)$/i.test(path);

/** `shot` of `shot.0001.glb` when that is the first of several. */
function nameOf(main: string, count: number): string {
  const name = basename(main, extname(main));
  return (count > 1 && NUMBERED.exec(basename(main))?.[1]?.replace(/[._-]$/, '')) || name;
}

/**
 * The scene files of a shot, first frame first: all of a sequence that is named by its pattern (`shot.####.glb`) or by its
 * first file, else the one file. The engine takes the same for a sequence.
 */
async function framesOf(root: string, main: string): Promise<string[]> {
  const [, prefix, digits, extension] = NUMBERED.exec(main) ?? /^(.*?)(#+)(\.[^.]+)$/.exec(main) ?? [];
  if (prefix === undefined || digits === undefined || extension === undefined) return [main];
  const frames = (await readdir(root)).flatMap((name) => {
    const number =
      name.startsWith(prefix) && name.endsWith(extension) ? name.slice(prefix.length, -extension.length) : '';
    const isOurs = /^\d{1,7}$/.test(number) && number === String(Number(number)).padStart(digits.length, '0');
    return isOurs ? [{ name, frame: Number(number) }] : [];
  });
  frames.sort((a, b) => a.frame - b.frame);
  const names = frames.map(({ name }) => name);
  if (isPattern(main)) {
    if (names.length > 0) return names;
    throw refuse('FileNotFound', `There is no file of the sequence "${main}".`, 'Check the path.', { path: main });
  }
  return names[0] === main ? names : [main];
}

/** What of a scene's JSON names files. */
interface NamingJson {
  buffers?: { uri?: string }[];
  images?: { uri?: string }[];
  extensions?: EnvironmentExtension;
  scenes?: { extensions?: EnvironmentExtension }[];
}
interface EnvironmentExtension {
  FRAMEWRIGHT_environment?: { uri?: string };
}

/** The external buffers, images and environments of a scene. What is named and not there is a mistake of the submission. */
async function filesNamedBy(scene: string): Promise<string[]> {
  const json = await jsonOf(scene);
  if (json === null) return [];
  const environments = [json.extensions, ...listOf(json.scenes).map(({ extensions }) => extensions)];
  const uris = [
    ...listOf(json.buffers),
    ...listOf(json.images),
    ...environments.map((extensions) => extensions?.FRAMEWRIGHT_environment ?? {}),
  ]
    .map(({ uri }) => uri)
    .filter((uri): uri is string => typeof uri === 'string' && !uri.startsWith('data:'))
    .map((uri) => decodeURIComponent(uri));
  for (const uri of uris) {
    const file = resolve(dirname(scene), uri);
    if (!file.startsWith(dirname(scene) + sep)) {
      throw refuse(
        'NameInvalid',
        `The scene names "${uri}", which lies outside its folder.`,
        'Copy the file beside the scene.',
        { path: uri },
      );
    }
    if (!(await lstat(file).catch(() => undefined))?.isFile()) {
      throw refuse('AssetMissing', `The scene names "${uri}", which is not there.`, 'Put the file beside the scene.', {
        path: uri,
      });
    }
  }
  return uris.map((uri) => toProjectPath(dirname(scene), resolve(dirname(scene), uri)));
}

/** Damaged files are the inspection's to explain. */
const listOf = <T>(value: T[] | undefined): T[] => (Array.isArray(value) ? value : []);

const GLB_MAGIC = 0x46546c67;

/** The scene's JSON; null for a `.glb` whose first chunk is not whole, about which the farm's inspection says more. */
async function jsonOf(scene: string): Promise<NamingJson | null> {
  if (extname(scene).toLowerCase() === '.gltf') {
    const text = await readFile(scene, 'utf8');
    if (text.length === 0) return null;
    try {
      return JSON.parse(text) as NamingJson;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw refuse('SceneInvalid', `"${basename(scene)}" is not JSON: ${why}`, 'Export the scene again.', {
        path: basename(scene),
      });
    }
  }
  const file = await open(scene);
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
async function environmentsBeside(root: string, main: string): Promise<string[]> {
  const stems = [basename(main, extname(main)).toLowerCase(), 'environment'];
  const names = new Set(stems.flatMap((stem) => ['.exr', '.hdr'].map((extension) => stem + extension)));
  return (await readdir(root)).filter((name) => names.has(name.toLowerCase()));
}

const toProjectPath = (root: string, full: string): string => relative(root, full).split(sep).join('/');
