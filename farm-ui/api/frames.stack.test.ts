import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { FrameInspectors } from '../../activities/verify/frameInspectors.ts';
import { commitUnit } from '../../ports/db/commit.ts';
import { setSiteStore } from '../../ports/db/siteStores.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import {
  addJob,
  addLeased,
  addNode,
  addQuoted,
  addStoreSite,
  artifactsOf,
  deliver,
  fileOf,
  mustClaim,
} from '../../test/support/rows.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { startSiteAgent } from '../../workers/site/agent.ts';
import { type Answer, openTwoStudios } from './testing/twoStudios.ts';

const { farm, north, south, call } = await openTwoStudios();
afterAll(() => farm.close());

it('shows frames, and addresses of committed ones only', async () => {
  const { database } = farm.record;
  const { jobId } = await addJob(database, { studioId: north.studioId, frames: 3, priority: 5 });
  const node = await addNode(database, 'painter');
  const lease = await mustClaim(database, node);
  const [one, two] = lease.units;
  const exr = randomBytes(500);
  const stored = await farm.store.put(north.studioId, 'frames', exr, 'image/x-exr');
  const artifacts = [{ kind: 'exr' as const, ...stored }, artifactsOf(one!.unitId)[1]!];
  await deliver(database, lease, node.id, one!.unitId, artifacts);
  await deliver(database, lease, node.id, two!.unitId);
  await database.asService((tx) => commitUnit(tx, { unitId: one!.unitId, leaseNumber: lease.leaseNumber }));

  const first = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames?limit=2`);
  expect(first.body.items).toMatchObject([
    { frame: 1, status: 'committed', node: 'painter', exr: stored, name: 'shot.0001.exr' },
    { frame: 2, status: 'uploaded', exr: null, preview: null },
  ]);
  const second = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames?limit=2&cursor=${first.body.nextCursor}`);
  expect(second.body).toMatchObject({ items: [{ frame: 3 }], nextCursor: null });
  const urls = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames/${one!.unitId}/urls`);
  expect(Buffer.from(await (await fetch(urls.body.exr.url)).arrayBuffer())).toEqual(exr);
  const redirect = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames/${one!.unitId}/exr`);
  expect(redirect.status).toBe(302);
  expect((await fetch(redirect.headers.get('location')!)).headers.get('content-type')).toBe('image/x-exr');
  expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/frames/${two!.unitId}/preview`)).status).toBe(404);
  expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/outputs`)).body.film).toBeNull();
  expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/outputs/film`)).status).toBe(404);
  const { body } = await call(north.key, 'GET', `/v1/jobs/${jobId}`);
  expect(body.frames).toEqual({ total: 3, committed: 1, rendering: 2, failed: 0, billed: 1, cached: 0 });
  expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/why`)).body.reasons[0].code).toBe('Rendering');
  const nodes = (await call(north.key, 'GET', '/v1/nodes')).body.items;
  expect(nodes).toContainEqual(expect.objectContaining({ name: 'painter', working: true, site: 'local' }));
});

it("leads to a smaller preview where the frame's site has an agent, to the whole one elsewhere", async () => {
  const { database } = farm.record;
  const bucket = await createTestBucket();
  const siteId = await addStoreSite(database, 'small-pictures', bucket);
  const store = createMinioStore(bucket);
  const png = await sharp({ create: { width: 900, height: 500, channels: 3, background: '#369' } })
    .png()
    .toBuffer();
  const preview = await store.put(north.studioId, 'frames', png, 'image/png');
  const leased = await addLeased(database, { studioId: north.studioId, name: 'small-pictures' });
  const { jobId, unitId, lease, node } = leased;
  const artifacts = [artifactsOf(unitId)[0]!, { kind: 'preview' as const, ...preview }];
  await deliver(database, lease, node.id, unitId, artifacts, siteId);
  await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
  const path = `/v1/jobs/${jobId}/frames/${unitId}/preview`;
  const shown = async (query: string) => {
    const { status, headers } = await call(north.key, 'GET', `${path}${query}`);
    expect(status).toBe(302);
    const answer = await fetch(headers.get('location')!);
    const { format, width } = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
    return { format, width };
  };
  const whole = { format: 'png', width: 900 };
  expect(await shown('?width=320')).toEqual(whole);

  const token = randomBytes(24).toString('hex');
  const inspectors = new FrameInspectors(1);
  const log = pino({ level: 'silent' });
  const agent = await startSiteAgent({ store, inspectors, token, host: '127.0.0.1', port: 0, log });
  try {
    await database.asService((tx) =>
      setSiteStore(tx, { ...bucket, siteId, nearEndpoint: bucket.endpoint, agentUrl: agent.url, agentToken: token }),
    );
    // The farm looks at a site's row again after some seconds.
    await expect.poll(() => shown('?width=320'), { timeout: 15_000 }).toEqual({ format: 'webp', width: 320 });
    expect(await shown('')).toEqual(whole);
    // A width is for pictures to look at: the EXR is what it is.
    const exr = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames/${unitId}/exr?width=320`);
    expect(exr.headers.get('location')).toContain(bucket.endpoint);
    expect((await call(north.key, 'GET', `${path}?width=0`)).status).toBe(400);
  } finally {
    await agent.close();
    await inspectors.close();
  }
});

it('gives two studios the same answer for what is foreign as for what is not there', async () => {
  const { database } = farm.record;
  const { jobId } = await addJob(database, { studioId: north.studioId, offered: false });
  const unitId = (await farm.record.query<{ id: string }>('SELECT id FROM units WHERE job_id = $1', [jobId]))[0]!.id;
  const nothing = '01980000-0000-7000-8000-0123456789ab';
  const strip = ({ status, body }: Answer, id: string) => ({
    status,
    body: JSON.stringify(body).replaceAll(id, 'ID'),
  });
  const paths: [string, string][] = [
    ['GET', ''],
    ['GET', '/frames'],
    ['GET', `/frames/${unitId}/urls`],
    ['GET', `/frames/${unitId}/preview`],
    ['GET', '/outputs'],
    ['GET', '/outputs/film'],
    ['GET', '/events'],
    ['GET', '/why'],
    ['GET', '/invoice'],
    ['GET', '/invoice.pdf'],
    ['GET', '/invoice.csv'],
    ['POST', '/invoice/verify'],
    ['POST', '/prepare'],
    ['POST', '/accept'],
    ['POST', '/decline'],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/cancel'],
  ];
  for (const [method, path] of paths) {
    const foreign = await call(south.key, method, `/v1/jobs/${jobId}${path}`);
    const unknown = await call(south.key, method, `/v1/jobs/${nothing}${path}`);
    expect([path, foreign.status]).toEqual([path, 404]);
    expect(strip(foreign, jobId)).toEqual(strip(unknown, nothing));
  }
  const raise = await call(south.key, 'POST', `/v1/jobs/${jobId}/raise-cap`, { cap: '99999' });
  expect(raise.status).toBe(404);
  const listed = await call(south.key, 'GET', '/v1/jobs?limit=200');
  expect(listed.body.items.map(({ id }: { id: string }) => id)).not.toContain(jobId);
  expect((await call(south.key, 'GET', '/v1/jobs/not-an-id')).body.code).toBe('JobNotFound');
});

it('asks a studio for bytes that the other has', async () => {
  const file = fileOf('shared.glb');
  await addQuoted(farm.record.database, { studioId: north.studioId, name: 'shared', files: [file] });
  const submit = (key: string) => call(key, 'POST', '/v1/jobs', { name: 'shot', main: file.path, files: [file] });
  expect((await submit(north.key)).body.missing).toEqual([]);
  const other = (await submit(south.key)).body.missing;
  expect(other).toHaveLength(1);
  expect(other[0].url).toContain(south.studioId);
  expect(other[0].url).not.toContain(north.studioId);
});
