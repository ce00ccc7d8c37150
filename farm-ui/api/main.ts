/**
 * Process entry of the HTTP server. Beside the farm's settings (`infra/stack/environment.ts`): `FARM_TASK_QUEUE_PREFIX` as
 * the workers have it, `FARM_S3_PUBLIC_ENDPOINT` where browsers and nodes reach the store under another address, and
 * `FARM_LEASE_MS`, `FARM_HEARTBEAT_MS`, `FARM_CLAIM_WAIT_MS` for the node gateway.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { FarmError } from '../../domain/errors.ts';
import { readEnvironment } from '../../infra/stack/environment.ts';
import { runFarmProcess } from '../../infra/stack/farm-process.ts';
import { readGarbageRules } from '../../infra/stack/garbage-rules.ts';
import { distFolder, repositoryRoot } from '../../infra/stack/paths.ts';
import { readDeployment } from '../../ports/chain/deployment.ts';
import { connectChain } from '../../ports/chain/ethersChain.ts';
import { systemClock } from '../../ports/clock.ts';
import { createDatabase } from '../../ports/db/client.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { createSiteStores } from '../../ports/store/siteStores.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { DEFAULT_GATEWAY } from './deps.ts';
import { createServer } from './server.ts';
import { createTemporalWorkflows } from './temporal.ts';

await runFarmProcess(async () => {
  const env = process.env;
  const environment = readEnvironment(env);
  const log = pino({ level: environment.logLevel, base: { process: 'api' } });
  const database = createDatabase({
    appUrl: environment.database.app,
    serviceUrl: environment.database.service,
    max: 12,
  });
  const publicEndpoint = env.FARM_S3_PUBLIC_ENDPOINT || undefined;
  const store = createMinioStore({ ...environment.store, publicEndpoint });
  const chain = await connectChain(environment.chain.rpc, readDeployment(environment.chain.deployment));
  const workflows = createTemporalWorkflows(environment.temporal, taskQueues(env.FARM_TASK_QUEUE_PREFIX));
  const pageFolder = join(distFolder, 'web');
  const api = await createServer(
    {
      ...{ database, store, stores: createSiteStores(store, database), chain, workflows },
      clock: systemClock,
      gateway: {
        joinToken: environment.api.joinToken,
        leaseMs: milliseconds('FARM_LEASE_MS', DEFAULT_GATEWAY.leaseMs),
        heartbeatMs: milliseconds('FARM_HEARTBEAT_MS', DEFAULT_GATEWAY.heartbeatMs),
        claimWaitMs: milliseconds('FARM_CLAIM_WAIT_MS', DEFAULT_GATEWAY.claimWaitMs),
      },
      garbage: readGarbageRules(env),
      pageFolder: existsSync(pageFolder) ? pageFolder : undefined,
      version: packageVersion(),
    },
    log,
  );
  await store.ensureBucket();
  await api.listen({ host: environment.api.host, port: environment.api.port });
  return {
    stop: async () => {
      await api.close();
      await workflows.close();
      chain.close();
      await database.close();
    },
  };
});

function packageVersion(): string {
  return (JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }).version;
}

function milliseconds(name: string, standard: number): number {
  const text = process.env[name];
  if (!text) return standard;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 50) return value;
  throw new FarmError('SettingInvalid', `${name} must be a number of milliseconds from 50, not "${text}".`, {
    variable: name,
  });
}
