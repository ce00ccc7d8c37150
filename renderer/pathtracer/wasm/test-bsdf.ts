/** Asks the compiled scattering functions directly, by the thousand, for tests (assembly/probe-bsdf.ts). */
import type { SurfaceMaterial } from '../scene/description.ts';
import { ALBEDO_TABLES, type AlbedoTable } from './albedo-tables.ts';
import * as layout from './assembly/layout.ts';
import * as probes from './assembly/layout-probe.ts';
import { Heap } from './heap.ts';
import { writeMaterial } from './material-record.ts';
import { loadTracerModule } from './module.ts';

export type Direction = readonly [number, number, number];

export interface BsdfQuestion {
  /** Local directions, z the shading normal; `outgoing` has z > 0. */
  outgoing: Direction;
  incoming?: Direction;
  /** Numbers in [0, 1): for prepareBsdf, then for sampleBsdf. */
  numbers?: readonly [number, number, number, number];
  coatNormal?: Direction;
  /** Seen from inside a volume, or from the back. */
  isBack?: boolean;
}

/** Colours as triples; see `assembly/bsdf.ts` for what they mean. */
export interface BsdfAnswer {
  isDelta: boolean;
  diffuse: number[];
  specular: number[];
  transmission: number[];
  density: number;
  /** Null when the sample carried nothing. */
  sample: {
    direction: [number, number, number];
    diffuse: number[];
    specular: number[];
    transmission: number[];
    density: number;
    isDelta: boolean;
    isThrough: boolean;
    etaScale: number;
    kind: number;
  } | null;
}

const BATCH = 2048;

/** One tracer module on this thread, with all tables; textures are not looked up. */
export class BsdfProbe {
  readonly heap: Heap;
  /** Addresses of the scene's block, which holds the tables, and of a mesh record of zeros. */
  readonly scene: number;
  readonly mesh: number;
  readonly #call: (...args: number[]) => void;
  readonly #records: number;
  readonly #material: number;

  private constructor(heap: Heap, call: (...args: number[]) => void, scene: number) {
    this.heap = heap;
    this.#call = call;
    this.scene = scene;
    this.mesh = heap.allocate(layout.MESH_STRIDE);
    heap.bytes(this.mesh, layout.MESH_STRIDE).fill(0);
    this.#records = heap.allocate(BATCH * probes.PROBE_STRIDE);
    this.#material = heap.allocate(layout.MATERIAL_STRIDE);
  }

  static async create(tables: readonly AlbedoTable[] = ['reflection', 'anisotropic', 'glass', 'sheen']) {
    const { module } = await loadTracerModule();
    const heap = new Heap();
    const abort = (): never => {
      throw new Error('the tracer aborted');
    };
    const { exports } = new WebAssembly.Instance(module, { env: { memory: heap.memory, abort } });
    const calls = exports as unknown as Record<string, (...args: number[]) => void>;
    const scene = heap.allocate(layout.SCENE_SIZE);
    heap.bytes(scene, layout.SCENE_SIZE).fill(0);
    for (const name of tables) {
      const { bytes, call, rows, sceneOffset } = ALBEDO_TABLES[name];
      const address = heap.allocate(bytes);
      calls[call]!(address, ...(rows === 0 ? [] : [0, rows]));
      heap.view(scene, layout.SCENE_SIZE).setUint32(sceneOffset, address, true);
    }
    return new BsdfProbe(heap, calls.probeBsdf!, scene);
  }

  /** Answers in the order of the questions. */
  ask(material: SurfaceMaterial, questions: readonly BsdfQuestion[], compensation = true): BsdfAnswer[] {
    this.#setMaterial(this.#material, material);
    const answers: BsdfAnswer[] = [];
    for (let start = 0; start < questions.length; start += BATCH) {
      const batch = questions.slice(start, start + BATCH);
      const view = this.heap.view(this.#records, BATCH * probes.PROBE_STRIDE);
      batch.forEach((question, i) => {
        writeQuestion(view, i * probes.PROBE_STRIDE, this.#material, question);
      });
      this.#call(this.scene, this.mesh, this.#records, batch.length, compensation ? 1 : 0);
      batch.forEach((_, i) => {
        answers.push(readAnswer(view, i * probes.PROBE_STRIDE));
      });
    }
    return answers;
  }

  /** Writes the questions for each of the materials into records of their own, for another tier to answer, too. */
  write(materials: readonly SurfaceMaterial[], questions: readonly BsdfQuestion[]): { address: number; count: number } {
    const count = materials.length * questions.length;
    const address = this.heap.allocate(count * probes.PROBE_STRIDE);
    materials.forEach((material, m) => {
      const at = this.heap.allocate(layout.MATERIAL_STRIDE);
      this.#setMaterial(at, material);
      const view = this.heap.view(address, count * probes.PROBE_STRIDE);
      questions.forEach((question, i) => {
        writeQuestion(view, (m * questions.length + i) * probes.PROBE_STRIDE, at, question);
      });
    });
    return { address, count };
  }

  /** The CPU tier's answers to records that `write` made. */
  answer({ address, count }: { address: number; count: number }): BsdfAnswer[] {
    this.#call(this.scene, this.mesh, address, count, 1);
    const view = this.heap.view(address, count * probes.PROBE_STRIDE);
    return Array.from({ length: count }, (_, i) => readAnswer(view, i * probes.PROBE_STRIDE));
  }

  #setMaterial(at: number, material: SurfaceMaterial): void {
    writeMaterial(this.heap.view(at, layout.MATERIAL_STRIDE), 0, material, () => {
      throw new Error('a probed material has no textures');
    });
  }
}

function writeQuestion(view: DataView, at: number, material: number, question: BsdfQuestion): void {
  const { outgoing, incoming = [0, 0, 1], numbers = [0.5, 0.5, 0.5, 0.5], coatNormal = [0, 0, 1], isBack } = question;
  const vector = (offset: number, values: Direction): void =>
    values.forEach((value, axis) => {
      view.setFloat32(at + offset + 4 * axis, value, true);
    });
  view.setUint32(at + probes.PROBE_MATERIAL, material, true);
  view.setInt32(at + probes.PROBE_FLAGS, isBack ? 0 : 1, true);
  numbers.forEach((value, i) => {
    view.setFloat32(at + probes.PROBE_PREPARE_CHOICE + 4 * i, value, true);
  });
  vector(probes.PROBE_OUTGOING, outgoing);
  vector(probes.PROBE_INCOMING, incoming);
  vector(probes.PROBE_COAT_NORMAL, coatNormal);
}

/** The answer in the record at `at`. */
export function readAnswer(view: DataView, at: number): BsdfAnswer {
  const float = (offset: number): number => view.getFloat32(at + offset, true);
  const triple = (offset: number): [number, number, number] => [float(offset), float(offset + 4), float(offset + 8)];
  const flags = view.getInt32(at + probes.PROBE_SAMPLED_FLAGS, true);
  return {
    isDelta: view.getInt32(at + probes.PROBE_IS_DELTA, true) !== 0,
    diffuse: triple(probes.PROBE_EVALUATED_DIFFUSE),
    specular: triple(probes.PROBE_EVALUATED_SPECULAR),
    transmission: triple(probes.PROBE_EVALUATED_TRANSMISSION),
    density: float(probes.PROBE_EVALUATED_DENSITY),
    sample:
      view.getInt32(at + probes.PROBE_IS_SAMPLED, true) === 0
        ? null
        : {
            direction: triple(probes.PROBE_SAMPLED_DIRECTION),
            diffuse: triple(probes.PROBE_SAMPLED_DIFFUSE),
            specular: triple(probes.PROBE_SAMPLED_SPECULAR),
            transmission: triple(probes.PROBE_SAMPLED_TRANSMISSION),
            density: float(probes.PROBE_SAMPLED_DENSITY),
            isDelta: (flags & 1) !== 0,
            isThrough: (flags & 2) !== 0,
            etaScale: float(probes.PROBE_SAMPLED_ETA_SCALE),
            kind: view.getInt32(at + probes.PROBE_SAMPLED_KIND, true),
          },
  };
}
