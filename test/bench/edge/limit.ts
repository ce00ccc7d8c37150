/**
 * The limit of a run: what no software could beat on these links. It is the sum of three things that cannot overlap for the
 * first and the last byte: the first frame's files must be in, the first frame must be rendered, and all frames' bytes must
 * cross the narrowest link. A run below it by more than a hundredth was measured wrongly (`LARGEST_SHARE`).
 */

/** A share (limit / seconds) above this is a failed run, not a good one. */
export const LARGEST_SHARE = 1.01;

/** What decides a limit. */
export interface LimitInput {
  /** Frames of the job. */
  frames: number;
  /** Bytes of one frame as they cross a link. */
  frameBytes: number;
  /** Bytes of the project that every frame reads. */
  sharedBytes: number;
  /** Bytes of the project that one frame reads beside them. */
  ownBytes: number;
  /** Seconds that one frame takes on one node. */
  renderSeconds: number;
  /** Places that frames come from, each behind a link of its own: 1 for a centre. */
  sites: number;
  /** Nodes at each of them. */
  nodesPerSite: number;
  /** Payload rate of the narrowest of their links as measured, Mbit/s (10^6 bits). */
  linkMbits: number;
  /** Payload rate of the studio's own link, Mbit/s; null where nothing bounds it. */
  studioLinkMbits: number | null;
}

/** A limit and how it comes about; seconds. */
export interface Limit {
  seconds: number;
  /** The first frame's files to its node. */
  stagingSeconds: number;
  /** The first frame on its node. */
  renderSeconds: number;
  /** From the first rendered frame to the last byte at the studio. */
  transferSeconds: number;
  /** What holds the run up after the first frame: a site's link, the studio's link, or the nodes. */
  bound: 'link' | 'studio' | 'nodes';
}

/**
 * Seconds that one frame takes on one node, for a limit: as asked where frames were traced beforehand, else the mean of what the
 * nodes of the run measured, sharing one machine.
 */
export const renderSecondsOf = (
  { engine, renderSeconds }: { engine: 'replay' | 'pathtracer'; renderSeconds: number },
  measured: readonly number[],
): number =>
  engine === 'replay' ? renderSeconds : measured.reduce((sum, seconds) => sum + seconds, 0) / measured.length;

/** Seconds that bytes take at a rate in Mbit/s. */
export const secondsAt = (bytes: number, mbits: number): number => (bytes * 8) / (mbits * 1e6);

/**
 * The limit of a run on full-duplex links. All frames cross the link of the site that has most of them (frames / sites,
 * rounded up) or the studio's link; where rendering takes longer than that, the nodes decide: the last frame of the busiest
 * node must still cross after it was rendered.
 */
export function limitOf(input: LimitInput): Limit {
  const { frames, frameBytes, sharedBytes, ownBytes, renderSeconds, sites, nodesPerSite, linkMbits } = input;
  const studio = input.studioLinkMbits ?? Number.POSITIVE_INFINITY;
  const narrowest = Math.min(linkMbits, studio);
  const stagingSeconds = secondsAt(sharedBytes + ownBytes, narrowest);
  const framesOfSite = Math.ceil(frames / sites);
  const overLink = secondsAt(framesOfSite * frameBytes, linkMbits);
  const overStudio = secondsAt(frames * frameBytes, studio);
  const rounds = Math.ceil(framesOfSite / nodesPerSite);
  const overNodes = (rounds - 1) * renderSeconds + secondsAt(frameBytes, narrowest);
  const transferSeconds = Math.max(overLink, overStudio, overNodes);
  const bound = transferSeconds === overLink ? 'link' : transferSeconds === overStudio ? 'studio' : 'nodes';
  return {
    seconds: stagingSeconds + renderSeconds + transferSeconds,
    ...{ stagingSeconds, renderSeconds, transferSeconds, bound },
  };
}
