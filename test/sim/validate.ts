/** Holds the model against measured runs: each run's own job, places and measured link rates in, its seconds out. */
import { readFile } from 'node:fs/promises';
import { FarmError } from '../../domain/errors.ts';
import type { CentreAndEdge, CostsReport, EdgeReport, RunReport } from '../bench/edge/edgeReport.ts';
import { median } from '../bench/part.ts';
import type { Question } from './compare.ts';
import { type MachineSpec, machineOf } from './costs.ts';
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

/**
 * @param costsFile report whose measured costs of work hold for the runs of reports that have none; null: those run on
 * machines that are never short
 * @throws FarmError `FileNotFound`, or `SettingInvalid` for a file that is no report of measured runs
 */
export async function validate(
  files: readonly string[],
  farm: FarmSpec,
  costsFile: string | null = null,
): Promise<Validation> {
  const lent = costsFile === null ? null : (await readReport(costsFile)).costs;
  if (lent === undefined) {
    throw new FarmError('SettingInvalid', `${costsFile}: no costs were measured for it (--only costs).`, {});
  }
  const predictions: Prediction[] = [];
  for (const file of files) {
    const report = await readReport(file);
    const costs = report.costs ?? lent;
    const lab = costs && labOf(costs, farm);
    for (const [name, run] of runsOf(report)) {
      const scenario = scenarioOf(run, lab?.farm ?? farm);
      const predictedSeconds = simulate(lab ? { ...scenario, machine: lab.machine } : scenario).seconds;
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
    ['uncompressed', report.uncompressed ? [report.uncompressed] : null],
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
  // A run that stands in two places is two objects in a file that was read.
  const seen = new Set<string>();
  return runs.filter((entry): entry is [string, RunReport] => {
    const run = entry[1];
    if (!run) return false;
    const content = JSON.stringify(run);
    if (seen.has(content)) return false;
    seen.add(content);
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

/**
 * The lab's machine, and a farm whose steps take that machine's work instead of assumed seconds. What is waited for beside
 * work is what the lone frame of the costs took longer than its work: half of it before the commit, half on the disk.
 */
export function labOf(costs: CostsReport, farm: FarmSpec): { machine: MachineSpec; farm: FarmSpec } {
  const single = costs.jobs.find(({ frames, isSecondPull }) => frames === 1 && !isSecondPull);
  if (!single) throw new FarmError('SettingInvalid', 'The costs lack a job of a single frame.', {});
  const machine = machineOf(costs);
  const busy = { ...farm, claimSeconds: 0, requestSeconds: 0, putSeconds: 0, verifySeconds: 0 };
  const worked: FarmSpec = { ...busy, commitSeconds: 0, checkSeconds: 0 };
  const { seconds } = simulate({
    job: {
      ...{ frames: 1, frameBytes: single.frameMB * 1e6, sharedBytes: single.stagedMB * 1e6, ownBytes: 0 },
      ...{ renderSeconds: 0, renderSpread: 0 },
    },
    sites: [{ name: 'site', nodes: 1, speed: 1, ...UNBOUNDED, price: { perNodeHour: 0, perGB: 0 } }],
    ...{ studio: UNBOUNDED, home: null, farm: worked, seed: 1, machine },
  });
  const waitSeconds = Math.max(0, single.seconds - seconds) / 2;
  return { machine, farm: { ...worked, putSeconds: waitSeconds, checkSeconds: waitSeconds } };
}

/** A measured run as the model's scenario: its links as they were measured, its frames as they crossed them. */
export function scenarioOf(run: RunReport, farm: FarmSpec): Scenario {
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
      ...(compressed && crossed > 0
        ? { frameBytes: crossed / frames, wholeFrameBytes: run.frameBytes }
        : { frameBytes: run.frameBytes }),
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
