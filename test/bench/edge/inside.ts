/**
 * The benchmark inside the studio's namespace: started by `main.ts`, which built the lab and removes it. Reads what to do
 * from the environment variable `BENCH_EDGE` and writes what it measured to the file that this names.
 */
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Lab, type LabDescription } from '../../../infra/netlab/lab.ts';
import { createKeeper } from '../../../infra/stack/keeper.ts';
import type { ReplayIndex } from '../../../renderer/replay/index.ts';
import { type CostsOrder, measureCosts } from './costs.ts';
import type { CostsReport } from './edgeReport.ts';
import { Links } from './links.ts';
import { Quoter } from './quoter.ts';
import { type RunOutcome, runAll } from './runAll.ts';
import type { NamedRun } from './runJob.ts';
import { Shapes } from './shapes.ts';
import { startStudioFarm } from './studioFarm.ts';
import { StudioProcess } from './studioProcess.ts';

/** What `main.ts` hands over. */
export interface InsideOrder {
  lab: LabDescription;
  folder: string;
  framesFolder: string;
  traced: ReplayIndex;
  runs: NamedRun[];
  /** What work costs this machine is measured before the runs; null: not asked for. */
  costs: CostsOrder | null;
  keep: boolean;
  /** As in `RunContext`. */
  studioKeepsFrames: boolean;
  resultPath: string;
}

/** What it hands back. */
export interface InsideResult {
  runs: RunOutcome[];
  costs: CostsReport | null;
}

const order = JSON.parse(process.env.BENCH_EDGE!) as InsideOrder;
delete process.env.BENCH_EDGE;
// The lab's owner is gone: so are we, and the farm with us.
process.on('disconnect', () => process.exit(1));

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const lab = Lab.attach(order.lab);
mkdirSync(order.folder, { recursive: true });
const keeper = createKeeper(order.folder);
const result: InsideResult = { runs: [], costs: null };
const links = await Links.measure(
  lab,
  order.runs.map(({ parameters }) => parameters),
);
const farm = await startStudioFarm(lab, join(order.folder, 'farm'));
const context = { ...order, lab, keeper, farm, links, say };
const shapes = new Shapes(context);
const quoter = new Quoter(context);
const studio = await StudioProcess.start(lab);
try {
  if (order.costs) {
    try {
      result.costs = await measureCosts(context, order.costs);
    } catch (error) {
      await keep(failureOf('costs', error));
    }
    await writeFile(order.resultPath, JSON.stringify(result));
  }
  await runAll({ ...context, shapes, quoter, studio }, order.runs, keep, failureOf);
} finally {
  await Promise.all([studio.end(), quoter.stop(), shapes.stop()]);
  await farm.stop();
  await keeper.dismiss();
}
process.exit(0);

async function keep(one: RunOutcome): Promise<void> {
  result.runs.push(one);
  await writeFile(order.resultPath, JSON.stringify(result));
}

function failureOf(name: string, error: unknown): RunOutcome {
  const failure = error instanceof Error ? error.message : String(error);
  say(`${name}: ${error instanceof Error ? error.stack : failure}`);
  return { name, failure };
}
