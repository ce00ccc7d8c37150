/**
 * One set of real services for the whole test run (vitest's global set-up): in a home of its own, on ports of its own, so
 * that a running farm is not disturbed. Test files get the addresses through `inject('stack')`, and a database, bucket and
 * namespace for themselves through `services.ts`.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type RunningStack, startStack } from '../../infra/stack/stack.ts';

/** What test files hear of the services. */
export interface StackAddresses {
  home: string;
  /** `host:port` of the Temporal frontend. */
  temporal: string;
  store: { endpoint: string; accessKey: string; secretKey: string; region: string };
  database: { adminUrl: string; ownerPassword: string; appPassword: string; servicePassword: string };
  chain: { rpc: string; chainId: number; mnemonic: string };
}

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackAddresses;
  }
}

/** Each vitest project has its own copy of this module; the services are one for all of them. */
interface Shared {
  users: number;
  starting: Promise<{ stack: RunningStack; folder: string }>;
}
const shared = globalThis as { framewrightTestStack?: Shared };

export async function setup(project: TestProject): Promise<void> {
  shared.framewrightTestStack ??= { users: 0, starting: start() };
  shared.framewrightTestStack.users += 1;
  const { stack } = await shared.framewrightTestStack.starting;
  const { state, temporal, store, database, chain } = stack;
  const { credentials } = state;
  project.provide('stack', {
    home: stack.home,
    temporal: temporal.address,
    store: {
      endpoint: store.address,
      accessKey: credentials.storeAccessKey,
      secretKey: credentials.storeSecretKey,
      region: 'us-east-1',
    },
    database: {
      adminUrl: database.adminUrl,
      ownerPassword: credentials.databaseOwner,
      appPassword: credentials.databaseApp,
      servicePassword: credentials.databaseService,
    },
    chain: { rpc: chain.address, chainId: 31_337, mnemonic: credentials.chainMnemonic },
  });
}

export async function teardown(): Promise<void> {
  const current = shared.framewrightTestStack;
  if (!current) return;
  current.users -= 1;
  if (current.users > 0) return;
  delete shared.framewrightTestStack;
  const { stack, folder } = await current.starting;
  await stack.stop();
  if (stack.state.databaseFolder) rmSync(stack.state.databaseFolder, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

async function start(): Promise<{ stack: RunningStack; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'framewright-test-'));
  // The database's own user has to get through when we are root.
  chmodSync(folder, 0o711);
  const { PATH, HOME, XDG_CACHE_HOME, FARM_CACHE, FARM_TEMPORAL_BIN, FARM_MINIO_BIN, FARM_ANVIL_BIN } = process.env;
  // Programs may be given; addresses and ports of a real farm may not.
  const variables = { PATH, HOME, XDG_CACHE_HOME, FARM_CACHE, FARM_TEMPORAL_BIN, FARM_MINIO_BIN, FARM_ANVIL_BIN };
  const stack = await startStack({ home: join(folder, 'home'), volatile: true, variables });
  return { stack, folder };
}
