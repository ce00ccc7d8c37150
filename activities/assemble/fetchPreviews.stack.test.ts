import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import sharp from 'sharp';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import type { SiteStore, SiteStores } from '../../ports/store/siteStores.ts';
import { createTestBucket, type TestBucket } from '../../test/support/services.ts';
import { type SiteAgent, startSiteAgent } from '../../workers/site/agent.ts';
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
  const wish = { frames: [1, 2], width: 480, folder, signal: new AbortController().signal };
  const [first, second] = await fetchPreviews({ stores, log }, { job: { studioId }, frames }, wish);
  expect(second).toEqual({ frame: 2, previewPath: null });
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
