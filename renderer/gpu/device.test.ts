import { expect, it } from 'vitest';
import { hasVulkanForTests } from '../pathtracer/wgsl/testing/softwareVulkan.ts';
import { openGpu } from './device.ts';

it.skipIf(!hasVulkanForTests())('opens a device with the adapter’s limits, and computes', async () => {
  const gpu = await openGpu({ allowSoftware: true, features: ['timestamp-query'] });
  expect(gpu.limits.maxTextureDimension2D).toBeGreaterThanOrEqual(8192);
  const { device } = gpu;
  const sum = await gpu.scoped('adding', async () => {
    const module = device.createShaderModule({
      code: '@group(0) @binding(0) var<storage, read_write> a: array<u32>; @compute @workgroup_size(1) fn main() { a[0] = a[0] + 2u; }',
    });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ size: 4, usage });
    const back = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, Uint32Array.of(40));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer } }],
      }),
    );
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, back, 0, 4);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(GPUMapMode.READ);
    return new Uint32Array(back.getMappedRange())[0];
  });
  expect(sum).toBe(42);
  const refused = gpu.scoped('a buffer beyond all limits', () =>
    device.createBuffer({ size: 2 ** 52, usage: GPUBufferUsage.STORAGE }),
  );
  await expect(refused).rejects.toMatchObject({ name: 'FarmError' });
  // The scopes are balanced again.
  expect(await gpu.scoped('nothing', () => 1)).toBe(1);
  gpu.close();
});

it.skipIf(!hasVulkanForTests())('refuses software where that will not do', async () => {
  const opened = openGpu({ allowSoftware: false }).then(
    (gpu) => {
      gpu.close();
      return gpu.adapterInfo.isSoftware;
    },
    (error: { code: string }) => error.code,
  );
  expect([false, 'GpuMissing']).toContain(await opened);
});
