/**
 * How much faster the ray-cast quick look is than the final: the same frame both ways, in alternation, in one engine, from a
 * scene that is loaded to files that are written. The final has the settings' own samples and is denoised, as finals are.
 */
import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings, type RenderTechnique } from '../../../domain/scene.ts';
import { buildDemoShot } from '../../../renderer/demo/demoShot.ts';
import type { SceneFiles } from '../../../renderer/engine.ts';
import { createPathTracerEngine, type PathTracerEngine } from '../../../renderer/pathtracer/engine.ts';
import { type BenchContext, median, type PartOutcome } from '../part.ts';

interface QuickShot {
  name: string;
  files: SceneFiles;
  /** One pair of frames for each, beside the first, which loads and compiles and is told apart. */
  frames: number[];
}

export interface QuickFigures {
  width: number;
  height: number;
  samples: number;
  /** Time of the final over time of the quick look, the median of the pairs. */
  ratio: number;
  /** Each pair's own ratio. */
  pairs: number[];
  finalSeconds: number;
  quickSeconds: number;
  /** The very first quick look: loading, building the tree, compiling the kernels. */
  firstQuickSeconds: number;
}

export type QuickResult = Record<string, QuickFigures>;

/** Measures the demo shot, and the damaged helmet where it is at hand. */
export async function benchQuick(context: BenchContext): Promise<PartOutcome<QuickResult>> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-quick-'));
  try {
    const result: QuickResult = {};
    for (const shot of await shotsIn(folder, context)) result[shot.name] = await measure(shot, folder, context);
    return { result };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  { name, files, frames }: QuickShot,
  folder: string,
  { say, threads, quick }: BenchContext,
): Promise<QuickFigures> {
  const size = quick ? { width: 240, height: 135 } : {};
  const settings: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, ...size };
  const engine = createPathTracerEngine();
  const outputFolder = join(folder, `${name}-out`);
  await mkdir(outputFolder);
  const look = (technique: RenderTechnique, frame: number): Promise<number> =>
    secondsOf(engine, { files, settings: { ...settings, technique }, frame, outputFolder, threads });
  try {
    const firstQuickSeconds = await look('raycast', frames[0]!);
    // Threads, tables and compiled kernels of the final are made once a process, too.
    await secondsOf(engine, {
      ...{ files, frame: frames[0]!, outputFolder, threads },
      settings: { ...settings, samples: 1 },
    });
    const pairs: { final: number; quick: number }[] = [];
    for (const frame of frames) {
      const final = await look('pathtrace', frame);
      const quickLook = await look('raycast', frame);
      pairs.push({ final, quick: quickLook });
      say(`${name} ${frame}: final ${final.toFixed(2)} s, quick look ${quickLook.toFixed(3)} s`);
    }
    const ratios = pairs.map((pair) => pair.final / pair.quick);
    return {
      ...{ width: settings.width, height: settings.height, samples: settings.samples },
      ...{ ratio: median(ratios), pairs: ratios },
      finalSeconds: median(pairs.map((pair) => pair.final)),
      quickSeconds: median(pairs.map((pair) => pair.quick)),
      firstQuickSeconds,
    };
  } finally {
    await engine.close();
  }
}

/** One frame, a unit of its own; what the engine itself measured: from the frame's scene to its files. */
async function secondsOf(
  engine: PathTracerEngine,
  { frame, ...request }: Omit<Parameters<PathTracerEngine['render']>[0], 'units'> & { frame: number },
): Promise<number> {
  let seconds = Number.NaN;
  const sink = {
    unit: async ({ renderSeconds }: { renderSeconds: number }) => {
      seconds = renderSeconds;
    },
    progress: () => undefined,
    log: () => undefined,
  };
  await engine.render({ ...request, units: [{ frame, tile: 0 }] }, sink, new AbortController().signal);
  return seconds;
}

async function shotsIn(folder: string, { quick, say }: BenchContext): Promise<QuickShot[]> {
  const demo = join(folder, 'demo');
  await mkdir(demo);
  await buildDemoShot(join(demo, 'demo.glb'));
  const pairs = quick ? [1, 2] : [1, 13];
  const shots: QuickShot[] = [{ name: 'demo', files: { root: demo, main: 'demo.glb' }, frames: pairs }];
  const scenes = process.env.FRAMEWRIGHT_SCENES ?? join(process.cwd(), '../shared/scenes');
  const helmet = join(scenes, 'damaged-helmet.glb');
  if (!(await stat(helmet).catch(() => null))) {
    say(`the damaged helmet is not at ${helmet}; FRAMEWRIGHT_SCENES names another folder`);
    return shots;
  }
  const root = join(folder, 'helmet');
  await mkdir(root);
  await copyFile(helmet, join(root, 'helmet.glb'));
  await copyFile(join(scenes, 'royal-esplanade-1k.hdr'), join(root, 'helmet.hdr'));
  return [...shots, { name: 'helmet', files: { root, main: 'helmet.glb' }, frames: pairs }];
}
