/** A job's events as a stream: first what was missed, then what happens, in order and without gaps. */
import type { Database } from '../../../ports/db/client.ts';
import { readEvents } from '../../../ports/db/events.ts';
import type { JobEventRow } from '../../../ports/db/tables.ts';
import type { Hub } from './hub.ts';
import type { SseStream } from './sse.ts';

/** Events read at once. */
const PAGE = 500;

/**
 * Feeds a stream until it closes. Stored events carry `id: seq`, so that a browser that comes back says where it was;
 * transient ones (progress inside a unit) carry none and `seq` 0.
 * @param after number of the last event that the reader has
 */
export function feedJob(
  { database, hub }: { database: Database; hub: Hub },
  stream: SseStream,
  { studioId, jobId, after }: { studioId: string; jobId: string; after: number },
  onError: (error: unknown) => void,
): void {
  let last = after;
  let reading = false;
  let again = false;

  /** @returns false when the reader has not taken what it got */
  const send = (event: JobEventRow): boolean => {
    last = event.seq;
    return stream.send({ id: String(event.seq), event: event.type, data: eventView(event) });
  };
  const read = async (): Promise<void> => {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    try {
      do {
        again = false;
        await stream.drained();
        let events: JobEventRow[];
        do {
          events = await database.withStudio(studioId, (tx) => readEvents(tx, { jobId, after: last, limit: PAGE }));
          for (const event of events) {
            if (!send(event)) await stream.drained();
          }
        } while (events.length === PAGE && !stream.closed);
      } while (again && !stream.closed);
    } catch (error) {
      // The reader comes back by itself and says where it was.
      onError(error);
      stream.end();
    } finally {
      reading = false;
    }
  };

  const stop = hub.onStudio(studioId, {
    job: (signal) => {
      if (signal.jobId !== null && (signal.jobId !== jobId || (signal.seq ?? 0) <= last)) return;
      // Mostly the next event came along. What was missed before it, or a reader that is slow, is served from the record.
      const isNext = signal.event !== null && signal.seq === last + 1 && !reading;
      if (!isNext || !send(signal.event!)) void read();
    },
    transient: (signal) => {
      if (signal.jobId !== jobId || stream.closed) return;
      const at = new Date().toISOString();
      stream.send({ event: signal.type, data: { seq: 0, jobId, at, type: signal.type, data: signal.data } });
    },
  });
  stream.onClose(stop);
  void read();
}

/** An event as `jobEvent` of the schema has it. */
export function eventView(event: JobEventRow): Record<string, unknown> {
  const { seq, jobId, at, type, data } = event;
  return { seq, jobId, at: at.toISOString(), type, data };
}
