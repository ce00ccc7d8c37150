/** Names a file by its bytes. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Large reads, as each is a trip to another thread and back. */
const BLOCK_BYTES = 2 ** 20;

/** SHA-256 (lower-case hex) and size of a file, or of its first `most` bytes, read once, through one block of memory. */
export async function hashFile(
  path: string,
  most = Number.POSITIVE_INFINITY,
): Promise<{ hash: string; sizeBytes: number }> {
  const digest = createHash('sha256');
  const file = await open(path);
  try {
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, Math.max(1, (await file.stat()).size)));
    for (let sizeBytes = 0; ; ) {
      const { bytesRead } = await file.read(block, 0, Math.min(block.length, most - sizeBytes), sizeBytes);
      if (bytesRead === 0) return { hash: digest.digest('hex'), sizeBytes };
      digest.update(block.subarray(0, bytesRead));
      sizeBytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
