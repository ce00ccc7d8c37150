/** The chain through ethers. */
import { type BytesLike, Contract, Interface, type JsonRpcProvider, Signature, Wallet } from 'ethers';
import { FarmError } from '../../domain/errors.ts';
import { chainId32 } from '../../domain/money/chainIds.ts';
import { type PayoutLeaf, payoutTree } from '../../domain/money/merkle.ts';
import { quoteMessage } from '../../domain/money/quote.ts';
import { receiptMessage } from '../../domain/money/receipt.ts';
import { artifact } from './artifacts.ts';
import type { Chain, Deployment, DepositTerms, EscrowJob, NodeAccount, PostedBatch, SendOptions } from './chain.ts';
import { onChain } from './chainErrors.ts';
import { readEvents } from './chainEvents.ts';
import { requireDeployed } from './deployment.ts';
import { openProvider } from './provider.ts';
import { broadcast, prepare, waitFor } from './transactions.ts';

/** How long a permit stands; it is used in the transaction that carries it. */
const PERMIT_SECONDS = 3600n;

/**
 * Connects to the contracts of a deployment.
 * @throws FarmError `ChainFailed` when nobody answers, `ChainMismatch` on another chain or without the contracts there
 */
export async function connectChain(rpcUrl: string, deployment: Deployment): Promise<Chain> {
  const provider = await openProvider(rpcUrl);
  try {
    await requireDeployed(provider, deployment);
  } catch (error) {
    provider.destroy();
    throw error;
  }
  return new EthersChain(provider, deployment);
}

class EthersChain implements Chain {
  readonly deployment: Deployment;
  readonly #provider: JsonRpcProvider;
  readonly #token: Contract;
  readonly #escrow: Contract;
  readonly #settlement: Contract;

  constructor(provider: JsonRpcProvider, deployment: Deployment) {
    this.deployment = deployment;
    this.#provider = provider;
    this.#token = new Contract(deployment.token, new Interface(artifact('CMPToken').abi), provider);
    this.#escrow = new Contract(deployment.escrow, new Interface(artifact('JobEscrow').abi), provider);
    this.#settlement = new Contract(deployment.settlement, new Interface(artifact('Settlement').abi), provider);
  }

  blockNumber(): Promise<number> {
    return onChain('Reading the newest block', () => this.#provider.getBlockNumber());
  }

  async time(): Promise<number> {
    const block = await onChain('Reading the newest block', () => this.#provider.getBlock('latest'));
    if (!block) throw new FarmError('ChainFailed', 'The chain has no blocks.');
    return block.timestamp;
  }

  balanceOf(account: string): Promise<bigint> {
    return onChain('Reading a balance', () => this.#token.balanceOf!(account));
  }

  async job(jobId: string): Promise<EscrowJob | null> {
    const id = chainId32(jobId);
    try {
      const [job, refundOpensAt] = await onChain('Reading an escrow', () =>
        Promise.all([this.#escrow.getJob!(id), this.#escrow.refundOpensAt!(id)]),
      );
      const { studio, sessionKey, deposited, spent, refunded, frozen, maxUncountersigned, expiry } = job;
      return {
        ...{ studio, sessionKey, deposited, spent, refunded, frozen, maxUncountersigned },
        free: BigInt(deposited) - BigInt(spent) - BigInt(refunded) - BigInt(frozen),
        expiresAt: Number(expiry),
        refundOpensAt: Number(refundOpensAt),
      };
    } catch (error) {
      if (error instanceof FarmError && error.place.error === 'JobUnknown') return null;
      throw error;
    }
  }

  async batch(jobId: string): Promise<PostedBatch | null> {
    const batch = await onChain('Reading a batch', () => this.#settlement.getBatch!(chainId32(jobId)));
    if (batch.finalAt === 0n) return null;
    const { linesRoot, payoutRoot, total, countersigned, contested } = batch;
    const [lineCount, finalAt] = [Number(batch.lineCount), Number(batch.finalAt)];
    return { linesRoot, payoutRoot, total, lineCount, countersigned, contested, finalAt };
  }

  async nodeAccount(jobId: string, node: string): Promise<NodeAccount> {
    const account = await onChain('Reading an account', () => this.#settlement.getAccount!(chainId32(jobId), node));
    return { paid: account.paid, sequence: Number(account.sequence), claimed: account.claimed };
  }

  verifyLine: Chain['verifyLine'] = ({ jobId, index, node, amount, unitsRoot, salt }, proof) =>
    onChain('Checking an invoice line', () =>
      this.#settlement.verifyLine!(chainId32(jobId), index, node, amount, unitsRoot, salt, [...proof]),
    );

  events: Chain['events'] = (fromBlock, toBlock) =>
    readEvents(this.#provider, [this.#escrow, this.#settlement], fromBlock, toBlock);

  prepareTransfer: Chain['prepareTransfer'] = (key, to, amount, options) =>
    this.#prepare('Transferring CMP', key, this.#token, 'transfer', [to, amount], options);

  prepareDeposit: Chain['prepareDeposit'] = async (key, terms: DepositTerms, options) => {
    const doing = 'Depositing the cap';
    await this.#requireFunds(key, terms.amount, doing);
    const { amount, sessionKey, maxUncountersigned, expiresAt: expiry } = terms;
    const permit = await this.#permit(key, amount);
    const values = { amount, sessionKey, maxUncountersigned, expiry };
    const args = [quoteMessage(terms.quote), terms.quoteSignature, values, ...permit];
    return this.#prepare(doing, key, this.#escrow, 'depositWithPermit', args, options);
  };

  prepareTopUp: Chain['prepareTopUp'] = async (key, jobId, amount, options) => {
    const doing = 'Raising the cap';
    await this.#requireFunds(key, amount, doing);
    const args = [chainId32(jobId), amount, ...(await this.#permit(key, amount))];
    return this.#prepare(doing, key, this.#escrow, 'topUpWithPermit', args, options);
  };

  prepareExtend: Chain['prepareExtend'] = (key, jobId, expiresAt, options) =>
    this.#prepare('Extending the escrow', key, this.#escrow, 'extend', [chainId32(jobId), expiresAt], options);

  prepareBatch: Chain['prepareBatch'] = (key, batch, countersignature, options) => {
    const { jobId, linesRoot, total, lineCount, payouts } = batch;
    const args = [chainId32(jobId), linesRoot, total, lineCount, payouts, countersignature ?? '0x'];
    return this.#prepare('Posting the batch', key, this.#settlement, 'postBatch', args, options);
  };

  prepareContest: Chain['prepareContest'] = (key, jobId, options) =>
    this.#prepare('Contesting the batch', key, this.#settlement, 'contest', [chainId32(jobId)], options);

  prepareClaim: Chain['prepareClaim'] = async (key, jobId, node, options) => {
    const leaves = await this.#payouts(jobId);
    const index = leaves.findIndex((leaf) => leaf.node.toLowerCase() === node.toLowerCase());
    const leaf = leaves[index];
    if (!leaf) {
      throw new FarmError('ChainMismatch', `The batch of job ${jobId} gives nothing to ${node}.`, { job: jobId, node });
    }
    const proof = payoutTree(leaves).proofs[index]!;
    const args = [chainId32(jobId), leaf.node, leaf.before, leaf.total, proof];
    return this.#prepare('Claiming a payout', key, this.#settlement, 'claim', args, options);
  };

  prepareRedeem: Chain['prepareRedeem'] = (key, receipt, signatures, options) => {
    const args = [receiptMessage(receipt), signatures.node, signatures.session];
    return this.#prepare('Redeeming a receipt', key, this.#settlement, 'redeem', args, options);
  };

  prepareRefund: Chain['prepareRefund'] = (key, jobId, options) =>
    this.#prepare('Refunding the studio', key, this.#escrow, 'refund', [chainId32(jobId)], options);

  prepareWithdrawFees: Chain['prepareWithdrawFees'] = (key, options) =>
    this.#prepare('Withdrawing fees', key, this.#escrow, 'withdrawFees', [], options);

  broadcast: Chain['broadcast'] = (raw) => broadcast(this.#provider, raw);

  waitFor: Chain['waitFor'] = (hash, options) => waitFor(this.#provider, hash, options);

  close(): void {
    this.#provider.destroy();
  }

  #prepare(doing: string, key: string, contract: Contract, method: string, args: unknown[], options?: SendOptions) {
    const data = contract.interface.encodeFunctionData(method, args);
    return prepare(this.#provider, key, { to: contract.target as string, data }, doing, options);
  }

  /** The permit's failure would hide behind the transfer's, so missing money is named first. */
  async #requireFunds(key: string, amount: bigint, doing: string): Promise<void> {
    const { address } = new Wallet(key);
    const balance = await this.balanceOf(address);
    if (balance < amount) {
      const place = { account: address, balance: balance.toString(), wanted: amount.toString() };
      throw new FarmError('FundsMissing', `${doing}: ${address} holds too little CMP.`, place);
    }
  }

  /** An ERC-2612 permit for the escrow: [deadline, v, r, s]. */
  async #permit(key: string, value: bigint): Promise<[bigint, number, BytesLike, BytesLike]> {
    const wallet = new Wallet(key);
    const deadline = BigInt(await this.time()) + PERMIT_SECONDS;
    const nonce = await onChain('Reading a permit nonce', () => this.#token.nonces!(wallet.address));
    const [name, version, chainId] = ['Framewright CMP', '1', this.deployment.chainId];
    const signed = await wallet.signTypedData(
      { name, version, chainId, verifyingContract: this.deployment.token },
      {
        Permit: [
          { name: 'owner', type: 'address' },
          { name: 'spender', type: 'address' },
          { name: 'value', type: 'uint256' },
          { name: 'nonce', type: 'uint256' },
          { name: 'deadline', type: 'uint256' },
        ],
      },
      { owner: wallet.address, spender: this.deployment.escrow, value, nonce, deadline },
    );
    const { v, r, s } = Signature.from(signed);
    return [deadline, v, r, s];
  }

  /** The leaves of the standing batch, in the contract's order: the `Allotted` events of the transaction that posted it. */
  async #payouts(jobId: string): Promise<PayoutLeaf[]> {
    const job = chainId32(jobId);
    const { filters } = this.#settlement;
    const from = this.deployment.blockNumber;
    const [posted, allotted] = await onChain('Reading a batch', () =>
      Promise.all([
        this.#settlement.queryFilter(filters.BatchPosted!(job), from),
        this.#settlement.queryFilter(filters.Allotted!(job), from),
      ]),
    );
    const transaction = posted.at(-1)?.transactionHash;
    return allotted
      .filter((log) => log.transactionHash === transaction)
      .map((log) => {
        const [, node, before, total] = this.#settlement.interface.decodeEventLog('Allotted', log.data, log.topics);
        return { jobId, node, before, total };
      });
  }
}
