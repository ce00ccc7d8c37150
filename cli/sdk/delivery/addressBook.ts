/** Asks the farm for the addresses of frames, many with one call. */
import type { FarmClient } from '../client.ts';
import type { FrameAddresses } from '../types.ts';

/** The API answers for so many at once. */
const BATCH = 200;

interface Waiting {
  resolve: (found: FrameAddresses | null) => void;
  reject: (error: unknown) => void;
}

/** One call is on its way at a time; what is asked for meanwhile goes with the next. */
export class AddressBook {
  readonly #client: FarmClient;
  readonly #jobId: string;
  readonly #waiting = new Map<string, Waiting[]>();
  #asking = false;

  constructor(client: FarmClient, jobId: string) {
    this.#client = client;
    this.#jobId = jobId;
  }

  /** Where a committed frame's files lie, or null when the job has no such frame. Throws `FarmApiError`. */
  of(unitId: string): Promise<FrameAddresses | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(unitId, [...(this.#waiting.get(unitId) ?? []), { resolve, reject }]);
      if (!this.#asking) void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    // Frames of one burst of events are asked for in the same turn.
    await null;
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH);
      for (const [unitId] of batch) this.#waiting.delete(unitId);
      try {
        const { items } = await this.#client.frameAddresses(
          this.#jobId,
          batch.map(([unitId]) => unitId),
        );
        const found = new Map(items.map((item) => [item.unitId, item]));
        for (const [unitId, waiting] of batch) for (const { resolve } of waiting) resolve(found.get(unitId) ?? null);
      } catch (error) {
        for (const [, waiting] of batch) for (const { reject } of waiting) reject(error);
      }
    }
    this.#asking = false;
  }
}
