/** Figures and short phrases as the report writes them. */
import { bytes, duration } from '../../../../cli/output/duration.ts';
import type { RunReport } from '../edgeReport.ts';
import type { Limit } from '../limit.ts';

export { bytes, duration };

/** What a run waits for after its first frame. */
export const BOUND: Record<Limit['bound'], string> = {
  link: 'the place’s link',
  studio: 'the studio’s own link',
  nodes: 'rendering',
};

export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;
export const seconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? '—' : `${value.toFixed(1)} s`;
export const times = (ratio: number): string => `${ratio.toFixed(2)} ×`;
/** `330 Mbit/s`. */
export const rate = (mbits: number): string => `${Number(mbits.toPrecision(4)).toLocaleString('en')} Mbit/s`;

/** `0.0123 EUR`: small prices with the digits that they need. */
export function cost({ costPerFrame: { currency, amount } }: RunReport): string {
  return amount === 0 ? `0 ${currency}` : `${Number(amount.toPrecision(3))} ${currency}`;
}

/** `one centre of 10 nodes`, `10 sites of 1 node`. */
export function placesOf({ topology, sites, nodesPerSite }: RunReport['parameters']): string {
  const nodes = `${nodesPerSite} node${nodesPerSite === 1 ? '' : 's'}`;
  return topology === 'centre' ? `one centre of ${nodes}` : `${sites} site${sites === 1 ? '' : 's'} of ${nodes}`;
}
