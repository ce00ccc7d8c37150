/** Where a lease's blobs come from: its site's own store, home, or another site that has a copy; whatever arrives first. */
import { FarmError } from '../../../domain/errors.ts';
import { copiesOfBlobs, dropBlobCopy, recordBlobCopies } from '../../../ports/db/copies.ts';
import { appendEvent } from '../../../ports/db/events.ts';
import { requireLease } from '../../../ports/db/lease.ts';
import { blobsOfLease } from '../../../ports/db/leaseFiles.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { CopiesAnswer, CopiesRequest, FetchAnswer, FetchRequest } from '../../../ports/gateway/protocol.ts';
import type { ApiDeps } from '../deps.ts';
import { repairAtHome } from './repair.ts';
import { createTraffic } from './traffic.ts';

/** Presigned addresses live this long: time for a slow link, and no more. */
const ADDRESS_SECONDS = 900;
/** More would only make the answer long. */
const SOURCES_A_BLOB = 3;

const traffic = createTraffic(() => performance.now());

type Source = FetchAnswer['blobs'][number]['sources'][number];

/**
 * Addresses of the blobs that the lease's own frames read, and of nothing else.
 * @throws FarmError `LeaseLost`, `NotFound`
 */
export async function fetchBlobs(
  deps: ApiDeps,
  node: NodeRow,
  chunkId: string,
  { leaseNumber, hashes, bad }: FetchRequest,
): Promise<FetchAnswer> {
  const { studioId, sizes, copies, links } = await deps.database.singly(async (statements) => {
    const { studioId, blobs } = await blobsOfLease(statements, { chunkId, nodeId: node.id, leaseNumber });
    return {
      studioId,
      sizes: requireOwn(blobs, [...hashes, ...bad.map(({ hash }) => hash)]),
      copies: await copiesOfBlobs(statements, studioId, hashes),
      links: await statements.selectFrom('sites').select(['id', 'kind', 'linkDownBytes', 'linkUpBytes']).execute(),
    };
  });
  for (const copy of bad) await forgetCopy(deps, node, chunkId, leaseNumber, copy);
  const { siteId: ownStore } = await deps.stores.of(node.siteId);
  const down = links.find(({ id }) => id === node.siteId)?.linkDownBytes ?? null;
  const homeUp = links.find(({ kind }) => kind === 'home')?.linkUpBytes ?? null;
  const isBad = (hash: string, site: string | null): boolean =>
    bad.some((copy) => copy.hash === hash && copy.site === site);

  /** Ways to one blob, the one that brings it first before others. */
  const waysTo = (hash: string) => {
    const bytes = sizes.get(hash)!;
    const away = [
      { site: null, siteId: null, bytesPerSecond: slower(homeUp, down) },
      ...copies
        .filter((copy) => copy.hash === hash && copy.siteId !== ownStore && !isBad(hash, copy.site))
        .map(({ site, siteId, linkUpBytes }) => ({ site, siteId, bytesPerSecond: slower(linkUpBytes, down) })),
    ].map((way) => ({ ...way, from: way.siteId ?? 'home' }));
    const byArrival = away.sort((a, b) => traffic.arrivalMs(a, bytes) - traffic.arrivalMs(b, bytes));
    const near = copies.find((copy) => copy.hash === hash && copy.siteId === ownStore && !isBad(hash, copy.site));
    if (!near && byArrival[0]) traffic.add(byArrival[0], bytes);
    const first = near ? [{ site: near.site, siteId: near.siteId, bytesPerSecond: null }] : [];
    return [...first, ...byArrival].slice(0, SOURCES_A_BLOB);
  };
  const addressOf = async (hash: string, siteId: string | null): Promise<string> => {
    const { near, store } = await deps.stores.of(siteId);
    const reached = siteId !== null && siteId === ownStore ? near : store;
    return reached.presignGet({ studioId, kind: 'blobs', hash, expiresSeconds: ADDRESS_SECONDS });
  };
  const answer = hashes.map(async (hash) => ({
    hash,
    sources: await Promise.all(
      waysTo(hash).map(
        async ({ site, siteId, bytesPerSecond }): Promise<Source> => ({
          site,
          url: await addressOf(hash, siteId),
          bytesPerSecond,
        }),
      ),
    ),
  }));
  return { blobs: await Promise.all(answer) };
}

/**
 * Takes blobs into the store of the node's site, so that the next node there need not cross the link: addresses for what
 * lacks, and a note of what was put. Without a store of its own a site takes none.
 * @throws FarmError `LeaseLost`, `NotFound`
 */
export async function takeCopies(
  { database, stores }: ApiDeps,
  node: NodeRow,
  chunkId: string,
  { leaseNumber, hashes, stored }: CopiesRequest,
): Promise<CopiesAnswer> {
  const key = { chunkId, nodeId: node.id, leaseNumber };
  const { studioId, blobs } = await database.singly((statements) => blobsOfLease(statements, key));
  const sizes = requireOwn(blobs, [...hashes, ...stored]);
  const { siteId, store, near } = await stores.of(node.siteId);
  if (siteId === null) return { puts: [] };
  const isThere = async (hash: string): Promise<boolean> =>
    (await store.stat(studioId, 'blobs', hash))?.sizeBytes === sizes.get(hash);
  const known = await database.singly((statements) => copiesOfBlobs(statements, studioId, hashes));
  const isKnown = (hash: string): boolean => known.some((copy) => copy.hash === hash && copy.siteId === siteId);
  const seen: string[] = [];
  for (const hash of stored) if (await isThere(hash)) seen.push(hash);
  const puts: CopiesAnswer['puts'] = [];
  for (const hash of hashes) {
    if (isKnown(hash)) continue;
    // The store checked these bytes when they were put: only the note was lost.
    if (await isThere(hash)) seen.push(hash);
    else {
      const sizeBytes = sizes.get(hash)!;
      const request = { studioId, kind: 'blobs' as const, hash, sizeBytes, expiresSeconds: ADDRESS_SECONDS };
      puts.push({ hash, ...(await near.presignPut(request)) });
    }
  }
  await database.singly((statements) => recordBlobCopies(statements, { studioId, siteId, hashes: seen }));
  return { puts };
}

/** A copy that lied is taken out of use, and the job's log says where it was. Home's is the copy of record: it is read and mended. */
async function forgetCopy(
  { database, stores }: ApiDeps,
  node: NodeRow,
  chunkId: string,
  leaseNumber: number,
  { hash, site, offset }: FetchRequest['bad'][number],
): Promise<void> {
  const dropped = await database.asService(async (tx) => {
    const { studioId, jobId } = await requireLease(tx, { chunkId, nodeId: node.id, leaseNumber });
    const siteId = site === null ? null : await dropBlobCopy(tx, { studioId, hash, site });
    // Said again by the next node of the same lease's data: it is on record already.
    if (site !== null && siteId === null) return null;
    const { submission } = await tx
      .selectFrom('jobs')
      .select('submission')
      .where('studioId', '=', studioId)
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow();
    const file = submission.files.find((one) => one.hash === hash || one.parts?.some(({ blob }) => blob === hash));
    const part = file?.parts?.find(({ blob }) => blob === hash);
    const at =
      offset === null
        ? ''
        : `, from byte ${offset + (part ? fileOffset(file?.parts ?? [], hash) - part.offset : 0)} on`;
    const line = `${site === null ? 'home' : `site ${site}`} holds wrong bytes of ${file?.path ?? 'a file'}${at} (blob ${hash})`;
    await appendEvent(tx, { studioId, jobId, type: 'log', data: { node: node.name, line } });
    return { studioId, siteId };
  });
  if (!dropped) return;
  if (dropped.siteId === null) {
    repairAtHome({ database, stores }, dropped.studioId, hash);
    return;
  }
  const { store } = await stores.of(dropped.siteId);
  // A store that does not answer keeps it; without its row nobody is sent there.
  await store.remove(dropped.studioId, 'blobs', hash).catch(() => undefined);
}

/** Where in the file the first slice of a blob begins. */
function fileOffset(parts: readonly { blob: string; sizeBytes: number }[], hash: string): number {
  const place = parts.findIndex(({ blob }) => blob === hash);
  return parts.slice(0, place).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Sizes of a lease's blobs. @throws FarmError `NotFound` for others */
function requireOwn(own: ReadonlyMap<string, { sizeBytes: number }>, hashes: readonly string[]): Map<string, number> {
  const foreign = hashes.find((hash) => !own.has(hash));
  if (foreign) throw new FarmError('NotFound', 'The lease has no such blob.', { hash: foreign });
  return new Map(hashes.map((hash) => [hash, own.get(hash)!.sizeBytes]));
}

const slower = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);
