/** Lens, shutter, pixel filters, and what adaptive sampling and recorded paths promise. */
import { afterAll, describe, expect, it } from 'vitest';
import type { PixelFilterKind } from '../../../domain/scene.ts';
import type { SceneDescription } from '../scene/description.ts';
import { DEFAULT_TRACE_OPTIONS, type TraceOptions } from '../tracer.ts';
import { camera, constantEnvironment, material, place, request, scene, sphere, square } from './test-scenes.ts';
import { createCpuTracer } from './tracer.ts';

const shared = createCpuTracer({ threads: 1 });
const two = createCpuTracer({ threads: 2 });
afterAll(async () => {
  await (await shared).close();
  await (await two).close();
});

const options = (changes: Partial<TraceOptions>): TraceOptions => ({ ...DEFAULT_TRACE_OPTIONS, ...changes });
const moved = (x: number, y: number, z: number, s = 1): Float32Array =>
  Float32Array.from([s, 0, 0, 0, 0, s, 0, 0, 0, 0, s, 0, x, y, z, 1]);

/** A glowing square of half side `half` at (x, 0), seen from above by a camera 10 m up; picture right is +x, up is -z. */
const glow = (half: number, x = 0): SceneDescription =>
  scene({
    meshes: [square(half)],
    instances: [place(0, [x, 0, 0])],
    materials: [material({ unlit: true })],
    camera: { ...camera([0, 10, 0]), projection: { kind: 'perspective', yfov: 2 * Math.atan(0.1) } },
  });

describe('a thin lens', () => {
  it.each([0, 6])('with %i blades spreads a point as the thin lens equation says', async (blades) => {
    const tracer = await shared;
    const description = glow(0.005);
    // Focus at 5 m, the point at 10 m: a circle of radius lens * |10 - 5| / 5 in the plane of the point, as seen through it.
    const radius = 0.1;
    description.camera.lens = { radius, focusDistance: 5, blades };
    await tracer.setScene(description);
    const size = 64;
    const { beauty } = await tracer.trace(
      request({
        width: size,
        height: size,
        sampleCount: 256,
        options: options({ filter: { kind: 'box', radius: 0.5 } }),
      }),
    );
    // Mean square distance from the middle: r²/2 over a disk; over a hexagon with that circumradius r² 5/12.
    const metres = 2 / size;
    let weight = 0;
    let square2 = 0;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const value = beauty[4 * (y * size + x)]!;
        weight += value;
        square2 += value * ((x + 0.5 - size / 2) ** 2 + (y + 0.5 - size / 2) ** 2) * metres ** 2;
      }
    }
    const expected = radius ** 2 * (blades === 0 ? 1 / 2 : 5 / 12);
    // Some 700 samples find the point; the relative error of the mean square is about 1 / sqrt(700).
    expect(square2 / weight / expected).toBeGreaterThan(0.85);
    expect(square2 / weight / expected).toBeLessThan(1.15);
  });
});

describe('an open shutter', () => {
  /** Mean of the picture's columns. */
  const columns = (beauty: Float32Array, width: number): number[] =>
    Array.from({ length: width }, (_, x) => {
      let sum = 0;
      for (let y = 0; y < beauty.length / 4 / width; y++) sum += beauty[4 * (y * width + x)]!;
      return sum / (beauty.length / 4 / width);
    });
  const box = (x: number, low: number, high: number): number => Math.max(0, Math.min(x + 1, high) - Math.max(x, low));

  it.each(['object', 'camera'])('smears a moving %s evenly', async (what) => {
    const tracer = await shared;
    const description = glow(10, -10.5);
    // An edge at x = -0.5 that travels 2 m a frame; half of it while the shutter is open. 2 m fill 32 pixels.
    if (what === 'object') description.instances[0]!.transformNext = moved(-8.5, 0, 0);
    else {
      description.camera.transformNext = description.camera.transform.slice();
      description.camera.transformNext[12]! -= 2;
    }
    description.camera.shutter = 0.5;
    await tracer.setScene(description);
    const { beauty, layers } = await tracer.trace(
      request({
        width: 32,
        height: 4,
        sampleCount: 256,
        rect: { x0: 0, y0: 0, x1: 32, y1: 4 },
        options: options({ filter: { kind: 'box', radius: 0.5 }, layers: ['motion'] }),
      }),
    );
    // Height 4 pixels is 2 m, so a pixel is half a metre: the edge runs from pixel 15 to pixel 17.
    const means = columns(beauty, 32);
    const expected = Array.from({ length: 32 }, (_, x) => {
      let sum = 0;
      for (let k = 0; k < 64; k++) sum += box(x, -100, 15 + ((k + 0.5) / 64) * 2) / 64;
      return sum;
    });
    // Four pixels of 256 stratified samples of a probability: three times the error of plain sampling.
    means.forEach((mean, x) => {
      expect(Math.abs(mean - expected[x]!)).toBeLessThan(0.05);
    });
    expect(layers.motion![0]).toBeCloseTo(4, 3);
    expect(layers.motion![1]).toBeCloseTo(0, 3);
  });

  it('leaves the motion layer to tell where things go when it only blinks', async () => {
    const tracer = await shared;
    const description = glow(10);
    description.instances[0]!.transformNext = moved(0.5, 0, 0.25);
    await tracer.setScene(description);
    const traced = await tracer.trace(request({ width: 8, height: 8, options: options({ layers: ['motion'] }) }));
    expect(traced.layers.motion![0]).toBeCloseTo(2, 3);
    expect(traced.layers.motion![1]).toBeCloseTo(1, 3);
  });
});

describe('pixel filters', () => {
  const gaussian = (x: number): number => Math.exp(-4.5 * (x / 2) ** 2);
  const harris = (x: number): number => {
    const phase = Math.PI * (x / 2 + 1);
    return 0.35875 - 0.48829 * Math.cos(phase) + 0.14128 * Math.cos(2 * phase) - 0.01168 * Math.cos(3 * phase);
  };
  it.each<[PixelFilterKind, (x: number) => number]>([
    ['box', () => 1],
    ['triangle', (x) => 1 - x / 2],
    ['gaussian', gaussian],
    ['blackman-harris', harris],
  ])('%s weighs light by its distance', async (kind, shape) => {
    const tracer = await shared;
    // A square of half a pixel where four pixels meet: their neighbours see it at 0.5 and 1.5 pixels.
    const half = 0.03;
    await tracer.setScene(glow(half));
    const sampleCount = 2048;
    const { beauty } = await tracer.trace(
      request({ width: 16, height: 16, sampleCount, options: options({ filter: { kind, radius: 2 } }) }),
    );
    const column = (x: number): number =>
      Array.from({ length: 16 }, (_, y) => beauty[4 * (16 * y + x)]! + beauty[4 * (16 * y + 15 - x)]!).reduce(
        (p, q) => p + q,
      );
    const over = (at: number): number =>
      Array.from({ length: 32 }, (_, k) => shape(at + ((k + 0.5) / 16 - 1) * (half / 0.125))).reduce((p, q) => p + q) /
      32;
    const [near, far] = [column(7), column(6)];
    const expected = over(1.5) / over(0.5);
    const error = expected * Math.sqrt(1 / (near * sampleCount) + 1 / (near * sampleCount * expected));
    expect(Math.abs(far / near - expected)).toBeLessThan(4 * error);
    expect(column(5) / near).toBeLessThan(0.01);
  });
});

const still = (): SceneDescription =>
  scene({
    meshes: [square(4), sphere(16, 1)],
    instances: [
      { ...place(0, [0, -1, 0]), name: 'floor' },
      { ...place(1), name: 'ball' },
    ],
    materials: [material({ baseColor: [0.6, 0.5, 0.4, 1] }), material({ transmission: 1, thickness: 1 })],
    environment: constantEnvironment([0.5, 0.5, 0.5]),
    lights: [{ kind: 'point', position: [0, 4, 3], intensity: [20, 20, 20] }],
    camera: camera([0, 2, 6]),
  });

describe('adaptive sampling', () => {
  const adaptive = { threshold: 0.004, minSamples: 8 };
  const changes = {
    width: 37,
    height: 27,
    sampleCount: 96,
    options: options({ adaptive, layers: ['sample_count', 'beauty'] }),
  };

  it('stops where the picture is clean, and its bits do not know of tiles or threads', async () => {
    const tracer = await shared;
    await tracer.setScene(still());
    await (await two).setScene(still());
    const whole = await tracer.trace(request(changes));
    const counts = whole.layers.sample_count!;
    expect(Math.min(...counts)).toBe(8);
    expect(Math.max(...counts)).toBeGreaterThan(16);
    expect(whole.samples).toBe(counts.reduce((a, b) => a + b, 0));
    for (let i = 0; i < counts.length; i++) {
      const [x, y] = [i % 37, Math.floor(i / 37)];
      expect(counts[i]).toBe(counts[(y - (y % 8)) * 37 + x - (x % 8)]);
    }
    const rect = { x0: 13, y0: 5, x1: 30, y1: 20 };
    const tile = await (await two).trace(request({ ...changes, rect }));
    for (let y = rect.y0; y < rect.y1; y++) {
      const row = tile.beauty.subarray((y - rect.y0) * 17 * 4, (y - rect.y0 + 1) * 17 * 4);
      expect(row).toEqual(whole.beauty.subarray((y * 37 + rect.x0) * 4, (y * 37 + rect.x1) * 4));
    }
  });

  it('excludes sample ranges', async () => {
    const tracer = await shared;
    await tracer.setScene(still());
    await expect(tracer.trace(request({ ...changes, sampleStart: 1 }))).rejects.toMatchObject({
      code: 'SettingInvalid',
    });
    await expect(tracer.tracePartial(request(changes))).rejects.toThrow(/exclude each other/);
  });
});

const roundToEven = (value: number): number => {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
};

describe('recorded paths', () => {
  it('have the very numbers of the render, and tell what was met', async () => {
    const tracer = await shared;
    await tracer.setScene(still());
    let seesGlass = false;
    for (const [x, y] of [
      [8, 8],
      [3, 14],
      [12, 2],
    ] as const) {
      for (let sample = 0; sample < 4; sample++) {
        const rect = { x0: x, y0: y, x1: x + 1, y1: y + 1 };
        const { beauty } = await tracer.trace(request({ sampleStart: sample, sampleCount: 1, rect }));
        const record = await tracer.recordPath(request(), x, y, sample);
        const quantised = record.radiance.map((value) => Math.fround(roundToEven(value * 2 ** 24) / 2 ** 24));
        expect([...beauty.subarray(0, 3)]).toEqual(quantised);
        const sum = record.steps.reduce((total, step) => total + step.foundLight[0] + step.sampledLight[0], 0);
        expect(sum).toBeCloseTo(record.radiance[0], 5);
        expect(record.steps.at(-1)!.end).not.toBeNull();
        expect(record.steps.slice(0, -1).every((step) => step.end === null && step.next !== null)).toBe(true);
        seesGlass ||= record.steps.some(({ hit }) => hit?.instance === 1 && hit.material === 1);
      }
    }
    expect(seesGlass).toBe(true);
    await expect(tracer.recordPath(request(), 16, 0, 0)).rejects.toMatchObject({ code: 'SettingInvalid' });
  });
});
