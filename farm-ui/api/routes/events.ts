/** What happens, as it happens: server-sent events of one job, or of all of a studio's jobs. */
import { z } from 'zod';
import type { Api, ApiDeps } from '../deps.ts';
import type { Hub } from '../live/hub.ts';
import { feedJob } from '../live/jobFeed.ts';
import { openSse } from '../live/sse.ts';
import { feedStudio } from '../live/studioFeed.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { jobParams, requireJobById } from './jobs.ts';

const eventStream = {
  200: {
    description: 'Messages with `event` (the type), `data` (JobEvent as JSON) and, where one can resume, `id` (seq)',
    content: { 'text/event-stream': { schema: z.string() } },
  },
  ...problems,
};

export function addEvents(api: Api, { database, hub }: ApiDeps & { hub: Hub }): void {
  api.get(
    '/v1/jobs/:id/events',
    {
      schema: {
        tags: ['jobs'],
        summary: "A job's events from the beginning, after `after`, or after Last-Event-ID; then live",
        params: jobParams,
        querystring: z.object({ after: z.coerce.number().int().min(0).default(0) }),
        response: eventStream,
      },
    },
    async (request, reply) => {
      const { studioId } = requireStudio(request, 'read');
      const { id: jobId } = await database.withStudio(studioId, (tx) => requireJobById(tx, request.params.id));
      const header = request.headers['last-event-id'];
      const last = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : request.query.after;
      const stream = openSse(request, reply);
      feedJob({ database, hub }, stream, { studioId, jobId, after: last }, (error) =>
        request.log.warn({ err: error }, 'event stream broke off'),
      );
    },
  );

  api.get(
    '/v1/events',
    {
      schema: {
        tags: ['jobs'],
        summary: "What changes in the studio's jobs, live; nothing is repeated, so read the list after connecting",
        response: eventStream,
      },
    },
    async (request, reply) => {
      const { studioId } = requireStudio(request, 'read');
      const stream = openSse(request, reply);
      feedStudio({ database, hub }, stream, studioId, (error) =>
        request.log.warn({ err: error }, 'event stream broke off'),
      );
    },
  );
}
