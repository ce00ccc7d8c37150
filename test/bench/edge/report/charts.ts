/** Charts as SVG text, drawn without a browser: Observable Plot on linkedom's document. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Two sides, told apart by colour (Okabe and Ito's, safe for colour-blind eyes) and by a second cue in every chart. */
export const SIDES = {
  centre: { colour: '#c2540a', symbol: 'square', dash: '7 4' },
  edge: { colour: '#0067a5', symbol: 'circle', dash: null },
} as const;
export type SideName = keyof typeof SIDES;

const INK = '#1d2430';
const FAINT = '#69727f';
const WIDTH = 720;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export interface Bar {
  label: string;
  side: SideName;
  value: number;
  /** Drawn as a line across the bar: what could not be beaten. */
  limit?: number | undefined;
}

/** Bars from left to right, one below the other, each with its figure; a line across marks its limit. */
export function barChart(bars: readonly Bar[], { unit, digits = 1 }: { unit: string; digits?: number }): string {
  const longest = Math.max(...bars.map(({ value, limit }) => Math.max(value, limit ?? 0)));
  const limited = bars.filter(({ limit }) => limit !== undefined);
  return svgOf({
    height: 48 + bars.length * 34,
    marginLeft: 8 + 7.2 * Math.max(...bars.map(({ label }) => label.length)),
    marginRight: 90,
    marginTop: 8,
    marginBottom: 38,
    x: { domain: [0, longest], label: unit, labelAnchor: 'center', labelArrow: 'none', grid: true, ticks: 6 },
    y: { domain: bars.map(({ label }) => label), label: null, padding: 0.32 },
    marks: [
      Plot.barX(bars, { x: 'value', y: 'label', fill: ({ side }: Bar) => SIDES[side].colour, rx: 2 }),
      Plot.tickX(limited, { x: 'limit', y: 'label', stroke: INK, strokeWidth: 2, insetTop: -4, insetBottom: -4 }),
      Plot.text(bars, {
        ...{ x: ({ value, limit }: Bar) => Math.max(value, limit ?? 0), y: 'label', textAnchor: 'start', dx: 8 },
        ...{ text: ({ value }: Bar) => figure(value, digits), fill: INK, fontWeight: 600 },
      }),
    ],
  });
}

export interface Point {
  series: string;
  side: SideName;
  x: number;
  y: number;
}

export interface LineChart {
  x: string;
  y: string;
  /** Both axes logarithmic where values span orders of magnitude. */
  logX?: boolean;
  logY?: boolean;
  /** Joined by lines: limits or the model. */
  lines: readonly Point[];
  /** Drawn as dots: what was measured. */
  dots?: readonly Point[];
  /** A level worth a name: no gain, the article's ratio. */
  levels?: readonly { y: number; label: string }[];
}

/** Lines named at their right ends, with dots for single runs. */
export function lineChart({ x, y, logX = false, logY = false, lines, dots = [], levels = [] }: LineChart): string {
  const ends = endsOf(lines);
  const all = [...lines, ...dots];
  const ys = [...all.map((point) => point.y), ...levels.map((level) => level.y)];
  const xs = all.map((point) => point.x);
  const ticks = [...new Set(xs)].sort((a, b) => a - b);
  return svgOf({
    height: 320,
    marginLeft: 64,
    marginRight: 26 + 6.6 * Math.max(8, ...ends.map(({ series }) => series.length)),
    marginTop: 34,
    marginBottom: 42,
    x: {
      ...{ type: logX ? 'log' : 'linear', label: x, labelAnchor: 'center', labelArrow: 'none', grid: false },
      ...{ domain: [Math.min(...xs), Math.max(...xs)], ticks: logX ? fewTicks(ticks) : 8, tickFormat: plain },
    },
    y: {
      ...{ type: logY ? 'log' : 'linear', label: y, labelArrow: 'none', grid: true, nice: !logY },
      ...{ domain: logY ? [Math.min(...ys) / 1.2, Math.max(...ys) * 1.2] : [0, Math.max(...ys) * 1.08] },
      ...{ ticks: logY ? 5 : 6, tickFormat: plain },
    },
    marks: [
      Plot.ruleY(levels, { y: 'y', stroke: FAINT, strokeDasharray: '2 3' }),
      Plot.text(levels, {
        ...{ y: 'y', text: 'label', frameAnchor: 'right', dx: -6, dy: -8, textAnchor: 'end', fill: FAINT },
      }),
      ...(['edge', 'centre'] as const).map((side) =>
        Plot.line(
          lines.filter((point) => point.side === side),
          {
            ...{ x: 'x', y: 'y', z: 'series', stroke: SIDES[side].colour, strokeWidth: 2.2 },
            ...(SIDES[side].dash ? { strokeDasharray: SIDES[side].dash } : {}),
          },
        ),
      ),
      Plot.dot(dots, {
        ...{ x: 'x', y: 'y', r: 4.5, stroke: 'white', strokeWidth: 1, fill: ({ side }: Point) => SIDES[side].colour },
        symbol: ({ side }: Point) => SIDES[side].symbol,
      }),
      Plot.text(apart(ends, Math.max(...ys), logY ? Math.min(...ys) : 0, logY), {
        ...{ x: 'x', y: 'at', text: 'series', textAnchor: 'start', dx: 8, fontWeight: 600 },
        fill: ({ side }: Point) => SIDES[side].colour,
      }),
    ],
  });
}

/** The last point of each line. */
function endsOf(lines: readonly Point[]): Point[] {
  const ends = new Map<string, Point>();
  for (const point of lines) if (point.x >= (ends.get(point.series)?.x ?? point.x)) ends.set(point.series, point);
  return [...ends.values()];
}

/** Names at the lines' ends, moved so far apart that they can be read. */
function apart(ends: Point[], top: number, bottom: number, isLog: boolean): (Point & { at: number })[] {
  const scale = isLog ? Math.log : (value: number): number => value;
  const back = isLog ? Math.exp : (value: number): number => value;
  const least = (scale(top) - scale(isLog ? bottom : 0)) * 0.065;
  const sorted = [...ends].sort((a, b) => a.y - b.y);
  let previous = Number.NEGATIVE_INFINITY;
  return sorted.map((end) => {
    previous = Math.max(scale(end.y), previous + least);
    return { ...end, at: back(previous) };
  });
}

/** Ticks where there are runs, but not closer than the labels can be read. */
const fewTicks = (values: number[]): number[] =>
  values.filter((value, index) => index === 0 || index === values.length - 1 || value >= values[0]! * 1.5).length > 9
    ? values.filter((_, index) => index % Math.ceil(values.length / 8) === 0)
    : values;

const plain = (value: number): string => value.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: true });
const figure = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

function svgOf(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>');
  const svg = Plot.plot({
    ...options,
    document,
    width: WIDTH,
    style: { fontFamily: FONT, fontSize: '13px', color: INK, background: 'white' },
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  return svg.outerHTML;
}
