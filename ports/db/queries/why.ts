/** Why a job waits: a reason for everything that keeps its next chunk from a node. */
import { sql } from 'kysely';
import { deliverableOf } from '../../../domain/delivery.ts';
import { FarmError } from '../../../domain/errors.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { failuresOf } from '../attempts.ts';
import type { Tx } from '../client.ts';
import type { JobRow } from '../tables.ts';
import { requireService } from './service.ts';

export interface WaitReason {
  code:
    | 'Uploading'
    | 'Preparing'
    | 'WaitsForAcceptance'
    | 'PausedByUser'
    | 'PausedForBudget'
    | 'Stopping'
    | 'Ended'
    | 'Planning'
    | 'NoNodeOnline'
    | 'NeedsNotMet'
    | 'SiteNotAvailable'
    | 'NodesBlocked'
    | 'AllAvoided'
    | 'NodesBusy'
    | 'ReadyForNode'
    | 'Rendering'
    | 'Verifying'
    | 'Finishing'
    | 'DeliveryAwaited';
  message: string;
  remedy: string;
}

/**
 * Reasons why a job is where it is, the most telling first; never empty. Asked with `asService`: what nodes do for others
 * counts, and nothing of it is told but that they are busy. The caller has checked that the job is the asker's.
 * @throws FarmError `JobNotFound`
 */
export async function whyWaiting(tx: Tx, jobId: string): Promise<WaitReason[]> {
  await requireService(tx, 'whyWaiting');
  const job = await tx.selectFrom('jobs').selectAll().where('id', '=', jobId).executeTakeFirst();
  if (!job) throw new FarmError('JobNotFound', `There is no job ${jobId}.`, { job: jobId });
  const byStatus = reasonOfStatus(job);
  if (byStatus && job.status !== 'preparing') return [byStatus];
  const reasons = await reasonsOfWork(tx, job);
  if (job.status === 'preparing')
    return reasons.length > 0 && reasons[0]?.code !== 'Planning' ? reasons : [byStatus as WaitReason];
  return reasons;
}

const reason = (code: WaitReason['code'], message: string, remedy = 'Nothing to do.'): WaitReason => ({
  code,
  message,
  remedy,
});

function reasonOfStatus(job: JobRow): WaitReason | null {
  switch (job.status) {
    case 'uploading':
      return reason('Uploading', 'The files are being uploaded.', 'Finish the upload, or submit again.');
    case 'preparing':
      return reason('Preparing', 'The scene is being inspected and calibrated.');
    case 'quoted':
      return reason('WaitsForAcceptance', 'The quote waits to be accepted.', 'Accept the quote before it expires.');
    case 'paused':
      return job.pauseReason === 'budget'
        ? reason(
            'PausedForBudget',
            'The next frame does not fit below the cap.',
            'Raise the cap of the job; it goes on from where it paused.',
          )
        : reason('PausedByUser', 'The job was paused.', 'Resume the job.');
    case 'stopping':
      return reason('Stopping', 'The job stops; what was committed is being settled.');
    case 'completed':
    case 'cancelled':
    case 'failed':
    case 'expired':
      return reason('Ended', `The job is ${job.status}.`);
    case 'active':
      return null;
  }
}

/** How the online nodes stand to the job's chunk that would be next. */
interface Fit {
  online: number;
  /** At a site that may take the job. */
  placed: number;
  meets: number;
  notBlocked: number;
  notAvoided: number;
  idle: number;
}

async function reasonsOfWork(tx: Tx, job: JobRow): Promise<WaitReason[]> {
  const { rows: chunks } = await sql<{ offered: number; leased: number; parked: number; total: number; open: number }>`
    SELECT count(*) FILTER (WHERE status = 'offered') AS offered, count(*) FILTER (WHERE status = 'leased') AS leased,
      count(*) FILTER (WHERE status = 'planned' AND lease_number > 0) AS parked, count(*) AS total,
      count(*) FILTER (WHERE status NOT IN ('completed', 'cancelled', 'failed')) AS open
    FROM chunks WHERE studio_id = ${job.studioId} AND job_id = ${job.id}`.execute(tx);
  const count = chunks[0] as (typeof chunks)[number];
  const reasons: WaitReason[] = [];
  if (count.offered > 0) reasons.push(fitReason(await fitOfNextChunk(tx, job), count.offered));
  if (count.leased > 0) {
    reasons.push(...(await silentStores(tx, job)));
    reasons.push(reason('Rendering', `Nodes work on ${count.leased} of its chunks.`));
  }
  if (count.parked > 0)
    reasons.push(reason('Verifying', `Delivered frames of ${count.parked} chunks are being verified.`));
  if (reasons.length > 0) return reasons;
  if (count.total === 0 || count.open > 0)
    return [reason('Planning', 'The job is being planned; nothing is on offer yet.')];
  if (job.stageSeconds.settle !== undefined && job.delivery === 'awaited') {
    const message = `The job is settled; the studio has acknowledged ${job.deliveredUnits} of ${deliverableOf(job)} frames.`;
    return [
      reason(
        'DeliveryAwaited',
        message,
        'Run "farm pull --wait" where the frames shall go; it goes on where it stopped.',
      ),
    ];
  }
  return [reason('Finishing', 'All chunks are done; the job is being assembled and settled.')];
}

/** Of each site whose store does not answer and whose nodes hold chunks of the job. */
async function silentStores(tx: Tx, job: JobRow): Promise<WaitReason[]> {
  const { rows } = await sql<{ name: string; chunks: number; seconds: number }>`
    SELECT s.name, count(*) AS chunks, extract(epoch FROM clock_timestamp() - s.store_silent_since)::int AS seconds
    FROM chunks AS c JOIN nodes AS n ON n.id = c.node_id JOIN sites AS s ON s.id = n.site_id
    WHERE c.studio_id = ${job.studioId} AND c.job_id = ${job.id} AND c.status = 'leased'
      AND s.store_silent_since IS NOT NULL GROUP BY s.id ORDER BY s.name`.execute(tx);
  return rows.map(({ name, chunks, seconds }) =>
    reason(
      'SiteNotAvailable',
      `The store of ${name} has not answered for ${seconds} s; its nodes hold ${chunks} of the chunks and cannot deliver.`,
      `Look at the store of ${name}. Unless it comes back, the chunks go elsewhere, as far as pins allow.`,
    ),
  );
}

async function fitOfNextChunk(tx: Tx, job: JobRow): Promise<Fit> {
  const limit = Number(job.policy.failuresPerNode ?? DEFAULT_POLICY.failuresPerNode);
  const { rows } = await sql<Fit>`
    WITH next AS (
      SELECT id, needs, avoid FROM chunks
      WHERE studio_id = ${job.studioId} AND job_id = ${job.id} AND status = 'offered' ORDER BY index LIMIT 1
    ), fit AS (
      SELECT meets(n.labels, next.needs) AND may_render(${JSON.stringify(job.placement)}::jsonb, n.site_id) AS meets,
        may_render(${JSON.stringify(job.placement)}::jsonb, n.site_id) AS placed, n.id <> ALL (next.avoid) AS fresh,
        ${failuresOf(sql`${job.id}`, sql`n.id`)} < ${limit}::int AS allowed,
        NOT EXISTS (SELECT FROM chunks AS c WHERE c.status = 'leased' AND c.node_id = n.id) AS idle
      FROM nodes AS n, next WHERE n.status = 'online'
    )
    SELECT count(*) AS online, count(*) FILTER (WHERE placed) AS placed, count(*) FILTER (WHERE meets) AS meets,
      count(*) FILTER (WHERE meets AND allowed) AS not_blocked,
      count(*) FILTER (WHERE meets AND allowed AND fresh) AS not_avoided,
      count(*) FILTER (WHERE meets AND allowed AND idle) AS idle
    FROM fit`.execute(tx);
  return rows[0] as Fit;
}

function fitReason(fit: Fit, offered: number): WaitReason {
  if (fit.online === 0) return reason('NoNodeOnline', 'No node is online.', 'Start a node ("farm node join").');
  if (fit.placed === 0) {
    return reason(
      'SiteNotAvailable',
      'No node is online at a site that may take the job: its sites drain, are lost, or have none.',
      'Look at the sites ("farm site list") and at what the job is pinned to ("farm job").',
    );
  }
  if (fit.meets === 0) {
    return reason(
      'NeedsNotMet',
      `None of ${fit.online} online nodes meets what the job needs.`,
      'Add a node that does, or change the needs.',
    );
  }
  if (fit.notBlocked === 0) {
    const message = 'Every fitting node has failed this job too often and gets no more of it.';
    return reason('NodesBlocked', message, 'Read the reasons ("farm logs JOB"), or add another node.');
  }
  if (fit.idle === 0)
    return reason(
      'NodesBusy',
      `All ${fit.notBlocked} fitting nodes are busy; ${offered} chunks wait.`,
      'Wait, raise the priority, or add a node.',
    );
  if (fit.notAvoided === 0) {
    const message = 'Every fitting node failed the next chunk before; one of them will try again.';
    return reason('AllAvoided', message, 'Add another node if it fails again.');
  }
  return reason('ReadyForNode', `${offered} chunks are on offer; a node will ask for one at once.`);
}
