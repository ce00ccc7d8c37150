/** Requests that carry an `Idempotency-Key` happen once, however often they are sent. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { Tx } from './client.ts';
import { json } from './documents.ts';

/** A request that began and never ended may be taken over after this long: its process is gone. */
const ABANDONED_AFTER_SECONDS = 60;

export type IdempotencyState = { state: 'new' } | { state: 'replay'; status: number; response: unknown };

export interface IdempotencyInput {
  studioId: string;
  key: string;
  /** SHA-256 of method, path and body. */
  requestHash: string;
}

/**
 * Begins a request: `new`: carry it out, then `complete` (in the same transaction, or a later one); `replay`: answer what
 * was answered. Of two at once with one key, the second waits until the first one's transaction ends.
 * @throws FarmError `IdempotencyConflict` when the key was used for another request, or that request is still running
 */
export async function begin(tx: Tx, { studioId, key, requestHash }: IdempotencyInput): Promise<IdempotencyState> {
  const inserted = await tx
    .insertInto('idempotencyKeys')
    .values({ studioId, key, requestHash })
    .onConflict((conflict) => conflict.columns(['studioId', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst();
  if (inserted) return { state: 'new' };
  const known = await tx
    .selectFrom('idempotencyKeys')
    .select(['requestHash', 'status', 'response'])
    .select(sql<boolean>`created_at < clock_timestamp() - make_interval(secs => ${ABANDONED_AFTER_SECONDS})`.as('old'))
    .where('studioId', '=', studioId)
    .where('key', '=', key)
    .forUpdate()
    .executeTakeFirst();
  // Given up between the two statements by whoever held it: start over.
  if (!known) return begin(tx, { studioId, key, requestHash });
  if (known.requestHash !== requestHash) {
    throw new FarmError('IdempotencyConflict', 'That Idempotency-Key was used for a different request.', { key });
  }
  if (known.status !== null) return { state: 'replay', status: known.status, response: known.response };
  if (!known.old) {
    throw new FarmError('IdempotencyConflict', 'The request with that Idempotency-Key is still running.', { key });
  }
  await tx
    .updateTable('idempotencyKeys')
    .set({ createdAt: sql<Date>`clock_timestamp()` })
    .where('studioId', '=', studioId)
    .where('key', '=', key)
    .execute();
  return { state: 'new' };
}

/** Keeps the answer for replays. */
export async function complete(
  tx: Tx,
  { studioId, key, status, response }: { studioId: string; key: string; status: number; response: unknown },
): Promise<void> {
  await tx
    .updateTable('idempotencyKeys')
    .set({ status, response: json(response ?? null) })
    .where('studioId', '=', studioId)
    .where('key', '=', key)
    .execute();
}

/** Forgets a request that failed and left nothing behind, so that the same key may try again. */
export async function abandon(tx: Tx, { studioId, key }: { studioId: string; key: string }): Promise<void> {
  await tx
    .deleteFrom('idempotencyKeys')
    .where('studioId', '=', studioId)
    .where('key', '=', key)
    .where('status', 'is', null)
    .execute();
}
