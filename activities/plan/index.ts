/** The activities of plan, as the control worker registers them. */
import { asActivities } from '../failure.ts';
import type { FarmServices, JobKey } from '../services.ts';
import { planCalibration } from './calibration.ts';
import { makeQuote } from './makeQuote.ts';
import { openJob, planJob } from './planJob.ts';

/** What signs quotes. */
export interface PlanServices extends FarmServices {
  /** BIP-39 phrase of the operator's key. */
  mnemonic: string;
}

export type PlanActivities = ReturnType<typeof createPlanActivities>;

export const createPlanActivities = (services: PlanServices) =>
  asActivities({
    planCalibration: (job: JobKey) => planCalibration(services, job),
    makeQuote: (job: JobKey) => makeQuote(services, job, services.mnemonic),
    openJob: (job: JobKey) => openJob(services, job),
    planJob: (job: JobKey) => planJob(services, job),
  });
