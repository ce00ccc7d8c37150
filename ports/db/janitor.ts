/** What should not be: things whose keeper is gone. The janitor's worker decides what to do with each. */
import { sql } from 'kysely';
import type { JobStatus } from '../../domain/statuses.ts';
import type { Tx } from './client.ts';

export interface Orphans {
  /** Leases that have run out and nobody took back: `loseLease`. */
  expiredLeases: { studioId: string; jobId: string; chunkId: string; leaseNumber: number; nodeId: string }[];
  /** Quotes that nobody accepted in time: `transitionJob` to `expired`. */
  expiredQuotes: { studioId: string; jobId: string }[];
  /** Submissions whose sender went away: `purgeSubmission`. */
  staleSubmissions: { studioId: string; jobId: string; status: JobStatus }[];
  /** Jobs that must have a running workflow; whether they do, only Temporal knows. */
  runningJobs: { studioId: string; jobId: string; status: JobStatus }[];
  /** Jobs whose `reserved` differs from the prices of the units that hold a reservation: a defect, to be reported. */
  strayReservations: { studioId: string; jobId: string; reserved: bigint; held: bigint }[];
}

export interface OrphanAges {
  /** A lease must have run out for this long: its keeper comes first. Default 10 s. */
  leaseGraceMs?: number | undefined;
  /** A submission may be under way for this long. Default one day. */
  submissionMs?: number | undefined;
  /** A job accepted this recently may not have its workflow yet. Default 60 s. */
  startGraceMs?: number | undefined;
}

/** Finds what lost its keeper (transaction as the farm itself, `asService`). */
export async function findOrphans(
  tx: Tx,
  { leaseGraceMs = 10_000, submissionMs = 86_400_000, startGraceMs = 60_000 }: OrphanAges = {},
): Promise<Orphans> {
  const ago = (ms: number) => sql<Date>`clock_timestamp() - make_interval(secs => ${ms / 1000})`;
  const leases = await tx
    .selectFrom('chunks')
    .select(['studioId', 'jobId', 'id as chunkId', 'leaseNumber', 'nodeId'])
    .where('status', '=', 'leased')
    .where('leaseEndsAt', '<=', ago(leaseGraceMs))
    .orderBy('leaseEndsAt')
    .execute();
  const expiredQuotes = await tx
    .selectFrom('jobs as j')
    .innerJoin('quotes as q', (join) => join.onRef('q.studioId', '=', 'j.studioId').onRef('q.jobId', '=', 'j.id'))
    .select(['j.studioId', 'j.id as jobId'])
    .where('j.status', '=', 'quoted')
    .where('q.expiresAt', '<=', ago(0))
    .execute();
  const staleSubmissions = await tx
    .selectFrom('jobs')
    .select(['studioId', 'id as jobId', 'status'])
    .where('status', 'in', ['uploading', 'preparing'])
    .where('createdAt', '<=', ago(submissionMs))
    .execute();
  const runningJobs = await tx
    .selectFrom('jobs')
    .select(['studioId', 'id as jobId', 'status'])
    .where('status', 'in', ['active', 'paused', 'stopping'])
    .where('acceptedAt', '<=', ago(startGraceMs))
    .execute();
  const { rows: strayReservations } = await sql<Orphans['strayReservations'][number]>`
    SELECT j.studio_id, j.id AS job_id, j.reserved, coalesce(sum(u.price), 0)::numeric(78, 0) AS held
    FROM jobs AS j LEFT JOIN units AS u ON u.studio_id = j.studio_id AND u.job_id = j.id AND u.reserved
    WHERE j.status IN ('active', 'paused', 'stopping') OR j.reserved > 0
    GROUP BY j.studio_id, j.id
    HAVING j.reserved <> coalesce(sum(u.price), 0)`.execute(tx);
  const expiredLeases = leases.map((row) => ({ ...row, nodeId: row.nodeId as string }));
  return { expiredLeases, expiredQuotes, staleSubmissions, runningJobs, strayReservations };
}
