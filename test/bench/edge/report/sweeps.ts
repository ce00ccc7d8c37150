/** The parts of the report that say where the edge wins, where it does not, and why: the two controls and the sweeps. */
import type { CentreAndEdge, EdgeReport, RunReport } from '../edgeReport.ts';
import { figure, runTable } from './blocks.ts';
import { lineChart, type Point } from './charts.ts';
import type { Block, Section } from './document.ts';
import { bound, duration, percent, rate, times } from './words.ts';

/** A gain below this is none that a studio would notice. */
const NOTICEABLE = 1.05;

/** The two controls: both are expected to erase the gain. */
export function controls(report: EdgeReport, model?: EdgeReport): Section[] {
  const { centre, edge } = report;
  const { wideCentre, studioLinkSweep } = report.controls;
  const blocks: Block[] = [];
  if (wideCentre && centre && edge) {
    const wide = wideCentre.seconds / edge.seconds;
    blocks.push(
      {
        kind: 'text',
        text:
          `A centre whose link is ${Math.round((wideCentre.links[0]?.askedMbits ?? wideCentre.parameters.linkMbits) / centre.parameters.linkMbits)} times as wide takes ${duration(wideCentre.seconds)}: ` +
          (wide < NOTICEABLE
            ? 'the gain is gone. What the edge adds is bandwidth near the user, not faster rendering.'
            : `the edge is still ${times(wide)} faster.`),
      },
      runTable([
        ['centre', centre],
        ['centre, wide link', wideCentre],
        ['edge', edge],
      ]),
    );
  }
  if (studioLinkSweep && studioLinkSweep.length > 1) {
    blocks.push(
      { kind: 'text', text: `${studioWords(studioLinkSweep)} ${centreWords(studioLinkSweep)}`.trim() },
      sweepFigure('studio-link', studioLinkSweep, model?.controls.studioLinkSweep ?? null, {
        ...{
          x: 'studio’s own link, Mbit/s',
          head: 'Mbit/s',
          of: ({ studioLinkMbits }) => studioLinkMbits ?? Number.NaN,
          logX: true,
        },
        caption: 'Time of both sides over the rate of the studio’s own link.',
      }),
    );
  }
  return blocks.length > 0 ? [{ title: 'The controls', blocks }] : [];
}

/** Where both sides stand over the number of sites, the links' rate and the render time. */
export function sweeps({ sweeps: swept }: EdgeReport, model?: EdgeReport): Section[] {
  const blocks: Block[] = [];
  const add = (key: keyof EdgeReport['sweeps'], axis: Axis): void => {
    const runs = swept[key];
    if (!runs || runs.length < 2) return;
    blocks.push({ kind: 'text', text: axis.words(runs) }, sweepFigure(key, runs, model?.sweeps[key] ?? null, axis));
    blocks.push(ratioTable(runs, axis));
  };
  add('sites', {
    ...{ x: 'sites', head: 'sites', of: ({ sites }) => sites, logX: false },
    caption: 'Time of both sides over the number of sites; the centre has as many nodes as all sites together.',
    words: (runs) =>
      `Each site brings a link of its own: ${gainWords(runs, ({ sites }) => `${sites} site${sites === 1 ? '' : 's'}`)}`,
  });
  add('link', {
    ...{ x: 'every place’s link, Mbit/s', head: 'Mbit/s', of: ({ linkMbits }) => linkMbits, logX: true },
    caption: 'Time of both sides over the rate of every place’s link.',
    words: (runs) =>
      `The slower the links, the more the frames’ way back counts: ${gainWords(runs, ({ linkMbits }) => rate(linkMbits))}`,
  });
  add('render', {
    ...{ x: 'seconds to render a frame', head: 's a frame', of: ({ renderSeconds }) => renderSeconds, logX: false },
    caption: 'Time of both sides over the render time of a frame, with the same number of nodes.',
    words: (runs) =>
      `The longer frames render, the less their way back counts: ${gainWords(runs, ({ renderSeconds }) => `${renderSeconds} s a frame`)}`,
  });
  return blocks.length > 0 ? [{ title: 'Where the edge wins, and where not', blocks }] : [];
}

interface Axis {
  x: string;
  /** Short, above the column of its values. */
  head: string;
  of: (parameters: RunReport['parameters']) => number;
  logX: boolean;
  caption: string;
  words: (runs: readonly CentreAndEdge[]) => string;
}

const gain = ({ centre, edge }: CentreAndEdge): number => centre.seconds / edge.seconds;

/** The sweep's ends in words, with what each side waits for there. */
function gainWords(runs: readonly CentreAndEdge[], name: (parameters: RunReport['parameters']) => string): string {
  const said = [runs[0]!, runs.at(-1)!].map((run) => {
    const factor = gain(run);
    const what = factor < NOTICEABLE ? 'no gain' : `${times(factor)} faster`;
    return `${what} at ${name(run.edge.parameters)} (the centre waits for ${bound(run.centre)}, the edge for ${bound(run.edge)})`;
  });
  return `${said.join('; ')}.`;
}

function studioWords(runs: readonly CentreAndEdge[]): string {
  const sorted = [...runs].sort(
    (a, b) => (a.edge.parameters.studioLinkMbits ?? 0) - (b.edge.parameters.studioLinkMbits ?? 0),
  );
  const first = sorted.find((run) => gain(run) >= NOTICEABLE);
  const none = sorted.filter((run) => gain(run) < NOTICEABLE).at(-1);
  const from = first
    ? `From ${rate(first.edge.parameters.studioLinkMbits!)} on the edge is faster (${times(gain(first))} there).`
    : 'The edge is not faster at any of these rates.';
  const below = none
    ? ` At ${rate(none.edge.parameters.studioLinkMbits!)} and below there is no gain: every frame must come through the studio’s own link.`
    : '';
  return `${from}${below}`;
}

/** Where one run of the centre stands for several rates. */
function centreWords(runs: readonly CentreAndEdge[]): string {
  const links = runs.map(({ centre }) => centre.parameters.studioLinkMbits);
  if (new Set(links).size === runs.length) return '';
  const link = links[0] == null ? 'no bound on the studio’s link' : `a studio link of ${rate(links[0])}`;
  return `The centre ran once, with ${link}: its own link is no wider than any of these.`;
}

function ratioTable(runs: readonly CentreAndEdge[], axis: Axis): Block {
  return {
    kind: 'table',
    head: [axis.head, 'centre', 'edge', 'times faster', 'limits allow', 'centre, of limit', 'edge, of limit'],
    rows: runs.map((run) => [
      String(axis.of(run.edge.parameters)),
      duration(run.centre.seconds),
      duration(run.edge.seconds),
      gain(run).toFixed(2),
      (run.centre.limitSeconds / run.edge.limitSeconds).toFixed(2),
      percent(run.centre.share),
      percent(run.edge.share),
    ]),
  };
}

/** Lines are the model where there is one, else the runs' limits; dots are what was measured. */
function sweepFigure(
  name: string,
  runs: readonly CentreAndEdge[],
  modelled: readonly CentreAndEdge[] | null,
  { x, of, logX, caption }: Omit<Axis, 'words'>,
): Block {
  const points = (pairs: readonly CentreAndEdge[], heightOf: (run: RunReport) => number): Point[] =>
    pairs.flatMap((pair) =>
      (['centre', 'edge'] as const).map((side) => ({
        ...{ series: side, side, x: of(pair.edge.parameters), y: heightOf(pair[side]) },
      })),
    );
  const measured = points(runs, (run) => run.seconds);
  const lines = modelled ? points(modelled, (run) => run.seconds) : points(runs, (run) => run.limitSeconds);
  const meaning = modelled ? 'Dots are measured runs, lines the model.' : 'Dots are the runs, lines their limits.';
  return figure(
    name,
    `${caption} ${meaning}`,
    lineChart({ ...{ x, y: 'seconds', logX, logY: true, lines }, dots: measured }),
    `${caption} ${runs.map((run) => `${of(run.edge.parameters)}: ${duration(run.centre.seconds)} and ${duration(run.edge.seconds)}`).join('; ')}.`,
  );
}
