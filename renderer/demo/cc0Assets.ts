/** CC0 models and environments of the npm package `@pmndrs/assets`, out of their base64 wrapping. */
import { type Document, NodeIO, type Primitive } from '@gltf-transform/core';
import { KHRDracoMeshCompression } from '@gltf-transform/extensions';
import { FarmError } from '../../domain/errors.ts';

function fromDataUri(uri: string, name: string): Uint8Array {
  const comma = uri.indexOf(',');
  if (!uri.startsWith('data:') || comma < 0) throw new FarmError('Internal', `@pmndrs/assets: ${name} is no data URI`);
  return Uint8Array.from(Buffer.from(uri.slice(comma + 1), 'base64'));
}

const MODELS = {
  /** Blender's monkey, 14,842 triangles, 1.9 m wide. */
  suzanne: () => import('@pmndrs/assets/models/suzi.glb.js'),
  /** The Stanford bunny, 5,648 triangles, 1.8 m wide. */
  bunny: () => import('@pmndrs/assets/models/bunny.glb.js'),
} as const;

const ENVIRONMENTS = {
  /** A square by the sea, the sun just above the water. */
  sunset: () => import('@pmndrs/assets/hdri/sunset.exr.js'),
} as const;

/** Geometry of a model: plain arrays, decoded from Draco. */
export interface ModelGeometry {
  positions: Float32Array;
  normals: Float32Array;
  indices: Uint32Array;
}

function geometryOf(document: Document, name: string): ModelGeometry {
  const primitive: Primitive | undefined = document.getRoot().listMeshes()[0]?.listPrimitives()[0];
  const positions = primitive?.getAttribute('POSITION')?.getArray();
  const normals = primitive?.getAttribute('NORMAL')?.getArray();
  const indices = primitive?.getIndices()?.getArray();
  if (!positions || !normals || !indices) throw new FarmError('Internal', `@pmndrs/assets: ${name} has no mesh`);
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    indices: Uint32Array.from(indices),
  };
}

/** Loads a model. */
export async function loadModel(name: keyof typeof MODELS): Promise<ModelGeometry> {
  const bytes = fromDataUri((await MODELS[name]()).default, name);
  const { default: draco } = await import('draco3dgltf');
  const io = new NodeIO()
    .registerExtensions([KHRDracoMeshCompression])
    .registerDependencies({ 'draco3d.decoder': await draco.createDecoderModule() });
  return geometryOf(await io.readBinary(bytes), name);
}

/** Loads an environment: an OpenEXR file of 512×256 pixels. */
export async function loadEnvironment(name: keyof typeof ENVIRONMENTS): Promise<Uint8Array> {
  return fromDataUri((await ENVIRONMENTS[name]()).default, name);
}
