/** What `npm run bench:edge` measures, as its JSON holds it. Rates are payload in Mbit/s (10^6 bits), times are seconds. */
import type { Limit } from './limit.ts';

/** How frames come about: traced for real, or traced beforehand and handed out after `renderSeconds`. */
export type EdgeEngine = 'replay' | 'pathtracer';

/** `shot`: every frame reads a part of its own beside a shared one. `all-shared`: every frame reads all of the project. */
export type EdgeProject = 'shot' | 'all-shared';

/** What a single run was told; every run names its own, since controls differ from the main pair. */
export interface RunParameters {
  topology: 'centre' | 'edge';
  /** Pixels and project bytes as a share of the article's: 1 is 8192×4608 and 1 GB. */
  size: number;
  /** Payload rate asked of every site's link. */
  linkMbits: number;
  /** Payload rate asked of the studio's own link; null: unshaped. */
  studioLinkMbits: number | null;
  /** Places behind links of their own (1 for a centre) and nodes at each. */
  sites: number;
  nodesPerSite: number;
  engine: EdgeEngine;
  renderSeconds: number;
  project: EdgeProject;
  frames: number;
  /** Lossless compression in transit. */
  compressed: boolean;
}

/** One shaped link, as measured with a plain TCP stream each way before the run. */
export interface LinkRate {
  /** Namespace behind it: `centre`, `site-3`, `studio`. */
  link: string;
  askedMbits: number;
  /** What `tc tbf` was told so that payload comes to the asked rate. */
  tbfMbits: number;
  /** Measured payload from the place to the studio and back. */
  upMbits: number;
  downMbits: number;
}

/** Bytes on one link during a run, by the kernel's counters (headers included), beside the payload that had to cross it. */
export interface LinkBytes {
  link: string;
  /** From the place towards the studio: frames. */
  upBytes: number;
  neededUpBytes: number;
  /** From the studio to the place: the project. */
  downBytes: number;
  neededDownBytes: number;
}

/** When things happened, seconds after the clock's start (the first project byte leaves the studio's side). */
export interface RunTimeline {
  firstFrameRendered: number | null;
  firstFrameCommitted: number | null;
  firstFrameDelivered: number;
  lastFrameRendered: number | null;
  lastFrameCommitted: number | null;
  lastFrameDelivered: number;
}

/** One measured run of one job. */
export interface RunReport {
  parameters: RunParameters;
  /** First project byte leaving the studio to the last frame checked by hash on its disk. */
  seconds: number;
  /** The same with the upload to the home store (which stands beside the studio) before it. */
  secondsWithUpload: number;
  limitSeconds: number;
  /** `limitSeconds / seconds`. */
  share: number;
  limit: Limit;
  links: LinkRate[];
  bytesByLink: LinkBytes[];
  /** What the studio paid for a delivered frame, in units of the farm's token and in its currency. */
  costPerFrame: { tokens: number; currency: string; amount: number };
  /** Beside the clock. */
  uploadSeconds: number;
  quoteSeconds: number;
  /** From the last frame on disk to the paid invoice. */
  settlementSeconds: number | null;
  /** Wall time by the farm's own stages. */
  stageSeconds: Record<string, number>;
  timeline: RunTimeline;
  /** Delivered files, all different: asserted by hash. */
  frames: number;
  frameBytes: number;
  projectBytes: { total: number; shared: number; ownPerFrame: number };
  /** Core seconds that all processes of the run used, and the cores there were: whether the machine was the limit. */
  cpu: { coreSeconds: number; cores: number; busyShare: number };
}

export interface CentreAndEdge {
  centre: RunReport;
  edge: RunReport;
}

/** What the machine can carry, measured before the runs. */
export interface MachineReport {
  processor: string;
  cores: number;
  memoryGiB: number;
  node: string;
  kernel: string;
  date: string;
  /** Payload through an unshaped link of the lab, one plain TCP stream. */
  unshapedMbits: number;
  diskWriteMBs: number;
  diskReadMBs: number;
  /** Set when links or disk, not the emulated links, would decide: in plain words. */
  limitedBy: string | null;
}

/** Programs of the lab, by what they are; each place has a store, an agent and nodes of its own. */
export const PROGRAMS = [
  ...['node', 'store', 'agent', 'home', 'studio'],
  ...['api', 'dispatch', 'control', 'settle', 'database', 'temporal', 'other'],
] as const;
/** `home`: the farm's own store; `studio`: who receives the frames; `other`: chain, keeper and the like. */
export type Program = (typeof PROGRAMS)[number];

/**
 * One job of the costs' measurement: what it was, and the core seconds that each program used from its acceptance to its last
 * frame on the studio's disk.
 */
export interface CostsJob {
  name: string;
  frames: number;
  /** Leases that rendered. */
  chunks: number;
  /** Megabytes (10^6) of all its frames, and of the project that crossed to the site. */
  frameMB: number;
  stagedMB: number;
  /** Of all frames over again, from a site where they lay: not rendered, only received. */
  isSecondPull: boolean;
  compressed: boolean;
  /** The first after the sites' programs were started and warmed up like those of a run: their code is not all compiled yet. */
  isFirst: boolean;
  /** From its first lease (a second pull: its beginning) to the last frame on the studio's disk. */
  seconds: number;
  coreSeconds: Record<Program, number>;
}

/**
 * What work costs this machine, measured apart from all runs: small jobs over all sites, links as wide as the machine carries.
 * `npm run sim:edge -- --validate` predicts the runs with it.
 */
export interface CostsReport {
  size: number;
  sites: number;
  cores: number;
  /** With nothing to do. */
  idle: { seconds: number; coreSeconds: Record<Program, number> };
  jobs: CostsJob[];
}

/** The article's five figures. */
export const ARTICLE = {
  projectGB: 1,
  frames: 100,
  frameMB: 300,
  centreSeconds: 760,
  edgeSeconds: 79,
  ratio: 9.62,
} as const;

/** The whole answer. A part that did not run is null, and `reasons` says why under the part's name (`controls.wideCentre`). */
export interface EdgeReport {
  formatVersion: 1;
  /** Computed by `npm run sim:edge`; absent: measured on the real system. */
  origin?: 'model';
  startedAt: string;
  size: number;
  linkMbits: number;
  sites: number;
  engine: EdgeEngine;
  renderSeconds: number;
  project: EdgeProject;
  centre: RunReport | null;
  edge: RunReport | null;
  /** `centre.seconds / edge.seconds`, and the same of the limits. */
  ratio: number | null;
  limitRatio: number | null;
  compressed: CentreAndEdge | null;
  /** The same runs as `compressed`, but without it: what they are compared with. Absent in older and modelled reports. */
  uncompressed?: CentreAndEdge | null;
  /** The hard case beside the shot; null when `project` is that already. */
  allShared: CentreAndEdge | null;
  controls: {
    /** A centre whose link is ten times as wide. */
    wideCentre: RunReport | null;
    /** Both sides behind a studio link of so many Mbit/s. The centre ran once, with the studio's link unshaped: its own is no wider than any of them. */
    studioLinkSweep: CentreAndEdge[] | null;
  };
  /** Runs of `--sweep`, by what was varied. */
  sweeps: { sites: CentreAndEdge[] | null; link: CentreAndEdge[] | null; render: CentreAndEdge[] | null };
  /** Absent: not asked for. */
  costs?: CostsReport;
  reasons: Record<string, string>;
  /** Why a run does not count: a share above 1.01, frames that are not all different, bytes that crossed twice. */
  failures: string[];
  machine: MachineReport;
  article: typeof ARTICLE;
  /** Which parts were emulated, and what is assumed, in plain words. */
  emulated: string[];
  assumptions: string[];
}
