import { expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from '../../domain/scene.ts';
import { calibrate } from './estimate.ts';
import { projectWith, toGlb, triangleScene } from './gltf/tinyScenes.ts';
import { SceneCache } from './sceneCache.ts';
import { Shot } from './shot.ts';
import { Stopwatch } from './stopwatch.ts';
import { estimateQuick } from './techniques.ts';
import { traceOptionsOf } from './tracer.ts';
import { createCpuTracer } from './wasm/tracer.ts';

/** So slow a loading that nothing else of a tiny frame's time shows beside it. */
const LOAD_SECONDS = 24_000;

it.each([
  ['path traced', calibrate],
  ['quick', estimateQuick],
])(
  'shares the loading among as many frames of the job as a chunk has, whatever was looked at (%s)',
  async (_, measure) => {
    const settings: RenderSettings = { ...DEFAULT_RENDER_SETTINGS, width: 32, height: 16, samples: 2, maxDepth: 2 };
    const files = { root: await projectWith({ 'a.glb': toGlb(triangleScene()) }), main: 'a.glb' };
    const tracer = await createCpuTracer({ threads: 1 });
    try {
      const secondsPerFrame = async (frames: number[], jobFrameCount: number): Promise<number> => {
        const estimate = await measure({
          ...{ settings, frames, jobFrameCount, tracer, loadSeconds: LOAD_SECONDS, referenceScore: 1 },
          shot: await Shot.open(new SceneCache(), files, settings, frames),
          options: traceOptionsOf(settings),
          stopwatch: new Stopwatch(tracer),
          outputSeconds: async () => 0,
        });
        return estimate.secondsPerFrame;
      };
      const near = (seconds: number): unknown => expect.closeTo(seconds, -2);
      expect(await secondsPerFrame([1, 50, 100], 100)).toEqual(near(LOAD_SECONDS / 8));
      expect(await secondsPerFrame([1, 2, 3], 6)).toEqual(near(LOAD_SECONDS / 6));
      expect(await secondsPerFrame([1], 1)).toEqual(near(LOAD_SECONDS));
    } finally {
      await tracer.close();
    }
  },
);
