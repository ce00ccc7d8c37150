/**
 * Whole frames against Embree 3: the same paths through the same scenes, ours with its complete integrator and surfaces, theirs
 * with a diffuse path tracer in C++ (`embree.cpp`). Both are timed in turn on the same threads; the BVH is built before.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import type { SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import { type TraceRequest, type Tracer, traceOptionsOf } from '../../../renderer/pathtracer/tracer.ts';
import { createCpuTracer } from '../../../renderer/pathtracer/wasm/tracer.ts';
import { type BenchContext, median, type PartOutcome } from '../part.ts';
import { sphereField } from '../scenes.ts';

interface EmbreeComparison {
  /** Their time over ours for one frame, median of pairs; above 1 ours is faster. */
  ratio: number;
  triangles: number;
  oursMrays: number;
  theirsMrays: number;
  /** Mean radiance of both pictures: the same light. */
  oursMean: number;
  theirsMean: number;
}

export type EmbreeResult = Record<'100k' | '1m', EmbreeComparison>;

const DEPTH = 4;
const ALBEDO = 0.8;
const [WIDTH, HEIGHT] = [960, 540];

/** Compiles the C++ side and runs both. Needs a C++ compiler and Embree 3 with its headers. */
export async function benchEmbree(context: BenchContext): Promise<PartOutcome<EmbreeResult>> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-embree-'));
  try {
    const program = join(folder, 'embree');
    const source = fileURLToPath(
      new URL(
        import.meta.url.includes('/dist/') ? '../../../../test/bench/embree/embree.cpp' : 'embree.cpp',
        import.meta.url,
      ),
    );
    const flags = ['-O3', '-march=native', '-ffast-math', '-std=c++17'];
    try {
      await promisify(execFile)('g++', [...flags, source, '-o', program, '-lembree3', '-lpthread']);
    } catch {
      return { result: null, reason: 'no C++ compiler or no Embree 3: apt-get install g++ libembree-dev' };
    }
    return {
      result: {
        '100k': await compare(context, program, folder, 100_000),
        '1m': await compare(context, program, folder, 1_000_000),
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  context: BenchContext,
  program: string,
  folder: string,
  triangles: number,
): Promise<EmbreeComparison> {
  const scene = sphereField(triangles);
  const path = join(folder, 'scene.bin');
  await writeScene(scene, path);
  const tracer = await createCpuTracer({ threads: context.threads });
  const theirs = new Embree(spawn(program, [path, `${WIDTH}`, `${HEIGHT}`, `${context.threads}`]));
  try {
    await tracer.setScene(scene);
    const samples = context.quick ? 1 : 4;
    const pairs: { ours: Timing; theirs: Timing }[] = [];
    // The first pair warms both up and does not count.
    for (let pair = 0; pair <= (context.quick ? 2 : 9); pair++) {
      const timed = { ours: await traceOurs(tracer, samples), theirs: await theirs.trace(samples) };
      if (pair > 0) pairs.push(timed);
    }
    const rate = (side: 'ours' | 'theirs') => median(pairs.map((pair) => pair[side].rays / pair[side].seconds / 1e6));
    const ratio = median(pairs.map((pair) => pair.theirs.seconds / pair.ours.seconds));
    context.say(`${triangles} triangles: ${ratio.toFixed(3)}`);
    return {
      ratio,
      triangles: scene.meshes[0]!.indices.length / 3,
      oursMrays: rate('ours'),
      theirsMrays: rate('theirs'),
      oursMean: pairs[0]!.ours.mean,
      theirsMean: pairs[0]!.theirs.mean,
    };
  } finally {
    await Promise.all([tracer.close(), theirs.close()]);
  }
}

interface Timing {
  seconds: number;
  rays: number;
  mean: number;
}

async function traceOurs(tracer: Tracer, samples: number): Promise<Timing> {
  const request: TraceRequest = {
    ...{ width: WIDTH, height: HEIGHT, seed: 1, frame: 1, sampleStart: 0, sampleCount: samples },
    rect: { x0: 0, y0: 0, x1: WIDTH, y1: HEIGHT },
    options: traceOptionsOf({
      ...DEFAULT_RENDER_SETTINGS,
      maxDepth: DEPTH,
      filter: { kind: 'box', radius: 0.5 },
      output: { ...DEFAULT_RENDER_SETTINGS.output, layers: ['beauty'] },
    }),
  };
  const begin = performance.now();
  const { beauty, rays } = await tracer.trace(request);
  const seconds = (performance.now() - begin) / 1000;
  let sum = 0;
  for (let i = 1; i < beauty.length; i += 4) sum += beauty[i]!;
  return { seconds, rays, mean: sum / (beauty.length / 4) };
}

class Embree {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  async trace(samples: number): Promise<Timing> {
    this.#child.stdin!.write(`${samples}\n`);
    const line = await this.#lines.next();
    if (line.done) throw new Error('the Embree side ended before it answered');
    const [seconds, rays, mean] = line.value.split(' ').map(Number);
    return { seconds: seconds!, rays: rays!, mean: mean! };
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.end();
    await ended;
  }
}

async function writeScene(scene: SceneDescription, path: string): Promise<void> {
  const { positions, normals, indices } = scene.meshes[0]!;
  const { transform, projection } = scene.camera;
  if (projection.kind !== 'perspective') throw new Error('the benchmark looks in perspective');
  // A box filter of one pixel, as a table of two cells.
  const filter = Float32Array.from([-0.5, 0.5]);
  const bytes = (array: Float32Array | Uint32Array): Buffer =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  await writeFile(
    path,
    Buffer.concat([
      bytes(Uint32Array.from([positions.length / 3, indices.length / 3, DEPTH, filter.length])),
      bytes(transform),
      bytes(Float32Array.from([Math.tan(projection.yfov / 2), ALBEDO])),
      bytes(filter),
      bytes(positions),
      bytes(normals),
      bytes(indices),
    ]),
  );
}
