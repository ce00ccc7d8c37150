/** A node's patience with the store that takes its frames: full or silent, somebody may be at it; but not for ever. */
import { FarmError } from '../../domain/errors.ts';
import { isStoreFull } from '../../ports/diskFull.ts';
import { isPassing, retrying } from '../../ports/retry.ts';

/** How long a frame waits for a store before its lease fails, milliseconds. A site whose store is silent is lost before. */
const STORE_PATIENCE_MS = 120_000;
/** First and longest wait for room, milliseconds: it takes longer to come than a connection. */
const ROOM_MS = { firstMs: 1_000, longestMs: 15_000 };
/** A large frame over a bad link may take longer than the patience until it breaks off, and may still arrive. */
const FEWEST_TRIES = 4;
/** One failure may be a hiccup. */
const SAY_AT = 2;

/** Failures further apart than this, milliseconds, are not of one silence. */
const LONGEST_GAP_MS = 30_000;

/** What the leases of a node know together of their site's store: the second one does not wait as long again. Times in milliseconds. */
export class StoreSilence {
  #since: number | null = null;
  #last = Number.NEGATIVE_INFINITY;

  /** It failed once more. @returns since when it has */
  failed(now: number): number {
    if (this.#since === null || now - this.#last > LONGEST_GAP_MS) this.#since = now;
    this.#last = now;
    return this.#since;
  }

  answered(): void {
    this.#since = null;
  }
}

interface PatienceDeps {
  signal: AbortSignal;
  /** Takes a line for the lease's log. */
  say: (line: string) => void;
  /** Another limit than `STORE_PATIENCE_MS`. */
  storePatienceMs?: number | undefined;
  /** Of the node; without one the lease knows what it has seen itself. */
  silence?: StoreSilence | undefined;
}

/**
 * Calls until the store takes it: while it is full or does not answer as long as the patience lasts, and for whatever else passes
 * without an end. Says once that it waits.
 * @param what that waits, for people: `Frame 7`
 * @throws FarmError `DiskFull` of a store, or `StoreFailed` with `place.silentSeconds`, when the patience is over; what else
 * `call` throws for good; the signal's reason
 */
export async function withStorePatience(
  call: () => Promise<void>,
  what: string,
  { signal, say, storePatienceMs = STORE_PATIENCE_MS, silence = new StoreSilence() }: PatienceDeps,
): Promise<void> {
  let since: number | undefined;
  let failures = 0;
  let isSaid = false;
  const mayWait = (error: unknown): boolean => {
    const now = performance.now();
    since = Math.min(since ?? now, isStoreFailed(error) ? silence.failed(now) : now);
    failures++;
    return now - since < storePatienceMs || (isStoreFailed(error) && failures < FEWEST_TRIES);
  };
  const tell = (error: unknown): void => {
    const isStores = isStoreFull(error) || (isStoreFailed(error) && failures >= SAY_AT);
    if (isSaid || !isStores) return;
    isSaid = true;
    say(`${what} waits: ${(error as Error).message}`);
  };
  const whileSilent = () =>
    retrying(call, {
      signal,
      retryable: (error) => (isStoreFailed(error) ? mayWait(error) : isPassing(error)),
      onRetry: tell,
    });
  try {
    await retrying(whileSilent, {
      ...ROOM_MS,
      signal,
      retryable: (error) => isStoreFull(error) && mayWait(error),
      onRetry: tell,
    });
    silence.answered();
  } catch (error) {
    if (signal.aborted || !(error instanceof FarmError) || !isStoreFailed(error)) throw error;
    const silentSeconds = Math.round((performance.now() - (since ?? performance.now())) / 1000);
    const message = `${what} was not taken by its store for ${silentSeconds} s: ${error.message}`;
    throw new FarmError('StoreFailed', message, { ...error.place, silentSeconds }, { cause: error });
  }
}

const isStoreFailed = (error: unknown): boolean => error instanceof FarmError && error.code === 'StoreFailed';
