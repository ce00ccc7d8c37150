/** Leaves what was staged from far away in the store of the node's own site, for the nodes beside it. */
import { partsOf } from '../../domain/projectFiles.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { Lease } from '../../ports/gateway/protocol.ts';
import type { BlobCache } from './cache.ts';

/** Blobs that are told of at once: the protocol's bound is 1000. */
const BATCH = 200;

/**
 * Puts blobs into the site's store, one at a time so that frames go before, and only those that every frame of the lease
 * reads: a frame's own files are seldom read again. Sites without a store take none.
 * @param fetched blobs that this process fetched for the lease; they are in the cache
 * @throws FarmError of gateway and store; the signal's reason
 */
export async function leaveCopies(
  lease: Lease,
  fetched: readonly string[],
  { gateway, cache, signal }: { gateway: GatewayClient; cache: BlobCache; signal: AbortSignal },
): Promise<void> {
  const shared = new Set(
    lease.files
      .slice(0, lease.sharedFiles)
      .flatMap(partsOf)
      .map(({ blob }) => blob),
  );
  const sizes = new Map(lease.blobs.map(({ hash, sizeBytes }) => [hash, sizeBytes]));
  const hashes = fetched.filter((hash) => shared.has(hash));
  const { leaseNumber } = lease;
  for (let from = 0; from < hashes.length; from += BATCH) {
    const some = hashes.slice(from, from + BATCH);
    const { puts } = await gateway.copies(lease.chunkId, { leaseNumber, hashes: some }, signal);
    for (const { hash, url, headers } of puts) {
      await gateway.upload(url, headers, cache.path(hash), sizes.get(hash) ?? 0, signal);
    }
    const stored = puts.map(({ hash }) => hash);
    if (stored.length > 0) await gateway.copies(lease.chunkId, { leaseNumber, stored }, signal);
  }
}
