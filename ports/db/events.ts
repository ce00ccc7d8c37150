/** The append-only log of each job: numbered without gaps under the job's lock, told to listeners when it commits. */
import { type RawBuilder, sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { JobEventData, JobEventType } from '../../domain/events.ts';
import type { Statements, Tx } from './client.ts';
import { json } from './documents.ts';
import type { JobEventRow } from './tables.ts';

/**
 * NOTIFY channels. Payloads: `job` is `studioId:jobId:seq`, and `:` with the event itself as JSON (`at`, `type`, `data`) where
 * there is room, so that listeners need not read it (`readJobPayload`); `transient` is JSON `{studioId, jobId, type, data}`; `chunk`
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

/** PostgreSQL refuses payloads of 8000 bytes and more. */
const LONGEST_PAYLOAD_BYTES = 7_900;
/** Beside it stand two ids and a number. */
const LONGEST_EVENT_BYTES = LONGEST_PAYLOAD_BYTES - 100;

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
export const appendEvent = <T extends JobEventType>(tx: Tx, event: EventInput<T>): Promise<number> =>
  appendEventWith(tx, event, {});

/** What happens in the statement that appends an event. */
interface Beside {
  /** Each a part of its own: `name AS (UPDATE …)`. None writes the job's row. */
  changes?: RawBuilder<unknown>[];
  /** Assignments to the job's row, each with a comma before it. */
  job?: RawBuilder<unknown>;
  /** Channel and payload of further notifications. */
  notices?: [string, string][];
}

/** Of the statement that appends an event: `seq`, and what was asked for beside it. */
type Appended<Answer> = { seq: number } & Answer;

/**
 * The same with other changes of rows under the caller's lock, all in one statement: none of them sees what another one does.
 * @throws FarmError `JobNotFound`
 */
export async function appendEventWith<T extends JobEventType>(
  tx: Tx,
  event: EventInput<T>,
  beside: Beside,
): Promise<number> {
  return (await appendEventAsking(tx, event, beside, sql``)).seq;
}

/** The same, and answers what rows were like before it. @param question columns of the answer, each with a comma before it */
export async function appendEventAsking<T extends JobEventType, Answer>(
  tx: Tx,
  { studioId, jobId, type, data }: EventInput<T>,
  { changes = [], job = sql``, notices = [] }: Beside,
  question: RawBuilder<Answer>,
): Promise<Appended<Answer>> {
  const before = changes.map((change) => sql`${change}, `);
  const told = notices.map(([channel, payload]) => sql`, pg_notify(${channel}, ${payload})`);
  const { rows } = await sql<Appended<Answer>>`
    WITH ${sql.join(before, sql``)} numbered AS (
      UPDATE jobs SET event_seq = event_seq + 1 ${job} WHERE studio_id = ${studioId} AND id = ${jobId} RETURNING event_seq
    ), appended AS (
      INSERT INTO job_events (studio_id, job_id, seq, at, type, data)
      SELECT ${studioId}, ${jobId}, event_seq, clock_timestamp(), ${type}, ${json(data)}::jsonb FROM numbered
      RETURNING seq, json_build_object('at', at, 'type', type, 'data', data)::text AS told
    )
    SELECT seq, pg_notify(${CHANNELS.job}, ${`${studioId}:${jobId}:`}::text || seq
      || CASE WHEN octet_length(told) < ${LONGEST_EVENT_BYTES}::int THEN ':' || told ELSE '' END) ${sql.join(told, sql``)} ${question}
    FROM appended`.execute(tx);
  const row = rows[0];
  if (!row) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  return row;
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

/** What a notification on the channel `job` says. */
export interface JobNotice {
  studioId: string;
  jobId: string;
  seq: number;
  /** The event, where it came along; parsed when it is asked for. */
  event(): JobEventRow | null;
}

/** @returns null for an empty payload: something may have been missed */
export function readJobPayload(payload: string): JobNotice | null {
  const [, studioId, jobId, seq, told] = /^([^:]+):([^:]+):(\d+)(?::(.*))?$/s.exec(payload) ?? [];
  if (studioId === undefined || jobId === undefined) return null;
  const key = { studioId, jobId, seq: Number(seq) };
  return {
    ...key,
    event() {
      if (told === undefined) return null;
      const { at, type, data } = JSON.parse(told) as { at: string; type: string; data: JobEventRow['data'] };
      return { ...key, at: new Date(at), type, data };
    },
  };
}

/** Tells listeners something that is not worth keeping (progress inside a unit). Too long a message is dropped. */
export async function notifyTransient<T extends JobEventType>(
  statements: Statements,
  event: EventInput<T>,
): Promise<void> {
  const payload = JSON.stringify(event);
  if (Buffer.byteLength(payload) > LONGEST_PAYLOAD_BYTES) return;
  await notify(statements, CHANNELS.transient, payload);
}

/** NOTIFY, delivered when the transaction commits. */
export async function notify(statements: Statements, channel: string, payload: string): Promise<void> {
  await sql`SELECT pg_notify(${channel}, ${payload})`.execute(statements);
}
