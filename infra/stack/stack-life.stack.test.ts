/** A stack of its own: what it keeps over a restart, and what it says when something does not come up. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { JsonRpcProvider, parseEther } from 'ethers';
import { Client as StoreClient } from 'minio';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChain } from './chain.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { startStore } from './minio.ts';
import { startDatabase } from './postgres.ts';
import { processesWithVariable } from './process-table.js';
import type { ServiceContext } from './service.ts';
import { type RunningStack, startStack } from './stack.ts';
import { openState } from './state.ts';
import { ensureBucket } from './store-bucket.ts';
import { startTemporal } from './temporal.ts';

const folder = mkdtempSync(join(tmpdir(), 'framewright-life-'));
chmodSync(folder, 0o711);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { PATH, HOME, FARM_CACHE, XDG_CACHE_HOME } = process.env;
const variables = { PATH, HOME, FARM_CACHE, XDG_CACHE_HOME };

/** Takes a port until it is closed. */
function occupy(port: number): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const taken = typeof address === 'object' && address ? address.port : port;
      resolve({ port: taken, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

it('keeps data, workflows, blocks and ports over a restart, and gives way where a port is taken', async () => {
  const home = join(folder, 'restart');
  const first = await startStack({ home, volatile: true, variables });
  await leaveTraces(first);
  await first.stop();
  expect(processesWithVariable('FARM_STACK_ID', first.keeper.stackId)).toEqual([]);

  const intruder = await occupy(first.state.ports.chain!);
  const second = await startStack({ home, volatile: true, variables });
  try {
    expect(second.state.credentials).toEqual(first.state.credentials);
    expect(second.database.address).toBe(first.database.address);
    expect(second.chain.address).not.toBe(first.chain.address);
    await expectTraces(second);
  } finally {
    await second.stop();
    await intruder.close();
  }
});

const store = (stack: RunningStack) => ({
  endpoint: stack.store.address,
  accessKey: stack.state.credentials.storeAccessKey,
  secretKey: stack.state.credentials.storeSecretKey,
  region: 'us-east-1',
  bucket: 'kept',
});

function storeClient(stack: RunningStack): StoreClient {
  const { endpoint, accessKey, secretKey } = store(stack);
  const { hostname, port } = new URL(endpoint);
  return new StoreClient({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
}

async function query(stack: RunningStack, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: stack.database.adminUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const someone = '0x00000000000000000000000000000000000000fa';

async function leaveTraces(stack: RunningStack): Promise<void> {
  await query(stack, 'CREATE TABLE kept (frame int); INSERT INTO kept VALUES (7)');
  await ensureBucket(store(stack));
  await storeClient(stack).putObject('kept', 'frame', Buffer.from('pixels'));
  const connection = await Connection.connect({ address: stack.temporal.address });
  await new Client({ connection }).workflow.start('nobody', { workflowId: 'kept', taskQueue: 'nobody' });
  await connection.close();
  const provider = new JsonRpcProvider(stack.chain.address);
  const signer = await provider.getSigner(0);
  await (await signer.sendTransaction({ to: someone, value: parseEther('3') })).wait();
  provider.destroy();
}

async function expectTraces(stack: RunningStack): Promise<void> {
  expect(await query(stack, 'SELECT frame FROM kept')).toEqual([{ frame: 7 }]);
  expect((await storeClient(stack).statObject('kept', 'frame')).size).toBe(6);
  const connection = await Connection.connect({ address: stack.temporal.address });
  const { status } = await new Client({ connection }).workflow.getHandle('kept').describe();
  await connection.close();
  expect(status.name).toBe('RUNNING');
  const provider = new JsonRpcProvider(stack.chain.address);
  expect(await provider.getBalance(someone)).toBe(parseEther('3'));
  expect(await provider.getBlockNumber()).toBe(1);
  provider.destroy();
}

describe('a service that does not come up says why', () => {
  let keeper: Keeper;
  let context: (more: Record<string, string>, ports?: Record<string, number>) => ServiceContext;

  beforeAll(async () => {
    const home = join(folder, 'refusals');
    const state = await openState(home);
    keeper = createKeeper(home);
    context = (more, ports = {}) => ({
      home,
      state,
      keeper,
      variables: { ...variables, ...more },
      volatile: true,
      port: async (name) => ports[name] ?? 1,
    });
  });
  afterAll(() => keeper.dismiss());

  const text = join(folder, 'text');
  writeFileSync(text, 'not a program\n', { mode: 0o755 });

  it.each([
    ['Temporal', startTemporal, 'FARM_TEMPORAL_BIN'],
    ['MinIO', startStore, 'FARM_MINIO_BIN'],
    ['chain', startChain, 'FARM_ANVIL_BIN'],
  ] as const)('%s: the program is missing, or is none', async (name, start, variable) => {
    const missing = join(folder, 'missing');
    await expect(start(context({ [variable]: missing }))).rejects.toMatchObject({
      code: 'BinaryMissing',
      message: expect.stringMatching(new RegExp(`${name}.* is not there: ${missing}`)),
    });
    await expect(start(context({ [variable]: text }))).rejects.toMatchObject({
      code: 'BinaryMissing',
      message: expect.stringContaining('wrong architecture'),
    });
  });

  it.each([
    ['Temporal', startTemporal, 'temporal'],
    ['MinIO', startStore, 'store'],
    ['PostgreSQL', startDatabase, 'database'],
    ['the chain', startChain, 'chain'],
  ] as const)('%s: its port is taken by another program', async (name, start, port) => {
    const intruder = await occupy(0);
    try {
      const free: Record<string, number> = port === 'temporal' ? { temporalHttp: 0, temporalUi: 0 } : {};
      await expect(start(context({}, { ...free, [port]: intruder.port }))).rejects.toMatchObject({
        code: 'PortTaken',
        message: expect.stringContaining(name),
      });
    } finally {
      await intruder.close();
    }
  });

  it('names the variable that pins a port which is taken', async () => {
    const intruder = await occupy(0);
    try {
      const start = startStack({
        home: join(folder, 'pinned'),
        volatile: true,
        variables: { ...variables, FARM_S3_PORT: String(intruder.port) },
      });
      await expect(start).rejects.toMatchObject({
        code: 'PortTaken',
        message: `Port ${intruder.port}, set for MinIO by FARM_S3_PORT, is in use by another program.`,
      });
    } finally {
      await intruder.close();
    }
  });

  it('says what the log says when a program ends by itself', async () => {
    const broken = join(folder, 'broken');
    writeFileSync(broken, '#!/bin/sh\necho "write /data: no space left on device" >&2\nexit 1\n', { mode: 0o755 });
    await expect(startStore(context({ FARM_MINIO_BIN: broken }))).rejects.toMatchObject({
      code: 'DiskFull',
      message: expect.stringContaining('no space left on device'),
    });
    writeFileSync(broken, '#!/bin/sh\necho "FATAL: out of luck" >&2\nexit 3\n', { mode: 0o755 });
    await expect(startStore(context({ FARM_MINIO_BIN: broken }))).rejects.toMatchObject({
      code: 'ServiceFailed',
      message: expect.stringMatching(/ended with code 3[\s\S]*FATAL: out of luck/),
    });
  });
});
