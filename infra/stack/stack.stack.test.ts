/** The shared services answer, and each test file gets a piece of them for itself. */
import { Connection } from '@temporalio/client';
import { Client as StoreClient } from 'minio';
import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { createTestBucket, createTestDatabase, createTestNamespace } from '../../test/support/services.ts';
import { chainIdOf } from './chain.ts';

it('gives a migrated database in which the application is neither owner nor superuser', async () => {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.app });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT rolsuper, rolbypassrls, rolcreaterole, (SELECT count(*)::int FROM pg_class WHERE relowner = r.oid) AS owned,
        current_setting('search_path') AS path FROM pg_roles r WHERE rolname = current_user`,
    );
    expect(rows).toEqual([
      { rolsuper: false, rolbypassrls: false, rolcreaterole: false, owned: 0, path: 'farm, public' },
    ]);
    await expect(client.query('CREATE TABLE public.mine (id int)')).rejects.toThrow(/permission denied/);
    expect((await client.query('SELECT count(*)::int AS studios FROM studios')).rows).toEqual([{ studios: 0 }]);
  } finally {
    await client.end();
    await database.drop();
  }
});

it('gives an empty bucket', async () => {
  const { endpoint, bucket, ...rest } = await createTestBucket();
  const { hostname, port } = new URL(endpoint);
  const client = new StoreClient({ endPoint: hostname, port: Number(port), useSSL: false, ...rest });
  await client.putObject(bucket, 'a', Buffer.from('frame'));
  expect((await client.statObject(bucket, 'a')).size).toBe(5);
});

it('gives a Temporal namespace and a chain', async () => {
  const { address, namespace } = await createTestNamespace();
  const connection = await Connection.connect({ address });
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  await connection.close();
  expect(namespaceInfo?.name).toBe(namespace);
  expect(await chainIdOf(inject('stack').chain.rpc)).toBe(31_337);
});
