/** Signs what the node has earned: only receipts that its own tally agrees with, and only ever larger ones. */
import type { Wallet } from 'ethers';
import type { Logger } from 'pino';
import { receiptUnitsRoot } from '../../domain/money/merkle.ts';
import { receiptTypedData } from '../../domain/money/receipt.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { PendingReceipts } from '../../ports/gateway/protocol.ts';
import { retrying } from '../../ports/retry.ts';
import type { Tally } from './tally.ts';

type PendingReceipt = PendingReceipts['receipts'][number];

/**
 * @returns number of receipts signed
 * @throws FarmError of the gateway; a receipt that is refused is logged and left unsigned
 */
export async function signPendingReceipts({
  gateway,
  identity,
  tally,
  log,
  signal,
}: {
  gateway: GatewayClient;
  identity: Wallet;
  tally: Tally;
  log: Logger;
  signal: AbortSignal;
}): Promise<number> {
  let signed = 0;
  const { receipts } = await retrying(() => gateway.receipts(signal), { signal, attempts: 5 });
  for (const receipt of receipts) {
    const objection = await objectionTo(receipt, tally);
    const place = { job: receipt.jobId, sequence: receipt.sequence };
    if (objection !== null) {
      log.error({ ...place, objection }, 'receipt not signed');
      continue;
    }
    const { jobId, sequence, chainId, settlement, unitsRoot, unitCount } = receipt;
    const cumulative = BigInt(receipt.cumulative);
    const typed = receiptTypedData(
      { chainId, settlement },
      { jobId, node: identity.address, sequence, cumulative, unitsRoot, unitCount },
    );
    const signature = await identity.signTypedData(typed.domain, typed.types, typed.message);
    // Kept before it is sent: a node never signs two receipts of one number with different sums.
    await tally.recordSigned(jobId, { sequence, cumulative, chainId, settlement });
    await retrying(() => gateway.signReceipt({ jobId, sequence, signature }, signal), { signal, attempts: 5 });
    log.info({ ...place, cumulative: receipt.cumulative, units: unitCount }, 'receipt signed');
    signed++;
  }
  return signed;
}

/** What is wrong with a receipt, or null. */
export async function objectionTo(receipt: PendingReceipt, tally: Tally): Promise<string | null> {
  const delivered = await tally.units(receipt.jobId);
  let sum = 0n;
  const seen = new Set<string>();
  for (const { unitId, amount } of receipt.units) {
    const price = delivered.get(unitId);
    if (price === undefined) return `unit ${unitId} was never delivered by this node`;
    if (price !== BigInt(amount)) return `unit ${unitId} was agreed at ${price}, the receipt says ${amount}`;
    if (seen.has(unitId)) return `unit ${unitId} is there twice`;
    seen.add(unitId);
    sum += price;
  }
  if (sum !== BigInt(receipt.cumulative)) return `the units sum to ${sum}, the receipt says ${receipt.cumulative}`;
  if (receipt.units.length !== receipt.unitCount) return 'the number of units is wrong';
  const units = receipt.units.map(({ unitId, amount }) => ({ unitId, amount: BigInt(amount) }));
  if (receiptUnitsRoot(units) !== receipt.unitsRoot) return 'the root is not the root of the units';
  const last = await tally.signed(receipt.jobId);
  if (last === null) return null;
  if (receipt.sequence < last.sequence || sum < last.cumulative) return 'an earlier receipt says more';
  if (receipt.sequence === last.sequence && sum !== last.cumulative) return 'another sum was signed under this number';
  if (receipt.chainId !== last.chainId || receipt.settlement !== last.settlement) return 'the deployment changed';
  return null;
}
