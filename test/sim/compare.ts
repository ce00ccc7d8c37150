/** A centre and edge sites for the same job: same nodes in all, same farm, and what each takes beside its limit. */
import { type Limit, limitOf } from '../bench/edge/limit.ts';
import { simulate } from './model.ts';
import type { FarmSpec, JobSpec, LinkSpec, Outcome, Scenario, SiteSpec } from './scenario.ts';
import { UNBOUNDED } from './scenario.ts';

/** What a comparison is about. */
export interface Question {
  job: JobSpec;
  /** Edge sites, and nodes at each; the centre has all of them in one place. */
  sites: number;
  nodesPerSite: number;
  /** Payload rate of every place's link, each way, Mbit/s. */
  linkMbits: number;
  /** The centre's, where it differs. */
  centreLinkMbits: number;
  /** The studio's own link, each way; null where nothing bounds it. */
  studioLinkMbits: number | null;
  farm: FarmSpec;
  /** `currency` is a name for people; nothing is converted. */
  prices: { currency: string; centre: SiteSpec['price']; edge: SiteSpec['price'] };
  seed: number;
}

/** One side's run in the model. */
export interface Side {
  outcome: Outcome;
  limit: Limit;
  /** `limit.seconds / outcome.seconds`. */
  share: number;
  sites: number;
  nodesPerSite: number;
  linkMbits: number;
}

export interface Comparison {
  centre: Side;
  edge: Side;
  ratio: number;
  limitRatio: number;
}

export function compare(question: Question): Comparison {
  const centre = runSide(question, 'centre');
  const edge = runSide(question, 'edge');
  return {
    ...{ centre, edge },
    ratio: centre.outcome.seconds / edge.outcome.seconds,
    limitRatio: centre.limit.seconds / edge.limit.seconds,
  };
}

export function runSide(question: Question, side: 'centre' | 'edge'): Side {
  const { job, studioLinkMbits } = question;
  const { sites, nodesPerSite, linkMbits } = topologyOf(question, side);
  const outcome = simulate(scenarioOf(question, side));
  const limit = limitOf({ ...job, sites, nodesPerSite, linkMbits, studioLinkMbits });
  return { outcome, limit, share: limit.seconds / outcome.seconds, sites, nodesPerSite, linkMbits };
}

export function scenarioOf(question: Question, side: 'centre' | 'edge'): Scenario {
  const { job, farm, seed, studioLinkMbits, prices } = question;
  const { sites, nodesPerSite, linkMbits } = topologyOf(question, side);
  return {
    ...{ job, farm, seed, home: null },
    sites: Array.from({ length: sites }, (_, index) => ({
      ...{ name: side === 'centre' ? 'centre' : `site-${index + 1}`, nodes: nodesPerSite, speed: 1 },
      ...{ ...bothWays(linkMbits), price: prices[side] },
    })),
    studio: studioLinkMbits === null ? UNBOUNDED : bothWays(studioLinkMbits),
  };
}

function topologyOf(
  { sites, nodesPerSite, linkMbits, centreLinkMbits }: Question,
  side: 'centre' | 'edge',
): { sites: number; nodesPerSite: number; linkMbits: number } {
  return side === 'edge'
    ? { sites, nodesPerSite, linkMbits }
    : { sites: 1, nodesPerSite: sites * nodesPerSite, linkMbits: centreLinkMbits };
}

const bothWays = (mbits: number): LinkSpec => ({ upMbits: mbits, downMbits: mbits });
