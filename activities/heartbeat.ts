/** Signs of life for Temporal from activities that are busy with one long thing. */
import { Context } from '@temporalio/activity';

/** Two of them fit into the time after which Temporal takes the worker for dead: one may be late. */
const BEATS_A_TIMEOUT = 2.5;
const SLOWEST_BEAT_MS = 10_000;

/**
 * Runs `work` and heartbeats meanwhile, so that a dead worker is noticed and a cancel arrives: `work` gets the signal.
 * Each heartbeat is a write of Temporal's, so that there are no more of them than the activity's timeout asks for.
 * Work must leave the event loop free now and then, as anything that waits for streams or threads does.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const { heartbeatTimeoutMs = SLOWEST_BEAT_MS } = context.info;
  const everyMs = Math.min(SLOWEST_BEAT_MS, heartbeatTimeoutMs / BEATS_A_TIMEOUT);
  const timer = setInterval(() => context.heartbeat(), everyMs);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
