/**
 * One ear for each database channel of a server process, many listeners: a notification is heard once and handed to all
 * whom it may concern. An empty payload (after a lost connection) goes to everybody: "look yourself".
 */
import type { Database } from '../../../ports/db/client.ts';
import { CHANNELS, readJobPayload } from '../../../ports/db/events.ts';
import type { JobEventRow } from '../../../ports/db/tables.ts';

/** Something happened to a job. `seq` null: something may have been missed. */
export interface JobSignal {
  seq: number | null;
  /** Null when something may have been missed. */
  jobId: string | null;
  /** What happened; null: to be read. */
  event: JobEventRow | null;
}

/** Something not worth keeping, as `notifyTransient` sent it. */
export interface TransientSignal {
  studioId: string;
  jobId: string;
  type: string;
  data: Record<string, unknown>;
}

export interface StudioListener {
  job?(signal: JobSignal): void;
  transient?(signal: TransientSignal): void;
}

export interface Hub {
  /** Hears of one studio's jobs. Answers how to stop. */
  onStudio(studioId: string, listener: StudioListener): () => void;
  /** Hears that work was offered. */
  onOffer(listener: () => void): () => void;
  /** Hears that a receipt may wait for a node's signature; null: for any. */
  onReceipt(listener: (nodeId: string | null) => void): () => void;
  /** Hears that a site, or a node of one, changed. */
  onSites(listener: () => void): () => void;
  close(): Promise<void>;
}

export async function openHub(database: Database): Promise<Hub> {
  const studios = new Map<string, Set<StudioListener>>();
  const offers = new Set<() => void>();
  const sites = new Set<() => void>();
  const receipts = new Set<(nodeId: string | null) => void>();

  const stops = await Promise.all([
    database.listen(CHANNELS.job, (payload) => {
      const notice = readJobPayload(payload);
      if (!notice) {
        for (const listeners of studios.values()) {
          for (const listener of listeners) listener.job?.({ seq: null, jobId: null, event: null });
        }
        return;
      }
      const listeners = studios.get(notice.studioId);
      if (!listeners) return;
      const signal = { seq: notice.seq, jobId: notice.jobId, event: notice.event() };
      for (const listener of listeners) listener.job?.(signal);
    }),
    database.listen(CHANNELS.transient, (payload) => {
      if (payload === '') return;
      const signal = JSON.parse(payload) as TransientSignal;
      for (const listener of studios.get(signal.studioId) ?? []) listener.transient?.(signal);
    }),
    database.listen(CHANNELS.offer, () => {
      for (const listener of [...offers]) listener();
    }),
    database.listen(CHANNELS.sites, () => {
      for (const listener of [...sites]) listener();
    }),
    database.listen(CHANNELS.receipt, (nodeId) => {
      for (const listener of [...receipts]) listener(nodeId || null);
    }),
  ]);

  return {
    onStudio(studioId, listener) {
      const listeners = studios.get(studioId) ?? new Set();
      studios.set(studioId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && studios.get(studioId) === listeners) studios.delete(studioId);
      };
    },
    onOffer(listener) {
      offers.add(listener);
      return () => void offers.delete(listener);
    },
    onSites(listener) {
      sites.add(listener);
      return () => void sites.delete(listener);
    },
    onReceipt(listener) {
      receipts.add(listener);
      return () => void receipts.delete(listener);
    },
    async close() {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}
