/**
 * Keeps what the files of a sequence have in common: pictures and geometry, by their bytes. The tracer knows both by their
 * arrays, so that what did not change from file to file keeps its memory and its BVH.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Accessor, Primitive } from '@gltf-transform/core';
import type { EnvironmentPixels } from '../environment/decode.ts';
import type { MeshGeometry, TextureImage } from '../scene/description.ts';
import type { BaseGeometry } from './geometry.ts';

/** Values by key; those that two generations in a row did not ask for are dropped. */
class Generations<T> {
  private current = new Map<string, T>();
  private previous = new Map<string, T>();

  get(key: string): T | undefined {
    const known = this.current.get(key) ?? this.previous.get(key);
    if (known !== undefined) this.current.set(key, known);
    return known;
  }

  set(key: string, value: T): void {
    this.current.set(key, value);
  }

  next(): void {
    this.previous = this.current;
    this.current = new Map();
  }
}

function addAccessor(hash: Hash, name: string, accessor: Accessor | null): void {
  const array = accessor?.getArray();
  hash.update(`${name} ${accessor?.getType()} ${accessor?.getComponentType()} ${accessor?.getNormalized()}\0`);
  if (array) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

export class ContentStore {
  private readonly images = new Generations<Promise<TextureImage>>();
  private readonly geometries = new Generations<BaseGeometry>();
  private readonly environments = new Generations<EnvironmentPixels>();
  private readonly rigid = new WeakMap<BaseGeometry, Map<number, MeshGeometry>>();
  private meshCount = 0;

  /** A number that no other mesh of these scenes has. */
  nextMeshId(): number {
    return this.meshCount++;
  }

  /** The mesh that a geometry with a material is to the tracer, the same in every scene that shares this store. */
  rigidMesh(geometry: BaseGeometry, material: number, make: (id: number) => MeshGeometry): MeshGeometry {
    let meshes = this.rigid.get(geometry);
    if (!meshes) {
      meshes = new Map();
      this.rigid.set(geometry, meshes);
    }
    let mesh = meshes.get(material);
    if (!mesh) {
      mesh = make(this.nextMeshId());
      meshes.set(material, mesh);
    }
    return mesh;
  }

  /** Begins another file: what neither it nor the one before it uses is forgotten. */
  nextFile(): void {
    this.images.next();
    this.geometries.next();
    this.environments.next();
  }

  /** The decoded picture of these bytes. */
  image(bytes: Uint8Array, decode: () => Promise<TextureImage>): Promise<TextureImage> {
    const key = createHash('sha256').update(bytes).digest('base64');
    let image = this.images.get(key);
    if (!image) {
      image = decode();
      this.images.set(key, image);
    }
    return image;
  }

  /** The environment picture of these bytes. */
  environment(bytes: Uint8Array, decode: () => EnvironmentPixels): EnvironmentPixels {
    const key = createHash('sha256').update(bytes).digest('base64');
    let environment = this.environments.get(key);
    if (!environment) {
      environment = decode();
      this.environments.set(key, environment);
    }
    return environment;
  }

  /** The geometry of a primitive. `tangentUv` is what else its vertices depend on. */
  geometry(primitive: Primitive, tangentUv: number | null, read: () => BaseGeometry | null): BaseGeometry | null {
    const hash = createHash('sha256').update(`${primitive.getMode()} ${tangentUv}\0`);
    addAccessor(hash, 'indices', primitive.getIndices());
    for (const semantic of primitive.listSemantics()) addAccessor(hash, semantic, primitive.getAttribute(semantic));
    for (const [index, target] of primitive.listTargets().entries()) {
      for (const semantic of target.listSemantics()) {
        addAccessor(hash, `${index} ${semantic}`, target.getAttribute(semantic));
      }
    }
    const key = hash.digest('base64');
    const known = this.geometries.get(key);
    if (known) return known;
    const geometry = read();
    if (geometry) this.geometries.set(key, geometry);
    return geometry;
  }
}
