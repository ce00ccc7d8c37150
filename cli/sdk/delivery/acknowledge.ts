/** Tells the farm which frames have arrived, many with one call, so that a job can end when its studio has all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FarmClient } from '../client.ts';
import { FarmApiError } from '../errors.ts';

/** The API takes a thousand at once. */
const BATCH = 500;
/** Frames of so long a time go together: each call locks the job's row, which commits need too. */
const GATHER_MS = 500;
const TRIES = 5;

interface Arrived {
  unitId: string;
  hash: string;
}

/** One call is on its way at a time. */
export class Acknowledgements {
  readonly #client: FarmClient;
  readonly #jobId: string;
  readonly #beforeTelling: () => Promise<void>;
  #open: Arrived[] = [];
  #sending: Promise<void> | null = null;
  #stopGathering = new AbortController();
  #failure: unknown;
  #isRefused = false;

  /** @param beforeTelling called before frames that arrived are told of: makes sure that they stay; never rejects */
  constructor(client: FarmClient, jobId: string, beforeTelling: () => Promise<void>) {
    this.#client = client;
    this.#jobId = jobId;
    this.#beforeTelling = beforeTelling;
  }

  /** The frame is whole and right where the studio wants it. */
  add(unitId: string, hash: string): void {
    if (this.#isRefused) return;
    this.#open.push({ unitId, hash });
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
  }

  /**
   * Everything is said when it returns. Whoever may look but not work (role finance) leaves no mark, and that is no error.
   * @throws FarmApiError when the farm could not be told; the frames are there, and another pull says it again
   */
  async flush(): Promise<void> {
    this.#stopGathering.abort();
    await this.#sending;
    if (this.#failure) throw this.#failure;
  }

  async #send(): Promise<void> {
    while (this.#open.length > 0 && !this.#isRefused) {
      await sleep(GATHER_MS, undefined, { signal: this.#stopGathering.signal }).catch(() => undefined);
      const frames = this.#open.splice(0, BATCH);
      try {
        await this.#beforeTelling();
        await this.#tell(frames);
      } catch (error) {
        if (error instanceof FarmApiError && error.code === 'Forbidden') this.#isRefused = true;
        else this.#failure = error;
      }
    }
  }

  async #tell(frames: Arrived[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#client.acknowledge(this.#jobId, frames);
        return;
      } catch (error) {
        const mayPass = error instanceof FarmApiError && (error.status === 0 || error.status >= 500);
        if (!mayPass || attempt >= TRIES) throw error;
        await sleep(200 * 2 ** attempt);
      }
    }
  }
}
