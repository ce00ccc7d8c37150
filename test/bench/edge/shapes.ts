/** What runs at the lab's places: stores, agents and nodes of a centre or of sites, kept from run to run of the same shape. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FarmClient } from '../../../cli/sdk/client.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import type { Keeper } from '../../../infra/stack/keeper.ts';
import type { RunParameters } from './edgeReport.ts';
import { nodeSettings, SiteProcesses } from './siteProcesses.ts';
import type { StudioFarm } from './studioFarm.ts';
import { untilOnline, warmUp } from './warmUp.ts';

/** Places with their programs. */
export interface Shape {
  sites: readonly SiteProcesses[];
  /** Name of the place of each node, by the node's name. */
  siteOfNode: ReadonlyMap<string, string>;
  /** The farm has done all that its warm-up gave it to do. @throws what the warm-up failed with */
  settled: Promise<void>;
}

/** What of a run decides on programs: links, frames and the project do not. */
type ShapeParameters = Pick<
  RunParameters,
  'topology' | 'sites' | 'nodesPerSite' | 'engine' | 'renderSeconds' | 'linkMbits' | 'size'
>;

/** What programs of the lab are started with. */
export interface ProgramsContext {
  lab: Lab;
  keeper: Keeper;
  farm: StudioFarm;
  /** Absolute folder for what the programs write. */
  folder: string;
  /** Folder of the traced frames. */
  framesFolder: string;
}

/** After so long without work programs are no longer warm: memory of theirs that nobody used may have been taken back. Milliseconds. */
const WARM_MS = 60_000;

/** Names of the places that a run uses. */
export const placesOf = ({ topology, sites }: Pick<RunParameters, 'topology' | 'sites'>): string[] =>
  topology === 'centre' ? ['centre'] : Array.from({ length: sites }, (_, index) => `site-${index + 1}`);

/** Removes all frames of a studio from the stores of sites: a disk that holds those of one run need not hold others beside them. */
export async function removeFrames(client: FarmClient, sites: readonly SiteProcesses[]): Promise<void> {
  const { studio } = await client.me();
  for (const site of sites) await site.removeFrames(studio!.id);
}

export class Shapes {
  readonly #context: ProgramsContext;
  /** One of each topology at most: another one stands at the same places. */
  readonly #running = new Map<RunParameters['topology'], { key: string; shape: Shape; usedAt: number }>();
  #started = 0;
  #warmed = 0;

  constructor(context: ProgramsContext) {
    this.#context = context;
  }

  /** The shape of a run, started and warm, also where it stood idle for long, though its warm-up may not be settled yet. Where it was started, its nodes are the only ones that get work. @throws FarmError when a program does not come up */
  async of(parameters: ShapeParameters): Promise<Shape> {
    const { topology, sites, nodesPerSite, engine, renderSeconds } = parameters;
    const key = [sites, nodesPerSite, engine, renderSeconds].join('/');
    const running = this.#running.get(topology);
    const isUp = running?.key === key;
    if (isUp && performance.now() - running.usedAt < WARM_MS) {
      running.usedAt = performance.now();
      return running.shape;
    }
    if (!isUp) await this.#stop(topology);
    try {
      const shape = isUp ? running.shape : await this.#start(parameters, key);
      await this.#warm(shape, parameters);
      this.#running.get(topology)!.usedAt = performance.now();
      return shape;
    } catch (error) {
      // Nothing half started is taken for a shape.
      await this.#stop(topology);
      throw error;
    }
  }

  async #warm(shape: Shape, parameters: ShapeParameters): Promise<void> {
    const { lab, farm, folder } = this.#context;
    await farm.giveWorkTo([...shape.siteOfNode.keys()]);
    this.#warmed += 1;
    const name = `warm-${this.#warmed}`;
    const client = await farm.openStudio(name);
    const { ended } = await warmUp(lab, client, {
      ...{ folder: join(folder, name), size: parameters.size },
      ...{ nodes: shape.siteOfNode.size, places: shape.sites.length },
    });
    shape.settled = ended
      .then(() => removeFrames(client, shape.sites))
      .catch(async (error: unknown) => {
        await this.#stop(parameters.topology);
        throw error;
      });
    // Told where it is waited for.
    shape.settled.catch(() => undefined);
  }

  /** Ends those that none of these runs needs. */
  async keepFor(runs: readonly { parameters: ShapeParameters }[]): Promise<void> {
    const needed = new Set(runs.map(({ parameters }) => parameters.topology));
    for (const topology of [...this.#running.keys()]) if (!needed.has(topology)) await this.#stop(topology);
  }

  async stop(): Promise<void> {
    for (const topology of [...this.#running.keys()]) await this.#stop(topology);
  }

  async #start(parameters: ShapeParameters, key: string): Promise<Shape> {
    const { lab, keeper, farm, folder, framesFolder } = this.#context;
    this.#started += 1;
    // Nodes of an earlier shape have left, but their names are theirs.
    const prefix = `shape-${this.#started}`;
    const names = placesOf(parameters);
    const sites = names.map((name) => new SiteProcesses(lab, keeper, name, join(folder, prefix, name)));
    const siteOfNode = new Map<string, string>();
    const shape: Shape = { sites, siteOfNode, settled: Promise.resolve() };
    this.#running.set(parameters.topology, { key, shape, usedAt: performance.now() });
    for (const name of names) await mkdir(join(folder, prefix, name), { recursive: true });
    await Promise.all(sites.map((site) => site.startServices()));
    const { linkMbits } = parameters;
    for (const { name, access } of sites) {
      await farm.registerSite(name, access, { upMbits: linkMbits, downMbits: linkMbits });
    }
    const settings = nodeSettings(farm, { ...parameters, framesFolder });
    for (const site of sites) {
      for (let index = 1; index <= parameters.nodesPerSite; index += 1) {
        const name = `${prefix}-${site.name}-${index}`;
        await site.startNode(name, settings);
        siteOfNode.set(name, site.name);
      }
    }
    await untilOnline(await farm.openStudio(prefix), [...siteOfNode.keys()]);
    await farm.untilSitesOnline(names);
    return shape;
  }

  async #stop(topology: RunParameters['topology']): Promise<void> {
    const running = this.#running.get(topology);
    this.#running.delete(topology);
    if (running) await Promise.all(running.shape.sites.map((site) => site.stop()));
  }
}

const BLOB = /^[0-9a-f]{64}$/;

/** Takes what an earlier run staged from a host's cache, as an eviction would: the next run has to stage all of it. */
export async function emptyCache(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await Promise.all(names.filter((name) => BLOB.test(name)).map((name) => rm(join(folder, name), { force: true })));
}
