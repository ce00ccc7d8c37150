/** What changes in all of a studio's jobs, as lists show it. Not resumable: whoever connects reads the list first. */
import type { JobEventType } from '../../../domain/events.ts';
import type { Database, Tx } from '../../../ports/db/client.ts';
import type { JobEventRow } from '../../../ports/db/tables.ts';
import type { Hub } from './hub.ts';
import { eventView } from './jobFeed.ts';
import type { SseStream } from './sse.ts';

/** What a row of a list is made of; progress inside chunks and logs are not. */
const LISTED: JobEventType[] = [
  'job.changed',
  'stage.started',
  'stage.ended',
  'quote.made',
  'money.changed',
  'unit.committed',
  'delivery.changed',
  'output.ready',
  'invoice.issued',
  'invoice.posted',
];
/** Events of many jobs come in bursts: one query for a moment's worth. */
const GATHER_MS = 200;

export function feedStudio(
  { database, hub }: { database: Database; hub: Hub },
  stream: SseStream,
  studioId: string,
  onError: (error: unknown) => void,
): void {
  /** By job: what was announced and not yet told, as [first, last] number. */
  let open = new Map<string, [number, number]>();
  /** The same events in order; null: one of them did not come along, so that all are read. */
  let told: JobEventRow[] | null = [];
  let timer: NodeJS.Timeout | undefined;
  /** The burst before: it is told first. */
  let before = Promise.resolve();

  const read = async (): Promise<void> => {
    const ranges = [...open];
    const known = told;
    open = new Map();
    told = [];
    timer = undefined;
    if (stream.closed) return;
    try {
      const events = known ?? (await database.withStudio(studioId, (tx) => readListed(tx, studioId, ranges)));
      for (const event of events) {
        if (!stream.send({ event: event.type, data: eventView(event) })) await stream.drained();
      }
    } catch (error) {
      onError(error);
      stream.end();
    }
  };

  const stop = hub.onStudio(studioId, {
    job({ jobId, seq, event }) {
      if (jobId === null || seq === null) {
        // Something may have been missed: whoever listens connects again and reads the list anew.
        stream.end();
        return;
      }
      if (event && !LISTED.includes(event.type as JobEventType)) return;
      if (event) told?.push(event);
      else told = null;
      const range = open.get(jobId);
      open.set(jobId, range ? [Math.min(range[0], seq), Math.max(range[1], seq)] : [seq, seq]);
      timer ??= setTimeout(() => {
        before = before.then(read);
      }, GATHER_MS);
    },
  });
  stream.onClose(() => {
    clearTimeout(timer);
    stop();
  });
}

function readListed(tx: Tx, studioId: string, ranges: readonly [string, [number, number]][]): Promise<JobEventRow[]> {
  return tx
    .selectFrom('jobEvents')
    .selectAll()
    .where('studioId', '=', studioId)
    .where('type', 'in', LISTED)
    .where((where) =>
      where.or(
        ranges.map(([jobId, [first, last]]) =>
          where.and([where('jobId', '=', jobId), where('seq', '>=', first), where('seq', '<=', last)]),
        ),
      ),
    )
    .orderBy('jobId')
    .orderBy('seq')
    .execute();
}
