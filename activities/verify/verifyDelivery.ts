/** Whether a job's frames are all there: the last look before they are delivered and billed. */
import { FarmError } from '../../domain/errors.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';

const PARALLEL = 8;

/**
 * Every frame that was ordered is committed, and the files of each lie in the store with the size that was announced.
 * @throws FarmError `TooManyFailures` when frames are missing in the record, `StoreFailed` when files are missing in the store
 */
export async function verifyDelivery(services: FarmServices, { studioId, jobId }: JobKey): Promise<{ frames: number }> {
  const { frameCount, units } = await inRecord(services, async (tx) => ({
    ...(await tx
      .selectFrom('jobs')
      .select('frameCount')
      .where('studioId', '=', studioId)
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow()),
    units: await tx
      .selectFrom('units')
      .select(['frame', 'artifacts', 'siteId'])
      .where('studioId', '=', studioId)
      .where('jobId', '=', jobId)
      .where('status', '=', 'committed')
      .execute(),
  }));
  const frames = new Set(units.map(({ frame }) => frame)).size;
  if (frames !== frameCount) {
    const place = { frames, ordered: frameCount ?? 0 };
    throw new FarmError('TooManyFailures', `Only ${frames} of ${frameCount} frames are committed.`, place);
  }
  const files = units.flatMap(({ frame, siteId, artifacts }) =>
    (artifacts ?? []).map((artifact) => ({ frame, siteId, ...artifact })),
  );
  return withHeartbeat(async (signal) => {
    for (let next = 0; next < files.length; next += PARALLEL) {
      signal.throwIfAborted();
      await Promise.all(
        files.slice(next, next + PARALLEL).map(async ({ frame, siteId, kind, hash, sizeBytes }) => {
          const { store } = await services.stores.of(siteId);
          const found = await store.stat(studioId, 'frames', hash);
          if (found?.sizeBytes === sizeBytes) return;
          throw new FarmError('StoreFailed', `The ${kind} of frame ${frame} is not in the store as committed.`, {
            frame,
          });
        }),
      );
    }
    return { frames };
  });
}
