/** One file from the farm into a studio's bucket: under its name only when whole and right. */
import type { Client } from 'minio';
import { FarmApiError } from '../errors.ts';
import { bucketProblem, type OpenBucket } from './bucketAddress.ts';
import {
  type Downloaded,
  type DownloadOptions,
  PATIENCE_MS,
  type RemoteFile,
  STALL_MS,
  WRONG_FILES,
} from './download.ts';
import { readSource } from './readSource.ts';

/** Sent with one request; also a part of what is larger. Up to 48 are in memory at a time. */
const PART_BYTES = 8 * 2 ** 20;
/** S3 takes no more. */
const MOST_PARTS = 10_000;
/** Names the SHA-256 of the bytes, by which a later pull knows them (`x-amz-meta-sha256`). */
const HASH_KEY = 'sha256';

export type BucketUploadOptions = Omit<DownloadOptions, 'parts' | 'onWhole'> & { partBytes?: number | undefined };

/**
 * Puts a file into the bucket, through here: it is hashed on its way, and the bucket shows it under its name with the last
 * byte or not at all. What lies there with the same size and hash is left as it is.
 * @throws FarmApiError `HashMismatch` or `StoreFailed` with file and offset when no copy gave the right bytes; `Forbidden`,
 * `NotFound` or `StoreFailed` when the bucket does not take it; the signal's reason
 */
export async function uploadToBucket(
  bucket: OpenBucket,
  file: RemoteFile,
  options: BucketUploadOptions,
): Promise<Downloaded> {
  const key = bucket.prefix + file.name;
  let receivedBytes = 0;
  // A part may take long where the way is slow, and nobody wants it any more.
  const hangUp = (): void => bucket.hangUp();
  options.signal?.addEventListener('abort', hangUp);
  try {
    let isLeft = true;
    for (let wrongFiles = 0; ; ) {
      if (await hasObject(bucket, key, file)) return { skipped: receivedBytes === 0, receivedBytes };
      const bytes = readSource(file, {
        ...{ signal: options.signal, sourcesAgain: options.sourcesAgain, first: wrongFiles },
        ...{ patienceMs: options.patienceMs ?? PATIENCE_MS, stallMs: options.stallMs ?? STALL_MS },
        onReceived: (count) => {
          receivedBytes += count;
        },
      });
      try {
        await send(bucket, key, file, inParts(bytes, partBytesOf(file, options.partBytes)), isLeft);
        return { skipped: false, receivedBytes };
      } catch (error) {
        // A pull of another host that began later took this one's parts for left. They do not do it to each other again.
        const isLost = isLeft && codeOf(error) === 'NoSuchUpload';
        isLeft = false;
        const isWrong = error instanceof FarmApiError && error.code === 'HashMismatch';
        if (!isLost && (!isWrong || ++wrongFiles >= WRONG_FILES)) throw error;
      }
    }
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw bucketProblem(bucket, error, key);
  } finally {
    options.signal?.removeEventListener('abort', hangUp);
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const partBytesOf = ({ sizeBytes }: RemoteFile, partBytes = PART_BYTES): number =>
  Math.max(partBytes, Math.ceil(sizeBytes / MOST_PARTS));

async function hasObject({ client, bucket }: OpenBucket, key: string, file: RemoteFile): Promise<boolean> {
  try {
    const { size, metaData } = await client.statObject(bucket, key);
    return size === file.sizeBytes && metaData[HASH_KEY] === file.hash;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'NotFound' || code === 'NoSuchKey') return false;
    throw error;
  }
}

/** Pieces of so many bytes; the last may be shorter. Throws what the bytes throw, also after the last piece. */
async function* inParts(bytes: AsyncIterable<Buffer>, partBytes: number): AsyncGenerator<Buffer, void, undefined> {
  let waiting: Buffer[] = [];
  let have = 0;
  for await (const some of bytes) {
    waiting.push(some);
    have += some.length;
    while (have >= partBytes) {
      const all = Buffer.concat(waiting);
      yield all.subarray(0, partBytes);
      waiting = [all.subarray(partBytes)];
      have -= partBytes;
    }
  }
  if (have > 0) yield Buffer.concat(waiting);
}

/** @param isLeft earlier pulls may have left parts of it, which go first */
async function send(
  { client, bucket }: OpenBucket,
  key: string,
  { hash }: RemoteFile,
  parts: AsyncGenerator<Buffer, void, undefined>,
  isLeft: boolean,
): Promise<void> {
  const first = (await parts.next()).value ?? Buffer.alloc(0);
  const second = await parts.next();
  if (second.done) {
    // All bytes are here and have been checked.
    await client.putObject(bucket, key, first, first.length, { [HASH_KEY]: hash });
    return;
  }
  let uploadID: string | undefined;
  try {
    if (isLeft) await removeUploads(client, bucket, key);
    const id = await client.initiateNewMultipartUpload(bucket, key, { [`X-Amz-Meta-${HASH_KEY}`]: hash });
    uploadID = id;
    const done: { part: number; etag: string }[] = [];
    const put = async (part: Buffer): Promise<void> => {
      const partNumber = done.length + 1;
      const sent = { bucketName: bucket, objectName: key, uploadID: id, partNumber };
      const { etag } = await client.uploadPart({ ...sent, headers: { 'Content-Length': part.length } }, part);
      done.push({ part: partNumber, etag });
    };
    await put(first);
    await put(second.value);
    for await (const part of parts) await put(part);
    await client.completeMultipartUpload(bucket, key, id, done);
  } catch (error) {
    await parts.return().catch(() => undefined);
    // Broken off while it began, it may be there all the same.
    if (uploadID === undefined) await removeUploads(client, bucket, key);
    else await client.abortMultipartUpload(bucket, key, uploadID).catch(() => undefined);
    throw error;
  }
}

/** Ends the uploads of an object that never came to an end, so that their parts take no space. */
async function removeUploads(client: Client, bucket: string, key: string): Promise<void> {
  try {
    for await (const upload of client.listIncompleteUploads(bucket, key, true)) {
      // Names that begin with it are others'.
      if (upload.key === key) await client.abortMultipartUpload(bucket, key, upload.uploadId);
    }
  } catch {
    // Who may not list or end them leaves them to the bucket's own rules.
  }
}
