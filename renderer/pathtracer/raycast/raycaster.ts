/**
 * The ray-cast quick look: one ray a pixel over the path tracer's own tree, shaded by environment, punctual lights or a lamp at
 * the camera. No second rays, so no shadows. gpu.js runs it in WebAssembly with SIMD and threads, or where it is told to.
 */
import { FarmError } from '../../../domain/errors.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { defaultBackend } from '../../image/imageBackend.ts';
import { QuickLightMaker } from '../environment/quickLight.ts';
import type { SceneDescription, SurfaceMaterial } from '../scene/description.ts';
import type { TracedPixels, TraceRequest, Tracer } from '../tracer.ts';
import { Heap } from '../wasm/heap.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { SceneMemory } from '../wasm/scene-memory.ts';
import { ThreadPool } from '../wasm/threads.ts';
import { flattenTree } from './flatten.ts';
import { KernelSets, type RaycastBackend } from './kernelSet.ts';
import { lightTables, sharpRows } from './lightRows.ts';
import { type Look, lookAt, standsStill, texturesOf } from './look.ts';
import { type Pass, placeInFront, placeSolid } from './passes.ts';
import { placesOf } from './places.ts';
import { STEP_NAMES, type Tables, vector } from './steps.ts';
import { KIND_SEE_THROUGH, kindOf, SLOTS } from './tables.ts';
import { type PinholeView, pinholeView } from './view.ts';

export type { RaycastBackend } from './kernelSet.ts';

/** Longest side of what one kernel call draws: bounds the memory of the planes to some 100 MB. */
const MAX_TILE = 1024;
/** Longest side of a texture: about what a picture of that height can show. */
const textureSize = (height: number): number => (height > 1200 ? 2048 : 1024);

export interface RaycasterOptions {
  threads: number;
  /** gpu.js backend; WebAssembly, where the machine has it, when left out. */
  backend?: RaycastBackend;
}

/** Bands that are written or traced at a time, and a last one that is shorter. */
const MAX_SPARE = 3;
const NO_PLACES = new Float32Array(0);

/** Starts what builds trees. Throws `BinaryMissing` without the compiled tracer. */
export async function createRaycaster(options: RaycasterOptions): Promise<Tracer> {
  const { module } = await loadTracerModule();
  const heap = new Heap();
  return new Raycaster(heap, new ThreadPool(module, heap.memory, options.threads), options);
}

class Raycaster implements Tracer {
  readonly tier = 'cpu';
  readonly isPipelined = true;
  readonly device: string;
  readonly threads: number;
  readonly #heap: Heap;
  readonly #pool: ThreadPool;
  readonly #memory: SceneMemory;
  readonly #light = new QuickLightMaker();
  readonly #kernels: KernelSets;
  #look: Look | null = null;
  /** Arrays that were given back: memory that is new to a process costs more than filling it. */
  #spare: TracedPixels[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(heap: Heap, pool: ThreadPool, { threads, backend }: RaycasterOptions) {
    this.threads = threads;
    this.#heap = heap;
    this.#pool = pool;
    this.#memory = new SceneMemory(heap, pool);
    this.#kernels = new KernelSets(backend ?? defaultBackend(), threads);
    this.device = `gpu.js (${this.#kernels.backend})`;
  }

  setScene(scene: SceneDescription): Promise<void> {
    return this.#inTurn(() => this.#setScene(scene));
  }

  trace(request: TraceRequest, onProgress?: (fraction: number) => void, signal?: AbortSignal): Promise<TracedPixels> {
    return this.#inTurn(() => this.#trace(request, onProgress, signal));
  }

  recycle(pixels: TracedPixels): void {
    this.#spare = [...this.#spare, pixels].slice(-MAX_SPARE);
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
    const previous = this.#look;
    if (previous && standsStill(previous.scene, scene)) {
      this.#look = { ...previous, scene };
      return;
    }
    this.#look = null;
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
    this.#look = lookAt(scene, tree, placed, previous);
  }

  async #trace(
    { width, height, rect, options }: TraceRequest,
    onProgress?: (fraction: number) => void,
    signal?: AbortSignal,
  ): Promise<TracedPixels> {
    const look = this.#look;
    if (!look) throw new FarmError('Internal', 'The ray caster was asked to look before it had a scene.');
    const wide = rect.x1 - rect.x0;
    const high = rect.y1 - rect.y0;
    const pixels = this.#pixelsFor(rect, options.layers.includes('position'));
    const columns = Math.ceil(wide / MAX_TILE);
    const lines = Math.ceil(high / MAX_TILE);
    const tile = { width: Math.ceil(wide / columns), height: Math.ceil(high / lines) };
    for (let index = 0; index < columns * lines; index++) {
      if (signal?.aborted) throw new FarmError('Cancelled', 'Tracing was cancelled.');
      const x = rect.x0 + (index % columns) * tile.width;
      const y = rect.y0 + Math.floor(index / columns) * tile.height;
      await this.#drawTile(look, { width, height }, { ...tile, x, y }, pixels);
      onProgress?.((index + 1) / (columns * lines));
    }
    pixels.rays = pixels.samples * (look.hasSeeThrough ? 2 : 1);
    return pixels;
  }

  /** Arrays for a rectangle, their contents whatever they are. */
  #pixelsFor(rect: PixelRect, withPosition: boolean): TracedPixels {
    const count = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
    const fits = ({ depth, layers }: TracedPixels): boolean =>
      depth.length === count && (layers.position !== undefined) === withPosition;
    const at = this.#spare.findIndex(fits);
    if (at < 0) return newPixels(rect, withPosition);
    const [kept] = this.#spare.splice(at, 1);
    return { ...kept!, rect: { ...rect } };
  }

  async #drawTile(
    look: Look,
    picture: { width: number; height: number },
    tile: { x: number; y: number; width: number; height: number },
    pixels: TracedPixels,
  ): Promise<void> {
    const view = pinholeView(look.scene.camera, picture.height);
    const solid = await this.#pass(look, view, picture, tile, false, pixels);
    if (solid) placeSolid(solid, tile, look.scene.environment !== null, pixels);
    const front = look.hasSeeThrough ? await this.#pass(look, view, picture, tile, true, pixels) : null;
    if (front) placeInFront(front, tile, look.tints, pixels);
  }

  /** Nearest surfaces of one kind in a tile, and their light; null when it sees through nothing. */
  async #pass(
    look: Look,
    view: PinholeView,
    picture: { width: number; height: number },
    tile: { x: number; y: number; width: number; height: number },
    seeThrough: boolean,
    { rect, layers }: TracedPixels,
  ): Promise<Pass | null> {
    const { materials, texels, slots } = texturesOf(look, textureSize(picture.height));
    const { boxes, triangles, instances, corners, vertices } = look.geometry;
    const { width, height } = tile;
    const lines = Math.min(height, rect.y1 - tile.y);
    const kernels = this.#kernels.of(width, lines);
    const [bx, by, bz] = view.back;
    const light = this.#light.make(look.scene, [-bx, -by, -bz]);
    const sharp = sharpRows(light);
    const camera = Float32Array.from([
      ...[...view.right, ...view.up, ...view.back, ...view.eye],
      ...[view.near, view.pixelSize, picture.width / 2, picture.height / 2],
      seeThrough ? look.seeThroughEnd : look.solidEnd,
      ...[view.orthographic ? 1 : 0, tile.x, tile.y, seeThrough ? 1 : 0, light.lights.length],
      ...[sharp.width, sharp.height, light.sharp ? 1 : 0, kernels.height, ...SLOTS.map((slot) => slots.indexOf(slot))],
      seeThrough ? look.solidEnd : 0,
    ]);
    const tables: Tables = {
      ...{ view: vector(camera), slots: vector(Float32Array.from(slots)) },
      ...{ boxes, triangles, instances, corners, vertices, materials, texels },
      places: { data: NO_PLACES, size: [4, width, kernels.height] },
      ...lightTables(light),
    };
    const steps = STEP_NAMES.filter((step) => step !== 'textures' || slots.length > 0);
    const isNear = light.lights.some(({ kind }) => kind !== 'directional');
    // At once, unless something must be known of the hits first.
    const first = seeThrough || isNear ? steps.slice(0, 1) : steps;
    await kernels.run(first, tables, lines);
    const hits = kernels.output('find').subarray(0, lines * width * 4);
    if (seeThrough && !hasHit(hits)) return null;
    const { positions, depth } = placesOf(hits, look, view, layers.position !== undefined || isNear);
    if (positions) tables.places.data = positions;
    if (first !== steps) await kernels.run(steps.slice(1), tables, lines);
    const [base, normal, shaded] = [kernels.output('base'), kernels.output('normal'), kernels.output('shade')];
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

/** In memory that threads which write it out can share. */
function newPixels(rect: PixelRect, withPosition: boolean): TracedPixels {
  const pixels = (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
  const floats = (count: number): Float32Array => new Float32Array(new SharedArrayBuffer(count * 4));
  return {
    rect: { ...rect },
    ...{ beauty: floats(pixels * 4), albedo: floats(pixels * 3), normal: floats(pixels * 3), depth: floats(pixels) },
    layers: withPosition ? { position: floats(pixels * 3) } : {},
    samples: pixels,
    rays: pixels,
  };
}
