/**
 * A transaction that happens once, whatever is killed when: signed, stored, sent, awaited, written down. Each step finds
 * what the one before has left, so that all of it may simply be run again.
 */
import { FarmError } from '../../domain/errors.ts';
import type { Account } from '../../ports/chain/accounts.ts';
import type { PreparedTransaction } from '../../ports/chain/chain.ts';
import {
  findByReference,
  markConfirmed,
  markFailed,
  markReplaced,
  markSent,
  openTransactions,
  recordSigned,
} from '../../ports/db/chainTx.ts';
import type { ChainTransactionRow } from '../../ports/db/tables.ts';
import { inRecord, type JobKey } from '../services.ts';
import type { SettleServices } from './services.ts';

export interface TransactionOrder extends JobKey {
  kind: 'deposit' | 'top-up' | 'post-batch' | 'claim' | 'refund';
  /** What makes it happen once. */
  reference: string;
  sender: Account;
  prepare: () => Promise<PreparedTransaction>;
}

/** How often a nonce may be taken away by others before the activity ends and is tried again later. */
const REPLACEMENTS = 3;

/**
 * Answers the hash of the confirmed transaction.
 * @throws FarmError of `Chain`; `ChainMismatch` when the contracts refused it in its block, which is on record then
 */
export async function sendOnce(services: SettleServices, order: TransactionOrder): Promise<string> {
  const { chain } = services;
  for (let attempt = 0; attempt < REPLACEMENTS; attempt++) {
    const row = (await inRecord(services, (tx) => findByReference(tx, order))) ?? (await sign(services, order));
    const mark = { studioId: row.studioId, id: row.id };
    // A confirmed one is sent again too: a chain that lost its last blocks gets it back, any other one knows it.
    const outcome = await chain.broadcast(row.raw);
    if (outcome === 'replaced') {
      services.log.warn(
        { reference: order.reference, hash: row.hash },
        'nonce used by another transaction; signing again',
      );
      await inRecord(services, (tx) => markReplaced(tx, mark));
      continue;
    }
    if (row.status === 'signed') await inRecord(services, (tx) => markSent(tx, mark));
    try {
      const { hash, blockNumber, gasUsed } = await chain.waitFor(row.hash);
      await inRecord(services, (tx) => markConfirmed(tx, { ...mark, blockNumber, gasUsed: Number(gasUsed) }));
      return hash;
    } catch (error) {
      if (error instanceof FarmError && error.code === 'ChainMismatch')
        await inRecord(services, (tx) => markFailed(tx, mark));
      throw error;
    }
  }
  throw new FarmError('ChainFailed', `Others keep using the nonces of ${order.sender.address}.`, { kind: order.kind });
}

async function sign(services: SettleServices, order: TransactionOrder): Promise<ChainTransactionRow> {
  const { studioId, jobId, kind, reference } = order;
  // What this sender signed before goes first, or the chain would give its nonce away twice.
  const { address } = order.sender;
  for (const open of await inRecord(services, (tx) => openTransactions(tx, address))) {
    await services.chain.broadcast(open.raw);
  }
  const prepared = await order.prepare();
  return inRecord(services, (tx) => recordSigned(tx, { studioId, jobId, kind, reference, ...prepared }));
}
