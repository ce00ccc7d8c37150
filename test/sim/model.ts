/**
 * One job on the modelled farm: chunks are claimed, their data staged, frames rendered, published, delivered and checked, as
 * nodes, sites and the studio do it, over links that share fairly. Control steps take the time that `FarmSpec` says.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { allocate, type PlannedChunk } from './allocation.ts';
import { ChunkDesk } from './chunkDesk.ts';
import { EventQueue } from './events.ts';
import { bytesPerSecond, Link, Network, type Place } from './network.ts';
import type { LinkSpec, Outcome, Scenario, SiteSpec } from './scenario.ts';
import { SharedData } from './sharedData.ts';

/** A place with nodes, and the frames that wait there for a stream to the studio. */
export interface ModelSite extends Place {
  index: number;
  spec: SiteSpec;
  waiting: number;
  freeStreams: number;
  frames: number;
  renderedSeconds: number;
}

/** A node with the chunk it works on; frames are counted by their place in it. */
interface ModelNode {
  site: ModelSite;
  chunk: PlannedChunk | null;
  stagedFrames: number;
  renderedFrames: number;
  publishedFrames: number;
  isStaging: boolean;
  isRendering: boolean;
}

/** From so many sites on, shares of the studio's link may be out of date by this. */
const MANY_SITES = 100;
const TOLERANCE = 5e-3;

/** Runs a scenario to its end. The same scenario gives the same outcome. */
export function simulate(scenario: Scenario): Outcome {
  return new Run(scenario).outcome();
}

class Run {
  #scenario: Scenario;
  #events = new EventQueue();
  #network: Network;
  #studio: Place;
  #home: Place;
  #sites: ModelSite[];
  #shared: SharedData;
  #desk: ChunkDesk;
  #random: () => number;
  /** When each job's lock is free again. */
  #lockedUntil: number[] = [];
  #startedAt = Number.POSITIVE_INFINITY;
  #lastRendered = 0;
  #delivered = 0;
  #deliveredAt: Float64Array;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { job, sites, studio, home, farm, seed } = scenario;
    this.#network = new Network(
      this.#events,
      sites.length >= MANY_SITES ? { tolerance: TOLERANCE, transferBytes: job.frameBytes } : null,
    );
    this.#studio = placeOf('studio', studio);
    this.#home = home ? placeOf('home', home) : this.#studio;
    this.#sites = sites.map((spec, index) => ({
      ...placeOf(spec.name, spec),
      ...{ index, spec, waiting: 0, freeStreams: farm.streamsPerSite, frames: 0, renderedSeconds: 0 },
    }));
    const generator = xoroshiro128plus(seed);
    this.#random = () => uniformFloat64(generator);
    this.#shared = new SharedData(scenario, this.#sites, this.#home, this.#network, this.#events, this.#random);
    this.#desk = new ChunkDesk(allocate(scenario), farm.chunksInFlight, sites.length);
    this.#deliveredAt = new Float64Array(job.frames);
  }

  outcome(): Outcome {
    const { job, sites } = this.#scenario;
    if (this.#home === this.#studio) this.#openNodes();
    else this.#upload();
    this.#events.run();
    if (this.#delivered < job.frames)
      throw new Error(`The model ended with ${this.#delivered} of ${job.frames} frames.`);
    const deliveredAt = this.#deliveredAt.map((time) => time - this.#startedAt);
    const nodes = this.#sites.reduce((sum, { spec, renderedSeconds }) => {
      return sum + (renderedSeconds / 3600) * spec.price.perNodeHour;
    }, 0);
    const transfer = this.#sites.reduce((sum, { spec, up }) => sum + (up.bytes / 1e9) * spec.price.perGB, 0);
    return {
      seconds: deliveredAt.at(-1)!,
      firstDelivered: deliveredAt[0]!,
      lastRendered: this.#lastRendered - this.#startedAt,
      deliveredAt,
      sites: this.#sites.map(({ frames, up, down, renderedSeconds }, index) => ({
        ...{ name: sites[index]!.name, frames, upBytes: up.bytes, downBytes: down.bytes, renderedSeconds },
      })),
      studio: { upBytes: this.#studio.up.bytes, downBytes: this.#studio.down.bytes },
      renderedSeconds: this.#sites.reduce((sum, { renderedSeconds }) => sum + renderedSeconds, 0),
      cost: { nodes, transfer, perFrame: (nodes + transfer) / job.frames },
      events: this.#events.handled,
    };
  }

  /** A home store elsewhere gets the whole project before anything is planned. */
  #upload(): void {
    const { frames, sharedBytes, ownBytes } = this.#scenario.job;
    this.#startedAt = 0;
    this.#network.send(this.#studio, this.#home, sharedBytes + frames * ownBytes, () => this.#openNodes());
  }

  #openNodes(): void {
    // Node by node over all sites, as they would ask: not all of one place first.
    const most = Math.max(...this.#sites.map(({ spec }) => spec.nodes));
    for (let slot = 0; slot < most; slot++) {
      for (const site of this.#sites) {
        if (slot >= site.spec.nodes) continue;
        this.#claim({
          ...{ site, chunk: null, stagedFrames: 0, renderedFrames: 0, publishedFrames: 0 },
          ...{ isStaging: false, isRendering: false },
        });
      }
    }
  }

  #claim(node: ModelNode): void {
    node.chunk = null;
    this.#events.after(this.#scenario.farm.claimSeconds, () => {
      this.#desk.ask(node.site.index, (chunk) => {
        Object.assign(node, { chunk, stagedFrames: 0, renderedFrames: 0, publishedFrames: 0 });
        node.site.frames += chunk.frames;
        this.#stageNext(node);
      });
    });
  }

  #stageNext(node: ModelNode): void {
    const { farm, job } = this.#scenario;
    const isAhead = node.stagedFrames - node.renderedFrames > farm.stagedAhead;
    if (node.isStaging || isAhead || node.stagedFrames >= node.chunk!.frames) return;
    node.isStaging = true;
    const staged = (): void => {
      node.isStaging = false;
      node.stagedFrames++;
      this.#renderNext(node);
      this.#stageNext(node);
    };
    this.#events.after(farm.requestSeconds, () => {
      this.#startedAt = Math.min(this.#startedAt, this.#events.now);
      this.#shared.bring(node.site, () => {
        if (job.ownBytes === 0) staged();
        else this.#network.send(this.#home, node.site, job.ownBytes, staged);
      });
    });
  }

  #renderNext(node: ModelNode): void {
    const { job, farm } = this.#scenario;
    if (node.isRendering || node.renderedFrames >= node.stagedFrames) return;
    node.isRendering = true;
    const seconds = (job.renderSeconds * (1 + job.renderSpread * (2 * this.#random() - 1))) / node.site.spec.speed;
    this.#events.after(seconds, () => {
      node.isRendering = false;
      node.renderedFrames++;
      node.site.renderedSeconds += seconds;
      this.#lastRendered = this.#events.now;
      this.#events.after(farm.publishSeconds, () => this.#commit(node));
      this.#renderNext(node);
      this.#stageNext(node);
    });
  }

  /** Commits hold the job's lock one after the other; then the frame may leave its site. */
  #commit(node: ModelNode): void {
    const { job } = node.chunk!;
    const committed = Math.max(this.#lockedUntil[job] ?? 0, this.#events.now) + this.#scenario.farm.commitSeconds;
    this.#lockedUntil[job] = committed;
    this.#events.at(committed, () => {
      node.site.waiting++;
      this.#deliver(node.site);
      node.publishedFrames++;
      if (node.publishedFrames < node.chunk!.frames) return;
      this.#desk.finish(job);
      this.#claim(node);
    });
  }

  #deliver(site: ModelSite): void {
    const { farm, job } = this.#scenario;
    while (site.waiting > 0 && site.freeStreams > 0) {
      site.waiting--;
      site.freeStreams--;
      this.#events.after(farm.requestSeconds, () => {
        this.#network.send(site, this.#studio, job.frameBytes, () => {
          site.freeStreams++;
          this.#deliver(site);
          this.#events.after(farm.checkSeconds, () => {
            this.#deliveredAt[this.#delivered++] = this.#events.now;
          });
        });
      });
    }
  }
}

const placeOf = (name: string, { upMbits, downMbits }: LinkSpec): Place => ({
  up: new Link(`${name} up`, bytesPerSecond(upMbits)),
  down: new Link(`${name} down`, bytesPerSecond(downMbits)),
});
