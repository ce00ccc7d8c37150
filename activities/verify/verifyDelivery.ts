/** Whether a job's frames are all there: the last look before they are delivered and billed. */
import { FarmError } from '../../domain/errors.ts';
import { inTime } from '../../ports/store/inTime.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { type AwayAnswer, framesText, StorePatience, sayAway } from '../storePatience.ts';

const PARALLEL = 8;
/** A store behind a full link answers slowly; one that takes longer than this does not answer. */
const ANSWER_MS = 30_000;

/**
 * Every frame that was ordered is committed, and the files of each lie in the store with the size that was announced. A site
 * that does not answer for a while is left out: its frames are verified and paid, and may be fetched when it is back.
 * @throws FarmError `TooManyFailures` when frames are missing in the record, `StoreFailed` when files are missing in a store
 * or home does not answer
 */
export async function verifyDelivery(
  services: FarmServices,
  { studioId, jobId }: JobKey,
): Promise<AwayAnswer & { frames: number }> {
  const { frameCount, policy, units } = await inRecord(services, async (tx) => ({
    ...(await tx
      .selectFrom('jobs')
      .select(['frameCount', 'policy'])
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
    const patience = new StorePatience({ seconds: policyOf(services, { policy }).storeWaitSeconds, signal });
    const unseen = new Set<number>();
    for (let next = 0; next < files.length; next += PARALLEL) {
      signal.throwIfAborted();
      await Promise.all(
        files.slice(next, next + PARALLEL).map(async ({ frame, siteId, kind, hash, sizeBytes }) => {
          const site = await services.stores.of(siteId);
          const seen = await patience.ask(site, async () => ({
            file: await inTime(
              site.store.stat(studioId, 'frames', hash),
              ANSWER_MS,
              'The object store does not answer.',
            ),
          }));
          if (!seen) unseen.add(frame);
          else if (seen.file?.sizeBytes !== sizeBytes) {
            const message = `The ${kind} of frame ${frame} is not in the store as committed.`;
            throw new FarmError('StoreFailed', message, { frame });
          }
        }),
      );
    }
    const { away } = patience;
    await sayAway(services, { studioId, jobId }, away, (names) => {
      const what = `${framesText(unseen.size)} that ${unseen.size === 1 ? 'is' : 'are'} committed and billed`;
      return `${names} ${away.length === 1 ? 'does' : 'do'} not answer: ${what} lie there and cannot be fetched before it is back.`;
    });
    return { frames, away };
  });
}
