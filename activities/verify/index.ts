/** The activities of verify, as the control worker registers them; single frames are verified where chunks are kept. */
import { asActivities } from '../failure.ts';
import type { FarmServices, JobKey } from '../services.ts';
import { verifyDelivery } from './verifyDelivery.ts';

export type VerifyActivities = ReturnType<typeof createVerifyActivities>;

export const createVerifyActivities = (services: FarmServices) =>
  asActivities({ verifyDelivery: (job: JobKey) => verifyDelivery(services, job) });
