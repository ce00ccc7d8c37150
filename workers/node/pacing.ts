/** How much is under way at once. */

export interface Turns {
  /** Runs the task when its turn comes, in the order of asking. */
  run<T>(task: () => Promise<T>): Promise<T>;
}

/** At most `places` tasks at the same time. */
export function createTurns(places: number): Turns {
  let free = places;
  const waiting: (() => void)[] = [];
  return {
    async run(task) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await task();
      } finally {
        // The place goes from hand to hand; it is free only when nobody waits.
        const next = waiting.shift();
        if (next) next();
        else free++;
      }
    },
  };
}

/** Bytes that were asked for and have not come. */
export interface Backlog {
  /** @param bytes negative when they have come, or will not */
  add(bytes: number): void;
  /** Resolves as soon as no more than this is left. */
  below(bytes: number): Promise<void>;
}

export function createBacklog(): Backlog {
  let left = 0;
  let waiting: { bytes: number; resolve: () => void }[] = [];
  return {
    add(bytes) {
      left += bytes;
      const done = waiting.filter((one) => left <= one.bytes);
      if (done.length === 0) return;
      waiting = waiting.filter((one) => left > one.bytes);
      for (const { resolve } of done) resolve();
    },
    below: (bytes) => (left <= bytes ? Promise.resolve() : new Promise((resolve) => waiting.push({ bytes, resolve }))),
  };
}
