/** A piece of the shared services for one test file: its own database, bucket, Temporal namespace. */
import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { Client as StoreClient } from 'minio';
import pg from 'pg';
import { inject } from 'vitest';
import { type MigratedDatabase, migrate } from '../../infra/stack/migrate.ts';

/** Lower-case letters and digits, different for every call: names of databases, buckets, task queues. */
export function uniqueName(prefix: string): string {
  return `${prefix}${randomBytes(6).toString('hex')}`;
}

export interface TestDatabase extends MigratedDatabase {
  name: string;
  /** URL of the superuser in this database, for what no role may do. */
  admin: string;
  /** Ends its sessions and removes it. */
  drop(): Promise<void>;
}

/** A fresh database with the newest schema and the farm's three roles. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { adminUrl, ownerPassword, appPassword, servicePassword } = inject('stack').database;
  const name = uniqueName('test_');
  const migrated = await migrate(adminUrl, { owner: ownerPassword, app: appPassword, service: servicePassword }, name);
  const admin = new URL(adminUrl);
  admin.pathname = `/${name}`;
  return {
    ...migrated,
    name,
    admin: admin.href,
    async drop() {
      const client = new pg.Client({ connectionString: adminUrl });
      await client.connect();
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await client.end();
    },
  };
}

/** Settings of the object store as `FarmEnvironment.store` has them, with a fresh empty bucket. */
export interface TestBucket {
  endpoint: string;
  accessKey: string;
  secretKey: string;
  region: string;
  bucket: string;
}

/** A fresh, empty bucket. */
export async function createTestBucket(): Promise<TestBucket> {
  const { endpoint, accessKey, secretKey, region } = inject('stack').store;
  const bucket = { endpoint, accessKey, secretKey, region, bucket: uniqueName('test-') };
  await clientOf(bucket).makeBucket(bucket.bucket, region);
  return bucket;
}

/** Puts any bytes under any name, as a bad disk would leave them: by presigned addresses no store takes a wrong hash. */
export async function putRaw(bucket: TestBucket, key: string, bytes: Buffer): Promise<void> {
  await clientOf(bucket).putObject(bucket.bucket, key, bytes);
}

function clientOf({ endpoint, accessKey, secretKey, region }: TestBucket): StoreClient {
  const { hostname, port } = new URL(endpoint);
  return new StoreClient({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey, region });
}

/** Settings of Temporal as `FarmEnvironment.temporal` has them, with a fresh namespace. */
export async function createTestNamespace(): Promise<{ address: string; namespace: string }> {
  const address = inject('stack').temporal;
  const namespace = uniqueName('test-');
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as unknown as Long },
    });
    await untilKnown(connection, namespace);
  } finally {
    await connection.close();
  }
  return { address, namespace };
}

/** The server's parts learn of a namespace one after the other. */
async function untilKnown(connection: Connection, namespace: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
      return;
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
