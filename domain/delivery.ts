/** What a job's delivery is, by its counts; the allowed steps are in `statuses.ts`. */
import { type DeliveryStatus, isFinalJob, type JobStatus } from './statuses.ts';

/** A job as far as its delivery goes. */
export interface DeliverableJob {
  status: JobStatus;
  delivery: DeliveryStatus;
  /** Null: not known yet. */
  frameCount: number | null;
  /** Units with a receipt line. */
  committedUnits: number;
  /** Units from the frame cache. */
  cachedUnits: number;
}

/** Units that are there for the studio now. */
const committedOf = ({ committedUnits, cachedUnits }: DeliverableJob): number => committedUnits + cachedUnits;

/** Units that there are to deliver: all that are asked for, and once the job is over, those that came of it. */
export const deliverableOf = (job: DeliverableJob): number =>
  isFinalJob(job.status) ? committedOf(job) : (job.frameCount ?? committedOf(job));

/** What the delivery is once `delivered` units are acknowledged: the whole of a job that commits no more is `delivered`. */
export function deliveryAfter(job: DeliverableJob, delivered: number): DeliveryStatus {
  const commitsNoMore = isFinalJob(job.status) || committedOf(job) >= (job.frameCount ?? Infinity);
  return commitsNoMore && delivered >= committedOf(job) ? 'delivered' : job.delivery;
}

/**
 * What the delivery is when the job ends: `delivered`, or `overdue` where frames were awaited and not acknowledged; where there
 * are none, nothing is awaited any more.
 */
export function deliveryAtEnd(job: DeliverableJob, delivered: number): DeliveryStatus {
  const committed = committedOf(job);
  if (committed > 0 && delivered >= committed) return 'delivered';
  if (job.delivery !== 'awaited') return job.delivery;
  return committed > 0 ? 'overdue' : 'on-demand';
}
