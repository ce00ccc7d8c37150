/** Gives the studio back what its job did not use. */
import { operatorAccount } from '../../ports/chain/accounts.ts';
import { setPaid } from '../../ports/db/invoices.ts';
import { inRecord, type JobKey } from '../services.ts';
import { postRefund } from './books.ts';
import { escrowOf, needsEscrow } from './fundEscrow.ts';
import { sendOnce } from './sendOnce.ts';
import { partiesOf, type SettleServices } from './services.ts';

/**
 * Refunds what is free in the job's escrow and posts it; the invoice is paid then. Answers in how many seconds the contract
 * allows it; 0 when it is done. May be repeated.
 */
export async function refundEscrow(services: SettleServices, key: JobKey): Promise<{ opensInSeconds: number }> {
  const { chain } = services;
  const { job } = await partiesOf(services, key);
  if (!needsEscrow(job)) return { opensInSeconds: 0 };
  const escrow = await escrowOf(services, key);
  if (escrow.free > 0n) {
    // The embedded chain makes blocks only when something happens, so its newest block may be older than now.
    const now = Math.max(await chain.time(), Math.floor(services.clock.now().getTime() / 1000));
    if (escrow.refundOpensAt > now) return { opensInSeconds: escrow.refundOpensAt - now };
    const operator = operatorAccount(services.mnemonic);
    await sendOnce(services, {
      ...key,
      kind: 'refund',
      reference: `refund:${key.jobId}:${escrow.refunded}`,
      sender: operator,
      prepare: () => chain.prepareRefund(operator.key, key.jobId),
    });
  }
  const after = await escrowOf(services, key);
  await inRecord(services, async (tx) => {
    await postRefund(tx, key, after);
    const invoice = await tx
      .selectFrom('invoices')
      .select('id')
      .where('studioId', '=', key.studioId)
      .where('jobId', '=', key.jobId)
      .executeTakeFirst();
    if (invoice) await setPaid(tx, { jobId: key.jobId });
  });
  return { opensInSeconds: 0 };
}
