/** Brings a lease's files to the node: what the cache lacks is fetched, then all of it is laid out as the project's folder. */
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { checkProjectPath } from '../../domain/paths.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { Lease } from '../../ports/gateway/protocol.ts';
import type { BlobCache } from './cache.ts';
import { isPassing, retrying } from './retry.ts';

/** Blobs on their way at the same time. */
const PARALLEL = 4;
/** Addresses asked for at once (the protocol's bound is 1000); they live for minutes, so not too many. */
const BATCH = 200;

export interface StagingResult {
  fetchedBytes: number;
  cachedBytes: number;
}

/**
 * @param folder absolute, empty; becomes the root of the project
 * @throws FarmError of cache and gateway; passing failures are tried again until `signal` ends
 */
export async function stage(
  lease: Lease,
  folder: string,
  { gateway, cache, signal }: { gateway: GatewayClient; cache: BlobCache; signal: AbortSignal },
): Promise<StagingResult> {
  const sizes = new Map(lease.files.map((file) => [file.hash, file.sizeBytes]));
  const missing: string[] = [];
  let cachedBytes = 0;
  for (const [hash, sizeBytes] of sizes) {
    if (await cache.has(hash)) cachedBytes += sizeBytes;
    else missing.push(hash);
  }
  for (let from = 0; from < missing.length; from += BATCH) {
    await fetchBatch(missing.slice(from, from + BATCH));
  }
  for (const file of lease.files) {
    // The gateway is trusted less than the file system: a name must stay inside the folder.
    await cache.materialise(file.hash, join(folder, checkProjectPath(file.path)));
  }
  return { cachedBytes, fetchedBytes: missing.reduce((sum, hash) => sum + sizes.get(hash)!, 0) };

  async function fetchBatch(hashes: string[]): Promise<void> {
    const { urls } = await retrying(() => gateway.fetch(lease.chunkId, lease.leaseNumber, hashes, signal), { signal });
    const open = new Map(urls.map(({ hash, url }) => [hash, url]));
    const queue = [...hashes];
    const worker = async (): Promise<void> => {
      for (let hash = queue.shift(); hash !== undefined; hash = queue.shift()) await fetchOne(hash, open.get(hash));
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, hashes.length) }, worker));
  }

  async function fetchOne(hash: string, firstUrl: string | undefined): Promise<void> {
    let url = firstUrl;
    let mismatches = 0;
    await retrying(
      async () => {
        // An address that failed may have expired: the next try takes a new one.
        url ??= (await gateway.fetch(lease.chunkId, lease.leaseNumber, [hash], signal)).urls[0]?.url;
        if (url === undefined) throw new FarmError('NotFound', `The gateway knows no blob ${hash}.`, { hash });
        const from = url;
        url = undefined;
        await cache.add(hash, sizes.get(hash)!, await gateway.download(from, signal), signal);
      },
      { signal, retryable: (error) => isPassing(error) || isBroken(error) || (isMismatch(error) && ++mismatches < 3) },
    );
  }
}

const isMismatch = (error: unknown): boolean => error instanceof FarmError && error.code === 'HashMismatch';

/** A connection that ended in the middle of the bytes. */
const isBroken = (error: unknown): boolean =>
  error instanceof Error &&
  !(error instanceof FarmError) &&
  /terminated|socket|ECONNRESET|premature/i.test(error.message);
