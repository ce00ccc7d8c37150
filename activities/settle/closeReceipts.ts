/** The last receipt of every node of a job: it covers all that the node has earned. */
import { nodesToPay } from '../../ports/db/receipts.ts';
import { writeReceipt } from '../render/receiptBook.ts';
import { inRecord, type JobKey } from '../services.ts';
import type { SettleServices } from './services.ts';

/** Writes what is missing, countersigned for the studio. Nodes sign when they next ask; nobody waits for them. */
export async function closeReceipts(services: SettleServices, key: JobKey): Promise<void> {
  const nodes = await inRecord(services, (tx) => nodesToPay(tx, key.jobId));
  for (const nodeId of nodes)
    await services.database.singly((record) => writeReceipt(record, key, nodeId, services.mnemonic));
}
