/** The farm's desk: chunks on offer, at most so many of a job in flight, given out in order to nodes as they ask. */
import type { PlannedChunk } from './allocation.ts';
import { Line } from './line.ts';

/** Called with the chunk that a waiting node gets. */
type Taker = (chunk: PlannedChunk) => void;

export class ChunkDesk {
  /** By job: what is not on offer yet. */
  #plans: Line<PlannedChunk>[] = [];
  /** By site: what is on offer, and who waits. */
  #offered: Line<PlannedChunk>[];
  #waiting: Line<Taker>[];
  #prepare: (offer: () => void) => void;

  /**
   * @param inFlight chunks of a job on offer or with nodes at a time
   * @param prepare what has to be done before a chunk is on offer; calls `offer` then
   */
  constructor(
    plan: readonly PlannedChunk[],
    inFlight: number,
    sites: number,
    prepare: (offer: () => void) => void = (offer) => offer(),
  ) {
    this.#prepare = prepare;
    this.#offered = Array.from({ length: sites }, () => new Line());
    this.#waiting = Array.from({ length: sites }, () => new Line());
    const offers: number[] = [];
    for (const chunk of plan) {
      const { job } = chunk;
      this.#plans[job] ??= new Line();
      offers[job] = (offers[job] ?? 0) + 1;
      if (offers[job] <= inFlight) this.#offer(chunk);
      else this.#plans[job].push(chunk);
    }
  }

  /** A node of a site wants a chunk: now, or as soon as one is on offer there. */
  ask(site: number, take: Taker): void {
    const chunk = this.#offered[site]!.take();
    if (chunk) take(chunk);
    else this.#waiting[site]!.push(take);
  }

  /** A chunk of a job is done: its next comes on offer. */
  finish(job: number): void {
    const chunk = this.#plans[job]!.take();
    if (chunk) this.#offer(chunk);
  }

  #offer(chunk: PlannedChunk): void {
    this.#prepare(() => this.#open(chunk));
  }

  #open(chunk: PlannedChunk): void {
    const taker = this.#waiting[chunk.site]!.take();
    if (taker) taker(chunk);
    else this.#offered[chunk.site]!.push(chunk);
  }
}
