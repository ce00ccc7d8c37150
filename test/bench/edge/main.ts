/**
 * The centre-vs-edge benchmark: `npm run bench:edge [-- --help]`.
 *
 * Makes project and frames (kept in `.cache`), builds the network lab, runs the real farm over a centre and over sites, and
 * prints what came of it. Needs root and iproute2. Exit code 1 when a run failed or was faster than its limit allows.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { FarmError } from '../../../domain/errors.ts';
import { measureUnshaped } from '../../../infra/netlab/calibrate.ts';
import { requireLab } from '../../../infra/netlab/commands.ts';
import { Lab } from '../../../infra/netlab/lab.ts';
import { distFolder, repositoryRoot } from '../../../infra/stack/paths.ts';
import { reportError } from '../commandLine.ts';
import type { CostsOrder } from './costs.ts';
import { ARTICLE, type EdgeReport, type MachineReport, type RunReport } from './edgeReport.ts';
import type { InsideOrder, InsideResult } from './inside.ts';
import { LARGEST_SHARE } from './limit.ts';
import { measureDisk } from './measure.ts';
import { type EdgeOptions, readOptions, USAGE } from './options.ts';
import { collect, planRuns, projectsOf } from './plan.ts';
import { writeReport } from './report/write.ts';
import { type BenchProject, makeProject, PROJECT_VERSION } from './shotProject.ts';
import { SHOT_FRAMES, shotSize, TINY_SIZE } from './size.ts';
import { hasRoomForAll } from './space.ts';
import { ASSUMPTIONS, DROPPED, EMULATED } from './statements.ts';
import { PICTURES_VERSION, traceFrames } from './tracedFrames.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const options = readOptions();
try {
  await requireLab();
  const report = await benchmark(options);
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (options.json) await writeFile(options.json, text);
  if (options.report) await writeReport(options.report, report);
  if (!options.json && !options.report) process.stdout.write(text);
  say(summary(report));
  process.exitCode = report.failures.length > 0 ? 1 : 0;
} catch (error) {
  reportError(error, USAGE);
}

async function benchmark(options: EdgeOptions): Promise<EdgeReport> {
  const startedAt = new Date().toISOString();
  const size = shotSize(options.size);
  const planned = planRuns(options);
  const cache = join(repositoryRoot, '.cache', 'bench-edge');
  mkdirSync(cache, { recursive: true });
  const key = `${PROJECT_VERSION}-${options.size}`;
  const projects = new Map<string, BenchProject>();
  for (const kind of new Set([...projectsOf(planned), 'shot' as const])) {
    projects.set(kind, await makeProject(join(cache, `${kind}-${key}`), kind, size));
  }
  const framesFolder = join(cache, `frames-${PICTURES_VERSION}-${options.size}`);
  say(`Frames of ${size.width}×${size.height} from ${framesFolder}; traced now where they are missing.`);
  const traceable = {
    // What a frame costs is measured with other frames than the runs'.
    count: options.parts.includes('costs') ? SHOT_FRAMES : options.frames,
    threads: os.availableParallelism(),
  };
  const shot = projects.get('shot')!;
  const traced = await traceFrames(framesFolder, shot, size, traceable, (done) => {
    if (done % 10 === 0) say(`  ${done} frames`);
  });

  const studioKeepsFrames = await hasRoomForAll(os.tmpdir(), {
    frames: traced.frames.slice(0, options.frames).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    project: 2 * shot.totalBytes + options.sites * shot.sharedBytes,
  });
  const costs = options.parts.includes('costs') ? await costsOrder(cache, options) : null;
  const folder = await mkdtemp(join(os.tmpdir(), 'framewright-edge-'));
  // The database's own user has to get through when we are root.
  await chmod(folder, 0o711);
  const lab = await Lab.build(['centre', ...Array.from({ length: options.sites }, (_, index) => `site-${index + 1}`)]);
  try {
    const machine = await measureMachine(lab, folder, options);
    const runs = planned.map(({ name, parameters }) => ({
      name,
      parameters,
      project: projects.get(parameters.project)!,
    }));
    const resultPath = join(folder, 'result.json');
    const { keep } = options;
    const order = {
      lab: lab.describe(),
      folder,
      framesFolder,
      traced,
      runs,
      costs,
      keep,
      studioKeepsFrames,
      resultPath,
    };
    await runInside(lab, order);
    const { runs: results, costs: measured } = JSON.parse(readFileSync(resultPath, 'utf8')) as InsideResult;
    const done = new Map(results.flatMap((one) => ('report' in one ? [[one.name, one.report] as const] : [])));
    const failed = new Map(results.flatMap((one) => ('failure' in one ? [[one.name, one.failure] as const] : [])));
    const { linkMbits, sites, engine, renderSeconds, project } = options;
    return {
      ...{ formatVersion: 1, startedAt, size: options.size, linkMbits, sites, engine, renderSeconds, project },
      ...collect(done, failed),
      ...(measured ? { costs: measured } : {}),
      failures: [...[...failed].map(([name, why]) => `${name}: ${why}`), ...impossible(done)],
      ...{ machine, article: ARTICLE, emulated: EMULATED },
      assumptions: studioKeepsFrames ? ASSUMPTIONS : [...ASSUMPTIONS, DROPPED],
    };
  } finally {
    await lab.remove();
    if (options.keep) say(`Kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

/** Projects and tiny frames of the costs' measurement, made once like the others. */
async function costsOrder(cache: string, { size, sites }: EdgeOptions): Promise<CostsOrder> {
  const make = (kind: 'shot' | 'all-shared', size: number): Promise<BenchProject> =>
    makeProject(join(cache, `${kind}-${PROJECT_VERSION}-${size}`), kind, shotSize(size));
  const tinyFolder = join(cache, `frames-${PICTURES_VERSION}-${TINY_SIZE}`);
  const tiny = await make('shot', TINY_SIZE);
  const all = { count: SHOT_FRAMES, threads: os.availableParallelism() };
  const tinyFrames = await traceFrames(tinyFolder, tiny, shotSize(TINY_SIZE), all, () => {});
  return { size, sites, tiny, tinyFolder, tinyFrames, allShared: await make('all-shared', size) };
}

/** Faster than any software can be, or with data that was at a site before: then something was measured wrongly. */
function impossible(done: ReadonlyMap<string, RunReport>): string[] {
  return [...done].flatMap(([name, { share, bytesByLink }]) => [
    ...(share > LARGEST_SHARE
      ? [`${name}: its share of the limit is ${share.toFixed(4)}, above ${LARGEST_SHARE}.`]
      : []),
    ...bytesByLink.flatMap(({ link, downBytes, neededDownBytes }) =>
      downBytes < neededDownBytes
        ? [`${name}: ${downBytes} bytes went to ${link}, whose frames read ${neededDownBytes}.`]
        : [],
    ),
  ]);
}

async function runInside(lab: Lab, order: InsideOrder): Promise<void> {
  const { command, args } = lab.inside('studio', process.execPath, [
    '--enable-source-maps',
    join(distFolder, 'test', 'bench', 'edge', 'inside.js'),
  ]);
  const child = spawn(command, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, BENCH_EDGE: JSON.stringify(order) },
  });
  let stopped: NodeJS.Signals | undefined;
  const end = (signal: NodeJS.Signals): void => {
    stopped = signal;
    child.kill('SIGTERM');
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (stopped) throw new FarmError('Cancelled', `The benchmark was stopped by ${stopped}.`, {});
  if (code !== 0) throw new FarmError('Internal', `The benchmark inside the studio ended with code ${code}.`, {});
}

async function measureMachine(lab: Lab, folder: string, { linkMbits, sites }: EdgeOptions): Promise<MachineReport> {
  const unshapedMbits = await measureUnshaped(lab, 'centre');
  const { writeMBs, readMBs } = await measureDisk(folder);
  const wantedMbits = linkMbits * sites;
  // Each byte is written at a site and at the studio, and read at least twice.
  const wantedMBs = (2 * wantedMbits) / 8;
  const reasons = [
    ...(unshapedMbits < 2 * wantedMbits
      ? [`the machine carries ${unshapedMbits.toFixed(0)} Mbit/s over unshaped links`]
      : []),
    ...(writeMBs < wantedMBs ? [`the disk writes ${writeMBs.toFixed(0)} MB/s of ${wantedMBs.toFixed(0)} wanted`] : []),
  ];
  return {
    processor: os.cpus()[0]?.model.trim() ?? os.arch(),
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
    kernel: os.release(),
    date: new Date().toISOString().slice(0, 10),
    ...{ unshapedMbits, diskWriteMBs: writeMBs, diskReadMBs: readMBs },
    limitedBy: reasons.length > 0 ? `${reasons.join('; ')}: the machine, not the links, may set the pace` : null,
  };
}

function summary({ centre, edge, ratio, limitRatio, failures }: EdgeReport): string {
  const line = (name: string, run: RunReport | null): string =>
    run
      ? `${name.padEnd(8)}${run.seconds.toFixed(2).padStart(9)} s of ${run.limitSeconds.toFixed(2)} s, ${(100 * run.share).toFixed(1)} %`
      : `${name.padEnd(8)} not run`;
  const ratios = ratio === null ? [] : [`ratio ${ratio.toFixed(2)}, of the limits ${limitRatio!.toFixed(2)}`];
  return [line('centre', centre), line('edge', edge), ...ratios, ...failures.map((why) => `FAILED ${why}`)].join('\n');
}
