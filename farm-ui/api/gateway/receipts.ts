/** Receipts on their way to a node's signature and back. */
import { FarmError } from '../../../domain/errors.ts';
import { receiptTypedData } from '../../../domain/money/receipt.ts';
import { isSignedBy } from '../../../ports/chain/accounts.ts';
import { pendingForNode, pendingReceipt, storeNodeSignature } from '../../../ports/db/receipts.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { PendingReceipts } from '../../../ports/gateway/protocol.ts';
import type { ApiDeps } from '../deps.ts';

export async function pendingReceiptsOf({ database }: ApiDeps, node: NodeRow): Promise<PendingReceipts> {
  const pending = await database.singly((statements) => pendingForNode(statements, node.id));
  return {
    receipts: pending.map((receipt) => ({
      jobId: receipt.jobId,
      sequence: receipt.sequence,
      cumulative: String(receipt.cumulative),
      unitCount: receipt.unitCount,
      unitsRoot: receipt.unitsRoot,
      units: receipt.units.map(({ unitId, amount }) => ({ unitId, amount: String(amount) })),
      chainId: receipt.chainId,
      settlement: receipt.contract,
    })),
  };
}

/**
 * Keeps the node's signature once it is shown to be one.
 * @throws FarmError `NotFound` when no such receipt waits, `Forbidden` for a signature of somebody else
 */
export async function takeSignature(
  { database }: ApiDeps,
  node: NodeRow,
  { jobId, sequence, signature }: { jobId: string; sequence: number; signature: string },
): Promise<void> {
  const key = { nodeId: node.id, jobId, sequence };
  const receipt = await database.singly((statements) => pendingReceipt(statements, key));
  if (!receipt) throw new FarmError('NotFound', 'No such receipt waits for this node.', { job: jobId, sequence });
  const { chainId, contract, cumulative, unitsRoot, unitCount } = receipt;
  const typed = receiptTypedData(
    { chainId, settlement: contract },
    { jobId, node: node.account, sequence, cumulative, unitsRoot, unitCount },
  );
  if (!isSignedBy(node.account, typed, signature)) {
    throw new FarmError('Forbidden', "The receipt is not signed with the node's key.", { job: jobId, sequence });
  }
  await database.singly((statements) => storeNodeSignature(statements, { ...key, signature }));
}
