/**
 * The first part of frames that are being judged, so that a studio's link does not idle meanwhile. A part and never the whole: what
 * is not committed is not paid for.
 */
import { headBytesOf } from '../../../domain/frameHead.ts';
import { judgedUnits } from '../../../ports/db/queries/frames.ts';
import { byteRange } from '../../../ports/http/range.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { frameAddressesRequest, frameHeadsPage } from '../schema/api.ts';
import { frameName, namingOf } from '../views/frames.ts';
import { jobParams, requireNamedJob } from './jobs.ts';

/** Judging takes seconds; who comes later finds the frame committed. */
export const HEAD_ADDRESS_SECONDS = 60;

export function addHeads(api: Api, { database, stores }: Pick<ApiDeps, 'database' | 'stores'>): void {
  api.post(
    '/v1/jobs/:id/frames/heads',
    {
      schema: {
        tags: ['frames'],
        summary:
          'The first two quarters of frames that are being judged, for a minute; other frames, and small ones, are left out',
        params: jobParams,
        body: frameAddressesRequest,
        response: { 200: frameHeadsPage, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      const { naming, units } = await database.withStudio(studioId, async (tx) => {
        const job = await requireNamedJob(tx, request.params.id);
        const units = await judgedUnits(tx, { jobId: job.id, unitIds: request.body.unitIds });
        return { naming: namingOf(job), units };
      });
      const heads = units.map(async (unit) => {
        const exr = unit.artifacts?.find(({ kind }) => kind === 'exr');
        const headBytes = headBytesOf(exr?.sizeBytes ?? 0);
        if (!exr || headBytes === 0) return [];
        const { hash, sizeBytes } = exr;
        const { siteId, id: unitId } = unit;
        const { store } = await stores.of(siteId);
        const object = { studioId, kind: 'frames', hash, expiresSeconds: HEAD_ADDRESS_SECONDS } as const;
        const [url, nextUrl] = await Promise.all([
          store.presignGet({ ...object, range: byteRange(0, headBytes) }),
          store.presignGet({ ...object, range: byteRange(headBytes, headBytes) }),
        ]);
        return [{ unitId, siteId, name: frameName(naming, unit, 'exr'), hash, sizeBytes, headBytes, url, nextUrl }];
      });
      return { items: (await Promise.all(heads)).flat() };
    },
  );
}
