/** A node's cache in a process of its own: brings blobs from their addresses into a shared folder, and says when all are there. */

import { createGatewayClient } from '../../dist/ports/gateway/client.js';
import { BlobCache } from '../../dist/workers/node/cache.js';
import { download } from '../../dist/workers/node/download.js';

const [, , folder, capacity, wanted] = process.argv;
const signal = new AbortController().signal;
const gateway = createGatewayClient('http://127.0.0.1:9');
const cache = await BlobCache.open(folder, Number(capacity));
const blobs = JSON.parse(wanted);
const unpin = cache.pin(blobs.map(({ hash }) => hash));
let fetched = 0;
await Promise.all(
  blobs.map(async ({ hash, sizeBytes, url }) => {
    const source = { url, site: null, bytesPerSecond: null };
    const options = { gateway, signal, onBytes: () => {}, onBad: () => {} };
    const fill = (part) => download(part, { hash, sizeBytes }, [source], options);
    if (await cache.obtain(hash, sizeBytes, fill, signal)) fetched++;
  }),
);
process.stdout.write(`${JSON.stringify({ fetched })}\n`);
// Holds its pins until it is told to let go.
process.stdin.resume().once('end', async () => {
  await unpin();
  process.exit(0);
});
