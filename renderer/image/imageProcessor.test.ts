import { afterEach, expect, it, vi } from 'vitest';
import { imageBackend } from './imageBackend.ts';
import { ImageProcessor, windowsOf } from './imageProcessor.ts';

it.each([
  ['a whole small length', 900, 0, 900],
  ['a whole large length', 8192, 0, 8192],
  ['the top of a picture', 4608, 0, 1312],
  ['the middle', 4608, 1312, 2656],
  ['a single row', 4608, 1312, 1313],
  ['the bottom', 4608, 4000, 4608],
  ['one more than fits at once', 5000, 2000, 2961],
])('cuts %s into windows of one size, with all that a stage looks at', (_, length, from, to) => {
  const halo = 32;
  const windows = windowsOf(length, { from, to }, halo);
  expect(new Set(windows.map(({ size }) => size)).size).toBe(1);
  expect(windows[0]!.size).toBeLessThanOrEqual(1024);
  expect(windows.map((window) => window.from)).toEqual([from, ...windows.slice(0, -1).map((window) => window.to)]);
  expect(windows.at(-1)!.to).toBe(to);
  for (const { start, size, from: first, to: end } of windows) {
    expect(first).toBeLessThan(end);
    expect(start).toBeGreaterThanOrEqual(0);
    expect(start + size).toBeLessThanOrEqual(length);
    expect(start).toBeLessThanOrEqual(Math.max(0, first - halo));
    expect(start + size).toBeGreaterThanOrEqual(Math.min(length, end + halo));
    // Rows of a multiple of four run four pixels at a time.
    if (windows.length > 1) expect(size % 4).toBe(0);
  }
});

afterEach(() => vi.unstubAllEnvs());

it('takes the backend that the environment names, and refuses one that there is not', () => {
  expect(imageBackend()).toBe('webasm');
  for (const backend of ['gpu', 'webasm', 'cpu']) {
    vi.stubEnv('FARM_IMAGE_BACKEND', backend);
    expect(new ImageProcessor().backend).toBe(backend);
  }
  vi.stubEnv('FARM_IMAGE_BACKEND', 'cuda');
  expect(() => new ImageProcessor()).toThrow('FARM_IMAGE_BACKEND is "cuda"; it can be auto, gpu, webasm or cpu.');
});
