import { afterAll, beforeAll, expect, it } from 'vitest';
import { commitUnit } from '../../ports/db/commit.ts';
import { recordBlobCopies } from '../../ports/db/copies.ts';
import { acknowledgeFrames } from '../../ports/db/deliveries.ts';
import { transitionJob } from '../../ports/db/jobs.ts';
import { loseSite } from '../../ports/db/lostSites.ts';
import { requireSite } from '../../ports/db/sites.ts';
import { addJob, addNode, addStudio, artifactsOf, deliver, fileOf, mustClaim } from '../../test/support/rows.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { openTestApi, type TestApi } from './testing/openApi.ts';

let farm: TestApi;
let operator: string;
let td: string;
let bucket: Awaited<ReturnType<typeof createTestBucket>>;

beforeAll(async () => {
  farm = await openTestApi();
  bucket = await createTestBucket();
  operator = await farm.key(null, 'operator');
  td = await farm.key(await addStudio(farm.record.database, 'sites'), 'td');
});
afterAll(() => farm?.close());

async function ask(method: string, path: string, key: string, body?: unknown) {
  const answer = await fetch(farm.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, body: (answer.status === 204 ? {} : await answer.json()) as Record<string, unknown> };
}

it('registers a site once its store has answered, and never tells its keys', async () => {
  const store = { ...bucket, bucket: `${bucket.bucket}-site` };
  const site = { name: 'berlin', country: 'DE', linkUpBytes: 41.25e6, priceFactor: 0.8, store };
  expect(await ask('POST', '/v1/sites', td, site)).toMatchObject({ status: 403, body: { code: 'Forbidden' } });
  for (const wrong of [{ secretKey: 'wrong-secret' }, { endpoint: 'http://127.0.0.1:9' }]) {
    const answer = await ask('POST', '/v1/sites', operator, { ...site, store: { ...store, ...wrong } });
    expect(answer).toMatchObject({ body: { code: 'StoreFailed' } });
  }
  const dumb = { ...store, agent: { url: 'http://127.0.0.1:9', token: 'a token of a site' } };
  expect(await ask('POST', '/v1/sites', operator, { ...site, store: dumb })).toMatchObject({
    body: { code: 'StoreFailed', detail: expect.stringContaining('agent') },
  });
  expect(await farm.record.query('SELECT name FROM sites')).toEqual([{ name: 'local' }]);

  const made = await ask('POST', '/v1/sites', operator, site);
  expect(made).toMatchObject({
    status: 201,
    body: { name: 'berlin', kind: 'edge', status: 'online', country: 'DE', hasStore: true, priceFactor: 0.8 },
  });
  expect(JSON.stringify(made)).not.toContain(store.secretKey);
  expect(await ask('POST', '/v1/sites', operator, site)).toMatchObject({ body: { code: 'JobStateConflict' } });
  const listed = (await ask('GET', '/v1/sites', td)).body.items as { name: string }[];
  expect(listed.map(({ name }) => name)).toEqual(['local', 'berlin']);
  expect(JSON.stringify(listed)).not.toContain(store.secretKey);
});

it('counts what is stored at each site, and gives up no frames by the way', async () => {
  const other = await openTestApi();
  try {
    const { database, query } = other.record;
    const studioId = await addStudio(database, 'stored');
    const node = await addNode(database, 'painter', {}, 'berlin');
    const { jobId } = await addJob(database, { studioId, frames: 2, files: [fileOf('scene.glb')] });
    const lease = await mustClaim(database, node);
    for (const [index, { unitId }] of lease.units.entries()) {
      await deliver(database, lease, node.id, unitId);
      const site = index === 0 ? 'berlin' : 'local';
      await query(`UPDATE units SET site_id = (SELECT id FROM sites WHERE name = $2) WHERE id = $1`, [unitId, site]);
      await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
    }
    await query(
      `INSERT INTO object_copies (studio_id, kind, hash, site_id) SELECT $1, 'blobs', hash, s.id FROM blobs, sites AS s WHERE s.name = 'berlin'`,
      [studioId],
    );
    const seenBy = async (key: string) => {
      const answer = await fetch(`${other.url}/v1/sites`, { headers: { authorization: `Bearer ${key}` } });
      const { items } = (await answer.json()) as { items: { name: string; storedBytes: number; nodes: number }[] };
      return items.map(({ name, storedBytes, nodes }) => ({ name, storedBytes, nodes }));
    };
    // A frame is 1000 bytes with 100 of its preview; the scene is as long as its name.
    expect(await seenBy(await other.key(null, 'operator'))).toEqual([
      { name: 'local', storedBytes: 1109, nodes: 0 },
      { name: 'berlin', storedBytes: 1109, nodes: 1 },
    ]);
    // A studio could subtract its own from what all studios store together.
    expect(await seenBy(await other.key(studioId, 'finance'))).toEqual([
      { name: 'local', storedBytes: null, nodes: 0 },
      { name: 'berlin', storedBytes: null, nodes: 1 },
    ]);

    // A site is not taken out with frames that no studio has; unless that is what its operator wants.
    const key = await other.key(null, 'operator');
    const change = async (method: string, path: string, body: unknown) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      return (await fetch(other.url + path, { method, headers, body: JSON.stringify(body) })).json();
    };
    const remove = (more = {}) => change('PATCH', '/v1/sites/berlin', { status: 'removed', ...more });
    expect(await remove({ force: true })).toMatchObject({ code: 'JobStateConflict' });
    await database.asService((tx) => transitionJob(tx, { jobId, to: 'completed' }));
    const refused = { code: 'FramesWouldBeLost', place: { site: 'berlin', frames: 1, jobs: 1, job: jobId } };
    expect(await remove()).toMatchObject(refused);
    expect(await remove({ force: true })).toMatchObject({ status: 'removed' });
    expect(await change('POST', '/v1/sites', { name: 'berlin' })).toMatchObject({ status: 'online' });
    expect(await remove()).toMatchObject(refused);
    const { unitId } = lease.units[0]!;
    const hash = artifactsOf(unitId).find(({ kind }) => kind === 'exr')!.hash;
    await database.asService((tx) => acknowledgeFrames(tx, { jobId, frames: [{ unitId, hash }] }));
    expect(await remove()).toMatchObject({ status: 'removed' });
  } finally {
    await other.close();
  }
});

it('drains, resumes, changes, removes and takes back a site', async () => {
  const change = (body: unknown, name = 'berlin') => ask('PATCH', `/v1/sites/${name}`, operator, body);
  expect((await change({ status: 'draining' })).body.status).toBe('draining');
  expect((await change({ status: 'online', linkUpBytes: null, country: 'FR' })).body).toMatchObject({
    ...{ status: 'online', linkUpBytes: null, country: 'FR', priceFactor: 0.8, hasStore: true },
  });
  expect(await change({ status: 'removed' }, 'local')).toMatchObject({ body: { code: 'JobStateConflict' } });
  expect(await change({ country: 'Germany' })).toMatchObject({ status: 400 });
  const { database } = farm.record;
  const { id } = await database.asService((tx) => requireSite(tx, 'berlin'));
  const studioId = await addStudio(database, 'copies');
  const copy = { studioId, siteId: id, hashes: ['0'.repeat(64)] };
  await database.asService((tx) => recordBlobCopies(tx, copy));
  expect((await change({ status: 'removed' })).body).toMatchObject({ status: 'removed', hasStore: false });
  expect(await farm.record.query('SELECT 1 FROM site_stores')).toEqual([]);
  // Registered once more with an empty store, it must not be asked for what it had.
  expect(await farm.record.query('SELECT 1 FROM object_copies')).toEqual([]);
  // Whoever waited for its store meanwhile does not bring it back.
  expect(await database.asService((tx) => loseSite(tx, { id, name: 'berlin' }))).toEqual([]);
  expect(await farm.record.query(`SELECT status FROM sites WHERE id = '${id}'`)).toEqual([{ status: 'removed' }]);
  expect(await change({ status: 'online' })).toMatchObject({ status: 404 });
  expect(await ask('POST', '/v1/sites', operator, { name: 'berlin' })).toMatchObject({
    status: 201,
    body: { status: 'online', hasStore: false },
  });
});

it('refuses pins that no site can keep before anything is sent', async () => {
  const check = (placement: unknown) =>
    ask('POST', '/v1/jobs/check', td, {
      ...{ name: 'pinned', main: 'shot.glb', files: [{ path: 'shot.glb', sizeBytes: 10 }] },
      placement,
    });
  const refused = { status: 422, body: { code: 'PlacementImpossible' } };
  expect(await check({ sites: ['nowhere'] })).toMatchObject(refused);
  // What is submitted lies in the farm's own store, which must be in that country too.
  expect(await check({ country: 'DE' })).toMatchObject(refused);
  expect((await ask('PATCH', '/v1/sites/local', operator, { country: 'DE' })).status).toBe(200);
  expect(await check({ country: 'DE', sites: ['berlin'] })).toMatchObject(refused);
  expect((await check({ country: 'DE', sites: ['local'] })).status).toBe(204);
  expect((await check({ objective: 'cost' })).status).toBe(204);
});

it('says of a job what a site really did, and tells whoever looks when a site changes', async () => {
  const { database, query } = farm.record;
  const studioId = await addStudio(database, 'looker');
  const { jobId } = await addJob(database, { studioId, frames: 2, files: [fileOf('a/scene.glb')] });
  const node = await addNode(database, 'painter', {}, 'berlin');
  const lease = await mustClaim(database, node);
  await query(
    `UPDATE jobs SET placement = jsonb_set(placement, '{decision}', '{"at": "2026-01-01T00:00:00Z", "shares": [], "leftOut": []}')
     WHERE id = $1`,
    [jobId],
  );
  const [first] = lease.units;
  await deliver(database, lease, node.id, first!.unitId);
  await query(`UPDATE units SET site_id = (SELECT id FROM sites WHERE name = 'berlin') WHERE id = $1`, [first!.unitId]);
  await database.asService((tx) => commitUnit(tx, { unitId: first!.unitId, leaseNumber: lease.leaseNumber }));
  const looker = await farm.key(studioId, 'artist');
  const job = (await ask('GET', `/v1/jobs/${jobId}`, looker)).body as {
    placement: { actual: Record<string, unknown>[] };
  };
  expect(job.placement.actual).toEqual([expect.objectContaining({ name: 'berlin', frames: 1 })]);
  const { beganSeconds, lastSeconds } = job.placement.actual[0] as Record<string, number>;
  expect(lastSeconds).toBeGreaterThanOrEqual(beganSeconds!);

  const stop = new AbortController();
  const stream = await fetch(`${farm.url}/v1/sites/events`, {
    headers: { authorization: `Bearer ${looker}` },
    signal: stop.signal,
  });
  const read = stream.body!.getReader();
  let heard = '';
  await ask('PATCH', '/v1/sites/berlin', operator, { linkDownBytes: 5e6 });
  while (!heard.includes('sites.changed')) heard += new TextDecoder().decode((await read.read()).value);
  stop.abort();
  await read.cancel().catch(() => undefined);
});
