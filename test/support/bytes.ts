/** Bytes that look random and are the same for the same seed. */
import { createCipheriv, createHash } from 'node:crypto';

export function seededBytes(sizeBytes: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(sizeBytes));
}
