/**
 * How good the estimate behind quotes is: every frame of the test scenes is estimated as a job of its own would be, then rendered,
 * in one process, and the times are compared.
 */
import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../../domain/scene.ts';
import { buildDemoShot } from '../../../renderer/demo/demoShot.ts';
import type { SceneFiles } from '../../../renderer/engine.ts';
import { createPathTracerEngine } from '../../../renderer/pathtracer/engine.ts';
import type { BenchContext, PartOutcome } from '../part.ts';

interface EstimatedFrame {
  shot: string;
  frame: number;
  estimateSeconds: number;
  measuredSeconds: number;
  /** Measured over estimated. */
  ratio: number;
}

export interface EstimateResult {
  /** Share of frames whose measured time lies within 25 % of the estimate. */
  within25Percent: number;
  /** Largest share of a job's samples that its calibration traced. */
  tracedShare: number;
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
    const shots = await shotsIn(folder);
    const frames: EstimatedFrame[] = [];
    let tracedShare = 0;
    for (const { name, files, frames: numbers, changes } of shots) {
      const size = context.quick ? { width: 240, height: 136, samples: 16 } : { width: 640, height: 360, samples: 64 };
      const settings: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, ...size, ...changes };
      const estimate = await engine.estimate(files, settings, numbers, context.threads);
      tracedShare = Math.max(tracedShare, estimate.tracedShare);
      const outputFolder = join(folder, `${name}-out`);
      await mkdir(outputFolder);
      const units = numbers.map((frame) => ({ frame, tile: 0 }));
      const sink = {
        unit: async ({ unit, renderSeconds }: { unit: { frame: number }; renderSeconds: number }) => {
          const ratio = renderSeconds / estimate.secondsPerFrame;
          const times = { estimateSeconds: estimate.secondsPerFrame, measuredSeconds: renderSeconds, ratio };
          frames.push({ shot: name, frame: unit.frame, ...times });
          context.say(
            `${name} ${unit.frame}: ${renderSeconds.toFixed(2)} s, estimated ${estimate.secondsPerFrame.toFixed(2)} s`,
          );
        },
        progress: () => undefined,
        log: () => undefined,
      };
      const request = { files, settings, units, outputFolder, threads: context.threads };
      await engine.render(request, sink, new AbortController().signal);
    }
    const good = frames.filter(({ ratio }) => ratio >= 0.75 && ratio <= 1.25);
    return { result: { within25Percent: good.length / frames.length, tracedShare, frames } };
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
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
