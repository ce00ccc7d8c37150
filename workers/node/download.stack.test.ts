/** One blob from real stores behind ways that lie, fall silent, break off, slow down or are gone, at seeded random bytes. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGatewayClient } from '../../ports/gateway/client.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { type Fault, type FaultyProxy, startFaultyProxy } from '../../test/support/faultyProxy.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { type BadCopy, download, type Source } from './download.ts';
import { PartFile } from './partFile.ts';

const SIZE = 2_500_000;
/** Of each kind of fault. */
const PLACES = 3;
const studioId = uuidv7();
const bytes = randomBytes(SIZE);
const hash = createHash('sha256').update(bytes).digest('hex');
const gateway = createGatewayClient('http://127.0.0.1:9');
const random = xoroshiro128plus(31);
const places = Array.from({ length: PLACES }, () => (random.next() >>> 0) % SIZE);

let folder: string;
let proxy: FaultyProxy;
let right: Source;
let faulty: Source;
let part: PartFile;
let bad: BadCopy[];
/** Net of what was dropped. */
let came: number;
const gone: Source = { url: 'http://127.0.0.1:9/gone', site: 'garage', bytesPerSecond: 1e6 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-sources-'));
  const bucket = await createTestBucket();
  proxy = await startFaultyProxy(bucket.endpoint);
  const put = { studioId, kind: 'blobs' as const, hash, expiresSeconds: 3_600 };
  await createMinioStore(bucket).put(studioId, 'blobs', bytes, 'application/octet-stream');
  const addressBy = (publicEndpoint: string) => createMinioStore({ ...bucket, publicEndpoint }).presignGet(put);
  right = { url: await addressBy(bucket.endpoint), site: null, bytesPerSecond: null };
  faulty = { url: await addressBy(proxy.url), site: 'garage', bytesPerSecond: null };
});
afterAll(async () => {
  await part?.close();
  await proxy?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  proxy.fault = null;
  await fresh();
});

async function fresh(): Promise<void> {
  await part?.close();
  part = await PartFile.open(join(folder, uuidv7()));
  bad = [];
  came = 0;
}

/** Other tests may take the processor for a while: only those who are about slowness are quick to leave a source for it. */
const getQuick = (slowMs: number | undefined, ...sources: Source[]) =>
  download(part, { hash, sizeBytes: SIZE }, sources, {
    ...{ gateway, signal: new AbortController().signal, stallMs: 1_500, slowMs },
    onBytes: (count) => {
      came += count;
    },
    onBad: (copy) => bad.push(copy),
  });

const get = (...sources: Source[]) => getQuick(undefined, ...sources);

function expectWhole(): void {
  expect({ hash: part.hash, sizeBytes: part.sizeBytes, came }).toEqual({ hash, sizeBytes: SIZE, came: SIZE });
}

describe('a source of a blob', () => {
  it.each(places)('that lies at byte %i is named and left, for another or with one error', async (at) => {
    proxy.fault = { kind: 'wrong', at };
    await get(faulty, right);
    expectWhole();
    expect(bad).toEqual([{ hash, site: 'garage', offset: null }]);
    await fresh();
    await expect(get(faulty)).rejects.toMatchObject({ code: 'HashMismatch', place: { hash } });
    expect([bad.length, part.sizeBytes, came]).toEqual([1, 0, 0]);
    // Where two sources make up the bytes, nobody is blamed who did not bring all of them.
    await fresh();
    proxy.fault = { kind: 'wrong', at };
    await part.append(bytes.subarray(0, Math.floor(at / 2)));
    came = part.sizeBytes;
    await get(faulty, right);
    expectWhole();
    expect(bad.map(({ site }) => site)).toEqual(['garage']);
  });

  it.each((['silent', 'closed'] as const).flatMap((kind) => [0, ...places].map((at) => [kind, at] as const)))(
    'that is %s from byte %i on is left; what it brought is kept',
    async (kind, at) => {
      proxy.fault = { kind, at };
      await get(faulty, gone, right);
      expectWhole();
      await fresh();
      await expect(get(gone, faulty)).rejects.toMatchObject({ code: 'StoreFailed' });
      const kept = part.sizeBytes;
      // What came together with the end of the connection may not have been read.
      if (kind === 'silent') expect(kept).toBe(at);
      expect([came, bad, kept <= at]).toEqual([kept, [], true]);
      // The next try goes on there.
      const before = proxy.sentBytes;
      proxy.fault = null;
      await get(faulty);
      expectWhole();
      expect(proxy.sentBytes - before).toBe(SIZE - kept);
    },
  );

  it('that is gone, or has no such object, fails with the place that does not answer', async () => {
    await expect(get(gone)).rejects.toMatchObject({ code: 'StoreFailed', place: { origin: 'http://127.0.0.1:9' } });
    const missing = { ...right, url: right.url.replace(hash, '0'.repeat(64)) };
    await expect(get(missing)).rejects.toMatchObject({ code: 'StoreFailed', place: { status: 403 } });
    await expect(get()).rejects.toMatchObject({ code: 'NotFound', place: { hash } });
    await get(missing, gone, right);
    expectWhole();
  });

  it.each(places.slice(0, 2))(
    'whose rate drops to a tenth after byte %i is left, where another promises more',
    async (at) => {
      // As fast as this machine goes, then so that the rest would take minutes.
      const slow: Fault = { kind: 'slow', at, bytesPerSecond: Math.max(1, (SIZE - at) / 300) };
      proxy.fault = slow;
      await getQuick(700, { ...faulty, bytesPerSecond: slow.bytesPerSecond * 10 }, { ...right, bytesPerSecond: 100e6 });
      expectWhole();
      expect(proxy.sentBytes).toBeGreaterThan(at);
      expect(bad).toEqual([]);
    },
  );

  it('whose rate drops stays, where there is no other', async () => {
    proxy.fault = { kind: 'slow', at: SIZE - 100_000, bytesPerSecond: 100_000 };
    await getQuick(700, { ...faulty, bytesPerSecond: 1e6 });
    expectWhole();
  });
});
