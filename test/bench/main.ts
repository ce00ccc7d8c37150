/**
 * Runs the renderer's benchmarks side by side on the machine it is on, and prints a table:
 *
 *     npm run bench:render [-- --only embree,cycles,build,gpu,estimate,quick] [--json FILE] [--threads 2] [--quick]
 *
 * Every figure is a ratio or was taken in alternation with what it is compared to. A part that cannot run is null, with a reason.
 */
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { benchBuild } from './build/run.ts';
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

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'string' },
    threads: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
  },
});
const names = values.only?.split(',') ?? Object.keys(PARTS);
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  process.stderr.write(`Unknown part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.\n`);
  process.exit(2);
}
const machine = {
  processor: os.cpus()[0]?.model.trim() ?? os.arch(),
  cores: os.cpus().length,
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
};
const outcome: Record<string, unknown> = { machine, threads: Number(values.threads), quick: values.quick };
const reasons: Record<string, string> = {};
for (const name of names) {
  const say = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
  const part = await PARTS[name]!({ say, threads: Number(values.threads), quick: values.quick });
  outcome[name] = part.result;
  if (part.reason !== undefined) reasons[name] = part.reason;
  process.stdout.write(
    `${name.padEnd(10)} ${part.reason !== undefined ? `— ${part.reason}` : JSON.stringify(part.result)}\n`,
  );
}
if (values.json) await writeFile(values.json, `${JSON.stringify({ ...outcome, reasons }, null, 2)}\n`);
