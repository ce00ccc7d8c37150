/** The real server for one test file: fresh database and bucket, a chain of its own, Temporal of the shared services. */
import { createHash, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { inject } from 'vitest';
import type { Role } from '../../../domain/statuses.ts';
import { startAnvil } from '../../../ports/chain/testing/anvil.ts';
import { setUpFarm, type TestFarm } from '../../../ports/chain/testing/farm.ts';
import { systemClock } from '../../../ports/clock.ts';
import { createApiKey } from '../../../ports/db/studios.ts';
import { createMinioStore } from '../../../ports/store/minioStore.ts';
import type { ObjectStore } from '../../../ports/store/objectStore.ts';
import { createSiteStores } from '../../../ports/store/siteStores.ts';
import { openTestRecord, type TestRecord } from '../../../test/support/rows.ts';
import { createTestBucket, uniqueName } from '../../../test/support/services.ts';
import { taskQueues } from '../../../workflows/contract.ts';
import type { Api, GatewaySettings } from '../deps.ts';
import { createServer } from '../server.ts';
import { createTemporalWorkflows } from '../temporal.ts';

export const JOIN_TOKEN = 'test-join-token';

export interface TestApi {
  api: Api;
  url: string;
  record: TestRecord;
  store: ObjectStore;
  money: TestFarm;
  /** A new key; `studioId` null for an operator. */
  key(studioId: string | null, role: Role): Promise<string>;
  close(): Promise<void>;
}

/** @param publicEndpoint under which clients reach the store, if not directly */
export async function openTestApi(gateway: Partial<GatewaySettings> = {}, publicEndpoint?: string): Promise<TestApi> {
  const [record, bucket, anvil] = await Promise.all([openTestRecord(), createTestBucket(), startAnvil()]);
  const money = await setUpFarm(anvil);
  const store = createMinioStore({ ...bucket, ...(publicEndpoint ? { publicEndpoint } : {}) });
  const workflows = createTemporalWorkflows(
    { address: inject('stack').temporal, namespace: 'default' },
    taskQueues(uniqueName('q')),
  );
  const api = await createServer({
    database: record.database,
    store,
    stores: createSiteStores(store, record.database),
    workflows,
    chain: money.chain,
    clock: systemClock,
    gateway: { joinToken: JOIN_TOKEN, leaseMs: 5_000, heartbeatMs: 200, claimWaitMs: 5_000, ...gateway },
    pageFolder: undefined,
    version: '0.0.0-test',
  });
  await api.listen({ host: '127.0.0.1', port: 0 });
  return {
    api,
    url: `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`,
    ...{ record, store, money },
    async key(studioId, role) {
      const key = `fw_${randomBytes(18).toString('base64url')}`;
      const keyHash = createHash('sha256').update(key).digest('hex');
      await record.database.asService((tx) => createApiKey(tx, { studioId, role, label: 'test', keyHash }));
      return key;
    },
    async close() {
      await api.close();
      await workflows.close();
      money.chain.close();
      await anvil.stop();
      await record.close();
    },
  };
}
