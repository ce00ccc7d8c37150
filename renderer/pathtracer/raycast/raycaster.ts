/**
 * The ray-cast quick look: one ray a pixel over the path tracer's own tree, shaded by environment, punctual lights or a lamp at
 * the camera. No second rays, so no shadows. gpu.js runs it in WebAssembly with SIMD and threads, or where it is told to.
 */
import gpujs, { type GPU as GpuInstance, type IKernelRunShortcut, type IPipelineRunShortcut } from 'gpu.js';
import { FarmError } from '../../../domain/errors.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import { QuickLightMaker } from '../environment/quickLight.ts';
import type { SceneDescription, SurfaceMaterial } from '../scene/description.ts';
import type { TracedPixels, TraceRequest, Tracer } from '../tracer.ts';
import { Heap } from '../wasm/heap.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { SceneMemory } from '../wasm/scene-memory.ts';
import { ThreadPool } from '../wasm/threads.ts';
import { type Atlas, packAtlas } from './atlas.ts';
import { BOX_WIDTH, flattenTree, TRIANGLE_WIDTH } from './flatten.ts';
import { baseColour, findHit, lookDirection, sampleSlot, shade, shadingNormal, textureCoordinates } from './kernels.ts';
import { irradianceRows, lightRows, sharpRows, stackBlurred } from './lightRows.ts';
import {
  CORNER_WIDTH,
  geometryTables,
  INSTANCE_WIDTH,
  instanceTable,
  KIND_SEE_THROUGH,
  kindOf,
  MATERIAL_WIDTH,
  materialTable,
  SLOT_ALPHA,
  SLOT_BASE,
  SLOT_EMISSIVE,
  SLOT_NORMAL,
  SLOT_ROUGHNESS,
  SLOT_TRANSMISSION,
  VERTEX_WIDTH,
  wantedTextures,
} from './tables.ts';
import { type PinholeView, pinholeView } from './view.ts';

const { GPU } = gpujs;
const { input } = gpujs as unknown as { input: (data: Float32Array, size: number[]) => unknown };

/** Longest side of what one kernel call draws: bounds the memory of the planes to some 100 MB. */
const MAX_TILE = 1024;
/** Boxes that a ray looks at before it is given up: more than any tree has. */
const MAX_STEPS = 33_554_432;
/** Longest side of a texture: about what a picture of that height can show. */
const textureSize = (height: number): number => (height > 1200 ? 2048 : 1024);

export type RaycastBackend = 'webasm' | 'cpu' | 'gpu' | 'webgpu';

export interface RaycasterOptions {
  threads: number;
  /** gpu.js backend; WebAssembly, where the machine has it, when left out. */
  backend?: RaycastBackend;
}

interface Tables {
  scene: SceneDescription;
  memoryOf: readonly number[];
  sceneEnd: number;
  boxes: unknown;
  triangles: unknown;
  instances: unknown;
  corners: unknown;
  vertices: unknown;
  hasSeeThrough: boolean;
  textures: { largest: number; atlas: Atlas; materials: unknown; texels: unknown } | null;
}

interface Kernels {
  find: IKernelRunShortcut;
  shade: IPipelineRunShortcut;
}

/** What one pass over a tile found: row-major. */
interface Layer {
  hits: Float32Array;
  light: Float32Array[];
  base: Float32Array[];
  normal: Float32Array[];
  positions: Float32Array;
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
  readonly #backend: RaycastBackend;
  readonly #light = new QuickLightMaker();
  readonly #kernels = new Map<string, Kernels>();
  #gpu: GpuInstance | null = null;
  #tables: Tables | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(heap: Heap, pool: ThreadPool, { threads, backend }: RaycasterOptions) {
    this.threads = threads;
    this.#heap = heap;
    this.#pool = pool;
    this.#memory = new SceneMemory(heap, pool);
    this.#backend = backend ?? (GPU.isWebAssemblySupported ? 'webasm' : 'cpu');
    this.device = `gpu.js (${this.#backend})`;
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
    this.#kernels.clear();
    await this.#gpu?.destroy();
    this.#gpu = null;
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
    const tree = flattenTree(this.#heap.memory.buffer, this.#memory.address, placed.length, eye);
    const { vertices, corners, firstCorner } = geometryTables(scene);
    const sameLook = previous?.scene.materials === scene.materials && previous.scene.images === scene.images;
    this.#tables = {
      scene,
      memoryOf: placed,
      sceneEnd: tree.sceneEnd,
      boxes: rows(tree.boxes, BOX_WIDTH),
      triangles: rows(tree.triangles, TRIANGLE_WIDTH),
      instances: rows(instanceTable(scene, tree, placed, firstCorner), INSTANCE_WIDTH),
      corners: rows(corners, CORNER_WIDTH),
      vertices: rows(vertices, VERTEX_WIDTH),
      hasSeeThrough: scene.meshes.some(({ material }) => kindOf(scene.materials[material]!) === KIND_SEE_THROUGH),
      textures: sameLook ? previous.textures : null,
    };
  }

  #texturesOf(tables: Tables, largest: number): NonNullable<Tables['textures']> {
    if (tables.textures?.largest === largest) return tables.textures;
    const { materials, images } = tables.scene;
    const atlas = packAtlas(images, wantedTextures(materials), largest);
    tables.textures = {
      largest,
      atlas,
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
    const solid = await this.#layer(tables, view, picture, tile, false);
    const front = tables.hasSeeThrough ? await this.#layer(tables, view, picture, tile, true) : null;
    const { rect, layers } = pixels;
    const hasEnvironment = tables.scene.environment !== null;
    const wide = rect.x1 - rect.x0;
    for (let row = 0; row < tile.height && tile.y + row < rect.y1; row++) {
      for (let column = 0; column < tile.width && tile.x + column < rect.x1; column++) {
        const from = row * tile.width + column;
        const to = (tile.y + row - rect.y0) * wide + tile.x + column - rect.x0;
        const isFront = front !== null && front.depth[from]! < solid.depth[from]!;
        const first = isFront ? front : solid;
        const hides = isFront ? front.light[3]![from]! : 1;
        for (let k = 0; k < 3; k++) {
          const behind = isFront ? solid.light[k]![from]! * (1 - hides) * tintOf(tables, front, from, k) : 0;
          pixels.beauty[to * 4 + k] = first.light[k]![from]! + behind;
          pixels.albedo[to * 3 + k] = first.base[k]![from]!;
          pixels.normal[to * 3 + k] = first.normal[k]![from]!;
        }
        const isHit = solid.hits[from * 4]! >= 0;
        pixels.beauty[to * 4 + 3] = hasEnvironment || isHit ? 1 : isFront ? hides : 0;
        pixels.depth[to] = first.depth[from]!;
        layers.position?.set(first.positions.subarray(from * 3, from * 3 + 3), to * 3);
      }
    }
  }

  /** Nearest surfaces of one kind in a tile, and their light. */
  async #layer(
    tables: Tables,
    view: PinholeView,
    picture: { width: number; height: number },
    tile: { x: number; y: number; width: number; height: number },
    seeThrough: boolean,
  ): Promise<Layer> {
    const kernels = this.#kernelsFor(tile.width, tile.height, tables);
    const { materials, texels } = this.#texturesOf(tables, textureSize(picture.height));
    const { boxes, triangles, instances, corners, vertices } = tables;
    const [bx, by, bz] = view.back;
    const light = this.#light.make(tables.scene, [-bx, -by, -bz]);
    const sharp = sharpRows(light);
    const camera = Float32Array.from([
      ...[...view.right, ...view.up, ...view.back, ...view.eye],
      ...[view.near, view.pixelSize, picture.width / 2, picture.height / 2, tables.sceneEnd],
      ...[view.orthographic ? 1 : 0, tile.x, tile.y, seeThrough ? 1 : 0, light.lights.length],
      ...[sharp.width, sharp.height, light.sharp ? 1 : 0],
    ]);
    const found = await (kernels.find(
      ...([camera, boxes, triangles, instances, corners, vertices, materials, texels] as never[]),
    ) as unknown as Promise<Float32Array[][]>);
    const hits = flatRows(found, tile.width, tile.height);
    const { positions, depth, planes } = placesOf(hits, tables, view);
    const size = [tile.width, tile.height];
    const shaded = (await kernels.shade(
      ...([
        camera,
        input(hits, [4, ...size]),
        ...[instances, corners, vertices, materials, texels, lightRows(light), irradianceRows(light)],
        ...[input(sharp.data, [sharp.width * 3, sharp.height]), stackBlurred(light), input(planes, [...size, 3])],
      ] as never[]),
    )) as unknown as { light: Float32Array[][]; base: Float32Array[][]; normal: Float32Array[][] };
    return {
      ...{ hits, positions, depth },
      light: shaded.light.map(joined),
      base: shaded.base.map(joined),
      normal: shaded.normal.map(joined),
    };
  }

  #kernelsFor(width: number, height: number, { boxes, triangles, vertices, corners }: Tables): Kernels {
    // Only the WebAssembly backend takes arrays of other sizes rightly (gpu.js 2.24).
    const sizes = this.#backend === 'webasm' ? [] : [boxes, triangles, vertices, corners].map(sizeOf);
    const key = [width, height, ...sizes].join();
    const known = this.#kernels.get(key);
    if (known) return known;
    this.#gpu ??= new GPU({ mode: this.#backend as never });
    const gpu = this.#gpu;
    const kernel = (body: unknown, output: number[], constants: Record<string, number> = {}): IKernelRunShortcut =>
      gpu.createKernel(
        body as never,
        {
          output,
          constants,
          precision: 'single',
          asyncMode: true,
          dynamicArguments: this.#backend === 'webasm',
          loopMaxIterations: MAX_STEPS,
        } as never,
      ) as IKernelRunShortcut;
    const plane = (body: unknown, channels: number, constants?: Record<string, number>): IKernelRunShortcut =>
      kernel(body, [width, height, channels], constants);
    const slot = (offset: number, channels: number): IKernelRunShortcut =>
      plane(sampleSlot, channels, { slot: offset });
    const uv = plane(textureCoordinates, 4);
    const steps = {
      base: plane(baseColour, 3),
      normal: plane(shadingNormal, 3),
      looks: plane(lookDirection, 2),
      light: plane(shade, 4),
      baseTexture: slot(SLOT_BASE, 3),
      roughness: slot(SLOT_ROUGHNESS, 3),
      bend: slot(SLOT_NORMAL, 3),
      glow: slot(SLOT_EMISSIVE, 3),
      clear: slot(SLOT_TRANSMISSION, 1),
      hide: slot(SLOT_ALPHA, 1),
    };
    // gpu.js counts the parameters, so they are spelled out.
    const pipeline = gpu.createPipeline(((
      view: never,
      hits: never,
      instances: never,
      corners: never,
      vertices: never,
      materials: never,
      texels: never,
      lights: never,
      irradiance: never,
      sharp: never,
      blurred: never,
      places: never,
    ) => {
      const call = (step: IKernelRunShortcut, ...values: unknown[]): unknown => step(...(values as never[]));
      const coordinates = call(uv, hits, instances, corners, vertices);
      const sample = (step: IKernelRunShortcut): unknown => call(step, hits, coordinates, instances, materials, texels);
      const base = call(steps.base, hits, sample(steps.baseTexture), instances, corners, vertices, materials);
      const normal = call(steps.normal, view, hits, sample(steps.bend), instances, corners, vertices, materials);
      const surfaces = [
        base,
        sample(steps.roughness),
        normal,
        sample(steps.glow),
        sample(steps.clear),
        sample(steps.hide),
      ];
      const around = [lights, irradiance, sharp, blurred, places, call(steps.looks, view, hits, normal)];
      const light = call(steps.light, view, hits, ...surfaces, instances, materials, corners, vertices, ...around);
      return { light, base, normal };
    }) as never);
    const made = { find: kernel(findHit, [width, height], { maxSteps: MAX_STEPS }), shade: pipeline };
    // Shots have one size, tiled ones a few.
    if (this.#kernels.size >= 4) this.#kernels.clear();
    this.#kernels.set(key, made);
    return made;
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

const sizeOf = (table: unknown): string => (table as { size: ArrayLike<number> }).size[1]!.toString();

const rows = (data: Float32Array, width: number): unknown => input(data, [width, data.length / width]);

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
  return material.transmission > 0 ? layer.base[channel]![pixel]! : 1;
}

/** One array of the pixels' four numbers; gpu.js gives views of one, pixel by pixel. */
function flatRows(found: Float32Array[][], width: number, height: number): Float32Array {
  const { buffer, byteOffset } = found[0]![0]!;
  const last = found[height - 1]![width - 1]!;
  const length = width * height * 4;
  if (last.buffer === buffer && last.byteOffset - byteOffset === (length - 4) * 4) {
    return new Float32Array(buffer, byteOffset, length);
  }
  const out = new Float32Array(length);
  for (let i = 0; i < width * height; i++) out.set(found[Math.floor(i / width)]![i % width]!, i * 4);
  return out;
}

function joined(plane: unknown): Float32Array {
  const lines = plane as Float32Array[];
  const width = lines[0]!.length;
  const out = new Float32Array(width * lines.length);
  lines.forEach((line, y) => {
    out.set(line, y * width);
  });
  return out;
}

/** World positions (interleaved, and as planes) and depths of hits. */
function placesOf(hits: Float32Array, { scene, memoryOf }: Tables, view: PinholeView) {
  const count = hits.length / 4;
  const positions = new Float32Array(count * 3);
  const planes = new Float32Array(count * 3);
  const depth = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const { back, eye } = view;
  for (let i = 0; i < count; i++) {
    const instance = hits[4 * i]!;
    if (instance < 0) continue;
    const { mesh, transform } = scene.instances[memoryOf[instance]!]!;
    const geometry = scene.meshes[mesh]!;
    const at = hits[4 * i + 1]! * 3;
    const [u, v] = [hits[4 * i + 2]!, hits[4 * i + 3]!];
    const [a, b, c] = [geometry.indices[at]! * 3, geometry.indices[at + 1]! * 3, geometry.indices[at + 2]! * 3];
    const p = geometry.positions;
    const w = 1 - u - v;
    const x = p[a]! * w + p[b]! * u + p[c]! * v;
    const y = p[a + 1]! * w + p[b + 1]! * u + p[c + 1]! * v;
    const z = p[a + 2]! * w + p[b + 2]! * u + p[c + 2]! * v;
    let along = 0;
    for (let k = 0; k < 3; k++) {
      const value = transform[k]! * x + transform[4 + k]! * y + transform[8 + k]! * z + transform[12 + k]!;
      positions[3 * i + k] = value;
      planes[k * count + i] = value;
      along -= (value - eye[k]!) * back[k]!;
    }
    depth[i] = along;
  }
  return { positions, planes, depth };
}
