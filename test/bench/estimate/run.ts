/**
 * How good the estimate behind quotes is: the frames of the test scenes are estimated as a job, then rendered, in one process,
 * and the times are compared. Estimates are seconds of a machine that does nothing else, so beside the clock on the wall stands the
 * processor time, spread over the threads: on a busy machine only that says whether the estimate was right.
 */
import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { secondsOfFrame } from '../../../domain/frameSeconds.ts';
import { LAYER_NAMES } from '../../../domain/layers.ts';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../../domain/scene.ts';
import { buildDemoShot } from '../../../renderer/demo/demoShot.ts';
import type { SceneFiles } from '../../../renderer/engine.ts';
import { createPathTracerEngine, type PathTracerEngine } from '../../../renderer/pathtracer/engine.ts';
import type { BenchContext, PartOutcome } from '../part.ts';

interface EstimatedFrame {
  shot: string;
  frame: number;
  estimateSeconds: number;
  /** By the clock on the wall. */
  measuredSeconds: number;
  /** Processor time over the threads. */
  processorSeconds: number;
  /** Measured over estimated, by either. */
  ratio: number;
  processorRatio: number;
}

interface EstimatedJob {
  shot: string;
  /** Share of the job's samples that calibration traced, and its processor time over the job's. */
  tracedShare: number;
  processorShare: number;
}

export interface EstimateResult {
  /** Share of frames whose measured time lies within 25 % of the estimate. */
  within25Percent: number;
  /** The same by processor time. */
  within25PercentOfProcessorTime: number;
  /** Wall time over processor time: 1 on a machine that does nothing else. */
  slowdown: number;
  jobs: EstimatedJob[];
  frames: EstimatedFrame[];
}

interface Shot {
  name: string;
  files: SceneFiles;
  frames: number[];
  changes: Partial<RenderSettings>;
}

/** Estimates and renders all frames of all shots that are at hand. */
export async function benchEstimate(context: BenchContext): Promise<PartOutcome<EstimateResult>> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-estimate-'));
  const engine = createPathTracerEngine();
  try {
    // A node measured itself long before its first job.
    await engine.probe(context.threads);
    const frames: EstimatedFrame[] = [];
    const jobs: EstimatedJob[] = [];
    for (const shot of await shotsIn(folder)) {
      const outputFolder = join(folder, `${shot.name}-out`);
      await mkdir(outputFolder);
      const outcome = await benchShot(engine, shot, outputFolder, context);
      frames.push(...outcome.frames);
      jobs.push(outcome.job);
    }
    const within = (of: (frame: EstimatedFrame) => number): number =>
      frames.filter((frame) => of(frame) >= 0.75 && of(frame) <= 1.25).length / frames.length;
    const sum = (of: (frame: EstimatedFrame) => number): number =>
      frames.reduce((total, frame) => total + of(frame), 0);
    return {
      result: {
        within25Percent: within(({ ratio }) => ratio),
        within25PercentOfProcessorTime: within(({ processorRatio }) => processorRatio),
        slowdown: sum(({ measuredSeconds }) => measuredSeconds) / sum(({ processorSeconds }) => processorSeconds),
        ...{ jobs, frames },
      },
    };
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Processor seconds of this process so far. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function benchShot(
  engine: PathTracerEngine,
  { name, files, frames: numbers, changes }: Shot,
  outputFolder: string,
  { quick, threads, say }: BenchContext,
): Promise<{ job: EstimatedJob; frames: EstimatedFrame[] }> {
  const size = quick ? { width: 240, height: 136, samples: 16 } : { width: 640, height: 360, samples: 64 };
  const settings: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, ...size, ...changes };
  const parallel = Math.min(threads, availableParallelism());
  const begin = processorSeconds();
  const estimate = await engine.estimate(files, settings, numbers, threads);
  const calibrated = processorSeconds();
  let last = calibrated;
  const frames: EstimatedFrame[] = [];
  const sink = {
    unit: async ({ unit: { frame }, renderSeconds }: { unit: { frame: number }; renderSeconds: number }) => {
      const now = processorSeconds();
      const spent = (now - last) / parallel;
      last = now;
      const expected = secondsOfFrame(estimate.frames, frame);
      frames.push({
        ...{ shot: name, frame, estimateSeconds: expected, measuredSeconds: renderSeconds, processorSeconds: spent },
        ...{ ratio: renderSeconds / expected, processorRatio: spent / expected },
      });
      const times = `${renderSeconds.toFixed(2)} s, ${spent.toFixed(2)} s of processor time`;
      say(`${name} ${frame}: ${times}, estimated ${expected.toFixed(2)} s`);
    },
    progress: () => undefined,
    log: () => undefined,
  };
  const units = numbers.map((frame) => ({ frame, tile: 0 }));
  await engine.render({ files, settings, units, outputFolder, threads }, sink, new AbortController().signal);
  const processorShare = (calibrated - begin) / (last - calibrated);
  return { job: { shot: name, tracedShare: estimate.tracedShare, processorShare }, frames };
}

/** The demo shot always; the real files where the folder of `FRAMEWRIGHT_SCENES` (default `../shared/scenes`) has them. */
async function shotsIn(folder: string): Promise<Shot[]> {
  const demo = join(folder, 'demo');
  await mkdir(demo);
  await buildDemoShot(join(demo, 'demo.glb'));
  const shots: Shot[] = [
    { name: 'demo', files: { root: demo, main: 'demo.glb' }, frames: [1, 9, 17, 24], changes: {} },
    {
      name: 'demo-clean',
      files: { root: demo, main: 'demo.glb' },
      frames: [5],
      changes: { denoise: false, maxDepth: 3 },
    },
    {
      name: 'demo-adaptive',
      files: { root: demo, main: 'demo.glb' },
      frames: [3, 12],
      changes: { adaptive: { threshold: 0.02, minSamples: 8 } },
    },
    {
      name: 'demo-layers',
      files: { root: demo, main: 'demo.glb' },
      frames: [7],
      changes: { output: { ...DEFAULT_RENDER_SETTINGS.output, layers: [...LAYER_NAMES], denoisedLayers: true } },
    },
  ];
  const scenes = process.env.FRAMEWRIGHT_SCENES ?? join(process.cwd(), '../shared/scenes');
  for (const [name, frames] of [
    ['damaged-helmet', [1]],
    ['robot-walk', [1, 8, 15, 22]],
  ] as const) {
    const source = join(scenes, `${name}.glb`);
    if (!(await stat(source).catch(() => null))) continue;
    const root = join(folder, name);
    await mkdir(root);
    await copyFile(source, join(root, `${name}.glb`));
    await copyFile(join(scenes, 'royal-esplanade-1k.hdr'), join(root, `${name}.hdr`));
    shots.push({ name, files: { root, main: `${name}.glb` }, frames: [...frames], changes: {} });
  }
  return shots;
}
