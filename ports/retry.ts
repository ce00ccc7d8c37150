/** Trying again while it can help: exponential steps with full jitter, so that nodes do not come back all at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError } from '../domain/errors.ts';

export interface RetryOptions {
  /** Ends the waiting and the trying; its reason is thrown. */
  signal: AbortSignal;
  /** First and longest wait, milliseconds. */
  firstMs?: number;
  longestMs?: number;
  /** Number of calls at most; default: until the signal ends it. */
  attempts?: number;
  /** Uniform in [0, 1). */
  random?: () => number;
  /** Told of each failure that is tried again. */
  onRetry?: (error: unknown, waitMs: number) => void;
  /** What is worth another try; default `isPassing`. */
  retryable?: (error: unknown) => boolean;
}

/** Failures that pass by themselves: the gateway, the store or the way to them is down. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof FarmError && ['StackNotRunning', 'ServiceFailed', 'StoreFailed', 'Internal'].includes(error.code)
  );
}

/** Calls until it succeeds, fails for good, or the signal ends. */
export async function retrying<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, firstMs = 200, longestMs = 5_000, attempts = Number.POSITIVE_INFINITY } = options;
  const { random = Math.random, onRetry, retryable = isPassing } = options;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!retryable(error) || attempt >= attempts) throw error;
      const waitMs = Math.min(longestMs, firstMs * 2 ** (attempt - 1)) * (0.1 + 0.9 * random());
      onRetry?.(error, waitMs);
      await pause(waitMs, signal);
    }
  }
}

/** Waits; throws the signal's reason when it ends first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
