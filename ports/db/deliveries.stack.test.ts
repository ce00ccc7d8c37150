/** What a studio says of the frames that reached it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  addJob,
  addNode,
  addQuoted,
  addStudio,
  artifactsOf,
  deliver,
  hashOf,
  mustClaim,
  openTestRecord,
  type TestRecord,
} from '../../test/support/rows.ts';
import { uniqueName } from '../../test/support/services.ts';
import { commitUnit } from './commit.ts';
import { acknowledgeFrames } from './deliveries.ts';
import { getJob, transitionJob } from './jobs.ts';

let record: TestRecord;
let studioId: string;
let jobId: string;
let units: string[];

beforeAll(async () => {
  record = await openTestRecord();
});
afterAll(() => record?.close());

/** Three frames, of which so many are committed. */
async function begin(committed: number, awaitDelivery = true): Promise<void> {
  const { database } = record;
  studioId = await addStudio(database, uniqueName('studio-'));
  ({ jobId } = await addJob(database, { studioId, frames: 3, awaitDelivery }));
  const node = await addNode(database, uniqueName('node-'));
  const lease = await mustClaim(database, node);
  units = lease.units.map(({ unitId }) => unitId);
  for (const unitId of units.slice(0, committed)) {
    await deliver(database, lease, node.id, unitId);
    await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
  }
}

const hashIn = (unitId: string): string => artifactsOf(unitId)[0]!.hash;
const say = (ids: string[], hash = hashIn) =>
  record.database.withStudio(studioId, (tx) =>
    acknowledgeFrames(tx, { jobId, frames: ids.map((unitId) => ({ unitId, hash: hash(unitId) })) }),
  );
const job = async () => (await record.database.withStudio(studioId, (tx) => getJob(tx, jobId)))!;
const events = () =>
  record.query<{ data: unknown }>(
    `SELECT data FROM job_events WHERE job_id = $1 AND type = 'delivery.changed' ORDER BY seq`,
    [jobId],
  );

describe('acknowledging frames', () => {
  beforeEach(() => begin(3));

  it('counts each frame once, however often it is said, and knows the last one', async () => {
    expect(await say(units.slice(0, 2))).toMatchObject({ status: 'awaited', delivered: 2, of: 3, isNews: false });
    expect(await say(units.slice(0, 2))).toMatchObject({ status: 'awaited', delivered: 2, of: 3, isNews: false });
    expect(await say(units)).toMatchObject({ status: 'delivered', delivered: 3, of: 3, isNews: true });
    expect(await say(units)).toMatchObject({ status: 'delivered', delivered: 3, of: 3, isNews: false });
    expect((await job()).deliveredAt).toBeInstanceOf(Date);
    expect((await events()).map(({ data }) => data)).toEqual([
      { status: 'awaited', delivered: 2, of: 3 },
      { status: 'delivered', delivered: 3, of: 3 },
    ]);
  });

  it('takes none of a request in which one hash is wrong', async () => {
    const wrong = (unitId: string): string => (unitId === units[2] ? hashOf('other bytes') : hashIn(unitId));
    await expect(say(units, wrong)).rejects.toMatchObject({ code: 'HashMismatch', place: { unit: units[2] } });
    expect(await record.query('SELECT FROM deliveries WHERE job_id = $1', [jobId])).toEqual([]);
    expect((await job()).deliveredUnits).toBe(0);
  });

  it('does not move money or touch the committed frames', async () => {
    const books = () =>
      record.query(
        `SELECT j.spent, j.reserved, j.committed_units, u.artifacts, u.committed_at FROM jobs j JOIN units u ON u.job_id = j.id
         WHERE j.id = $1 ORDER BY u.frame`,
        [jobId],
      );
    const before = await books();
    await say(units);
    expect(await books()).toEqual(before);
  });

  it('is written once and for good', async () => {
    await say(units.slice(0, 1));
    const change = record.database.asService((tx) =>
      tx
        .updateTable('deliveries')
        .set({ deliveredAt: new Date(0) })
        .where('jobId', '=', jobId)
        .execute(),
    );
    await expect(change).rejects.toThrow(/permission denied|append-only/);
  });

  it('shows nothing of it to another studio, and lets none speak for it', async () => {
    await say(units.slice(0, 1));
    const other = await addStudio(record.database, uniqueName('studio-'));
    const seen = await record.database.withStudio(other, (tx) => tx.selectFrom('deliveries').selectAll().execute());
    expect(seen).toEqual([]);
    const frames = [{ unitId: units[1]!, hash: hashIn(units[1]!) }];
    const foreign = record.database.withStudio(other, (tx) => acknowledgeFrames(tx, { jobId, frames }));
    await expect(foreign).rejects.toMatchObject({ code: 'JobNotFound' });
    expect((await job()).deliveredUnits).toBe(1);
  });
});

describe('the end of a job', () => {
  const stop = () =>
    record.database.asService(async (tx) => {
      await transitionJob(tx, { jobId, to: 'stopping', stopReason: 'cancel' });
      await transitionJob(tx, { jobId, to: 'cancelled' });
    });

  it('refuses frames that are not committed', async () => {
    await begin(2);
    await expect(say(units)).rejects.toMatchObject({ code: 'NotFound', place: { unit: units[2] } });
    expect(await say(units.slice(0, 2))).toMatchObject({ status: 'awaited', delivered: 2, of: 3 });
  });

  it('is overdue where frames are missing at the studio, and delivered when they follow', async () => {
    await begin(2);
    await say(units.slice(0, 1));
    await stop();
    expect(await job()).toMatchObject({ delivery: 'overdue', deliveredUnits: 1 });
    expect(await say(units.slice(1, 2))).toMatchObject({ status: 'delivered', delivered: 2, of: 2, isNews: true });
  });

  it('is delivered where the studio has all that came to be', async () => {
    await begin(2);
    await say(units.slice(0, 2));
    await stop();
    expect(await job()).toMatchObject({ delivery: 'delivered', deliveredUnits: 2 });
  });

  it('leaves a job alone whose frames nobody awaits', async () => {
    await begin(2, false);
    await say(units.slice(0, 1));
    await stop();
    expect(await job()).toMatchObject({ delivery: 'on-demand', deliveredUnits: 1 });
  });

  it('awaits nothing of a job that ended without a frame', async () => {
    await begin(0);
    await stop();
    expect(await job()).toMatchObject({ status: 'cancelled', delivery: 'on-demand', deliveredUnits: 0 });
    expect((await events()).map(({ data }) => data)).toEqual([{ status: 'on-demand', delivered: 0, of: 0 }]);
  });

  it.each(['cancelled', 'expired'] as const)('awaits nothing of a quote that is %s', async (to) => {
    const { database } = record;
    studioId = await addStudio(database, uniqueName('studio-'));
    jobId = await addQuoted(database, { studioId, frames: 3, awaitDelivery: true });
    expect((await job()).delivery).toBe('awaited');
    await database.withStudio(studioId, (tx) => transitionJob(tx, { jobId, to }));
    expect(await job()).toMatchObject({ status: to, delivery: 'on-demand' });
  });
});
