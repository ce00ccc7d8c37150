/** State machines of the things that have one, as tables that code, SQL (`infra/migrations`) and docs share. */
import { FarmError } from './errors.ts';

/** The six stages. The same words in workflows, tables, metrics, pages and tests. */
export const STAGES = ['intake', 'plan', 'render', 'verify', 'assemble', 'settle'] as const;
export type Stage = (typeof STAGES)[number];

export type JobStatus =
  | 'uploading'
  | 'preparing'
  | 'quoted'
  | 'active'
  | 'paused'
  | 'stopping'
  | 'completed'
  | 'cancelled'
  | 'failed'
  | 'expired';

/** `uploading` and `preparing` end either in a quote or in nothing: a refused submission is deleted. */
export const JOB_TRANSITIONS: Record<JobStatus, readonly JobStatus[]> = {
  uploading: ['preparing'],
  preparing: ['uploading', 'quoted'],
  quoted: ['active', 'expired', 'cancelled'],
  active: ['paused', 'stopping', 'completed', 'failed'],
  paused: ['active', 'stopping'],
  stopping: ['cancelled', 'failed'],
  completed: [],
  cancelled: [],
  failed: [],
  expired: [],
};

export type ChunkStatus = 'planned' | 'offered' | 'leased' | 'completed' | 'failed' | 'cancelled';

export const CHUNK_TRANSITIONS: Record<ChunkStatus, readonly ChunkStatus[]> = {
  planned: ['offered', 'cancelled'],
  offered: ['leased', 'planned', 'completed', 'failed', 'cancelled'],
  leased: ['offered', 'planned', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: ['offered'],
  cancelled: [],
};

export type UnitStatus =
  | 'planned'
  | 'offered'
  | 'leased'
  | 'uploaded'
  | 'verified'
  | 'committed'
  | 'failed'
  | 'cancelled';

/** Backward steps are lost leases and refused frames. */
export const UNIT_TRANSITIONS: Record<UnitStatus, readonly UnitStatus[]> = {
  planned: ['offered', 'cancelled'],
  offered: ['leased', 'planned', 'failed', 'cancelled'],
  leased: ['uploaded', 'offered', 'planned', 'failed', 'cancelled'],
  uploaded: ['verified', 'offered', 'planned', 'failed', 'cancelled'],
  verified: ['committed', 'offered', 'planned', 'failed', 'cancelled'],
  committed: [],
  failed: ['offered'],
  cancelled: [],
};

/**
 * Delivery to the studio, beside the job's own status. A studio that said at submit that it takes the frames is awaited, for a
 * while (`policy.deliveryWaitSeconds`); the others fetch what they like when they like. `delivered`: every committed frame of a
 * job that commits no more was acknowledged with its hash. `overdue`: the job ended before that. A job that ended without a frame
 * (declined, expired, nothing rendered) is awaited no longer.
 */
export type DeliveryStatus = 'on-demand' | 'awaited' | 'overdue' | 'delivered';

export const DELIVERY_TRANSITIONS: Record<DeliveryStatus, readonly DeliveryStatus[]> = {
  'on-demand': ['delivered'],
  awaited: ['delivered', 'overdue', 'on-demand'],
  overdue: ['delivered'],
  delivered: [],
};

export type NodeStatus = 'online' | 'offline' | 'draining' | 'left';
export type Role = 'artist' | 'td' | 'finance' | 'operator' | 'node';
export type PauseReason = 'user' | 'budget';
export type StopReason = 'cancel' | 'failure';

/** The job will not change any more. */
export const isFinalJob = (status: JobStatus): boolean => JOB_TRANSITIONS[status].length === 0;

/** Throws `JobStateConflict` when the table does not allow the step. */
export function assertJobTransition(from: JobStatus, to: JobStatus): void {
  if (JOB_TRANSITIONS[from].includes(to)) return;
  throw new FarmError('JobStateConflict', `A job that is ${from} cannot become ${to}.`, { from, to });
}

/** The same for the delivery. */
export function assertDeliveryTransition(from: DeliveryStatus, to: DeliveryStatus): void {
  if (DELIVERY_TRANSITIONS[from].includes(to)) return;
  throw new FarmError('JobStateConflict', `A delivery that is ${from} cannot become ${to}.`, { from, to });
}
