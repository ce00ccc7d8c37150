/** The frames that `--engine replay` hands out: traced beforehand by our own tracer, each different from all others. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FarmError } from '../../../domain/errors.ts';
import { completeSettings, type RequestedSettings } from '../../../domain/settings.ts';
import { hashFile } from '../../../ports/store/hashFile.ts';
import { thumbnail } from '../../../renderer/image/preview.ts';
import { createPathTracerEngine } from '../../../renderer/pathtracer/engine.ts';
import { type ReplayFrame, type ReplayIndex, replayIndexFile } from '../../../renderer/replay/index.ts';
import type { BenchProject } from './shotProject.ts';
import { SHOT_FRAMES, type ShotSize } from './size.ts';

/**
 * Goes up when the pictures change: it names their folder. Those of the project's first version stay, whose triangles began with other
 * corners.
 */
export const PICTURES_VERSION = 1;

/** How the benchmark's frames are rendered, traced for real or beforehand: uncompressed half RGBA, one sample a pixel. */
export function benchSettings({ width, height }: ShotSize): RequestedSettings {
  return {
    ...{ width, height, samples: 1, maxDepth: 2, denoise: false, frames: `1-${SHOT_FRAMES}` },
    output: { layers: ['beauty'], compression: 'none' },
  };
}

/**
 * Traces the first frames of the shot into `folder`, or finds them there (they may be more); a run that was interrupted, or asked
 * for fewer, is gone on with.
 * @param count of frames that will be handed out
 * @returns their index, as the replay engine reads it
 * @throws FarmError `Internal` when two frames are equal
 */
export async function traceFrames(
  folder: string,
  project: BenchProject,
  size: ShotSize,
  { count, threads }: { count: number; threads: number },
  onFrame: (done: number) => void,
): Promise<ReplayIndex> {
  const indexPath = join(folder, replayIndexFile);
  const known = await readFile(indexPath, 'utf8').catch(() => null);
  if (known !== null) {
    const index = JSON.parse(known) as ReplayIndex;
    if (index.frames.length >= count) return index;
  }
  const work = join(folder, 'work');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const frames: TracedFrame[] = [];
  const missing: number[] = [];
  for (let frame = 1; frame <= count; frame += 1) {
    const record = await readFile(join(folder, recordFile(frame)), 'utf8').catch(() => null);
    if (record === null) missing.push(frame);
    else frames.push(JSON.parse(record) as TracedFrame);
  }
  const engine = createPathTracerEngine();
  try {
    const [root, main] = [dirname(project.scene), project.scene.slice(dirname(project.scene).length + 1)];
    const settings = completeSettings(benchSettings(size));
    const units = missing.map((frame) => ({ frame, tile: 0 }));
    const sink = {
      async unit(made: Parameters<Parameters<typeof engine.render>[1]['unit']>[0]) {
        const { frame } = made.unit;
        const exr = `frame.${String(frame).padStart(4, '0')}.exr`;
        const preview = exr.replace('.exr', '.png');
        await writeFile(join(folder, preview), await thumbnail(made.previewPath, size.previewWidth, 'png'));
        await rename(made.exrPath, join(folder, exr));
        await rm(made.previewPath);
        const { width, height, channels, samples, rays } = made;
        const { hash, sizeBytes } = await hashFile(join(folder, exr));
        const record: TracedFrame = {
          ...{ build: engine.build, frame, exr, preview, sizeBytes, hash },
          ...{ width, height, channels, samples, rays },
        };
        await writeFile(join(folder, recordFile(frame)), JSON.stringify(record));
        frames.push(record);
        onFrame(frames.length);
      },
      progress() {},
      log() {},
    };
    const request = { files: { root, main }, settings, units, outputFolder: work, threads };
    if (units.length > 0) await engine.render(request, sink, new AbortController().signal);
    const index: ReplayIndex = {
      ...{ formatVersion: 1, engineBuild: buildsOf(frames) },
      frames: frames.sort((a, b) => a.frame - b.frame),
    };
    assertDistinct(index, count);
    await rm(work, { recursive: true, force: true });
    await writeFile(`${indexPath}.new`, JSON.stringify(index, null, 1));
    await rename(`${indexPath}.new`, indexPath);
    return index;
  } finally {
    await engine.close();
  }
}

/** As it lies in its folder, with the build that traced it; older ones lack that. */
type TracedFrame = ReplayFrame & { build?: string };

const buildsOf = (frames: readonly TracedFrame[]): string =>
  [...new Set(frames.map(({ build = 'an older build' }) => build))].join(', ');

const recordFile = (frame: number): string => `frame.${String(frame).padStart(4, '0')}.json`;

function assertDistinct({ frames }: ReplayIndex, count: number): void {
  const hashes = new Set(frames.map(({ hash }) => hash));
  if (hashes.size === count && frames.length === count) return;
  throw new FarmError('Internal', `Of ${frames.length} traced frames only ${hashes.size} are different.`, {});
}
