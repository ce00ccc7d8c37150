/** What the model is told: a job, places with links and nodes, and how long the farm itself takes for its steps. */

import type { MachineSpec } from './costs.ts';

/** One shot. Bytes are payload. */
export interface JobSpec {
  frames: number;
  /** Bytes of one frame as it crosses a link. */
  frameBytes: number;
  /** Of one frame on disk, where it crosses compressed; absent: it does not. */
  wholeFrameBytes?: number;
  /** Project bytes that every frame reads. */
  sharedBytes: number;
  /** Project bytes that one frame reads beside them. */
  ownBytes: number;
  /** Seconds of one frame on one node of speed 1. */
  renderSeconds: number;
  /** Share by which frames differ from that, evenly spread: 0.2 is 80 % to 120 %. */
  renderSpread: number;
}

/** Megabytes (10^6) of a frame on disk. */
export const wholeMB = ({ frameBytes, wholeFrameBytes = frameBytes }: JobSpec): number => wholeFrameBytes / 1e6;

/** Rates of one place's link, payload in Mbit/s (10^6 bits), as seen from the place; Infinity where nothing bounds it. */
export interface LinkSpec {
  upMbits: number;
  downMbits: number;
}

/** A place with nodes: an edge site, or a centre. */
export interface SiteSpec extends LinkSpec {
  name: string;
  nodes: number;
  /** Of its nodes: 2 renders a frame in half the time. */
  speed: number;
  /** Of one node, and of what leaves the place; in the currency of the report. */
  price: { perNodeHour: number; perGB: number };
}

/** What the farm's own steps take, and its settings that bound what is under way. Seconds unless the name says otherwise. */
export interface FarmSpec {
  /** From a node's asking to its lease. */
  claimSeconds: number;
  /** From asking for bytes (a blob, a frame) to the first of them. */
  requestSeconds: number;
  /** From a rendered frame to its report: hash, announce, put. A node does so for one frame after the other. */
  putSeconds: number;
  /** From the report to the studio's knowing of it: verify, commit, event. */
  verifySeconds: number;
  /** What comes after it and holds the job's lock: one frame after the other, over all sites. */
  commitSeconds: number;
  /** From a frame's last byte to its name on the studio's disk: hash, sync, rename. */
  checkSeconds: number;
  /** Frames that one site sends at a time. */
  streamsPerSite: number;
  /** Frames whose files a node has ready beyond the one it renders. */
  stagedAhead: number;
  /** Chunks of one job on offer or with nodes at a time. */
  chunksInFlight: number;
  /** Sites take shared data from each other where it comes faster. */
  peers: boolean;
}

export interface Scenario {
  job: JobSpec;
  sites: SiteSpec[];
  studio: LinkSpec;
  /** The farm's own store: null beside the studio, where the upload crosses no link. */
  home: LinkSpec | null;
  farm: FarmSpec;
  /** Of render times and of the choice among sources. */
  seed: number;
  /** One machine that carries all programs of the farm, as in the lab; absent: every site has its own, which is never short. */
  machine?: MachineSpec;
}

/** No link is narrow. */
export const UNBOUNDED: LinkSpec = { upMbits: Number.POSITIVE_INFINITY, downMbits: Number.POSITIVE_INFINITY };

/** A farm that takes no time for itself: what the links and the nodes alone would give. */
export const IDEAL_FARM: FarmSpec = {
  ...{ claimSeconds: 0, requestSeconds: 0, putSeconds: 0, verifySeconds: 0, commitSeconds: 0, checkSeconds: 0 },
  ...{ streamsPerSite: 3, stagedAhead: 1, chunksInFlight: Number.POSITIVE_INFINITY, peers: true },
};

/** What came of it. */
export interface Outcome {
  /** From the first project byte leaving the studio to the last frame checked on its disk. */
  seconds: number;
  firstDelivered: number;
  lastRendered: number;
  /** When the n-th frame was on the studio's disk, in order. */
  deliveredAt: Float64Array;
  /** Per site, in the order of the scenario. */
  sites: SiteOutcome[];
  /** Bytes over the studio's own link. */
  studio: { upBytes: number; downBytes: number };
  /** Node seconds spent rendering, over all sites. */
  renderedSeconds: number;
  cost: { nodes: number; transfer: number; perFrame: number };
  /** Events that the model handled. */
  events: number;
}

export interface SiteOutcome {
  name: string;
  frames: number;
  upBytes: number;
  downBytes: number;
  renderedSeconds: number;
}
