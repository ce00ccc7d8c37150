/** WebGPU where browsers have it (`navigator.gpu`), for libraries that look for it there. */
/// <reference types="@webgpu/types" />
import { findAdapter } from './device.ts';

/** Devices that were taken, and how many still need them: a library may share one among all of its users in a process. */
const devices = new Set<GPUDevice>();
let users = 0;

/**
 * Offers this machine's GPU as `navigator.gpu`. The answer ends the use; with the last one devices are given back, so that the process can end.
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
  // Node has `navigator` from version 21 on.
  if (typeof navigator === 'undefined') {
    Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  } else Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  users += 1;
  let isInUse = true;
  return () => {
    if (!isInUse) return;
    isInUse = false;
    users -= 1;
    if (users > 0) return;
    for (const device of devices) device.destroy();
    devices.clear();
  };
}
