/**
 * The one place that talks to WebGPU's adapters: loads Dawn, asks for a device with all that the adapter has to give, and
 * turns what goes wrong into `FarmError`s. Shared by the tracer's GPU tier and the raster draft.
 */
/// <reference types="@webgpu/types" />
import { createRequire } from 'node:module';
import { FarmError } from '../../domain/errors.ts';
import { takeSoftwareVulkanIfAsked } from './softwareVulkan.ts';

export interface GpuOptions {
  /** Whether a driver that computes on the CPU (SwiftShader, lavapipe) will do. */
  allowSoftware: boolean;
  /** Features to switch on where the adapter has them; look at `device.features` for what came. */
  features?: readonly GPUFeatureName[];
  /** Toggles of Dawn to switch on, e.g. `disable_robustness`. */
  toggles?: readonly string[];
  /** Limits below the adapter's, as a smaller GPU would have. */
  limits?: Readonly<Partial<Record<LimitName, number>>>;
}

export type LimitName = Exclude<keyof GPUSupportedLimits, '__brand'>;

export interface GpuAdapterDescription {
  vendor: string;
  architecture: string;
  device: string;
  /** Name for people, e.g. `NVIDIA H100 PCIe`. */
  description: string;
  isSoftware: boolean;
}

export interface OpenGpu {
  readonly adapterInfo: GpuAdapterDescription;
  readonly device: GPUDevice;
  /** All that the adapter offers, but what the options lower; the device was asked for with these. */
  readonly limits: Readonly<Record<LimitName, number>>;
  /** Settles (never rejects) with the reason when the device is lost; not after `close`. */
  readonly lost: Promise<FarmError>;
  /** The reason once the device is lost, else null. */
  readonly failure: FarmError | null;
  /**
   * Runs work inside error scopes. Throws `SceneTooLarge` when the device ran out of memory, `GpuLost` when it was lost
   * meanwhile, and `Internal` with Dawn's message for a mistake of ours; `what` says in the message what was being done.
   * Scopes belong to the device: one call at a time.
   */
  scoped<T>(what: string, work: () => T | Promise<T>): Promise<T>;
  /** Gives the device back. Buffers and textures go with it. */
  close(): void;
}

interface Dawn {
  create(flags: string[]): GPU;
  globals: Record<string, unknown>;
}

/** Instances are kept: a device does not outlive the one that it came from. */
const instances = new Map<string, GPU>();
let dawn: Promise<Dawn> | undefined;

/** What a machine without a GPU is told; part of each `GpuMissing` of this module. */
const HOW_TO_GET_ONE =
  "Install the GPU's Vulkan driver and loader (Debian: libvulkan1), or set FARM_SOFTWARE_VULKAN=1 to draw on the CPU where npm's " +
  '@sparticuz/chromium is installed, or FARM_SOFTWARE_VULKAN=FOLDER for a folder with libvulkan.so.1, libvk_swiftshader.so and ' +
  'vk_swiftshader_icd.json, as Chrome has.';

/**
 * Loads Dawn: the `dawn.node` that `FRAMEWRIGHT_DAWN` names, else npm `webgpu`. WebGPU's constants (`GPUBufferUsage` …)
 * become globals, as they are in browsers.
 */
function loadDawn(): Promise<Dawn> {
  dawn ??= (async (): Promise<Dawn> => {
    const path = process.env.FRAMEWRIGHT_DAWN;
    try {
      const loaded = path
        ? (createRequire(import.meta.url)(path) as Dawn)
        : ((await import('webgpu')) as unknown as Dawn);
      for (const [name, value] of Object.entries(loaded.globals)) {
        if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
      }
      return loaded;
    } catch (cause) {
      dawn = undefined;
      throw new FarmError(
        'GpuMissing',
        `WebGPU (${path ?? 'npm webgpu'}) cannot be loaded on ${process.platform}-${process.arch}: ${cause}`,
        { dawn: path ?? 'webgpu' },
        { cause },
      );
    }
  })();
  return dawn;
}

function describe({ info }: GPUAdapter): GpuAdapterDescription {
  const { vendor, architecture, device, description } = info;
  // Dawn leaves the flag out for software drivers that it does not know.
  const isSoftware = info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`);
  return { vendor, architecture, device, description, isSoftware };
}

/** @throws FarmError `GpuMissing` when there is no adapter, or only a software one and that will not do; says how to get one */
export async function findAdapter({
  allowSoftware,
  toggles = [],
}: Pick<GpuOptions, 'allowSoftware' | 'toggles'>): Promise<{
  adapter: GPUAdapter;
  adapterInfo: GpuAdapterDescription;
}> {
  takeSoftwareVulkanIfAsked();
  const { create } = await loadDawn();
  const flags = toggles.length > 0 ? [`enable-dawn-features=${toggles.join(',')}`] : [];
  const key = flags.join();
  const instance = instances.get(key) ?? create(flags);
  instances.set(key, instance);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new FarmError('GpuMissing', `This machine has no GPU that WebGPU can use. ${HOW_TO_GET_ONE}`);
  const adapterInfo = describe(adapter);
  if (adapterInfo.isSoftware && !allowSoftware) {
    throw new FarmError(
      'GpuMissing',
      `The only GPU here is software (${adapterInfo.description}), which is too slow.`,
      {
        adapter: adapterInfo.description,
      },
    );
  }
  return { adapter, adapterInfo };
}

/** Throws `GpuMissing` as `findAdapter` does. */
export async function openGpu(options: GpuOptions): Promise<OpenGpu> {
  const { features = [], limits = {} } = options;
  const { adapter, adapterInfo } = await findAdapter(options);
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as LimitName];
    if (typeof value !== 'number') continue;
    requiredLimits[name] = Math.min(value, limits[name as LimitName] ?? value);
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({
      requiredLimits,
      requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    });
  } catch (cause) {
    throw new FarmError('GpuMissing', `${adapterInfo.description} gave no device: ${cause}`, {}, { cause });
  }
  return new Gpu(adapterInfo, device, requiredLimits as Record<LimitName, number>);
}

/** Throws `SceneTooLarge`, naming the limit and its figure, when `what` takes more bytes than one of the named limits allows. */
export function refuseBeyond(
  limits: Readonly<Partial<Record<LimitName, number>>>,
  names: readonly LimitName[],
  what: string,
  bytes: number,
): void {
  for (const name of names) {
    const limit = limits[name];
    if (limit === undefined || bytes <= limit) continue;
    throw new FarmError('SceneTooLarge', `${what} takes ${bytes} bytes, but ${name} of this GPU is ${limit}.`, {
      bytes,
      limit: name,
      [name]: limit,
    });
  }
}

class Gpu implements OpenGpu {
  readonly adapterInfo: GpuAdapterDescription;
  readonly device: GPUDevice;
  readonly limits: Readonly<Record<LimitName, number>>;
  readonly lost: Promise<FarmError>;
  #failure: FarmError | null = null;
  #closed = false;

  constructor(adapterInfo: GpuAdapterDescription, device: GPUDevice, limits: Record<LimitName, number>) {
    this.adapterInfo = adapterInfo;
    this.device = device;
    this.limits = limits;
    this.lost = new Promise((resolve) => {
      device.lost.then(({ reason, message }) => {
        if (this.#closed) return;
        this.#failure = new FarmError('GpuLost', `The GPU ${adapterInfo.description} was lost: ${message || reason}.`, {
          adapter: adapterInfo.description,
        });
        resolve(this.#failure);
      });
    });
  }

  get failure(): FarmError | null {
    return this.#failure;
  }

  async scoped<T>(what: string, work: () => T | Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    const { device } = this;
    const filters = ['validation', 'out-of-memory', 'internal'] as const;
    for (const filter of filters) device.pushErrorScope(filter);
    let result: T | undefined;
    let thrown: unknown;
    try {
      result = await Promise.race([
        work(),
        this.lost.then((failure) => {
          throw failure;
        }),
      ]);
    } catch (error) {
      thrown = error ?? new Error('unknown');
    }
    // Popped in any case, so that one failure does not leave its scopes to the next caller. A lost device answers no more.
    const pops = filters.map(() => device.popErrorScope().catch(() => null));
    const errors = await Promise.race([Promise.all(pops), this.lost.then(() => [])]);
    if (this.#failure) throw this.#failure;
    const error = errors.find((entry) => entry !== null);
    const place = { adapter: this.adapterInfo.description, while: what };
    if (error instanceof GPUOutOfMemoryError) {
      throw new FarmError('SceneTooLarge', `The GPU has too little memory for ${what}.`, place, { cause: error });
    }
    if (error) throw new FarmError('Internal', `The GPU refused ${what}: ${error.message}`, place, { cause: error });
    if (thrown !== undefined) throw thrown;
    return result as T;
  }

  close(): void {
    this.#closed = true;
    this.device.destroy();
  }
}
