/** What no machine here holds: a thousand sites and a million frames, and time over the number of sites. */
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { figure } from '../bench/edge/report/blocks.ts';
import { lineChart } from '../bench/edge/report/charts.ts';
import type { Block, ReportDocument } from '../bench/edge/report/document.ts';
import { duration, percent, price, rate } from '../bench/edge/report/words.ts';
import { type Question, runSide, type Side } from './compare.ts';

/** Sites of the curve. */
const SITES = [1, 3, 10, 30, 100, 300, 1000];
/** Frames of the curve: thirty for each of the most sites. */
const CURVE_FRAMES = 30_000;
/** Of the studio's own link, Mbit/s: 10 and 100 Gbit/s, and no bound. */
const STUDIO_LINKS: readonly (number | null)[] = [10_000, 100_000, null];

const LARGEST_STUDIO_LINK = 100_000;

const LARGEST = { sites: 1_000, frames: 1_000_000 } as const;

export interface ScalePoint {
  sites: number;
  frames: number;
  studioLinkMbits: number | null;
  chunksInFlight: number;
  seconds: number;
  limitSeconds: number;
  share: number;
  bound: Side['limit']['bound'];
  /** Share of the nodes' time that they rendered: what an owner earns of what the node could. */
  busyShare: number;
  costPerFrame: number;
  /** What the computing took: seconds of one core, and events. */
  computingSeconds: number;
  events: number;
}

export interface ScaleResult {
  formatVersion: 1;
  curve: ScalePoint[];
  largest: ScalePoint[];
  /** The curve's last point under the farm's standing policy, which bounds the chunks of a job that are in flight. */
  underPolicy: ScalePoint;
}

/**
 * @param question the job and the places; its frames and sites are replaced
 * @param clock milliseconds of computing so far
 */
export function runScale(question: Question, clock: () => number, say: (line: string) => void): ScaleResult {
  const point = (
    sites: number,
    frames: number,
    studioLinkMbits: number | null,
    chunksInFlight = Math.max(DEFAULT_POLICY.chunksInFlight, 2 * sites * question.nodesPerSite),
  ): ScalePoint => {
    const began = clock();
    const { job, farm } = question;
    const asked: Question = {
      ...{ ...question, sites, studioLinkMbits, farm: { ...farm, chunksInFlight } },
      // The project grows with the shot: what one frame reads stays.
      job: { ...job, frames },
    };
    const { outcome, limit, share } = runSide(asked, 'edge');
    const computingSeconds = (clock() - began) / 1000;
    say(`${sites} sites, ${frames} frames: ${computingSeconds.toFixed(1)} s of computing, ${outcome.events} events`);
    return {
      ...{
        sites,
        frames,
        studioLinkMbits,
        chunksInFlight,
        seconds: outcome.seconds,
        limitSeconds: limit.seconds,
        share,
      },
      ...{ bound: limit.bound, costPerFrame: outcome.cost.perFrame, computingSeconds, events: outcome.events },
      busyShare: outcome.renderedSeconds / (outcome.seconds * sites * question.nodesPerSite),
    };
  };
  return {
    formatVersion: 1,
    curve: STUDIO_LINKS.flatMap((link) => SITES.map((sites) => point(sites, CURVE_FRAMES, link))),
    largest: [LARGEST_STUDIO_LINK, null].map((link) => point(LARGEST.sites, LARGEST.frames, link)),
    underPolicy: point(LARGEST.sites, CURVE_FRAMES, null, DEFAULT_POLICY.chunksInFlight),
  };
}

/** The result as a report. */
export function scaleDocument(
  { curve, largest, underPolicy }: ScaleResult,
  { job, linkMbits, prices }: Question,
): ReportDocument {
  const biggest = largest.at(-1)!;
  const single = curve.find((point) => point.sites === 1 && point.studioLinkMbits === null)!;
  const last = curve.at(-1)!;
  const studio = (mbits: number | null): string => (mbits === null ? 'no bound' : rate(mbits));
  const points = (heightOf: (point: ScalePoint) => number) =>
    curve.map((point) => ({
      ...{ series: `studio: ${studio(point.studioLinkMbits)}`, side: 'edge' as const, x: point.sites },
      y: heightOf(point),
    }));
  const table = (rows: readonly ScalePoint[]): Block => ({
    kind: 'table',
    head: [
      'sites',
      'frames',
      'studio’s link',
      'time',
      'of limit',
      'waits for',
      'nodes busy',
      `${prices.currency} a frame`,
    ],
    rows: rows.map((point) => [
      point.sites.toLocaleString('en'),
      point.frames.toLocaleString('en'),
      studio(point.studioLinkMbits),
      duration(point.seconds),
      percent(point.share),
      { link: 'the sites’ links', studio: 'the studio’s link', nodes: 'rendering' }[point.bound],
      percent(point.busyShare),
      price(point.costPerFrame),
    ]),
  });
  return {
    title: 'A thousand sites, a million frames',
    subtitle: `frames of ${(job.frameBytes / 1e6).toFixed(0)} MB, ${job.renderSeconds} s each, sites of one node behind ${rate(linkMbits)}`,
    banner: 'Every figure here is computed by the model; nothing was measured.',
    headline: [
      {
        value: duration(biggest.seconds),
        label: `${biggest.sites.toLocaleString('en')} sites, ${biggest.frames.toLocaleString('en')} frames`,
        note: 'behind a studio that takes all of it',
      },
      {
        value: `${(single.seconds / last.seconds).toFixed(0)} ×`,
        label: 'a thousand sites against one',
        note: `${last.frames.toLocaleString('en')} frames, no bound at the studio`,
      },
      {
        value: `${biggest.computingSeconds.toFixed(0)} s`,
        label: 'to compute the largest run',
        note: `${biggest.events.toLocaleString('en')} events, seconds of one core`,
      },
    ],
    sections: [
      {
        title: 'Time over sites',
        blocks: [
          {
            kind: 'text',
            text: 'Sites add their links until the studio’s own link is full; from there on more sites change nothing.',
          },
          figure(
            'time',
            'Time for the same frames over the number of sites, by the rate of the studio’s own link.',
            lineChart({
              ...{ x: 'sites', y: 'hours', logX: true, logY: true },
              lines: points(({ seconds }) => seconds / 3600),
            }),
            'Time over the number of sites for three rates of the studio’s link.',
          ),
          table(curve),
        ],
      },
      {
        title: 'Cost over sites',
        blocks: [
          {
            kind: 'text',
            text: 'A frame has a fixed price, so the number of sites does not change what a studio pays. It changes what a node earns an hour: a node that waits for links renders little of the time. That is what a site’s owner has to weigh.',
          },
          figure(
            'busy',
            'Share of the nodes’ time in which they render.',
            lineChart({
              ...{ x: 'sites', y: 'nodes busy, %', logX: true },
              lines: points(({ busyShare }) => busyShare * 100),
            }),
            'Share of the nodes’ time in which they render, over the number of sites.',
          ),
        ],
      },
      {
        title: 'The largest',
        blocks: [
          {
            kind: 'text',
            text: 'More than 100,000 frames go in as several jobs at once. These runs keep two chunks a node in flight.',
          },
          table(largest),
          {
            kind: 'text',
            text: `The farm’s standing policy keeps ${underPolicy.chunksInFlight} chunks of a job in flight, which is fewer than there are nodes. Under it:`,
          },
          table([underPolicy]),
        ],
      },
    ],
  };
}
