/**
 * Process entry of the settle worker. Beside the farm's settings: `FARM_SELLER`, JSON `{name, address: [lines], taxId}`, who
 * issues the invoices.
 */
import type { SettleServices } from '../../activities/settle/services.ts';
import { FarmError } from '../../domain/errors.ts';
import { runFarmProcess } from '../../infra/stack/farm-process.ts';
import { readDeployment } from '../../ports/chain/deployment.ts';
import { connectChain } from '../../ports/chain/ethersChain.ts';
import { openFarm } from '../farm.ts';
import { createSettleWorker } from './worker.ts';

await runFarmProcess(async () => {
  const farm = await openFarm('settle', 4);
  const { environment, services, temporal, queues } = farm;
  const chain = await connectChain(environment.chain.rpc, readDeployment(environment.chain.deployment));
  const worker = await createSettleWorker({
    services: { ...services, chain, mnemonic: environment.chain.mnemonic, seller: readSeller(process.env.FARM_SELLER) },
    temporal,
    namespace: environment.temporal.namespace,
    taskQueue: queues.settle,
  });
  const ended = worker.run();
  return {
    ended,
    stop: async () => {
      worker.shutdown();
      await ended;
      chain.close();
      await farm.close();
    },
  };
});

function readSeller(text: string | undefined): SettleServices['seller'] {
  if (!text) return { name: 'Framewright farm', address: [] };
  try {
    const { name, address, taxId } = JSON.parse(text) as SettleServices['seller'];
    if (typeof name === 'string' && Array.isArray(address)) return { name, address, ...(taxId ? { taxId } : {}) };
  } catch {
    // Said below.
  }
  throw new FarmError('SettingInvalid', 'FARM_SELLER must be JSON {"name", "address": [lines]}.', {
    variable: 'FARM_SELLER',
  });
}
