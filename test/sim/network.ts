/**
 * Links that share their rate fairly. Every place (the studio, the home store, each site) hangs on the internet by one link,
 * up and down apart; a transfer crosses the sender's link up and the receiver's link down, and nothing else is narrow.
 *
 * Rates are max-min fair between streams (Bertsekas and Gallager 1992, section 6.5.2): no stream can get more without taking
 * from one that has no more than it. Each link has a level, the rate that it gives to a stream which is not held up at the
 * other end; a stream runs at the lower of its two levels. The levels are found link by link from their neighbours' (as in
 * Charny, Clark and Jain 1995), beginning at the links whose streams changed, so that an event costs what it touches rather
 * than the whole network.
 */
import FlatQueue from 'flatqueue';
import type { EventQueue } from './events.ts';

/** Bytes a second of a link of so many Mbit/s (10^6 bits); unbounded stays so. */
export const bytesPerSecond = (mbits: number): number => Math.round((mbits * 1e6) / 8);

/** Bytes that may be missing when a transfer counts as done: rounding of the clock, not of the data. */
const ROUNDING_BYTES = 1e-3;

/** Links with fewer routes are always kept exact. */
const MANY_ROUTES = 50;

/** How far rates on a link that many places share may be from exact. */
export interface Coarseness {
  /** Share of a rate that may be out of date, and share of a transfer's time for which it may. */
  tolerance: number;
  /** Bytes of a usual transfer. */
  transferBytes: number;
}

/** One direction of a place's link. */
export class Link {
  /** Routes with streams on them. */
  readonly routes: Route[] = [];
  /** What it gives to a stream that is not held up elsewhere, bytes a second; no bound where it is not narrow. */
  level = Number.POSITIVE_INFINITY;
  /** What the other ends of its routes can carry together: below its own rate, it is never narrow. */
  reach = 0;
  unboundedRoutes = 0;
  isDirty = false;
  readonly name: string;
  /** Bytes a second. */
  readonly rate: number;
  /** Bytes carried so far. */
  bytes = 0;

  constructor(name: string, rate: number) {
    this.name = name;
    this.rate = rate;
  }
}

/** A place with its link in both directions, bytes a second of payload. */
export interface Place {
  up: Link;
  down: Link;
}

/** All streams from one place to another: they run at one rate, so one running count of bytes a stream tells each one's end. */
interface Route {
  up: Link;
  down: Link;
  streams: number;
  settledStreams: number;
  /** Bytes a second of each stream. */
  rate: number;
  /** Bytes that a stream has carried which runs since the route became busy. */
  carried: number;
  carriedAt: number;
  /** Transfers by the value of `carried` at which each ends. */
  ends: FlatQueue<Transfer>;
  /** Ends planned with an older rate have an older number. */
  plan: number;
  isTouched: boolean;
}

interface Transfer {
  bytes: number;
  done: () => void;
}

export class Network {
  #events: EventQueue;
  #tolerance: number;
  #coarse: Coarseness | null;
  #routes = new Map<Link, Map<Link, Route>>();
  #dirty: Link[] = [];
  #touched: Route[] = [];

  /** @param coarse for networks so large that exact shares would cost too much; null: exact */
  constructor(events: EventQueue, coarse: Coarseness | null = null) {
    this.#events = events;
    this.#coarse = coarse;
    this.#tolerance = coarse?.tolerance ?? 1e-12;
    events.beforeTimeMoves(() => this.settle());
  }

  /** Starts one stream of `bytes` from place to place; `done` is called when the last byte is there. */
  send(from: Place, to: Place, bytes: number, done: () => void): void {
    const route = this.#route(from.up, to.down);
    this.#advance(route);
    if (route.streams === 0) this.#open(route);
    route.streams++;
    route.ends.push({ bytes, done }, route.carried + bytes);
    this.#touch(route);
  }

  /** Streams on the way from a place. */
  streamsFrom(place: Place): number {
    return place.up.routes.reduce((sum, { streams }) => sum + streams, 0);
  }

  /** Shares the links out anew and plans the next end on every route whose rate or first end changed. */
  settle(): void {
    for (const route of this.#touched) {
      if (isUnbounded(route.up) && isUnbounded(route.down)) route.rate = Number.POSITIVE_INFINITY;
      if (route.streams === route.settledStreams) continue;
      route.settledStreams = route.streams;
      this.#soil(route.up);
      this.#soil(route.down);
    }
    for (let next = 0; next < this.#dirty.length; next++) {
      const link = this.#dirty[next]!;
      link.isDirty = false;
      link.level = levelOf(link);
      for (const route of link.routes) {
        const other = route.up === link ? route.down : route.up;
        const rate = Math.min(link.level, other.level);
        if (isClose(rate, route.rate, this.#tolerance)) continue;
        this.#advance(route);
        route.rate = rate;
        this.#touch(route);
        this.#soil(other);
      }
    }
    this.#dirty.length = 0;
    for (const route of this.#touched) this.#planEnd(route);
    this.#touched.length = 0;
  }

  #planEnd(route: Route): void {
    route.isTouched = false;
    const plan = ++route.plan;
    if (route.streams === 0) return;
    const left = Math.max(0, route.ends.peekValue()! - route.carried);
    this.#events.after(route.rate === Number.POSITIVE_INFINITY ? 0 : left / route.rate, () => {
      if (plan === route.plan) this.#end(route);
    });
  }

  /** The first transfer of a route is through, and all that end with it. */
  #end(route: Route): void {
    route.carried = Math.max(route.carried, route.ends.peekValue()!);
    route.carriedAt = this.#events.now;
    const ended: Transfer[] = [];
    while (route.ends.length > 0 && route.ends.peekValue()! <= route.carried + ROUNDING_BYTES) {
      ended.push(route.ends.pop()!);
    }
    route.streams -= ended.length;
    if (route.streams === 0) this.#close(route);
    this.#touch(route);
    for (const { bytes, done } of ended) {
      route.up.bytes += bytes;
      route.down.bytes += bytes;
      done();
    }
  }

  #advance(route: Route): void {
    const seconds = this.#events.now - route.carriedAt;
    if (seconds > 0 && route.rate !== Number.POSITIVE_INFINITY) route.carried += route.rate * seconds;
    route.carriedAt = this.#events.now;
  }

  #route(up: Link, down: Link): Route {
    const from = this.#routes.get(up) ?? new Map<Link, Route>();
    this.#routes.set(up, from);
    let route = from.get(down);
    if (!route) {
      route = {
        ...{ up, down, streams: 0, settledStreams: 0, rate: 0, carried: 0, carriedAt: 0 },
        ...{ ends: new FlatQueue<Transfer>(), plan: 0, isTouched: false },
      };
      from.set(down, route);
    }
    return route;
  }

  #open(route: Route): void {
    route.carried = 0;
    for (const [link, other] of [
      [route.up, route.down],
      [route.down, route.up],
    ] as const) {
      link.routes.push(route);
      if (isUnbounded(other)) link.unboundedRoutes++;
      else link.reach += other.rate;
    }
  }

  #close(route: Route): void {
    route.rate = 0;
    route.settledStreams = -1;
    for (const [link, other] of [
      [route.up, route.down],
      [route.down, route.up],
    ] as const) {
      link.routes.splice(link.routes.indexOf(route), 1);
      if (isUnbounded(other)) link.unboundedRoutes--;
      else link.reach -= other.rate;
    }
  }

  #touch(route: Route): void {
    if (route.isTouched) return;
    route.isTouched = true;
    this.#touched.push(route);
  }

  #soil(link: Link): void {
    if (link.isDirty || isUnbounded(link)) return;
    link.isDirty = true;
    const wait = this.#patience(link);
    if (wait === 0) this.#dirty.push(link);
    else this.#events.after(wait, () => this.#dirty.push(link));
  }

  /** Seconds that a busy link's shares may be out of date; 0 where they are kept exact. */
  #patience({ routes, level }: Link): number {
    if (!this.#coarse || routes.length < MANY_ROUTES || level === Number.POSITIVE_INFINITY) return 0;
    return (this.#coarse.tolerance * this.#coarse.transferBytes) / level;
  }
}

const isUnbounded = (link: Link): boolean => link.rate === Number.POSITIVE_INFINITY;

const isClose = (a: number, b: number, tolerance: number): boolean =>
  a === b || (b !== Number.POSITIVE_INFINITY && Math.abs(a - b) <= tolerance * b);

/**
 * The level at which a link is full, given what its streams get at their other ends: the λ of Σ n·min(λ, other level) = rate.
 * The left side is concave and rises piece by piece, so Newton's steps from below end at it after a few passes. A link that
 * its streams cannot fill gets the level at which its fastest route would fill it.
 */
function levelOf(link: Link): number {
  const { routes, rate, reach, unboundedRoutes } = link;
  if (routes.length === 0 || (unboundedRoutes === 0 && reach < rate)) return Number.POSITIVE_INFINITY;
  let streams = 0;
  for (const route of routes) streams += route.streams;
  let level = rate / streams;
  while (true) {
    let held = 0;
    let free = 0;
    let fastest = 0;
    let ofFastest = 1;
    for (const route of routes) {
      const limit = route.up === link ? route.down.level : route.up.level;
      if (limit > level) free += route.streams;
      else held += route.streams * limit;
      if (limit > fastest) {
        fastest = limit;
        ofFastest = route.streams;
      }
    }
    if (free === 0) return fastest + Math.max(0, rate - held) / ofFastest;
    const next = (rate - held) / free;
    if (next <= level * (1 + 1e-12)) return next;
    level = next;
  }
}
