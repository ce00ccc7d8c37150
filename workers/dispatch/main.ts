/** Process entry of the dispatch worker. */
import { runFarmProcess } from '../../infra/stack/farm-process.ts';
import { openFarm } from '../farm.ts';
import { createDispatchWorker } from './worker.ts';

await runFarmProcess(async () => {
  const farm = await openFarm('dispatch', 10);
  const { environment, services, temporal, queues } = farm;
  const worker = await createDispatchWorker({
    ...{ services, temporal },
    namespace: environment.temporal.namespace,
    taskQueue: queues.dispatch,
    mnemonic: environment.chain.mnemonic,
  });
  const ended = worker.run();
  return {
    ended,
    stop: async () => {
      worker.shutdown();
      await ended;
      await farm.close();
    },
  };
});
