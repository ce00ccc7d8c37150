/**
 * Runs the renderer's benchmarks side by side on the machine it is on, and prints a table: `npm run bench:render [-- --help]`.
 * Every figure is a ratio or was taken in alternation with what it is compared to. A part that cannot run is null, with a reason.
 */
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import { table } from '../../cli/output/table.ts';
import { benchBuild } from './build/run.ts';
import { readCommandLine, someOf, wholeNumber } from './commandLine.ts';
import { benchCycles } from './cycles/run.ts';
import { benchEmbree } from './embree/run.ts';
import { benchEstimate } from './estimate/run.ts';
import { benchGpu } from './gpu/run.ts';
import { benchLights } from './lights/run.ts';
import type { BenchContext, PartOutcome } from './part.ts';
import { benchQuick } from './quick/run.ts';

const PARTS: Record<string, (context: BenchContext) => Promise<PartOutcome<unknown>>> = {
  embree: benchEmbree,
  cycles: benchCycles,
  gpu: benchGpu,
  estimate: benchEstimate,
  quick: benchQuick,
  lights: benchLights,
  build: benchBuild,
};

const USAGE = `npm run bench:render [-- --only PART,PART] [--json FILE] [--threads 2] [--quick]

Parts: ${Object.keys(PARTS).join(', ')}. --quick measures less of each.`;
const { names, threads, quick, json } = readCommandLine(
  USAGE,
  {
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    json: { type: 'string' },
    threads: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
  },
  (values) => ({
    names: someOf('only', values.only, Object.keys(PARTS)),
    threads: wholeNumber('threads', values.threads, 1),
    quick: values.quick,
    json: values.json,
  }),
);
const machine = {
  processor: os.cpus()[0]?.model.trim() ?? os.arch(),
  cores: os.cpus().length,
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
};
const outcome: Record<string, unknown> = { machine, threads, short: quick };
const reasons: Record<string, string> = {};
for (const name of names) {
  const say = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
  // What ended one part takes nothing of the others' figures along.
  const part = await PARTS[name]!({ say, threads, quick }).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
    return { result: null, reason: error instanceof Error ? error.message : String(error) };
  });
  outcome[name] = part.result;
  if (part.reason !== undefined) reasons[name] = part.reason;
  if (json) await writeFile(json, `${JSON.stringify({ ...outcome, reasons }, null, 2)}\n`);
}
const figures = names.flatMap((part) => {
  const reason = reasons[part];
  return reason === undefined
    ? figuresOf(outcome[part]).map(([figure, value]) => ({ part, figure, value }))
    : [{ part, figure: '—', value: reason }];
});
const columns = (['part', 'figure', 'value'] as const).map((title) => ({
  title,
  value: (row: (typeof figures)[number]): string => row[title],
}));
process.stdout.write(`${table(figures, columns)}\n`);

/** What a result holds, a line each: `1m.ratio` and `1.009`. */
function figuresOf(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, shown(value)]];
  return Object.entries(value).flatMap(([key, inner]) => figuresOf(inner, path ? `${path}.${key}` : key));
}

/** Numbers with four digits that count. */
function shown(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? `${Number(value.toPrecision(4))}` : String(value);
}
