/** How long large meshes take to their BVH and to the first pixel, and how much memory. Each figure is a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchContext, PartOutcome } from '../part.ts';
import { sphereField } from '../scenes.ts';
import { writeGlb } from './glb.ts';
import type { Measurement } from './measure.ts';

interface BuildFigures {
  triangles: number;
  /** Copying the mesh in and building its tree. */
  buildSeconds: number;
  /** From a scene in memory, and from a .glb file, to 16 x 16 pixels of one sample. */
  firstPixelSeconds: number;
  firstPixelFromFileSeconds: number;
  /** Tree, indices and attributes. */
  bytesPerTriangle: number;
  /** How far the tracer's memory (at most 4 GiB) grew while building. */
  heapPeakBytes: number;
  /** Largest resident set of a process that holds the scene, builds it and traces the first pixels. */
  peakRssBytes: number;
  peakRssFromFileBytes: number;
}

/** Needs Node alone, and about 4 GiB of free memory for ten million triangles, which `--quick` leaves out. */
export async function benchBuild(context: BenchContext): Promise<PartOutcome<BuildFigures[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-build-'));
  try {
    const result: BuildFigures[] = [];
    for (const triangles of context.quick ? [100_000, 1_000_000] : [100_000, 1_000_000, 10_000_000]) {
      result.push(await figures(context, folder, triangles));
    }
    return { result };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function figures({ say, threads }: BenchContext, folder: string, triangles: number): Promise<BuildFigures> {
  const mesh = await measure('mesh', `${triangles}`, threads);
  say(`${mesh.triangles} triangles: tree in ${mesh.seconds.toFixed(2)} s`);
  const frame = await measure('frame', `${triangles}`, threads);
  say(`first pixel after ${frame.seconds.toFixed(2)} s, ${Math.round(frame.peakRssBytes / 2 ** 20)} MiB resident`);
  const path = join(folder, `${triangles}.glb`);
  await writeGlb(path, sphereField(triangles).meshes[0]!);
  const file = await measure('file', path, threads);
  await rm(path);
  say(`from a file after ${file.seconds.toFixed(2)} s, ${Math.round(file.peakRssBytes / 2 ** 20)} MiB resident`);
  return {
    triangles: mesh.triangles,
    buildSeconds: mesh.seconds,
    firstPixelSeconds: frame.seconds,
    firstPixelFromFileSeconds: file.seconds,
    bytesPerTriangle: mesh.heapBytes! / mesh.triangles,
    heapPeakBytes: mesh.heapPeakBytes!,
    peakRssBytes: frame.peakRssBytes,
    peakRssFromFileBytes: file.peakRssBytes,
  };
}

async function measure(mode: 'mesh' | 'frame' | 'file', subject: string, threads: number): Promise<Measurement> {
  const script = fileURLToPath(new URL('measure.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, mode, subject, `${threads}`]);
  return JSON.parse(stdout) as Measurement;
}
