/** What `npm run bench:edge` is asked for. */
import { parseArgs } from 'node:util';
import { FarmError } from '../../../domain/errors.ts';
import type { EdgeEngine, EdgeProject } from './edgeReport.ts';
import { SHOT_FRAMES } from './size.ts';

/** A part of the benchmark that can be run alone. */
export const PARTS = ['main', 'compressed', 'all-shared', 'wide-centre', 'studio-link'] as const;
/** One side of `main` alone, and sweeps that take longer than the rest together. */
const MORE_PARTS = ['centre', 'edge', 'sweep-sites', 'sweep-link', 'sweep-render'] as const;
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

/**
 * Reads the command line.
 * @throws FarmError `SettingInvalid` that names the flag
 */
export function readOptions(args: readonly string[]): EdgeOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
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
    },
  });
  const number = (
    flag: 'size' | 'link' | 'sites' | 'render-seconds' | 'frames',
    least: number,
    most: number,
  ): number => {
    const value = Number(values[flag]);
    if (value >= least && value <= most) return value;
    throw refuse(flag, values[flag], `a number from ${least} to ${most}`);
  };
  const choice = <T extends string>(flag: 'engine' | 'project', choices: readonly T[]): T => {
    const found = choices.find((one) => one === values[flag]);
    if (found) return found;
    throw refuse(flag, values[flag], choices.join(' or '));
  };
  const whole = (flag: 'sites' | 'frames', most: number): number => {
    const value = number(flag, 1, most);
    if (Number.isInteger(value)) return value;
    throw refuse(flag, values[flag], 'a whole number');
  };
  const parts = values.only.split(',').map((name) => {
    const part = [...PARTS, ...MORE_PARTS].find((one) => one === name);
    if (!part) throw refuse('only', name, `some of ${[...PARTS, ...MORE_PARTS].join(', ')}`);
    return part;
  });
  return {
    size: number('size', 0.0005, 4),
    linkMbits: number('link', 0.5, 10_000),
    sites: whole('sites', 50),
    engine: choice('engine', ['replay', 'pathtracer']),
    renderSeconds: number('render-seconds', 0, 3600),
    project: choice('project', ['shot', 'all-shared']),
    frames: whole('frames', SHOT_FRAMES),
    parts,
    json: values.json ?? null,
    report: values.report ?? null,
    keep: values.keep,
  };
}

const refuse = (flag: string, value: string, wanted: string): FarmError =>
  new FarmError('SettingInvalid', `--${flag} must be ${wanted}, not "${value}".`, { flag });
