import { expect, it } from 'vitest';
import { hasVulkanForTests } from '../pathtracer/wgsl/testing/softwareVulkan.ts';
import { offerNavigatorGpu } from './navigatorGpu.ts';

const offered = (): unknown => (typeof navigator === 'undefined' ? undefined : Reflect.get(navigator, 'gpu'));

it.skipIf(!hasVulkanForTests())('offers a GPU to libraries, to which the process stays one of Node', async () => {
  const before = typeof navigator;
  const end = await offerNavigatorGpu({ allowSoftware: true });
  const endSecond = await offerNavigatorGpu({ allowSoftware: true });
  try {
    // Asks, as it is loaded, whether it is in a browser.
    const { Client } = await import('minio');
    expect(new Client({ endPoint: '127.0.0.1', accessKey: 'a', secretKey: 'b' })).toBeDefined();
    expect(navigator.userAgent).toMatch(/^Node\.js\/\d+$/);
    expect(navigator.hardwareConcurrency).toBeGreaterThan(0);
    end();
    end();
    expect(offered()).toBeDefined();
  } finally {
    end();
    endSecond();
  }
  expect(offered()).toBeUndefined();
  expect(typeof navigator).toBe(before);
});
