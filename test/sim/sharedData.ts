/** The project data that every frame reads: each site gets it once, piece by piece, from where it comes fastest. */
import type { EventQueue } from './events.ts';
import type { ModelSite } from './model.ts';
import type { Network, Place } from './network.ts';
import type { Scenario } from './scenario.ts';

/** Shared data travels as blobs of the project; so many steps show how sites hand them on. */
const PIECES = 16;
/** Sites asked for a piece beside the home store. */
const SOURCES = 4;

/** What a node has to do with bytes that came (`stage`), and with all of them (`assemble`); calls `done` then. */
export type StagingWork = (step: 'stage' | 'assemble', bytes: number, done: () => void) => void;

interface SiteCopy {
  state: 'away' | 'coming' | 'here';
  /** Pieces that are not here, or not dealt with. */
  missing: number;
  waiters: (() => void)[];
}

export class SharedData {
  #scenario: Scenario;
  #home: Place;
  #network: Network;
  #events: EventQueue;
  #random: () => number;
  #copies: SiteCopy[];
  /** Which sites hold each piece. */
  #holders: ModelSite[][];
  #pieces: number;
  #isHandedOn: boolean;

  constructor(
    scenario: Scenario,
    sites: readonly ModelSite[],
    home: Place,
    network: Network,
    events: EventQueue,
    random: () => number,
  ) {
    this.#scenario = scenario;
    this.#home = home;
    this.#network = network;
    this.#events = events;
    this.#random = random;
    // Handing on pays only where the home store's link is narrower than the sites' together.
    this.#isHandedOn = scenario.farm.peers && home.up.rate < sites.reduce((sum, { down }) => sum + down.rate, 0);
    // On one machine programs are at work on what came while more comes.
    this.#pieces = this.#isHandedOn || scenario.machine ? PIECES : 1;
    this.#copies = sites.map(() => ({ state: 'away', missing: this.#pieces, waiters: [] }));
    this.#holders = Array.from({ length: this.#pieces }, () => []);
  }

  /**
   * Calls `ready` once the site has all of it; it crosses the site's link once, however many nodes ask.
   * @param work of the node that asks first, which brings it
   */
  bring(site: ModelSite, ready: () => void, work: StagingWork): void {
    const copy = this.#copies[site.index]!;
    if (copy.state === 'here' || this.#scenario.job.sharedBytes === 0) {
      ready();
      return;
    }
    copy.waiters.push(ready);
    if (copy.state === 'coming') return;
    copy.state = 'coming';
    // Each site begins at another piece, so that they soon have something to hand on.
    this.#fetch(site, copy, Math.floor(this.#random() * this.#pieces), this.#pieces, work);
  }

  #fetch(site: ModelSite, copy: SiteCopy, piece: number, left: number, work: StagingWork): void {
    const bytes = this.#scenario.job.sharedBytes / this.#pieces;
    this.#network.send(this.#source(site, piece), site, bytes, () => {
      if (left > 1) {
        const next = (piece + 1) % this.#pieces;
        this.#events.after(0, () => this.#fetch(site, copy, next, left - 1, work));
      }
      work('stage', bytes, () => {
        this.#holders[piece]!.push(site);
        if (--copy.missing > 0) return;
        work('assemble', this.#scenario.job.sharedBytes, () => {
          copy.state = 'here';
          for (const ready of copy.waiters.splice(0)) ready();
        });
      });
    });
  }

  /** Of the home store and a few sites drawn by lot that have the piece: where one more stream gets most. */
  #source(site: ModelSite, piece: number): Place {
    const holders = this.#holders[piece]!;
    const candidates: Place[] = [this.#home];
    for (let drawn = 0; this.#isHandedOn && drawn < Math.min(SOURCES, holders.length); drawn++) {
      candidates.push(holders[Math.floor(this.#random() * holders.length)]!);
    }
    const share = (place: Place): number =>
      Math.min(place.up.rate / (this.#network.streamsFrom(place) + 1), site.down.rate);
    return candidates.reduce((best, place) => (share(place) > share(best) ? place : best));
  }
}
