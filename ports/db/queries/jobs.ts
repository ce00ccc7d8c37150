/** All that a job's page shows, for one job or a page of them, in a fixed number of queries. */
import { sql } from 'kysely';
import type { SceneInspection } from '../../../domain/scene.ts';
import type { UnitStatus } from '../../../domain/statuses.ts';
import type { Tx } from '../client.ts';
import type { JobRow, QuoteRow } from '../tables.ts';

interface FrameCounts {
  /** Units of the job; before it is planned the frames it will have (0 while unknown). */
  total: number;
  committed: number;
  /** Leased, uploaded or verified. */
  rendering: number;
  failed: number;
  /** Receipt lines, and units from the frame cache: together `committed`, always. */
  billed: number;
  cached: number;
  byStatus: Record<UnitStatus, number>;
}

export interface JobParts {
  job: JobRow;
  quote: QuoteRow | null;
  /** Number of the project version, null before the quote. */
  version: number | null;
  /** The scene's inspection, as the job chooses it, but its list of files, which may be long; null before the quote. */
  inspection: Omit<SceneInspection, 'files'> | null;
  frames: FrameCounts;
}

const noUnits = (): Record<UnitStatus, number> => ({
  ...{ planned: 0, offered: 0, leased: 0, uploaded: 0, verified: 0, committed: 0, failed: 0, cancelled: 0 },
});

/** Counts of the units of jobs, by job id. */
async function frameCounts(tx: Tx, jobs: readonly JobRow[]): Promise<Map<string, FrameCounts>> {
  const ids = jobs.map(({ id }) => id);
  const { rows: units } = await sql<{ jobId: string; status: UnitStatus; count: number }>`
    SELECT job_id, status, count(*) AS count FROM units
    WHERE studio_id = ANY (${studiosOf(jobs)}::uuid[]) AND job_id = ANY (${ids}::uuid[]) GROUP BY job_id, status`.execute(
    tx,
  );
  const { rows: lines } = await sql<{ jobId: string; count: number }>`
    SELECT job_id, count(*) AS count FROM receipt_lines
    WHERE studio_id = ANY (${studiosOf(jobs)}::uuid[]) AND job_id = ANY (${ids}::uuid[]) GROUP BY job_id`.execute(tx);
  const billed = new Map(lines.map(({ jobId, count }) => [jobId, count]));
  return new Map(
    jobs.map((job) => {
      const byStatus = noUnits();
      for (const row of units) if (row.jobId === job.id) byStatus[row.status] = row.count;
      const planned = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
      const counts: FrameCounts = {
        total: planned || (job.frameCount ?? 0),
        committed: byStatus.committed,
        rendering: byStatus.leased + byStatus.uploaded + byStatus.verified,
        failed: byStatus.failed,
        billed: billed.get(job.id) ?? 0,
        cached: job.cachedUnits,
        byStatus,
      };
      return [job.id, counts];
    }),
  );
}

const studiosOf = (jobs: readonly JobRow[]): string[] => [...new Set(jobs.map(({ studioId }) => studioId))];

/** The parts of each job, in the order given. */
export async function jobParts(tx: Tx, jobs: readonly JobRow[]): Promise<JobParts[]> {
  if (jobs.length === 0) return [];
  const counts = await frameCounts(tx, jobs);
  const quotes = await tx
    .selectFrom('quotes')
    .selectAll()
    .where(
      'jobId',
      'in',
      jobs.map(({ id }) => id),
    )
    .execute();
  const quoteOf = new Map(quotes.map((quote) => [quote.jobId, quote]));
  const versionIds = jobs.flatMap(({ versionId }) => versionId ?? []);
  const versions = versionIds.length
    ? await tx
        .selectFrom('projectVersions')
        .select(['id', 'number', sql<Omit<SceneInspection, 'files'>>`inspection - 'files'`.as('inspection')])
        .where('studioId', 'in', studiosOf(jobs))
        .where('id', 'in', versionIds)
        .execute()
    : [];
  const versionOf = new Map(versions.map((version) => [version.id, version]));
  return jobs.map((job) => {
    const version = job.versionId ? versionOf.get(job.versionId) : undefined;
    return {
      job,
      quote: quoteOf.get(job.id) ?? null,
      version: version?.number ?? null,
      // Jobs of older builds kept none of their own.
      inspection: version ? { ...version.inspection, ...job.submission.seen } : null,
      frames: counts.get(job.id) as FrameCounts,
    };
  });
}
