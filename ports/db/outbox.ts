/** What must reach Temporal: written in the transaction that decided it, carried out afterwards, at least once. */
import { sql } from 'kysely';
import type { Tx } from './client.ts';
import { json } from './documents.ts';
import { CHANNELS, notify } from './events.ts';
import type { OutboxRow } from './tables.ts';

export type OutboxTopic = 'start-workflow' | 'signal-workflow';

/** Payloads by topic. Workflows started or signalled twice must not mind: ids are fixed, signals say what is, not what to toggle. */
export interface OutboxPayload {
  'start-workflow': { workflow: string; workflowId: string; args: unknown[] };
  'signal-workflow': { workflowId: string; signal: string; args: unknown[] };
}

/** Writes an order, carried out once the transaction commits. */
export async function enqueue<T extends OutboxTopic>(
  tx: Tx,
  { studioId, topic, payload }: { studioId: string; topic: T; payload: OutboxPayload[T] },
): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({ studioId, topic, payload: json(payload) })
    .execute();
  await notify(tx, CHANNELS.outbox, '');
}

/**
 * Open orders, those that failed least first, then oldest first; locked until the transaction ends, so that several
 * workers share them (`SKIP LOCKED`). Carry them out and mark them within the same transaction.
 */
export async function takeOpen(tx: Tx, limit: number): Promise<OutboxRow[]> {
  return tx
    .selectFrom('outbox')
    .selectAll()
    .where('doneAt', 'is', null)
    .orderBy('attempts')
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
}

export async function markDone(tx: Tx, { studioId, id }: Pick<OutboxRow, 'studioId' | 'id'>): Promise<void> {
  await tx
    .updateTable('outbox')
    .set((update) => ({ doneAt: sql<Date>`clock_timestamp()`, attempts: update('attempts', '+', 1), lastError: null }))
    .where('studioId', '=', studioId)
    .where('id', '=', id)
    .execute();
}

/** The order stays open and comes again after those that failed less often. */
export async function markFailed(
  tx: Tx,
  { studioId, id, error }: Pick<OutboxRow, 'studioId' | 'id'> & { error: string },
): Promise<void> {
  await tx
    .updateTable('outbox')
    .set((update) => ({ attempts: update('attempts', '+', 1), lastError: error }))
    .where('studioId', '=', studioId)
    .where('id', '=', id)
    .execute();
}
