/** One run: one job over one topology, from its upload to its paid invoice, with the clock of the benchmark around it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FarmClient } from '../../../cli/sdk/client.ts';
import { readProject } from '../../../cli/sdk/project.ts';
import { pullJob } from '../../../cli/sdk/pull.ts';
import type { FrameView, JobEventView, JobView } from '../../../cli/sdk/types.ts';
import { FarmError } from '../../../domain/errors.ts';
import { type CalibratedLink, calibrate } from '../../../infra/netlab/calibrate.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import { payloadOf } from '../../../infra/netlab/shaping.ts';
import type { Keeper } from '../../../infra/stack/keeper.ts';
import type { ReplayIndex } from '../../../renderer/replay/index.ts';
import type { LinkBytes, LinkRate, RunParameters, RunReport } from './edgeReport.ts';
import { limitOf } from './limit.ts';
import { cpuBetween, markCpu } from './measure.ts';
import { submitFrames } from './orders.ts';
import { startOwnMachine } from './ownMachine.ts';
import type { BenchProject } from './shotProject.ts';
import { nodeSettings, SiteProcesses } from './siteProcesses.ts';
import type { StudioFarm } from './studioFarm.ts';
import { untilOnline, warmUp } from './warmUp.ts';

export interface RunContext {
  lab: Lab;
  keeper: Keeper;
  farm: StudioFarm;
  /** Absolute folder for what the run writes. */
  folder: string;
  project: BenchProject;
  /** Folder of the traced frames, and their index. */
  framesFolder: string;
  traced: ReplayIndex;
  keep: boolean;
  say(line: string): void;
}

/** Name of the node that makes quotes: it stands beside the studio, so that nothing is staged anywhere before the clock. */
const QUOTE_NODE = 'quote';
const TOKEN = 1e18;
/** Links are measured for so long, and all at once as long as they carry no more than this together. */
const STREAM_MS = 1_000;
const TOGETHER_MBITS = 400;

let runs = 0;

/** @throws FarmError when the job does not end well, `Internal` when what was delivered is not what was traced */
export async function runJob(context: RunContext, parameters: RunParameters): Promise<RunReport> {
  const { lab, farm, say } = context;
  runs += 1;
  const folder = join(context.folder, `run-${runs}-${parameters.topology}`);
  await mkdir(folder, { recursive: true });
  const names =
    parameters.topology === 'centre'
      ? ['centre']
      : Array.from({ length: parameters.sites }, (_, index) => `site-${index + 1}`);
  const links = await shapeLinks(lab, names, parameters);
  const sites = names.map((name) => new SiteProcesses(lab, context.keeper, name, join(folder, name)));
  try {
    for (const site of sites) await mkdir(join(folder, site.name), { recursive: true });
    await Promise.all(sites.map((site) => site.startServices()));
    for (const [index, { name, access }] of sites.entries()) {
      await farm.registerSite(name, access, links[index]!);
    }
    const client = await farm.openStudio(`run-${runs}`);
    const quoted = await quoteJob(context, client, parameters, folder);
    say(`quoted in ${quoted.quoteSeconds.toFixed(1)} s`);
    const siteOfNode = await startNodes(context, client, sites, parameters);
    await warmUp(await farm.openStudio(`warm-${runs}`), folder, parameters.size, siteOfNode.size);
    return await clockJob(context, client, { parameters, folder, links, siteOfNode, ...quoted });
  } finally {
    await Promise.all(sites.map((site) => site.stop()));
    if (!context.keep) await rm(folder, { recursive: true, force: true });
  }
}

async function shapeLinks(lab: Lab, names: readonly string[], { linkMbits, studioLinkMbits }: RunParameters) {
  const asked = new Map(names.map((name) => [name, linkMbits]));
  // A stream from a site crosses the studio's link too, which must not be in the way while sites are measured.
  await lab.shape('studio', null);
  const links: CalibratedLink[] = await calibrate(lab, asked, { streamMs: STREAM_MS, togetherMbits: TOGETHER_MBITS });
  if (studioLinkMbits !== null) {
    const { tbf } = links[0]!;
    const factor = studioLinkMbits / linkMbits;
    const rates = { up: tbf.down * factor, down: tbf.up * factor };
    await lab.shape('studio', rates);
    links.push({
      link: 'studio',
      askedMbits: studioLinkMbits,
      tbf: rates,
      upMbits: studioLinkMbits,
      downMbits: studioLinkMbits,
    });
  }
  return links;
}

/** Upload and quote, with one node beside the studio that then leaves. */
async function quoteJob(context: RunContext, client: FarmClient, parameters: RunParameters, folder: string) {
  const { lab, keeper, farm, framesFolder, project, say } = context;
  const quoter = new SiteProcesses(lab, keeper, 'studio', join(folder, QUOTE_NODE));
  await mkdir(join(folder, QUOTE_NODE), { recursive: true });
  const node = `run-${runs}-${QUOTE_NODE}`;
  await quoter.startNode(node, { ...nodeSettings(farm, { ...parameters, framesFolder }), site: 'local' });
  await untilOnline(client, [node]);
  const read = await readProject(project.scene);
  const began = performance.now();
  let uploaded = began;
  const order = { name: 'shot', size: parameters.size, frames: `1-${parameters.frames}` };
  const job = await submitFrames(client, read, order, () => {
    uploaded = performance.now();
  });
  const done = performance.now();
  await quoter.stop();
  say(`uploaded in ${((uploaded - began) / 1000).toFixed(2)} s`);
  return { job, uploadSeconds: (uploaded - began) / 1000, quoteSeconds: (done - uploaded) / 1000 };
}

/** Starts them all. @returns the site of each node by its name */
async function startNodes(
  { farm, framesFolder }: RunContext,
  client: FarmClient,
  sites: readonly SiteProcesses[],
  parameters: RunParameters,
): Promise<Map<string, string>> {
  const siteOfNode = new Map<string, string>();
  for (const site of sites) {
    for (let index = 0; index < parameters.nodesPerSite; index += 1) {
      // Nodes of an earlier run have left, but their names are theirs.
      const name = `run-${runs}-${site.name}-${index + 1}`;
      await site.startNode(name, nodeSettings(farm, { ...parameters, framesFolder }));
      siteOfNode.set(name, site.name);
    }
  }
  await untilOnline(client, [...siteOfNode.keys()]);
  return siteOfNode;
}

interface Clocked {
  parameters: RunParameters;
  folder: string;
  links: CalibratedLink[];
  siteOfNode: ReadonlyMap<string, string>;
  job: JobView;
  uploadSeconds: number;
  quoteSeconds: number;
}

async function clockJob(context: RunContext, client: FarmClient, run: Clocked): Promise<RunReport> {
  const { lab, traced, project, say } = context;
  const { parameters, links, siteOfNode } = run;
  const names = [...new Set(siteOfNode.values())];
  const before = new Map(await Promise.all(names.map(async (name) => [name, await lab.counters(name)] as const)));
  const cpuBefore = await markCpu(lab);
  const delivered = join(run.folder, 'delivered');
  const arrivals: number[] = [];
  const arrivedAt = new Map<string, number>();
  const endOwnMachine = startOwnMachine();
  try {
    await client.acceptJob(run.job.id);
    await pullJob(client, run.job.id, {
      folder: delivered,
      wait: true,
      transit: parameters.compressed ? 'on' : 'off',
      onFile: (name) => {
        if (!name.endsWith('.exr')) return;
        arrivals.push(Date.now());
        arrivedAt.set(name, Date.now());
      },
    });
  } finally {
    endOwnMachine();
  }
  const cpu = cpuBetween(cpuBefore, await markCpu(lab));
  const after = new Map(await Promise.all(names.map(async (name) => [name, await lab.counters(name)] as const)));
  const job = await client.job(run.job.id);
  if (job.status !== 'completed') {
    throw new FarmError('RenderFailed', `The run's job is ${job.status}: ${job.problem?.detail ?? 'no reason'}`, {});
  }
  const { events, frames } = await readHistory(client, job.id);
  await assertDelivered(delivered, frames, traced, parameters);

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
    ...{ frames: parameters.frames, frameBytes: sentBytes, renderSeconds: parameters.renderSeconds },
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
    await writeFile(join(run.folder, 'timeline.json'), JSON.stringify({ frames: rows, events: log }, null, 1));
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
    `${parameters.topology}: ${seconds.toFixed(2)} s, limit ${limit.seconds.toFixed(2)} s, share ${(100 * report.share).toFixed(1)} %`,
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
async function assertDelivered(
  folder: string,
  frames: readonly FrameView[],
  traced: ReplayIndex,
  { engine, frames: count }: RunParameters,
): Promise<void> {
  const hashes = new Set<string>();
  for (const { name, frame } of frames) {
    const hash = createHash('sha256');
    for await (const block of createReadStream(join(folder, name), { highWaterMark: 1 << 20 }))
      hash.update(block as Buffer);
    const digest = hash.digest('hex');
    hashes.add(digest);
    const expected = traced.frames.find((one) => one.frame === frame)?.hash;
    if (engine === 'replay' && digest !== expected) {
      throw new FarmError('Internal', `Frame ${frame} was delivered with other bytes than were traced.`, { frame });
    }
  }
  if (hashes.size === count) return;
  throw new FarmError('Internal', `${hashes.size} different frames were delivered; ${count} were ordered.`, {});
}
