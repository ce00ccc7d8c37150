/** What has reached the studio, as it says itself: by unit, with the hash of what lies on its disk or in its bucket. */
import { sql } from 'kysely';
import { deliverableOf, deliveryAfter, deliveryAtEnd } from '../../domain/delivery.ts';
import { FarmError } from '../../domain/errors.ts';
import { assertDeliveryTransition, isFinalJob } from '../../domain/statuses.ts';
import type { Tx } from './client.ts';
import { appendEventWith } from './events.ts';
import { type LockedJob, lockJobState } from './locks.ts';

export interface Acknowledged {
  unitId: string;
  /** SHA-256 of the picture (EXR) as it arrived. */
  hash: string;
}

/** How far the delivery of a job is. */
export interface DeliveryState {
  status: LockedJob['delivery'];
  delivered: number;
  /** Units that there are to deliver. */
  of: number;
  /** When the last of them was acknowledged. */
  at: Date | null;
  /** Whether its workflow is still there to hear of it. */
  isOpen: boolean;
  /** Now it became `delivered`. */
  isNews: boolean;
}

/**
 * Writes down that the studio has these frames. Said again, nothing changes. All or none of them.
 * @throws FarmError `HashMismatch` for a hash that is not the frame's, `NotFound` for a unit that is not the job's or not
 * committed, `JobNotFound`
 */
export async function acknowledgeFrames(
  tx: Tx,
  { jobId, frames }: { jobId: string; frames: readonly Acknowledged[] },
): Promise<DeliveryState> {
  const job = await lockJobState(tx, jobId);
  const hashes = new Map(frames.map(({ unitId, hash }) => [unitId, hash]));
  const { rows } = await sql<{ id: string; frame: number; hash: string | null }>`
    SELECT u.id, u.frame, (SELECT a ->> 'hash' FROM jsonb_array_elements(u.artifacts) AS a WHERE a ->> 'kind' = 'exr') AS hash
    FROM units AS u WHERE u.studio_id = ${job.studioId} AND u.job_id = ${jobId} AND u.id = ANY (${[...hashes.keys()]}::uuid[]) AND u.status = 'committed'`.execute(
    tx,
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  for (const [unitId, hash] of hashes) {
    const unit = known.get(unitId);
    if (!unit) throw new FarmError('NotFound', `The job has no committed frame ${unitId}.`, { unit: unitId });
    if (unit.hash === hash) continue;
    const message = `Frame ${unit.frame} has the hash ${unit.hash}, not ${hash}.`;
    throw new FarmError('HashMismatch', message, { unit: unitId, frame: unit.frame, hash });
  }
  const { rows: added } = await sql`
    INSERT INTO deliveries (studio_id, unit_id, job_id)
    SELECT ${job.studioId}, unit_id, ${jobId} FROM unnest(${[...hashes.keys()]}::uuid[]) AS unit_id
    ON CONFLICT DO NOTHING RETURNING unit_id`.execute(tx);
  if (added.length === 0) return stateOf(job, false);
  const delivered = job.deliveredUnits + added.length;
  return setDelivery(tx, job, delivered, deliveryAfter(job, delivered));
}

/** Settles what a job that ends is to its studio. @param job locked, with its final status */
export async function closeDelivery(tx: Tx, job: LockedJob): Promise<void> {
  const status = deliveryAtEnd(job, job.deliveredUnits);
  if (status !== job.delivery) await setDelivery(tx, job, job.deliveredUnits, status);
}

async function setDelivery(
  tx: Tx,
  job: LockedJob,
  delivered: number,
  to: LockedJob['delivery'],
): Promise<DeliveryState> {
  const { studioId, id: jobId } = job;
  if (to !== job.delivery) assertDeliveryTransition(job.delivery, to);
  const deliveredAt = to === 'delivered' && !job.deliveredAt ? await now(tx) : job.deliveredAt;
  const changed = { ...job, delivery: to, deliveredUnits: delivered, deliveredAt };
  const state = stateOf(changed, to === 'delivered' && job.delivery !== 'delivered');
  const { status, of } = state;
  await appendEventWith(
    tx,
    { studioId, jobId, type: 'delivery.changed', data: { status, delivered, of } },
    { job: sql`, delivery = ${to}, delivered_units = ${delivered}, delivered_at = ${deliveredAt}` },
  );
  return state;
}

async function now(tx: Tx): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`SELECT now()`.execute(tx);
  return rows[0]!.now;
}

const stateOf = (job: LockedJob, isNews: boolean): DeliveryState => ({
  status: job.delivery,
  delivered: job.deliveredUnits,
  of: deliverableOf(job),
  at: job.deliveredAt,
  isOpen: job.acceptedAt !== null && !isFinalJob(job.status),
  isNews,
});
