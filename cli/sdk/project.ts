/** Reads a project from disk for submission: which files belong to it, and their hashes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { refuse } from './errors.ts';

export interface ProjectFile {
  /** Relative to the project's root, forward slashes. */
  path: string;
  /** Absolute path on this disk. */
  source: string;
  sizeBytes: number;
  /** SHA-256, lower-case hex. */
  hash: string;
}

export interface Project {
  name: string;
  main: string;
  files: ProjectFile[];
}

const SCENE_EXTENSIONS = new Set(['.glb', '.gltf']);
const ENVIRONMENT_EXTENSIONS = new Set(['.hdr', '.exr']);

/**
 * @param path a scene file (a `.gltf` brings the files it names), or a folder with exactly one scene file at its top
 * @param onHashed called with the bytes of every hashed file
 * @throws FarmApiError `FileNotFound`, `FileEmpty`, `SceneInvalid`, `SceneUnsupported`, `AssetMissing`, `NameInvalid`
 */
export async function readProject(path: string, onHashed?: (bytes: number) => void): Promise<Project> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch(() => undefined);
  if (!info) throw refuse('FileNotFound', `There is no file or folder "${path}".`, 'Check the path.', { path });
  const listed = info.isDirectory() ? await listFolder(absolute) : await listScene(absolute);
  const files: ProjectFile[] = [];
  for (const file of listed.files) {
    files.push(await hashFile(listed.root, file));
    onHashed?.(files.at(-1)!.sizeBytes);
  }
  const scene = files.find((file) => file.path === listed.main)!;
  if (scene.sizeBytes === 0) {
    throw refuse('FileEmpty', `"${listed.main}" is empty.`, 'Export the file again.', { path: listed.main });
  }
  return { name: basename(listed.main, extname(listed.main)), main: listed.main, files };
}

async function listFolder(root: string): Promise<{ root: string; main: string; files: string[] }> {
  const files: string[] = [];
  const real = await realpath(root);
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const full = join(folder, entry.name);
      if (entry.isSymbolicLink()) {
        const target = await realpath(full).catch(() => undefined);
        if (!target?.startsWith(real + sep)) {
          const shown = relative(root, full);
          throw refuse('NameInvalid', `"${shown}" is a link out of the project.`, 'Copy the file into the project.', {
            path: shown,
          });
        }
      }
      const info = await stat(full);
      if (info.isDirectory()) await visit(full);
      else if (info.isFile()) files.push(toProjectPath(root, full));
    }
  };
  await visit(root);
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
  return { root, main: scenes[0]!, files: files.sort() };
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
  const named = extension === '.gltf' ? await filesNamedBy(scene) : [];
  const environment = extension === '.gltf' ? await environmentsBeside(root) : [];
  return { root, main, files: [...new Set([main, ...named, ...environment])] };
}

/** The external buffers and images of a `.gltf`. What is named and not there is a mistake of the submission. */
async function filesNamedBy(scene: string): Promise<string[]> {
  let document: { buffers?: { uri?: string }[]; images?: { uri?: string }[] };
  const text = await readFile(scene, 'utf8');
  try {
    document = JSON.parse(text) as typeof document;
  } catch (error) {
    if (text.length === 0) return [];
    const why = error instanceof Error ? error.message : String(error);
    throw refuse('SceneInvalid', `"${basename(scene)}" is not JSON: ${why}`, 'Export the scene again.', {
      path: basename(scene),
    });
  }
  const uris = [...(document.buffers ?? []), ...(document.images ?? [])]
    .map((item) => item.uri)
    .filter((uri): uri is string => typeof uri === 'string' && !uri.startsWith('data:'))
    .map((uri) => decodeURIComponent(uri));
  for (const uri of uris) {
    const file = resolve(dirname(scene), uri);
    if (!file.startsWith(dirname(scene) + sep)) {
      throw refuse(
        'NameInvalid',
        `The scene names "${uri}", which lies outside its folder.`,
        'Copy the file beside the scene.',
        {
          path: uri,
        },
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

async function environmentsBeside(root: string): Promise<string[]> {
  const names = (await readdir(root)).filter((name) => ENVIRONMENT_EXTENSIONS.has(extname(name).toLowerCase()));
  return names.length === 1 ? names : [];
}

async function hashFile(root: string, path: string): Promise<ProjectFile> {
  const source = join(root, ...path.split('/'));
  const before = await stat(source);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  const after = await stat(source);
  if (before.mtimeMs !== after.mtimeMs || sizeBytes !== after.size) {
    throw refuse(
      'SceneInvalid',
      `"${path}" changed while it was read.`,
      'Wait until it is written, then submit again.',
      { path },
    );
  }
  return { path, source, sizeBytes, hash: hash.digest('hex') };
}

const toProjectPath = (root: string, full: string): string => relative(root, full).split(sep).join('/');
