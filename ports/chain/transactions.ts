/** Signs transactions without sending them, sends stored ones, and waits for them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isError, type JsonRpcProvider, Transaction, type TransactionRequest, Wallet } from 'ethers';
import { FarmError } from '../../domain/errors.ts';
import type { BroadcastOutcome, Confirmation, PreparedTransaction, SendOptions } from './chain.ts';
import { chainError, onChain } from './chainErrors.ts';

/** Share that is added to the estimate of gas: storage may have changed until the transaction is in a block. */
const GAS_MARGIN_PERCENT = 30n;
const POLL_MS = 50;
const LONGEST_POLL_MS = 1000;

/**
 * Estimates, fills in and signs a transaction. What the contracts would refuse is refused here, before anything is stored.
 * @param doing first half of error messages
 */
export async function prepare(
  provider: JsonRpcProvider,
  key: string,
  request: { to: string | null; data: string },
  doing: string,
  options: SendOptions = {},
): Promise<PreparedTransaction> {
  const wallet = new Wallet(key);
  return onChain(doing, async () => {
    const gas = await provider.estimateGas({ ...request, from: wallet.address });
    const nonce = options.nonce ?? (await provider.getTransactionCount(wallet.address, 'pending'));
    const { maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
    const { chainId } = await provider.getNetwork();
    const gasLimit = (gas * (100n + GAS_MARGIN_PERCENT)) / 100n;
    const balance = await provider.getBalance(wallet.address);
    if (balance < gasLimit * (maxFeePerGas ?? 0n)) {
      throw new FarmError('FundsMissing', `${doing}: ${wallet.address} cannot pay for gas.`, {
        account: wallet.address,
      });
    }
    const filled: TransactionRequest = {
      ...{ ...request, type: 2, chainId, nonce, gasLimit },
      ...{ maxFeePerGas, maxPriorityFeePerGas },
    };
    const raw = await wallet.signTransaction(filled);
    const { hash } = Transaction.from(raw);
    return { chainId: Number(chainId), sender: wallet.address, nonce, hash: hash!, raw };
  });
}

/** Sends signed bytes; sending them again is harmless. */
export async function broadcast(provider: JsonRpcProvider, raw: string): Promise<BroadcastOutcome> {
  const { hash } = Transaction.from(raw);
  try {
    await provider.send('eth_sendRawTransaction', [raw]);
    return 'sent';
  } catch (error) {
    const known = await onChain('Sending a transaction', () => provider.getTransaction(hash!));
    if (known) return 'known';
    if (isError(error, 'NONCE_EXPIRED') || /nonce too low/i.test(messageOf(error))) return 'replaced';
    throw chainError('Sending a transaction', error);
  }
}

/** Waits for a transaction by its hash; see `Chain.waitFor`. */
export async function waitFor(
  provider: JsonRpcProvider,
  hash: string,
  { confirmations = 1, timeoutMs = 60_000 }: { confirmations?: number; timeoutMs?: number } = {},
): Promise<Confirmation> {
  const deadline = performance.now() + timeoutMs;
  for (let pause = POLL_MS; ; pause = Math.min(pause * 2, LONGEST_POLL_MS)) {
    const receipt = await onChain('Looking for a transaction', () => provider.getTransactionReceipt(hash));
    if (receipt?.status === 0) {
      throw new FarmError('ChainMismatch', `Transaction ${hash} was refused in block ${receipt.blockNumber}.`, {
        error: 'reverted',
        hash,
        block: receipt.blockNumber,
      });
    }
    if (receipt && (await isDeepEnough(provider, receipt.blockNumber, confirmations))) {
      const { blockNumber, blockHash, gasUsed } = receipt;
      return { hash, blockNumber, blockHash, gasUsed };
    }
    if (performance.now() + pause > deadline) {
      throw new FarmError('ChainFailed', `Transaction ${hash} is not confirmed after ${timeoutMs} ms.`, { hash });
    }
    await sleep(pause);
  }
}

async function isDeepEnough(provider: JsonRpcProvider, block: number, confirmations: number): Promise<boolean> {
  if (confirmations <= 1) return true;
  return (await onChain('Reading the newest block', () => provider.getBlockNumber())) - block + 1 >= confirmations;
}

const messageOf = (error: unknown): string => {
  const inner = (error as { error?: { message?: string } } | null)?.error?.message;
  return `${inner ?? ''} ${error instanceof Error ? error.message : ''}`;
};
