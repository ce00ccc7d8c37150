/** A renderer for tests of what is around rendering. */
import { createHash } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import type { EngineProbe, RenderEngine } from '../../renderer/engine.ts';
import { seededBytes } from './bytes.ts';

/** What the tiny engine says of the machine. */
export const PROBE: EngineProbe = {
  ...{ engine: 'pathtracer', build: 'tiny', tier: 'cpu', device: 'test', threads: 1 },
  ...{ memoryBytes: 2 ** 30, score: 1 },
};

/** A renderer whose picture is a hash of the scene and the frame: small, deterministic, and steered by the test. */
export function tinyEngine(
  before: (frame: number, signal: AbortSignal) => Promise<void> = async () => undefined,
  pictureBytes = 64,
): RenderEngine {
  return {
    name: 'pathtracer',
    build: 'tiny',
    probe: async () => PROBE,
    inspect: async () => {
      throw new FarmError('SceneUnsupported', 'The tiny engine inspects nothing.');
    },
    estimate: async ({ root, main }) => {
      await access(join(root, main));
      return { secondsPerFrame: 0.25, referenceScore: 1, tracedShare: 0.5, frames: [{ frame: 1, seconds: 0.2 }] };
    },
    async render({ files, units, outputFolder, ready }, sink, signal) {
      for (const unit of units) {
        await ready?.(unit.frame);
        await before(unit.frame, signal);
        if (signal.aborted) throw new FarmError('Cancelled', 'Rendering was stopped.');
        const scene = await readFile(join(files.root, files.main));
        const exrPath = join(outputFolder, `${unit.frame}.exr`);
        const previewPath = join(outputFolder, `${unit.frame}.png`);
        await writeFile(exrPath, picture(scene, unit.frame, 'exr', pictureBytes));
        await writeFile(previewPath, picture(scene, unit.frame, 'png'));
        sink.progress({ frame: unit.frame, tile: unit.tile, fraction: 1 });
        sink.log(`frame ${unit.frame} done`);
        const size = { width: 8, height: 8, channels: ['R', 'G', 'B', 'A'] };
        await sink.unit({
          unit,
          exrPath,
          previewPath,
          picturePath: null,
          ...size,
          renderSeconds: 0.01,
          samples: 64,
          rays: 100,
        });
      }
    },
  };
}

/** What the tiny engine makes of a scene. */
export const picture = (scene: Buffer, frame: number, ext: string, sizeBytes = 64): Buffer =>
  seededBytes(sizeBytes, `${createHash('sha512').update(scene).update(`${frame}.${ext}`).digest('hex')}`);
