/** The settle worker: one activity at a time, since transactions of an account are numbered in the order they are signed. */
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createSettleActivities } from '../../activities/settle/index.ts';
import type { SettleServices } from '../../activities/settle/services.ts';
import { WORKER_MANNERS } from '../farm.ts';

export interface SettleWorkerOptions {
  services: SettleServices;
  temporal: NativeConnection;
  namespace: string;
  taskQueue: string;
}

/** Starts it; run it with `run`, end it with `shutdown`. */
export async function createSettleWorker({
  services,
  temporal,
  namespace,
  taskQueue,
}: SettleWorkerOptions): Promise<Worker> {
  return Worker.create({
    ...WORKER_MANNERS,
    connection: temporal,
    namespace,
    taskQueue,
    activities: createSettleActivities(services),
    maxConcurrentActivityTaskExecutions: 1,
    maxConcurrentActivityTaskPolls: 1,
  });
}
