/**
 * Which site takes which frames of a job. Shares by earliest finishing time: frame by frame to the site that would be done
 * with it first, as list scheduling does on machines of different speed (Topcuoglu et al. 2002, HEFT, with what is sent
 * counted in); for equal tasks and finishing times that rise with their number that is optimal. Each site's share is a
 * range of neighbouring frames, so that what frames have in common crosses few links. Pure: the farm and the model of the
 * benchmark call the same functions.
 */
import FlatQueue from 'flatqueue';
import { CHUNKING, type ChunkingRule, chunkFrames } from './chunking.ts';
import { formatFrames } from './frames.ts';
import { bottleneckOf, type FrameLoad, finishSeconds, type SiteCapacity, walkSite } from './siteTime.ts';

/** What the studio wants; kept with the job. */
export interface PlacementWish {
  /** `finish`: the earliest end. `cost`: the sites with the lowest price, and among those the earliest end. */
  objective: 'finish' | 'cost';
  /** Names of the only sites that may take the job; absent: any. */
  sites?: readonly string[] | undefined;
  /** ISO 3166-1 alpha-2 of the only country that the job may be rendered in. */
  country?: string | undefined;
}

export const NO_WISH: PlacementWish = { objective: 'finish' };

export interface PlacementSite extends SiteCapacity {
  id: string;
  name: string;
  status: 'online' | 'draining' | 'lost' | 'removed';
  country: string | null;
  /** Price of work here relative to the tariff. */
  priceFactor: number;
  /** The project's data is here anyway (the farm's own store): nothing is staged over the link. */
  isHome?: boolean | undefined;
}

export interface PlacementInput {
  sites: readonly PlacementSite[];
  /** In order, each with the blobs it reads. */
  frames: readonly { frame: number; blobs: readonly string[] }[];
  /** Size by hash. */
  blobBytes: ReadonlyMap<string, number>;
  /** Ids of the sites, beside home, that have a blob, by its hash. */
  copies?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Of one frame, at score 1. */
  renderSeconds: number;
  /** What one frame brings back. */
  backBytes: number;
  wish?: PlacementWish | undefined;
  chunking?: ChunkingRule | undefined;
}

/** A chunk and where it goes; times in seconds after the plan was made. */
export interface PlacedChunk {
  frames: number[];
  siteId: string;
  /** Bytes that its frames need and that were neither there nor staged for frames before them. */
  stageBytes: number;
  backBytes: number;
  startSeconds: number;
  finishSeconds: number;
}

/** A site's part of the decision. */
export interface SiteShare {
  siteId: string;
  name: string;
  frames: number;
  /** As a range, for people. */
  range: string;
  stageBytes: number;
  backBytes: number;
  finishSeconds: number;
  bottleneck: 'link-up' | 'link-down' | 'render';
}

export interface Placement {
  wish: PlacementWish;
  /** Expected end of the last frame, seconds after the plan was made; null when no site can take the job now. */
  finishSeconds: number | null;
  shares: SiteShare[];
  /** In the order of their expected start: the order to offer them in. */
  chunks: PlacedChunk[];
  /** What a frame takes where nothing of it is yet. */
  load: FrameLoad;
  /** Sites that take no part, each with the reason, for people. */
  leftOut: { siteId: string; name: string; reason: string }[];
  /** For people: what was decided and what sets the pace. */
  why: string;
}

/** Why a site must not take a job, for people; null: it may. A pin binds; that a site is busy or slow does not. */
export function barredBy(
  site: Pick<PlacementSite, 'name' | 'country' | 'status'>,
  { sites, country }: PlacementWish,
): string | null {
  if (sites && !sites.includes(site.name)) return `the job is pinned to ${sites.join(', ')}`;
  if (country && site.country !== country) {
    return `the job must stay in ${country}, the site is ${site.country ? `in ${site.country}` : 'in no known country'}`;
  }
  return site.status === 'online' ? null : `the site is ${site.status}`;
}

/** Decides. O(frames · log sites), beside counting the blobs of each frame. */
export function placeJob(input: PlacementInput): Placement {
  const { sites, frames, wish = NO_WISH, renderSeconds, backBytes } = input;
  const leftOut: Placement['leftOut'] = [];
  const leave = ({ id, name }: PlacementSite, reason: string) => leftOut.push({ siteId: id, name, reason });
  const able = sites.filter((site) => {
    const reason = barredBy(site, wish) ?? (site.slots > 0 ? null : 'no fitting node is online there');
    if (reason) leave(site, reason);
    return reason === null;
  });
  const cheapest = Math.min(...able.map(({ priceFactor }) => priceFactor));
  const fitting = able.filter((site) => {
    const isCheap = wish.objective !== 'cost' || site.priceFactor === cheapest;
    if (!isCheap) leave(site, `its price factor is ${site.priceFactor}, the lowest is ${cheapest}`);
    return isCheap;
  });
  const data = new JobData(input);
  const load = data.load();
  if (fitting.length === 0) {
    return { wish, load, finishSeconds: null, shares: [], chunks: [], leftOut, why: 'No site can take the job now.' };
  }
  const loads = fitting.map((site) => data.loadAt(site));
  const counts = shareFrames(fitting, loads, frames.length);
  for (const [at, site] of fitting.entries()) {
    if (counts[at] === 0) leave(site, 'the others are done before it would be');
  }
  const shares: SiteShare[] = [];
  const chunks: PlacedChunk[] = [];
  let first = 0;
  for (const at of orderOfRanges(fitting, counts, data)) {
    const site = fitting[at]!;
    const range = frames.slice(first, first + counts[at]!);
    first += range.length;
    if (range.length === 0) continue;
    const placed = cutAndTime(site, range, data, input);
    chunks.push(...placed);
    shares.push({
      siteId: site.id,
      name: site.name,
      frames: range.length,
      range: formatFrames(range.map(({ frame }) => frame)),
      stageBytes: placed.reduce((sum, { stageBytes }) => sum + stageBytes, 0),
      backBytes: range.length * backBytes,
      finishSeconds: placed.reduce((end, chunk) => Math.max(end, chunk.finishSeconds), 0),
      bottleneck: bottleneckOf(site, { ...loads[at]!, renderSeconds }),
    });
  }
  chunks.sort((a, b) => a.startSeconds - b.startSeconds || (a.frames[0] ?? 0) - (b.frames[0] ?? 0));
  const end = shares.reduce((last, share) => Math.max(last, share.finishSeconds), 0);
  return { wish, load, finishSeconds: end, shares, chunks, leftOut, why: explain(shares, end) };
}

/** How many frames each site takes: one after the other, each to the site that is done with it first. */
function shareFrames(sites: readonly SiteCapacity[], loads: readonly FrameLoad[], frames: number): number[] {
  const counts = sites.map(() => 0);
  const queue = new FlatQueue<number>();
  const enqueue = (at: number) => queue.push(at, finishSeconds(sites[at]!, loads[at]!, counts[at]! + 1));
  for (const at of sites.keys()) enqueue(at);
  for (let placed = 0; placed < frames; placed++) {
    const at = queue.pop()!;
    counts[at]!++;
    enqueue(at);
  }
  return counts;
}

/** What is known of a job's data: which blobs all frames share, and what of them lies where. */
class JobData {
  readonly #input: PlacementInput;
  readonly #shared = new Set<string>();
  #sharedBytes = 0;
  #ownBytes = 0;
  readonly #heldShared = new Map<string, number>();
  readonly #heldOwn = new Map<string, number>();
  /** By site: mean position, from 0 to 1, of the own bytes that it holds. */
  readonly #weighted = new Map<string, number>();

  constructor(input: PlacementInput) {
    this.#input = input;
    const { frames, blobBytes, copies } = input;
    const uses = new Map<string, number>();
    for (const { blobs } of frames) for (const blob of blobs) uses.set(blob, (uses.get(blob) ?? 0) + 1);
    for (const [blob, count] of uses) {
      const bytes = blobBytes.get(blob) ?? 0;
      const isShared = count > frames.length / 2;
      if (isShared) {
        this.#shared.add(blob);
        this.#sharedBytes += bytes;
      } else this.#ownBytes += bytes;
      const held = isShared ? this.#heldShared : this.#heldOwn;
      for (const site of copies?.get(blob) ?? []) held.set(site, (held.get(site) ?? 0) + bytes);
    }
    if (!copies || copies.size === 0) return;
    for (const [position, { blobs }] of frames.entries()) {
      for (const blob of blobs) {
        if (this.#shared.has(blob)) continue;
        const weight = ((blobBytes.get(blob) ?? 0) / uses.get(blob)!) * (position / frames.length);
        for (const site of copies.get(blob) ?? []) {
          this.#weighted.set(site, (this.#weighted.get(site) ?? 0) + weight);
        }
      }
    }
  }

  /** Where nothing is yet. */
  load(): FrameLoad {
    const { renderSeconds, backBytes, frames } = this.#input;
    const ownBytes = this.#ownBytes / Math.max(1, frames.length);
    return { renderSeconds, backBytes, sharedBytes: this.#sharedBytes, ownBytes, heldOwnBytes: 0 };
  }

  loadAt({ id, isHome }: PlacementSite): FrameLoad {
    const load = this.load();
    if (isHome) return { ...load, sharedBytes: 0, ownBytes: 0 };
    const sharedBytes = load.sharedBytes - (this.#heldShared.get(id) ?? 0);
    return { ...load, sharedBytes, heldOwnBytes: this.#heldOwn.get(id) ?? 0 };
  }

  /** Where in the job, from 0 to 1, the frames lie whose own data a site holds; null: it holds none. */
  centreOf({ id }: PlacementSite): number | null {
    const bytes = this.#heldOwn.get(id) ?? 0;
    return bytes > 0 ? (this.#weighted.get(id) ?? 0) / bytes : null;
  }

  /** Bytes that each of these frames, in this order, still has to bring to a site. */
  stageBytes(site: PlacementSite, frames: PlacementInput['frames']): number[] {
    if (site.isHome) return frames.map(() => 0);
    const { blobBytes, copies } = this.#input;
    const there = new Set<string>();
    return frames.map(({ blobs }) => {
      let bytes = 0;
      for (const blob of blobs) {
        if (there.has(blob)) continue;
        there.add(blob);
        if (!copies?.get(blob)?.includes(site.id)) bytes += blobBytes.get(blob) ?? 0;
      }
      return bytes;
    });
  }
}

/** Order in which sites get their ranges: those that hold data of certain frames about there, the others between them. */
function orderOfRanges(sites: readonly PlacementSite[], counts: readonly number[], data: JobData): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const centres = sites.map((site) => data.centreOf(site));
  const bound = [...sites.keys()].filter((at) => centres[at] !== null).sort((a, b) => centres[a]! - centres[b]!);
  const loose = [...sites.keys()].filter((at) => centres[at] === null);
  if (bound.length === 0) return loose;
  const order: number[] = [];
  let position = 0;
  const take = (at: number) => {
    order.push(at);
    position += counts[at]!;
  };
  for (const at of bound) {
    const wanted = centres[at]! * total - counts[at]! / 2;
    while (loose.length > 0 && position + counts[loose[0]!]! / 2 <= wanted) take(loose.shift()!);
    take(at);
  }
  for (const at of loose) take(at);
  return order;
}

function cutAndTime(
  site: PlacementSite,
  range: PlacementInput['frames'],
  data: JobData,
  { renderSeconds, backBytes, chunking = CHUNKING }: PlacementInput,
): PlacedChunk[] {
  const chunks = chunkFrames(
    {
      frames: range.map(({ frame }) => frame),
      estimateSeconds: renderSeconds / site.score,
      fittingSlots: site.slots,
    },
    chunking,
  );
  const bytes = data.stageBytes(site, range);
  let first = 0;
  const staged = chunks.map(({ length }) => {
    const stageBytes = bytes.slice(first, first + length);
    first += length;
    return { stageBytes };
  });
  const times = walkSite(site, staged, { renderSeconds, backBytes });
  return chunks.map((frames, at) => ({
    frames,
    siteId: site.id,
    stageBytes: staged[at]!.stageBytes.reduce((sum, size) => sum + size, 0),
    backBytes: frames.length * backBytes,
    ...times[at]!,
  }));
}

const PACE = {
  'link-up': 'the way back over their links',
  'link-down': 'staging over their links',
  render: 'rendering',
} as const;

function explain(shares: readonly SiteShare[], end: number): string {
  const counts = shares.map(({ frames }) => frames);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const each = least === most ? `${most}` : `${least} to ${most}`;
  const seconds = end >= 100 ? Math.round(end) : Math.round(end * 10) / 10;
  const where =
    shares.length === 1 ? `${shares[0]!.name} takes all frames` : `${shares.length} sites take ${each} frames each`;
  const paces = [...new Set(shares.map(({ bottleneck }) => PACE[bottleneck]))];
  return `${where}; expected to be done after ${seconds} s. What sets the pace: ${paces.join(', ')}.`;
}
