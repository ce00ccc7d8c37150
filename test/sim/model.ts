/**
 * One job on the modelled farm: chunks are claimed, their data staged, frames rendered, published, delivered and checked, as
 * nodes, sites and the studio do it, over links that share fairly. Control steps take the time that `FarmSpec` says.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { pauseBehindHead, VERDICT_MS } from '../../domain/frameHead.ts';
import { allocate, type PlannedChunk } from './allocation.ts';
import { ChunkDesk } from './chunkDesk.ts';
import { EventQueue } from './events.ts';
import { LabMachine, type Step } from './labMachine.ts';
import type { Program } from './machine.ts';
import { bytesPerSecond, Link, Network, type Place } from './network.ts';
import { headOf, newFrame, Outbound, type SentFrame } from './outbound.ts';
import { type LinkSpec, type Outcome, type Scenario, type SiteSpec, wholeMB } from './scenario.ts';
import { SharedData, type StagingWork } from './sharedData.ts';

/** A place with nodes. */
export interface ModelSite extends Place {
  index: number;
  spec: SiteSpec;
  frames: number;
  renderedSeconds: number;
}

/** A node: it renders one chunk while the last frames of the one before leave. */
interface ModelNode {
  site: ModelSite;
  /** On the lab's machine. */
  program: Program | null;
  /** Chunks of which not all frames are reported. */
  open: number;
  /** It would claim, but for the chunk before the last. */
  isWaiting: boolean;
}

/** A chunk with a node; frames are counted by their place in it. */
interface Lease {
  node: ModelNode;
  chunk: PlannedChunk;
  staged: number;
  /** Handed to delivery, reported, committed. */
  rendered: number;
  reported: number;
  committed: number;
  isStaging: boolean;
  isRendering: boolean;
  isPutting: boolean;
  /** A rendered frame waits until the one before is put. */
  isHeld: boolean;
}

/** Before a node puts a frame, and from its report until it is committed. */
const ANNOUNCE: readonly Step[] = ['hash', 'announce'];
const VERIFY: readonly Step[] = ['judge', 'read', 'commit'];

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
  #outbound: Outbound[];
  #shared: SharedData;
  #desk: ChunkDesk;
  #random: () => number;
  #lab: LabMachine | null;
  /** Megabytes of a frame on disk. */
  #frameMB: number;
  /** Bytes of its head; 0 for frames without one. */
  #headBytes: number;
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
      ...{ index, spec, frames: 0, renderedSeconds: 0 },
    }));
    const generator = xoroshiro128plus(seed);
    this.#random = () => uniformFloat64(generator);
    this.#frameMB = wholeMB(job);
    this.#headBytes = headOf(job);
    const isPacked = job.wholeFrameBytes !== undefined;
    this.#lab = scenario.machine ? new LabMachine(this.#events, scenario.machine, sites.length, isPacked) : null;
    const deps = { network: this.#network, events: this.#events, lab: this.#lab, job, farm };
    this.#outbound = this.#sites.map(
      (site) =>
        new Outbound(site, this.#studio, deps, () => {
          this.#events.after(farm.checkSeconds, () => {
            this.#deliveredAt[this.#delivered++] = this.#events.now;
          });
        }),
    );
    this.#shared = new SharedData(scenario, this.#sites, this.#home, this.#network, this.#events, this.#random);
    this.#desk = new ChunkDesk(allocate(scenario), farm.chunksInFlight, sites.length, (offer) =>
      this.#work('offer', null, null, 0, offer),
    );
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
        this.#claim({ site, program: this.#lab?.newNode() ?? null, open: 0, isWaiting: false });
      }
    }
  }

  /** What programs have to do for a step, where one machine carries them all; nothing elsewhere. */
  #work(step: Step, site: number | null, node: Program | null, mb: number, done: () => void): void {
    if (this.#lab) this.#lab.do(step, site, node, mb, done);
    else done();
  }

  /** Steps of a frame, one after the other. */
  #workAll(steps: readonly Step[], lease: Lease, done: () => void): void {
    const { site, program } = lease.node;
    if (this.#lab) this.#lab.doAll(steps, site.index, program, this.#frameMB, done);
    else done();
  }

  #claim(node: ModelNode): void {
    this.#events.after(this.#scenario.farm.claimSeconds, () => {
      this.#desk.ask(node.site.index, (chunk) => {
        node.open++;
        node.site.frames += chunk.frames;
        const lease: Lease = {
          ...{ node, chunk, staged: 0, rendered: 0, reported: 0, committed: 0 },
          ...{ isStaging: false, isRendering: false, isPutting: false, isHeld: false },
        };
        this.#startedAt = Math.min(this.#startedAt, this.#events.now);
        this.#work('claim', node.site.index, node.program, 0, () => this.#stageNext(lease));
      });
    });
  }

  #stageNext(lease: Lease): void {
    const { farm, job } = this.#scenario;
    const { node, chunk } = lease;
    const isAhead = lease.staged - lease.rendered > farm.stagedAhead;
    if (lease.isStaging || isAhead || lease.staged >= chunk.frames) return;
    lease.isStaging = true;
    const staged = (): void => {
      lease.isStaging = false;
      lease.staged++;
      this.#renderNext(lease);
      this.#stageNext(lease);
    };
    this.#events.after(farm.requestSeconds, () => {
      const work: StagingWork = (step, bytes, done) =>
        this.#work(step, node.site.index, node.program, bytes / 1e6, done);
      const own = (): void => {
        if (job.ownBytes === 0) staged();
        else this.#network.send(this.#home, node.site, job.ownBytes, () => work('stage', job.ownBytes, staged));
      };
      this.#shared.bring(node.site, own, work);
    });
  }

  #renderNext(lease: Lease): void {
    const { job } = this.#scenario;
    const { site } = lease.node;
    if (lease.isRendering || lease.rendered >= lease.staged) return;
    lease.isRendering = true;
    const seconds = (job.renderSeconds * (1 + job.renderSpread * (2 * this.#random() - 1))) / site.spec.speed;
    this.#events.after(seconds, () => {
      site.renderedSeconds += seconds;
      this.#lastRendered = this.#events.now;
      if (lease.isPutting) lease.isHeld = true;
      else this.#put(lease);
    });
  }

  /** A frame is put while the next one is rendered, which then waits until this one is reported, and a large one is judged. */
  #put(lease: Lease): void {
    const { farm } = this.#scenario;
    const { site, program } = lease.node;
    Object.assign(lease, { isRendering: false, isHeld: false, isPutting: true });
    const frame = newFrame();
    const outbound = this.#outbound[site.index]!;
    /** Its head goes ahead of it, which is this share of what is put. */
    const share = lease.rendered++ === 0 && outbound.isIdle ? this.#headBytes / this.#scenario.job.frameBytes : 0;
    const put = (pause: number): void =>
      this.#events.after(pause + farm.putSeconds * (1 - share), () =>
        this.#work('put', site.index, program, this.#frameMB * (1 - share), () => this.#report(lease, frame)),
      );
    this.#events.after(farm.putSeconds * share, () =>
      this.#workAll(ANNOUNCE, lease, () => {
        if (share === 0) return put(0);
        const began = this.#events.now;
        this.#work('head', site.index, program, this.#frameMB * share, () => {
          outbound.headIsPut(frame);
          put(pauseBehindHead(1000 * (this.#events.now - began)) / 1000);
        });
      }),
    );
    this.#renderNext(lease);
    this.#stageNext(lease);
    if (lease.rendered === lease.chunk.frames) this.#claimNext(lease.node);
  }

  #report(lease: Lease, frame: SentFrame): void {
    const { node } = lease;
    let isFree = false;
    const free = (): void => {
      if (isFree) return;
      isFree = true;
      lease.isPutting = false;
      lease.reported++;
      if (lease.isHeld) this.#put(lease);
      if (lease.reported < lease.chunk.frames) return;
      node.open--;
      if (node.isWaiting) this.#claimNext(node);
    };
    this.#work('report', node.site.index, node.program, this.#frameMB, () => {
      this.#outbound[node.site.index]!.isJudged(frame);
      this.#verify(lease, frame, free);
      if (this.#headBytes > 0) this.#events.after(VERDICT_MS / 1000, free);
      else free();
    });
  }

  /** A node begins its next chunk when the one before the last has left. */
  #claimNext(node: ModelNode): void {
    node.isWaiting = node.open > 1;
    if (!node.isWaiting) this.#claim(node);
  }

  #verify(lease: Lease, frame: SentFrame, judged: () => void): void {
    this.#events.after(this.#scenario.farm.verifySeconds, () =>
      this.#workAll(VERIFY, lease, () => {
        judged();
        this.#commit(lease, frame);
      }),
    );
  }

  /** Commits hold the job's lock one after the other; then the frame may leave its site. */
  #commit(lease: Lease, frame: SentFrame): void {
    const { node, chunk } = lease;
    const { job } = chunk;
    const committed = Math.max(this.#lockedUntil[job] ?? 0, this.#events.now) + this.#scenario.farm.commitSeconds;
    this.#lockedUntil[job] = committed;
    this.#events.at(committed, () => {
      this.#work('address', node.site.index, null, 0, () => this.#outbound[node.site.index]!.isCommitted(frame));
      if (++lease.committed === chunk.frames) {
        this.#work('finish', node.site.index, node.program, 0, () => this.#desk.finish(job));
      }
    });
  }
}

const placeOf = (name: string, { upMbits, downMbits }: LinkSpec): Place => ({
  up: new Link(`${name} up`, bytesPerSecond(upMbits)),
  down: new Link(`${name} down`, bytesPerSecond(downMbits)),
});
