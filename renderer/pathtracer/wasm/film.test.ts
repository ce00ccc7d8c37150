/** Layers, and sample ranges that merge into the bits of an undivided render. */
import { afterAll, describe, expect, it } from 'vitest';
import { LAYERS, type LayerName, SAMPLED_LIGHT } from '../../../domain/layers.ts';
import { cryptomatteId } from '../../image/cryptomatte.ts';
import { finishPartial, mergePartials, type TracePartial } from '../partial.ts';
import type { SceneDescription } from '../scene/description.ts';
import { DEFAULT_TRACE_OPTIONS, type TracedPixels, type TraceOptions } from '../tracer.ts';
import {
  camera,
  constantEnvironment,
  material,
  place,
  type RequestChanges,
  request,
  scene,
  sphere,
  square,
} from './test-scenes.ts';
import { createCpuTracer } from './tracer.ts';

const one = createCpuTracer({ threads: 1 });
const two = createCpuTracer({ threads: 2 });
afterAll(async () => {
  for (const tracer of [await one, await two]) await tracer.close();
});

const ALL = Object.keys(LAYERS) as LayerName[];
const LIGHT = ALL.filter((layer) => LAYERS[layer].isLight);
const options = (layers: LayerName[], changes: Partial<TraceOptions> = {}): TraceOptions => ({
  ...DEFAULT_TRACE_OPTIONS,
  maxDepth: 5,
  layers,
  ...changes,
});

/** Diffuse ground, a lamp that is seen, a glass and a metal ball under an uneven sky. */
const still = (): SceneDescription => {
  const environment = constantEnvironment();
  environment.data.fill(5, 6, 9);
  const name = (index: number, text: string, at: [number, number, number]) => ({ ...place(index, at), name: text });
  return scene({
    meshes: [square(4, 0), sphere(16, 1), sphere(16, 2), square(0.5, 3)],
    instances: [
      name(0, 'ground', [0, -1, 0]),
      name(1, 'glass ball', [-1.1, 0, 0]),
      name(2, 'metal ball', [1.1, 0, 0]),
      name(3, 'lamp', [0, 0.2, 1]),
    ],
    materials: [
      material({ name: 'earth', baseColor: [0.6, 0.5, 0.4, 1] }),
      material({ name: 'glass', transmission: 1, thickness: 1, roughness: 0.1 }),
      material({ name: 'metal', metallic: 1, roughness: 0.3, alphaMode: 'blend', baseColor: [0.9, 0.8, 0.7, 0.6] }),
      material({ name: 'glow', emissive: [4, 3, 2] }),
    ],
    environment,
    lights: [{ kind: 'point', position: [0, 4, 3], intensity: [20, 20, 20] }],
    camera: camera([0, 2, 6]),
  });
};

/** A diffuse floor and nothing but a point light over it, in candela: all of its light is direct. */
const floorUnderLamp = (height: number, strength: number): SceneDescription =>
  scene({
    meshes: [square(20, 0)],
    instances: [place(0)],
    materials: [material({ specular: { factor: 0, color: [1, 1, 1], texture: null, colorTexture: null } })],
    camera: camera([0, 2, 2], [0, 0, 0], 0.1),
    environment: null,
    lights: [{ kind: 'point', position: [0, height, 0], intensity: [strength, strength, strength] }],
  });

const changes: RequestChanges = { width: 30, height: 22, sampleCount: 6, options: options(ALL) };
let whole: Promise<TracedPixels> | undefined;
async function traced(): Promise<TracedPixels> {
  whole ??= one.then(async (tracer) => {
    await tracer.setScene(still());
    await (await two).setScene(still());
    return tracer.trace(request(changes));
  });
  return whole;
}
const bits = (pixels: Pick<TracedPixels, 'beauty' | 'albedo' | 'normal' | 'depth' | 'layers'>) => {
  const { beauty, albedo, normal, depth, layers } = pixels;
  const entries = Object.entries({ beauty, albedo, normal, depth, ...layers });
  return Object.fromEntries(entries.map(([name, values]) => [name, [...new Uint32Array(values.slice().buffer)]]));
};

describe('layers of light', () => {
  it('add up to the beauty', async () => {
    const { beauty, layers } = await traced();
    for (let i = 0; i < beauty.length; i++) {
      if (i % 4 === 3) continue;
      const at = 3 * Math.floor(i / 4) + (i % 4);
      const sum = LIGHT.reduce((total, layer) => total + layers[layer]![at]!, 0);
      // Each sample is rounded to 2^-24 in every layer; beyond that only floats are rounded.
      expect(Math.abs(sum - beauty[i]!)).toBeLessThan(4 * 2 ** -24 + 1e-6 * beauty[i]!);
    }
    for (const layer of LIGHT) expect(layers[layer]!.some((value) => value > 0.01)).toBe(true);
  });

  it('cost the picture nothing: it has the same bits without them', async () => {
    await traced();
    const plain = await (await one).trace(request({ ...changes, options: options(['beauty']) }));
    expect(plain.layers).toEqual({});
    expect(bits(plain).beauty).toEqual(bits(await traced()).beauty);
  });

  it('tell a mirrored lamp, a mirrored wall and a lit floor apart', async () => {
    const tracer = await createCpuTracer({ threads: 1 });
    const show = async (surface: Parameters<typeof material>[0], over: Parameters<typeof material>[0]) => {
      await tracer.setScene(
        scene({
          // A floor seen from above, under a ceiling that lets the camera through because it faces down.
          meshes: [square(20, 0), square(20, 1)],
          instances: [
            place(0),
            { ...place(1), transform: Float32Array.from([1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 3, 0, 1]) },
          ],
          materials: [material(surface), material(over)],
          camera: camera([0, 2, 2], [0, 0, 0], 0.1),
          environment: null,
          lights: [{ kind: 'point', position: [0, 1, 0], intensity: [1, 1, 1] }],
        }),
      );
      const { layers } = await tracer.trace(
        request({ sampleCount: 16, maxDepth: 2, options: options(LIGHT, { maxDepth: 2 }) }),
      );
      return LIGHT.filter((layer) => layers[layer]!.some((value) => value > 1e-3));
    };
    const mirror = { metallic: 1, roughness: 0 };
    expect(await show(mirror, { emissive: [1, 1, 1], baseColor: [0, 0, 0, 1], ior: 1 })).toEqual(['specular_direct']);
    expect(await show(mirror, { ior: 1 })).toEqual(['specular_indirect']);
    expect(await show({ ior: 1 }, { baseColor: [0, 0, 0, 1], ior: 1 })).toEqual(['diffuse_direct']);
    expect(await show({ ior: 1 }, { ior: 1 })).toEqual(['diffuse_direct', 'diffuse_indirect']);
    await tracer.close();
  });
});

describe('other layers', () => {
  it('know position, uv and samples of the nearest hit', async () => {
    const tracer = await one;
    await traced();
    await tracer.setScene(
      scene({
        meshes: [square(1)],
        instances: [place(0, [0, 0.5, 0])],
        camera: { ...camera([0, 3, 0]), projection: { kind: 'orthographic', ymag: 2 } },
      }),
    );
    const { layers, depth } = await tracer.trace(
      request({
        width: 8,
        height: 8,
        sampleCount: 5,
        options: options(['position', 'uv', 'sample_count', 'variance']),
      }),
    );
    const pixel = 8 * 3 + 3; // left of and above the middle; picture left/up is -x/-z
    expect(depth[pixel]).toBeCloseTo(2.5, 5);
    const [x, y, z] = layers.position!.subarray(3 * pixel, 3 * pixel + 3);
    expect([Math.abs(x! + 0.25) < 0.5, y, Math.abs(z! + 0.25) < 0.5]).toEqual([true, 0.5, true]);
    const [u, v] = layers.uv!.subarray(2 * pixel, 2 * pixel + 2);
    expect([u, v]).toEqual([expect.closeTo((x! + 1) / 2, 5), expect.closeTo((z! + 1) / 2, 5)]);
    expect(layers.sample_count!.every((value) => value === 5)).toBe(true);
    expect(layers.variance!.every((value) => value === 0)).toBe(true);
    await tracer.setScene(still());
  });

  it('estimate the variance of a pixel as the scatter of its means over seeds does', async () => {
    const tracer = await one;
    const pixels: TracedPixels[] = [];
    // Plain noise: a glossy-lit floor, one pixel of which is looked at by samples that do not help one another much.
    await tracer.setScene(still());
    const rect = { x0: 14, y0: 16, x1: 16, y1: 17 };
    const runs = 48;
    for (let seed = 0; seed < runs; seed++) {
      pixels.push(
        await tracer.trace(request({ ...changes, sampleCount: 1, seed, rect, options: options(['beauty']) })),
      );
    }
    const luminances = pixels.map(({ beauty: [r, g, b] }) => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!);
    const mean = luminances.reduce((a, b) => a + b) / runs;
    const variance = luminances.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (runs - 1);
    const one256 = await tracer.trace(request({ ...changes, sampleCount: 256, rect, options: options(['variance']) }));
    // Variance of one sample; the relative error of a variance from n samples is about sqrt((kurtosis - 1) / n).
    const ratio = (one256.layers.variance![0]! * 256) / variance;
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(2.5);
  });

  it('estimate the variance of each layer of light: all of it where there is no other light', async () => {
    const tracer = await createCpuTracer({ threads: 1 });
    await tracer.setScene(floorUnderLamp(0.1, 1));
    const names = SAMPLED_LIGHT.map((layer) => `${layer}_variance` as const);
    const { layers } = await tracer.trace(request({ sampleCount: 16, options: options(['variance', ...names]) }));
    expect(layers.variance!.some((value) => value > 1e-2)).toBe(true);
    // The layer's light was rounded on its own.
    const alike = layers.variance!.every(
      (v, i) => Math.abs(layers.diffuse_direct_variance![i]! - v) <= 1e-5 * v + 1e-10,
    );
    expect(alike).toBe(true);
    for (const name of names.slice(1)) expect(layers[name]!.every((value) => value === 0)).toBe(true);
    // In a scene with all kinds of light none of them is that of the picture.
    const { layers: mixed } = await traced();
    for (const name of names) {
      expect(mixed[name]!.some((value) => value > 0)).toBe(true);
      expect(mixed[name]).not.toEqual(mixed.variance);
    }
    await tracer.close();
  });

  it('know the variance of dim and bright scenes as of others', async () => {
    const tracer = await createCpuTracer({ threads: 1 });
    const layers = ['variance', 'diffuse_direct_variance'] as const;
    const scatter = async (strength: number): Promise<Float32Array[]> => {
      await tracer.setScene(floorUnderLamp(0.3, strength));
      const traced = await tracer.trace(request({ sampleCount: 16, options: options([...layers]) }));
      return layers.map((layer) => traced.layers[layer]!.map((value) => value / strength ** 2));
    };
    const usual = await scatter(1);
    expect(Math.min(...usual[0]!)).toBeGreaterThan(1e-7);
    // Moonlight, and the filament of a lamp.
    for (const strength of [2 ** -13, 2 ** 18]) {
      for (const [layer, values] of (await scatter(strength)).entries()) {
        for (const [i, value] of values.entries()) {
          const expected = usual[layer]![i]!;
          // Dim light is rounded to quanta of 2^-24.
          expect(Math.abs(value - expected)).toBeLessThan(2e-2 * expected);
        }
      }
    }
    await tracer.close();
  });

  it('have as many samples where adaptive sampling looks at a bright scene that is shown darker', async () => {
    const tracer = await createCpuTracer({ threads: 1 });
    const counts = async (exposure: number): Promise<number> => {
      const times = ([r, g, b]: [number, number, number]) => [r, g, b].map((value) => value * 2 ** -exposure);
      const bright = still();
      bright.environment = null;
      bright.lights = bright.lights.map((light) => ({ ...light, intensity: times(light.intensity) }) as typeof light);
      bright.materials = bright.materials.map((one) => ({ ...one, emissive: times(one.emissive) }) as typeof one);
      await tracer.setScene(bright);
      const asked = options(['sample_count'], { adaptive: { threshold: 0.02, minSamples: 4 }, exposure });
      return (await tracer.trace(request({ width: 48, height: 32, sampleCount: 64, options: asked }))).samples;
    };
    const usual = await counts(0);
    expect(usual).toBeGreaterThan(48 * 32 * 5);
    expect(usual).toBeLessThan(48 * 32 * 60);
    expect(Math.abs((await counts(-12)) / usual - 1)).toBeLessThan(0.02);
    await tracer.close();
  });

  it('name objects and materials by the ids of Cryptomatte, with coverage', async () => {
    const { layers } = await traced();
    const objects = layers.cryptomatte_object!;
    const seen = new Set<number>();
    for (let i = 0; i < objects.length; i += 12) {
      let sum = 0;
      for (let rank = 0; rank < 6; rank++) {
        const [id, coverage] = [objects[i + 2 * rank]!, objects[i + 2 * rank + 1]!];
        if (rank > 0) expect(coverage).toBeLessThanOrEqual(objects[i + 2 * rank - 1]!);
        if (coverage > 0) seen.add(id);
        sum += coverage;
      }
      expect(sum).toBeLessThanOrEqual(1 + 1e-6);
    }
    expect(seen).toEqual(new Set(['ground', 'glass ball', 'metal ball', 'lamp'].map(cryptomatteId)));
    const materials = layers.cryptomatte_material!;
    const ids = new Set(materials.filter((_, i) => i % 2 === 0));
    expect(ids).toEqual(new Set([0, ...['earth', 'glass', 'metal', 'glow'].map(cryptomatteId)]));
  });
});

describe('sample ranges', () => {
  const part = async (sampleStart: number, sampleCount: number, tracer = one): Promise<TracePartial> =>
    (await tracer).tracePartial(request({ ...changes, sampleStart, sampleCount }));

  it('merge into the bits of an undivided render, in any order and from any number of threads', async () => {
    const expected = bits(await traced());
    const [a, b, c] = [await part(0, 1), await part(1, 3, two), await part(4, 2)];
    expect(bits(finishPartial(mergePartials(mergePartials(a, b), c)))).toEqual(expected);
    expect(bits(finishPartial(mergePartials(c, mergePartials(b, a))))).toEqual(expected);
    expect(bits(finishPartial(mergePartials(b, mergePartials(c, a))))).toEqual(expected);
  });

  it('merge in tiles as well', async () => {
    const { beauty } = await traced();
    const rect = { x0: 5, y0: 3, x1: 13, y1: 9 };
    const tile = (sampleStart: number, sampleCount: number) => request({ ...changes, sampleStart, sampleCount, rect });
    const tracer = await two;
    const merged = finishPartial(
      mergePartials(await tracer.tracePartial(tile(3, 3)), await tracer.tracePartial(tile(0, 3))),
    );
    for (let y = rect.y0; y < rect.y1; y++) {
      const row = merged.beauty.subarray((y - rect.y0) * 8 * 4, (y - rect.y0 + 1) * 8 * 4);
      expect(row).toEqual(beauty.subarray((y * 30 + rect.x0) * 4, (y * 30 + rect.x1) * 4));
    }
  });

  it('refuse what does not belong together', async () => {
    await traced();
    const a = await part(0, 2);
    expect(() => mergePartials(a, { ...a, frame: 2, ranges: [[2, 4]] })).toThrow(/different pictures/);
    expect(() => mergePartials(a, { ...a, ranges: [[1, 3]] })).toThrow(/in common/);
  });

  it('fill up rather than overflow, and keep what is not a number out', async () => {
    const tracer = await one;
    const bright = constantEnvironment([1e30, Number.NaN, 1]);
    await tracer.setScene(scene({ environment: bright }));
    const tiny = { width: 2, height: 2, sampleCount: 3 };
    const { beauty } = await tracer.trace(request(tiny));
    expect([...beauty.subarray(0, 4)]).toEqual([2 ** 37 / 3, 0, 0, 1].map(Math.fround));
    const halves = [request({ ...tiny, sampleCount: 1 }), request({ ...tiny, sampleStart: 1, sampleCount: 2 })];
    const [first, second] = [await tracer.tracePartial(halves[0]!), await tracer.tracePartial(halves[1]!)];
    expect(finishPartial(mergePartials(first, second)).beauty).toEqual(beauty);
    await tracer.setScene(still());
  });
});
