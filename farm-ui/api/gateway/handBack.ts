/** A lease that nobody works on, offered again. */
import { FarmError } from '../../../domain/errors.ts';
import type { Database } from '../../../ports/db/client.ts';
import { finishLease, type LeaseKey } from '../../../ports/db/lease.ts';

/** Hands a lease back for its node; one that ended in the meantime is left as it is. In a transaction of its own, which locks the job. */
export async function handBack(database: Database, lease: LeaseKey): Promise<void> {
  try {
    await database.asService((tx) => finishLease(tx, { ...lease, outcome: 'handed-back' }));
  } catch (error) {
    if (!(error instanceof FarmError && error.code === 'LeaseLost')) throw error;
  }
}
