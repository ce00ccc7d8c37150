/** The bytes that a scene's JSON refers to: which files they are in, and reading them. */
import { GLB_BUFFER, type GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { ProjectReader } from './files.ts';

export interface SceneResources {
  /** Keyed as glTF-Transform wants them: by URI, or `GLB_BUFFER`. */
  resources: Record<string, Uint8Array<ArrayBuffer>>;
  /** Bytes of each buffer; empty for placeholders of meshopt compression. */
  buffers: Uint8Array[];
}

/** Names of meshopt compression: the vendor extension and the ratified one, which our decoder reads alike. */
export const MESHOPT_EXTENSIONS = ['EXT_meshopt_compression', 'KHR_meshopt_compression'] as const;

const isDataUri = (uri: string): boolean => uri.startsWith('data:');

/** URIs of files beside the scene that are read for it, each once, in reading order, with the place that names them. */
export function externalUris(json: GLTF.IGLTF): { uri: string; pointer: string }[] {
  const found = new Map<string, string>();
  const add = (list: 'buffers' | 'images'): void => {
    for (const [index, { uri }] of (json[list] ?? []).entries()) {
      if (typeof uri === 'string' && !isDataUri(uri) && !found.has(uri)) found.set(uri, `/${list}/${index}`);
    }
  };
  add('buffers');
  add('images');
  return [...found].map(([uri, pointer]) => ({ uri, pointer }));
}

function decodeDataUri(uri: string, file: string, pointer: string): Uint8Array {
  const comma = uri.indexOf(',');
  const damaged = () => new FarmError('SceneInvalid', `${file}: ${pointer} is a damaged data URI`, { file, pointer });
  if (comma < 0) throw damaged();
  const body = uri.slice(comma + 1);
  if (uri.slice(0, comma).endsWith(';base64')) return Buffer.from(body, 'base64');
  try {
    return Buffer.from(decodeURIComponent(body));
  } catch {
    throw damaged();
  }
}

/** A copy whose memory is its own and aligned, as typed arrays over it need. */
const copyOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
};

/**
 * Reads all of them. Throws `SceneInvalid` for buffers that are shorter than they say, `AssetMissing`, `FileEmpty`,
 * `NameInvalid`.
 */
export async function readResources(
  json: GLTF.IGLTF,
  binary: Uint8Array | null,
  reader: ProjectReader,
  file: string,
): Promise<SceneResources> {
  const resources: SceneResources['resources'] = {};
  for (const { uri } of externalUris(json)) {
    resources[uri] = copyOf(await reader.read(reader.resolveUri(file, uri), 'AssetMissing', file));
  }
  if (binary) resources[GLB_BUFFER] = copyOf(binary);
  const buffers = (json.buffers ?? []).map((buffer, index): Uint8Array => {
    const { uri, byteLength, extensions } = buffer;
    const pointer = `/buffers/${index}`;
    const isGlb = uri === undefined && index === 0 && binary !== null;
    if (uri === undefined && !isGlb) {
      // A placeholder of meshopt compression holds no bytes: they are in the compressed views' own buffer.
      if (MESHOPT_EXTENSIONS.some((name) => extensions?.[name] !== undefined)) return new Uint8Array(0);
      throw new FarmError('SceneInvalid', `${file}: ${pointer} has no bytes`, { file, pointer });
    }
    const bytes =
      uri === undefined ? resources[GLB_BUFFER]! : isDataUri(uri) ? decodeDataUri(uri, file, pointer) : resources[uri]!;
    if (bytes.length < byteLength) {
      const source = uri === undefined || isDataUri(uri) ? pointer : uri;
      throw new FarmError('SceneInvalid', `${file}: ${source} holds ${bytes.length} of ${byteLength} bytes`, {
        file,
        pointer,
        source,
      });
    }
    return bytes;
  });
  return { resources, buffers };
}
