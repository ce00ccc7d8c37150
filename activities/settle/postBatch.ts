/** Brings the invoice's root and the nodes' shares on chain. */
import { batchTypedData } from '../../domain/money/batch.ts';
import { operatorAccount, signTyped } from '../../ports/chain/accounts.ts';
import { setPosted } from '../../ports/db/invoices.ts';
import { inRecord, type JobKey } from '../services.ts';
import { needsEscrow } from './fundEscrow.ts';
import { batchOf, issuedInvoice } from './issuedInvoice.ts';
import { sendOnce } from './sendOnce.ts';
import { partiesOf, type SettleServices } from './services.ts';

/**
 * Posts the job's one batch, countersigned by the studio's session key, so that it pays at once. A job in which nothing was
 * rendered posts an empty one, a job without escrow none. May be repeated.
 */
export async function postBatch(services: SettleServices, key: JobKey): Promise<void> {
  const { job, session } = await partiesOf(services, key);
  if (!needsEscrow(job)) return;
  const { chain } = services;
  const issued = await inRecord(services, (tx) => issuedInvoice(tx, key));
  const batch = batchOf(key.jobId, issued);
  const domain = { chainId: job.chainId, settlement: job.contract };
  const operator = operatorAccount(services.mnemonic);
  const hash = await sendOnce(services, {
    ...key,
    kind: 'post-batch',
    reference: `post-batch:${key.jobId}`,
    sender: operator,
    prepare: async () =>
      chain.prepareBatch(operator.key, batch, await signTyped(session.key, batchTypedData(domain, batch))),
  });
  if (issued) await inRecord(services, (tx) => setPosted(tx, { jobId: key.jobId, transactionHash: hash }));
}
