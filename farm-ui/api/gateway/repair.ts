/** Blobs at home of which a node says that it got other bytes: read again, and mended from another copy where one is right. */
import { checkObject, type StoreServices } from '../../../ports/store/checkStores.ts';

/** A blob is read once in this time, however many nodes complain of it: they are strangers, and reading costs. */
const AGAIN_MS = 600_000;
/** Blobs to remember at most. */
const REMEMBERED = 1_000;

const lookedAt = new Map<string, number>();

/** Begins it and does not wait; the node goes on with another source meanwhile. */
export function repairAtHome(services: StoreServices, studioId: string, hash: string): void {
  const key = `${studioId}/${hash}`;
  const now = performance.now();
  if (now - (lookedAt.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
  lookedAt.set(key, now);
  const oldest = lookedAt.keys().next();
  if (lookedAt.size > REMEMBERED && !oldest.done) lookedAt.delete(oldest.value);
  // What fails here is found again by the next complaint, or by `farm fsck`; the job's log has the complaint.
  checkObject(services, { studioId, kind: 'blobs', hash, siteId: null, copy: false }, true).catch(() => undefined);
}
