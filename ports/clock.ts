/** Time as something that is handed in, so that tests can repeat what happened. */
export interface Clock {
  now(): Date;
}

/** The machine's clock. Leases do not use it: they end by the database's clock. */
export const systemClock: Clock = { now: () => new Date() };
