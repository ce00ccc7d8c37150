/** Signs of life for Temporal from activities that are busy with one long thing. */
import { Context } from '@temporalio/activity';

const BEAT_MS = 2000;

/**
 * Runs `work` and heartbeats meanwhile, so that a dead worker is noticed and a cancel arrives: `work` gets the signal.
 * Work must leave the event loop free now and then, as anything that waits for streams or threads does.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  context.heartbeat();
  const timer = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
