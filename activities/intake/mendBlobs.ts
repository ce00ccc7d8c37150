/** What is done about project data that the store does not give as it was uploaded. */
import { knownBlobs, markLost } from '../../ports/db/blobs.ts';
import type { Submission } from '../../ports/db/documents.ts';
import { checkObject } from '../../ports/store/checkStores.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';
import { inParallel, uploadIncomplete } from './materialise.ts';

/**
 * Reads these blobs of a submission, and brings back what is missing or wrong from other places that have it. What no place has
 * is marked, so that the next upload is asked for all of it at once.
 * @returns how many were brought back
 * @throws FarmError `UploadIncomplete` with the files of what no place has, `StoreFailed` when the store does not answer
 */
export async function mendBlobs(
  services: FarmServices,
  { studioId }: JobKey,
  submission: Submission,
  hashes: ReadonlySet<string>,
): Promise<number> {
  const known = await inRecord(services, (tx) => knownBlobs(tx, studioId, [...hashes]));
  // What was never on record lies nowhere else.
  const lost = new Set([...hashes].filter((hash) => !known.has(hash)));
  let mended = 0;
  await inParallel(known, async (hash) => {
    const damage = await checkObject(services, { studioId, kind: 'blobs', hash, siteId: null, copy: false }, true);
    if (damage?.outcome === 'kept') lost.add(hash);
    else if (damage) mended += 1;
  });
  if (lost.size === 0) return mended;
  await inRecord(services, (tx) => markLost(tx, studioId, [...lost]));
  throw uploadIncomplete(submission, lost);
}
