/** A frame from a site's store through its agent to a studio's disk. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FrameInspectors } from '../../activities/verify/frameInspectors.ts';
import { download } from '../../cli/sdk/delivery/download.ts';
import { PartFiles } from '../../cli/sdk/delivery/partFiles.ts';
import { decodeTransit } from '../../cli/sdk/delivery/transitDecoder.ts';
import { signFrameAddress } from '../../ports/site/frameTicket.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import { encodeExr } from '../../renderer/image/exr/write.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { type SiteAgent, startSiteAgent } from './agent.ts';
import { blocksOf, packBlock, rawBlock } from './transitEncoder.ts';

const token = randomBytes(24).toString('hex');
const studioId = uuidv7();
const inspectors = new FrameInspectors(1);
let folder: string;
let store: ObjectStore;
let agent: SiteAgent;
let picture: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-transit-'));
  store = createMinioStore(await createTestBucket());
  agent = await startSiteAgent({
    store,
    inspectors,
    token,
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
  });
  // A gradient with noise, as a picture traced with few samples has.
  const random = xoroshiro128plus(7);
  const [width, height] = [640, 361];
  const data = Float32Array.from(
    { length: width * height },
    (_, n) => (n % width) / width + (random.next() & 255) / 4096,
  );
  const channels = ['R', 'G', 'B', 'A'].map((name) => ({ name, type: 'half' as const, data, stride: 1, offset: 0 }));
  picture = Buffer.from(await encodeExr({ width, height, channels, compression: 'none' }));
});
afterAll(async () => {
  await agent.close();
  await inspectors.close();
  await rm(folder, { recursive: true, force: true });
});

const addressOf = (hash: string, seconds = 60): string =>
  signFrameAddress({ url: agent.url, token }, { studioId, hash }, new Date(Date.now() + seconds * 1000));

async function pulled(bytes: Buffer, transit: 'auto' | 'on', name: string) {
  const { hash, sizeBytes } = await store.put(studioId, 'frames', bytes, 'image/x-exr');
  const sources = [{ url: addressOf(hash), transit }];
  const parts = new PartFiles(folder);
  const options = { parts, sourcesAgain: async () => sources, patienceMs: 500 };
  const result = await download({ name, hash, sizeBytes, sources }, options).finally(() => parts.close());
  expect((await readFile(join(folder, name))).equals(bytes)).toBe(true);
  return result;
}

it('brings the same bytes with fewer on the way, and no more for what does not shrink', async () => {
  const { receivedBytes } = await pulled(picture, 'on', 'picture.exr');
  expect(receivedBytes).toBeLessThan(picture.length * 0.75);
  const auto = await pulled(picture, 'auto', 'auto.exr');
  expect(auto.receivedBytes).toBeLessThan(picture.length * 1.001);
  const noise = randomBytes(1_000_001);
  expect((await pulled(noise, 'on', 'noise.exr')).receivedBytes).toBeLessThan(noise.length * 1.001);
});

it('goes on from any byte', async () => {
  const hash = createHash('sha256').update(picture).digest('hex');
  const random = xoroshiro128plus(11);
  for (let run = 0; run < 5; run++) {
    const name = `half-${run}.exr`;
    const kept = (random.next() >>> 0) % picture.length;
    await writeFile(join(folder, `${name}.${hash.slice(0, 8)}.part`), picture.subarray(0, kept));
    await pulled(picture, 'on', name);
  }
});

it('gives a frame only to who has its signed address, and not for longer', async () => {
  const { hash } = await store.put(studioId, 'frames', picture, 'image/x-exr');
  const status = async (url: string) => (await fetch(url)).status;
  const right = addressOf(hash);
  expect(await status(right)).toBe(200);
  expect(await status(addressOf(hash, -1))).toBe(403);
  expect(await status(right.replace(/expires=\d+/, 'expires=99999999999'))).toBe(403);
  expect(await status(right.replace(studioId, uuidv7()))).toBe(403);
  expect(await status(right.replace(/signature=.*/, ''))).toBe(403);
  expect(await status(addressOf(createHash('sha256').update('none').digest('hex')))).toBe(404);
});

it.each([1, 2, 7, 262_143, 262_144, 262_145, 700_001])('packs and opens %i bytes', async (length) => {
  const bytes = Buffer.concat([picture, picture]).subarray(1, 1 + length);
  const stream = async function* () {
    const pieces = async function* () {
      for (let at = 0; at < length; at += 65_537) yield bytes.subarray(at, at + 65_537);
    };
    let turn = 0;
    for await (const block of blocksOf(pieces())) yield turn++ % 2 ? rawBlock(block) : (await packBlock(block)).bytes;
  };
  const opened: Buffer[] = [];
  for await (const part of decodeTransit(stream(), () => undefined)) opened.push(part);
  expect(Buffer.concat(opened).equals(bytes)).toBe(true);
});

it.each(['', '00000000', 'ffffffff00000000', '0000100005000000aabbccddee'])('refuses "%s" for a block', async (hex) => {
  const stream = async function* () {
    yield Buffer.from(hex || '01', 'hex');
  };
  const open = async () => {
    for await (const _ of decodeTransit(stream(), () => undefined));
  };
  await expect(open()).rejects.toThrow();
});
