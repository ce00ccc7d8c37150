/** What the GPU tier does when its device is lost or too small, on software Vulkan with a kernel that compiles fast. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FarmError } from '../../../domain/errors.ts';
import { type GpuOptions, type OpenGpu, openGpu } from '../../gpu/device.ts';
import type { TracedPixels, Tracer } from '../tracer.ts';
import { loadTracerModule } from '../wasm/module.ts';
import { request, scene, square } from '../wasm/test-scenes.ts';
import { loadTracerWgsl } from './module.ts';
import { smallKernel } from './testing/smallKernel.ts';
import { hasVulkanForTests } from './testing/softwareVulkan.ts';
import { createGpuTracer } from './tracer.ts';

// Software drivers take their time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });
const VULKAN = hasVulkanForTests();
// From sources the tracer may have to be built first.
beforeAll(async () => {
  await Promise.all([loadTracerModule(), loadTracerWgsl()]);
}, 300_000);
const tracers: Tracer[] = [];
afterAll(async () => {
  for (const tracer of tracers) await tracer.close();
});

const description = scene({ meshes: [square(1)] });
const asked = request({ width: 40, height: 24, sampleCount: 8 });

/** A tracer that has its scene, and the devices that it opened. */
async function started(
  options: Pick<GpuOptions, 'limits'> = {},
  beforeOpening: (count: number) => void = () => undefined,
): Promise<{ tracer: Tracer; devices: OpenGpu[] }> {
  const devices: OpenGpu[] = [];
  const tracer = await createGpuTracer({
    threads: 1,
    allowSoftware: true,
    text: await smallKernel(),
    open: async (given) => {
      beforeOpening(devices.length);
      const gpu = await openGpu({ ...given, ...options });
      devices.push(gpu);
      return gpu;
    },
  });
  tracers.push(tracer);
  return { tracer, devices };
}

describe.skipIf(!VULKAN)('a lost device', () => {
  /** Traces and destroys the device in the middle of it, so many times. */
  async function tracedWithLosses(tracer: Tracer, devices: OpenGpu[], losses: number): Promise<TracedPixels> {
    let left = losses;
    return tracer.trace(asked, (fraction) => {
      if (fraction < 0.3 || left === 0) return;
      left--;
      devices.at(-1)!.device.destroy();
    });
  }

  it('is opened anew in the middle of a frame, which has the same bits', async () => {
    const { tracer, devices } = await started();
    await tracer.setScene(description);
    const undisturbed = await tracer.trace(asked);
    expect(new Set(undisturbed.beauty).size).toBeGreaterThan(100);
    const survived = await tracedWithLosses(tracer, devices, 1);
    expect(devices).toHaveLength(2);
    expect(survived.beauty).toEqual(undisturbed.beauty);
    expect(survived.rays).toBe(undisturbed.rays);
  });

  it('that is lost again hands the frame back with a reason, and the next frame is traced', async () => {
    const { tracer, devices } = await started();
    await tracer.setScene(description);
    const failed = await tracedWithLosses(tracer, devices, 2).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'GpuLost', retryable: true });
    expect((failed as FarmError).message).toMatch(/was lost.*opened anew.*FARM_TIER=cpu/);
    const next = await tracer.trace(asked);
    expect(next.samples).toBe(40 * 24 * 8);
    expect(devices).toHaveLength(3);
  });

  it('between frames costs no frame, neither its scene nor its picture', async () => {
    const { tracer, devices } = await started();
    devices[0]!.device.destroy();
    await tracer.setScene(description);
    devices.at(-1)!.device.destroy();
    expect((await tracer.trace(asked)).samples).toBe(40 * 24 * 8);
  });

  it('of which no new one comes says so', async () => {
    const { tracer, devices } = await started({}, (count) => {
      if (count > 0) throw new FarmError('GpuMissing', 'The driver is gone.');
    });
    await tracer.setScene(description);
    await expect(tracedWithLosses(tracer, devices, 1)).rejects.toMatchObject({
      code: 'GpuLost',
      message: expect.stringMatching(/No new one could be opened: The driver is gone/),
    });
  });
});

describe.skipIf(!VULKAN)('a scene beyond the adapter', () => {
  it.each(['maxStorageBufferBindingSize', 'maxBufferSize'] as const)(
    'is refused with %s and its figure',
    async (limit) => {
      const { tracer } = await started({ limits: { [limit]: 2 ** 20 } });
      const refused = await tracer.setScene(description).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'SceneTooLarge', place: { limit, [limit]: 2 ** 20 } });
      expect((refused as FarmError).message).toMatch(
        new RegExp(`The scene takes \\d+ bytes, but ${limit} of this GPU is 1048576`),
      );
      // Nor is a frame traced of what did not fit.
      await expect(tracer.trace(asked)).rejects.toMatchObject({ code: 'Internal' });
    },
  );

  it('but not a picture: its film is cut to what the adapter takes, into the same bits', {
    timeout: 300_000,
  }, async () => {
    const plain = request({ width: 160, height: 120, sampleCount: 1 });
    // Names take much of a film: a small picture is more than the scene.
    const layers = ['cryptomatte_object', 'cryptomatte_material'] as const;
    const wide = { ...plain, options: { ...plain.options, layers } };
    const { tracer } = await started();
    await tracer.setScene(description);
    const whole = await tracer.trace(wide);
    const { tracer: small, devices } = await started({ limits: { maxStorageBufferBindingSize: 8 * 2 ** 20 } });
    await small.setScene(description);
    const buffers: number[] = [];
    const { device } = devices[0]!;
    const create = device.createBuffer.bind(device);
    device.createBuffer = (described) => {
      buffers.push(described.size);
      return create(described);
    };
    expect((await small.trace(wide)).beauty).toEqual(whole.beauty);
    expect(Math.max(...buffers)).toBeLessThanOrEqual(8 * 2 ** 20);
  });
});
