/** Pays the nodes what the batch gives them. Anybody may call for it; the farm does, so that no node needs gas. */
import { operatorAccount } from '../../ports/chain/accounts.ts';
import { inRecord, type JobKey } from '../services.ts';
import { postPayout } from './books.ts';
import { batchOf, issuedInvoice } from './issuedInvoice.ts';
import { sendOnce } from './sendOnce.ts';
import type { SettleServices } from './services.ts';

/** One claim for each node, one journal for each claim. May be repeated. */
export async function claimPayouts(services: SettleServices, key: JobKey): Promise<void> {
  const { chain } = services;
  const issued = await inRecord(services, (tx) => issuedInvoice(tx, key));
  if (!issued) return;
  const operator = operatorAccount(services.mnemonic);
  const idOf = new Map(issued.lines.map(({ nodeAccount, nodeId }) => [nodeAccount.toLowerCase(), nodeId]));
  for (const { node, total } of batchOf(key.jobId, issued).payouts) {
    // The node itself may have been faster.
    const { claimed } = await chain.nodeAccount(key.jobId, node);
    if (!claimed) {
      await sendOnce(services, {
        ...key,
        kind: 'claim',
        reference: `claim:${key.jobId}:${node}`,
        sender: operator,
        prepare: () => chain.prepareClaim(operator.key, key.jobId, node),
      });
    }
    await inRecord(services, (tx) => postPayout(tx, key, idOf.get(node)!, total));
  }
}
