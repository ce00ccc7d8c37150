/** The farm's desk: chunks on offer, at most so many in flight, given out in order to nodes as they ask. */
import type { PlannedChunk } from './allocation.ts';

/** Called with the chunk that a waiting node gets. */
type Taker = (chunk: PlannedChunk) => void;

/** First in, first out, without moving what is behind. */
class Line<T> {
  #items: T[] = [];
  #next = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    return this.#next < this.#items.length ? this.#items[this.#next++] : undefined;
  }
}

export class ChunkDesk {
  #plan: PlannedChunk[];
  #nextOffer = 0;
  #offered: Line<PlannedChunk>[];
  #anywhere = new Line<PlannedChunk>();
  #waiting: Line<{ take: Taker; served: boolean }>[];
  #waitingAnywhere = new Line<{ take: Taker; served: boolean }>();

  /** @param inFlight chunks on offer or with nodes at a time */
  constructor(plan: PlannedChunk[], inFlight: number, sites: number) {
    this.#plan = plan;
    this.#offered = Array.from({ length: sites }, () => new Line());
    this.#waiting = Array.from({ length: sites }, () => new Line());
    const first = Math.min(inFlight, plan.length);
    for (let offers = 0; offers < first; offers++) this.#offer();
  }

  /** A node of a site wants a chunk: now, or as soon as one is on offer for it. */
  ask(site: number, take: Taker): void {
    const chunk = this.#offered[site]!.take() ?? this.#anywhere.take();
    if (chunk) {
      take(chunk);
      return;
    }
    const asker = { take, served: false };
    this.#waiting[site]!.push(asker);
    this.#waitingAnywhere.push(asker);
  }

  /** A chunk is done: the next comes on offer. */
  finish(): void {
    this.#offer();
  }

  #offer(): void {
    const chunk = this.#plan[this.#nextOffer];
    if (!chunk) return;
    this.#nextOffer++;
    const line = chunk.site === null ? this.#waitingAnywhere : this.#waiting[chunk.site]!;
    for (let asker = line.take(); asker; asker = line.take()) {
      if (asker.served) continue;
      asker.served = true;
      asker.take(chunk);
      return;
    }
    (chunk.site === null ? this.#anywhere : this.#offered[chunk.site]!).push(chunk);
  }
}
