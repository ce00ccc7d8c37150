/** The studio says which frames have reached it. */

import { FarmError } from '../../../domain/errors.ts';
import { acknowledgeFrames } from '../../../ports/db/deliveries.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { delivery, deliveryNote } from '../schema/delivery.ts';
import { nudge } from './control.ts';
import { isUuid, jobParams } from './jobs.ts';

export function addDeliveries(api: Api, { database }: ApiDeps): void {
  api.post(
    '/v1/jobs/:id/deliveries',
    {
      schema: {
        tags: ['frames'],
        summary: 'Acknowledge frames that arrived whole, by the hash of their EXR',
        description:
          "All of a request or none: a hash that is not the frame's is HashMismatch, a frame that is not committed NotFound. Said again, nothing changes. A job that awaits delivery ends when all its frames are acknowledged.",
        params: jobParams,
        body: deliveryNote,
        response: { 200: delivery, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'work');
      const { id: jobId } = request.params;
      if (!isUuid(jobId)) throw new FarmError('JobNotFound', `There is no job ${jobId.slice(0, 64)}.`);
      return database.withStudio(studioId, async (tx) => {
        const { isNews, isOpen, at, ...state } = await acknowledgeFrames(tx, { jobId, frames: request.body.frames });
        if (isNews && isOpen) await nudge(tx, { studioId, id: jobId }, 'framesDelivered');
        return { ...state, at: at?.toISOString() ?? null };
      });
    },
  );
}
