/** The dispatch worker: keeps chunks. Waiting chunks cost next to nothing, so that it takes many at a time. */
import { type NativeConnection, Worker } from '@temporalio/worker';
import { ChunkBell } from '../../activities/render/chunkBell.ts';
import { createDispatchActivities } from '../../activities/render/index.ts';
import { ReceiptBook } from '../../activities/render/receiptBook.ts';
import type { FarmServices } from '../../activities/services.ts';
import { FrameInspectors } from '../../activities/verify/frameInspectors.ts';
import { WORKER_MANNERS } from '../farm.ts';

export interface DispatchWorkerOptions {
  services: FarmServices;
  temporal: NativeConnection;
  namespace: string;
  taskQueue: string;
  /** BIP-39 phrase of the session keys that the farm keeps for studios: receipts are countersigned with them. */
  mnemonic: string;
}

const CHUNKS_AT_A_TIME = 2000;
/** Frames looked at here at a time, for sites without an agent of their own. */
const FRAMES_AT_A_TIME = 2;

/** Starts it. `run` ends with `shutdown`. */
export async function createDispatchWorker(
  options: DispatchWorkerOptions,
): Promise<{ run: () => Promise<void>; shutdown: () => void }> {
  const { services, temporal, namespace, taskQueue, mnemonic } = options;
  const bell = new ChunkBell(services.database, services.log);
  await bell.start();
  const inspectors = new FrameInspectors(FRAMES_AT_A_TIME);
  const receipts = new ReceiptBook(services, mnemonic);
  const worker = await Worker.create({
    ...WORKER_MANNERS,
    connection: temporal,
    namespace,
    taskQueue,
    activities: createDispatchActivities({ ...services, bell, inspectors, receipts }),
    maxConcurrentActivityTaskExecutions: CHUNKS_AT_A_TIME,
    maxConcurrentActivityTaskPolls: 2,
    // A cancel reaches an activity with the answer to its heartbeat.
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '2s',
  });
  return {
    run: async () => {
      try {
        await worker.run();
      } finally {
        receipts.close();
        await bell.stop();
        await inspectors.close();
      }
    },
    shutdown: () => worker.shutdown(),
  };
}
