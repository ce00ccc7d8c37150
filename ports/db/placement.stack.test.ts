import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  addJob,
  addNode,
  addStudio,
  claim,
  deliver,
  mustClaim,
  openTestRecord,
  type TestNode,
  type TestRecord,
} from '../../test/support/rows.ts';
import { finishLease } from './lease.ts';
import { loseSite, regainSite, takeBackUnverified, unverifiedAt } from './lostSites.ts';
import type { PlacementDocument } from './placement.ts';
import { changeSite, registerSite, requireSite } from './sites.ts';

let record: TestRecord;
let studio: string;
let berlin: TestNode;
let paris: TestNode;
const id: Record<string, string> = {};

/** A second to render, ten to bring back over 4 MB/s. */
const load = { renderSeconds: 1, backBytes: 40e6, sharedBytes: 4e6, ownBytes: 0, heldOwnBytes: 0 };

beforeAll(async () => {
  record = await openTestRecord();
  studio = await addStudio(record.database, 'studio');
  for (const [name, country] of [
    ['berlin', 'DE'],
    ['paris', 'FR'],
  ] as const) {
    id[name] = await record.database.asService(async (tx) => {
      await registerSite(tx, name, { country, linkDownBytes: 4e6, linkUpBytes: 4e6 }, null);
      return (await requireSite(tx, name)).id;
    });
  }
  berlin = await addNode(record.database, 'node-b', {}, 'berlin');
  paris = await addNode(record.database, 'node-p', {}, 'paris');
});
afterAll(() => record?.close());
beforeEach(async () => {
  await record.query(
    `UPDATE chunks SET status = 'cancelled', lease_ends_at = NULL WHERE status IN ('planned', 'offered', 'leased')`,
  );
  await record.query(`UPDATE nodes SET status = 'online'`);
  await record.query(`UPDATE sites SET status = 'online', wanted = 'online'`);
});

/** A job of single-frame chunks, placed by the names of sites. */
async function placed(names: (string | null)[], document: PlacementDocument = { load }) {
  const siteIds = names.map((name) => (name === null ? null : id[name]!)) as string[];
  const options = { studioId: studio, name: `job-${Math.random()}`, frames: names.length, chunkFrames: 1, siteIds };
  const job = await addJob(record.database, { ...options, offered: true });
  await record.query(`UPDATE jobs SET placement = $1 WHERE id = $2`, [JSON.stringify(document), job.jobId]);
  return job;
}
const status = (name: string, to: 'online' | 'draining') =>
  record.database.asService((tx) => changeSite(tx, id[name]!, { status: to }));

it('gives a site what is placed there, and what is placed nowhere', async () => {
  const { chunkIds } = await placed(['paris', 'berlin', null, 'paris', 'berlin']);
  const got = [];
  for (const node of [berlin, paris, berlin]) got.push((await mustClaim(record.database, node)).chunkId);
  expect(got).toEqual([chunkIds[1], chunkIds[0], chunkIds[2]]);
});

it('lets an idle site take over the last chunk of one that is behind, and nothing that would not gain', async () => {
  const { jobId, chunkIds } = await placed(['paris', 'paris', 'paris', 'paris']);
  expect((await mustClaim(record.database, paris)).chunkId).toBe(chunkIds[0]);
  const taken = await mustClaim(record.database, berlin);
  expect(taken.chunkId).toBe(chunkIds[3]);
  const [event] = await record.query<{ data: object }>(
    `SELECT data FROM job_events WHERE job_id = '${jobId}' AND type = 'chunks.moved'`,
  );
  expect(event?.data).toMatchObject({ chunks: 1, from: 'paris', to: 'berlin' });
  // It has a frame on its link now: with a second one it would be done no earlier than paris with its three.
  for (const { unitId } of taken.units) await deliver(record.database, taken, berlin.id, unitId);
  const { chunkId, leaseNumber } = taken;
  await record.database.asService((tx) =>
    finishLease(tx, { chunkId, leaseNumber, nodeId: berlin.id, outcome: 'completed' }),
  );
  const second = await mustClaim(record.database, berlin);
  expect(second.chunkId).toBe(chunkIds[2]);
  expect(await claim(record.database, berlin)).toBeNull();
});

it('takes over all that waits at a site without nodes', async () => {
  const { chunkIds } = await placed(['paris', 'paris']);
  await record.query(`UPDATE nodes SET status = 'offline' WHERE name = 'node-p'`);
  const got = [await mustClaim(record.database, berlin), await mustClaim(record.database, berlin)];
  expect(got.map(({ chunkId }) => chunkId).sort()).toEqual([...chunkIds].sort());
});

it('never lets a film leave the site or the country that it is pinned to', async () => {
  for (const wish of [{ sites: ['paris'] }, { country: 'FR' }]) {
    const document = { load, wish: { objective: 'finish' as const, ...wish } };
    await placed([null, 'paris', 'berlin'], document);
    await record.query(`UPDATE nodes SET status = 'offline' WHERE name = 'node-p'`);
    expect(await claim(record.database, berlin)).toBeNull();
    await record.query(`UPDATE nodes SET status = 'online'`);
    for (let chunk = 0; chunk < 3; chunk++) await mustClaim(record.database, paris);
    expect(await claim(record.database, paris)).toBeNull();
  }
});

it('gives a draining site nothing new', async () => {
  const { chunkIds } = await placed(['paris', null]);
  await status('paris', 'draining');
  expect(await claim(record.database, paris)).toBeNull();
  expect((await mustClaim(record.database, berlin)).chunkId).toBe(chunkIds[1]);
  await status('paris', 'online');
  expect((await mustClaim(record.database, paris)).chunkId).toBe(chunkIds[0]);
});

it('lets a chunk that failed at its site be rendered at another one', async () => {
  const { chunkIds } = await placed(['paris']);
  await record.query(`UPDATE chunks SET avoid = ARRAY['${paris.id}']::uuid[] WHERE id = '${chunkIds[0]}'`);
  expect(await claim(record.database, paris)).toBeNull();
  expect((await mustClaim(record.database, berlin)).chunkId).toBe(chunkIds[0]);
});

it('places chunks of a lost site anew, where its pins allow, and takes it back when it answers', async () => {
  const free = await placed(['paris', 'paris', null]);
  const pinned = await placed(['paris'], { load, wish: { objective: 'finish', sites: ['paris'] } });
  await record.query(`UPDATE nodes SET status = 'offline' WHERE name = 'node-p'`);
  const lost = await record.database.asService((tx) => loseSite(tx, { id: id.paris!, name: 'paris' }));
  expect(lost.find(({ jobId }) => jobId === free.jobId)).toMatchObject({ moved: 2, frames: 0 });
  const placedAt = await record.query<{ siteId: string | null }>(
    `SELECT site_id AS "siteId" FROM chunks WHERE job_id = '${free.jobId}' ORDER BY index`,
  );
  expect(placedAt.map(({ siteId }) => siteId)).toEqual([id.berlin, id.berlin, null]);
  await record.query(`UPDATE nodes SET status = 'online'`);
  expect(await claim(record.database, paris)).toBeNull();
  for (let chunk = 0; chunk < 3; chunk++) expect((await mustClaim(record.database, berlin)).jobId).toBe(free.jobId);
  expect(await claim(record.database, berlin)).toBeNull();
  const [event] = await record.query<{ data: object }>(
    `SELECT data FROM job_events WHERE job_id = '${free.jobId}' AND type = 'chunks.moved'`,
  );
  expect(event?.data).toMatchObject({ chunks: 2, from: 'paris', to: 'berlin' });
  await record.database.asService((tx) => regainSite(tx, id.paris!));
  expect((await mustClaim(record.database, paris)).jobId).toBe(pinned.jobId);
});

it('keeps in mind that a site drains while it is lost', async () => {
  const { database } = record;
  const lose = () => database.asService((tx) => loseSite(tx, { id: id.paris!, name: 'paris' }));
  const regain = () => database.asService((tx) => regainSite(tx, id.paris!));
  const paris = async () => (await database.asService((tx) => requireSite(tx, 'paris'))).status;
  await status('paris', 'draining');
  await lose();
  expect(await paris()).toBe('lost');
  await regain();
  expect(await paris()).toBe('draining');
  // What is said of a lost site holds when it is back; it is lost until it answers.
  await lose();
  await status('paris', 'online');
  expect(await paris()).toBe('lost');
  await regain();
  expect(await paris()).toBe('online');
});

it('renders again what was delivered to a site that is lost before it was verified', async () => {
  const { database, query } = record;
  const { jobId } = await placed(['paris', 'berlin']);
  const lease = await mustClaim(database, paris);
  const [unit] = lease.units;
  await deliver(database, lease, paris.id, unit!.unitId, undefined, id.paris);
  await database.asService((tx) =>
    finishLease(tx, { chunkId: lease.chunkId, leaseNumber: 1, nodeId: paris.id, outcome: 'completed' }),
  );
  await database.asService((tx) => loseSite(tx, { id: id.paris!, name: 'paris' }));
  const waiting = await database.asService((tx) => unverifiedAt(tx, id.paris!));
  expect(waiting).toEqual([lease.chunkId]);
  for (const chunkId of waiting) {
    expect(await database.asService((tx) => takeBackUnverified(tx, { id: id.paris!, name: 'paris' }, chunkId))).toBe(1);
  }
  expect(await database.asService((tx) => unverifiedAt(tx, id.paris!))).toEqual([]);
  const again = [await mustClaim(database, berlin), await mustClaim(database, berlin)];
  expect(again.map(({ units }) => units[0]!.unitId)).toContain(unit!.unitId);
  // Reserved for the two leases, and for nothing else.
  expect(await query(`SELECT reserved::int FROM jobs WHERE id = $1`, [jobId])).toEqual([{ reserved: 20 }]);
});
