/** The studio's deposit of a job's cap, and what a raised cap adds to it. */
import { FarmError } from '../../domain/errors.ts';
import type { Quote } from '../../domain/money/quote.ts';
import type { EscrowJob } from '../../ports/chain/chain.ts';
import { raiseCap } from '../../ports/db/jobs.ts';
import { jobBalances } from '../../ports/db/ledger.ts';
import { lockJob } from '../../ports/db/locks.ts';
import { resumeIfAffordable } from '../../ports/db/money.ts';
import type { JobRow, QuoteRow } from '../../ports/db/tables.ts';
import { inRecord, type JobKey, policyOf } from '../services.ts';
import { postDeposits } from './books.ts';
import { sendOnce } from './sendOnce.ts';
import { partiesOf, type SettleServices } from './services.ts';

/** What a batch may take without the session key's signature: a tenth of the deposit. */
const UNCOUNTERSIGNED_SHARE = 10n;
const SECONDS_PER_DAY = 86_400;

/**
 * Deposits the cap of an accepted job on chain, by the studio's account with a permit, and posts it to the ledger. A job
 * with a cap of 0 (all its frames come from the frame cache) needs no escrow and gets none.
 * May be repeated.
 * @throws FarmError `FundsMissing`, `QuoteExpired`, `ChainFailed`, `ChainMismatch`
 */
export async function fundEscrow(services: SettleServices, key: JobKey): Promise<void> {
  const { job, payer, session, studio } = await partiesOf(services, key);
  const { deposited } = await inRecord(services, (tx) => jobBalances(tx, key.jobId));
  if (deposited > 0n || !needsEscrow(job)) return;
  const quote = await inRecord(services, (tx) =>
    tx
      .selectFrom('quotes')
      .selectAll()
      .where('studioId', '=', key.studioId)
      .where('jobId', '=', key.jobId)
      .executeTakeFirstOrThrow(),
  );
  const { chain } = services;
  await sendOnce(services, {
    ...key,
    kind: 'deposit',
    reference: `deposit:${key.jobId}`,
    sender: payer,
    prepare: async () =>
      chain.prepareDeposit(payer.key, {
        quote: signedQuote(quote, studio.account),
        quoteSignature: quote.signature!,
        amount: job.cap,
        sessionKey: session.address,
        maxUncountersigned: job.cap / UNCOUNTERSIGNED_SHARE,
        expiresAt: (await chain.time()) + Math.round(policyOf(services, job).escrowDays * SECONDS_PER_DAY),
      }),
  });
  const escrow = await escrowOf(services, key);
  await inRecord(services, (tx) => postDeposits(tx, key, escrow));
}

/** Whether money of a job goes through the chain at all. */
export const needsEscrow = ({ cap }: Pick<JobRow, 'cap'>): boolean => cap > 0n;

/** The quote exactly as the operator signed it. */
function signedQuote(quote: QuoteRow, studioAccount: string): Quote {
  return {
    jobId: quote.jobId,
    studio: studioAccount,
    price: quote.total,
    suggestedCap: quote.suggestedCap,
    pricePerFbh: quote.pricePerFbh,
    validUntil: quote.expiresAt.getTime() / 1000,
  };
}

export interface TopUpInput extends JobKey {
  /** The new cap, base units as a decimal string; null: the row holds it already. */
  cap: string | null;
}

/**
 * Deposits what a raised cap lacks in escrow; after that the job's row holds the cap, and a job paused for its budget goes on
 * when its next frame fits. Does nothing for a job that takes no frames any more. May be repeated.
 * @throws FarmError `FundsMissing`: the cap is then what is in escrow, or what is reserved and spent already if that is more
 */
export async function topUp(services: SettleServices, input: TopUpInput): Promise<void> {
  const { job, payer } = await partiesOf(services, input);
  if (job.status !== 'active' && job.status !== 'paused') return;
  const wanted = input.cap === null || BigInt(input.cap) < job.cap ? job.cap : BigInt(input.cap);
  const before = await escrowOf(services, input);
  if (wanted > before.deposited) {
    try {
      await sendOnce(services, {
        ...input,
        kind: 'top-up',
        reference: `top-up:${input.jobId}:${wanted}`,
        sender: payer,
        prepare: () => services.chain.prepareTopUp(payer.key, input.jobId, wanted - before.deposited),
      });
    } catch (error) {
      if (error instanceof FarmError && error.code === 'FundsMissing') await lowerCap(services, job, before);
      throw error;
    }
  }
  const escrow = await escrowOf(services, input);
  await inRecord(services, async (tx) => {
    const { cap, status } = await lockJob(tx, input.jobId);
    await postDeposits(tx, input, escrow);
    const running = status === 'active' || status === 'paused';
    if (running && wanted > cap) await raiseCap(tx, { jobId: input.jobId, cap: wanted });
    else await resumeIfAffordable(tx, input.jobId);
  });
}

/** A cap that was raised in the record before the money came goes back to what is in escrow. */
async function lowerCap(services: SettleServices, { studioId, id }: JobRow, escrow: EscrowJob): Promise<void> {
  await inRecord(services, async (tx) => {
    const { reserved, spent, cap } = await lockJob(tx, id);
    let covered = reserved + spent;
    if (escrow.deposited > covered) covered = escrow.deposited;
    if (covered >= cap) return;
    await tx.updateTable('jobs').set({ cap: covered }).where('studioId', '=', studioId).where('id', '=', id).execute();
  });
}

/** The escrow of a job that was funded. @throws FarmError `ChainMismatch` when the chain knows none */
export async function escrowOf(services: SettleServices, { jobId }: JobKey): Promise<EscrowJob> {
  const escrow = await services.chain.job(jobId);
  if (!escrow) throw new FarmError('ChainMismatch', `The chain holds no escrow of job ${jobId}.`, { job: jobId });
  return escrow;
}
