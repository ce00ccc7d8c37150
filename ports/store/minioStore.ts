/** `ObjectStore` on any S3 server through the `minio` client; MinIO is what the farm runs. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'minio';
import { FarmError } from '../../domain/errors.ts';
import { asDiskFull } from '../diskFull.ts';
import { hashFile } from './hashFile.ts';
import { inTime } from './inTime.ts';
import { OBJECT_KINDS, type ObjectKind, type ObjectStore, objectKey } from './objectStore.ts';
import { createPresigner } from './presign.ts';

/** For an answer that brings no bytes of an object, milliseconds. */
const ANSWER_MS = 15_000;

const HASH_OF_NOTHING = createHash('sha256').digest('hex');

export interface MinioStoreOptions {
  /** URL under which the farm's processes reach the store. */
  endpoint: string;
  /** URL under which browsers and nodes reach it; default `endpoint`. Presigned addresses name it. */
  publicEndpoint?: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
}

/** Connects lazily; the first call that fails says `StoreFailed`. */
export function createMinioStore(options: MinioStoreOptions): ObjectStore {
  const endpoint = new URL(options.endpoint);
  const { bucket, region } = options;
  const client = new Client({
    endPoint: endpoint.hostname,
    port: endpoint.port ? Number(endpoint.port) : endpoint.protocol === 'https:' ? 443 : 80,
    useSSL: endpoint.protocol === 'https:',
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    region,
    pathStyle: true,
  });
  const presigner = createPresigner({ ...options, endpoint: options.publicEndpoint ?? options.endpoint });

  /** A store that takes what it is asked and says nothing would be waited for without end. */
  const answer = <T>(asked: Promise<T>): Promise<T> =>
    inTime(asked, ANSWER_MS, `The object store at ${endpoint.host} did not answer within ${ANSWER_MS / 1000} s.`);

  /** The object's stream. */
  const open = (studioId: string, kind: ObjectKind, hash: string): Promise<Readable> =>
    calling('read', { kind, hash }, () => client.getObject(bucket, objectKey(studioId, kind, hash)));

  const store: ObjectStore = {
    async presignPut({ studioId, kind, hash, sizeBytes, expiresSeconds }) {
      // A MinIO server without MD5 sums does not check what comes under this hash.
      if (hash === HASH_OF_NOTHING && sizeBytes > 0)
        throw new FarmError('HashMismatch', `The hash ${hash} is of 0 bytes; ${sizeBytes} were announced.`, { hash });
      const url = await presigner.put(objectKey(studioId, kind, hash), hash, sizeBytes, expiresSeconds);
      return { url, headers: {} };
    },

    async presignGet({ studioId, kind, hash, expiresSeconds, range, ...request }) {
      const { fileName, contentType, disposition = 'inline' } = request;
      const overrides: Record<string, string> = {};
      if (contentType) overrides['response-content-type'] = contentType;
      if (fileName) overrides['response-content-disposition'] = contentDisposition(disposition, fileName);
      return presigner.get(objectKey(studioId, kind, hash), expiresSeconds, overrides, range);
    },

    async stat(studioId, kind, hash) {
      return calling('stat', { kind, hash }, async () => {
        try {
          const { size } = await answer(client.statObject(bucket, objectKey(studioId, kind, hash)));
          return { sizeBytes: size };
        } catch (error) {
          if (isMissing(error)) return null;
          throw error;
        }
      });
    },

    async get(studioId, kind, hash) {
      const stream = await open(studioId, kind, hash);
      const parts: Buffer[] = [];
      await calling('read', { kind, hash }, async () => {
        for await (const part of stream) parts.push(part as Buffer);
      });
      const bytes = Buffer.concat(parts);
      assertHash(hash, createHash('sha256').update(bytes).digest('hex'));
      return bytes;
    },

    async getToFile(studioId, kind, hash, path) {
      const temporary = `${path}.${randomUUID()}.part`;
      try {
        const stream = await open(studioId, kind, hash);
        const digest = createHash('sha256');
        const copied = pipeline(
          stream,
          async function* (source: AsyncIterable<Buffer>) {
            for await (const part of source) {
              digest.update(part);
              yield part;
            }
          },
          createWriteStream(temporary, { flags: 'wx' }),
        );
        await calling('read', { kind, hash }, () => copied.catch(rethrowOwnDisk(path)));
        assertHash(hash, digest.digest('hex'));
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },

    async put(studioId, kind, source, contentType) {
      const { hash, sizeBytes } = Buffer.isBuffer(source)
        ? { hash: createHash('sha256').update(source).digest('hex'), sizeBytes: source.length }
        : await hashFile(source.path);
      const known = await store.stat(studioId, kind, hash);
      if (known?.sizeBytes === sizeBytes) return { hash, sizeBytes };
      const body = Buffer.isBuffer(source) ? source : createReadStream(source.path);
      await calling('write', { kind, hash }, () =>
        client.putObject(bucket, objectKey(studioId, kind, hash), body, sizeBytes, { 'Content-Type': contentType }),
      );
      return { hash, sizeBytes };
    },

    async remove(studioId, kind, hash) {
      await calling('remove', { kind, hash }, () => client.removeObject(bucket, objectKey(studioId, kind, hash)));
    },

    async *list(studioId, kind) {
      for (const one of kind ? [kind] : OBJECT_KINDS) {
        const prefix = objectKey(studioId, one, '');
        const objects = client.listObjectsV2(bucket, prefix, true) as AsyncIterable<{
          name?: string;
          size?: number;
          lastModified?: Date;
        }>;
        for await (const object of rethrowing(objects)) {
          const { name, size = 0, lastModified = new Date() } = object;
          if (name) yield { kind: one, hash: name.slice(prefix.length), sizeBytes: size, modifiedAt: lastModified };
        }
      }
    },

    async ensureBucket() {
      await calling('make', { bucket }, async () => {
        if (await client.bucketExists(bucket)) return;
        try {
          await client.makeBucket(bucket, region);
        } catch (error) {
          // Another process was quicker.
          if (!['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes(codeOf(error))) throw error;
        }
      });
    },

    async check() {
      const there = await calling('check', { bucket }, () => answer(client.bucketExists(bucket)));
      if (!there) throw new FarmError('StoreFailed', `The object store has no bucket "${bucket}".`, { bucket });
    },
  };
  return store;
}

async function calling<T>(what: string, place: Record<string, string>, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asFarmError(error, what, place);
  }
}

/** What a local file fails with, and no connection. */
const OWN_DISK: readonly string[] = ['EROFS', 'EACCES', 'EIO', 'ENOENT', 'EEXIST', 'EMFILE', 'ENFILE'];

/**
 * Trouble with the file that is written says nothing of what the store holds.
 * @throws FarmError `DiskFull`, `Internal` for other trouble with the file; anything else as it is
 */
const rethrowOwnDisk =
  (path: string) =>
  (cause: unknown): never => {
    const reason = codeOf(cause);
    if (!OWN_DISK.includes(reason)) throw asDiskFull(cause, path);
    throw new FarmError('Internal', `${path} cannot be written: ${reason}.`, { path, reason }, { cause });
  };

async function* rethrowing<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* items;
  } catch (error) {
    throw asFarmError(error, 'list', {});
  }
}

function asFarmError(error: unknown, what: string, place: Record<string, string>): FarmError {
  if (error instanceof FarmError) return error;
  if (isMissing(error))
    return new FarmError('NotFound', 'The object store has no such bytes.', place, { cause: error });
  const message = error instanceof Error ? error.message || codeOf(error) : String(error);
  return new FarmError('StoreFailed', `The object store could not ${what}: ${message}`, place, { cause: error });
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

const isMissing = (error: unknown): boolean => ['NotFound', 'NoSuchKey', 'NoSuchObject'].includes(codeOf(error));

function assertHash(expected: string, actual: string): void {
  if (actual === expected) return;
  throw new FarmError('HashMismatch', `The stored bytes hash to ${actual}, not to ${expected}.`, { expected, actual });
}

/** RFC 6266: a plain name for old clients and the exact one in UTF-8. */
function contentDisposition(disposition: string, fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${disposition}; filename="${plain}"; filename*=UTF-8''${exact}`;
}
