/** How far the denoiser looks, and that bands of a picture with so much around them have the bits of the whole. */

import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../testing/statistics.ts';
import { DENOISE_REACH, type DenoiseInput, denoise, denoiseStage } from '../denoise.ts';
import { ImageProcessor, type ImageStage } from '../imageProcessor.ts';
import { SILHOUETTE_REACH } from './guides.ts';

const processor = new ImageProcessor();
afterAll(() => processor.close());

/** Rows and columns around a pixel that a plane depends on, by input of the stage. */
type Reach = ReadonlyMap<string, number>;
type Body = (this: object, ...planes: unknown[]) => number;

/** The reach of a stage as its own kernels show it: they run on planes that note where they are read. */
function tracedReach({ build }: ImageStage, inputs: string[]): Reach {
  const random = seededRandom(3);
  const size = 101;
  const at = 50;
  // Zeros, misses (-1) and all magnitudes, so that each branch is entered.
  const value = (): number => [0, -1, random(), 1e-6 * random(), 10 ** (6 * random())][Math.floor(5 * random())]!;
  const kernel = (body: Body, channels: number, constants: object) => {
    return (...planes: Reach[]): Reach => {
      const farthest = planes.map(() => 0);
      const noting = planes.map((_, k) => {
        const note = (index: string): void => {
          farthest[k] = Math.max(farthest[k]!, Math.abs(Number(index) - at));
        };
        const noted = <T>(inside: () => T): object => ({
          get(_: object, index: string): T {
            note(index);
            return inside();
          },
        });
        const row = new Proxy({}, noted(value));
        const plane = new Proxy(
          {},
          noted(() => row),
        );
        return new Proxy({}, { get: () => plane });
      });
      for (let trial = 0; trial < 20; trial++) {
        for (let z = 0; z < channels; z++) {
          body.call({ thread: { x: at, y: at, z }, constants: { ...constants, w: size, h: size } }, ...noting);
        }
      }
      const out = new Map<string, number>();
      for (const [k, plane] of planes.entries()) {
        for (const [input, reach] of plane) out.set(input, Math.max(out.get(input) ?? 0, reach + farthest[k]!));
      }
      return out;
    };
  };
  return build({ kernel: kernel as never })(...inputs.map((input) => new Map([[input, 0]]))) as Reach;
}

/** Noise in everything, with gaps, silhouettes and fireflies everywhere. */
function noise(width: number, height: number): Required<DenoiseInput> {
  const random = seededRandom(7);
  const of = (channels: number, value: () => number): Float32Array =>
    Float32Array.from({ length: width * height * channels }, value);
  return {
    ...{ width, height, exposure: 0, isLayer: false, hasAlbedo: true },
    beauty: of(4, () => -Math.log(1 - random())),
    albedo: of(3, () => 0.45 + 0.1 * random()),
    normal: of(3, () => (random() < 0.5 ? 0.56 : 0.578)),
    depth: of(1, () => (random() < 0.01 ? Infinity : 5)),
    variance: of(1, () => random()),
  };
}

/** Rows `[from, to)` of a picture as a picture. */
function cut<T extends DenoiseInput>(picture: T, from: number, to: number): T {
  const rows = (data: Float32Array, channels: number): Float32Array =>
    data.slice(from * picture.width * channels, to * picture.width * channels);
  const { beauty, albedo, normal, depth, variance } = picture;
  return {
    ...picture,
    height: to - from,
    ...{ beauty: rows(beauty, 4), albedo: rows(albedo, 3), normal: rows(normal, 3), depth: rows(depth, 1) },
    variance: variance && rows(variance, 1),
  };
}

describe('the reach of the denoiser', () => {
  it('is what its kernels read, not a row more', () => {
    const inputs = ['beauty', 'guide', 'variance'];
    const stages = [true, false].flatMap((byAlbedo) =>
      (['estimated', 'measured', 'measuredLayer'] as const).map((source) => denoiseStage(byAlbedo, source)),
    );
    const farthest = stages.map((stage) => Math.max(...tracedReach(stage, inputs).values()));
    expect(Math.max(...farthest)).toBe(stages[0]!.halo);
    expect(new Set(stages.map(({ halo }) => halo)).size).toBe(1);
    expect(DENOISE_REACH).toBe(stages[0]!.halo + SILHOUETTE_REACH);
  });

  it('makes bands have the bits of the whole', async () => {
    // Estimated noise is looked for farthest.
    const picture: DenoiseInput = { ...noise(120, 86), variance: undefined };
    const whole = await denoise(picture, processor);
    const joined = new Float32Array(whole.length);
    // With what they need around them all have one size, for which there is one pipeline.
    const edges = [0, 40, 46, 86];
    for (const [k, from] of edges.slice(0, -1).entries()) {
      const to = edges[k + 1]!;
      const [above, below] = [Math.max(0, from - DENOISE_REACH), Math.min(86, to + DENOISE_REACH)];
      const rows = { from: from - above, to: to - above };
      joined.set(await denoise(cut(picture, above, below), processor, rows), from * 120 * 4);
    }
    expect(joined).toEqual(whole);
  });
});
