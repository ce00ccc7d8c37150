/**
 * The ray-cast quick look: one ray a pixel over the path tracer's own tree, shaded by environment, punctual lights or a lamp at
 * the camera. No second rays, so no shadows. gpu.js runs it in WebAssembly with SIMD and threads, or where it is told to.
 */
import gpujs from 'gpu.js';
import { FarmError } from '../../../domain/errors.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { QuickLightMaker } from '../environment/quickLight.ts';
import type { SceneDescription, SurfaceMaterial } from '../scene/description.ts';
import type { TracedPixels, TraceRequest, Tracer } from '../tracer.ts';
import { Heap } from '../wasm/heap.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { SceneMemory } from '../wasm/scene-memory.ts';
import { ThreadPool } from '../wasm/threads.ts';
import { packAtlas } from './atlas.ts';
import { BOX_WIDTH, flattenTree, TRIANGLE_WIDTH } from './flatten.ts';
import { defaultBackend, KernelSets, pixelsOf, type RaycastBackend, rows } from './kernelSet.ts';
import { irradianceRows, lightRows, sharpRows, stackBlurred } from './lightRows.ts';
import { placesOf } from './places.ts';
import {
  CORNER_WIDTH,
  geometryTables,
  INSTANCE_WIDTH,
  instanceTable,
  KIND_SEE_THROUGH,
  kindOf,
  MATERIAL_WIDTH,
  materialTable,
  SLOTS,
  usedSlots,
  VERTEX_WIDTH,
  wantedTextures,
} from './tables.ts';
import { type PinholeView, pinholeView } from './view.ts';

export type { RaycastBackend } from './kernelSet.ts';

const { input } = gpujs as unknown as { input: (data: Float32Array, size: number[]) => unknown };

/** Longest side of what one kernel call draws: bounds the memory of the planes to some 100 MB. */
const MAX_TILE = 1024;
/** Longest side of a texture: about what a picture of that height can show. */
const textureSize = (height: number): number => (height > 1200 ? 2048 : 1024);

export interface RaycasterOptions {
  threads: number;
  /** gpu.js backend; WebAssembly, where the machine has it, when left out. */
  backend?: RaycastBackend;
}

interface Tables {
  scene: SceneDescription;
  memoryOf: readonly number[];
  /** See `FlatTree`. */
  solidEnd: number;
  seeThroughEnd: number;
  boxes: unknown;
  triangles: unknown;
  instances: unknown;
  corners: unknown;
  vertices: unknown;
  hasSeeThrough: boolean;
  /** `slots`: which of `SLOTS` any material has a texture for. */
  textures: { largest: number; materials: unknown; texels: unknown; slots: number[] } | null;
}

/** What one pass over a tile found: row-major, four numbers a pixel. */
interface Layer {
  /** Instance (-1: none), triangle, u, v. */
  hits: Float32Array;
  /** Red, green, blue, and how much of what lies behind is hidden. */
  light: Float32Array;
  base: Float32Array;
  normal: Float32Array;
  positions: Float32Array | null;
  depth: Float32Array;
}

/** Starts what builds trees. Throws `BinaryMissing` without the compiled tracer. */
export async function createRaycaster(options: RaycasterOptions): Promise<Tracer> {
  const { module } = await loadTracerModule();
  const heap = new Heap();
  return new Raycaster(heap, new ThreadPool(module, heap.memory, options.threads), options);
}

class Raycaster implements Tracer {
  readonly tier = 'cpu';
  readonly device: string;
  readonly threads: number;
  readonly #heap: Heap;
  readonly #pool: ThreadPool;
  readonly #memory: SceneMemory;
  readonly #light = new QuickLightMaker();
  readonly #kernels: KernelSets;
  #tables: Tables | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(heap: Heap, pool: ThreadPool, { threads, backend }: RaycasterOptions) {
    this.threads = threads;
    this.#heap = heap;
    this.#pool = pool;
    this.#memory = new SceneMemory(heap, pool);
    this.#kernels = new KernelSets(backend ?? defaultBackend());
    this.device = `gpu.js (${this.#kernels.backend})`;
  }

  setScene(scene: SceneDescription): Promise<void> {
    return this.#inTurn(() => this.#setScene(scene));
  }

  trace(request: TraceRequest, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<TracedPixels> {
    return this.#inTurn(() => this.#trace(request, onProgress, signal));
  }

  /** Refuses: with one ray a pixel there are no samples to share out. */
  async tracePartial(): Promise<never> {
    throw new FarmError(
      'SettingInvalid',
      'Technique raycast has one sample a pixel, which cannot be cut into ranges.',
      {
        setting: 'samples',
        technique: 'raycast',
      },
    );
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    await this.#pool.close();
    await this.#kernels.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #setScene(scene: SceneDescription): Promise<void> {
    const previous = this.#tables;
    this.#tables = null;
    // Only the tree is wanted: no light tables, no textures, a closed shutter.
    await this.#memory.load({
      ...scene,
      materials: scene.materials.map(withoutTextures),
      images: [],
      lights: [],
      environment: null,
      camera: { ...scene.camera, shutter: 0 },
    });
    const placed = this.#memory.placedInstances;
    const { transform } = scene.camera;
    const eye = [transform[12]!, transform[13]!, transform[14]!] as const;
    const isSeeThrough = (index: number): boolean => {
      const { material } = scene.meshes[scene.instances[placed[index]!]!.mesh]!;
      return kindOf(scene.materials[material]!) === KIND_SEE_THROUGH;
    };
    const tree = flattenTree(this.#heap.memory.buffer, this.#memory.address, placed.length, eye, isSeeThrough);
    const { vertices, corners, firstCorner } = geometryTables(scene);
    const sameLook = previous?.scene.materials === scene.materials && previous.scene.images === scene.images;
    this.#tables = {
      scene,
      memoryOf: placed,
      solidEnd: tree.solidEnd,
      seeThroughEnd: tree.seeThroughEnd,
      boxes: rows(tree.boxes, BOX_WIDTH),
      triangles: rows(tree.triangles, TRIANGLE_WIDTH),
      instances: rows(instanceTable(scene, tree, placed, firstCorner), INSTANCE_WIDTH),
      corners: rows(corners, CORNER_WIDTH),
      vertices: rows(vertices, VERTEX_WIDTH),
      hasSeeThrough: tree.seeThroughEnd > tree.solidEnd,
      textures: sameLook ? previous.textures : null,
    };
  }

  #texturesOf(tables: Tables, largest: number): NonNullable<Tables['textures']> {
    if (tables.textures?.largest === largest) return tables.textures;
    const { materials, images } = tables.scene;
    const atlas = packAtlas(images, wantedTextures(materials), largest);
    tables.textures = {
      largest,
      slots: usedSlots(materials),
      materials: rows(materialTable(materials, atlas), MATERIAL_WIDTH),
      texels: input(atlas.texels, [atlas.width, atlas.height]),
    };
    return tables.textures;
  }

  async #trace(
    { width, height, rect, options }: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracedPixels> {
    const tables = this.#tables;
    if (!tables) throw new FarmError('Internal', 'The ray caster was asked to look before it had a scene.');
    const wide = rect.x1 - rect.x0;
    const high = rect.y1 - rect.y0;
    const pixels = emptyPixels(rect, options.layers.includes('position'));
    const columns = Math.ceil(wide / MAX_TILE);
    const lines = Math.ceil(high / MAX_TILE);
    const tile = { width: Math.ceil(wide / columns), height: Math.ceil(high / lines) };
    for (let index = 0; index < columns * lines; index++) {
      if (signal?.aborted) throw new FarmError('Cancelled', 'Tracing was cancelled.');
      const x = rect.x0 + (index % columns) * tile.width;
      const y = rect.y0 + Math.floor(index / columns) * tile.height;
      await this.#drawTile(tables, { width, height }, { ...tile, x, y }, pixels);
      onProgress?.((index + 1) / (columns * lines));
    }
    pixels.rays = pixels.samples * (tables.hasSeeThrough ? 2 : 1);
    return pixels;
  }

  async #drawTile(
    tables: Tables,
    picture: { width: number; height: number },
    tile: { x: number; y: number; width: number; height: number },
    pixels: TracedPixels,
  ): Promise<void> {
    const view = pinholeView(tables.scene.camera, picture.height);
    const withPositions = pixels.layers.position !== undefined;
    const solid = (await this.#layer(tables, view, picture, tile, false, withPositions))!;
    const front = tables.hasSeeThrough ? await this.#layer(tables, view, picture, tile, true, withPositions) : null;
    const { rect, layers, beauty, albedo, normal, depth } = pixels;
    const hasEnvironment = tables.scene.environment !== null;
    const wide = rect.x1 - rect.x0;
    for (let row = 0; row < tile.height && tile.y + row < rect.y1; row++) {
      for (let column = 0; column < tile.width && tile.x + column < rect.x1; column++) {
        const from = row * tile.width + column;
        const to = (tile.y + row - rect.y0) * wide + tile.x + column - rect.x0;
        const isFront = front !== null && front.depth[from]! < solid.depth[from]!;
        const first = isFront ? front : solid;
        const hides = isFront ? front.light[from * 4 + 3]! : 1;
        for (let k = 0; k < 3; k++) {
          const behind = isFront ? solid.light[from * 4 + k]! * (1 - hides) * tintOf(tables, front, from, k) : 0;
          beauty[to * 4 + k] = first.light[from * 4 + k]! + behind;
          albedo[to * 3 + k] = first.base[from * 4 + k]!;
          normal[to * 3 + k] = first.normal[from * 4 + k]!;
          if (layers.position) layers.position[to * 3 + k] = first.positions![from * 4 + k]!;
        }
        const isHit = solid.hits[from * 4]! >= 0;
        beauty[to * 4 + 3] = hasEnvironment || isHit ? 1 : isFront ? hides : 0;
        depth[to] = first.depth[from]!;
      }
    }
  }

  /** Nearest surfaces of one kind in a tile, and their light; null when it sees through nothing. */
  async #layer(
    tables: Tables,
    view: PinholeView,
    picture: { width: number; height: number },
    tile: { x: number; y: number; width: number; height: number },
    seeThrough: boolean,
    withPositions: boolean,
  ): Promise<Layer | null> {
    const { materials, texels, slots } = this.#texturesOf(tables, textureSize(picture.height));
    const { boxes, triangles, instances, corners, vertices } = tables;
    const { width, height } = tile;
    const kernels = this.#kernels.of(width, height, [
      boxes,
      triangles,
      instances,
      corners,
      vertices,
      materials,
      texels,
    ]);
    const [bx, by, bz] = view.back;
    const light = this.#light.make(tables.scene, [-bx, -by, -bz]);
    const sharp = sharpRows(light);
    const camera = Float32Array.from([
      ...[...view.right, ...view.up, ...view.back, ...view.eye],
      ...[view.near, view.pixelSize, picture.width / 2, picture.height / 2],
      seeThrough ? tables.seeThroughEnd : tables.solidEnd,
      ...[view.orthographic ? 1 : 0, tile.x, tile.y, seeThrough ? 1 : 0, light.lights.length],
      ...[sharp.width, sharp.height, light.sharp ? 1 : 0, height, ...SLOTS.map((slot) => slots.indexOf(slot))],
      seeThrough ? tables.solidEnd : 0,
    ]);
    const hits = await kernels.find(camera, boxes, triangles, instances, corners, vertices, materials, texels);
    if (seeThrough && !hasHit(hits)) return null;
    const found = pixelsOf(hits, width);
    const surface = [instances, corners, vertices, materials];
    const textures = pixelsOf(
      slots.length === 0
        ? new Float32Array(4 * width)
        : await kernels.textures(slots.length)(camera, Float32Array.from(slots), found, ...surface, texels),
      width,
    );
    const base = await kernels.base(camera, found, textures, ...surface);
    const normal = await kernels.normal(camera, found, textures, ...surface);
    const isNear = light.lights.some(({ kind }) => kind !== 'directional');
    const { positions, depth } = placesOf(hits, tables, view, withPositions || isNear);
    const shaded = await kernels.shade(
      ...[camera, found, textures, pixelsOf(base, width), pixelsOf(normal, width)],
      ...[pixelsOf(positions ?? new Float32Array(4 * width), width), instances, materials, lightRows(light)],
      ...[irradianceRows(light), input(sharp.data, [sharp.width * 3, sharp.height]), stackBlurred(light)],
    );
    return { hits, positions, depth, light: shaded, base, normal };
  }
}

const withoutTextures = (material: SurfaceMaterial): SurfaceMaterial =>
  ({
    ...Object.fromEntries(Object.entries(material).filter(([name]) => !name.endsWith('Texture'))),
    ...Object.fromEntries(
      Object.keys(material)
        .filter((name) => name.endsWith('Texture'))
        .map((name) => [name, null]),
    ),
    emissive: [0, 0, 0],
  }) as SurfaceMaterial;

function hasHit(hits: Float32Array): boolean {
  for (let i = 0; i < hits.length; i += 4) if (hits[i]! >= 0) return true;
  return false;
}

function emptyPixels(rect: PixelRect, withPosition: boolean): TracedPixels {
  const pixels = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
  return {
    rect: { ...rect },
    beauty: new Float32Array(pixels * 4),
    albedo: new Float32Array(pixels * 3),
    normal: new Float32Array(pixels * 3),
    depth: new Float32Array(pixels).fill(Number.POSITIVE_INFINITY),
    layers: withPosition ? { position: new Float32Array(pixels * 3) } : {},
    samples: pixels,
    rays: pixels,
  };
}

/** Glass colours what lies behind it; a blended surface covers it evenly. */
function tintOf({ scene, memoryOf }: Tables, layer: Layer, pixel: number, channel: number): number {
  const source = memoryOf[layer.hits[pixel * 4]!]!;
  const material = scene.materials[scene.meshes[scene.instances[source]!.mesh]!.material]!;
  return material.transmission > 0 ? layer.base[pixel * 4 + channel]! : 1;
}
