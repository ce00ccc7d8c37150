/** Reads the bytes of a scene (container, buffers, images) into a glTF-Transform document. */
import { type Document, GLB_BUFFER, type GLTF, Logger, NodeIO, Verbosity } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { FarmError } from '../../../domain/errors.ts';
import type { SceneWarning } from '../../../domain/scene.ts';
import { parseContainer } from './container.ts';
import type { ProjectReader } from './files.ts';
import { checkExtensions, validateStructure } from './validate.ts';

export interface SceneDocument {
  document: Document;
  json: GLTF.IGLTF;
  /** Bytes of a buffer view, for vendor extensions. Throws `SceneInvalid` when there is no such view. */
  bufferView(index: number): Uint8Array;
  warnings: SceneWarning[];
}

const isDataUri = (uri: string): boolean => uri.startsWith('data:');

function decodeDataUri(uri: string, file: string, pointer: string): Uint8Array {
  const comma = uri.indexOf(',');
  if (comma < 0) throw new FarmError('SceneInvalid', `${file}: ${pointer} is a damaged data URI`, { file, pointer });
  const body = uri.slice(comma + 1);
  return uri.slice(0, comma).endsWith(';base64') ? Buffer.from(body, 'base64') : Buffer.from(decodeURIComponent(body));
}

/** All bytes that the JSON refers to, keyed as glTF-Transform wants them. */
async function readResources(json: GLTF.IGLTF, binary: Uint8Array | null, reader: ProjectReader, file: string) {
  const resources: Record<string, Uint8Array<ArrayBuffer>> = {};
  const buffers: Uint8Array[] = [];
  const load = async (uri: string, pointer: string): Promise<Uint8Array> => {
    if (isDataUri(uri)) return decodeDataUri(uri, file, pointer);
    const bytes = await reader.read(reader.resolveUri(file, uri), 'AssetMissing', file);
    resources[uri] = Uint8Array.from(bytes);
    return bytes;
  };
  for (const [index, buffer] of (json.buffers ?? []).entries()) {
    const pointer = `/buffers/${index}`;
    // A placeholder of EXT_meshopt_compression holds no bytes: they are in the compressed view's own buffer.
    const isFallback = buffer.extensions?.EXT_meshopt_compression !== undefined && buffer.uri === undefined;
    if (isFallback && !(index === 0 && binary)) {
      buffers.push(new Uint8Array(0));
      continue;
    }
    let bytes: Uint8Array;
    if (buffer.uri === undefined) {
      if (!binary || index > 0) {
        throw new FarmError('SceneInvalid', `${file}: ${pointer} has no bytes`, { file, pointer });
      }
      bytes = binary;
      resources[GLB_BUFFER] = Uint8Array.from(binary);
    } else {
      bytes = await load(buffer.uri, pointer);
    }
    if (bytes.length < buffer.byteLength) {
      const source = buffer.uri === undefined || isDataUri(buffer.uri) ? pointer : buffer.uri;
      throw new FarmError('SceneInvalid', `${file}: ${source} holds ${bytes.length} of ${buffer.byteLength} bytes`, {
        file,
        pointer,
        source,
      });
    }
    buffers.push(bytes);
  }
  for (const [index, image] of (json.images ?? []).entries()) {
    if (image.uri !== undefined && !isDataUri(image.uri)) await load(image.uri, `/images/${index}`);
  }
  return { resources, buffers };
}

/** A reader with the decoders (WebAssembly) that this scene needs. */
async function gltfIo(json: GLTF.IGLTF): Promise<NodeIO> {
  const io = new NodeIO().setLogger(new Logger(Verbosity.SILENT)).registerExtensions(ALL_EXTENSIONS);
  const used = new Set(json.extensionsUsed);
  if (used.has('EXT_meshopt_compression')) {
    const { MeshoptDecoder } = await import('meshoptimizer');
    await MeshoptDecoder.ready;
    io.registerDependencies({ 'meshopt.decoder': MeshoptDecoder });
  }
  if (used.has('KHR_draco_mesh_compression')) {
    const { default: draco } = await import('draco3dgltf');
    io.registerDependencies({ 'draco3d.decoder': await draco.createDecoderModule() });
  }
  return io;
}

/**
 * Reads and checks one scene file and all that it refers to. Throws `FileNotFound`, `FileEmpty`, `SceneInvalid`,
 * `SceneUnsupported`, `AssetMissing`, `NameInvalid`.
 */
export async function readDocument(reader: ProjectReader, file: string): Promise<SceneDocument> {
  const bytes = await reader.read(file, 'FileNotFound');
  const { json, text, binary } = parseContainer(bytes, file);
  if (json.asset?.version === undefined) {
    throw new FarmError('SceneInvalid', `${file} is no glTF: it has no asset.version`, { file, pointer: '/asset' });
  }
  const warnings = checkExtensions(json, file);
  await validateStructure(json, text, file);
  const { resources, buffers } = await readResources(json, binary, reader, file);
  let document: Document;
  try {
    // What is required was checked above, by the list of what this engine follows and not of what the library parses.
    document = await (await gltfIo(json)).readJSON({ json: { ...json, extensionsRequired: [] }, resources });
  } catch (cause) {
    throw new FarmError('SceneInvalid', `${file} cannot be read: ${(cause as Error).message}`, { file }, { cause });
  }
  const bufferView = (index: number): Uint8Array => {
    const view = json.bufferViews?.[index];
    const source = view && buffers[view.buffer];
    if (!view || !source) {
      throw new FarmError('SceneInvalid', `${file}: there is no buffer view ${index}`, {
        file,
        pointer: `/bufferViews/${index}`,
      });
    }
    const start = view.byteOffset ?? 0;
    return source.subarray(start, start + view.byteLength);
  };
  return { document, json, bufferView, warnings };
}
