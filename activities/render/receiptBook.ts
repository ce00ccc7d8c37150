/** Writes receipts while a job renders: what each node has earned so far, countersigned for the studio. */

import { receiptUnitsRoot } from '../../domain/money/merkle.ts';
import { receiptTypedData } from '../../domain/money/receipt.ts';
import type { Policy } from '../../domain/policy.ts';
import { sessionAccount, signTyped } from '../../ports/chain/accounts.ts';
import type { Tx } from '../../ports/db/client.ts';
import { nextReceipt, storeSessionSignature } from '../../ports/db/receipts.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';

/** Which nodes of which jobs have earned something since their newest receipt, and when that was written. */
export class ReceiptBook {
  readonly #services: FarmServices;
  readonly #mnemonic: string;
  /** Key: job and node. */
  readonly #open = new Map<string, { job: JobKey; nodeId: string; writtenAt: number }>();

  constructor(services: FarmServices, mnemonic: string) {
    this.#services = services;
    this.#mnemonic = mnemonic;
  }

  /**
   * Takes note of nodes that were just paid, and writes the receipts that are due: `now` (a chunk has ended) all of the
   * job's, else those of nodes whose newest is older than the policy's interval.
   */
  async due(
    job: JobKey,
    paidNodes: readonly string[],
    { policy, now }: { policy: Policy; now: boolean },
  ): Promise<void> {
    const time = this.#services.clock.now().getTime();
    for (const nodeId of paidNodes) {
      const key = `${job.jobId}/${nodeId}`;
      if (!this.#open.has(key)) this.#open.set(key, { job, nodeId, writtenAt: time });
    }
    // Other keepers add to the map meanwhile.
    for (const [key, entry] of [...this.#open]) {
      const ripe = time - entry.writtenAt >= policy.receiptSeconds * 1000;
      if (entry.job.jobId !== job.jobId || !(now || ripe)) continue;
      if (!this.#open.delete(key)) continue;
      try {
        await inRecord(this.#services, (tx) => writeReceipt(tx, job, entry.nodeId, this.#mnemonic));
      } catch (error) {
        // Still due, at the next chance.
        if (!this.#open.has(key)) this.#open.set(key, entry);
        throw error;
      }
    }
  }
}

/**
 * Writes the next receipt of a (job, node), signed by the studio's session key where the farm keeps it; nothing when the
 * newest covers all. The node signs when it next asks. Safe to repeat.
 */
export async function writeReceipt(
  tx: Tx,
  { studioId, jobId }: JobKey,
  nodeId: string,
  mnemonic: string,
): Promise<void> {
  const computeRoot = (units: { unitId: string; amount: bigint }[]) => receiptUnitsRoot(units);
  const receipt = await nextReceipt(tx, { jobId, nodeId, computeRoot });
  if (!receipt) return;
  const studio = await tx.selectFrom('studios').select('keyIndex').where('id', '=', studioId).executeTakeFirstOrThrow();
  if (studio.keyIndex === null) return;
  const { account: node } = await tx
    .selectFrom('nodes')
    .select('account')
    .where('id', '=', nodeId)
    .executeTakeFirstOrThrow();
  const { sequence, cumulative, unitsRoot, unitCount, chainId, contract } = receipt;
  const data = receiptTypedData(
    { chainId, settlement: contract },
    { jobId, node, sequence, cumulative, unitsRoot, unitCount },
  );
  const signature = await signTyped(sessionAccount(mnemonic, studio.keyIndex).key, data);
  await storeSessionSignature(tx, { jobId, nodeId, sequence, signature });
}
