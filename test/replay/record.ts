/**
 * Records the histories that `replay.test.ts` replays, from real runs on the real services. To be run when a workflow was
 * changed on purpose in a way that old histories cannot follow: `FARM_RECORD_HISTORIES=1 npx vitest run test/replay`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import type { JobKey } from '../../activities/services.ts';
import { prepareWorkflowId, rangeWorkflowId } from '../../workflows/contract.ts';
import type { StackAddresses } from '../support/stack.ts';
import { type InProcessFarm, type Submitted, startInProcessFarm } from './inProcessFarm.ts';
import { ScriptedNode, type ScriptedNodeOptions } from './scriptedNode.ts';

const { History } = temporal.api.history.v1;

export const HISTORIES = join(import.meta.dirname, 'histories');

/** Runs every scenario and writes its history. */
export async function recordHistories(stack: StackAddresses): Promise<void> {
  mkdirSync(HISTORIES, { recursive: true });
  const farm = await startInProcessFarm(stack, { operatorPolicy: { calibrationWaitSeconds: 2 } });
  try {
    await withNode(farm, {}, async () => {
      const job = await run(farm, {});
      await save(farm, 'prepared', prepareWorkflowId(job.jobId));
      await farm.until(job, 'completed');
      await save(farm, 'completed', job.jobId);
    });
    await withNode(farm, { unitMs: 100 }, async () => {
      const job = await run(farm, {});
      await committed(farm, job, 2);
      await farm.steer(job, 'pauseJob');
      await farm.record.query('SELECT pg_sleep(3)');
      await farm.steer(job, 'resumeJob');
      await farm.until(job, 'completed');
      await save(farm, 'paused-and-resumed', job.jobId);
    });
    await withNode(farm, { unitMs: 100 }, async () => {
      const job = await run(farm, { frames: '1-30' });
      await committed(farm, job, 3);
      await farm.steer(job, 'cancelJob');
      await farm.until(job, 'cancelled');
      await save(farm, 'cancelled', job.jobId);
    });
    await withNode(farm, {}, async () => {
      const job = await run(farm, {}, 3n);
      await farm.until(job, 'paused');
      const { cap } = await farm.row(job);
      await farm.steer(job, 'capRaised', String(cap * 4n));
      await farm.until(job, 'completed');
      await save(farm, 'cap-raised', job.jobId);
    });
    await withNode(farm, {}, async () => {
      const job = await run(farm, { policy: { chunksPerWorkflow: 2 } });
      await farm.until(job, 'completed');
      await save(farm, 'in-ranges', job.jobId);
      await save(farm, 'range', rangeWorkflowId(job.jobId, 0));
    });
    await withNode(farm, { script: () => 'blame-scene' }, async () => {
      const job = await run(farm, {});
      await farm.until(job, 'failed');
      await save(farm, 'failed', job.jobId);
    });
    await farm.record.query(`UPDATE nodes SET status = 'offline'`);
    await prepareInVain(farm, 'refused', { camera: 'none such' });
    await prepareInVain(farm, 'no-node', {});
  } finally {
    await farm.stop();
  }
}

async function withNode(farm: InProcessFarm, options: ScriptedNodeOptions, work: () => Promise<void>): Promise<void> {
  const node = await new ScriptedNode(farm, `node-${performance.now()}`.replace('.', '-'), options).start();
  try {
    await work();
  } finally {
    await node.stop();
  }
}

/** Submits, prepares and accepts; `capFrames` frames fit below the cap, or all. */
async function run(farm: InProcessFarm, wishes: Submitted, capFrames?: bigint): Promise<JobKey> {
  const job = await farm.submit({ frames: '1-10', ...wishes });
  await farm.prepare(job);
  const [quote] = await farm.record.query<{ unit_price: string }>(`SELECT unit_price FROM quotes WHERE job_id = $1`, [
    job.jobId,
  ]);
  await farm.accept(job, capFrames === undefined ? undefined : BigInt(quote!.unit_price) * capFrames);
  return job;
}

async function prepareInVain(farm: InProcessFarm, name: string, wishes: Submitted): Promise<void> {
  const job = await farm.submit(wishes);
  await farm.prepare(job).then(
    () => Promise.reject(new Error(`${name} should not have been quoted`)),
    () => save(farm, name, prepareWorkflowId(job.jobId)),
  );
}

async function committed(farm: InProcessFarm, job: JobKey, count: number): Promise<void> {
  while ((await farm.row(job)).committedUnits < count) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function save(farm: InProcessFarm, name: string, workflowId: string): Promise<void> {
  const handle = farm.client.workflow.getHandle(workflowId);
  // The job's row says "completed" a moment before its workflow does.
  await handle.result().catch(() => {});
  const history = History.fromObject(await handle.fetchHistory());
  const json = History.toObject(history, { longs: String, enums: String, bytes: String });
  // Stack traces name files of this machine; a history names those of the project.
  const text = JSON.stringify(json, null, 1).replaceAll(`${process.cwd()}/`, '');
  writeFileSync(join(HISTORIES, `${name}.json`), `${text}\n`);
}

/** Reads a recorded history. */
export function readHistory(name: string): temporal.api.history.v1.History {
  return History.fromObject(JSON.parse(readFileSync(join(HISTORIES, `${name}.json`), 'utf8')));
}
