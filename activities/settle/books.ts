/** Brings the ledger to what the chain says of a job's escrow. The chain is first; the ledger follows. */
import { jobFree, jobNode, move, nodePaid, WALLET } from '../../domain/money/accounts.ts';
import type { EscrowJob } from '../../ports/chain/chain.ts';
import type { Tx } from '../../ports/db/client.ts';
import { jobBalances, post } from '../../ports/db/ledger.ts';
import type { JobKey } from '../services.ts';

/** Posts what was deposited and is not in the ledger yet. The sum that is reached names the journal, so it happens once. */
export async function postDeposits(tx: Tx, { studioId, jobId }: JobKey, escrow: EscrowJob): Promise<void> {
  const { deposited } = await jobBalances(tx, jobId);
  const postings = move(WALLET, jobFree(jobId), escrow.deposited - deposited);
  await post(tx, { studioId, jobId, kind: 'deposit', reference: `${jobId}:${escrow.deposited}`, postings });
}

/** Posts a node's payout: all that it has earned in the job and not been paid yet. */
export async function postPayout(tx: Tx, { studioId, jobId }: JobKey, nodeId: string, paid: bigint): Promise<void> {
  const postings = move(jobNode(jobId, nodeId), nodePaid(nodeId), paid);
  await post(tx, { studioId, jobId, kind: 'payout', reference: `claim:${jobId}:${nodeId}`, postings });
}

/** Posts what went back to the studio and is not in the ledger yet. */
export async function postRefund(tx: Tx, { studioId, jobId }: JobKey, escrow: EscrowJob): Promise<void> {
  const { refunded } = await jobBalances(tx, jobId);
  const postings = move(jobFree(jobId), WALLET, escrow.refunded - refunded);
  await post(tx, { studioId, jobId, kind: 'refund', reference: `${jobId}:${escrow.refunded}`, postings });
}
