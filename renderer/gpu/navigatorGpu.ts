/** WebGPU where browsers have it (`navigator.gpu`), for libraries that look for it there. */
/// <reference types="@webgpu/types" />
import { availableParallelism } from 'node:os';
import { findAdapter } from './device.ts';

/** Devices that were taken, and how many still need them: a library may share one among all of its users in a process. */
const devices = new Set<GPUDevice>();
let users = 0;
let withdraw: () => void = () => undefined;

/**
 * Offers this machine's GPU as `navigator.gpu`. The answer ends the use; with the last one devices are given back, so that the process
 * can end, and `navigator` is as it was.
 * @throws FarmError `GpuMissing`
 */
export async function offerNavigatorGpu(options: { allowSoftware: boolean }): Promise<() => void> {
  await findAdapter(options);
  const gpu = {
    requestAdapter: async () => {
      const { adapter } = await findAdapter(options);
      const requestDevice = async (asked?: GPUDeviceDescriptor): Promise<GPUDevice> => {
        const device = await adapter.requestDevice(asked);
        devices.add(device);
        return device;
      };
      return { limits: adapter.limits, features: adapter.features, info: adapter.info, requestDevice };
    },
  };
  if (users === 0) withdraw = show(gpu);
  users += 1;
  let isInUse = true;
  return () => {
    if (!isInUse) return;
    isInUse = false;
    users -= 1;
    if (users > 0) return;
    for (const device of devices) device.destroy();
    devices.clear();
    withdraw();
  };
}

/** Answers with what takes it away again. */
function show(gpu: object): () => void {
  if (typeof navigator !== 'undefined') {
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
    return () => Reflect.deleteProperty(navigator, 'gpu');
  }
  // Node has `navigator` from version 21 on. Libraries read its `userAgent` without looking whether there is one.
  const value = {
    gpu,
    userAgent: `Node.js/${parseInt(process.versions.node, 10)}`,
    hardwareConcurrency: availableParallelism(),
  };
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
  return () => Reflect.deleteProperty(globalThis, 'navigator');
}
