/** Writes receipts while a job renders: what each node has earned so far, countersigned for the studio. */

import { receiptUnitsRoot } from '../../domain/money/merkle.ts';
import { receiptTypedData } from '../../domain/money/receipt.ts';
import type { Policy } from '../../domain/policy.ts';
import { sessionAccount, signTyped } from '../../ports/chain/accounts.ts';
import type { Statements } from '../../ports/db/client.ts';
import { nextReceipt, type UnsignedReceipt } from '../../ports/db/receipts.ts';
import type { FarmServices, JobKey } from '../services.ts';

/** What a node has earned of a job since its newest receipt. */
interface Open {
  job: JobKey;
  nodeId: string;
  afterMs: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Which nodes of which jobs have earned something since their newest receipt. Each gets one so many seconds later at the
 * latest, or at once when a chunk ends. Close it.
 */
export class ReceiptBook {
  readonly #services: FarmServices;
  readonly #mnemonic: string;
  /** Key: job and node. */
  readonly #open = new Map<string, Open>();
  #closed = false;

  constructor(services: FarmServices, mnemonic: string) {
    this.#services = services;
    this.#mnemonic = mnemonic;
  }

  /** Takes note of nodes that were just paid. */
  earned(job: JobKey, nodes: readonly string[], { receiptSeconds }: Pick<Policy, 'receiptSeconds'>): void {
    for (const nodeId of nodes) this.#note({ job, nodeId, afterMs: receiptSeconds * 1000, timer: undefined });
  }

  /** Writes the receipts of these nodes that are open. Never throws: what fails is tried again by the clock. */
  async write(job: JobKey, nodes: readonly string[]): Promise<void> {
    for (const nodeId of nodes) {
      const open = this.#open.get(keyOf(job, nodeId));
      if (open) await this.#write(open);
    }
  }

  /** Writes nothing more by itself; what is open then is written when its job is settled, or when its node is paid again. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#open.values()) clearTimeout(timer);
  }

  #note(open: Open): void {
    const key = keyOf(open.job, open.nodeId);
    if (this.#closed || this.#open.has(key)) return;
    open.timer = setTimeout(() => void this.#write(open), open.afterMs).unref();
    this.#open.set(key, open);
  }

  async #write(open: Open): Promise<void> {
    const { job, nodeId } = open;
    clearTimeout(open.timer);
    // What is earned from now on is for the next one.
    this.#open.delete(keyOf(job, nodeId));
    try {
      await this.#services.database.singly((record) => writeReceipt(record, job, nodeId, this.#mnemonic));
    } catch (error) {
      this.#services.log.warn({ err: error, ...job, nodeId }, 'a receipt was not written; it is tried again');
      this.#note(open);
    }
  }
}

const keyOf = ({ jobId }: JobKey, nodeId: string): string => `${jobId}/${nodeId}`;

/**
 * Writes the next receipt of a (job, node), signed by the studio's session key where the farm keeps it; nothing when the
 * newest covers all. The node signs when it next asks. Safe to repeat.
 */
export async function writeReceipt(
  record: Statements,
  { jobId }: JobKey,
  nodeId: string,
  mnemonic: string,
): Promise<void> {
  const countersign = async (receipt: UnsignedReceipt): Promise<string | null> => {
    const { sequence, cumulative, unitsRoot, unitCount, chainId, contract, account, sessionKeyIndex } = receipt;
    if (sessionKeyIndex === null) return null;
    const data = receiptTypedData(
      { chainId, settlement: contract },
      { jobId, node: account, sequence, cumulative, unitsRoot, unitCount },
    );
    return signTyped(sessionAccount(mnemonic, sessionKeyIndex).key, data);
  };
  await nextReceipt(record, { jobId, nodeId, computeRoot: receiptUnitsRoot, countersign });
}
