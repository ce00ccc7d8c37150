import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import sharp from 'sharp';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FarmError } from '../../domain/errors.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import type { SiteStore, SiteStores } from '../../ports/store/siteStores.ts';
import { createTestBucket, type TestBucket } from '../../test/support/services.ts';
import { type SiteAgent, startSiteAgent } from '../../workers/site/agent.ts';
import { StorePatience } from '../storePatience.ts';
import { FrameInspectors } from '../verify/frameInspectors.ts';
import { fetchPreviews } from './fetchPreviews.ts';

const token = randomBytes(24).toString('hex');
const studioId = uuidv7();
const log = pino({ level: 'silent' });
const inspectors = new FrameInspectors(1);
const noise = sharp({
  create: {
    width: 900,
    height: 500,
    channels: 3,
    background: '#000',
    noise: { type: 'gaussian', mean: 128, sigma: 40 },
  },
});
let bucket: TestBucket;
let store: ObjectStore;
let agent: SiteAgent;
let folder: string;
let preview: { hash: string; sizeBytes: number };

beforeAll(async () => {
  bucket = await createTestBucket();
  store = createMinioStore(bucket);
  agent = await startSiteAgent({ store, inspectors, token, host: '127.0.0.1', port: 0, log });
  folder = await mkdtemp(join(tmpdir(), 'framewright-previews-'));
  preview = await store.put(studioId, 'frames', await noise.png().toBuffer(), 'image/png');
});
afterAll(async () => {
  await agent?.close();
  await inspectors.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Fetches frames 1 (of the site) and 2 (never rendered), at 480 pixels. */
async function fetched(site: Partial<SiteStore>) {
  const at: SiteStore = { siteId: 'site', store, near: store, agent: null, ...site };
  const stores: SiteStores = { home: store, of: async () => at };
  const frames = [{ frame: 1, siteId: 'site', preview }];
  const { signal } = new AbortController();
  const wish = { frames: [1, 2], width: 480, folder, signal, patience: new StorePatience({ seconds: 1, signal }) };
  const [first, second] = await fetchPreviews({ stores, log }, { job: { studioId }, frames }, wish);
  expect(second).toEqual({ frame: 2, previewPath: null, isRendered: false });
  const { width, height } = await sharp(first!.previewPath!).metadata();
  return { width, height, sizeBytes: (await stat(first!.previewPath!)).size };
}

it('takes no more of a picture across a link than is shown', async () => {
  // The farm does not reach the site's store at all: what comes is what its agent sends.
  const closed = createMinioStore({ ...bucket, endpoint: 'http://127.0.0.1:1' });
  const { sizeBytes, ...size } = await fetched({ store: closed, agent: { url: agent.url, token } });
  expect(size).toEqual({ width: 480, height: 267 });
  expect(sizeBytes).toBeLessThan(preview.sizeBytes / 4);
});

it('takes it whole from a site without an agent, or with one that does not serve', async () => {
  const whole = { width: 900, height: 500, sizeBytes: preview.sizeBytes };
  expect(await fetched({ agent: null })).toEqual(whole);
  expect(await fetched({ agent: { url: 'http://127.0.0.1:1', token } })).toEqual(whole);
  expect(await fetched({ agent: { url: agent.url, token: `${token}0` } })).toEqual(whole);
});

it('waits for a store that is away for a moment, gives one up that stays away, and leaves no write behind when it fails', async () => {
  const { signal } = new AbortController();
  let calls = 0;
  let writing = 0;
  const stub = (getToFile: ObjectStore['getToFile']): ObjectStore => ({ ...store, getToFile });
  const away = async () => Promise.reject(new FarmError('StoreFailed', 'ECONNREFUSED'));
  const at: Record<string, ObjectStore> = {
    blinks: stub((...wanted) => (calls++ === 0 ? away() : store.getToFile(...wanted))),
    gone: stub(away),
    lacks: stub(() => Promise.reject(new FarmError('NotFound', 'no such bytes'))),
    slow: stub(async () => {
      writing++;
      await sleep(50);
      writing--;
    }),
  };
  const stores: SiteStores = {
    home: store,
    of: async (siteId) => ({ siteId, store: at[siteId!]!, near: store, agent: null }),
  };
  const fetchFrom = (sites: string[]) => {
    const frames = sites.map((siteId, at) => ({
      frame: at + 1,
      siteId,
      preview: at === 0 ? preview : { hash: `${at}` },
    }));
    const patience = new StorePatience({ seconds: 0.3, signal });
    const wish = { frames: sites.map((_, at) => at + 1), width: 480, folder, signal, patience };
    return fetchPreviews({ stores, log }, { job: { studioId }, frames }, wish).then((shown) => ({ shown, patience }));
  };
  const { shown, patience } = await fetchFrom(['blinks', 'gone']);
  expect(shown).toMatchObject([{ previewPath: expect.any(String) }, { previewPath: null, isRendered: true }]);
  expect(patience.away).toEqual(['gone']);
  await expect(fetchFrom(['lacks', 'slow'])).rejects.toMatchObject({ code: 'NotFound' });
  expect(writing).toBe(0);
});
