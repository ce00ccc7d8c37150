/**
 * What work costs this machine, for the model: a few small jobs over all sites, with links as wide as the machine carries.
 * Jobs differ in frames, chunks, bytes of a frame and bytes staged, so that core seconds by program can be told apart by
 * what they are for. All sites' programs run, as in the benchmark: with one site alone the same work costs a quarter less,
 * since programs that seldom get a core find its caches cold. None of the benchmark's runs is part of it.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProject } from '../../../cli/sdk/project.ts';
import { FarmError } from '../../../domain/errors.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import type { Keeper } from '../../../infra/stack/keeper.ts';
import { type ReplayIndex, replayIndexFile } from '../../../renderer/replay/index.ts';
import type { CostsJob, CostsReport } from './edgeReport.ts';
import { submitFrames, untilCompleted } from './orders.ts';
import { markPrograms, programsBetween } from './programs.ts';
import type { PullOrder } from './pullProgram.ts';
import type { RunContext } from './runJob.ts';
import type { BenchProject } from './shotProject.ts';
import { nodeSettings, SiteProcesses } from './siteProcesses.ts';
import { SHOT_FRAMES, TINY_SIZE } from './size.ts';
import type { StudioClient } from './studioFarm.ts';
import { StudioProcess } from './studioProcess.ts';
import { untilOnline, warmUp } from './warmUp.ts';

/** What `main.ts` made for it beforehand. */
export interface CostsOrder {
  size: number;
  sites: number;
  /** A project and frames so small that their bytes cost nothing beside the steps. */
  tiny: BenchProject;
  tinyFolder: string;
  tinyFrames: ReplayIndex;
  /** A project of the benchmark's size that is staged whole. */
  allShared: BenchProject;
}

export type CostsContext = Omit<RunContext, 'keep' | 'shapes' | 'quoter' | 'links' | 'studio'> & {
  keeper: Keeper;
  /** Folder of the traced frames. */
  framesFolder: string;
};

/** Payload that a link without a shape is registered with, Mbit/s. */
const WIDE_MBITS = 10_000;
/** Frames up to this one are tiny in the replayed index, those after it full. */
const LAST_TINY = 80;
const IDLE_MS = 6_000;
const SETTLED_MS = 1_500;
/** An estimate for which each frame becomes a chunk of its own; nobody renders for so long. */
const LONG_SECONDS = 300;

interface Wanted {
  name: string;
  frames: [number, number];
  isTiny: boolean;
  isStaged?: boolean;
  isCut?: boolean;
  isFirst?: boolean;
}

const JOBS: readonly Wanted[] = [
  { name: 'first', frames: [1, 20], isTiny: true, isFirst: true },
  { name: 'frames', frames: [1, LAST_TINY], isTiny: true },
  { name: 'chunks', frames: [1, 30], isTiny: true, isCut: true },
  { name: 'bytes', frames: [LAST_TINY + 1, SHOT_FRAMES], isTiny: false },
  { name: 'staged', frames: [1, 20], isTiny: true, isStaged: true },
  { name: 'single', frames: [1, 1], isTiny: true },
];

/** @throws FarmError when a job does not end well */
export async function measureCosts(context: CostsContext, order: CostsOrder): Promise<CostsReport> {
  const { lab, keeper, farm, say } = context;
  const folder = join(context.folder, 'costs');
  const framesFolder = join(folder, 'frames');
  await mkdir(framesFolder, { recursive: true });
  await writeFile(join(framesFolder, replayIndexFile), JSON.stringify(mixedIndex(context, order, framesFolder)));
  const names = Array.from({ length: order.sites }, (_, index) => `site-${index + 1}`);
  for (const place of [...names, 'studio']) await lab.shape(place, null);
  const sites = names.map((name) => new SiteProcesses(lab, keeper, name, join(folder, name)));
  try {
    for (const { name } of sites) await mkdir(join(folder, name), { recursive: true });
    await Promise.all(sites.map((site) => site.startServices()));
    for (const { name, access } of sites) {
      await farm.registerSite(name, access, { upMbits: WIDE_MBITS, downMbits: WIDE_MBITS });
    }
    const quoted = [
      ...(await quote(context, order, { folder, framesFolder, isCut: true })),
      ...(await quote(context, order, { folder, framesFolder, isCut: false })),
    ];
    const nodes = sites.map((site) => ({ site, name: `costs-${site.name}` }));
    for (const { site, name } of nodes)
      await site.startNode(name, nodeSettings(farm, { engine: 'replay', framesFolder, renderSeconds: 0 }));
    const observer = quoted[0]!.client;
    await untilOnline(
      observer,
      nodes.map(({ name }) => name),
    );
    const { ended } = await warmUp(lab, await farm.openStudio('costs-warm-up'), {
      ...{ folder: join(folder, 'warm-up'), size: TINY_SIZE, nodes: nodes.length, places: nodes.length },
    });
    await ended;
    const jobs: CostsJob[] = [];
    let idle: CostsReport['idle'] | undefined;
    for (const wanted of JOBS) {
      const job = quoted.find(({ name }) => name === wanted.name)!;
      const measured = await runWanted(context, order, wanted, job, folder);
      jobs.push(measured);
      if (measured.isFirst) {
        const before = await markPrograms(lab);
        await sleep(IDLE_MS);
        idle = { seconds: IDLE_MS / 1000, coreSeconds: programsBetween(before, await markPrograms(lab)) };
        continue;
      }
      if (wanted.name !== 'bytes') continue;
      for (const compressed of [false, true]) jobs.push(await pullAgain(context, measured, job, folder, compressed));
    }
    for (const { name, seconds, coreSeconds } of jobs) {
      const sum = Object.values(coreSeconds).reduce((a, b) => a + b, 0);
      say(`costs: ${name}: ${seconds.toFixed(2)} s, ${sum.toFixed(2)} core seconds`);
    }
    const { size } = order;
    return { size, sites: names.length, cores: os.availableParallelism(), idle: idle!, jobs };
  } finally {
    await Promise.all(sites.map((site) => site.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Tiny frames first, then full ones, where they lie. */
function mixedIndex({ framesFolder, traced }: CostsContext, order: CostsOrder, folder: string): ReplayIndex {
  const { tinyFolder, tinyFrames } = order;
  const at = (source: string, { frames }: ReplayIndex) =>
    frames.map((frame) => ({
      ...frame,
      exr: relative(folder, join(source, frame.exr)),
      preview: relative(folder, join(source, frame.preview)),
    }));
  return {
    formatVersion: 1,
    engineBuild: `${traced.engineBuild}-costs`,
    frames: [
      ...at(tinyFolder, tinyFrames).filter(({ frame }) => frame <= LAST_TINY),
      ...at(framesFolder, traced).filter(({ frame }) => frame > LAST_TINY && frame <= SHOT_FRAMES),
    ],
  };
}

interface Quoted {
  name: string;
  /** Of a studio of its own: what one job put is not there for another. */
  client: StudioClient;
  id: string;
}

/** Uploads and quotes, by a node beside the studio that then leaves. */
async function quote(
  { lab, keeper, farm }: CostsContext,
  order: CostsOrder,
  { folder, framesFolder, isCut }: { folder: string; framesFolder: string; isCut: boolean },
): Promise<Quoted[]> {
  const name = `costs-quote-${isCut ? 'long' : 'short'}`;
  const quoter = new SiteProcesses(lab, keeper, 'studio', join(folder, name));
  await mkdir(join(folder, name), { recursive: true });
  try {
    const work = { engine: 'replay', framesFolder, renderSeconds: isCut ? LONG_SECONDS : 0 } as const;
    await quoter.startNode(name, { ...nodeSettings(farm, work), site: 'local' });
    const quoted: Quoted[] = [];
    for (const { name: job, frames, isTiny, isStaged } of JOBS.filter((one) => Boolean(one.isCut) === isCut)) {
      const project = await readProject((isStaged ? order.allShared : order.tiny).scene);
      const client = await farm.openStudio(`costs-${job}`);
      if (quoted.length === 0) await untilOnline(client, [name]);
      const wanted = { name: job, size: isTiny ? TINY_SIZE : order.size, frames: frames.join('-') };
      quoted.push({ name: job, client, id: (await submitFrames(client, project, wanted)).id });
    }
    return quoted;
  } finally {
    await quoter.stop();
  }
}

async function runWanted(
  { lab }: CostsContext,
  { tiny, allShared, sites }: CostsOrder,
  wanted: Wanted,
  { name, client, id }: Quoted,
  folder: string,
): Promise<CostsJob> {
  const { isStaged = false, isFirst = false } = wanted;
  const frames = wanted.frames[1] - wanted.frames[0] + 1;
  const before = await markPrograms(lab);
  const order: PullOrder = {
    ...{ access: client.access, jobId: id, folder: join(folder, 'delivered', name) },
    transit: 'off',
  };
  const arrived = await pullTimed(lab, frames, order, () => client.acceptJob(id));
  await untilCompleted(client, id);
  const leases: number[] = [];
  const { eventSeq, acceptedAt } = await client.job(id);
  for await (const event of client.events(id)) {
    const at = Date.parse(event.at);
    if (event.type === 'chunk.leased' && at >= Date.parse(acceptedAt!)) leases.push(at);
    if (event.seq >= eventSeq) break;
  }
  await sleep(SETTLED_MS);
  const staged = isStaged ? sites * allShared.sharedBytes : sites * tiny.sharedBytes + frames * tiny.ownBytes;
  return {
    ...{ name, frames, chunks: leases.length, frameMB: arrived.bytes / 1e6, stagedMB: staged / 1e6 },
    ...{ isSecondPull: false, compressed: false, isFirst, seconds: (arrived.at - Math.min(...leases)) / 1000 },
    coreSeconds: programsBetween(before, arrived.mark),
  };
}

/** The same frames once more, to another folder. */
async function pullAgain(
  { lab }: CostsContext,
  job: CostsJob,
  { client, id }: Quoted,
  folder: string,
  compressed: boolean,
): Promise<CostsJob> {
  const name = `${job.name}, ${compressed ? 'compressed' : 'again'}`;
  const began = Date.now();
  const before = await markPrograms(lab);
  const order: PullOrder = {
    ...{ access: client.access, jobId: id, folder: join(folder, 'delivered', name) },
    transit: compressed ? 'on' : 'off',
  };
  const arrived = await pullTimed(lab, job.frames, order);
  await sleep(SETTLED_MS);
  return {
    ...{ ...job, name, chunks: 0, stagedMB: 0, isSecondPull: true, compressed },
    ...{ seconds: (arrived.at - began) / 1000, coreSeconds: programsBetween(before, arrived.mark) },
  };
}

/** Pulls, and marks what was used when the last frame is on the disk: film and contact sheet come after that. */
async function pullTimed(lab: Lab, frames: number, order: PullOrder, begin: () => Promise<unknown> = async () => {}) {
  let left = frames;
  let bytes = 0;
  let last: { at: number; mark: ReturnType<typeof markPrograms> } | undefined;
  const studio = await StudioProcess.start(lab);
  try {
    await begin();
    await studio.pull(order, ({ name, sizeBytes, at }) => {
      if (!name.endsWith('.exr')) return;
      bytes += sizeBytes;
      left -= 1;
      if (left === 0) last = { at, mark: markPrograms(lab) };
    });
    if (!last) throw new FarmError('Internal', `Of ${frames} frames ${left} did not arrive.`, {});
    return { bytes, at: last.at, mark: await last.mark };
  } finally {
    await studio.end();
  }
}
