/**
 * When a site is done with frames: staging, rendering and the way back overlap, each of them takes one frame after the
 * other. The one rule by which work is placed, placed anew and taken over.
 */
import FlatQueue from 'flatqueue';

/** What a site can do, and what it has to do before anything new. */
export interface SiteCapacity {
  /** Frames that are rendered at a time: fitting nodes online. */
  slots: number;
  /** Speed of one of them; a frame of one second at score 1 takes `1 / score`. */
  score: number;
  /** Payload of the link, bytes a second; null: not a limit. */
  linkDownBytes: number | null;
  linkUpBytes: number | null;
  /** Seconds from now until a slot, the link towards the site and the link away from it have done what they have. */
  queueSeconds: number;
  downQueueSeconds?: number | undefined;
  upQueueSeconds?: number | undefined;
}

/** What the frames of a job take, on the average. */
export interface FrameLoad {
  /** Of one frame, at score 1. */
  renderSeconds: number;
  /** Of one frame, away from the site. */
  backBytes: number;
  /** Staged before the first frame and once. */
  sharedBytes: number;
  /** Staged for each frame. */
  ownBytes: number;
  /** Of the own bytes of all frames, those that are at the site already. */
  heldOwnBytes: number;
}

const over = (bytes: number, rate: number | null): number => (rate === null ? 0 : bytes / rate);

/**
 * Seconds from now until `frames` frames have left the site. A flow shop of three machines with equal jobs ends when the
 * slowest one has seen all and the other two have seen one (Johnson 1954 has the general case): so the largest of three.
 * Rises with `frames`. Infinite without slots; 0 for no frames.
 */
export function finishSeconds(site: SiteCapacity, load: FrameLoad, frames: number): number {
  if (frames <= 0) return 0;
  if (site.slots <= 0) return Number.POSITIVE_INFINITY;
  const { downQueueSeconds = 0, upQueueSeconds = 0 } = site;
  const render = load.renderSeconds / site.score;
  const back = over(load.backBytes, site.linkUpBytes);
  const staged = (count: number): number =>
    downQueueSeconds +
    over(load.sharedBytes + Math.max(0, count * load.ownBytes - load.heldOwnBytes), site.linkDownBytes);
  const start = Math.max(staged(1), site.queueSeconds);
  const downBound = Math.max(staged(frames), site.queueSeconds) + render + back;
  const renderBound = start + Math.ceil(frames / site.slots) * render + back;
  const upBound = Math.max(start + render, upQueueSeconds) + frames * back;
  return Math.max(downBound, renderBound, upBound);
}

/** What of a site sets its pace with such frames. */
export function bottleneckOf(site: SiteCapacity, load: FrameLoad): 'link-up' | 'link-down' | 'render' {
  const render = load.renderSeconds / site.score / Math.max(1, site.slots);
  const up = over(load.backBytes, site.linkUpBytes);
  const down = over(load.ownBytes, site.linkDownBytes);
  if (up >= render && up >= down) return up > 0 ? 'link-up' : 'render';
  return down > render ? 'link-down' : 'render';
}

/** A chunk as a site sees it, with the bytes that each of its frames still has to bring there. */
export interface SiteChunk {
  stageBytes: readonly number[];
}

export interface ChunkTimes {
  /** When its first frame begins to render, seconds from now. */
  startSeconds: number;
  /** When its last frame has left the site. */
  finishSeconds: number;
}

/**
 * Times of chunks that a site takes one after the other, whichever slot is free; frame by frame, so that slots which work
 * at the same time share the link.
 */
export function walkSite(
  site: SiteCapacity,
  chunks: readonly SiteChunk[],
  { renderSeconds, backBytes }: Pick<FrameLoad, 'renderSeconds' | 'backBytes'>,
): ChunkTimes[] {
  const render = renderSeconds / site.score;
  const back = over(backBytes, site.linkUpBytes);
  let downFree = site.downQueueSeconds ?? 0;
  let upFree = site.upQueueSeconds ?? 0;
  const times = chunks.map(() => ({ startSeconds: Number.POSITIVE_INFINITY, finishSeconds: 0 }));
  const slots = Array.from({ length: Math.max(1, site.slots) }, () => ({ chunk: -1, frame: 0 }));
  const free = new FlatQueue<number>();
  for (const slot of slots.keys()) free.push(slot, site.queueSeconds);
  for (let next = 0; free.length > 0; ) {
    const now = free.peekValue()!;
    const id = free.pop()!;
    const slot = slots[id]!;
    if (slot.frame >= (chunks[slot.chunk]?.stageBytes.length ?? 0)) {
      if (next >= chunks.length) continue;
      slot.chunk = next++;
      slot.frame = 0;
    }
    const bytes = chunks[slot.chunk]!.stageBytes[slot.frame++] ?? 0;
    downFree += over(bytes, site.linkDownBytes);
    const start = Math.max(now, bytes > 0 ? downFree : 0);
    upFree = Math.max(upFree, start + render) + back;
    const time = times[slot.chunk]!;
    time.startSeconds = Math.min(time.startSeconds, start);
    time.finishSeconds = upFree;
    free.push(id, start + render);
  }
  return times;
}

/** What a site has of a job. */
export interface SiteWork {
  site: SiteCapacity;
  load: FrameLoad;
  /** Placed there or with its nodes, not rendered yet. */
  openFrames: number;
}

/** A chunk changes its site only for a gain of at least this share: estimates are no better. */
const LEAST_GAIN = 0.1;

/**
 * Whether another site should take over a chunk that waits at a site: only when it would be done with it, beside what it
 * has, clearly before the owner is done with all that it has.
 */
export function takeOverPays(owner: SiteWork, taker: SiteWork, chunkFrames: number): boolean {
  const ownerDone = finishSeconds(owner.site, owner.load, owner.openFrames);
  const takerDone = finishSeconds(taker.site, taker.load, taker.openFrames + chunkFrames);
  return takerDone < ownerDone * (1 - LEAST_GAIN);
}

/**
 * New sites for chunks that cannot stay where they were: the largest first, each to the site that would be done with it
 * first (Graham's LPT with finishing times).
 * @returns for each chunk the position of its site in `works`; null where none can take it
 */
export function placeAnew(chunkFrames: readonly number[], works: readonly SiteWork[]): (number | null)[] {
  const open = works.map(({ openFrames }) => openFrames);
  const answer = chunkFrames.map((): number | null => null);
  const largestFirst = [...chunkFrames.keys()].sort((a, b) => chunkFrames[b]! - chunkFrames[a]! || a - b);
  for (const chunk of largestFirst) {
    let earliest = Number.POSITIVE_INFINITY;
    for (const [at, { site, load }] of works.entries()) {
      const done = finishSeconds(site, load, open[at]! + chunkFrames[chunk]!);
      if (done >= earliest) continue;
      earliest = done;
      answer[chunk] = at;
    }
    const site = answer[chunk];
    if (site !== null && site !== undefined) open[site]! += chunkFrames[chunk]!;
  }
  return answer;
}
