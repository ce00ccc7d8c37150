/** What `npm run sim:edge` is asked on the command line. */
import { parseArgs } from 'node:util';
import { FarmError } from '../../domain/errors.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { invalid, numberOf } from '../bench/commandLine.ts';
import type { Question } from './compare.ts';
import type { FarmSpec, JobSpec } from './scenario.ts';

export interface Options {
  question: Question;
  json: string | undefined;
  /** Path of a report without its ending. */
  report: string | undefined;
  /** 1,000 sites and 1,000,000 frames, and cost and time over sites. */
  isScale: boolean;
  /** A measured report to draw with the model's lines. */
  from: string | undefined;
  /** Reports of `npm run bench:edge` to hold the model against. */
  validate: string[];
  /** A report with measured costs, for those that have none. */
  costs: string | null;
}

export const USAGE = `npm run sim:edge [-- options]

  The benchmark's job:   --size 1  --project shot|all-shared  --frames 100  --render-seconds 1
  Your own job instead:  --project-mb 1000  --own-share 0.96  --frame-mb 302
  Places:                --sites 10  --nodes-per-site 1  --link 330  --centre-link 330  --studio-link MBIT/S
  Prices:                --node-hour 1  --centre-factor 1  --edge-factor 1  --per-gb 0  --currency EUR
  Model:                 --seed 1  --render-spread 0
  Output:                --json FILE  --report FILE-WITHOUT-ENDING (Markdown, HTML, SVG, JSON)
  Instead:               --scale | --validate REPORT.json... [--costs REPORT.json] | --from REPORT.json

Rates are payload in Mbit/s, sizes are decimal megabytes. --node-hour is what a node costs an hour, times the factor of its
place (a site's price in the farm); --per-gb what a gigabyte costs that leaves a place. --costs is a report with the part
"costs", for reports that were measured on the same machine without it.`;

/** Steps of the farm itself. Assumed for a machine that is not busy, until measured runs say better. */
export const FARM: FarmSpec = {
  ...{ claimSeconds: 0.05, requestSeconds: 0.02, putSeconds: 0.2, verifySeconds: 0.2 },
  ...{ commitSeconds: 0.004, checkSeconds: 0.2, streamsPerSite: 3, stagedAhead: 1, peers: true },
  chunksInFlight: DEFAULT_POLICY.chunksInFlight,
};

/** The shot of the article's reading at full size: half-float RGBA of 8192×4608, and 1 GB of which a frame reads 4.96 %. */
const FRAME_BYTES = 8192 * 4608 * 8;
const PROJECT_BYTES = 1e9;
const OWN_SHARE = 0.96;

/** @throws FarmError `SettingInvalid` naming the option */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const read = (name: keyof typeof values, least: number, isWhole = false): number =>
    numberOf(name, String(values[name]), least, isWhole);
  const optional = (name: keyof typeof values, least: number): number | null =>
    values[name] === undefined ? null : read(name, least);

  const size = read('size', Number.MIN_VALUE);
  const frames = read('frames', 1, true);
  const projectMb = optional('project-mb', 0);
  const frameMb = optional('frame-mb', Number.MIN_VALUE);
  if (values.project !== 'shot' && values.project !== 'all-shared') {
    throw invalid('project', values.project, 'shot or all-shared');
  }
  const ownShare = values.project === 'all-shared' ? 0 : (optional('own-share', 0) ?? OWN_SHARE);
  if (ownShare > 1) throw invalid('own-share', String(ownShare), 'a share from 0 to 1');
  const renderSpread = read('render-spread', 0);
  if (renderSpread > 1) throw invalid('render-spread', String(renderSpread), 'a share from 0 to 1');
  const projectBytes = projectMb === null ? size * PROJECT_BYTES : projectMb * 1e6;
  const job: JobSpec = {
    frames,
    frameBytes: frameMb === null ? size * FRAME_BYTES : frameMb * 1e6,
    sharedBytes: projectBytes * (1 - ownShare),
    ownBytes: (projectBytes * ownShare) / frames,
    renderSeconds: read('render-seconds', 0),
    renderSpread,
  };
  const linkMbits = read('link', Number.MIN_VALUE);
  const perGB = read('per-gb', 0);
  const nodeHour = read('node-hour', 0);
  return {
    question: {
      ...{ job, linkMbits, farm: FARM, seed: read('seed', 0, true) },
      sites: read('sites', 1, true),
      nodesPerSite: read('nodes-per-site', 1, true),
      centreLinkMbits: optional('centre-link', Number.MIN_VALUE) ?? linkMbits,
      studioLinkMbits: optional('studio-link', Number.MIN_VALUE),
      prices: {
        currency: values.currency,
        centre: { perNodeHour: nodeHour * read('centre-factor', 0), perGB },
        edge: { perNodeHour: nodeHour * read('edge-factor', 0), perGB },
      },
    },
    json: values.json,
    report: values.report,
    from: values.from,
    isScale: values.scale,
    costs: values.costs ?? null,
    validate: values.validate === undefined ? [] : [values.validate, ...positionals],
  };
}

/** @throws FarmError `SettingInvalid` for options that do not exist, and files that nobody asked for */
function parse(args: readonly string[]) {
  const text = (standard: string) => ({ type: 'string', default: standard }) as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ size: text('1'), project: text('shot'), frames: text('100'), 'render-seconds': text('1') },
        ...{ 'render-spread': text('0'), sites: text('10'), 'nodes-per-site': text('1'), link: text('330') },
        ...{ 'node-hour': text('1'), 'centre-factor': text('1'), 'edge-factor': text('1'), 'per-gb': text('0') },
        seed: text('1'),
        currency: text('EUR'),
        'project-mb': { type: 'string' },
        'own-share': { type: 'string' },
        'frame-mb': { type: 'string' },
        'centre-link': { type: 'string' },
        'studio-link': { type: 'string' },
        json: { type: 'string' },
        report: { type: 'string' },
        from: { type: 'string' },
        scale: { type: 'boolean', default: false },
        validate: { type: 'string' },
        costs: { type: 'string' },
      },
    });
    if (positionals.length > 0 && values.validate === undefined) {
      throw new Error(`There is nothing to do with "${positionals[0]}".`);
    }
    return { values, positionals };
  } catch (error) {
    throw new FarmError('SettingInvalid', (error as Error).message);
  }
}
