/** One run: one job over one topology, from its upload to its paid invoice, with the clock of the benchmark around it. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FarmClient } from '../../../cli/sdk/client.ts';
import { isFinalJob } from '../../../cli/sdk/jobStatus.ts';
import { readProject } from '../../../cli/sdk/project.ts';
import type { FrameView, JobEventView, JobView } from '../../../cli/sdk/types.ts';
import { FarmError } from '../../../domain/errors.ts';
import type { CalibratedLink } from '../../../infra/netlab/calibrate.ts';
import type { Lab, LinkCounters } from '../../../infra/netlab/lab.ts';
import { payloadOf } from '../../../infra/netlab/shaping.ts';
import { hashFile } from '../../../ports/store/hashFile.ts';
import type { ReplayIndex } from '../../../renderer/replay/index.ts';
import { DeliveredFrames } from './deliveredFrames.ts';
import type { LinkBytes, LinkRate, RunParameters, RunReport } from './edgeReport.ts';
import { limitOf, renderSecondsOf } from './limit.ts';
import type { Links } from './links.ts';
import { cpuBetween, markCpu } from './measure.ts';
import { submitFrames } from './orders.ts';
import { startHomeMachines } from './ownMachine.ts';
import type { PullOrder } from './pullProgram.ts';
import type { Quoter } from './quoter.ts';
import { emptyCache, removeFrames, type Shapes } from './shapes.ts';
import type { BenchProject } from './shotProject.ts';
import type { StudioClient, StudioFarm } from './studioFarm.ts';
import type { StudioProcess } from './studioProcess.ts';

/** A run that was asked for, under a name of the asker's. */
export interface NamedRun {
  name: string;
  parameters: RunParameters;
  project: BenchProject;
}

export interface RunContext {
  lab: Lab;
  farm: StudioFarm;
  shapes: Shapes;
  links: Links;
  quoter: Quoter;
  studio: StudioProcess;
  /** Absolute folder for what the run writes. */
  folder: string;
  traced: ReplayIndex;
  /** Folder of the traced frames. */
  framesFolder: string;
  keep: boolean;
  /** The disk has room for all frames of a run at the studio. */
  studioKeepsFrames: boolean;
  say(line: string): void;
}

const TOKEN = 1e18;
const LOOK_MS = 500;

/** A run whose job is uploaded and quoted. Nothing of it is at a site yet. */
export interface PreparedRun extends NamedRun {
  /** Of a studio of its own: what one run put is not there for another. */
  client: StudioClient;
  job: JobView;
  uploadSeconds: number;
  quoteSeconds: number;
}

let studios = 0;

/** Upload and quote, with the quoting node beside the studio and no other at work. @throws FarmError when there is no quote */
export async function prepareRun({ farm, quoter, say }: RunContext, run: NamedRun): Promise<PreparedRun> {
  const { name, parameters, project } = run;
  const node = await quoter.of(parameters);
  await farm.giveWorkTo([node]);
  studios += 1;
  const client = await farm.openStudio(`run-${studios}`);
  const read = await readProject(project.scene);
  const began = performance.now();
  let uploaded = began;
  const order = { name: 'shot', size: parameters.size, frames: `1-${parameters.frames}` };
  const job = await submitFrames(client, read, order, () => {
    uploaded = performance.now();
  });
  const uploadSeconds = (uploaded - began) / 1000;
  const quoteSeconds = (performance.now() - uploaded) / 1000;
  say(`${name}: uploaded in ${uploadSeconds.toFixed(2)} s, quoted in ${quoteSeconds.toFixed(1)} s`);
  return { ...run, client, job, uploadSeconds, quoteSeconds };
}

/** What is done beside a run; the run waits for it. */
interface Beside {
  /** Begins when all frames are committed and only their way to the studio is left. */
  meanwhile?: (() => Promise<void>) | undefined;
  /** Begins when the clock has stopped, and the job is only settled. */
  afterwards: () => Promise<void>;
}

/**
 * Takes a prepared job over its shape and links, with the benchmark's clock around it.
 * @throws FarmError when the job does not end well, `Internal` when what was delivered is not what was traced
 */
export async function measureRun(
  context: RunContext,
  prepared: PreparedRun,
  { meanwhile, afterwards }: Beside,
): Promise<RunReport> {
  const { farm, shapes } = context;
  const { parameters, client, job } = prepared;
  const { sites, siteOfNode, settled } = await shapes.of(parameters);
  await settled;
  const links = await context.links.set(parameters);
  for (const [index, { name, access, cacheFolder }] of sites.entries()) {
    await farm.registerSite(name, access, links[index]!);
    await emptyCache(cacheFolder);
  }
  await farm.giveWorkTo([...siteOfNode.keys()]);
  if (parameters.engine === 'replay') await readThrough(context, parameters.frames);
  await startHomeMachines(context.lab);
  const folder = join(context.folder, `run-${prepared.name}`);
  await mkdir(folder, { recursive: true });
  const ended = new AbortController();
  const beside =
    meanwhile && untilCommitted(client, job.id, ended.signal).then((all) => (all ? meanwhile() : undefined));
  // Whoever fails first is told; the other is waited for.
  beside?.catch(() => undefined);
  try {
    return await clockJob(context, { ...prepared, folder, links, siteOfNode }, afterwards);
  } finally {
    ended.abort();
    await beside;
    if (!context.keep) await rm(folder, { recursive: true, force: true });
    await removeFrames(client, sites);
  }
}

/**
 * What is handed out as just traced is what was traced, and lies in memory as it would there: a machine that waited for long has
 * taken it back.
 * @throws FarmError `Internal` when a file is another
 */
async function readThrough({ framesFolder, traced }: RunContext, frames: number): Promise<void> {
  for (const { frame, exr, hash } of traced.frames.slice(0, frames)) {
    if ((await hashFile(join(framesFolder, exr))).hash === hash) continue;
    throw new FarmError('Internal', `"${exr}" is not what was traced; remove its folder to trace anew.`, { frame });
  }
}

/** @returns whether that came before the signal */
async function untilCommitted(client: FarmClient, id: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    await sleep(LOOK_MS);
    const { status, frames } = await client.job(id);
    if (frames.total > 0 && frames.committed === frames.total) return true;
    if (isFinalJob(status)) return false;
  }
  return false;
}

interface Clocked extends PreparedRun {
  folder: string;
  links: CalibratedLink[];
  siteOfNode: ReadonlyMap<string, string>;
}

async function clockJob(context: RunContext, run: Clocked, afterwards: () => Promise<void>): Promise<RunReport> {
  const { lab, studio, traced, say } = context;
  const { client, project, parameters, links, siteOfNode } = run;
  const names = [...new Set(siteOfNode.values())];
  const before = new Map(await Promise.all(names.map(async (name) => [name, await lab.counters(name)] as const)));
  const folder = join(run.folder, 'delivered');
  const delivered = new DeliveredFrames(folder, context.studioKeepsFrames);
  const arrivedAt = new Map<string, number>();
  const cpuBefore = await markCpu(lab);
  /** What is measured and done when the last frame is there, and the job has only to be settled. */
  const stopClock = async () => {
    const cpu = cpuBetween(cpuBefore, await markCpu(lab));
    const after = new Map<string, LinkCounters>();
    for (const name of names) after.set(name, await lab.counters(name));
    await afterwards();
    return { cpu, after, hashes: await delivered.hashes() };
  };
  let stopping: ReturnType<typeof stopClock> | undefined;
  await client.acceptJob(run.job.id);
  const order: PullOrder = {
    ...{ access: client.access, jobId: run.job.id, folder },
    transit: parameters.compressed ? 'on' : 'off',
  };
  await studio.pull(order, ({ name, at }) => {
    if (!name.endsWith('.exr')) return;
    arrivedAt.set(name, at);
    delivered.arrived(name);
    if (arrivedAt.size < parameters.frames) return;
    stopping ??= stopClock();
    // Told where it is waited for.
    stopping.catch(() => undefined);
  });
  const { cpu, after, hashes } = await (stopping ?? stopClock());
  const arrivals = [...arrivedAt.values()].sort((a, b) => a - b);
  const job = await client.job(run.job.id);
  if (job.status !== 'completed') {
    throw new FarmError('RenderFailed', `The run's job is ${job.status}: ${job.problem?.detail ?? 'no reason'}`, {});
  }
  const { events, frames } = await readHistory(client, job.id);
  assertDelivered(hashes, frames, traced, parameters);

  // The first lease is given just before the first project byte leaves the home store; the one of the quote came earlier.
  const accepted = Date.parse(job.acceptedAt!);
  const start = Math.min(
    ...events
      .filter(({ type }) => type === 'chunk.leased')
      .map(({ at }) => Date.parse(at))
      .filter((at) => at >= accepted),
  );
  const seconds = (arrivals.at(-1)! - start) / 1000;
  const frameBytes = frames[0]!.exr!.sizeBytes;
  const upOf = (link: string): number => after.get(link)!.up - before.get(link)!.up;
  // What a compressed frame takes on its way is known only afterwards: the limit of such a run is that of what crossed.
  const crossed = names.reduce((sum, link) => sum + payloadOf(upOf(link)), 0) / frames.length;
  const sentBytes = parameters.compressed ? Math.min(frameBytes, crossed) : frameBytes;
  const siteLinks = links.filter(({ link }) => link !== 'studio');
  const limit = limitOf({
    ...{ frames: parameters.frames, frameBytes: sentBytes },
    renderSeconds: renderSecondsOf(
      parameters,
      frames.map((frame) => frame.renderSeconds!),
    ),
    ...{ sharedBytes: project.sharedBytes, ownBytes: project.ownBytes },
    ...{ sites: parameters.sites, nodesPerSite: parameters.nodesPerSite },
    linkMbits: Math.min(...siteLinks.map(({ upMbits }) => upMbits)),
    studioLinkMbits: parameters.studioLinkMbits,
  });
  if (context.keep) {
    const rows = frames.map(({ frame, name, node, committedAt, renderSeconds }) => ({
      ...{ frame, node, renderSeconds, committed: (Date.parse(committedAt!) - start) / 1000 },
      delivered: (arrivedAt.get(name)! - start) / 1000,
    }));
    const log = events.map(({ at, type, data }) => ({ second: (Date.parse(at) - start) / 1000, type, data }));
    await writeFile(
      join(run.folder, 'timeline.json'),
      JSON.stringify({ began: new Date(start), frames: rows, events: log }, null, 1),
    );
  }
  const committed = frames.map(({ committedAt }) => (Date.parse(committedAt!) - start) / 1000);
  const report: RunReport = {
    ...{ parameters, seconds, secondsWithUpload: seconds + run.uploadSeconds },
    ...{ limitSeconds: limit.seconds, share: limit.seconds / seconds, limit },
    links: links.map(rateOf),
    bytesByLink: names.map((link): LinkBytes => {
      const count = frames.filter(({ node }) => siteOfNode.get(node!) === link).length;
      return {
        link,
        upBytes: upOf(link),
        neededUpBytes: Math.round(count * sentBytes),
        downBytes: after.get(link)!.down - before.get(link)!.down,
        neededDownBytes: count > 0 ? project.sharedBytes + count * project.ownBytes : 0,
      };
    }),
    costPerFrame: {
      tokens: Number(job.spent) / TOKEN / frames.length,
      currency: job.currency,
      amount: job.spentCents / 100 / frames.length,
    },
    ...{ uploadSeconds: run.uploadSeconds, quoteSeconds: run.quoteSeconds },
    settlementSeconds: job.endedAt ? Math.max(0, (Date.parse(job.endedAt) - arrivals.at(-1)!) / 1000) : null,
    stageSeconds: Object.fromEntries(
      job.stages.flatMap(({ stage, seconds: took }) => (took === null ? [] : [[stage, took]])),
    ),
    timeline: {
      ...{ firstFrameRendered: null, lastFrameRendered: null },
      ...{ firstFrameCommitted: Math.min(...committed), lastFrameCommitted: Math.max(...committed) },
      firstFrameDelivered: (arrivals[0]! - start) / 1000,
      lastFrameDelivered: seconds,
    },
    ...{ frames: frames.length, frameBytes, cpu },
    projectBytes: { total: project.totalBytes, shared: project.sharedBytes, ownPerFrame: project.ownBytes },
  };
  say(
    `${run.name}: ${seconds.toFixed(2)} s, limit ${limit.seconds.toFixed(2)} s, share ${(100 * report.share).toFixed(1)} %`,
  );
  return report;
}

const rateOf = ({ link, askedMbits, tbf, upMbits, downMbits }: CalibratedLink): LinkRate => ({
  ...{ link, askedMbits, tbfMbits: tbf.up, upMbits, downMbits },
});

async function readHistory(
  client: FarmClient,
  jobId: string,
): Promise<{ events: JobEventView[]; frames: FrameView[] }> {
  const events: JobEventView[] = [];
  const { eventSeq } = await client.job(jobId);
  for await (const event of client.events(jobId)) {
    events.push(event);
    if (event.seq >= eventSeq) break;
  }
  const frames: FrameView[] = [];
  for await (const frame of client.frames(jobId)) if (frame.status === 'committed') frames.push(frame);
  return { events, frames };
}

/** What lies on the studio's disk is, byte for byte, what was traced; every frame is there once, and no two are equal. */
function assertDelivered(
  hashes: ReadonlyMap<string, string>,
  frames: readonly FrameView[],
  traced: ReplayIndex,
  { engine, frames: count }: RunParameters,
): void {
  for (const { name, frame } of frames) {
    const expected = traced.frames.find((one) => one.frame === frame)?.hash;
    if (engine === 'replay' && hashes.get(name) !== expected) {
      throw new FarmError('Internal', `Frame ${frame} was delivered with other bytes than were traced.`, { frame });
    }
  }
  const different = new Set(hashes.values()).size;
  if (different === count && frames.length === count) return;
  throw new FarmError('Internal', `${different} different frames were delivered; ${count} were ordered.`, {});
}
