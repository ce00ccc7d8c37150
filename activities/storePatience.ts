/** Patience at the end of a job: a store that is away for a while must not fail it, and one that is gone must not hold it up for ever. */
import { FarmError } from '../domain/errors.ts';
import { appendEvent } from '../ports/db/events.ts';
import { namesOfSites } from '../ports/db/sites.ts';
import { retrying } from '../ports/retry.ts';
import type { SiteStore } from '../ports/store/siteStores.ts';
import { type FarmServices, inRecord, type JobKey } from './services.ts';

/** What one step of a job's end hands to the next. */
export interface AwayInput extends JobKey {
  /** Ids of the sites that an earlier step has waited for in vain; absent: none. */
  away?: readonly string[] | undefined;
}

export interface AwayAnswer {
  /** Ids of the sites that did not answer. */
  away: string[];
}

interface PatienceOptions {
  /** How long to wait for each store from its first failure on. */
  seconds: number;
  signal: AbortSignal;
  /** Sites that are asked once and not waited for. */
  away?: readonly string[] | undefined;
}

export class StorePatience {
  readonly #ms: number;
  readonly #signal: AbortSignal;
  readonly #waitedFor: ReadonlySet<string | null>;
  /** By site, null is home: when its store first failed since it last answered. */
  readonly #silentSince = new Map<string | null, number>();
  readonly #away = new Set<string | null>();

  constructor({ seconds, signal, away = [] }: PatienceOptions) {
    this.#ms = seconds * 1000;
    this.#signal = signal;
    this.#waitedFor = new Set(away);
  }

  /** Ids of the sites that were given up. */
  get away(): string[] {
    return [...this.#away].filter((siteId) => siteId !== null);
  }

  /**
   * Calls until the store answers. A site that was given up is not asked again.
   * @returns null when the site was given up
   * @throws FarmError `StoreFailed` of home, which the farm cannot do without; what else `call` throws; the signal's reason
   */
  async ask<T extends object>({ siteId }: Pick<SiteStore, 'siteId'>, call: () => Promise<T>): Promise<T | null> {
    if (this.#away.has(siteId)) return null;
    try {
      const answer = await retrying(call, { signal: this.#signal, retryable: (error) => this.#mayWait(siteId, error) });
      this.#silentSince.delete(siteId);
      return answer;
    } catch (error) {
      if (siteId === null || !isStoreFailed(error)) throw error;
      this.#away.add(siteId);
      return null;
    }
  }

  #mayWait(siteId: string | null, error: unknown): boolean {
    if (!isStoreFailed(error) || this.#away.has(siteId) || this.#waitedFor.has(siteId)) return false;
    const now = performance.now();
    const since = this.#silentSince.get(siteId) ?? now;
    this.#silentSince.set(siteId, since);
    return now - since < this.#ms;
  }
}

const isStoreFailed = (error: unknown): boolean => error instanceof FarmError && error.code === 'StoreFailed';

/** Says in the job's log what is missing because these sites are away; `line` gets their names. Nothing without sites. */
export async function sayAway(
  services: Pick<FarmServices, 'database'>,
  { studioId, jobId }: JobKey,
  away: readonly string[],
  line: (names: string) => string,
): Promise<void> {
  if (away.length === 0) return;
  await inRecord(services, async (tx) => {
    const names = (await namesOfSites(tx, away)).join(', ');
    await appendEvent(tx, { studioId, jobId, type: 'log', data: { node: null, line: line(names) } });
  });
}

/** `1 frame`, `2 frames`. */
export const framesText = (count: number): string => `${count} frame${count === 1 ? '' : 's'}`;
