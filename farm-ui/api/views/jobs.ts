/** Jobs as the API shows them, many at once: a fixed number of queries for a whole page of jobs. */
import { sql } from 'kysely';
import { deliverableOf } from '../../../domain/delivery.ts';
import { toCents } from '../../../domain/money/amount.ts';
import { NO_WISH } from '../../../domain/placement.ts';
import { completeSettings } from '../../../domain/settings.ts';
import type { Tx } from '../../../ports/db/client.ts';
import type { PlacementDocument } from '../../../ports/db/placement.ts';
import { type JobParts, jobParts } from '../../../ports/db/queries/jobs.ts';
import { type SiteTime, siteTimes } from '../../../ports/db/queries/siteTimes.ts';
import { getStudio } from '../../../ports/db/studios.ts';
import type { JobRow } from '../../../ports/db/tables.ts';
import { storedProblem } from '../plugins/problems.ts';
import type { JobView } from '../schema/api.ts';
import { quoteView } from './quotes.ts';
import { stageViews } from './stages.ts';

/** What is the same for all jobs of a page. */
interface Surroundings {
  invoiced: Set<string>;
  /** Of all the jobs. */
  times: SiteTime[];
  /** Of the studio; a quote names its own. */
  currency: string;
  /** Sum of the scores of the nodes that are online. */
  onlineScore: number;
  tokenSymbol: string;
  now: Date;
}

/**
 * @param jobs of one studio, the one whose transaction this is
 * @param now decides what is still to come
 */
export async function jobViews(tx: Tx, jobs: JobRow[], now: Date, tokenSymbol: string): Promise<JobView[]> {
  if (jobs.length === 0) return [];
  const { studioId } = jobs[0]!;
  const invoices = await tx
    .selectFrom('invoices')
    .select('jobId')
    .where('studioId', '=', studioId)
    .where(
      'jobId',
      'in',
      jobs.map(({ id }) => id),
    )
    .execute();
  const online = await tx
    .selectFrom('nodes')
    .select(sql<number>`coalesce(sum(score), 0)::float8`.as('score'))
    .where('status', '=', 'online')
    .executeTakeFirstOrThrow();
  const around: Surroundings = {
    times: await siteTimes(tx, jobs),
    invoiced: new Set(invoices.map(({ jobId }) => jobId)),
    currency: (await getStudio(tx, studioId))?.currency ?? 'EUR',
    onlineScore: online.score,
    tokenSymbol,
    now,
  };
  return (await jobParts(tx, jobs)).map((parts) => jobView(parts, around));
}

function jobView({ job, quote, version, inspection, frames }: JobParts, around: Surroundings): JobView {
  const settings = completeSettings(job.settings);
  const spentCents = quote ? toCents(job.spent, { centsPerTokenE6: BigInt(quote.centsPerTokenE6) }) : 0n;
  const { total, committed, rendering, failed, billed, cached, byStatus } = frames;
  return {
    id: job.id,
    name: job.name,
    version,
    status: job.status,
    stage: job.stage,
    stages: stageViews(job, {
      total,
      delivered: committed + byStatus.uploaded + byStatus.verified,
      committed,
      invoiced: around.invoiced.has(job.id),
    }),
    pauseReason: job.pauseReason,
    problem: storedProblem(job.problem),
    frames: { total, committed, rendering, failed, billed, cached },
    frameRange: job.frames ?? job.submission.frames ?? '',
    width: settings.width,
    height: settings.height,
    samples: settings.samples,
    fps: settings.fps,
    settings,
    template: job.submission.template,
    priority: job.priority,
    cap: String(job.cap),
    reserved: String(job.reserved),
    spent: String(job.spent),
    currency: quote?.currency ?? around.currency,
    spentCents: Number(spentCents),
    placement: placementView(job, around.times),
    delivery: deliveryView(job),
    quote: quote ? quoteView(quote, around) : null,
    // What an older farm saw lists neither.
    inspection: inspection && { ...inspection, scenes: inspection.scenes ?? [], variants: inspection.variants ?? [] },
    warnings: inspection?.warnings ?? [],
    createdAt: job.createdAt.toISOString(),
    acceptedAt: job.acceptedAt?.toISOString() ?? null,
    endedAt: job.endedAt?.toISOString() ?? null,
    estimatedEndAt: estimatedEnd({ job, quote, frames }, around),
    eventSeq: job.eventSeq,
  };
}

/** How far the delivery to the studio is. */
const deliveryView = (job: JobRow): JobView['delivery'] => ({
  status: job.delivery,
  delivered: job.deliveredUnits,
  of: deliverableOf(job),
  at: job.deliveredAt?.toISOString() ?? null,
});

function placementView({ id, placement }: JobRow, times: readonly SiteTime[]): JobView['placement'] {
  const { wish, decision } = placement as PlacementDocument;
  const { objective, sites, country } = wish ?? NO_WISH;
  return {
    wish: { objective, ...(sites ? { sites: [...sites] } : {}), ...(country ? { country } : {}) },
    at: decision?.at ?? null,
    why: decision?.why ?? null,
    finishSeconds: decision?.finishSeconds ?? null,
    shares: decision?.shares ?? [],
    leftOut: decision?.leftOut ?? [],
    actual: decision ? actualOf(id, Date.parse(decision.at), times) : [],
  };
}

/** In seconds after the decision, as the expectations are. */
function actualOf(jobId: string, decidedAt: number, times: readonly SiteTime[]): JobView['placement']['actual'] {
  const since = (at: Date): number => Math.max(0, (at.getTime() - decidedAt) / 1000);
  return times
    .filter((time) => time.jobId === jobId)
    .map(({ siteId, name, frames, beganAt, lastAt }) => ({
      ...{ siteId, name, frames, beganSeconds: since(beganAt) },
      lastSeconds: lastAt && since(lastAt),
    }));
}

/** Frames after which the pace so far tells more than the quote. */
const PACE_FROM = 3;

/** From how it went so far, else from the quote and the nodes that are there; null when nothing moves. */
function estimatedEnd(
  { job, quote, frames }: Pick<JobParts, 'job' | 'quote' | 'frames'>,
  { onlineScore, now }: Surroundings,
): string | null {
  if (job.status !== 'active') return null;
  const left = frames.total - frames.committed;
  const rendered = frames.committed - frames.cached;
  const startedAt = job.stageStarted.render;
  let seconds: number | null = null;
  if (startedAt && rendered >= PACE_FROM) {
    seconds = ((now.getTime() - Date.parse(startedAt)) / 1000 / rendered) * left;
  } else if (quote && onlineScore > 0) {
    seconds = (left * quote.estimate.secondsPerFrame * quote.estimate.referenceScore) / onlineScore;
  }
  return seconds === null ? null : new Date(now.getTime() + seconds * 1000).toISOString();
}
