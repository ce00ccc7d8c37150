/** Asks the farm for the addresses of frames, many with one call. */

/** The API answers for so many at once. */
const BATCH = 200;

interface Waiting<Found> {
  resolve: (found: Found | null) => void;
  reject: (error: unknown) => void;
}

/** One call is on its way at a time; what is asked for meanwhile goes with the next. */
export class AddressBook<Found extends { unitId: string }> {
  readonly #call: (unitIds: string[]) => Promise<{ items: Found[] }>;
  readonly #waiting = new Map<string, Waiting<Found>[]>();
  #asking = false;

  /** @param call answers for those of at most 200 units that there is something about */
  constructor(call: (unitIds: string[]) => Promise<{ items: Found[] }>) {
    this.#call = call;
  }

  /** What there is about a unit, or null. Throws what the call throws. */
  of(unitId: string): Promise<Found | null> {
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
        const { items } = await this.#call(batch.map(([unitId]) => unitId));
        const found = new Map(items.map((item) => [item.unitId, item]));
        for (const [unitId, waiting] of batch) for (const { resolve } of waiting) resolve(found.get(unitId) ?? null);
      } catch (error) {
        for (const [, waiting] of batch) for (const { reject } of waiting) reject(error);
      }
    }
    this.#asking = false;
  }
}
