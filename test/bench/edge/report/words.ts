/** Figures and short phrases as the report writes them. */
import { bytes, duration } from '../../../../cli/output/duration.ts';
import type { RunReport } from '../edgeReport.ts';

export { bytes, duration };

/** A run on busy cores that comes to less of its limit waits for them, and not for what the limit knows of. */
const OWN_LIMIT_SHARE = 0.75;
const BUSY_SHARE = 0.85;

/** What a run waits for after its first frame. */
export function bound({ limit, parameters, share, cpu }: BoundRun): string {
  const { topology } = parameters;
  if (share !== undefined && cpu && share < OWN_LIMIT_SHARE && cpu.busyShare > BUSY_SHARE) {
    return `the machine (its cores are ${percent(cpu.busyShare, 0)} busy)`;
  }
  if (limit.bound === 'studio') return 'the studio’s own link';
  if (limit.bound === 'nodes') return 'rendering';
  return topology === 'centre' ? 'its one link' : 'its sites’ links';
}

type BoundRun = Pick<RunReport, 'limit' | 'parameters'> & Partial<Pick<RunReport, 'share' | 'cpu'>>;

export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;
export const seconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? '—' : `${value.toFixed(1)} s`;
export const times = (ratio: number): string => `${ratio.toFixed(2)} ×`;
/** `330 Mbit/s`. */
export const rate = (mbits: number): string => `${Number(mbits.toPrecision(4)).toLocaleString('en')} Mbit/s`;

/** `0.0123 EUR`: small prices with the digits that they need. */
export function cost({ costPerFrame: { currency, amount } }: RunReport): string {
  return `${price(amount)} ${currency}`;
}

export const price = (amount: number): string => String(Number(amount.toPrecision(3)));

/** `one centre of 10 nodes`, `10 sites of 1 node`. */
export function placesOf({ topology, sites, nodesPerSite }: RunReport['parameters']): string {
  const nodes = `${nodesPerSite} node${nodesPerSite === 1 ? '' : 's'}`;
  return topology === 'centre' ? `one centre of ${nodes}` : `${sites} site${sites === 1 ? '' : 's'} of ${nodes}`;
}
