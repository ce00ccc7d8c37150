/** A quick look into a glTF for what the form can offer: cameras, and files that it names but that were not chosen. */
import type { ProjectFile } from './files.ts';

export interface Peek {
  cameras: string[];
  /** Material variants (KHR_materials_variants). */
  variants: string[];
  /** Relative paths that the scene reads and that are not among the files. */
  missing: string[];
  /** Length of the longest animation, seconds, where the file says it. */
  durationSeconds: number;
}

interface Gltf {
  cameras?: { name?: string }[];
  nodes?: { name?: string; camera?: number }[];
  buffers?: { uri?: string }[];
  images?: { uri?: string }[];
  animations?: { samplers?: { input?: number }[] }[];
  accessors?: { max?: number[] }[];
  extensions?: { KHR_materials_variants?: { variants?: { name?: string }[] } };
}

const GLB_MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const MAX_JSON = 64 * 1024 * 1024;

/** Null for whatever is not whole; the farm's own inspection says what is wrong with it. */
export async function peek(main: ProjectFile, files: readonly ProjectFile[]): Promise<Peek | null> {
  try {
    const json = /\.glb$/i.test(main.path)
      ? await glbJson(main.file)
      : main.file.size < MAX_JSON
        ? await main.file.text()
        : null;
    return json === null ? null : peekInto(JSON.parse(json) as Gltf, main.path, new Set(files.map(({ path }) => path)));
  } catch {
    return null;
  }
}

async function glbJson(file: File): Promise<string | null> {
  const head = new DataView(await file.slice(0, 20).arrayBuffer());
  if (head.byteLength < 20 || head.getUint32(0, true) !== GLB_MAGIC || head.getUint32(16, true) !== JSON_CHUNK)
    return null;
  const length = head.getUint32(12, true);
  return length > MAX_JSON ? null : file.slice(20, 20 + length).text();
}

/** @param chosen paths of all files, relative to the project's root */
export function peekInto(gltf: Gltf, mainPath: string, chosen: ReadonlySet<string>): Peek {
  const cameras = (gltf.nodes ?? [])
    .filter((node) => node.camera !== undefined)
    .map((node) => node.name || gltf.cameras?.[node.camera as number]?.name)
    .filter((name): name is string => name !== undefined && name !== '');
  const folder = mainPath.includes('/') ? mainPath.slice(0, mainPath.lastIndexOf('/') + 1) : '';
  const missing = [...(gltf.buffers ?? []), ...(gltf.images ?? [])]
    .map(({ uri }) => uri)
    .filter((uri) => uri !== undefined && !uri.startsWith('data:'))
    .map((uri) => normalise(folder + safeDecode(uri as string)))
    .filter((path) => !chosen.has(path));
  const durations = (gltf.animations ?? []).flatMap(({ samplers }) =>
    (samplers ?? []).map(({ input }) => gltf.accessors?.[input ?? -1]?.max?.[0] ?? 0),
  );
  return {
    cameras: [...new Set(cameras)],
    variants: (gltf.extensions?.KHR_materials_variants?.variants ?? []).flatMap(({ name }) => name ?? []),
    missing: [...new Set(missing)],
    durationSeconds: durations.reduce((a, b) => Math.max(a, b), 0),
  };
}

function safeDecode(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
