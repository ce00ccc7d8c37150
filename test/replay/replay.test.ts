/** Workflow code must follow the histories that earlier versions left: jobs live longer than a deployment. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { beforeAll, expect, inject, it } from 'vitest';
import { repositoryRoot } from '../../infra/stack/paths.ts';
import { quietTemporal } from './inProcessFarm.ts';
import { HISTORIES, readHistory, recordHistories } from './record.ts';

let workflowBundle: ReplayWorkerOptions['workflowBundle'];

if (process.env.FARM_RECORD_HISTORIES) await recordHistories(inject('stack'));

beforeAll(async () => {
  quietTemporal();
  const workflowsPath = join(repositoryRoot, 'workflows', 'index.ts');
  workflowBundle = await bundleWorkflowCode({ workflowsPath });
});

const names = readdirSync(HISTORIES).map((file) => file.replace(/\.json$/, ''));

it('has a history of every way through the workflows', () => {
  expect(names.sort()).toEqual([
    ...['cancelled', 'cap-raised', 'completed', 'failed', 'in-ranges'],
    ...['no-node', 'paused-and-resumed', 'prepared', 'range', 'refused'],
  ]);
});

it.each(names)('follows %s', async (name) => {
  await Worker.runReplayHistory({ workflowBundle, replayName: name }, readHistory(name));
});

it('notices when a history no longer fits', async () => {
  const history = readHistory('completed');
  const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes);
  scheduled!.activityTaskScheduledEventAttributes!.activityType!.name = 'somethingElse';
  await expect(Worker.runReplayHistory({ workflowBundle }, history)).rejects.toThrow(/Nondeterminism/i);
});
