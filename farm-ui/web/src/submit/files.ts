/** Files that a person dropped or chose, as a project: paths relative to its root, and which one is the scene. */

export interface ProjectFile {
  /** Relative to the project's root, forward slashes. */
  path: string;
  file: File;
}

const SCENE = /\.(glb|gltf)$/i;
/** Files that operating systems leave in folders; never part of a shot. */
const LITTER = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|\.git\/.*)$/i;

/** Files of a drop, folders walked through. */
export async function droppedFiles(transfer: DataTransfer): Promise<ProjectFile[]> {
  // Entries must be taken before the first await: the transfer is emptied afterwards.
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry !== null && entry !== undefined);
  if (entries.length === 0) return asProject([...transfer.files].map((file) => ({ path: file.name, file })));
  const found: ProjectFile[] = [];
  await Promise.all(entries.map((entry) => walk(entry, found)));
  return asProject(found);
}

/** Files of an `<input type="file">`, with or without `webkitdirectory`. */
export function chosenFiles(list: FileList): ProjectFile[] {
  return asProject([...list].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

async function walk(entry: FileSystemEntry, found: ProjectFile[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader hands out at most a hundred entries a call and ends with an empty one.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    await Promise.all(batch.map((child) => walk(child, found)));
  }
}

/** Sorted by path, without litter and without the folder that holds everything. */
export function asProject<T extends { path: string }>(files: readonly T[]): T[] {
  const kept = files.filter(({ path }) => !LITTER.test(path));
  const roots = new Set(kept.map(({ path }) => (path.includes('/') ? path.slice(0, path.indexOf('/') + 1) : '')));
  const root = roots.size === 1 ? ([...roots][0] as string) : '';
  return kept
    .map((one) => ({ ...one, path: one.path.slice(root.length) }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Scene files, nearest to the root first; the first one is the best guess. */
export function sceneFiles(files: readonly { path: string }[]): string[] {
  const depth = (path: string): number => path.split('/').length;
  return files
    .map(({ path }) => path)
    .filter((path) => SCENE.test(path))
    .sort((a, b) => depth(a) - depth(b) || a.localeCompare(b));
}

/** Shot name that a path suggests: `shots/robot walk.glb` gives `robot-walk`. */
export function shotName(path: string): string {
  const base = path.split('/').at(-1) ?? path;
  const name = base
    .replace(/\.[^.]+$/, '')
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return name || 'shot';
}
