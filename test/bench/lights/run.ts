/** What many lights cost: the same frame under ten lamps and under ten thousand, which give as much light, in alternation. */
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import type { PunctualLight, SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import { type TraceRequest, type Tracer, traceOptionsOf } from '../../../renderer/pathtracer/tracer.ts';
import { createCpuTracer } from '../../../renderer/pathtracer/wasm/tracer.ts';
import { type BenchContext, median, type PartOutcome } from '../part.ts';
import { sphereField } from '../scenes.ts';

const FEW = 10;
const MANY = 10_000;
const REPEATS = 5;
/** Steps of the sequence R3 (Roberts 2018), which spreads points evenly. */
const R3 = [0.8191725, 0.6710436, 0.5497005] as const;

export interface LightsFigures {
  fewLights: number;
  manyLights: number;
  fewSeconds: number;
  manySeconds: number;
  /** Time under the few over time under the many, the median of the pairs: 1 is as fast, below it the many cost more. */
  ratio: number;
  pairs: number[];
  /** Mean relative squared error of a pixel at these samples, against sixteen times as many. */
  fewError: number;
  manyError: number;
}

/** Spheres of 100,000 triangles in the dark, under lamps above them. */
export async function benchLights({ say, threads, quick }: BenchContext): Promise<PartOutcome<LightsFigures>> {
  const size = quick ? 64 : 256;
  const request = (sampleCount: number, seed: number): TraceRequest => ({
    ...{ width: size, height: size, sampleStart: 0, sampleCount, seed, frame: 1 },
    rect: { x0: 0, y0: 0, x1: size, y1: size },
    options: traceOptionsOf({ ...DEFAULT_RENDER_SETTINGS, maxDepth: 4 }),
  });
  const samples = quick ? 2 : 16;
  const [few, many] = await Promise.all([createCpuTracer({ threads }), createCpuTracer({ threads })]);
  try {
    await few.setScene(underLamps(FEW));
    await many.setScene(underLamps(MANY));
    const pairs: { few: number; many: number }[] = [];
    for (let pair = 0; pair < (quick ? 1 : REPEATS); pair += 1) {
      const seconds = {
        few: await secondsOf(few, request(samples, 1)),
        many: await secondsOf(many, request(samples, 1)),
      };
      say(`${seconds.few.toFixed(2)} s under ${FEW} lamps, ${seconds.many.toFixed(2)} s under ${MANY}`);
      pairs.push(seconds);
    }
    const ratios = pairs.map((pair) => pair.few / pair.many);
    return {
      result: {
        ...{ fewLights: FEW, manyLights: MANY },
        fewSeconds: median(pairs.map((pair) => pair.few)),
        manySeconds: median(pairs.map((pair) => pair.many)),
        ...{ ratio: median(ratios), pairs: ratios },
        fewError: await errorOf(few, request, samples),
        manyError: await errorOf(many, request, samples),
      },
    };
  } finally {
    await Promise.all([few.close(), many.close()]);
  }
}

/** The light of all lamps together is the same, however many there are. */
function underLamps(count: number): SceneDescription {
  const each = 400 / count;
  const lights = Array.from({ length: count }, (_, index): PunctualLight => {
    const at = (step: number): number => (index * step) % 1;
    const position: [number, number, number] = [20 * at(R3[0]) - 10, 2.5 + 3 * at(R3[1]), 20 * at(R3[2]) - 10];
    return { kind: 'point', position, intensity: [each, each, each] };
  });
  return { ...sphereField(100_000), environment: null, lights };
}

async function secondsOf(tracer: Tracer, request: TraceRequest): Promise<number> {
  const began = performance.now();
  await tracer.trace(request);
  return (performance.now() - began) / 1000;
}

async function errorOf(
  tracer: Tracer,
  request: (samples: number, seed: number) => TraceRequest,
  samples: number,
): Promise<number> {
  const { beauty: noisy } = await tracer.trace(request(samples, 2));
  const { beauty: converged } = await tracer.trace(request(16 * samples, 3));
  let sum = 0;
  for (let i = 1; i < noisy.length; i += 4) sum += (noisy[i]! - converged[i]!) ** 2 / (converged[i]! ** 2 + 0.01);
  return sum / (noisy.length / 4);
}
