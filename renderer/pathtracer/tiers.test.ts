/** Which tier traces: by the job, by the node's FARM_TIER, and by what the GPU takes; on software Vulkan. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../domain/scene.ts';
import type { RenderedUnit } from '../engine.ts';
import { type OpenGpu, openGpu } from '../gpu/device.ts';
import { createPathTracerEngine, type PathTracerEngine } from './engine.ts';
import { projectWith, toGlb, triangleScene } from './gltf/tinyScenes.ts';
import { createRasterizer } from './raster/rasterizer.ts';
import { QuickTracers } from './techniques.ts';
import { TracerSlot } from './tiers.ts';
import { loadTracerModule } from './wasm/module.ts';
import { loadTracerWgsl } from './wgsl/module.ts';
import { smallKernel } from './wgsl/testing/smallKernel.ts';
import { hasVulkanForTests } from './wgsl/testing/softwareVulkan.ts';
import { createGpuTracer } from './wgsl/tracer.ts';

// Software drivers take their time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });
const VULKAN = hasVulkanForTests();
const closers: (() => Promise<unknown>)[] = [];
// From sources the tracer may have to be built first.
beforeAll(async () => {
  await Promise.all([loadTracerModule(), loadTracerWgsl()]);
}, 300_000);
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  for (const close of closers) await close();
});

/** An engine whose GPU tier is SwiftShader with a small kernel. */
function engineWith(limits: Parameters<typeof openGpu>[0]['limits'] = {}): PathTracerEngine {
  const gpu = {
    create: async ({ threads }: { threads: number }) =>
      createGpuTracer({
        ...{ threads, allowSoftware: true, text: await smallKernel() },
        open: (options) => openGpu({ ...options, limits }),
      }),
    build: async () => 'gpu-small',
  };
  const engine = createPathTracerEngine({ slot: new TracerSlot({ gpu }) });
  closers.push(() => engine.close());
  return engine;
}

async function rendered(
  engine: PathTracerEngine,
  changes: Partial<RenderSettings>,
  onProgress = (): void => undefined,
) {
  const outputFolder = await mkdtemp(path.join(tmpdir(), 'framewright-tiers-'));
  closers.push(() => rm(outputFolder, { recursive: true, force: true }));
  const files = { root: await projectWith({ 'a.glb': toGlb(triangleScene()) }), main: 'a.glb' };
  const units: RenderedUnit[] = [];
  const said: string[] = [];
  const sink = {
    unit: async (unit: RenderedUnit) => void units.push(unit),
    progress: onProgress,
    log: (message: string) => void said.push(message),
  };
  const settings: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, width: 24, height: 16, samples: 2, ...changes };
  const asked = { files, settings, units: [{ frame: 1, tile: 0 }], outputFolder, threads: 1 };
  await engine.render(asked, sink, new AbortController().signal);
  return { units, said };
}

describe.skipIf(!VULKAN)('FARM_TIER', () => {
  it('gpu makes jobs without a tier, and the node, the GPU’s', async () => {
    vi.stubEnv('FARM_TIER', 'gpu');
    const engine = engineWith();
    expect((await rendered(engine, {})).units[0]!.maker).toMatchObject({ tier: 'gpu', build: /gpu-small$/ });
    expect((await rendered(engine, { tier: 'cpu' })).units[0]!.maker).toMatchObject({ tier: 'cpu' });
    const { tier, build, device } = await engine.probe(1);
    expect([tier, device]).toEqual(['gpu', expect.stringMatching(/SwiftShader/)]);
    expect(build).toMatch(/gpu-small$/);
  });

  it('cpu keeps the machine to its CPU, also from jobs that want the GPU', async () => {
    vi.stubEnv('FARM_TIER', 'cpu');
    const engine = engineWith();
    expect((await engine.probe(1)).tier).toBe('cpu');
    await expect(rendered(engine, { tier: 'gpu' })).rejects.toMatchObject({ code: 'GpuMissing' });
  });

  it('that is none is refused by name', async () => {
    vi.stubEnv('FARM_TIER', 'quantum');
    await expect(engineWith().probe(1)).rejects.toMatchObject({
      code: 'SettingInvalid',
      message: 'FARM_TIER is "quantum"; it can be auto, cpu or gpu.',
    });
  });
});

describe.skipIf(!VULKAN)('a scene that is too large for the GPU', () => {
  it('goes to the CPU where the job leaves the choice, and says why', async () => {
    vi.stubEnv('FARM_TIER', 'gpu');
    const { units, said } = await rendered(engineWith({ maxBufferSize: 2 ** 20 }), {});
    expect(units[0]!.maker?.tier).toBe('cpu');
    expect(units[0]!.maker?.build).not.toMatch(/gpu/);
    expect(said.join()).toMatch(/maxBufferSize of this GPU is 1048576\. The CPU traces it\./);
  });

  it('is refused where the job insists', async () => {
    const insisting = rendered(engineWith({ maxStorageBufferBindingSize: 2 ** 20 }), { tier: 'gpu' });
    await expect(insisting).rejects.toMatchObject({
      code: 'SceneTooLarge',
      place: { limit: 'maxStorageBufferBindingSize' },
    });
  });
});

it.skipIf(!VULKAN)('draws a draft again after its device was lost, also in the middle of a frame', async () => {
  const devices: OpenGpu[] = [];
  const open: typeof openGpu = async (options) => {
    const gpu = await openGpu(options);
    devices.push(gpu);
    return gpu;
  };
  const quick = new QuickTracers({ raster: ({ threads }) => createRasterizer({ threads, open }) });
  const engine = createPathTracerEngine({ quick });
  closers.push(() => engine.close());
  const draft = { technique: 'raster' } as const;
  expect((await rendered(engine, draft)).units).toHaveLength(1);
  devices[0]!.device.destroy();
  expect((await rendered(engine, draft)).units).toHaveLength(1);
  expect(devices).toHaveLength(2);
  let isLost = false;
  const { units } = await rendered(engine, draft, () => {
    if (!isLost) devices.at(-1)!.device.destroy();
    isLost = true;
  });
  expect(units).toHaveLength(1);
});
