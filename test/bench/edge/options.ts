/** What `npm run bench:edge` is asked for. */
import { type FlagValues, invalid, readCommandLine, someOf } from '../commandLine.ts';
import type { EdgeEngine, EdgeProject } from './edgeReport.ts';
import { SHOT_FRAMES } from './size.ts';

/** A part of the benchmark that can be run alone. */
export const PARTS = ['main', 'compressed', 'all-shared', 'wide-centre', 'studio-link'] as const;
/** One side of `main` alone, sweeps that take longer than the rest together, and what work costs the machine (for the model). */
const MORE_PARTS = ['centre', 'edge', 'sweep-sites', 'sweep-link', 'sweep-render', 'costs'] as const;
export type Part = (typeof PARTS)[number] | (typeof MORE_PARTS)[number];

export interface EdgeOptions {
  size: number;
  linkMbits: number;
  sites: number;
  engine: EdgeEngine;
  renderSeconds: number;
  project: EdgeProject;
  frames: number;
  parts: readonly Part[];
  json: string | null;
  /** Path without an ending under which JSON, Markdown, HTML and plots are written. */
  report: string | null;
  /** Keeps the run's folder with logs and frames. */
  keep: boolean;
}

export const USAGE = `npm run bench:edge [-- --size 0.02] [--link 33] [--sites 10] [--engine replay|pathtracer] [--render-seconds 1]
    [--project shot|all-shared] [--frames ${SHOT_FRAMES}] [--only PART,PART] [--json FILE] [--report FILE-WITHOUT-ENDING] [--keep]

Parts: ${PARTS.join(', ')}; besides: ${MORE_PARTS.join(', ')}. --link is Mbit/s of payload, --size the share of the article's
sizes; --keep leaves the run's folder.`;

const FLAGS = {
  size: { type: 'string', default: '0.02' },
  link: { type: 'string', default: '33' },
  sites: { type: 'string', default: '10' },
  engine: { type: 'string', default: 'replay' },
  'render-seconds': { type: 'string', default: '1' },
  project: { type: 'string', default: 'shot' },
  frames: { type: 'string', default: String(SHOT_FRAMES) },
  only: { type: 'string', default: PARTS.join(',') },
  json: { type: 'string' },
  report: { type: 'string' },
  keep: { type: 'boolean', default: false },
} as const;

/** Reads the command line; a wrong flag is told and ends the process. */
export const readOptions = (): EdgeOptions => readCommandLine(USAGE, FLAGS, optionsOf);

function optionsOf(values: FlagValues<typeof FLAGS>): EdgeOptions {
  const number = (
    flag: 'size' | 'link' | 'sites' | 'render-seconds' | 'frames',
    least: number,
    most: number,
  ): number => {
    const value = Number(values[flag]);
    if (value >= least && value <= most) return value;
    throw invalid(flag, values[flag], `a number from ${least} to ${most}`);
  };
  const choice = <T extends string>(flag: 'engine' | 'project', choices: readonly T[]): T => {
    const found = choices.find((one) => one === values[flag]);
    if (found) return found;
    throw invalid(flag, values[flag], choices.join(' or '));
  };
  const whole = (flag: 'sites' | 'frames', most: number): number => {
    const value = number(flag, 1, most);
    if (Number.isInteger(value)) return value;
    throw invalid(flag, values[flag], 'a whole number');
  };
  return {
    size: number('size', 0.0005, 4),
    linkMbits: number('link', 0.5, 10_000),
    sites: whole('sites', 50),
    engine: choice('engine', ['replay', 'pathtracer']),
    renderSeconds: number('render-seconds', 0, 3600),
    project: choice('project', ['shot', 'all-shared']),
    frames: whole('frames', SHOT_FRAMES),
    parts: someOf('only', values.only, [...PARTS, ...MORE_PARTS]),
    json: values.json ?? null,
    report: values.report ?? null,
    keep: values.keep,
  };
}
