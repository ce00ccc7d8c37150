/** One frame in real stores, for clients that read it whatever happens on the way. */
import { createHash } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { objectKey } from '../../ports/store/objectStore.ts';
import { type CutProxy, startCutProxy } from './cutProxy.ts';
import { createTestBucket, putRaw, type TestBucket } from './services.ts';

export interface FrameSources {
  hash: string;
  /** Address of the right bytes. */
  right: string;
  /** The same by way of `proxy`. */
  cut: string;
  /** Address of as many bytes, of which one near the end is wrong. */
  wrong: string;
  proxy: CutProxy;
}

/** Puts the frame into a store, and a spoiled one into another. The caller closes `proxy`. */
export async function openFrameSources(bytes: Buffer): Promise<FrameSources> {
  const studioId = uuidv7();
  const hash = createHash('sha256').update(bytes).digest('hex');
  const [good, bad] = await Promise.all([createTestBucket(), createTestBucket()]);
  await createMinioStore(good).put(studioId, 'frames', bytes, 'image/x-exr');
  const spoiled = Buffer.from(bytes);
  spoiled[bytes.length - 7]! ^= 1;
  await putRaw(bad, objectKey(studioId, 'frames', hash), spoiled);
  const proxy = await startCutProxy(good.endpoint);
  const address = (bucket: TestBucket, publicEndpoint: string): Promise<string> =>
    createMinioStore({ ...bucket, publicEndpoint }).presignGet({
      ...{ studioId, kind: 'frames', hash, expiresSeconds: 3_600 },
    });
  return {
    ...{ hash, proxy },
    right: await address(good, good.endpoint),
    cut: await address(good, proxy.url),
    wrong: await address(bad, bad.endpoint),
  };
}
