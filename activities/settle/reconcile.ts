/** The last look at a job's money. */
import { FarmError } from '../../domain/errors.ts';
import type { JobKey } from '../services.ts';
import { compareBooks, readBooks } from './compareBooks.ts';
import type { SettleServices } from './services.ts';

/** @throws FarmError `ChainMismatch` naming every difference between receipts, ledger, invoice and chain */
export async function reconcile(services: SettleServices, key: JobKey): Promise<void> {
  const checks = await compareBooks(services.chain, key.jobId, await readBooks(services.database, key));
  const wrong = checks.filter(({ ok }) => !ok);
  if (wrong.length === 0) return;
  const differences = wrong.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
  throw new FarmError('ChainMismatch', `The books of job ${key.jobId} differ. ${differences}.`, { job: key.jobId });
}
