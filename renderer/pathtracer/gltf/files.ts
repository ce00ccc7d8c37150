/** Finds and reads a scene's files, and nothing outside the project's root. */
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type ErrorPlace, FarmError } from '../../../domain/errors.ts';
import type { InspectedFile } from '../../../domain/scene.ts';
import { framesNamed, patternOf } from './sequenceNames.ts';

const SCENE_EXTENSIONS = new Set(['.glb', '.gltf']);

/** Whether a path names a scene file that this engine reads. */
const isSceneFile = (file: string): boolean => SCENE_EXTENSIONS.has(path.extname(file).toLowerCase());

/**
 * The one scene file of a folder, relative with forward slashes, or the pattern of the one sequence: at the folder's top, or
 * where there is none in the folders below; hidden files do not count. So do submissions see a folder (`cli/sdk/project.ts`).
 * Throws `FileNotFound` when there is none and `SceneAmbiguous` when there are several, naming them.
 */
export async function findMainScene(root: string): Promise<string> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true }).catch((cause: unknown) => {
    throw new FarmError('FileNotFound', `no such folder: ${root}`, { file: root }, { cause });
  });
  const all = entries
    .filter((entry) => entry.isFile() && isSceneFile(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((file) => !file.split('/').some((part) => part.startsWith('.')))
    .sort();
  const top = all.filter((file) => !file.includes('/'));
  const scenes = top.length > 0 ? top : all;
  if (scenes.length === 0) throw new FarmError('FileNotFound', 'the folder holds no .glb or .gltf', { folder: root });
  // Frame 9999 has fewer digits than frame 10000, and the pattern is that of the fewest.
  const [shortest] = scenes.toSorted((a, b) => a.length - b.length);
  const sequence = patternOf(shortest!);
  if (sequence && framesNamed(sequence.pattern, scenes).length === scenes.length && scenes.length > 1) {
    return sequence.pattern;
  }
  if (scenes.length > 1) {
    const names = scenes.slice(0, 5).join(', ');
    const message = `The folder holds ${scenes.length} scenes: ${names}${scenes.length > 5 ? ', …' : ''}.`;
    throw new FarmError('SceneAmbiguous', message, { folder: root });
  }
  return scenes[0]!;
}

/** Reads files below one root and remembers which, with their sizes. */
export class ProjectReader {
  readonly root: string;
  private readonly sizes = new Map<string, number>();

  constructor(root: string) {
    this.root = root;
  }

  /** Every file read so far, in order of reading. */
  get files(): InspectedFile[] {
    return [...this.sizes].map(([file, sizeBytes]) => ({ path: file, sizeBytes }));
  }

  /**
   * The path, relative to the root, that a URI in `base` (a path relative to the root) points at.
   * Throws `NameInvalid` for what leaves the root, is absolute or has a scheme.
   */
  resolveUri(base: string, uri: string): string {
    const refuse = (why: string): never => {
      throw new FarmError('NameInvalid', `${base} refers to "${uri.slice(0, 200)}", which ${why}`, {
        file: base,
        uri: uri.slice(0, 200),
      });
    };
    if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) refuse('is not a path inside the project');
    let decoded = uri;
    try {
      decoded = decodeURIComponent(uri);
    } catch {
      // A lone percent sign: exporters that do not encode mean it literally.
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
    if (/[\u0000-\u001f\u007f]/.test(decoded)) refuse('holds control characters');
    const slashed = decoded.replaceAll('\\', '/');
    if (slashed.startsWith('/')) refuse('is an absolute path');
    const joined = path.posix.normalize(path.posix.join(path.posix.dirname(base), slashed));
    if (joined === '..' || joined.startsWith('../')) refuse('leaves the project');
    return joined;
  }

  /** The first bytes of a file, and its size. Throws as `read`. */
  async readHead(
    file: string,
    length: number,
    missing: 'FileNotFound' | 'AssetMissing',
    referrer?: string,
  ): Promise<{ head: Buffer; sizeBytes: number }> {
    const { real, sizeBytes } = await this.find(file, missing, referrer);
    const handle = await open(real);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(length, sizeBytes)), 0, undefined, 0);
      return { head: buffer.subarray(0, bytesRead), sizeBytes };
    } finally {
      await handle.close();
    }
  }

  /**
   * Reads a file by its path relative to the root. `missing` is the code for a file that is not there (`FileNotFound` for
   * the scene itself, `AssetMissing` for what it refers to). Throws `NameInvalid` when a link leads out of the root.
   */
  async read(file: string, missing: 'FileNotFound' | 'AssetMissing', referrer?: string): Promise<Buffer> {
    return readFile((await this.find(file, missing, referrer)).real);
  }

  /** Where a file really is, and its size, which is kept in the list of files. */
  private async find(file: string, missing: 'FileNotFound' | 'AssetMissing', referrer?: string) {
    const absolute = path.resolve(this.root, file);
    const place: ErrorPlace = referrer === undefined ? { file } : { file, referrer };
    const from = referrer === undefined ? '' : `, which ${referrer} refers to`;
    const [realRoot, real] = await Promise.all([realpath(this.root), realpath(absolute)]).catch((cause: unknown) => {
      throw new FarmError(missing, `there is no file ${file}${from}`, place, { cause });
    });
    if (real !== realRoot && !real.startsWith(realRoot + path.sep)) {
      throw new FarmError('NameInvalid', `${file} leads out of the project`, place);
    }
    const facts = await stat(real);
    if (!facts.isFile()) throw new FarmError(missing, `${file}${from} is not a file`, place);
    this.sizes.set(file, facts.size);
    if (facts.size === 0) throw new FarmError('FileEmpty', `${file}${from} is empty`, place);
    return { real, sizeBytes: facts.size };
  }

  /** Files that lie in the same folder as `file`, relative to the root. */
  async siblings(file: string): Promise<string[]> {
    const folder = path.posix.dirname(file);
    const entries = await readdir(path.resolve(this.root, folder), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.posix.join(folder, entry.name))
      .sort();
  }
}
