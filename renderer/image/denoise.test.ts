import { createRequire } from 'node:module';
import { afterAll, describe, expect, it } from 'vitest';
import { hasVulkanForTests } from '../pathtracer/wgsl/testing/softwareVulkan.ts';
import { seededRandom } from '../testing/statistics.ts';
import { comparePictures } from './compare.ts';
import { type DenoiseInput, denoise } from './denoise.ts';
import { ImageProcessor } from './imageProcessor.ts';

// Which device gpu.js took, it tells nobody.
const { WebGPUContext } = createRequire(import.meta.url)('gpu.js/src/backend/web-gpu/context.js') as {
  WebGPUContext: { acquire(): Promise<{ device: GPUDevice }> };
};

const processor = new ImageProcessor();
afterAll(() => processor.close());

interface Pixel {
  light: number;
  albedo: [number, number, number];
  normal: [number, number, number];
  depth: number;
}

/** A picture from a function of the pixel, the converged one and one with `samples` exponentially distributed samples. */
function pictures(width: number, height: number, samples: number, pixel: (x: number, y: number) => Pixel) {
  const random = seededRandom(5);
  const make = (): Required<Omit<DenoiseInput, 'exposure' | 'hasAlbedo' | 'isLayer'>> => ({
    width,
    height,
    beauty: new Float32Array(width * height * 4),
    albedo: new Float32Array(width * height * 3),
    normal: new Float32Array(width * height * 3),
    depth: new Float32Array(width * height),
    variance: new Float32Array(width * height),
  });
  const [clean, noisy] = [make(), make()];
  for (let i = 0; i < width * height; i++) {
    const { light, albedo, normal, depth } = pixel(i % width, Math.floor(i / width));
    const factors = Array.from({ length: samples }, () => -Math.log(1 - random()));
    const factor = factors.reduce((sum, value) => sum + value, 0) / samples;
    if (depth !== Infinity) {
      const spread = factors.reduce((sum, value) => sum + (value - factor) ** 2, 0);
      const luminance = (0.2126 * albedo[0] + 0.7152 * albedo[1] + 0.0722 * albedo[2]) * light;
      noisy.variance[i] = (luminance ** 2 * spread) / (samples * Math.max(1, samples - 1));
    }
    for (const [picture, brightness] of [
      [clean, light] as const,
      [noisy, depth === Infinity ? light : light * factor] as const,
    ]) {
      picture.beauty.set([...albedo.map((a) => (depth === Infinity ? light : a * brightness)), 1], i * 4);
      picture.albedo.set(depth === Infinity ? [0, 0, 0] : albedo, i * 3);
      picture.normal.set(normal, i * 3);
      picture.depth[i] = depth;
    }
  }
  return { clean, noisy };
}

/** The same picture as one whose variance nobody measured. */
const unmeasured = ({ variance: _, ...picture }: DenoiseInput): DenoiseInput => picture;

/** A lit sphere before a striped floor, sky above. */
function sphereOverStripes(x: number, y: number): Pixel {
  const [dx, dy] = [(x - 80) / 40, (y - 50) / 40];
  const square = dx * dx + dy * dy;
  if (square < 1) {
    const z = Math.sqrt(1 - square);
    return {
      light: Math.max(0.05, 0.5 * dx - 0.5 * dy + 0.7 * z),
      albedo: [0.9, 0.2, 0.1],
      normal: [dx, -dy, z],
      depth: 4 - z,
    };
  }
  if (y < 20) return { light: 0.3, albedo: [0, 0, 0], normal: [0, 0, 0], depth: Infinity };
  const stripe = (x >> 3) & 1 ? 0.3 : 0.7;
  return { light: 0.5, albedo: [stripe, stripe, stripe], normal: [0, 1, 0], depth: 10 - y * 0.04 };
}

function meanSquare(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum / a.length;
}

/** A dark wall that mirrors a street: lamps of one pixel, far brighter than what is beside them, and stripes. No guide shows them. */
function mirroredLamps(x: number, y: number): Pixel {
  const isLamp = x % 7 === 3 && y % 5 === 2;
  const light = isLamp ? 6 : x % 16 < 8 ? 0.2 : 0.5;
  return { light, albedo: [0.4, 0.5, 0.6], normal: [0, 0, 1], depth: 5 };
}

/** A hard shadow and fine bright lines on one plane: edges that only light has, and no guide shows. */
function lightOnWall(x: number, y: number): Pixel {
  const light = x > 70 + y * 0.3 ? 0.08 : y % 25 < 2 ? 1.4 : 0.6;
  return { light, albedo: [0.6, 0.5, 0.4], normal: [0, 0, 1], depth: 5 };
}

describe('the denoiser', () => {
  it.each([
    ['measured', (picture: DenoiseInput) => picture],
    ['estimated', unmeasured],
  ])('brings a noisy picture much nearer to the converged one by %s noise', async (_, prepared) => {
    const { clean, noisy } = pictures(160, 100, 16, sphereOverStripes);
    const before = meanSquare(noisy.beauty, clean.beauty);
    const after = meanSquare(await denoise(prepared(noisy), processor), clean.beauty);
    // Over 16,000 pixels either mean is uncertain by a few per cent, far less than the factor.
    expect(after).toBeLessThan(before / 4);
  });

  it('keeps edges that only the light has when the variance was measured', async () => {
    const { clean, noisy } = pictures(160, 100, 64, lightOnWall);
    const result = await denoise(noisy, processor);
    expect(meanSquare(result, clean.beauty)).toBeLessThan(meanSquare(noisy.beauty, clean.beauty) / 2);
  });

  it.each([
    ['lamps in a mirror', 16, mirroredLamps],
    ['lamps in a mirror', 256, mirroredLamps],
    ['edges of light', 64, lightOnWall],
    ['edges of light', 256, lightOnWall],
    ['a sphere over stripes', 64, sphereOverStripes],
  ] as const)(
    'looks nearer to the converged picture than the noisy one does: %s, %i samples',
    async (_, samples, scene) => {
      const size = { width: 160, height: 100 };
      const { clean, noisy } = pictures(size.width, size.height, samples, scene);
      const [before, after] = [noisy.beauty, await denoise(noisy, processor)].map((picture) =>
        comparePictures(picture, clean.beauty, size),
      );
      expect(after!.flip).toBeLessThan(before!.flip);
      expect(after!.relMse).toBeLessThan(before!.relMse);
    },
  );

  it('keeps a highlight of one pixel that all samples agree on, and cuts one that they do not', async () => {
    const { clean } = pictures(64, 48, 1, () => ({ light: 0.5, albedo: [0.5, 0.5, 0.5], normal: [0, 0, 1], depth: 3 }));
    const at = 20 * 64 + 30;
    const struck = { ...clean, beauty: clean.beauty.slice(), variance: clean.variance.fill(1e-4) };
    struck.beauty.set([9, 9, 9, 1], at * 4);
    const kept = await denoise(struck, processor);
    expect(kept[at * 4]).toBeGreaterThan(8);
    // One of 16 samples brought all of it: the variance of the mean is about the square of the mean.
    const doubtful = { ...struck, variance: struck.variance.slice() };
    doubtful.variance[at] = 81;
    expect(Math.max(...(await denoise(doubtful, processor)).filter((_, i) => i % 4 !== 3))).toBeLessThan(0.3);
  });

  it('fills a pixel that no light found among noisy lit ones, and keeps a black one among quiet ones', async () => {
    const flat = (): Pixel => ({ light: 0.5, albedo: [0.5, 0.5, 0.5], normal: [0, 0, 1], depth: 3 });
    const { clean, noisy } = pictures(64, 48, 16, flat);
    const holes: number[] = [];
    for (let y = 8; y < 40; y += 8) for (let x = 8; x < 56; x += 8) holes.push(y * 64 + x);
    for (const picture of [clean, noisy]) {
      for (const at of holes) {
        picture.beauty.set([0, 0, 0, 1], at * 4);
        picture.variance[at] = 0;
      }
    }
    const meanOf = (picture: Float32Array): number =>
      holes.reduce((sum, at) => sum + picture[at * 4]!, 0) / holes.length;
    // The lit pixels have 0.25.
    expect(meanOf(await denoise(noisy, processor))).toBeGreaterThan(0.1);
    expect(meanOf(await denoise(clean, processor))).toBeLessThan(0.001);
  });

  it('filters light that has no albedo without dividing by it', async () => {
    const { noisy } = pictures(96, 64, 16, (x) => ({
      light: 0.5,
      albedo: (x >> 4) & 1 ? [0.9, 0.9, 0.9] : [0.01, 0.01, 0.01],
      normal: [0, 0, 1],
      depth: 3,
    }));
    // A reflection: the same light everywhere, with the same relative noise.
    const beauty = noisy.beauty.map((value, i) => (i % 4 === 3 ? 1 : value / noisy.albedo[(i >> 2) * 3 + (i % 4)]!));
    const clean = beauty.map((_, i) => (i % 4 === 3 ? 1 : 0.5));
    const result = await denoise({ ...unmeasured(noisy), beauty, hasAlbedo: false }, processor);
    expect(meanSquare(result, clean)).toBeLessThan(meanSquare(beauty, clean) / 6);
  });

  it('keeps a noiseless picture, with its textures, edges and silhouettes', async () => {
    const { clean } = pictures(160, 100, 1, sphereOverStripes);
    const result = await denoise(clean, processor);
    expect(Math.sqrt(meanSquare(result, clean.beauty))).toBeLessThan(0.008);
  });

  it('leaves a constant picture alone', async () => {
    const { clean } = pictures(64, 48, 1, () => ({
      light: 0.37,
      albedo: [0.5, 0.25, 0.75],
      normal: [0, 0, 1],
      depth: 3,
    }));
    const result = await denoise(clean, processor);
    for (let i = 0; i < result.length; i++) expect(Math.abs(result[i]! - clean.beauty[i]!)).toBeLessThan(1e-5);
  });

  it('removes a firefly and keeps its neighbours', async () => {
    const { clean } = pictures(64, 48, 1, () => ({ light: 0.5, albedo: [0.5, 0.5, 0.5], normal: [0, 0, 1], depth: 3 }));
    const struck = { ...clean, beauty: clean.beauty.slice() };
    struck.beauty.set([900, 900, 900, 1], (20 * 64 + 30) * 4);
    const result = await denoise(unmeasured(struck), processor);
    expect(Math.max(...result.filter((_, i) => i % 4 !== 3))).toBeLessThan(0.3);
  });

  it('does with a dim picture that is shown brighter what it does with a bright one', async () => {
    const { noisy } = pictures(160, 100, 16, lightOnWall);
    const dim = {
      ...noisy,
      beauty: noisy.beauty.map((value, i) => (i % 4 === 3 ? value : value * 2 ** -13)),
      variance: noisy.variance.map((value) => value * 2 ** -26),
    };
    const bright = await denoise(noisy, processor);
    const shown = await denoise({ ...dim, exposure: 13 }, processor);
    expect(shown.map((value, i) => (i % 4 === 3 ? value : value * 2 ** 13))).toEqual(bright);
  });

  it('gives the same bits every time', async () => {
    const { noisy } = pictures(160, 100, 4, sphereOverStripes);
    const first = await denoise(noisy, processor);
    expect(await denoise(noisy, processor)).toEqual(first);
    const other = new ImageProcessor();
    expect(await denoise(noisy, other)).toEqual(first);
    await other.close();
  });

  it('says the same on one thread in plain JavaScript, up to rounding', async () => {
    const plain = new ImageProcessor('cpu');
    const { noisy } = pictures(48, 32, 8, (x, y) => sphereOverStripes(x + 50, y + 10));
    const [fast, slow] = [await denoise(noisy, processor), await denoise(noisy, plain)];
    await plain.close();
    for (let i = 0; i < fast.length; i++) expect(Math.abs(fast[i]! - slow[i]!)).toBeLessThan(1e-4);
  });
});

describe.skipIf(!hasVulkanForTests())('the denoiser on a GPU', () => {
  it('says what it says in WebAssembly, up to rounding, the same every time, and in tiles', async () => {
    const gpu = new ImageProcessor('gpu');
    try {
      for (const [width, height] of [
        [160, 100],
        [1100, 40],
      ] as const) {
        const { noisy } = pictures(width, height, 8, sphereOverStripes);
        const [there, here] = [await denoise(noisy, gpu), await denoise(noisy, processor)];
        expect(await denoise(noisy, gpu)).toEqual(there);
        expect(there).not.toEqual(noisy.beauty);
        const worst = there.reduce((most, value, i) => Math.max(most, Math.abs(value - here[i]!)), 0);
        expect(worst).toBeLessThan(1e-3);
      }
    } finally {
      await gpu.close();
    }
  });

  it('goes on with a new device after one was lost', async () => {
    const gpu = new ImageProcessor('gpu');
    const { noisy } = pictures(48, 32, 8, sphereOverStripes);
    const first = await denoise(noisy, gpu);
    const { acquire } = WebGPUContext;
    (await acquire()).device.destroy();
    await expect(denoise(noisy, gpu)).rejects.toMatchObject({ code: 'GpuLost' });
    expect(await denoise(noisy, gpu)).toEqual(first);
    await gpu.close();
  });
});

describe('layers of light', () => {
  it('are filtered where noise is seen, and left to the bit where there is none', async () => {
    const { clean, noisy } = pictures(160, 100, 4, sphereOverStripes);
    const error = (picture: Float32Array): number => comparePictures(picture, clean.beauty, noisy).relMse;
    const loud = await denoise({ ...noisy, isLayer: true }, processor);
    expect(error(loud)).toBeLessThan(0.5 * error(noisy.beauty));
    const quiet = await denoise({ ...noisy, variance: noisy.variance.map(() => 0), isLayer: true }, processor);
    expect(quiet).toEqual(noisy.beauty);
  });

  it('are hardly changed where noise is hardly seen', async () => {
    // Half the size: four thousand samples a pixel are many to draw.
    const { clean, noisy } = pictures(80, 50, 4000, (x, y) => sphereOverStripes(2 * x, 2 * y));
    const error = (picture: Float32Array): number => comparePictures(picture, clean.beauty, noisy).flip;
    const layer = await denoise({ ...noisy, isLayer: true }, processor);
    expect(error(layer)).toBeLessThan(error(noisy.beauty));
    const changeOf = (picture: Float32Array): number => comparePictures(picture, noisy.beauty, noisy).mse;
    const whole = await denoise(noisy, processor);
    expect(changeOf(layer)).toBeLessThan(0.5 * changeOf(whole));
  });
});

describe('large pictures', () => {
  it('are cut into tiles without a seam', async () => {
    // Wider than one tile; thin, so that the test stays quick.
    const { noisy } = pictures(1200, 24, 4, (x, y) => ({
      light: 0.3 + 0.2 * Math.sin(x / 40),
      albedo: (x >> 5) & 1 ? [0.6, 0.5, 0.4] : [0.2, 0.3, 0.4],
      normal: [0, 0, 1],
      depth: 5 + y * 0.01,
    }));
    const whole = await denoise(noisy, processor);
    // The same pixels around the seam (at 600), as the middle of a picture that needs no cut.
    const [from, width] = [360, 480];
    const cut = (data: Float32Array, channels: number): Float32Array => {
      const rows = Array.from({ length: 24 }, (_, y) =>
        data.subarray((y * 1200 + from) * channels, (y * 1200 + from + width) * channels),
      );
      const out = new Float32Array(24 * width * channels);
      for (const [y, row] of rows.entries()) out.set(row, y * width * channels);
      return out;
    };
    const part = await denoise(
      {
        width,
        height: 24,
        beauty: cut(noisy.beauty, 4),
        albedo: cut(noisy.albedo, 3),
        normal: cut(noisy.normal, 3),
        depth: cut(noisy.depth, 1),
        variance: cut(noisy.variance, 1),
      },
      processor,
    );
    const expected = cut(whole, 4);
    for (let y = 0; y < 24; y++) {
      for (let x = 100; x < width - 100; x++) {
        for (let k = 0; k < 4; k++) expect(part[(y * width + x) * 4 + k]).toBe(expected[(y * width + x) * 4 + k]);
      }
    }
  });
});
