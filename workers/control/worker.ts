/** The control worker: runs the workflows, and the activities that only read and write record and store. */
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createAssembleActivities } from '../../activities/assemble/index.ts';
import { createIntakeActivities } from '../../activities/intake/index.ts';
import { createPlanActivities } from '../../activities/plan/index.ts';
import { createRenderActivities } from '../../activities/render/index.ts';
import type { FarmServices } from '../../activities/services.ts';
import { createVerifyActivities } from '../../activities/verify/index.ts';
import { farmVersion } from '../../infra/stack/paths.ts';
import { WORKER_MANNERS } from '../farm.ts';

export interface ControlWorkerOptions {
  services: FarmServices;
  temporal: NativeConnection;
  namespace: string;
  taskQueue: string;
  /** BIP-39 phrase of the operator's key, which signs quotes. */
  mnemonic: string;
  /** The bundle of `workflows/index.ts`, or the path to bundle. */
  workflows: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>;
}

/** Workflows kept in memory; the others are replayed from their history when something happens to them. */
const CACHED_WORKFLOWS = 200;
const ACTIVITIES_AT_A_TIME = 8;

/** Starts it; run it with `run`, end it with `shutdown`. */
export async function createControlWorker(options: ControlWorkerOptions): Promise<Worker> {
  const { services, temporal, namespace, taskQueue, mnemonic, workflows } = options;
  return Worker.create({
    ...WORKER_MANNERS,
    ...workflows,
    connection: temporal,
    namespace,
    taskQueue,
    activities: {
      ...createIntakeActivities(services),
      ...createPlanActivities({ ...services, mnemonic }),
      ...createRenderActivities(services),
      ...createVerifyActivities(services),
      ...createAssembleActivities({ ...services, farmVersion: farmVersion() }),
    },
    maxCachedWorkflows: CACHED_WORKFLOWS,
    workflowThreadPoolSize: 1,
    maxConcurrentWorkflowTaskPolls: 2,
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_A_TIME,
    maxConcurrentActivityTaskPolls: 2,
  });
}
