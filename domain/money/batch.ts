/** The one batch of a job: the invoice's root and what each node has earned, as posted on chain. */
import { FarmError } from '../errors.ts';
import { chainId32 } from './chainIds.ts';
import { type SigningDomain, type TypedData, typedData } from './typedData.ts';

/** What a node has earned in the job in all, earlier payments included. */
interface Payout {
  node: string;
  total: bigint;
}

/** One batch. Build it with `makeBatch`. */
export interface Batch {
  /** UUID of the job. */
  jobId: string;
  /** Merkle root of the invoice's lines; 32 zero bytes for an empty job. */
  linesRoot: string;
  lineCount: number;
  /** Sum of the payouts, base units. */
  total: bigint;
  /** Each node once, addresses rising. */
  payouts: Payout[];
}

/** Most nodes in one batch (the contract's `MAX_PAYOUTS`). */
const MAX_PAYOUTS = 1000;

/** Root of a batch without lines. */
export const EMPTY_ROOT = `0x${'0'.repeat(64)}`;

const TYPES = {
  Batch: [
    { name: 'job', type: 'bytes32' },
    { name: 'linesRoot', type: 'bytes32' },
    { name: 'total', type: 'uint128' },
    { name: 'lineCount', type: 'uint32' },
    { name: 'payouts', type: 'Payout[]' },
  ],
  Payout: [
    { name: 'node', type: 'address' },
    { name: 'total', type: 'uint128' },
  ],
};

/**
 * Adds up the invoice's lines by node, in the order that the contract asks for.
 * @param lines node address and base units of each invoice line
 * @throws FarmError `Internal` with more nodes than a batch can hold
 */
export function makeBatch(jobId: string, linesRoot: string, lines: readonly { node: string; amount: bigint }[]): Batch {
  const byNode = new Map<string, bigint>();
  for (const { node, amount } of lines) {
    const key = node.toLowerCase();
    byNode.set(key, (byNode.get(key) ?? 0n) + amount);
  }
  if (byNode.size > MAX_PAYOUTS) {
    throw new FarmError('Internal', `${byNode.size} nodes do not fit into one batch of ${MAX_PAYOUTS}.`, {
      job: jobId,
    });
  }
  const payouts = [...byNode].map(([node, total]) => ({ node, total }));
  payouts.sort((a, b) => (a.node < b.node ? -1 : 1));
  const total = payouts.reduce((sum, payout) => sum + payout.total, 0n);
  return { jobId, linesRoot, lineCount: lines.length, total, payouts };
}

/** What the studio's session key signs, so that the batch pays at once. */
export function batchTypedData(domain: SigningDomain, batch: Batch): TypedData {
  const { jobId, linesRoot, total, lineCount, payouts } = batch;
  const message = { job: chainId32(jobId), linesRoot, total, lineCount, payouts };
  return typedData(domain, TYPES, 'Batch', message);
}
