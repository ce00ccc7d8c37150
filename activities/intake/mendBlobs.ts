/** What is done about project data that the store does not give as it was uploaded. */
import { recordedBlobs } from '../../ports/db/blobs.ts';
import type { Submission } from '../../ports/db/documents.ts';
import { checkObject } from '../../ports/store/checkStores.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';
import { inParallel, uploadIncomplete } from './materialise.ts';

/**
 * Reads these blobs of a submission, and brings back what is missing or wrong from other places that have it. What no place has
 * is marked, so that the next upload is asked for all of it at once.
 * @returns how many were brought back
 * @throws FarmError `UploadIncomplete` with the files of what no place has, `StoreFailed` when the store does not answer; the signal's reason
 */
export async function mendBlobs(
  services: FarmServices,
  { studioId }: JobKey,
  submission: Submission,
  hashes: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<number> {
  const recorded = await inRecord(services, (tx) => recordedBlobs(tx, studioId, [...hashes]));
  const lost = new Set<string>();
  let mended = 0;
  await inParallel(hashes, async (hash) => {
    signal.throwIfAborted();
    const damage = await checkObject(services, { studioId, kind: 'blobs', hash, siteId: null, copy: false }, true);
    if (damage?.outcome === 'copied') mended += 1;
    if (damage?.outcome !== 'kept') return;
    lost.add(hash);
    // No row says that this one is lost: the next upload looks whether it is there.
    if (damage.condition === 'wrong' && !recorded.has(hash)) await services.store.remove(studioId, 'blobs', hash);
  });
  if (lost.size > 0) throw uploadIncomplete(submission, lost);
  return mended;
}
