/** What one path does, step by step, as a tier recorded it. */
import { FarmError } from '../../../domain/errors.ts';
import type { TraceRequest } from '../tracer.ts';
import * as layout from './assembly/layout.ts';
import * as records from './assembly/layout-record.ts';
import { filledLayers, layerBits } from './film-memory.ts';
import type { Heap } from './heap.ts';
import { writeJob } from './job-block.ts';
import type { SceneMemory } from './scene-memory.ts';
import type { ThreadPool } from './threads.ts';

export type Triple = [number, number, number];

/** Why a path ended: nothing was hit, an unlit surface, the depth limit, nothing left to carry, or Russian roulette. */
export type PathEnd = 'escaped' | 'unlit' | 'depth' | 'absorbed' | 'roulette';

/** One ray of a path and what happened where it ended. World space, linear Rec.709. */
export interface PathStep {
  /** Scatterings before this ray. */
  bounce: number;
  /** Of the ray. */
  direction: Triple;
  /** Null when nothing was hit. */
  hit: {
    /** Positions in the scene description's lists. */
    instance: number;
    material: number;
    triangle: number;
    distance: number;
    position: Triple;
    normal: Triple;
  } | null;
  /** Light that the ray ran into (glow, environment), as it was added to the sample: weighted and with throughput. */
  foundLight: Triple;
  /** Light that was sampled from the hit, as it was added; `from` says what was aimed at, where anything was added. */
  sampledLight: Triple;
  from: 'surface' | 'environment' | 'punctual' | null;
  /** Throughput after the step. */
  throughput: Triple;
  /** What the sample has gathered up to here. */
  radiance: Triple;
  /** The way on; null at the path's end. */
  next: {
    direction: Triple;
    /** Per solid angle. */
    density: number;
    kind: 'diffuse' | 'specular' | 'transmission';
    /** By a mirror or lens. */
    isDelta: boolean;
    /** Through the surface. */
    isThrough: boolean;
  } | null;
  end: PathEnd | null;
}

export interface PathRecord {
  x: number;
  y: number;
  sample: number;
  steps: PathStep[];
  /** What the sample adds to its pixel, before it is divided by the number of samples. */
  radiance: Triple;
}

const ENDS: readonly (PathEnd | null)[] = [null, 'escaped', 'unlit', 'depth', 'absorbed', 'roulette'];
const KINDS = ['diffuse', 'specular', 'transmission'] as const;
const LIGHTS = ['surface', 'environment', 'punctual'] as const;

export interface PathPlace {
  /** Pixel of the whole picture. */
  x: number;
  y: number;
  sample: number;
}

/** Throws `SettingInvalid` when the sample is outside the request. */
export function checkPath({ rect, sampleStart, sampleCount }: TraceRequest, { x, y, sample }: PathPlace): void {
  const inside = [x, y, sample].every(Number.isInteger) && x >= rect.x0 && x < rect.x1 && y >= rect.y0 && y < rect.y1;
  if (inside && sample >= sampleStart && sample < sampleStart + sampleCount) return;
  throw new FarmError('SettingInvalid', `Sample ${sample} of pixel ${x},${y} is not part of the picture.`, {
    setting: 'pixel',
  });
}

/** Steps that a path of the request can take, at most. */
export const mostSteps = ({ options }: TraceRequest): number => options.maxDepth + 1;

/** Records one sample of one pixel. Throws `SettingInvalid` when it is outside the request. */
export async function recordPath(
  heap: Heap,
  pool: ThreadPool,
  scene: SceneMemory,
  workspaces: readonly number[],
  request: TraceRequest,
  place: PathPlace,
): Promise<PathRecord> {
  checkPath(request, place);
  const { x, y, sample } = place;
  const filter = scene.filterTable(request.options.filter);
  const capacity = mostSteps(request);
  const job = heap.allocate(layout.JOB_SIZE);
  const out = heap.allocate(capacity * records.RECORD_STRIDE);
  try {
    heap.bytes(job, layout.JOB_SIZE).fill(0);
    heap.bytes(out, capacity * records.RECORD_STRIDE).fill(0);
    const view = heap.view(job, layout.JOB_SIZE);
    writeJob(view, request, request.rect, filter);
    view.setUint32(layout.JOB_LAYERS, layerBits(filledLayers(request)), true);
    const count = await pool.lend((call, index) =>
      call('recordPath', scene.address, job, workspaces[index]!, x, y, sample, out, capacity),
    );
    return readPath(heap.view(out, capacity * records.RECORD_STRIDE), Math.min(count, capacity), scene, place);
  } finally {
    heap.free(job);
    heap.free(out);
  }
}

/** What was written of a path of so many steps, one record after the other. */
export function readPath(view: DataView, steps: number, scene: SceneMemory, place: PathPlace): PathRecord {
  const { RECORD_STRIDE } = records;
  const read = Array.from({ length: steps }, (_, i) =>
    readStep(new DataView(view.buffer, view.byteOffset + i * RECORD_STRIDE, RECORD_STRIDE), scene),
  );
  return { ...place, steps: read, radiance: read.at(-1)?.radiance ?? [0, 0, 0] };
}

function readStep(view: DataView, scene: SceneMemory): PathStep {
  const word = (offset: number): number => view.getInt32(offset, true);
  const float = (offset: number): number => view.getFloat32(offset, true);
  const triple = (offset: number): Triple => [float(offset), float(offset + 4), float(offset + 8)];
  const instance = word(records.RECORD_INSTANCE);
  const end = ENDS[word(records.RECORD_END)]!;
  const sampledLight = triple(records.RECORD_SAMPLED);
  return {
    bounce: word(records.RECORD_BOUNCE),
    direction: triple(records.RECORD_INCOMING),
    hit:
      instance < 0
        ? null
        : {
            instance: scene.placedInstances[instance]!,
            material: scene.materialAt(view.getUint32(records.RECORD_MATERIAL, true)),
            triangle: word(records.RECORD_TRIANGLE),
            distance: float(records.RECORD_DISTANCE),
            position: triple(records.RECORD_POSITION),
            normal: triple(records.RECORD_NORMAL),
          },
    foundLight: triple(records.RECORD_FOUND),
    sampledLight,
    from: sampledLight.some((value) => value > 0) ? LIGHTS[word(records.RECORD_LIGHT)]! : null,
    throughput: triple(records.RECORD_THROUGHPUT),
    radiance: triple(records.RECORD_RADIANCE),
    next:
      end !== null
        ? null
        : {
            direction: triple(records.RECORD_DIRECTION),
            density: float(records.RECORD_DENSITY),
            kind: KINDS[word(records.RECORD_KIND)]!,
            isDelta: word(records.RECORD_DELTA) !== 0,
            isThrough: word(records.RECORD_THROUGH) !== 0,
          },
    end,
  };
}
