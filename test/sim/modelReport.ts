/** What the model computes, in the form in which the benchmark reports what it measured: one report serves both. */
import { ARTICLE, type CentreAndEdge, type EdgeReport, type RunReport } from '../bench/edge/edgeReport.ts';
import { type Question, runSide, type Side } from './compare.ts';

/** Grids of the sweeps. */
const SITES = [1, 2, 3, 4, 5, 6, 8, 10];
const LINKS = [50, 100, 200, 330, 500, 700, 1000];
const RENDERS = [0, 1, 2, 5, 10, 20, 30, 45, 60];
/** Of the studio's own link, as multiples of one place's link. */
const STUDIO_FACTORS = [0.5, 1, 1.5, 2, 3, 5, 7, 10, 20];
const WIDE = 10;

/** Answers a question with everything that the benchmark reports beside it. */
export function modelledReport(question: Question, startedAt: string): EdgeReport {
  const pair = (changes: Partial<Question> = {}): CentreAndEdge => pairOf({ ...question, ...changes });
  const { job, linkMbits, sites } = question;
  const { centre, edge } = pair();
  const isShot = job.ownBytes > 0;
  const projectBytes = job.sharedBytes + job.frames * job.ownBytes;
  return {
    formatVersion: 1,
    origin: 'model',
    startedAt,
    size: sizeOf(question),
    ...{ linkMbits, sites, engine: 'replay', renderSeconds: job.renderSeconds },
    project: isShot ? 'shot' : 'all-shared',
    ...{ centre, edge },
    ratio: centre.seconds / edge.seconds,
    limitRatio: centre.limitSeconds / edge.limitSeconds,
    compressed: null,
    allShared: isShot ? pair({ job: { ...job, sharedBytes: projectBytes, ownBytes: 0 } }) : null,
    controls: {
      wideCentre: pair({ centreLinkMbits: WIDE * linkMbits }).centre,
      studioLinkSweep: STUDIO_FACTORS.map((factor) => pair({ studioLinkMbits: factor * linkMbits })),
    },
    sweeps: {
      sites: SITES.map((count) => pair({ sites: count })),
      // Around the link asked about, however fast it is.
      link: LINKS.map((mbits) => (mbits * linkMbits) / 330).map((mbits) =>
        pair({ linkMbits: mbits, centreLinkMbits: mbits }),
      ),
      render: RENDERS.map((renderSeconds) => pair({ job: { ...job, renderSeconds } })),
    },
    reasons: { compressed: 'The model has no picture to compress.' },
    failures: [],
    machine: {
      ...{ processor: 'none', cores: 0, memoryGiB: 0, node: process.version, kernel: '', date: startedAt.slice(0, 10) },
      ...{ unshapedMbits: 0, diskWriteMBs: 0, diskReadMBs: 0, limitedBy: null },
    },
    article: ARTICLE,
    emulated: ['All of it: links, stores, nodes, frames and the farm’s own steps are computed.'],
    assumptions: assumptionsOf(question),
  };
}

/** Both sides of one question as the benchmark would report them. */
export function pairOf(question: Question): CentreAndEdge {
  return { centre: runOf(question, 'centre'), edge: runOf(question, 'edge') };
}

/** One side as a run: what the model cannot know is zero or null. */
function runOf(question: Question, topology: 'centre' | 'edge'): RunReport {
  const { job, studioLinkMbits } = question;
  const side = runSide(question, topology);
  const { outcome, limit, share, sites, nodesPerSite, linkMbits } = side;
  return {
    parameters: {
      ...{ topology, size: sizeOf(question), linkMbits, studioLinkMbits, sites, nodesPerSite, engine: 'replay' },
      ...{ renderSeconds: job.renderSeconds, project: job.ownBytes > 0 ? 'shot' : 'all-shared' },
      ...{ frames: job.frames, compressed: false },
    },
    seconds: outcome.seconds,
    secondsWithUpload: outcome.seconds,
    limitSeconds: limit.seconds,
    ...{ share, limit, links: [], bytesByLink: bytesOf(question, side) },
    costPerFrame: { tokens: 0, currency: question.prices.currency, amount: outcome.cost.perFrame },
    ...{ uploadSeconds: 0, quoteSeconds: 0, settlementSeconds: null, stageSeconds: {} },
    timeline: {
      ...{ firstFrameRendered: null, firstFrameCommitted: null, firstFrameDelivered: outcome.firstDelivered },
      ...{ lastFrameRendered: outcome.lastRendered, lastFrameCommitted: null, lastFrameDelivered: outcome.seconds },
    },
    frames: job.frames,
    frameBytes: job.frameBytes,
    projectBytes: {
      total: job.sharedBytes + job.frames * job.ownBytes,
      shared: job.sharedBytes,
      ownPerFrame: job.ownBytes,
    },
    cpu: { coreSeconds: 0, cores: 0, busyShare: 0 },
  };
}

const bytesOf = ({ job }: Question, { outcome }: Side): RunReport['bytesByLink'] =>
  outcome.sites.map(({ name, frames, upBytes, downBytes }) => ({
    ...{ link: name, upBytes, neededUpBytes: frames * job.frameBytes, downBytes },
    neededDownBytes: frames > 0 ? job.sharedBytes + frames * job.ownBytes : 0,
  }));

/** As a share of the article's job, by the bytes of a frame. */
const sizeOf = ({ job }: Question): number => Number((job.frameBytes / (8192 * 4608 * 8)).toPrecision(4));

function assumptionsOf({ farm, studioLinkMbits, prices, nodesPerSite, job }: Question): string[] {
  const ms = (seconds: number): string => `${Math.round(seconds * 1000)} ms`;
  return [
    `The same number of nodes on both sides: ${nodesPerSite} at each site, all of them in one place at the centre.`,
    studioLinkMbits === null
      ? 'The studio’s own link is wide enough for all sites together.'
      : `The studio’s own link carries ${studioLinkMbits} Mbit/s each way.`,
    'The farm’s own store stands beside the studio, so that the upload crosses no link of a site.',
    'Links are full duplex and share their rate evenly among streams; distance costs no time.',
    `A claim takes ${ms(farm.claimSeconds)}, a request ${ms(farm.requestSeconds)}, from a rendered frame to its commit ${ms(farm.putSeconds + farm.verifySeconds + farm.commitSeconds)} of which ${ms(farm.commitSeconds)} under the job’s lock, the check on the studio’s disk ${ms(farm.checkSeconds)}.`,
    `${farm.streamsPerSite} frames at a time leave a site; ${farm.chunksInFlight} chunks are in flight at most.`,
    `A frame renders in ${job.renderSeconds} s${job.renderSpread > 0 ? `, more or less ${Math.round(job.renderSpread * 100)} %` : ', each the same'}.`,
    `A node costs ${prices.centre.perNodeHour} ${prices.currency} an hour at the centre and ${prices.edge.perNodeHour} at the edge, while it renders; a gigabyte that leaves ${prices.centre.perGB} and ${prices.edge.perGB}.`,
  ];
}
