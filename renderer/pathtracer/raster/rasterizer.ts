/**
 * The raster draft: a WebGPU render pipeline without a window, for scrubbing a shot. The same pixels' middles, surfaces and light
 * as the ray caster; buffers and textures stay on the GPU from frame to frame.
 */
/// <reference types="@webgpu/types" />
import { FarmError } from '../../../domain/errors.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { type OpenGpu, openGpu, refuseBeyond } from '../../gpu/device.ts';
import { QuickLightMaker } from '../environment/quickLight.ts';
import { packBlurred, packLights, sharpRows } from '../raycast/lightRows.ts';
import { KIND_SEE_THROUGH, kindOf } from '../raycast/tables.ts';
import { type PinholeView, pinholeView } from '../raycast/view.ts';
import type { SceneDescription } from '../scene/description.ts';
import type { TracedPixels, TraceRequest, Tracer } from '../tracer.ts';
import { invertAffine } from '../wasm/matrix.ts';
import { createPipelines, type RasterPipelines } from './pipelines.ts';
import { type RasterMesh, RasterResources } from './resources.ts';
import { RasterTarget } from './target.ts';

/** Longest side of one tile: three pictures of this size and their copies take some 400 MB. */
const MAX_TILE = 2048;
const INSTANCE_FLOATS = 28;
const VIEW_FLOATS = 28;

interface Draw {
  mesh: RasterMesh;
  material: number;
  firstInstance: number;
  count: number;
  /** Of the first instance along the viewing axis, for the order of see-through surfaces. */
  distance: number;
}

interface Loaded {
  scene: SceneDescription;
  solid: Draw[];
  seeThrough: Draw[];
  instances: GPUBuffer;
  far: number;
}

interface RasterizerOptions {
  threads: number;
  /** Opens the device; tests lower its limits or take it away. */
  open?: typeof openGpu;
}

/** Opens the GPU, software included. Throws `GpuMissing`, which says what is missing and how to get it. */
export async function createRasterizer({ threads, open = openGpu }: RasterizerOptions): Promise<Tracer> {
  const gpu = await open({ allowSoftware: true });
  return new Rasterizer(gpu, threads);
}

class Rasterizer implements Tracer {
  readonly tier = 'gpu';
  readonly device: string;
  readonly threads: number;
  readonly #gpu: OpenGpu;
  readonly #resources: RasterResources;
  readonly #light = new QuickLightMaker();
  #pipelines: RasterPipelines | null = null;
  #target: RasterTarget | null = null;
  #materials: { scene: SceneDescription; groups: GPUBindGroup[] } | null = null;
  #loaded: Loaded | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(gpu: OpenGpu, threads: number) {
    this.#gpu = gpu;
    this.threads = threads;
    this.device = gpu.adapterInfo.description;
    this.#resources = new RasterResources(gpu);
  }

  get isLost(): boolean {
    return this.#gpu.failure !== null;
  }

  setScene(scene: SceneDescription): Promise<void> {
    return this.#inTurn(() => this.#gpu.scoped('loading the scene', () => this.#setScene(scene)));
  }

  trace(request: TraceRequest, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<TracedPixels> {
    return this.#inTurn(() => this.#gpu.scoped('drawing', () => this.#draw(request, onProgress, signal)));
  }

  /** Refuses: with one ray a pixel there are no samples to share out. */
  async tracePartial(): Promise<never> {
    throw new FarmError('SettingInvalid', 'Technique raster has one sample a pixel, which cannot be cut into ranges.', {
      setting: 'samples',
      technique: 'raster',
    });
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    this.#gpu.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #setScene(scene: SceneDescription): Promise<void> {
    const { device } = this.#gpu;
    this.#loaded?.instances.destroy();
    this.#loaded = null;
    this.#pipelines ??= createPipelines(device);
    const { materialLayout } = this.#pipelines;
    if (this.#materials?.scene.materials !== scene.materials || this.#materials.scene.images !== scene.images) {
      const groups = scene.materials.map((material) =>
        this.#resources.material(material, scene.images, materialLayout),
      );
      this.#materials = { scene, groups };
    }
    const meshes = this.#resources.meshes(scene.meshes);
    const { back, eye } = pinholeView(scene.camera, 1);
    const byMesh = new Map<number, Float32Array[]>();
    for (const { mesh, transform } of scene.instances) {
      const list = byMesh.get(mesh) ?? [];
      list.push(transform);
      byMesh.set(mesh, list);
    }
    const floats = Math.max(1, scene.instances.length) * INSTANCE_FLOATS;
    const names = ['maxStorageBufferBindingSize', 'maxBufferSize'] as const;
    refuseBeyond(this.#gpu.limits, names, `The list of ${scene.instances.length} instances`, floats * 4);
    const data = new Float32Array(floats);
    const solid: Draw[] = [];
    const seeThrough: Draw[] = [];
    let written = 0;
    let far = 0;
    for (const [index, transforms] of byMesh) {
      const mesh = meshes[index]!;
      const { material } = scene.meshes[index]!;
      const isSeeThrough = kindOf(scene.materials[material]!) === KIND_SEE_THROUGH;
      const first = written;
      for (const transform of transforms) {
        const inverse = invertAffine(transform);
        if (!inverse) continue;
        const at = written * INSTANCE_FLOATS;
        data.set(transform, at);
        for (let column = 0; column < 3; column++) {
          for (let row = 0; row < 3; row++) data[at + 16 + 4 * column + row] = inverse[4 * row + column]!;
        }
        const distance = reach(mesh.bounds, transform, back, eye);
        far = Math.max(far, distance);
        // See-through surfaces are drawn one by one, from the back.
        if (isSeeThrough) seeThrough.push({ mesh, material, firstInstance: written, count: 1, distance });
        written++;
      }
      if (!isSeeThrough && written > first) {
        solid.push({ mesh, material, firstInstance: first, count: written - first, distance: 0 });
      }
    }
    seeThrough.sort((a, b) => b.distance - a.distance);
    this.#loaded = { scene, solid, seeThrough, instances: storage(device, data), far };
  }

  async #draw(
    { width, height, rect }: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracedPixels> {
    const loaded = this.#loaded;
    if (!loaded) throw new FarmError('Internal', 'The rasteriser was asked to draw before it had a scene.');
    const side = Math.min(MAX_TILE, this.#gpu.limits.maxTextureDimension2D);
    const columns = Math.ceil((rect.x1 - rect.x0) / side);
    const lines = Math.ceil((rect.y1 - rect.y0) / side);
    const tileWidth = Math.ceil((rect.x1 - rect.x0) / columns);
    const tileHeight = Math.ceil((rect.y1 - rect.y0) / lines);
    const pixels = emptyPixels(rect);
    const view = pinholeView(loaded.scene.camera, height);
    const light = this.#lightBuffers(loaded.scene, view);
    for (let index = 0; index < columns * lines; index++) {
      if (signal?.aborted) throw new FarmError('Cancelled', 'Drawing was cancelled.');
      const x0 = rect.x0 + (index % columns) * tileWidth;
      const y0 = rect.y0 + Math.floor(index / columns) * tileHeight;
      await this.#drawTile(
        loaded,
        view,
        light,
        { width, height },
        { x0, y0, width: tileWidth, height: tileHeight },
        pixels,
      );
      onProgress?.((index + 1) / (columns * lines));
    }
    for (const buffer of light.buffers) buffer.destroy();
    return pixels;
  }

  #lightBuffers(scene: SceneDescription, view: PinholeView) {
    const { device } = this.#gpu;
    const light = this.#light.make(scene, [-view.back[0], -view.back[1], -view.back[2]]);
    const sharp = sharpRows(light);
    const buffers = [packLights(light), light.irradiance, sharp.data, packBlurred(light)].map((data) =>
      storage(device, data),
    );
    return { buffers, count: light.lights.length, sharp, hasEnvironment: light.sharp !== null };
  }

  async #drawTile(
    loaded: Loaded,
    view: PinholeView,
    light: { buffers: GPUBuffer[]; count: number; sharp: { width: number; height: number }; hasEnvironment: boolean },
    picture: { width: number; height: number },
    tile: { x0: number; y0: number; width: number; height: number },
    pixels: TracedPixels,
  ): Promise<void> {
    const { device } = this.#gpu;
    const { viewLayout, solid, seeThrough, background } = this.#pipelines!;
    if (this.#target?.width !== tile.width || this.#target.height !== tile.height) {
      this.#target?.destroy();
      this.#target = new RasterTarget(device, tile.width, tile.height);
    }
    const near = view.near > 0 ? view.near : 1e-4;
    const values = new Float32Array(VIEW_FLOATS);
    [view.right, view.up, view.back, view.eye].forEach((column, index) => {
      values.set(column, 4 * index);
    });
    values.set([picture.width / 2 - tile.x0, picture.height / 2 - tile.y0, tile.width, tile.height], 16);
    values.set([view.pixelSize, near, Math.max(loaded.far * 1.01, near * 2), view.orthographic ? 1 : 0], 20);
    values.set([light.count, light.hasEnvironment ? 1 : 0, light.sharp.width, light.sharp.height], 24);
    const uniforms = device.createBuffer({
      size: values.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(uniforms, 0, values);
    const around = device.createBindGroup({
      layout: viewLayout,
      entries: [uniforms, loaded.instances, ...light.buffers].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginRenderPass(this.#target.pass);
    pass.setBindGroup(0, around);
    const drawAll = (pipeline: GPURenderPipeline, draws: readonly Draw[]): void => {
      pass.setPipeline(pipeline);
      for (const { mesh, material, firstInstance, count } of draws) {
        pass.setBindGroup(1, this.#materials!.groups[material]!);
        pass.setVertexBuffer(0, mesh.vertices);
        pass.setIndexBuffer(mesh.indices, 'uint32');
        pass.drawIndexed(mesh.indexCount, count, 0, 0, firstInstance);
      }
    };
    drawAll(solid, loaded.solid);
    pass.setPipeline(background);
    pass.draw(3);
    drawAll(seeThrough, loaded.seeThrough);
    pass.end();
    this.#target.copyOut(encoder);
    device.queue.submit([encoder.finish()]);
    await this.#target.read(tile, pixels);
    uniforms.destroy();
  }
}

function storage(device: GPUDevice, data: Float32Array): GPUBuffer {
  const buffer = device.createBuffer({
    size: Math.max(16, data.byteLength),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
  return buffer;
}

/** Largest distance from the eye along the viewing axis that a placed box has. */
function reach(
  bounds: readonly number[],
  m: ArrayLike<number>,
  back: readonly number[],
  eye: readonly number[],
): number {
  let far = 0;
  for (let corner = 0; corner < 8; corner++) {
    const p = [0, 1, 2].map((axis) => bounds[(corner >> axis) & 1 ? axis + 3 : axis]!);
    let along = 0;
    for (let k = 0; k < 3; k++) {
      along -= (m[k]! * p[0]! + m[4 + k]! * p[1]! + m[8 + k]! * p[2]! + m[12 + k]! - eye[k]!) * back[k]!;
    }
    far = Math.max(far, along);
  }
  return Number.isFinite(far) ? far : 0;
}

function emptyPixels(rect: PixelRect): TracedPixels {
  const pixels = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
  return {
    rect: { ...rect },
    beauty: new Float32Array(pixels * 4),
    albedo: new Float32Array(pixels * 3),
    normal: new Float32Array(pixels * 3),
    depth: new Float32Array(pixels).fill(Number.POSITIVE_INFINITY),
    layers: {},
    samples: pixels,
    rays: 0,
  };
}
