/** Jobs as lists and one by one, and why one waits. */
import { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import type { Tx } from '../../../ports/db/client.ts';
import { getJob, listJobs } from '../../../ports/db/jobs.ts';
import { type NamedJob, namedJob } from '../../../ports/db/queries/frames.ts';
import { whyWaiting } from '../../../ports/db/queries/why.ts';
import type { JobRow } from '../../../ports/db/tables.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { storedProblem } from '../plugins/problems.ts';
import { type JobView, job, jobPage, why } from '../schema/api.ts';
import { jobViews } from '../views/jobs.ts';

/** Any text: what is no UUID is as unknown as one of another studio. */
export const jobParams = z.object({ id: z.string() });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isUuid = (text: string): boolean => UUID.test(text);

/** The job as the transaction's studio sees it. @throws FarmError `JobNotFound`, the same for foreign and unknown ids */
export async function requireJobById(tx: Tx, jobId: string): Promise<JobRow> {
  return found(isUuid(jobId) ? await getJob(tx, jobId) : null, jobId);
}

/** What names the job's files, by the same rule. @throws FarmError `JobNotFound` */
export async function requireNamedJob(tx: Tx, jobId: string): Promise<NamedJob> {
  return found(isUuid(jobId) ? await namedJob(tx, jobId) : null, jobId);
}

function found<T>(job: T | null, jobId: string): T {
  if (job) return job;
  throw new FarmError('JobNotFound', `There is no job ${jobId.slice(0, 64)}.`, { job: jobId.slice(0, 64) });
}

/** What a route answers with about one job. @throws FarmError `JobNotFound` */
export async function answerJob(
  { database, clock, chain }: Pick<ApiDeps, 'database' | 'clock' | 'chain'>,
  studioId: string,
  jobId: string,
): Promise<JobView> {
  return database.withStudio(studioId, async (tx) => {
    const found = await requireJobById(tx, jobId);
    const [view] = await jobViews(tx, [found], clock.now(), chain.deployment.tokenSymbol);
    return view!;
  });
}

export function addJobs(api: Api, deps: ApiDeps): void {
  const { database, clock, chain } = deps;
  api.get(
    '/v1/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Jobs, newest first',
        querystring: z.object({
          cursor: z.uuid().optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          status: job.shape.status.optional(),
        }),
        response: { 200: jobPage, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      return database.withStudio(studioId, async (tx) => {
        const { items, nextCursor } = await listJobs(tx, request.query);
        return { items: await jobViews(tx, items, clock.now(), chain.deployment.tokenSymbol), nextCursor };
      });
    },
  );

  api.get(
    '/v1/jobs/:id',
    { schema: { tags: ['jobs'], summary: 'One job', params: jobParams, response: { 200: job, ...problems } } },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      return answerJob(deps, studioId, request.params.id);
    },
  );

  api.get(
    '/v1/jobs/:id/why',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Why the job waits, or why it ended',
        params: jobParams,
        response: { 200: why, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      const found = await database.withStudio(studioId, (tx) => requireJobById(tx, request.params.id));
      const waiting = await database.asService((tx) => whyWaiting(tx, found.id));
      const problem = storedProblem(found.problem);
      const told = problem ? [{ code: problem.code, message: problem.detail, remedy: problem.remedy }] : [];
      return { reasons: [...told, ...waiting] };
    },
  );
}
