/** Which tier traces on this machine, and the one tracer that is kept for it. */
import { existsSync } from 'node:fs';
import { FarmError } from '../../domain/errors.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import { openGpu } from '../gpu/device.ts';
import { isSoftwareVulkanAsked } from '../gpu/softwareVulkan.ts';
import { nodeTier } from './nodeTier.ts';
import type { PathTracer, Tracer } from './tracer.ts';
import { cpuTracerBuild, createCpuTracer } from './wasm/tracer.ts';
import { createGpuTracer, gpuTracerBuild } from './wgsl/tracer.ts';

type Tier = Tracer['tier'];
type TierChoice = RenderSettings['tier'];

type Tiers = Record<Tier, { create(options: { threads: number }): Promise<PathTracer>; build(): Promise<string> }>;

/** What a GPU's builds begin with, behind the engine's version. */
const GPU_BUILD = 'gpu-';

/** The tier that made a frame, by the build in its file. */
export const tierOfBuild = (build: string): Tier => (build.includes(`-${GPU_BUILD}`) ? 'gpu' : 'cpu');

const TIERS: Tiers = {
  cpu: { create: createCpuTracer, build: cpuTracerBuild },
  gpu: {
    create: ({ threads }) => createGpuTracer({ threads, allowSoftware: isSoftwareVulkanAsked() }),
    build: async () => `${GPU_BUILD}${await gpuTracerBuild()}`,
  },
};

/**
 * The tier that traces, by the job's choice and the node's (`FARM_TIER`: auto, cpu or gpu). `auto` takes the GPU where there is
 * a real one. Throws `GpuMissing` when the GPU is asked for and there is none (or this node does not lend it), and
 * `SettingInvalid` for an unknown `FARM_TIER`.
 */
async function tierFor(choice: TierChoice): Promise<Tier> {
  const node = nodeTier();
  if (choice === 'cpu') return 'cpu';
  if (choice === 'gpu' && node === 'cpu') {
    throw new FarmError('GpuMissing', 'Tier gpu is asked for, but FARM_TIER keeps this machine to its CPU.', {
      FARM_TIER: node,
    });
  }
  if (choice === 'gpu' || node === 'gpu') return 'gpu';
  if (node === 'cpu') return 'cpu';
  return (await hasGpu()) ? 'gpu' : 'cpu';
}

let gpuIsThere: Promise<boolean> | undefined;

/** Whether there is a real GPU; looked up once a process. */
function hasGpu(): Promise<boolean> {
  gpuIsThere ??= (async () => {
    // Without a device file there is nothing to ask, and Dawn would complain about a missing loader.
    const devices = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg', '/dev/kfd'];
    if (process.platform === 'linux' && !devices.some((path) => existsSync(path))) return false;
    try {
      const gpu = await openGpu({ allowSoftware: false });
      gpu.close();
      return true;
    } catch {
      return false;
    }
  })();
  return gpuIsThere;
}

/** Identifies the tracer of a choice without starting it. Throws as `TracerSlot.take` does. */
export async function buildOf(choice: TierChoice): Promise<string> {
  return TIERS[await tierFor(choice)].build();
}

/** Keeps one tracer, for the tier and number of threads that were asked for last. */
export class TracerSlot {
  #tracer: PathTracer | null = null;
  #build = '';
  readonly #tiers: Tiers;

  constructor(tiers: Partial<Tiers> = {}) {
    this.#tiers = { ...TIERS, ...tiers };
  }

  /** Throws what `tierFor` and the tier's maker throw. */
  async take(choice: TierChoice, threads: number): Promise<{ tracer: PathTracer; build: string }> {
    const tier = await tierFor(choice);
    if (this.#tracer && (this.#tracer.threads !== threads || this.#tracer.tier !== tier)) await this.close();
    if (!this.#tracer) {
      this.#build = await this.#tiers[tier].build();
      this.#tracer = await this.#tiers[tier].create({ threads });
    }
    return { tracer: this.#tracer, build: this.#build };
  }

  async close(): Promise<void> {
    await this.#tracer?.close();
    this.#tracer = null;
  }
}

/**
 * Does a frame's work with a tracer, and where that tracer cannot, once more with the one that `elsewhere` gives for the reason
 * (null: the reason is passed on).
 */
export async function onTracerThatCan<T>(
  tracer: Tracer,
  work: (tracer: Tracer) => Promise<T>,
  elsewhere: (reason: FarmError, tracer: Tracer) => Promise<Tracer | null>,
): Promise<{ tracer: Tracer; result: T }> {
  try {
    return { tracer, result: await work(tracer) };
  } catch (error) {
    const other = error instanceof FarmError ? await elsewhere(error, tracer) : null;
    if (!other) throw error;
    return { tracer: other, result: await work(other) };
  }
}
