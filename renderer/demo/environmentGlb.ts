/** Writes a glTF-Transform document as `.glb` with our vendor extension for the environment (`docs/renderer.md`). */
import { type Document, GLB_BUFFER, type GLTF, NodeIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { ENVIRONMENT_EXTENSION, type EnvironmentExtension } from '../pathtracer/environment/find.ts';

export interface EmbeddedEnvironment {
  bytes: Uint8Array;
  mimeType: NonNullable<EnvironmentExtension['mimeType']>;
  intensity: number;
  /** Turn about +Y, radians. */
  rotation: number;
}

const padded = (length: number): number => (length + 3) & ~3;

function chunk(type: string, body: Uint8Array, padding: number): Buffer {
  const out = Buffer.alloc(8 + padded(body.length), padding);
  out.writeUInt32LE(padded(body.length), 0);
  out.write(type, 4, 'latin1');
  out.set(body, 8);
  return out;
}

/** The bytes of the `.glb`. `extras` become the asset's (`fps`, `start`: what the farm takes as the shot's defaults). */
export async function writeGlbWithEnvironment(
  document: Document,
  environment: EmbeddedEnvironment,
  extras: Record<string, number | string>,
): Promise<Buffer> {
  const { json, resources } = await new NodeIO()
    .registerExtensions(ALL_EXTENSIONS)
    .writeJSON(document, { basename: 'shot' });
  // The writer gives the one buffer a file name; in a .glb it is the binary chunk, and the environment follows in it.
  const buffer = json.buffers![0]!;
  const geometry = resources[buffer.uri ?? GLB_BUFFER]!;
  delete buffer.uri;
  const images = Object.entries(resources).filter(([, bytes]) => bytes !== geometry);
  const parts: Uint8Array[] = [geometry];
  let length = geometry.length;
  const append = (bytes: Uint8Array): number => {
    const gap = padded(length) - length;
    if (gap > 0) parts.push(new Uint8Array(gap));
    const view: GLTF.IBufferView = { buffer: 0, byteOffset: length + gap, byteLength: bytes.length };
    parts.push(bytes);
    length += gap + bytes.length;
    json.bufferViews ??= [];
    return json.bufferViews.push(view) - 1;
  };
  for (const [uri, bytes] of images) {
    const image = json.images!.find((candidate) => candidate.uri === uri)!;
    delete image.uri;
    image.bufferView = append(bytes);
  }
  const { bytes, ...facts } = environment;
  const extension: EnvironmentExtension = { bufferView: append(bytes), ...facts };
  json.extensions = { ...json.extensions, [ENVIRONMENT_EXTENSION]: extension };
  json.extensionsUsed = [...(json.extensionsUsed ?? []), ENVIRONMENT_EXTENSION];
  json.asset = { ...json.asset, generator: 'Framewright demo shot', extras };
  buffer.byteLength = length;
  const text = Buffer.from(JSON.stringify(json), 'utf8');
  const chunks = [chunk('JSON', text, 0x20), chunk('BIN\0', Buffer.concat(parts), 0)];
  const header = Buffer.alloc(12);
  header.write('glTF', 0, 'latin1');
  header.writeUInt32LE(2, 4);
  header.writeUInt32LE(12 + chunks.reduce((sum, { length: bytesInChunk }) => sum + bytesInChunk, 0), 8);
  return Buffer.concat([header, ...chunks]);
}
