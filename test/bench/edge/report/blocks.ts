/** Blocks that several parts of the report use. */
import type { RunReport } from '../edgeReport.ts';
import type { Block } from './document.ts';
import { bound, cost, percent, seconds } from './words.ts';

/** Runs side by side: time, limit, share, price. */
export function runTable(runs: readonly (readonly [string, RunReport])[]): Block {
  return {
    kind: 'table',
    head: ['', 'time', 'limit', 'share of limit', 'first frame', 'cost a frame', 'waits for'],
    rows: runs.map(([name, run]) => [
      name,
      seconds(run.seconds),
      seconds(run.limitSeconds),
      percent(run.share),
      seconds(run.timeline.firstFrameDelivered),
      cost(run),
      bound(run),
    ]),
  };
}

/** A picture with its caption and, for those who do not see it, its words. */
export function figure(name: string, caption: string, svg: string, alt: string): Block {
  return { kind: 'figure', figure: { name, caption, svg, alt } };
}
