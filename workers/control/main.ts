/** Process entry of the control worker: workflows, the outbox' relay and the janitor. */
import { Client } from '@temporalio/client';
import { runFarmProcess } from '../../infra/stack/farm-process.ts';
import { readGarbageRules } from '../../infra/stack/garbage-rules.ts';
import { openFarm, workflowCode } from '../farm.ts';
import { startJanitor } from './janitor.ts';
import { startRelay } from './relay.ts';
import { createControlWorker } from './worker.ts';

await runFarmProcess(async () => {
  const farm = await openFarm('control', 10);
  const { environment, services, temporal, queues } = farm;
  const { namespace } = environment.temporal;
  const { database, store, stores, log } = services;
  const taskQueue = queues.control;
  const worker = await createControlWorker({
    ...{ services, temporal, namespace, taskQueue },
    mnemonic: environment.chain.mnemonic,
    workflows: workflowCode(),
  });
  const client = new Client({ connection: temporal, namespace });
  const relay = await startRelay({ database, client, taskQueue, log });
  const garbage = { stores, rules: readGarbageRules(process.env) };
  const janitor = startJanitor({ database, store, client, taskQueue, log, garbage });
  const ended = worker.run();
  return {
    ended,
    stop: async () => {
      await Promise.all([relay.stop(), janitor.stop()]);
      worker.shutdown();
      await ended;
      await farm.close();
    },
  };
});
