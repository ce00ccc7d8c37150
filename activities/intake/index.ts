/** The activities of intake, as the control worker registers them. */
import { asActivities } from '../failure.ts';
import type { FarmServices, JobKey } from '../services.ts';
import { inspectSubmission } from './inspectSubmission.ts';
import { beginIntake, purgeSubmission, reopenSubmission } from './submission.ts';

export type IntakeActivities = ReturnType<typeof createIntakeActivities>;

export const createIntakeActivities = (services: FarmServices) =>
  asActivities({
    beginIntake: (job: JobKey) => beginIntake(services, job),
    inspectSubmission: (job: JobKey) => inspectSubmission(services, job),
    purgeSubmission: (job: JobKey) => purgeSubmission(services, job),
    reopenSubmission: (input: Parameters<typeof reopenSubmission>[1]) => reopenSubmission(services, input),
  });
