/**
 * Reads the bytes of a scene. Accessors, meshes, materials and textures become a glTF-Transform document, which knows the
 * decoders and the material extensions; the node graph, cameras, lights, skins and animations are read from the JSON.
 */
import { type Accessor, type Document, type GLTF, Logger, NodeIO, Verbosity } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { FarmError } from '../../../domain/errors.ts';
import type { SceneWarning } from '../../../domain/scene.ts';
import { parseContainer } from './container.ts';
import { emptyTextures, withoutTextures } from './emptyTextures.ts';
import type { ProjectReader } from './files.ts';
import { checkGraph } from './graph.ts';
import { checkClaims, checkSparse } from './limits.ts';
import { readResources } from './resources.ts';
import { checkExtensions, validateStructure } from './validate.ts';

export interface SceneDocument {
  /** Without nodes, scenes, cameras, skins and animations. */
  document: Document;
  /** By index in the file. */
  accessors: Accessor[];
  json: GLTF.IGLTF;
  /** Bytes of a buffer view, for vendor extensions. Throws `SceneInvalid` when there is no such view. */
  bufferView(index: number): Uint8Array;
  warnings: SceneWarning[];
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

/** KHR_meshopt_compression is the vendor extension with newer codecs, all of which our decoder reads: one name for both. */
function renameMeshopt(json: GLTF.IGLTF): GLTF.IGLTF {
  const [name, ratified] = ['EXT_meshopt_compression', 'KHR_meshopt_compression'];
  if (!json.extensionsUsed?.includes(ratified)) return json;
  const rename = <T extends GLTF.IProperty>(item: T): T => {
    const { [ratified]: value, ...others } = item.extensions ?? {};
    return value === undefined ? item : { ...item, extensions: { ...others, [name]: value } };
  };
  return {
    ...json,
    extensionsUsed: json.extensionsUsed.map((used) => (used === ratified ? name : used)),
    buffers: (json.buffers ?? []).map(rename),
    bufferViews: (json.bufferViews ?? []).map(rename),
  };
}

/** What glTF-Transform shall read. What is required was checked before, by the list of what this engine follows. */
function dataOnly(json: GLTF.IGLTF): GLTF.IGLTF {
  const { scene: _, ...rest } = renameMeshopt(json);
  return { ...rest, extensionsRequired: [], nodes: [], scenes: [], cameras: [], skins: [], animations: [] };
}

/** Parses a scene file and refuses what would lead a reader astray, before any of its data is read. */
export async function readJson(bytes: Buffer, file: string) {
  const { json, text, binary } = parseContainer(bytes, file);
  if (json.asset?.version === undefined) {
    throw new FarmError('SceneInvalid', `${file} is no glTF: it has no asset.version`, { file, pointer: '/asset' });
  }
  const { minVersion } = json.asset;
  if (minVersion !== undefined && Number(minVersion) > 2) {
    const pointer = '/asset/minVersion';
    throw new FarmError('SceneUnsupported', `${file} wants a reader of glTF ${minVersion}; this engine reads 2.0`, {
      ...{ file, pointer },
    });
  }
  const warnings = checkExtensions(json, file);
  for (const texture of emptyTextures(json)) {
    warnings.push({ code: 'FeatureIgnored', message: `Texture ${texture} has no picture that this engine reads.` });
  }
  checkGraph(json, file);
  await validateStructure(json, text, file);
  checkClaims(json, file);
  return { json, binary, warnings };
}

/**
 * Reads and checks one scene file and all that it refers to. Throws `FileNotFound`, `FileEmpty`, `SceneInvalid`,
 * `SceneTooLarge`, `SceneUnsupported`, `AssetMissing`, `NameInvalid`.
 */
export async function readDocument(reader: ProjectReader, file: string): Promise<SceneDocument> {
  const { json, binary, warnings } = await readJson(await reader.read(file, 'FileNotFound'), file);
  const { resources, buffers } = await readResources(json, binary, reader, file);
  checkSparse(json, buffers, file);
  let document: Document;
  try {
    const data = dataOnly(withoutTextures(json, emptyTextures(json)));
    document = await (await gltfIo(data)).readJSON({ json: data, resources });
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
  return { document, accessors: document.getRoot().listAccessors(), json, bufferView, warnings };
}
