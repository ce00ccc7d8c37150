/** Chain transactions: on record, signed, before they are sent, so that a killed process sends the same bytes again. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { Tx } from './client.ts';
import type { ChainTransactionRow } from './tables.ts';

export interface SignedInput {
  studioId: string;
  jobId: string | null;
  /** deposit, top-up, post-batch, claim, refund */
  kind: string;
  /** What makes it happen once, e.g. `deposit:<job>`. */
  reference: string;
  chainId: number;
  sender: string;
  nonce: number;
  hash: string;
  /** Signed bytes, hex. */
  raw: string;
}

/**
 * Records a signed transaction. When there is one for the reference already (and it has not failed or been replaced),
 * that one is answered and nothing is written: the caller sends the answer's `raw`, not its own.
 * @throws FarmError `ChainFailed` (retry with another nonce) when the sender's nonce is taken by another transaction
 */
export async function recordSigned(tx: Tx, input: SignedInput): Promise<ChainTransactionRow> {
  const recorded = await tx
    .insertInto('chainTransactions')
    .values(input)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (recorded) return recorded;
  const known = await findByReference(tx, input);
  if (known) return known;
  throw new FarmError('ChainFailed', `Nonce ${input.nonce} is taken.`, { sender: input.sender, nonce: input.nonce });
}

/** The transaction of a reference that counts, or null. Ask before signing. */
export async function findByReference(
  tx: Tx,
  { studioId, reference }: { studioId: string; reference: string },
): Promise<ChainTransactionRow | null> {
  const known = await tx
    .selectFrom('chainTransactions')
    .selectAll()
    .where('studioId', '=', studioId)
    .where('reference', '=', reference)
    .where('status', 'not in', ['failed', 'replaced'])
    .executeTakeFirst();
  return known ?? null;
}

type TransactionKey = Pick<ChainTransactionRow, 'studioId' | 'id'>;

async function mark(
  tx: Tx,
  { studioId, id }: TransactionKey,
  change: Partial<Pick<ChainTransactionRow, 'status' | 'blockNumber' | 'gasUsed'>>,
): Promise<void> {
  await tx.updateTable('chainTransactions').set(change).where('studioId', '=', studioId).where('id', '=', id).execute();
}

/** Handed to the chain; a confirmed one stays confirmed. */
export async function markSent(tx: Tx, { studioId, id }: TransactionKey): Promise<void> {
  await tx
    .updateTable('chainTransactions')
    .set({ status: 'sent' })
    .where('studioId', '=', studioId)
    .where('id', '=', id)
    .where('status', '=', 'signed')
    .execute();
}

/** In a block, and it did what it should. */
export async function markConfirmed(
  tx: Tx,
  { blockNumber, gasUsed, ...key }: TransactionKey & { blockNumber: number; gasUsed: number },
): Promise<void> {
  await mark(tx, key, { status: 'confirmed', blockNumber, gasUsed });
}

/** In a block and reverted, or never acceptable: its reference and nonce are free again. */
export async function markFailed(tx: Tx, key: TransactionKey): Promise<void> {
  await mark(tx, key, { status: 'failed' });
}

/** Another transaction took its nonce. */
export async function markReplaced(tx: Tx, key: TransactionKey): Promise<void> {
  await mark(tx, key, { status: 'replaced' });
}

/** Signed or sent and not yet confirmed, by nonce: what has to be sent (again) after a start. */
export async function openTransactions(tx: Tx, sender: string): Promise<ChainTransactionRow[]> {
  return tx
    .selectFrom('chainTransactions')
    .selectAll()
    .where(sql`lower(sender)`, '=', sender.toLowerCase())
    .where('status', 'in', ['signed', 'sent'])
    .orderBy('nonce')
    .execute();
}

/** The nonce after the highest on record for a sender, or 0. The chain may know a higher one: take the larger. */
export async function nextNonce(tx: Tx, { chainId, sender }: { chainId: number; sender: string }): Promise<number> {
  const { next } = await tx
    .selectFrom('chainTransactions')
    .select(sql<number>`coalesce(max(nonce) + 1, 0)`.as('next'))
    .where('chainId', '=', chainId)
    .where(sql`lower(sender)`, '=', sender.toLowerCase())
    .where('status', 'not in', ['failed', 'replaced'])
    .executeTakeFirstOrThrow();
  return next;
}
