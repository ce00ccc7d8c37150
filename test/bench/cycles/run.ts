/**
 * Time to equal error against Blender's Cycles: the damaged helmet under an environment, both on the CPU with the same number
 * of threads, bounces and pixel filter.
 *
 * The variance of a path tracer falls as 1/samples, so that error x time is a constant of a renderer; the ratio of both
 * constants is the ratio of the times to equal error. Error is relMSE, mean of (x - r)^2 / (r^2 + 0.01) over pixels and
 * channels, against a converged picture `r` of each renderer's own, which leaves differences of their materials out.
 */
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import { SceneInstancer } from '../../../renderer/pathtracer/gltf/instantiate.ts';
import { loadScene } from '../../../renderer/pathtracer/gltf/load.ts';
import type { SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import { type Tracer, traceOptionsOf } from '../../../renderer/pathtracer/tracer.ts';
import { createCpuTracer } from '../../../renderer/pathtracer/wasm/tracer.ts';
import { type BenchContext, median, type PartOutcome } from '../part.ts';
import { CyclesServer, whyNoCycles } from './server.ts';

export interface CyclesResult {
  /** Their time to equal error over ours; above 1 ours is faster. */
  timeToEqualErrorRatio: number;
  /** The same without the thousandth of pixels with the largest errors on each side: how much of it is rare fireflies. */
  ratioWithoutFireflies: number;
  /** Both again, with a light tree on their side too: ours has no other way to pick among many lights. */
  withLightTree: { timeToEqualErrorRatio: number; ratioWithoutFireflies: number };
  width: number;
  height: number;
  samples: number;
  ours: Side;
  theirs: Side;
  theirsWithLightTree: Side;
}

interface Side {
  seconds: number;
  relMse: number;
  relMseWithoutFireflies: number;
  samplesPerSecond: number;
}

interface Sizes {
  width: number;
  height: number;
  samples: number;
  converged: number;
  runs: number;
}

const FULL: Sizes = { width: 320, height: 180, samples: 64, converged: 4096, runs: 6 };
const QUICK: Sizes = { width: 96, height: 54, samples: 16, converged: 256, runs: 2 };
const DEPTH = 8;
const CONVERGED_SEED = 1_000_003;

/** Runs both in turn. Needs `bpy` and the scenes that `FRAMEWRIGHT_SCENES` names (default `../shared/scenes`). */
export async function benchCycles(context: BenchContext): Promise<PartOutcome<CyclesResult>> {
  const scenes = process.env.FRAMEWRIGHT_SCENES ?? join(process.cwd(), '../shared/scenes');
  const files = ['damaged-helmet.glb', 'royal-esplanade-1k.hdr'].map((name) => join(scenes, name));
  for (const file of files) {
    if (!(await stat(file).catch(() => null))) {
      return { result: null, reason: `${file} is not there; FRAMEWRIGHT_SCENES may name another folder` };
    }
  }
  const reason = await whyNoCycles();
  if (reason) return { result: null, reason };
  const folder = await mkdtemp(join(tmpdir(), 'framewright-cycles-'));
  try {
    const [scene, environment] = [join(folder, 'helmet.glb'), join(folder, 'helmet.hdr')];
    await Promise.all([copyFile(files[0]!, scene), copyFile(files[1]!, environment)]);
    return { result: await compare(context, folder, scene, environment) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  context: BenchContext,
  folder: string,
  scene: string,
  environment: string,
): Promise<CyclesResult> {
  const sizes = context.quick ? QUICK : FULL;
  const { width, height, samples } = sizes;
  const loaded = await loadScene({ root: folder, main: 'helmet.glb' });
  const description = new SceneInstancer(loaded).at(0, null, width / height);
  const { transform, projection } = description.camera;
  if (projection.kind !== 'perspective') throw new Error('the helmet is seen in perspective');
  const tracer = await createCpuTracer({ threads: context.threads });
  const { threads } = context;
  const { radius: filterRadius } = DEFAULT_RENDER_SETTINGS.filter;
  const view = { width, height, yfov: projection.yfov, camera: [...transform] };
  const server = await CyclesServer.start({ scene, environment, threads, depth: DEPTH, filterRadius, ...view }, folder);
  try {
    const render = (spp: number, seed: number) => renderOurs(tracer, description, { width, height, spp, seed });
    context.say(`converging both at ${sizes.converged} samples a pixel`);
    const truth = {
      ours: await render(sizes.converged, CONVERGED_SEED),
      theirs: await server.render({ spp: sizes.converged, seed: 7, lightTree: true }),
    };
    const runs = { ours: [] as Run[], plain: [] as Run[], tree: [] as Run[] };
    for (let run = 1; run <= sizes.runs; run++) {
      const mine = await render(samples, run);
      const plain = await server.render({ spp: samples, seed: run, lightTree: false });
      const tree = await server.render({ spp: samples, seed: run, lightTree: true });
      runs.ours.push({ seconds: mine.seconds, errors: errorsOf(mine.rgb, truth.ours.rgb) });
      runs.plain.push({ seconds: plain.seconds, errors: errorsOf(plain.rgb, truth.theirs.rgb) });
      runs.tree.push({ seconds: tree.seconds, errors: errorsOf(tree.rgb, truth.theirs.rgb) });
      const [a, b, c] = [mine, plain, tree].map(({ seconds }) => seconds.toFixed(2));
      context.say(`run ${run} of ${sizes.runs}: ours ${a} s, Cycles ${b} s, with its light tree ${c} s`);
    }
    const [ours, theirs, theirsWithLightTree] = [runs.ours, runs.plain, runs.tree].map((of) => summarise(of, sizes));
    return {
      ...ratiosOf(ours!, theirs!),
      withLightTree: ratiosOf(ours!, theirsWithLightTree!),
      ...{ width, height, samples, ours: ours!, theirs: theirs!, theirsWithLightTree: theirsWithLightTree! },
    };
  } finally {
    await Promise.all([server.close(), tracer.close()]);
  }
}

interface Run {
  seconds: number;
  errors: Errors;
}

function summarise(runs: readonly Run[], { width, height, samples }: Sizes): Side {
  const seconds = median(runs.map((run) => run.seconds));
  // Errors are averaged: their mean is what variance is, and single runs scatter.
  const mean = (pick: (errors: Errors) => number) => runs.reduce((sum, run) => sum + pick(run.errors), 0) / runs.length;
  return {
    seconds,
    relMse: mean(({ all }) => all),
    relMseWithoutFireflies: mean(({ trimmed }) => trimmed),
    samplesPerSecond: (width * height * samples) / seconds,
  };
}

const ratiosOf = (ours: Side, theirs: Side): CyclesResult['withLightTree'] => ({
  timeToEqualErrorRatio: (theirs.seconds * theirs.relMse) / (ours.seconds * ours.relMse),
  ratioWithoutFireflies:
    (theirs.seconds * theirs.relMseWithoutFireflies) / (ours.seconds * ours.relMseWithoutFireflies),
});

async function renderOurs(
  tracer: Tracer,
  scene: SceneDescription,
  { width, height, spp, seed }: { width: number; height: number; spp: number; seed: number },
): Promise<{ rgb: Float32Array; seconds: number }> {
  const begin = performance.now();
  await tracer.setScene(scene);
  const { beauty } = await tracer.trace({
    ...{ width, height, seed, frame: 1, sampleStart: 0, sampleCount: spp },
    rect: { x0: 0, y0: 0, x1: width, y1: height },
    options: traceOptionsOf({ ...DEFAULT_RENDER_SETTINGS, maxDepth: DEPTH, energyCompensation: false }),
  });
  const seconds = (performance.now() - begin) / 1000;
  const rgb = new Float32Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb.set(beauty.subarray(pixel * 4, pixel * 4 + 3), pixel * 3);
  }
  return { rgb, seconds };
}

interface Errors {
  all: number;
  trimmed: number;
}

/** relMSE over all pixels, and over all but the worst thousandth. */
function errorsOf(picture: Float32Array, truth: Float32Array): Errors {
  const errors = new Float64Array(truth.length / 3);
  for (let i = 0; i < truth.length; i++) {
    const difference = picture[i]! - truth[i]!;
    errors[Math.floor(i / 3)]! += (difference * difference) / (truth[i]! * truth[i]! + 0.01) / 3;
  }
  errors.sort();
  const kept = errors.subarray(0, Math.floor(errors.length * 0.999));
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { all: mean(errors), trimmed: mean(kept) };
}
