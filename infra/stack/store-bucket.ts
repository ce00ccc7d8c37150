/** The farm's bucket in the object store. */
import { Client } from 'minio';
import type { FarmEnvironment } from './environment.ts';

/** Makes the bucket when it is missing; two who try at once both succeed. */
export async function ensureBucket(store: FarmEnvironment['store']): Promise<void> {
  const url = new URL(store.endpoint);
  const secure = url.protocol === 'https:';
  const client = new Client({
    endPoint: url.hostname,
    port: Number(url.port) || (secure ? 443 : 80),
    useSSL: secure,
    accessKey: store.accessKey,
    secretKey: store.secretKey,
    region: store.region,
  });
  if (await client.bucketExists(store.bucket)) return;
  try {
    await client.makeBucket(store.bucket, store.region);
  } catch (error) {
    if ((error as { code?: string }).code !== 'BucketAlreadyOwnedByYou') throw error;
  }
}
