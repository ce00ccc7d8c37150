/** Sends the first part of a frame ahead of it, so that a studio's link need not wait until a store has taken the whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import { headBytesOf, pauseBehindHead } from '../../domain/frameHead.ts';
import type { AnnounceAnswer, Artifact, Lease } from '../../ports/gateway/protocol.ts';
import { hashFile } from '../../ports/store/hashFile.ts';
import type { DeliveryDeps } from './delivery.ts';

/** Bytes by their hash. */
type Bytes = Pick<Artifact, 'hash' | 'sizeBytes'>;

/** The first part of an EXR of so many bytes; undefined where it is too small to have one. */
export async function headOf(path: string, sizeBytes: number): Promise<Bytes | undefined> {
  const headBytes = headBytesOf(sizeBytes);
  return headBytes > 0 ? hashFile(path, headBytes) : undefined;
}

interface Ahead {
  unitId: string;
  /** Of the EXR on disk. */
  path: string;
  exr: Bytes;
  head: Bytes;
  /** As the gateway answered. */
  place: NonNullable<AnnounceAnswer['head']>;
}

/** Resolves when the head is in the store and the frame may follow. Never rejects: without a head the frame comes as a whole. */
export async function sendAhead(
  { chunkId, leaseNumber }: Lease,
  { unitId, path, exr, head, place }: Ahead,
  { gateway, signal }: Pick<DeliveryDeps, 'gateway' | 'signal'>,
): Promise<void> {
  const began = performance.now();
  try {
    if (place.url !== null) await gateway.upload(place.url, place.headers, path, head.sizeBytes, signal);
  } catch {
    return;
  }
  const { hash, sizeBytes } = exr;
  gateway.head(chunkId, { leaseNumber, unitId, exr: { hash, sizeBytes }, head }, signal).catch(() => undefined);
  await sleep(pauseBehindHead(performance.now() - began), undefined, { signal }).catch(() => undefined);
}
