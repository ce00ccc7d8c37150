/** Holds the model against measured runs: each run's own job, places and measured link rates in, its seconds out. */
import { readFile } from 'node:fs/promises';
import { FarmError } from '../../domain/errors.ts';
import type { CentreAndEdge, EdgeReport, RunReport } from '../bench/edge/edgeReport.ts';
import { median } from '../bench/part.ts';
import type { Question } from './compare.ts';
import { simulate } from './model.ts';
import { FARM } from './options.ts';
import type { FarmSpec, Scenario } from './scenario.ts';
import { UNBOUNDED } from './scenario.ts';

/** The model holds when no run is off by more than the first, half of them by no more than the second. */
export const AIMS = { each: 0.1, median: 0.05, runs: 12 } as const;

/** One run, measured and predicted. */
export interface Prediction {
  /** File and place in it. */
  run: string;
  parameters: RunReport['parameters'];
  measuredSeconds: number;
  predictedSeconds: number;
  /** `predicted / measured − 1`. */
  error: number;
}

export interface Validation {
  predictions: Prediction[];
  /** Of the errors' sizes. */
  medianError: number;
  largestError: number;
  holds: boolean;
}

/** @throws FarmError `FileNotFound`, or `SettingInvalid` for a file that is no report of measured runs */
export async function validate(files: readonly string[], farm: FarmSpec): Promise<Validation> {
  const predictions: Prediction[] = [];
  for (const file of files) {
    for (const [name, run] of runsOf(await readReport(file))) {
      const predictedSeconds = simulate(scenarioOf(run, farm)).seconds;
      predictions.push({
        ...{ run: `${file} ${name}`, parameters: run.parameters, measuredSeconds: run.seconds, predictedSeconds },
        error: predictedSeconds / run.seconds - 1,
      });
    }
  }
  if (predictions.length === 0) throw new FarmError('SettingInvalid', 'The reports hold no runs.', {});
  const sizes = predictions.map(({ error }) => Math.abs(error));
  const [medianError, largestError] = [median(sizes), Math.max(...sizes)];
  return {
    ...{ predictions, medianError, largestError },
    holds: predictions.length >= AIMS.runs && largestError <= AIMS.each && medianError <= AIMS.median,
  };
}

/** @throws FarmError `FileNotFound`, or `SettingInvalid` for a file that is no report of measured runs */
export async function readReport(file: string): Promise<EdgeReport> {
  const refuse = (why: string): FarmError => new FarmError('SettingInvalid', `${file}: ${why}`, { file });
  const text = await readFile(file, 'utf8').catch(() => {
    throw new FarmError('FileNotFound', `There is no ${file}.`, { file });
  });
  let report: EdgeReport;
  try {
    report = JSON.parse(text) as EdgeReport;
  } catch (error) {
    throw refuse(`it is no JSON: ${(error as Error).message}`);
  }
  if (report?.formatVersion !== 1 || report.controls === undefined || report.sweeps === undefined) {
    throw refuse('it is no report of npm run bench:edge.');
  }
  if (report.origin === 'model') throw refuse('it was computed by the model, which cannot be held against itself.');
  return report;
}

/** All runs of a report with their places in it; none twice. */
export function runsOf(report: EdgeReport): [string, RunReport][] {
  const runs: [string, RunReport | null | undefined][] = [
    ['centre', report.centre],
    ['edge', report.edge],
    ['controls.wideCentre', report.controls.wideCentre],
  ];
  const pairs: [string, readonly CentreAndEdge[] | null][] = [
    ['compressed', report.compressed && [report.compressed]],
    ['allShared', report.allShared && [report.allShared]],
    ['controls.studioLinkSweep', report.controls.studioLinkSweep],
    ['sweeps.sites', report.sweeps.sites],
    ['sweeps.link', report.sweeps.link],
    ['sweeps.render', report.sweeps.render],
  ];
  for (const [name, list] of pairs) {
    for (const [index, { centre, edge }] of (list ?? []).entries()) {
      const place = list!.length > 1 ? `${name}[${index}]` : name;
      runs.push([`${place}.centre`, centre], [`${place}.edge`, edge]);
    }
  }
  const seen = new Set<RunReport>();
  return runs.filter((entry): entry is [string, RunReport] => {
    const run = entry[1];
    if (!run || seen.has(run)) return false;
    seen.add(run);
    return true;
  });
}

/** What a report is about, to ask the model the same; null where it holds no pair of runs. */
export function questionOf({ edge, centre }: EdgeReport): Question | null {
  if (!edge || !centre) return null;
  const { job, farm } = scenarioOf(edge, FARM);
  const { sites, nodesPerSite, linkMbits, studioLinkMbits } = edge.parameters;
  const free = { perNodeHour: 0, perGB: 0 };
  return {
    ...{ job, farm, sites, nodesPerSite, linkMbits, studioLinkMbits, centreLinkMbits: centre.parameters.linkMbits },
    ...{ prices: { currency: edge.costPerFrame.currency, centre: free, edge: free }, seed: 1 },
  };
}

/** A measured run as the model's scenario: its links as they were measured, its frames as they crossed them. */
function scenarioOf(run: RunReport, farm: FarmSpec): Scenario {
  const { parameters, links, projectBytes, bytesByLink } = run;
  const { sites, nodesPerSite, studioLinkMbits, linkMbits, compressed, renderSeconds, frames } = parameters;
  const shaped = links.filter(({ link }) => link !== 'studio');
  const studio = links.find(({ link }) => link === 'studio');
  const crossed = bytesByLink
    .filter(({ link }) => link !== 'studio')
    .reduce((sum, link) => sum + link.neededUpBytes, 0);
  return {
    job: {
      ...{ frames, renderSeconds, renderSpread: 0 },
      frameBytes: compressed && crossed > 0 ? crossed / frames : run.frameBytes,
      sharedBytes: projectBytes.shared,
      ownBytes: projectBytes.ownPerFrame,
    },
    sites: Array.from({ length: sites }, (_, index) => ({
      ...{ name: shaped[index]?.link ?? `site-${index + 1}`, nodes: nodesPerSite, speed: 1 },
      upMbits: shaped[index]?.upMbits ?? linkMbits,
      downMbits: shaped[index]?.downMbits ?? linkMbits,
      price: { perNodeHour: 0, perGB: 0 },
    })),
    // Seen from the studio, what the lab calls up comes in: frames towards the studio.
    studio:
      studioLinkMbits === null
        ? UNBOUNDED
        : { upMbits: studio?.downMbits ?? studioLinkMbits, downMbits: studio?.upMbits ?? studioLinkMbits },
    ...{ home: null, farm, seed: 1 },
  };
}
