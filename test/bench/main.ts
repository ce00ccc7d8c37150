/**
 * Runs the renderer's benchmarks side by side on the machine it is on, and prints a table: `npm run bench:render [-- --help]`.
 * Every figure is a ratio or was taken in alternation with what it is compared to. A part that cannot run is null, with a reason.
 */
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import { benchBuild } from './build/run.ts';
import { readCommandLine, someOf, wholeNumber } from './commandLine.ts';
import { benchCycles } from './cycles/run.ts';
import { benchEmbree } from './embree/run.ts';
import { benchEstimate } from './estimate/run.ts';
import { benchGpu } from './gpu/run.ts';
import type { BenchContext, PartOutcome } from './part.ts';
import { benchQuick } from './quick/run.ts';

const PARTS: Record<string, (context: BenchContext) => Promise<PartOutcome<unknown>>> = {
  embree: benchEmbree,
  cycles: benchCycles,
  gpu: benchGpu,
  estimate: benchEstimate,
  quick: benchQuick,
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
const outcome: Record<string, unknown> = { machine, threads, quick };
const reasons: Record<string, string> = {};
for (const name of names) {
  const say = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
  const part = await PARTS[name]!({ say, threads, quick });
  outcome[name] = part.result;
  if (part.reason !== undefined) reasons[name] = part.reason;
  process.stdout.write(
    `${name.padEnd(10)} ${part.reason !== undefined ? `— ${part.reason}` : JSON.stringify(part.result)}\n`,
  );
}
if (json) await writeFile(json, `${JSON.stringify({ ...outcome, reasons }, null, 2)}\n`);
