/** The connection to a chain's JSON-RPC endpoint. */
import { FetchRequest, JsonRpcProvider, Network } from 'ethers';
import { FarmError } from '../../domain/errors.ts';
import { onChain } from './chainErrors.ts';

/** Chain id of the embedded chain (anvil's); no real chain has it. */
export const EMBEDDED_CHAIN_ID = 31_337;

/**
 * Connects and asks for the chain id.
 * @throws FarmError `ChainFailed` when nobody answers
 */
export async function openProvider(rpcUrl: string): Promise<JsonRpcProvider> {
  const request = new FetchRequest(rpcUrl);
  request.timeout = 15_000;
  const probe = new JsonRpcProvider(request, undefined, { staticNetwork: true, cacheTimeout: -1 });
  try {
    const chainId = BigInt(
      await onChain(`Chain at ${rpcUrl}`, () =>
        probe._send({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }).then(firstResult),
      ),
    );
    // Answers must never be older than the question: no cache, no batches, no polling behind our back.
    return new JsonRpcProvider(request, Network.from(chainId), {
      staticNetwork: Network.from(chainId),
      cacheTimeout: -1,
      batchMaxCount: 1,
    });
  } finally {
    probe.destroy();
  }
}

function firstResult(answers: readonly object[]): string {
  const answer = answers[0] as { result?: string; error?: { message: string } } | undefined;
  if (!answer?.result) throw new Error(answer?.error?.message ?? 'no answer');
  return answer.result;
}

/**
 * Gives an account of the embedded chain enough to pay for gas, at least `wei`, out of thin air.
 * @throws FarmError `Forbidden` on any other chain
 */
export async function fundGas(rpcUrl: string, account: string, wei = 10n ** 18n): Promise<void> {
  const provider = await openProvider(rpcUrl);
  try {
    const { chainId } = await provider.getNetwork();
    if (chainId !== BigInt(EMBEDDED_CHAIN_ID)) {
      throw new FarmError('Forbidden', `Only the embedded chain gives gas money away, not chain ${chainId}.`);
    }
    await onChain('Gas money', async () => {
      if ((await provider.getBalance(account)) < wei) {
        await provider.send('anvil_setBalance', [account, `0x${wei.toString(16)}`]);
      }
    });
  } finally {
    provider.destroy();
  }
}
