/** Everything that a farm keeps, counted: rows of every table, objects in the store, blocks of the chain. */
import { JsonRpcProvider } from 'ethers';
import { Client as StoreClient } from 'minio';
import pg from 'pg';
import { peekState } from '../../infra/stack/state.ts';

export interface Snapshot {
  rows: Record<string, number>;
  objects: string[];
  block: number;
}

export interface FarmRecord {
  snapshot(): Promise<Snapshot>;
  /** A query as the database's administrator. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Opens the record of a running farm by the credentials in its home. */
export async function farmRecord(home: string): Promise<FarmRecord> {
  const state = peekState(home);
  if (!state) throw new Error(`There is no farm in ${home}.`);
  const { ports, credentials } = state;
  const database = new pg.Client({
    host: '127.0.0.1',
    port: ports.database,
    user: 'postgres',
    password: credentials.databaseAdmin,
    database: 'farm',
  });
  await database.connect();
  const store = new StoreClient({
    endPoint: '127.0.0.1',
    port: ports.store!,
    useSSL: false,
    accessKey: credentials.storeAccessKey,
    secretKey: credentials.storeSecretKey,
    region: 'us-east-1',
  });
  const chain = new JsonRpcProvider(`http://127.0.0.1:${ports.chain}`, undefined, { staticNetwork: true });
  return {
    async snapshot() {
      const { rows: tables } = await database.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'farm' AND table_type = 'BASE TABLE'`,
      );
      const rows: Record<string, number> = {};
      for (const { name } of tables) {
        const counted = await database.query<{ count: string }>(`SELECT count(*) FROM farm."${name}"`);
        rows[name] = Number(counted.rows[0]!.count);
      }
      return { rows, objects: await listObjects(store), block: await chain.getBlockNumber() };
    },
    query: async (text, values) => (await database.query(text, values)).rows,
    async close() {
      chain.destroy();
      await database.end();
    },
  };
}

async function listObjects(store: StoreClient): Promise<string[]> {
  const names: string[] = [];
  for (const { name: bucket } of await store.listBuckets()) {
    for await (const object of store.listObjectsV2(bucket, '', true)) names.push(`${bucket}/${object.name}`);
  }
  return names.sort();
}
