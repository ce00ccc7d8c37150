import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FrameInspectors } from '../../activities/verify/frameInspectors.ts';
import { DEFAULT_RENDER_SETTINGS } from '../../domain/scene.ts';
import { pictureFromSite, verifyAtSite } from '../../ports/site/client.ts';
import type { VerifyRequest } from '../../ports/site/protocol.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import { encodeExr } from '../../renderer/image/exr/write.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { type SiteAgent, startSiteAgent } from './agent.ts';

const token = randomBytes(24).toString('hex');
const studioId = uuidv7();
const width = 300;
const height = 200;
const inspectors = new FrameInspectors(2);
let store: ObjectStore;
let agent: SiteAgent;
let preview: { hash: string; sizeBytes: number };

beforeAll(async () => {
  const bucket = await createTestBucket();
  store = createMinioStore(bucket);
  agent = await startSiteAgent({
    store,
    inspectors,
    token,
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
  });
  preview = await store.put(studioId, 'frames', randomBytes(1_000), 'image/png');
});
afterAll(async () => {
  await agent.close();
  await inspectors.close();
});

/** A real EXR in the store, as a node puts it. */
async function framed(value: (pixel: number) => number): Promise<{ hash: string; sizeBytes: number }> {
  const data = Float32Array.from({ length: width * height }, (_, pixel) => value(pixel));
  const channels = ['R', 'G', 'B', 'A'].map((name) => ({ name, type: 'half' as const, data, stride: 1, offset: 0 }));
  const bytes = Buffer.from(await encodeExr({ width, height, channels, compression: 'none' }));
  return store.put(studioId, 'frames', bytes, 'image/x-exr');
}

const ordered = {
  ...{ width, height, crop: null },
  output: { ...DEFAULT_RENDER_SETTINGS.output, layers: ['beauty'] },
};
const verify = (request: Partial<VerifyRequest> & Pick<VerifyRequest, 'exr'>) =>
  verifyAtSite({ url: agent.url, token }, { studioId, preview, expected: ordered, ...request });

it('accepts frames, several at a time, and says what is wrong with others', async () => {
  const [fine, black, broken] = await Promise.all([
    framed((pixel) => pixel / 7),
    framed(() => 0),
    framed((pixel) => (pixel === 59_999 ? Number.NaN : 1)),
  ]);
  const verdicts = await Promise.all([fine, black, broken, fine, fine].map((exr) => verify({ exr })));
  expect(verdicts[0]).toEqual({ accepted: true, warnings: [] });
  expect(verdicts[1]).toMatchObject({ accepted: true, warnings: [{ code: 'Black' }] });
  expect(verdicts[2]).toMatchObject({ accepted: false, reason: 'NaN' });
  expect(verdicts.slice(3)).toEqual([verdicts[0], verdicts[0]]);
  expect(await verify({ exr: fine, expected: { ...ordered, width: 301 } })).toMatchObject({ reason: 'Size' });
});

it('refuses what is not there, has another length, is no picture, or lacks its preview', async () => {
  const exr = await framed((pixel) => pixel / 3);
  const noise = await store.put(studioId, 'frames', randomBytes(5_000), 'image/x-exr');
  const missing = { hash: randomBytes(32).toString('hex'), sizeBytes: 10 };
  const refused = { accepted: false, reason: 'Damaged' };
  expect(await verify({ exr: missing })).toMatchObject(refused);
  expect(await verify({ exr: { ...exr, sizeBytes: exr.sizeBytes + 1 } })).toMatchObject(refused);
  expect(await verify({ exr: noise })).toMatchObject(refused);
  expect(await verify({ exr, preview: missing })).toMatchObject(refused);
  expect(await verify({ exr, picture: missing })).toMatchObject(refused);
  expect(await verify({ exr, picture: preview })).toMatchObject({ accepted: true });
  // Another studio's frame is as good as none.
  expect(await verify({ exr, studioId: uuidv7() })).toMatchObject(refused);
});

it('serves who has the token, and says what it does not understand', async () => {
  const exr = { hash: randomBytes(32).toString('hex'), sizeBytes: 10 };
  const wrong = verifyAtSite({ url: agent.url, token: `${token}0` }, { studioId, preview, exr, expected: ordered });
  await expect(wrong).rejects.toMatchObject({ code: 'StoreFailed', message: expect.stringContaining('401') });
  const post = (body: string) =>
    fetch(`${agent.url}/v1/verify`, { method: 'POST', body, headers: { authorization: `Bearer ${token}` } });
  expect((await post('{"studioId": 1}')).status).toBe(400);
  expect((await post('no json')).status).toBe(400);
  const access = { url: agent.url, token };
  const wanted = { studioId, hash: preview.hash, width: 100 };
  // Of bytes that are no picture, of another studio, and for somebody else.
  await expect(pictureFromSite(access, wanted)).rejects.toMatchObject({
    message: expect.stringContaining('no picture'),
  });
  const foreign = { ...wanted, studioId: uuidv7() };
  await expect(pictureFromSite(access, foreign)).rejects.toMatchObject({ message: expect.stringContaining('404') });
  const stranger = { ...access, token: `${token}0` };
  await expect(pictureFromSite(stranger, wanted)).rejects.toMatchObject({ message: expect.stringContaining('403') });
  const tooNarrow = { ...wanted, width: 15 };
  await expect(pictureFromSite(access, tooNarrow)).rejects.toMatchObject({ message: expect.stringContaining('404') });
  expect((await post('x'.repeat(100_000))).status).toBe(400);
  expect((await fetch(`${agent.url}/v1/frames`)).status).toBe(404);
  expect((await fetch(`${agent.url}/v1/health`)).status).toBe(200);
});
