/** Meshes and textures on the GPU, kept from frame to frame as long as they stay the same. */
/// <reference types="@webgpu/types" />
import { type OpenGpu, refuseBeyond } from '../../gpu/device.ts';
import { halve } from '../raycast/atlas.ts';
import { KIND_SEE_THROUGH, kindOf } from '../raycast/tables.ts';
import type { MeshGeometry, SurfaceMaterial, TextureImage, TextureRef } from '../scene/description.ts';

/** Floats of a vertex: position, normal, tangent, both texture coordinates, colour. */
export const VERTEX_FLOATS = 18;
/** Bytes of a material's uniforms. */
const MATERIAL_BYTES = 192;

export interface RasterMesh {
  vertices: GPUBuffer;
  indices: GPUBuffer;
  indexCount: number;
  revision: number;
  positions: Float32Array;
  /** Object space: min xyz, max xyz. */
  bounds: number[];
}

export class RasterResources {
  readonly #device: GPUDevice;
  readonly #limits: OpenGpu['limits'];
  readonly #meshes = new Map<number, RasterMesh>();
  readonly #textures = new Map<string, GPUTexture>();
  readonly #imageNumbers = new WeakMap<Uint8Array, number>();
  #nextImage = 0;
  readonly #samplers = new Map<string, GPUSampler>();

  constructor({ device, limits }: Pick<OpenGpu, 'device' | 'limits'>) {
    this.#device = device;
    this.#limits = limits;
  }

  /** The meshes on the GPU, those that changed written anew; what is not among them is freed. */
  meshes(wanted: readonly MeshGeometry[]): RasterMesh[] {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, mesh] of this.#meshes) {
      if (ids.has(id)) continue;
      mesh.vertices.destroy();
      mesh.indices.destroy();
      this.#meshes.delete(id);
    }
    return wanted.map((mesh) => this.#mesh(mesh));
  }

  #mesh(mesh: MeshGeometry): RasterMesh {
    const known = this.#meshes.get(mesh.id);
    if (known && known.revision === mesh.revision && known.positions === mesh.positions) return known;
    const count = Math.floor(mesh.positions.length / 3);
    const data = new Float32Array(Math.max(1, count) * VERTEX_FLOATS);
    const bounds = [1, 1, 1, -1, -1, -1].map((sign) => sign * Number.POSITIVE_INFINITY);
    for (let i = 0; i < count; i++) {
      const at = i * VERTEX_FLOATS;
      for (let k = 0; k < 3; k++) {
        const value = mesh.positions[3 * i + k]!;
        data[at + k] = value;
        data[at + 3 + k] = mesh.normals[3 * i + k]!;
        bounds[k] = Math.min(bounds[k]!, value);
        bounds[3 + k] = Math.max(bounds[3 + k]!, value);
      }
      for (let k = 0; k < 4; k++) {
        data[at + 6 + k] = mesh.tangents?.[4 * i + k] ?? 0;
        data[at + 14 + k] = mesh.colors?.[4 * i + k] ?? 1;
      }
      for (let k = 0; k < 2; k++) {
        data[at + 10 + k] = mesh.uv0?.[2 * i + k] ?? 0;
        data[at + 12 + k] = mesh.uv1?.[2 * i + k] ?? 0;
      }
    }
    for (const { byteLength } of [data, mesh.indices]) {
      refuseBeyond(this.#limits, ['maxBufferSize'], 'One mesh of the scene', byteLength);
    }
    // A mesh that only moved keeps its buffers.
    const fits = known && known.vertices.size === data.byteLength && known.indexCount === mesh.indices.length;
    if (known && !fits) {
      known.vertices.destroy();
      known.indices.destroy();
    }
    const buffer = (size: number, usage: number): GPUBuffer =>
      this.#device.createBuffer({ size: Math.max(4, size), usage: usage | GPUBufferUsage.COPY_DST });
    const made: RasterMesh = {
      vertices: fits ? known.vertices : buffer(data.byteLength, GPUBufferUsage.VERTEX),
      indices: fits ? known.indices : buffer(mesh.indices.byteLength, GPUBufferUsage.INDEX),
      indexCount: mesh.indices.length,
      revision: mesh.revision,
      positions: mesh.positions,
      bounds,
    };
    this.#device.queue.writeBuffer(made.vertices, 0, data);
    this.#device.queue.writeBuffer(made.indices, 0, mesh.indices as Uint32Array<ArrayBuffer>);
    this.#meshes.set(mesh.id, made);
    return made;
  }

  /** Bind group 1 of a material. */
  material(material: SurfaceMaterial, images: readonly TextureImage[], layout: GPUBindGroupLayout): GPUBindGroup {
    const slots: (TextureRef | null)[] = [
      material.baseColorTexture,
      material.metallicRoughnessTexture,
      material.normalTexture,
      material.emissiveTexture,
    ];
    const seeThrough = kindOf(material) === KIND_SEE_THROUGH;
    const cutoff = material.alphaMode === 'mask' ? material.alphaCutoff : seeThrough ? 0.004 : -1;
    const values = new Float32Array(MATERIAL_BYTES / 4);
    values.set([...material.baseColor, ...material.emissive, material.metallic]);
    values.set([material.roughness, material.normalScale, cutoff, material.transmission], 8);
    values.set([material.unlit ? 1 : 0, seeThrough ? 1 : 0], 12);
    // Opaque surfaces have no alpha, whatever the texture says.
    slots.forEach((slot, index) => {
      const t = slot?.uvTransform ?? [1, 0, 0, 0, 1, 0];
      values.set([t[0], t[1], t[2], slot ? 1 : 0, t[3], t[4], t[5], slot?.texCoord ?? 0], 16 + 8 * index);
    });
    const uniforms = this.#device.createBuffer({
      size: MATERIAL_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#device.queue.writeBuffer(uniforms, 0, values);
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: uniforms } }];
    slots.forEach((slot, index) => {
      entries.push({ binding: 1 + 2 * index, resource: this.#texture(slot, images).createView() });
      entries.push({ binding: 2 + 2 * index, resource: this.#sampler(slot) });
    });
    return this.#device.createBindGroup({ layout, entries });
  }

  /** The picture with mip levels; one white texel for none. */
  #texture(slot: TextureRef | null, images: readonly TextureImage[]): GPUTexture {
    let image: TextureImage = slot ? images[slot.image]! : WHITE;
    let number = this.#imageNumbers.get(image.data);
    if (number === undefined) {
      number = this.#nextImage++;
      this.#imageNumbers.set(image.data, number);
    }
    const key = `${number}/${slot?.srgb ?? false}`;
    const known = this.#textures.get(key);
    if (known) return known;
    while (Math.max(image.width, image.height) > this.#limits.maxTextureDimension2D) image = halve(image);
    const levels: TextureImage[] = [image];
    while (levels.at(-1)!.width > 1 || levels.at(-1)!.height > 1) levels.push(halve(levels.at(-1)!));
    const texture = this.#device.createTexture({
      size: [image.width, image.height],
      format: slot?.srgb ? 'rgba8unorm-srgb' : 'rgba8unorm',
      mipLevelCount: levels.length,
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
    });
    levels.forEach(({ width, height, data }, mipLevel) => {
      this.#device.queue.writeTexture(
        { texture, mipLevel },
        data as Uint8Array<ArrayBuffer>,
        { bytesPerRow: width * 4, rowsPerImage: height },
        [width, height],
      );
    });
    this.#textures.set(key, texture);
    return texture;
  }

  #sampler(slot: TextureRef | null): GPUSampler {
    const modes = { repeat: 'repeat', clamp: 'clamp-to-edge', mirror: 'mirror-repeat' } as const;
    const [s, t] = [modes[slot?.wrapS ?? 'repeat'], modes[slot?.wrapT ?? 'repeat']];
    const filter = slot?.nearest ? 'nearest' : 'linear';
    const key = `${s}/${t}/${filter}`;
    const sampler =
      this.#samplers.get(key) ??
      this.#device.createSampler({
        ...{ addressModeU: s, addressModeV: t, magFilter: filter, minFilter: filter, mipmapFilter: filter },
        maxAnisotropy: filter === 'linear' ? 4 : 1,
      });
    this.#samplers.set(key, sampler);
    return sampler;
  }
}

const WHITE: TextureImage = { width: 1, height: 1, data: new Uint8Array(4).fill(255) };
