/** The append-only log of each job: numbered without gaps under the job's lock, told to listeners when it commits. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { JobEventData, JobEventType } from '../../domain/events.ts';
import type { Tx } from './client.ts';
import { json } from './documents.ts';
import type { JobEventRow } from './tables.ts';

/**
 * NOTIFY channels. Payloads: `job` is `studioId:jobId:seq`; `transient` is JSON `{studioId, jobId, type, data}`; `chunk`
 * and `offer` are a chunk's id; `outbox` is empty; `sites` says nothing but that one changed; `receipt` is the id
 * of the node whose signature a receipt waits for. An empty payload means "look yourself".
 */
export const CHANNELS = {
  job: 'farm_job',
  transient: 'farm_transient',
  chunk: 'farm_chunk',
  offer: 'farm_offer',
  outbox: 'farm_outbox',
  receipt: 'farm_receipt',
  sites: 'farm_sites',
} as const;

export interface EventInput<T extends JobEventType = JobEventType> {
  studioId: string;
  jobId: string;
  type: T;
  data: JobEventData[T];
}

/**
 * Appends an event and answers its number.
 *
 * Invariant: numbers of a job run 1, 2, 3 … without a gap, and event n is visible only when all before it are, since the
 * number is taken from the job's row and its lock is kept to the end of the transaction.
 * @throws FarmError `JobNotFound`
 */
export async function appendEvent<T extends JobEventType>(
  tx: Tx,
  { studioId, jobId, type, data }: EventInput<T>,
): Promise<number> {
  const { rows } = await sql<{ seq: number }>`
    WITH numbered AS (
      UPDATE jobs SET event_seq = event_seq + 1 WHERE studio_id = ${studioId} AND id = ${jobId} RETURNING event_seq
    ), appended AS (
      INSERT INTO job_events (studio_id, job_id, seq, at, type, data)
      SELECT ${studioId}, ${jobId}, event_seq, clock_timestamp(), ${type}, ${json(data)}::jsonb FROM numbered
      RETURNING seq
    )
    SELECT seq, pg_notify(${CHANNELS.job}, ${`${studioId}:${jobId}:`}::text || seq) FROM appended`.execute(tx);
  const row = rows[0];
  if (!row) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return row.seq;
}

/** Appends many events of one type, in order, by the same rules, in two statements. */
export async function appendEvents<T extends JobEventType>(
  tx: Tx,
  { studioId, jobId, type, data }: { studioId: string; jobId: string; type: T; data: readonly JobEventData[T][] },
): Promise<void> {
  if (data.length === 0) return;
  const { rows } = await sql<{ seq: number }>`
    UPDATE jobs SET event_seq = event_seq + ${data.length} WHERE studio_id = ${studioId} AND id = ${jobId}
    RETURNING event_seq AS seq`.execute(tx);
  const last = rows[0]?.seq;
  if (last === undefined) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  await sql`
    INSERT INTO job_events (studio_id, job_id, seq, at, type, data)
    SELECT ${studioId}, ${jobId}, ${last - data.length}::bigint + e.place, clock_timestamp(), ${type}, e.data
    FROM jsonb_array_elements(${json(data)}::jsonb) WITH ORDINALITY AS e (data, place)`.execute(tx);
  // Listeners read on from where they are, so that the newest number tells of all.
  await notify(tx, CHANNELS.job, `${studioId}:${jobId}:${last}`);
}

/** Events of a job after number `after` (0 for all), in order. */
export async function readEvents(
  tx: Tx,
  { jobId, after, limit }: { jobId: string; after: number; limit: number },
): Promise<JobEventRow[]> {
  return tx
    .selectFrom('jobEvents')
    .selectAll()
    .where('studioId', '=', (job) => job.selectFrom('jobs').select('jobs.studioId').where('jobs.id', '=', jobId))
    .where('jobId', '=', jobId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** PostgreSQL refuses payloads of 8000 bytes and more. */
const LONGEST_PAYLOAD_BYTES = 7_900;

/** Tells listeners something that is not worth keeping (progress inside a unit). Too long a message is dropped. */
export async function notifyTransient<T extends JobEventType>(tx: Tx, event: EventInput<T>): Promise<void> {
  const payload = JSON.stringify(event);
  if (Buffer.byteLength(payload) > LONGEST_PAYLOAD_BYTES) return;
  await notify(tx, CHANNELS.transient, payload);
}

/** NOTIFY, delivered when the transaction commits. */
export async function notify(tx: Tx, channel: string, payload: string): Promise<void> {
  await sql`SELECT pg_notify(${channel}, ${payload})`.execute(tx);
}
