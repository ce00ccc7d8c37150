/** The four embedded services together: started at the same time, stopped in order. */
import { mkdirSync } from 'node:fs';
import { FarmError } from '../../domain/errors.ts';
import { startChain } from './chain.ts';
import { choosePort } from './free-ports.ts';
import { createKeeper, endOrphans, type Keeper } from './keeper.ts';
import { freeBytes } from './managed-process.ts';
import { startStore } from './minio.ts';
import { type RunningDatabase, startDatabase } from './postgres.ts';
import type { RunningService, ServiceContext, ServiceName } from './service.ts';
import { type FarmState, openState, saveState } from './state.ts';
import { startTemporal } from './temporal.ts';

/** With less than this, services start and then fail in ways that nobody understands. */
const LEAST_FREE_BYTES = 200_000_000;

export interface StackOptions {
  /** Absolute folder of the farm's state; made if it is not there. */
  home: string;
  /** Addresses, programs and ports that are given; `process.env` unless tests say otherwise. */
  variables?: NodeJS.ProcessEnv;
  /** For tests: faster, and what a crash of the *machine* would lose is lost. */
  volatile?: boolean;
  /** Called when a service begins to start, serves, or failed. */
  onService?: (name: ServiceName, phase: 'starting' | 'running' | 'failed') => void;
}

export interface RunningStack {
  home: string;
  state: FarmState;
  keeper: Keeper;
  temporal: RunningService;
  store: RunningService;
  database: RunningDatabase;
  chain: RunningService;
  /** A free port for something beside the services, kept in the state. */
  port: ServiceContext['port'];
  /** Stops what was started here, in order, the watchdog last. */
  stop(): Promise<void>;
}

/**
 * Starts all four services, or none: when one fails, the others are stopped again.
 * @throws FarmError `PortTaken`, `DiskFull`, `BinaryMissing`, `ServiceFailed` with the reason
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const { home, variables = process.env, volatile = false, onService } = options;
  mkdirSync(home, { recursive: true });
  const free = freeBytes(home);
  if (free < LEAST_FREE_BYTES) {
    throw new FarmError(
      'DiskFull',
      `The disk of ${home} has ${Math.round(free / 1e6)} MB free; the farm needs ${LEAST_FREE_BYTES / 1e6} MB.`,
      {
        folder: home,
      },
    );
  }
  await endOrphans(home);
  const state = await openState(home);
  const keeper = createKeeper(home);
  const context: ServiceContext = {
    home,
    state,
    keeper,
    variables,
    volatile,
    port: portChooser(home, state, variables),
  };
  const starting = async <T extends RunningService>(
    name: ServiceName,
    start: (context: ServiceContext) => Promise<T>,
  ) => {
    onService?.(name, 'starting');
    try {
      const service = await startWithFreshPort(name, context, start);
      onService?.(name, 'running');
      return service;
    } catch (error) {
      onService?.(name, 'failed');
      throw error;
    }
  };
  const results = await Promise.allSettled([
    starting('temporal', startTemporal),
    starting('store', startStore),
    starting('database', startDatabase),
    starting('chain', startChain),
  ]);
  const running = results.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  const stop = async () => {
    // Temporal first: nobody should be told to work on what is going away.
    for (const service of running) await service.stop();
    await keeper.dismiss();
  };
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const [temporal, store, database, chain] = running as [
    RunningService,
    RunningService,
    RunningDatabase,
    RunningService,
  ];
  return { home, state, keeper, temporal, store, database, chain, port: context.port, stop };
}

/** Chooses ports one after the other, so that two services never get the same, and keeps them. */
function portChooser(home: string, state: FarmState, variables: NodeJS.ProcessEnv): ServiceContext['port'] {
  const given = new Set<number>();
  let turn: Promise<unknown> = Promise.resolve();
  return (name, service, variable) => {
    const choose = async () => {
      const kept = state.ports[name];
      let port: number;
      do {
        port = await choosePort(service, {
          pinned: variables[variable],
          variable,
          kept: given.has(kept ?? 0) ? undefined : kept,
        });
      } while (given.has(port) && !variables[variable]);
      given.add(port);
      if (port !== kept) {
        state.ports[name] = port;
        saveState(home, state);
      }
      return port;
    };
    const chosen = turn.then(choose);
    turn = chosen.catch(() => {});
    return chosen;
  };
}

/** Between choosing a port and listening on it another program can take it: then once more with another one. */
async function startWithFreshPort<T>(
  name: ServiceName,
  context: ServiceContext,
  start: (context: ServiceContext) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(context);
    } catch (error) {
      const pinned = error instanceof FarmError && 'port' in error.place;
      if (attempt === 3 || pinned || !(error instanceof FarmError) || error.code !== 'PortTaken') throw error;
      for (const port of PORTS_OF[name]) delete context.state.ports[port];
    }
  }
}

const PORTS_OF = {
  temporal: ['temporal', 'temporalHttp', 'temporalUi'],
  store: ['store'],
  database: ['database'],
  chain: ['chain'],
} as const;
