/**
 * What the farm needs of the chain. Every change is signed first and sent later: `prepare…` gives signed bytes that the
 * caller stores, `broadcast` sends them (again, if need be), `waitFor` says what became of them. A process killed anywhere
 * in between sends the same bytes again, so nothing happens twice.
 *
 * Amounts are base units. Errors: `FundsMissing` (no CMP or no gas money), `QuoteExpired`, `ChainFailed` (the chain does not
 * answer, or it is too early: a retry helps), `ChainMismatch` (the contracts refuse it; `place.error` names why).
 */
import type { Batch } from '../../domain/money/batch.ts';
import type { LineLeaf } from '../../domain/money/merkle.ts';
import type { Quote } from '../../domain/money/quote.ts';
import type { Receipt } from '../../domain/money/receipt.ts';

/** The contracts of one farm on one chain, as written into the deployment file. */
export interface Deployment {
  formatVersion: 1;
  chainId: number;
  token: string;
  escrow: string;
  settlement: string;
  tokenSymbol: string;
  tokenDecimals: number;
  /** Block of the first contract: no event of the farm is older. */
  blockNumber: number;
  /** Account that deployed and received the whole supply. */
  deployer: string;
  operator: string;
  treasury: string;
  challengeWindowSeconds: number;
  refundDelaySeconds: number;
  graceSeconds: number;
  feeBasisPoints: number;
}

/** A signed transaction that was not sent yet; store it, then `broadcast` it. */
export interface PreparedTransaction {
  chainId: number;
  sender: string;
  nonce: number;
  /** Known before it is sent. */
  hash: string;
  /** The signed bytes, hex. */
  raw: string;
}

/**
 * `sent`: the chain took it. `known`: the chain had it already. `replaced`: another transaction used its nonce, so it never
 * will be; prepare a new one.
 */
export type BroadcastOutcome = 'sent' | 'known' | 'replaced';

/** A transaction that succeeded. */
export interface Confirmation {
  hash: string;
  blockNumber: number;
  blockHash: string;
  gasUsed: bigint;
}

/** The escrow of a job. Times in Unix seconds. */
export interface EscrowJob {
  studio: string;
  sessionKey: string;
  deposited: bigint;
  spent: bigint;
  refunded: bigint;
  /** Promised to nodes by the batch and not paid yet. */
  frozen: bigint;
  /** What a refund would bring: deposited − spent − refunded − frozen. */
  free: bigint;
  maxUncountersigned: bigint;
  expiresAt: number;
  refundOpensAt: number;
}

/** The batch of a job as it stands on chain. */
export interface PostedBatch {
  linesRoot: string;
  payoutRoot: string;
  total: bigint;
  lineCount: number;
  countersigned: boolean;
  contested: boolean;
  /** Unix second from which it pays. */
  finalAt: number;
}

/** The accumulator of a (job, node). */
export interface NodeAccount {
  paid: bigint;
  /** Newest receipt redeemed; 0 for none. */
  sequence: number;
  /** Whether its share of the batch was claimed. */
  claimed: boolean;
}

/** What a studio agrees to with its deposit. */
export interface DepositTerms {
  quote: Quote;
  /** The operator's signature of `quoteTypedData`. */
  quoteSignature: string;
  /** The cap. */
  amount: bigint;
  /** Address of the studio's session key. */
  sessionKey: string;
  maxUncountersigned: bigint;
  /** Unix second after which no receipt counts. */
  expiresAt: number;
}

/** An event of the farm's contracts. `data` is plain JSON, integers as decimal strings. */
export interface ChainEvent {
  contract: string;
  name: string;
  data: Record<string, string | boolean>;
  blockNumber: number;
  blockHash: string;
  logIndex: number;
  transactionHash: string;
}

/** Choices of a transaction. */
export interface SendOptions {
  /** For a sender whose stored transactions were not all sent yet; else the chain's next. */
  nonce?: number;
}

/** A farm's contracts on a chain. Keys are private keys as hex; they stay in this process. */
export interface Chain {
  readonly deployment: Deployment;

  blockNumber(): Promise<number>;
  /** Unix second of the newest block; contracts go by it. */
  time(): Promise<number>;
  /** Base units of CMP of an account. */
  balanceOf(account: string): Promise<bigint>;
  /** Null where nothing was deposited. */
  job(jobId: string): Promise<EscrowJob | null>;
  /** Null where none was posted. */
  batch(jobId: string): Promise<PostedBatch | null>;
  nodeAccount(jobId: string, node: string): Promise<NodeAccount>;
  /** Whether an invoice line is proved by the batch on chain. */
  verifyLine(line: LineLeaf, proof: readonly string[]): Promise<boolean>;
  /** Events from one block to another, both included, in order. */
  events(fromBlock: number, toBlock?: number): Promise<ChainEvent[]>;

  prepareTransfer(key: string, to: string, amount: bigint, options?: SendOptions): Promise<PreparedTransaction>;
  /** By the studio, with a permit, in one transaction. */
  prepareDeposit(key: string, terms: DepositTerms, options?: SendOptions): Promise<PreparedTransaction>;
  /** Raises the cap by `amount`, with a permit of the payer. */
  prepareTopUp(key: string, jobId: string, amount: bigint, options?: SendOptions): Promise<PreparedTransaction>;
  /** Later expiry of a job, by its studio. */
  prepareExtend(key: string, jobId: string, expiresAt: number, options?: SendOptions): Promise<PreparedTransaction>;
  /** By the operator. Without the session key's signature of `batchTypedData` it waits out the challenge window. */
  prepareBatch(
    key: string,
    batch: Batch,
    countersignature: string | null,
    options?: SendOptions,
  ): Promise<PreparedTransaction>;
  /** By the studio or its session key: refuse an uncountersigned batch within its window. */
  prepareContest(key: string, jobId: string, options?: SendOptions): Promise<PreparedTransaction>;
  /** By anybody; pays `node` what the batch gives it. */
  prepareClaim(key: string, jobId: string, node: string, options?: SendOptions): Promise<PreparedTransaction>;
  /** By anybody; pays the receipt's node without the operator. */
  prepareRedeem(
    key: string,
    receipt: Receipt,
    signatures: { node: string; session: string },
    options?: SendOptions,
  ): Promise<PreparedTransaction>;
  /** By anybody; gives the studio back what is free. */
  prepareRefund(key: string, jobId: string, options?: SendOptions): Promise<PreparedTransaction>;
  /** By anybody; brings the operator's fees to the treasury. */
  prepareWithdrawFees(key: string, options?: SendOptions): Promise<PreparedTransaction>;

  broadcast(raw: string): Promise<BroadcastOutcome>;
  /**
   * Waits until a transaction is in a block with `confirmations` blocks, its own included.
   * @throws FarmError `ChainMismatch` when it was refused in its block, `ChainFailed` when it is in none after `timeoutMs`
   */
  waitFor(hash: string, options?: { confirmations?: number; timeoutMs?: number }): Promise<Confirmation>;
  close(): void;
}
