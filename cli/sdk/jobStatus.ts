/** What a job's status says to whoever follows it. */
const FINAL: ReadonlySet<unknown> = new Set(['completed', 'cancelled', 'failed', 'expired']);

/** Such a job changes no more. @param status of a job, or of an event `job.changed` */
export const isFinalJob = (status: unknown): boolean => FINAL.has(status);
