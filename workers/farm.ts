/** What control, dispatch and settle workers share: their connections, made from the environment, and how they end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, type LogLevel, NativeConnection, Runtime, type WorkerOptions } from '@temporalio/worker';
import { type Logger, pino } from 'pino';
import type { FarmServices } from '../activities/services.ts';
import { FarmError } from '../domain/errors.ts';
import { resolvePolicy } from '../domain/policy.ts';
import { type FarmEnvironment, readEnvironment } from '../infra/stack/environment.ts';
import { distFolder, repositoryRoot } from '../infra/stack/paths.ts';
import { systemClock } from '../ports/clock.ts';
import { createDatabase } from '../ports/db/client.ts';
import { createMinioStore } from '../ports/store/minioStore.ts';
import { createSiteStores } from '../ports/store/siteStores.ts';
import { type TaskQueues, taskQueues } from '../workflows/contract.ts';

/** The settings of these workers beside `FarmEnvironment`; all may be left out. */
export interface WorkerEnvironment {
  /** `FARM_TASK_QUEUE_PREFIX`: keeps several farms in one namespace apart. */
  queues: TaskQueues;
  /** `FARM_POLICY`: JSON with settings of `domain/policy.ts` for all jobs. */
  operatorPolicy: Record<string, unknown>;
}

/** Connections of one worker process. */
export interface OpenFarm extends WorkerEnvironment {
  environment: FarmEnvironment;
  services: FarmServices;
  temporal: NativeConnection;
  /** Ends them. */
  close(): Promise<void>;
}

/** Every worker's manners: few pollers, since two cores are shared with rendering, and a soon end. */
export const WORKER_MANNERS = {
  shutdownGraceTime: '1s',
  shutdownForceTime: '6s',
} as const satisfies Partial<WorkerOptions>;

/**
 * Opens database, store and Temporal as the environment says.
 * @param name of the process, for logs
 * @param connections to PostgreSQL at most
 * @throws FarmError `SettingInvalid`, `ServiceFailed` when Temporal does not answer
 */
export async function openFarm(name: string, connections: number): Promise<OpenFarm> {
  const environment = readEnvironment(process.env);
  const log = pino({ level: environment.logLevel, base: { process: name } });
  installRuntime(log);
  const worker = readWorkerEnvironment(process.env);
  const database = createDatabase({
    appUrl: environment.database.app,
    serviceUrl: environment.database.service,
    max: connections,
  });
  const temporal = await connectTemporal(environment.temporal.address);
  const store = createMinioStore(environment.store);
  const { operatorPolicy } = worker;
  return {
    ...worker,
    environment,
    temporal,
    services: { database, store, stores: createSiteStores(store, database), clock: systemClock, log, operatorPolicy },
    async close() {
      await temporal.close();
      await database.close();
    },
  };
}

/** Reads what only workers read. @throws FarmError `SettingInvalid` */
function readWorkerEnvironment(variables: NodeJS.ProcessEnv): WorkerEnvironment {
  const text = variables.FARM_POLICY || '{}';
  let operatorPolicy: Record<string, unknown>;
  try {
    operatorPolicy = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new FarmError('SettingInvalid', `FARM_POLICY is no JSON: ${text}`, { variable: 'FARM_POLICY' });
  }
  resolvePolicy(operatorPolicy);
  return { queues: taskQueues(variables.FARM_TASK_QUEUE_PREFIX), operatorPolicy };
}

async function connectTemporal(address: string): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({ address });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FarmError('ServiceFailed', `Temporal at ${address} does not answer: ${why}`, { service: 'temporal' });
  }
}

/** Temporal's own log lines go the way of ours; signals are ours to handle. */
function installRuntime(log: Logger): void {
  const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
    TRACE: 'trace',
    DEBUG: 'debug',
    INFO: 'info',
    WARN: 'warn',
    ERROR: 'error',
  };
  const logger = new DefaultLogger('INFO', ({ level, message, meta }) => {
    // A retried attempt is told as a warning with its whole stack; one line says as much.
    log[levels[level]]({ ...meta, error: undefined, reason: String(meta?.error ?? '') || undefined }, message);
  });
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { forward: {}, filter: 'WARN' } } });
}

/** The workflows: bundled ahead of time where the build is there, else bundled now (tests). */
export function workflowCode(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const codePath = join(distFolder, 'workflows.js');
  const runsFromBuild = import.meta.url.includes('/dist/');
  if (runsFromBuild && existsSync(codePath)) return { workflowBundle: { codePath } };
  return { workflowsPath: join(repositoryRoot, 'workflows', 'index.ts') };
}
