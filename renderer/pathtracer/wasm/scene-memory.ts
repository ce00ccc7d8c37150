/** Carries a scene description into the tracer's memory and keeps there what the next frame can use again. */
import { FarmError } from '../../../domain/errors.ts';
import type { RenderSettings } from '../../../domain/scene.ts';
import { cryptomatteBits } from '../../image/cryptomatte.ts';
import type {
  EnvironmentMap,
  MeshGeometry,
  PunctualLight,
  SceneDescription,
  TracerCamera,
} from '../scene/description.ts';
import { ALBEDO_TABLES, buildAlbedoTable } from './albedo-tables.ts';
import * as layout from './assembly/layout.ts';
import { makeEnvironmentTable } from './environment-table.ts';
import { makeFilterTable } from './filter-table.ts';
import type { Heap } from './heap.ts';
import { buildSceneTree, type PlacedInstance, placeInstances, sceneRadius, writeInstances } from './instance-memory.ts';
import {
  boundsOfLocal,
  boundsOfTriangle,
  collectTriangleLights,
  cumulative,
  decodeSrgb,
  punctualPower,
  type TriangleLight,
  writePunctual,
} from './light-table.ts';
import { buildLightTree, type LightTree } from './light-tree.ts';
import { needsAlphaTest, tablesOf, writeMaterial } from './material-record.ts';
import { orthonormalColumns, type Vector } from './matrix.ts';
import { fingerprintOf, isStored, loadMesh, type StoredMesh } from './mesh-memory.ts';
import type { ThreadPool } from './threads.ts';

interface StoredEnvironment {
  key: string;
  data: WeakRef<Float32Array>;
  addresses: number[];
  /** Of the scene block. */
  words: Record<number, number>;
  meanLuminance: number;
}

/** The scene in memory. `address` is the scene block that every thread reads. */
export class SceneMemory {
  readonly address: number;
  /** For each instance record in memory, in order, where the description lists that instance. */
  placedInstances: readonly number[] = [];
  readonly #heap: Heap;
  readonly #pool: ThreadPool;
  readonly #meshes = new Map<number, StoredMesh>();
  readonly #images = new Map<Uint8Array, number>();
  readonly #filters = new Map<string, number>();
  #environment: StoredEnvironment | null = null;
  #materials = 0;
  /** What is written anew for each scene. */
  #transient: number[] = [];

  constructor(heap: Heap, pool: ThreadPool) {
    this.#heap = heap;
    this.#pool = pool;
    this.address = heap.allocate(layout.SCENE_SIZE);
    heap.bytes(this.address, layout.SCENE_SIZE).fill(0);
  }

  /** Tables that no scene changes. `strategy`: 0 MIS, 1 BSDF sampling only, 2 light sampling only. */
  async prepare(strategy: number): Promise<void> {
    const srgb = this.#heap.store(Float32Array.from({ length: 256 }, (_, i) => decodeSrgb(i / 255)));
    const energy = await buildAlbedoTable('reflection', this.#heap, this.#pool);
    this.#words({
      [layout.SCENE_SRGB_TABLE]: srgb,
      [layout.SCENE_ENERGY_TABLE]: energy,
      [layout.SCENE_STRATEGY]: strategy,
    });
  }

  /** Address of the pixel filter's table, made once a filter. */
  filterTable(filter: RenderSettings['filter']): number {
    const key = `${filter.kind} ${filter.radius}`;
    const known = this.#filters.get(key);
    if (known !== undefined) return known;
    const address = this.#heap.store(makeFilterTable(filter));
    this.#filters.set(key, address);
    return address;
  }

  /** Which of the scene's materials a record belongs to. */
  materialAt(address: number): number {
    return (address - this.#materials) / layout.MATERIAL_STRIDE;
  }

  /** Replaces the scene. Throws `SceneInvalid` for references out of range and `SceneTooLarge`; the scene is empty then. */
  async load(scene: SceneDescription): Promise<void> {
    this.#words({ [layout.SCENE_NODES]: 0 });
    for (const address of this.#transient) this.#heap.free(address);
    this.#transient = [];
    this.#dropUnused(scene);
    await this.#loadTables(scene);
    const materials = this.#loadMaterials(scene);
    this.#materials = materials;
    // All of them end before an error is passed on, so that none writes into the next scene.
    const loads = await Promise.allSettled(scene.meshes.map((mesh) => this.#loadMesh(scene, mesh)));
    const stored = loads.map((load) => {
      if (load.status === 'rejected') throw load.reason;
      return load.value;
    });
    stored.forEach((mesh, i) => {
      const source = scene.meshes[i]!;
      const view = this.#heap.view(mesh.record, layout.MESH_STRIDE);
      view.setUint32(layout.MESH_MATERIAL, materials + source.material * layout.MATERIAL_STRIDE, true);
      view.setInt32(layout.MESH_ALPHA, needsAlphaTest(scene.materials[source.material]!) ? 1 : 0, true);
    });
    const placed = placeInstances(scene, stored);
    this.placedInstances = placed.map(({ source }) => source);
    const allocate = (bytes: number): number => this.#temporary(bytes);
    const instances = writeInstances(this.#heap, allocate, placed);
    this.#loadLights(scene, placed, instances);
    this.#writeCamera(scene.camera);
    const nodes = await buildSceneTree(this.#heap, this.#pool, allocate, placed);
    this.#words({ [layout.SCENE_INSTANCES]: instances, [layout.SCENE_NODES]: nodes });
  }

  /** Albedo tables that only some materials need; once there, they stay. */
  async #loadTables(scene: SceneDescription): Promise<void> {
    const used = tablesOf(scene.materials);
    const view = this.#heap.view(this.address, layout.SCENE_SIZE);
    for (const name of ['anisotropic', 'glass', 'sheen'] as const) {
      const { sceneOffset } = ALBEDO_TABLES[name];
      if (!used[name] || view.getUint32(sceneOffset, true) !== 0) continue;
      this.#words({ [sceneOffset]: await buildAlbedoTable(name, this.#heap, this.#pool) });
    }
  }

  #words(values: Record<number, number>): void {
    const view = this.#heap.view(this.address, layout.SCENE_SIZE);
    for (const [offset, value] of Object.entries(values)) view.setUint32(Number(offset), value, true);
  }

  #floats(values: Record<number, number>): void {
    const view = this.#heap.view(this.address, layout.SCENE_SIZE);
    for (const [offset, value] of Object.entries(values)) view.setFloat32(Number(offset), value, true);
  }

  #temporary(bytes: number): number {
    const address = this.#heap.allocate(bytes);
    this.#transient.push(address);
    return address;
  }

  #temporaryOf(values: Float32Array | Uint32Array | Uint8Array): number {
    const address = this.#heap.store(values);
    this.#transient.push(address);
    return address;
  }

  /** Frees meshes and pictures that the new scene does not have, before anything new is allocated. */
  #dropUnused(scene: SceneDescription): void {
    const wanted = new Map(scene.meshes.map((mesh) => [mesh.id, mesh]));
    for (const [id, stored] of this.#meshes) {
      const mesh = wanted.get(id);
      if (mesh && isStored(stored, mesh, shutterOf(scene))) continue;
      for (const address of stored.addresses) this.#heap.free(address);
      this.#meshes.delete(id);
    }
    const pictures = new Set(scene.images.map((image) => image.data));
    for (const [data, address] of this.#images) {
      if (pictures.has(data)) continue;
      this.#heap.free(address);
      this.#images.delete(data);
    }
  }

  async #loadMesh(scene: SceneDescription, mesh: MeshGeometry): Promise<StoredMesh> {
    if (!scene.materials[mesh.material]) {
      throw new FarmError('SceneInvalid', `Mesh ${mesh.id} names material ${mesh.material}, which does not exist.`);
    }
    const known = this.#meshes.get(mesh.id);
    if (known) return known;
    const stored = await loadMesh(this.#heap, this.#pool, mesh, shutterOf(scene));
    this.#meshes.set(mesh.id, stored);
    return stored;
  }

  #loadMaterials(scene: SceneDescription): number {
    const address = this.#temporary(Math.max(1, scene.materials.length) * layout.MATERIAL_STRIDE);
    const addressOf = (index: number): number => {
      const image = scene.images[index];
      if (!image || image.data.length < image.width * image.height * 4 || !(image.width > 0 && image.height > 0)) {
        throw new FarmError('SceneInvalid', `Picture ${index} is missing or has too few bytes.`, { image: index });
      }
      const known = this.#images.get(image.data);
      if (known !== undefined) return known;
      const stored = this.#heap.store(image.data);
      this.#images.set(image.data, stored);
      return stored;
    };
    scene.materials.forEach((material, index) => {
      const record = new DataView(new ArrayBuffer(layout.MATERIAL_STRIDE));
      writeMaterial(record, 0, material, (i) => ({ address: addressOf(i), image: scene.images[i]! }));
      record.setUint32(layout.MATERIAL_NAME, cryptomatteBits(material.name), true);
      this.#heap
        .bytes(address + index * layout.MATERIAL_STRIDE, layout.MATERIAL_STRIDE)
        .set(new Uint8Array(record.buffer));
    });
    return address;
  }

  #loadLights(scene: SceneDescription, placed: readonly PlacedInstance[], instances: number): void {
    const environment = this.#loadEnvironment(scene.environment);
    const radius = sceneRadius(placed);
    const triangles = collectTriangleLights(scene, placed);
    const shining = scene.lights.filter((light) => punctualPower(light, radius) > 0);
    const locals = shining.filter((light) => light.kind !== 'directional');
    const directionals = shining.filter((light) => light.kind === 'directional');
    const powerOf = (light: PunctualLight): number => punctualPower(light, radius);
    const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
    const powers = [
      environment * 4 * Math.PI * Math.PI * radius * radius,
      sum(triangles.map(({ power }) => power)) + sum(locals.map(powerOf)),
      sum(directionals.map(powerOf)),
    ];
    const total = sum(powers);
    const groups = powers.filter((power) => power > 0).length;
    // Half by power, half evenly: a weak light close by must not starve.
    const chances = powers.map((power) => (power > 0 ? 0.5 * (power / total) + 0.5 / groups : 0));
    this.#floats({
      [layout.SCENE_P_ENV]: chances[0]!,
      [layout.SCENE_P_LOCAL]: chances[1]!,
      [layout.SCENE_P_DIRECTIONAL]: chances[2]!,
    });
    const bounds = [...triangles.map(boundsOfTriangle), ...locals.map(boundsOfLocal)];
    const tree = bounds.length > 0 ? buildLightTree(bounds) : null;
    this.#words({
      [layout.SCENE_LIGHT_TREE]: tree ? this.#temporaryOf(tree.nodes) : 0,
      [layout.SCENE_TRI_COUNT]: triangles.length,
      [layout.SCENE_TRI_LIGHTS]: tree ? this.#loadTriangleLights(triangles, tree, placed, instances) : 0,
      [layout.SCENE_PUNCTUALS]: this.#loadPunctuals(locals),
      [layout.SCENE_DIRECTIONAL_COUNT]: directionals.length,
      [layout.SCENE_DIRECTIONAL_CDF]: this.#temporaryOf(cumulative(directionals.map(powerOf))),
      [layout.SCENE_DIRECTIONALS]: this.#loadPunctuals(directionals),
    });
  }

  /** Writes the records of emissive triangles, and into their instances where these are. */
  #loadTriangleLights(
    triangles: readonly TriangleLight[],
    { trails }: LightTree,
    placed: readonly PlacedInstance[],
    instances: number,
  ): number {
    const records = this.#temporary(Math.max(1, triangles.length) * layout.TRI_LIGHT_STRIDE);
    const view = this.#heap.view(records, triangles.length * layout.TRI_LIGHT_STRIDE);
    const indices = new Map<number, Uint32Array>();
    triangles.forEach(({ instance, triangle, v0, e1, e2, area }, index) => {
      const at = index * layout.TRI_LIGHT_STRIDE;
      [v0, e1, e2].forEach((vector, row) => {
        for (let axis = 0; axis < 3; axis++) view.setFloat32(at + 16 * row + 4 * axis, vector[axis]!, true);
      });
      view.setUint32(at + layout.TRI_LIGHT_INSTANCE, instances + instance * layout.INSTANCE_STRIDE, true);
      view.setInt32(at + layout.TRI_LIGHT_TRIANGLE, triangle, true);
      view.setUint32(at + layout.TRI_LIGHT_TRAIL, trails[index]!, true);
      view.setFloat32(at + layout.TRI_LIGHT_INVERSE_AREA, 1 / area, true);
      const table = indices.get(instance) ?? new Uint32Array(placed[instance]!.mesh.indices.length / 3);
      table[triangle] = index + 1;
      indices.set(instance, table);
    });
    for (const [instance, table] of indices) {
      const address = this.#temporaryOf(table);
      this.#heap
        .view(instances + instance * layout.INSTANCE_STRIDE, layout.INSTANCE_STRIDE)
        .setUint32(layout.INSTANCE_LIGHTS, address, true);
    }
    return records;
  }

  #loadPunctuals(lights: readonly PunctualLight[]): number {
    const records = this.#temporary(Math.max(1, lights.length) * layout.PUNCTUAL_STRIDE);
    const view = this.#heap.view(records, lights.length * layout.PUNCTUAL_STRIDE);
    lights.forEach((light, index) => {
      writePunctual(view, index, light);
    });
    return records;
  }

  /** Loads picture and tables unless they are there; returns the mean luminance with intensity, 0 without environment. */
  #loadEnvironment(map: EnvironmentMap | null): number {
    const known = map !== null && this.#environment?.data.deref() === map.data;
    const key = map ? (known ? this.#environment!.key : environmentKey(map)) : '';
    if (this.#environment && this.#environment.key !== key) {
      for (const address of this.#environment.addresses) this.#heap.free(address);
      this.#environment = null;
    }
    if (!map || !(map.intensity > 0)) {
      this.#words({ [layout.SCENE_ENV_PIXELS]: 0 });
      return 0;
    }
    if (map.width < 1 || map.height < 1 || map.data.length < map.width * map.height * 3) {
      throw new FarmError('SceneInvalid', 'The environment has fewer pixels than its size says.');
    }
    if (!this.#environment) {
      const { width, height, pixels, sampling, meanLuminance } = makeEnvironmentTable(map);
      const arrays: (Uint16Array | Float32Array)[] = [pixels];
      if (sampling) {
        const { marginal, conditional, marginalGuide, conditionalGuide } = sampling;
        arrays.push(marginal, conditional, marginalGuide, conditionalGuide);
      }
      const addresses = arrays.map((values) => this.#heap.store(values));
      const words = {
        [layout.SCENE_ENV_PIXELS]: addresses[0]!,
        [layout.SCENE_ENV_WIDTH]: width,
        [layout.SCENE_ENV_HEIGHT]: height,
        [layout.SCENE_ENV_COLUMNS]: sampling?.columns ?? 1,
        [layout.SCENE_ENV_ROWS]: sampling?.rows ?? 1,
        [layout.SCENE_ENV_MARGINAL]: addresses[1] ?? 0,
        [layout.SCENE_ENV_CONDITIONAL]: addresses[2] ?? 0,
        [layout.SCENE_ENV_MARGINAL_GUIDE]: addresses[3] ?? 0,
        [layout.SCENE_ENV_CONDITIONAL_GUIDE]: addresses[4] ?? 0,
      };
      this.#environment = { key, data: new WeakRef(map.data), addresses, words, meanLuminance };
    }
    this.#words(this.#environment.words);
    this.#floats({
      [layout.SCENE_ENV_TURNS]: map.rotation / (2 * Math.PI),
      [layout.SCENE_ENV_INTENSITY]: map.intensity,
    });
    return this.#environment.meanLuminance * map.intensity;
  }

  #writeCamera(camera: TracerCamera): void {
    const { transform, transformNext, projection, near, lens } = camera;
    this.#writePose(layout.SCENE_CAMERA, transform);
    this.#writePose(layout.SCENE_CAMERA_NEXT, transformNext ?? transform);
    const perspective = projection.kind === 'perspective';
    this.#words({
      [layout.SCENE_CAMERA_KIND]: perspective ? 0 : 1,
      [layout.SCENE_CAMERA_MOVES]: transformNext?.some((value, i) => value !== transform[i]) ? 1 : 0,
    });
    this.#floats({
      [layout.SCENE_CAMERA_SCALE]: perspective ? Math.tan(projection.yfov / 2) : projection.ymag,
      [layout.SCENE_CAMERA_NEAR]: near,
      [layout.SCENE_SHUTTER]: camera.shutter ?? 0,
      [layout.SCENE_LENS_RADIUS]: lens?.radius ?? 0,
      [layout.SCENE_LENS_FOCUS]: lens ? Math.max(lens.focusDistance, 1e-6) : 1,
      [layout.SCENE_LENS_BLADES]: lens?.blades ?? 0,
    });
  }

  /** Orthonormal axes and eye of a camera's place. Throws `SceneInvalid` when it is not finite. */
  #writePose(offset: number, transform: Float32Array): void {
    const eye: Vector = [transform[12]!, transform[13]!, transform[14]!];
    [...orthonormalColumns(transform), eye].forEach((column, index) => {
      column.forEach((value, row) => {
        if (!Number.isFinite(value))
          throw new FarmError('SceneInvalid', 'The camera has a transform that is not finite.');
        this.#floats({ [offset + 16 * index + 4 * row]: value });
      });
    });
  }
}

/** How long the shutter is open, in frames. */
function shutterOf({ camera }: SceneDescription): number {
  return camera.shutter ?? 0;
}

function environmentKey({ revision, width, height, data }: EnvironmentMap): string {
  return `${revision} ${width}x${height} ${fingerprintOf(data)}`;
}
