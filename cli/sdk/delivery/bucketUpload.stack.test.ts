/** One file from real stores into a studio's real bucket, whatever happens on the way. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startCutProxy } from '../../../test/support/cutProxy.ts';
import { openFrameSources } from '../../../test/support/frameSources.ts';
import { createTestBucket, type TestBucket } from '../../../test/support/services.ts';
import { type OpenBucket, openBucket, parseBucketAddress } from './bucketAddress.ts';
import { type BucketUploadOptions, uploadToBucket } from './bucketUpload.ts';

/** More than two parts of the smallest size that S3 takes. */
const PART = 5 * 2 ** 20;
const SIZE = 2 * PART + 777_777;
const bytes = randomBytes(SIZE);

let studio: TestBucket;
let bucket: OpenBucket;
const { hash, right, cut, wrong, proxy } = await openFrameSources(bytes);

const environmentOf = ({ accessKey, secretKey, region, endpoint }: TestBucket) => ({
  ...{ AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey },
  ...{ AWS_REGION: region, AWS_ENDPOINT_URL: endpoint },
});

afterAll(() => proxy.close());
beforeEach(async () => {
  studio = await createTestBucket();
  bucket = await openBucket(`s3://${studio.bucket}/shots/one`, { environment: environmentOf(studio) });
  proxy.cutAfter(Number.POSITIVE_INFINITY);
});

const KEY = 'shots/one/shot/frame.0001.exr';
const put = (sources: string[], options: Partial<BucketUploadOptions> = {}, to = bucket) =>
  uploadToBucket(
    to,
    { name: 'shot/frame.0001.exr', hash, sizeBytes: SIZE, sources: sources.map((url) => ({ url })) },
    {
      sourcesAgain: async () => sources.map((url) => ({ url })),
      ...{ patienceMs: 500, stallMs: 300, partBytes: PART },
      ...options,
    },
  );

async function objects(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of bucket.client.listObjectsV2(studio.bucket, '', true)) names.push(String(name));
  return names;
}
async function expectWhole(): Promise<void> {
  expect(await objects()).toEqual([KEY]);
  const parts: Buffer[] = [];
  for await (const part of await bucket.client.getObject(studio.bucket, KEY)) parts.push(part as Buffer);
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  expect((await bucket.client.statObject(studio.bucket, KEY)).metaData.sha256).toBe(hash);
}
/** Neither an object nor parts of one. */
async function expectNothing(): Promise<void> {
  expect(await objects()).toEqual([]);
  expect(await bucket.client.findUploadId(studio.bucket, KEY)).toBeUndefined();
}

describe('a file into a bucket', () => {
  it('lies there in parts or in one piece, with its hash, and is not sent again', async () => {
    for (const partBytes of [PART, 2 * SIZE]) {
      await bucket.client.removeObject(studio.bucket, KEY);
      expect(await put([right], { partBytes })).toEqual({ skipped: false, receivedBytes: SIZE });
      await expectWhole();
      expect(await put([right], { partBytes })).toEqual({ skipped: true, receivedBytes: 0 });
    }
  });

  it('takes the place of other bytes of the same size', async () => {
    await bucket.client.putObject(studio.bucket, KEY, randomBytes(SIZE), SIZE, { sha256: 'f'.repeat(64) });
    expect(await put([right])).toMatchObject({ skipped: false });
    await expectWhole();
  });

  it('goes on from where a source broke off', async () => {
    proxy.cutAfter(Math.floor(SIZE / 2), () => {
      proxy.cutAfter(Number.POSITIVE_INFINITY);
      proxy.dropAll();
    });
    const { receivedBytes } = await put([cut], { patienceMs: 20_000, stallMs: 5_000 });
    expect(receivedBytes).toBe(SIZE);
    await expectWhole();
  });

  it('takes another copy where one has wrong bytes', async () => {
    await put([wrong, right]);
    await expectWhole();
  });

  it('leaves nothing behind when all copies are wrong, or none ends', async () => {
    await expect(put([wrong])).rejects.toMatchObject({ code: 'HashMismatch', place: { file: 'shot/frame.0001.exr' } });
    await expectNothing();
    proxy.cutAfter(Math.floor(SIZE / 2));
    await expect(put([cut])).rejects.toMatchObject({ code: 'StoreFailed', place: { sizeBytes: SIZE } });
    await expectNothing();
  });

  it('leaves nothing behind when it is stopped', async () => {
    const stop = new AbortController();
    proxy.cutAfter(PART + 1000, () => stop.abort(new Error('enough')));
    await expect(put([cut], { signal: stop.signal })).rejects.toThrow('enough');
    await expectNothing();
  });
});

describe('an upload that came to no end', () => {
  const begin = async (): Promise<string> => {
    const uploadID = await bucket.client.initiateNewMultipartUpload(studio.bucket, KEY, {});
    const part = { bucketName: studio.bucket, objectName: KEY, uploadID, partNumber: 1 };
    await bucket.client.uploadPart({ ...part, headers: { 'Content-Length': PART } }, bytes.subarray(0, PART));
    return uploadID;
  };

  it('goes before the next one begins', async () => {
    await begin();
    await begin();
    await put([right]);
    await expectWhole();
    expect(await bucket.client.findUploadId(studio.bucket, KEY)).toBeUndefined();
  });

  const uploadBegun = () =>
    expect.poll(() => bucket.client.findUploadId(studio.bucket, KEY), { interval: 1, timeout: 30_000 }).toBeDefined();

  it('is begun anew where another pull took it for left', async () => {
    // Two parts come through, so that it has begun.
    proxy.cutAfter(2 * PART + 10_000);
    const putting = put([cut], { patienceMs: 20_000, stallMs: 20_000 });
    await uploadBegun();
    const uploadId = await bucket.client.findUploadId(studio.bucket, KEY);
    await bucket.client.abortMultipartUpload(studio.bucket, KEY, uploadId!);
    proxy.cutAfter(Number.POSITIVE_INFINITY);
    proxy.dropAll();
    await putting;
    await expectWhole();
  });

  it('does not keep a pull that is stopped from ending, and leaves nothing', async () => {
    const way = await startCutProxy(studio.endpoint);
    try {
      const environment = { ...environmentOf(studio), AWS_ENDPOINT_URL: way.url };
      const slow = await openBucket(`s3://${studio.bucket}/shots/one`, { environment });
      const stop = new AbortController();
      proxy.cutAfter(2 * PART + 10_000);
      const stopped = put([cut], { signal: stop.signal, patienceMs: 20_000, stallMs: 20_000 }, slow);
      stopped.catch(() => undefined);
      await uploadBegun();
      // What the bucket answers to a part never comes.
      way.cutAfter(0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      way.cutAfter(Number.POSITIVE_INFINITY);
      stop.abort(new Error('enough'));
      await expect(stopped).rejects.toThrow('enough');
      await expectNothing();
    } finally {
      await way.close();
    }
  });
});

describe('a bucket that takes nothing', () => {
  const open = (target: string, environment: Record<string, string | undefined>) => openBucket(target, { environment });

  it('is refused with what is wrong, before anything is rendered', async () => {
    const environment = environmentOf(studio);
    const target = `s3://${studio.bucket}/x`;
    await expect(open(target, { ...environment, AWS_SECRET_ACCESS_KEY: 'wrong-secret' })).rejects.toMatchObject({
      ...{ code: 'Forbidden', place: { bucket: studio.bucket } },
    });
    await expect(open(target, { ...environment, AWS_ACCESS_KEY_ID: 'nobody' })).rejects.toMatchObject({
      code: 'Forbidden',
    });
    await expect(open(`s3://${studio.bucket}-gone/x`, environment)).rejects.toMatchObject({
      ...{ code: 'NotFound', place: { bucket: `${studio.bucket}-gone`, endpoint: studio.endpoint } },
    });
    await expect(open(target, { ...environment, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'StoreFailed',
    });
    await expect(open(target, { AWS_ACCESS_KEY_ID: 'a' })).rejects.toMatchObject({
      ...{ code: 'SettingInvalid', place: { setting: 'AWS_SECRET_ACCESS_KEY' } },
    });
    await expect(open(target, { ...environment, AWS_ENDPOINT_URL: 'minio:9000' })).rejects.toMatchObject({
      ...{ code: 'SettingInvalid', place: { setting: 'to-endpoint' } },
    });
  });

  it('says which file it refused when the bucket is gone in the middle', async () => {
    await bucket.client.removeBucket(studio.bucket);
    await expect(put([right])).rejects.toMatchObject({ code: 'NotFound', place: { file: KEY } });
  });

  it('is not asked where the address is none', () => {
    expect(parseBucketAddress('s3://frames/a//b/')).toEqual({ bucket: 'frames', prefix: 'a/b/' });
    expect(parseBucketAddress('S3://frames')).toEqual({ bucket: 'frames', prefix: '' });
    for (const target of ['s3://', 's3:///x', 's3://A_B/x', 's3://frames/../x']) {
      expect(() => parseBucketAddress(target), target).toThrow(/names no bucket|in its prefix/);
    }
  });
});
