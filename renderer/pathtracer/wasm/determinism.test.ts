/** Bits that must not depend on how, where and how often a picture is traced; and stopping in the middle. */
import { afterAll, describe, expect, it } from 'vitest';
import type { SceneDescription } from '../scene/description.ts';
import type { TracedPixels, Tracer } from '../tracer.ts';
import { camera, constantEnvironment, material, place, request, scene, sphere, square } from './test-scenes.ts';
import { createCpuTracer } from './tracer.ts';

const one = createCpuTracer({ threads: 1 });
const two = createCpuTracer({ threads: 2 });
afterAll(async () => {
  for (const tracer of [await one, await two]) await tracer.close();
});

const still = (): SceneDescription => {
  const environment = constantEnvironment();
  environment.data.fill(5, 6, 9);
  return scene({
    meshes: [square(8), sphere(24, 1), sphere(24, 2)],
    instances: [place(0, [0, -1, 0]), place(1, [-1.1, 0, 0]), place(2, [1.1, 0, 0])],
    materials: [
      material({ baseColor: [0.6, 0.5, 0.4, 1] }),
      material({ transmission: 1, thickness: 1, roughness: 0.1 }),
      material({ metallic: 1, roughness: 0.3, alphaMode: 'blend', baseColor: [0.9, 0.8, 0.7, 0.6] }),
    ],
    environment,
    lights: [{ kind: 'point', position: [0, 4, 3], intensity: [20, 20, 20] }],
    camera: camera([0, 2, 6]),
  });
};

async function trace(tracer: Tracer, changes: Parameters<typeof request>[0] = {}): Promise<TracedPixels> {
  await tracer.setScene(still());
  return tracer.trace(request({ width: 50, height: 34, sampleCount: 4, ...changes }));
}

const layersOf = ({ beauty, albedo, normal, depth }: TracedPixels) => ({ beauty, albedo, normal, depth });

describe('the same bits', () => {
  it('for one and two threads, and again', async () => {
    const first = layersOf(await trace(await one));
    expect(layersOf(await trace(await two))).toEqual(first);
    expect(layersOf(await trace(await one))).toEqual(first);
    expect(first.beauty.every(Number.isFinite)).toBe(true);
  });

  it('for tiles that do not fit the bucket grid', async () => {
    const whole = await trace(await one);
    const tracer = await two;
    for (const rect of [
      { x0: 0, y0: 0, x1: 21, y1: 34 },
      { x0: 21, y0: 5, x1: 50, y1: 34 },
      { x0: 21, y0: 0, x1: 50, y1: 5 },
    ]) {
      const tile = await tracer.trace(request({ width: 50, height: 34, sampleCount: 4, rect }));
      for (let y = rect.y0; y < rect.y1; y++) {
        for (const [layer, width] of [
          ['beauty', 4],
          ['albedo', 3],
          ['normal', 3],
          ['depth', 1],
        ] as const) {
          const row = (y - rect.y0) * (rect.x1 - rect.x0) * width;
          const expected = whole[layer].subarray((y * 50 + rect.x0) * width, (y * 50 + rect.x1) * width);
          expect(tile[layer].subarray(row, row + expected.length)).toEqual(expected);
        }
      }
    }
  });

  it('but others for another seed or frame', async () => {
    const tracer = await one;
    const first = (await trace(tracer)).beauty;
    expect((await trace(tracer, { seed: 2 })).beauty).not.toEqual(first);
    expect((await trace(tracer, { frame: 2 })).beauty).not.toEqual(first);
  });
});

describe('cancelling', () => {
  it('ends a long trace soon and leaves the tracer usable', async () => {
    const tracer = await two;
    await tracer.setScene(still());
    const controller = new AbortController();
    let progress = 0;
    const long = tracer.trace(
      request({ width: 256, height: 256, sampleCount: 4096 }),
      (fraction) => {
        progress = fraction;
        controller.abort();
      },
      controller.signal,
    );
    await expect(long).rejects.toMatchObject({ code: 'Cancelled' });
    expect(progress).toBeLessThan(1);
    await expect(tracer.trace(request(), undefined, AbortSignal.abort())).rejects.toMatchObject({ code: 'Cancelled' });
    expect((await tracer.trace(request({ sampleCount: 1 }))).samples).toBe(256);
  });
});
