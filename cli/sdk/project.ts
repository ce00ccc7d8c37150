/** Looks at a project on disk for submission: which files belong to it. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { refuse } from './errors.ts';
import { ProjectFolder } from './projectFolder.ts';
import { environmentsBeside, filesNamedBy } from './sceneFiles.ts';
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
 * @param path a scene file (it brings the files it names, and a picture beside it that is its light), or a folder with exactly one scene file,
 *   or the files of one sequence, at its top
 * @throws FarmApiError `FileNotFound`, `FileEmpty`, `SceneAmbiguous`, `SceneInvalid`, `SceneUnsupported`, `AssetMissing`, `NameInvalid`
 */
export async function readProject(path: string): Promise<Project> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch(() => undefined);
  if (!info && !isPattern(absolute))
    throw refuse('FileNotFound', `There is no file or folder "${path}".`, 'Check the path.', { path });
  const isFolder = info?.isDirectory() ?? false;
  const root = isFolder ? absolute : dirname(absolute);
  const folder = openFolder(root);
  const { main, files: paths } = isFolder ? await listFolder(folder) : await listScene(folder, basename(absolute));
  const files: LocalFile[] = [];
  for (const file of paths.toSorted()) {
    const source = join(root, ...file.split('/'));
    files.push({ path: file, source, sizeBytes: (folder.look(source) ?? missing(file)).size });
  }
  if (files.find((file) => file.path === main)!.sizeBytes === 0) {
    throw refuse('FileEmpty', `"${main}" is empty.`, 'Export the file again.', { path: main });
  }
  return { name: nameOf(main, files.length), root, main, files };
}

function openFolder(root: string): ProjectFolder {
  try {
    return new ProjectFolder(root);
  } catch {
    throw refuse('FileNotFound', `There is no folder "${root}".`, 'Check the path.', { path: root });
  }
}

/** A file that went away between two looks, or what is none. */
function missing(path: string): never {
  throw refuse('FileNotFound', `There is no file "${path}".`, 'Check the file.', { path });
}

async function listFolder(folder: ProjectFolder): Promise<{ main: string; files: string[] }> {
  const { root } = folder;
  const files: string[] = [];
  /** @param above folders on the way here, without links */
  const visit = async (at: string, above: readonly string[]): Promise<void> => {
    const here = folder.realFolder(at);
    if (above.includes(here)) {
      const path = folder.pathOf(at);
      throw refuse('NameInvalid', `"${path}" is a link to a folder that it lies in.`, 'Remove the link.', { path });
    }
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const full = join(at, entry.name);
      const path = folder.pathOf(full);
      if (entry.name.includes('\ufffd')) {
        throw refuse('NameInvalid', `The name of "${path}" is not valid UTF-8.`, 'Rename the file.', { path });
      }
      const info = entry.isSymbolicLink() ? (folder.look(full) ?? missing(path)) : entry;
      if (info.isDirectory()) await visit(full, [...above, here]);
      else if (info.isFile()) files.push(path);
    }
  };
  await visit(root, []);
  const scenes = files.filter((file) => !file.includes('/') && SCENE_EXTENSIONS.has(extname(file).toLowerCase()));
  if (scenes.length === 0) {
    throw refuse('FileNotFound', `The folder holds no .glb or .gltf at its top.`, 'Name the scene file instead.', {
      path: root,
    });
  }
  const shot = await onlyShot(root, scenes);
  if (shot === undefined) {
    throw refuse(
      'SceneAmbiguous',
      `The folder holds ${scenes.length} scenes: ${scenes.slice(0, 5).join(', ')}${scenes.length > 5 ? ', …' : ''}.`,
      'Name the scene file instead of its folder.',
      {
        path: root,
      },
    );
  }
  return { main: shot, files };
}

/** The first file of the one shot that these scenes are, if they are one; so do the engine's rules see a folder. */
async function onlyShot(root: string, scenes: readonly string[]): Promise<string | undefined> {
  if (scenes.length === 1) return scenes[0];
  const [shortest] = scenes.toSorted((a, b) => a.length - b.length);
  const numbered = NUMBERED.exec(shortest!);
  if (!numbered) return undefined;
  const [, prefix, digits, extension] = numbered;
  const frames = await framesOf(root, `${prefix}${'#'.repeat(digits!.length)}${extension}`);
  return frames.length === scenes.length ? frames[0] : undefined;
}

/** @param main name of a scene file, or pattern of a sequence */
async function listScene(folder: ProjectFolder, main: string): Promise<{ main: string; files: string[] }> {
  const extension = extname(main).toLowerCase();
  if (!SCENE_EXTENSIONS.has(extension)) {
    throw refuse('SceneUnsupported', `"${main}" is not a scene the farm renders (.glb, .gltf).`, 'Export it as .glb.', {
      path: main,
    });
  }
  const scenes = await framesOf(folder.root, main);
  const named: string[] = [];
  // Before they are read: they may be links as well.
  for (const file of scenes) if (!folder.look(join(folder.root, file))?.isFile()) missing(file);
  for (const file of scenes) named.push(...(await filesNamedBy(folder, file)));
  for (const file of scenes) named.push(...(await environmentsBeside(folder, file)));
  return { main: scenes[0]!, files: [...new Set([...scenes, ...named])] };
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
