/** The activities of settle, as the settle worker registers them. It runs one at a time: nonces are given out in order. */
import { asActivities } from '../failure.ts';
import type { JobKey } from '../services.ts';
import { claimPayouts } from './claimPayouts.ts';
import { closeReceipts } from './closeReceipts.ts';
import { fundEscrow, type TopUpInput, topUp } from './fundEscrow.ts';
import { issueInvoice } from './issueInvoice.ts';
import { postBatch } from './postBatch.ts';
import { reconcile } from './reconcile.ts';
import { refundEscrow } from './refundEscrow.ts';
import type { SettleServices } from './services.ts';

export type SettleActivities = ReturnType<typeof createSettleActivities>;

export const createSettleActivities = (services: SettleServices) =>
  asActivities({
    fundEscrow: (job: JobKey) => fundEscrow(services, job),
    topUp: (input: TopUpInput) => topUp(services, input),
    closeReceipts: (job: JobKey) => closeReceipts(services, job),
    issueInvoice: (job: JobKey) => issueInvoice(services, job),
    postBatch: (job: JobKey) => postBatch(services, job),
    claimPayouts: (job: JobKey) => claimPayouts(services, job),
    refundEscrow: (job: JobKey) => refundEscrow(services, job),
    reconcile: (job: JobKey) => reconcile(services, job),
  });
