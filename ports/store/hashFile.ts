/** Names a file by its bytes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** SHA-256 (lower-case hex) and size of a file, read once as a stream. */
export async function hashFile(path: string): Promise<{ hash: string; sizeBytes: number }> {
  const digest = createHash('sha256');
  let sizeBytes = 0;
  // Large reads: each is a trip to another thread and back.
  const source = createReadStream(path, { highWaterMark: 2 ** 20 });
  source.on('data', (part) => {
    sizeBytes += part.length;
  });
  await pipeline(source, digest);
  return { hash: digest.digest('hex'), sizeBytes };
}
