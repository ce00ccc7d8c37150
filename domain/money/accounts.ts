/**
 * Names of the accounts of the ledger, and which journals move what between them. Every journal sums to zero.
 *
 * | kind    | from                     | to                     | when                                      |
 * |---------|--------------------------|------------------------|-------------------------------------------|
 * | deposit | `wallet`                 | `job:J:free`           | the escrow deposit (or top-up) is on chain |
 * | reserve | `job:J:free`             | `job:J:reserved`       | a node takes units                        |
 * | release | `job:J:reserved`         | `job:J:free`           | a lease is lost, a frame refused          |
 * | commit  | `job:J:reserved`         | `job:J:node:N`         | a unit is committed                       |
 * | payout  | `job:J:node:N`           | `node:N:paid`          | the node's claim is on chain              |
 * | refund  | `job:J:free`             | `wallet`               | unused escrow went back                   |
 *
 * So for every job, with the columns of its row: deposited = free + reserved + spent + refunded, where `spent` is what
 * its nodes earned (`job:J:node:*` plus what was paid out of it).
 */

/** The studio's own account on chain: outside the farm, so its balance here is minus what it has in the farm. */
export const WALLET = 'wallet';

/** Escrow of a job that nothing is reserved from. */
export const jobFree = (jobId: string): string => `job:${jobId}:free`;

/** Prices of units that are being worked on. */
export const jobReserved = (jobId: string): string => `job:${jobId}:reserved`;

/** Earned by a node with committed units of a job, not yet paid out. */
export const jobNode = (jobId: string, nodeId: string): string => `job:${jobId}:node:${nodeId}`;

/** Paid out to a node on chain. */
export const nodePaid = (nodeId: string): string => `node:${nodeId}:paid`;

/** Kinds of journals, as in `ledger_journals.kind`. */
export type JournalKind = 'deposit' | 'reserve' | 'release' | 'commit' | 'payout' | 'refund' | 'fee';

/** One side of a journal: base units, positive into the account, negative out of it. */
export interface Posting {
  account: string;
  amount: bigint;
}

/** Both sides of a move of `amount` base units. */
export const move = (from: string, to: string, amount: bigint): Posting[] => [
  { account: from, amount: -amount },
  { account: to, amount },
];
