/**
 * Receipts: what a node has earned in a job so far, signed by the node and by the studio's session key. Cumulative, so
 * only the newest matters; the node can redeem it on chain without anybody's help until the job's escrow expires.
 */
import { chainId32 } from './chainIds.ts';
import { type SigningDomain, type TypedData, typedData } from './typedData.ts';

/** One receipt of a (job, node). */
export interface Receipt {
  /** UUID of the job. */
  jobId: string;
  /** Address of the node's key; payouts go there. */
  node: string;
  /** Rises with every receipt of the pair, from 1. */
  sequence: number;
  /** Base units earned since the job began. */
  cumulative: bigint;
  /** `receiptUnitsRoot` of all units covered, hex. */
  unitsRoot: string;
  /** How many units it covers. */
  unitCount: number;
}

const TYPES = {
  Receipt: [
    { name: 'job', type: 'bytes32' },
    { name: 'node', type: 'address' },
    { name: 'sequence', type: 'uint64' },
    { name: 'cumulative', type: 'uint128' },
    { name: 'unitsRoot', type: 'bytes32' },
    { name: 'count', type: 'uint32' },
  ],
};

/** The receipt as the contract's `Receipt` struct. */
export function receiptMessage(receipt: Receipt): Record<string, unknown> {
  const { jobId, node, sequence, cumulative, unitsRoot, unitCount } = receipt;
  return { job: chainId32(jobId), node, sequence, cumulative, unitsRoot, count: unitCount };
}

/** What node and session key sign. */
export function receiptTypedData(domain: SigningDomain, receipt: Receipt): TypedData {
  return typedData(domain, TYPES, 'Receipt', receiptMessage(receipt));
}
