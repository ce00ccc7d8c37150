/** What the activities of settle have beside the usual, and how they find a job's parties. */
import { FarmError } from '../../domain/errors.ts';
import type { InvoiceParty } from '../../domain/money/invoice.ts';
import { type Account, sessionAccount, studioAccount } from '../../ports/chain/accounts.ts';
import type { Chain } from '../../ports/chain/chain.ts';
import type { JobRow, StudioRow } from '../../ports/db/tables.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';

export interface SettleServices extends FarmServices {
  chain: Chain;
  /** BIP-39 phrase of the operator's key, and of the studios' keys that the farm keeps. */
  mnemonic: string;
  /** Who issues invoices; its account is the operator's. */
  seller: Pick<InvoiceParty, 'name' | 'address' | 'taxId'>;
}

/** A job and who pays for it. */
export interface JobParties {
  job: JobRow;
  studio: StudioRow;
  /** The account that deposits. */
  payer: Account;
  /** The key that countersigns. */
  session: Account;
}

/**
 * Reads them. @throws FarmError `JobNotFound`; `ChainMismatch` when the job belongs to other contracts than this worker's;
 * `FundsMissing` for a studio that signs by itself, whose deposits the farm cannot make
 */
export async function partiesOf(services: SettleServices, { studioId, jobId }: JobKey): Promise<JobParties> {
  const { job, studio } = await inRecord(services, async (tx) => ({
    job: await tx
      .selectFrom('jobs')
      .selectAll()
      .where('studioId', '=', studioId)
      .where('id', '=', jobId)
      .executeTakeFirst(),
    studio: await tx.selectFrom('studios').selectAll().where('id', '=', studioId).executeTakeFirst(),
  }));
  if (!job || !studio) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  const { chainId, settlement } = services.chain.deployment;
  if (job.chainId !== chainId || job.contract.toLowerCase() !== settlement.toLowerCase()) {
    const message = `The job settles at ${job.contract} on chain ${job.chainId}, this farm at ${settlement} on ${chainId}.`;
    throw new FarmError('ChainMismatch', message, { job: jobId });
  }
  if (studio.keyIndex === null) {
    throw new FarmError('FundsMissing', 'The studio keeps its own keys; it has to sign its deposits itself.', {
      account: studio.account,
    });
  }
  return {
    job,
    studio,
    payer: studioAccount(services.mnemonic, studio.keyIndex),
    session: sessionAccount(services.mnemonic, studio.keyIndex),
  };
}
