/** The model's answers as text for a terminal. */
import { bytes, duration } from '../../cli/output/duration.ts';
import { table } from '../../cli/output/table.ts';
import type { Comparison, Question, Side } from './compare.ts';
import { AIMS, type Validation } from './validate.ts';

const BOUND = {
  link: 'its links',
  studio: "the studio's own link",
  nodes: 'rendering',
} as const;

/** Centre and edge beside their limits. */
export function comparisonTable({ centre, edge }: Comparison): string {
  return table(
    [
      { name: 'centre', ...centre },
      { name: 'edge', ...edge },
    ],
    [
      { title: '', value: ({ name }) => name },
      { title: 'seconds', right: true, value: ({ outcome }) => outcome.seconds.toFixed(1) },
      { title: 'limit', right: true, value: ({ limit }) => limit.seconds.toFixed(1) },
      { title: 'share', right: true, value: ({ share }) => percent(share) },
      { title: 'first frame', right: true, value: ({ outcome }) => duration(outcome.firstDelivered) },
      { title: 'held up by', value: ({ limit }) => BOUND[limit.bound] },
      { title: 'cost a frame', right: true, value: ({ outcome }) => price(outcome.cost.perFrame) },
      { title: 'over the links', right: true, value: (side) => bytes(carried(side)) },
    ],
  );
}

/** Measured runs beside what the model says of them, and whether it holds. */
export function validationTable({ predictions, medianError, largestError, holds }: Validation): string {
  const rows = table(predictions, [
    { title: 'run', value: ({ run }) => run },
    { title: 'sites', right: true, value: ({ parameters }) => String(parameters.sites) },
    { title: 'link', right: true, value: ({ parameters }) => String(parameters.linkMbits) },
    { title: 'measured', right: true, value: ({ measuredSeconds }) => measuredSeconds.toFixed(1) },
    { title: 'predicted', right: true, value: ({ predictedSeconds }) => predictedSeconds.toFixed(1) },
    { title: 'error', right: true, value: ({ error }) => `${error > 0 ? '+' : ''}${percent(error)}` },
  ]);
  const few = predictions.length < AIMS.runs ? ` (of ${AIMS.runs} that it takes)` : '';
  return (
    `${rows}\n\n${predictions.length} runs${few}: off by ${percent(medianError)} in the median and ${percent(largestError)} at most; ` +
    `the aims are ${percent(AIMS.median)} and ${percent(AIMS.each)}. The model ${holds ? 'holds' : 'does not hold'}.`
  );
}

/** One sentence for who wants to know whether edge sites pay, and the reason. */
export function verdict({ centre, edge, ratio }: Comparison, { studioLinkMbits, linkMbits }: Question): string {
  const [slow, fast] = [duration(centre.outcome.seconds), duration(edge.outcome.seconds)];
  const dearer = edge.outcome.cost.perFrame / centre.outcome.cost.perFrame - 1;
  const cost =
    !Number.isFinite(dearer) || Math.abs(dearer) < 0.005
      ? 'at the same cost'
      : `at ${percent(Math.abs(dearer))} ${dearer > 0 ? 'more' : 'less'} a frame`;
  if (ratio >= 1.05) {
    return `Edge sites pay: ${fast} against ${slow}, ${ratio.toFixed(2)} times faster, ${cost}. ${why(centre, edge)}`;
  }
  const better =
    ratio <= 0.95 ? `A centre is faster: ${slow} against ${fast}` : `No difference: ${fast} against ${slow}`;
  const hint =
    edge.limit.bound === 'studio'
      ? ` All frames must come through your own ${studioLinkMbits} Mbit/s; sites of ${linkMbits} Mbit/s cannot help with that.`
      : '';
  return `${better}, ${cost}. ${why(centre, edge)}${hint}`;
}

const why = (centre: Side, edge: Side): string =>
  `The centre waits for ${BOUND[centre.limit.bound]}, the edge for ${BOUND[edge.limit.bound]}.`;

const carried = ({ outcome }: Side): number =>
  outcome.sites.reduce((sum, { upBytes, downBytes }) => sum + upBytes + downBytes, 0);

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
/** An amount of the report's currency, with the digits that small prices need. */
export const price = (amount: number): string => (amount === 0 ? '0' : amount.toPrecision(3));
