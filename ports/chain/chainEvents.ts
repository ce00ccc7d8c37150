/** Events of the farm's contracts as plain data: they are enough to rebuild every balance. */
import type { Contract, JsonRpcProvider } from 'ethers';
import type { ChainEvent } from './chain.ts';
import { onChain } from './chainErrors.ts';

/** Public endpoints answer only so many blocks at once. */
const BLOCKS_A_QUERY = 2000;

/** Reads the events of some contracts, from block to block, both included, in the order in which they happened. */
export async function readEvents(
  provider: JsonRpcProvider,
  contracts: Contract[],
  fromBlock: number,
  toBlock?: number,
): Promise<ChainEvent[]> {
  const last = toBlock ?? (await onChain('Reading the newest block', () => provider.getBlockNumber()));
  const byAddress = new Map(contracts.map((contract) => [(contract.target as string).toLowerCase(), contract]));
  const events: ChainEvent[] = [];
  for (let first = fromBlock; first <= last; first += BLOCKS_A_QUERY) {
    const until = Math.min(first + BLOCKS_A_QUERY - 1, last);
    const logs = await onChain('Reading events', () =>
      provider.send('eth_getLogs', [
        { address: [...byAddress.keys()], fromBlock: quantity(first), toBlock: quantity(until) },
      ]),
    );
    for (const log of logs) {
      const parsed = byAddress.get(log.address.toLowerCase())?.interface.parseLog(log);
      if (!parsed) continue;
      const data: ChainEvent['data'] = {};
      for (const [index, input] of parsed.fragment.inputs.entries()) {
        const value: unknown = parsed.args[index];
        data[input.name] = typeof value === 'boolean' ? value : String(value);
      }
      events.push({
        contract: log.address,
        name: parsed.name,
        data,
        blockNumber: Number(log.blockNumber),
        blockHash: log.blockHash,
        logIndex: Number(log.logIndex),
        transactionHash: log.transactionHash,
      });
    }
  }
  return events;
}

const quantity = (value: number): string => `0x${value.toString(16)}`;
