/** Brings to Temporal what transactions have put into the outbox: starts and signals, each at least once, in order. */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Logger } from 'pino';
import { isFinalJob } from '../../domain/statuses.ts';
import type { Database, Tx } from '../../ports/db/client.ts';
import { CHANNELS } from '../../ports/db/events.ts';
import { markDone, markFailed, type OutboxPayload, takeOpen } from '../../ports/db/outbox.ts';
import type { OutboxRow } from '../../ports/db/tables.ts';

const BATCH = 20;
/** How soon an order is seen whose notification was lost, or that failed. */
const LOOK_ANYWAY_MS = 5000;

export interface RelayOptions {
  database: Database;
  client: Client;
  /** Queue of the workflows that are started. */
  taskQueue: string;
  log: Logger;
}

/** Runs until `stop`. */
export async function startRelay(options: RelayOptions): Promise<{ stop: () => Promise<void> }> {
  const { database, log } = options;
  let stopped = false;
  let ring = () => {};
  let rung = false;
  const listening = await database.listen(CHANNELS.outbox, () => {
    rung = true;
    ring();
  });
  const loop = (async () => {
    while (!stopped) {
      rung = false;
      let more = false;
      try {
        more = await relayBatch(options);
      } catch (error) {
        log.warn({ err: error }, 'the outbox could not be read');
      }
      if (more || rung || stopped) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_ANYWAY_MS);
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      ring();
      await loop;
      await listening();
    },
  };
}

/** Carries out open orders. Whether there are more that have not failed yet. */
async function relayBatch(options: RelayOptions): Promise<boolean> {
  return options.database.asService(async (tx) => {
    const orders = await takeOpen(tx, BATCH);
    let failures = 0;
    for (const order of orders) {
      try {
        await carryOut(tx, options, order);
        await markDone(tx, order);
      } catch (error) {
        failures += 1;
        options.log.warn({ err: error, topic: order.topic, attempts: order.attempts }, 'an order did not get through');
        await markFailed(tx, { ...order, error: error instanceof Error ? error.message : String(error) });
      }
    }
    return orders.length === BATCH && failures < BATCH;
  });
}

async function carryOut(tx: Tx, { client, taskQueue }: RelayOptions, { topic, payload }: OutboxRow): Promise<void> {
  if (topic === 'start-workflow') {
    const { workflow, workflowId, args } = payload as unknown as OutboxPayload['start-workflow'];
    try {
      const workflowIdReusePolicy = WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY;
      await client.workflow.start(workflow, { taskQueue, workflowId, args, workflowIdReusePolicy });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    return;
  }
  if (topic !== 'signal-workflow') throw new Error(`unknown topic ${topic}`);
  const { workflowId, signal, args } = payload as unknown as OutboxPayload['signal-workflow'];
  try {
    await client.workflow.getHandle(workflowId).signal(signal, ...args);
  } catch (error) {
    // A job that has ended needs no signal; one whose workflow was lost gets a new one, which reads the job's row.
    if (!(error instanceof WorkflowNotFoundError) || !(await hasEnded(tx, workflowId))) throw error;
  }
}

async function hasEnded(tx: Tx, jobId: string): Promise<boolean> {
  const job = await tx.selectFrom('jobs').select('status').where('id', '=', jobId).executeTakeFirst();
  return !job || isFinalJob(job.status);
}
