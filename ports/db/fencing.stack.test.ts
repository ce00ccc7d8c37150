import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addLeased,
  addNode,
  addStudio,
  artifactsOf,
  deliver,
  hashOf,
  mustClaim,
  openTestRecord,
  type TestNode,
  type TestRecord,
} from '../../test/support/rows.ts';
import { cancelJobChunks, chunkState, loseLease } from './chunks.ts';
import { commitUnit, refuseUnit } from './commit.ts';
import { CHANNELS, readEvents } from './events.ts';
import { transitionJob } from './jobs.ts';
import { finishLease, heartbeat, requireLease } from './lease.ts';
import { jobBalances } from './ledger.ts';

let record: TestRecord;
let studioId: string;

beforeAll(async () => {
  record = await openTestRecord();
  studioId = await addStudio(record.database, 'studio');
});
afterAll(() => record?.close());

const leased = (name: string, frames = 1) => addLeased(record.database, { studioId, name, frames });

const commit = (unitId: string, leaseNumber: number) =>
  record.database.asService((tx) => commitUnit(tx, { unitId, leaseNumber }));

const lateEvents = async (jobId: string) =>
  (await record.database.asService((tx) => readEvents(tx, { jobId, after: 0, limit: 1000 })))
    .filter(({ type }) => type === 'unit.late')
    .map(({ data }) => data);

/** What the unit and its job cost: receipt lines, commit journals, `spent`. */
async function billed(jobId: string) {
  const [row] = await record.query<object>(
    `SELECT (SELECT count(*)::int FROM receipt_lines WHERE job_id = $1) AS lines,
      (SELECT count(*)::int FROM ledger_journals WHERE job_id = $1 AND kind = 'commit') AS journals, spent, reserved
     FROM jobs WHERE id = $1`,
    [jobId],
  );
  return row;
}

describe('a lease that is over', () => {
  it('refuses the late result of a node that was lost, logs it and bills nothing', async () => {
    const { jobId, node, lease, unitId, chunkId } = await leased('late');
    await record.database.asService((tx) => loseLease(tx, { chunkId, leaseNumber: 1, reason: 'silent' }));
    await expect(deliver(record.database, lease, node.id, unitId)).rejects.toMatchObject({ code: 'LeaseLost' });
    await expect(commit(unitId, 1)).rejects.toMatchObject({ code: 'LeaseLost' });
    expect(await lateEvents(jobId)).toEqual([
      { unitId, node: 'late', leaseNumber: 1, code: 'LeaseLost' },
      { unitId, node: 'late', leaseNumber: 1, code: 'LeaseLost' },
    ]);
    expect(await billed(jobId)).toEqual({ lines: 0, journals: 0, spent: '0', reserved: '0' });
  });

  it('refuses it also when another node has the chunk by then, and commits that one', async () => {
    const { jobId, node, lease, unitId, chunkId } = await leased('taken');
    await record.database.asService((tx) => loseLease(tx, { chunkId, leaseNumber: 1, reason: 'silent' }));
    const second = await addNode(record.database, 'taken-2', { 'attr.test': ['taken'] });
    const newer = await mustClaim(record.database, second);
    expect(newer).toMatchObject({ chunkId, leaseNumber: 2 });
    await expect(deliver(record.database, lease, node.id, unitId)).rejects.toMatchObject({ code: 'LeaseLost' });
    // The number alone does not help somebody else.
    await expect(deliver(record.database, newer, node.id, unitId)).rejects.toMatchObject({ code: 'LeaseLost' });
    await deliver(record.database, newer, second.id, unitId);
    await expect(commit(unitId, 1)).rejects.toMatchObject({ code: 'LeaseLost' });
    expect(await commit(unitId, 2)).toMatchObject({ committed: 1, spent: 10n, chunkCompleted: true });
    expect(await billed(jobId)).toEqual({ lines: 1, journals: 1, spent: '10', reserved: '0' });
    const [line] = await record.query<object>(
      `SELECT node_id, lease_number FROM receipt_lines WHERE job_id = '${jobId}'`,
    );
    expect(line).toEqual({ node_id: second.id, lease_number: '2' });
  });

  it('ends by the database clock: no heartbeat, no result, no lease', async () => {
    const { node, lease, unitId, chunkId } = await leased('clock');
    const key = { chunkId, nodeId: node.id, leaseNumber: 1 };
    const beat = () => record.database.asService((tx) => heartbeat(tx, { ...key, leaseMs: 60_000 }));
    expect(await beat()).toMatchObject({ continue: true, reason: null });
    await record.query(`UPDATE chunks SET lease_ends_at = now() - interval '1 s' WHERE id = '${chunkId}'`);
    expect((await record.database.asService((tx) => chunkState(tx, chunkId))).expired).toBe(true);
    await expect(beat()).rejects.toMatchObject({ code: 'LeaseLost' });
    await expect(deliver(record.database, lease, node.id, unitId)).rejects.toMatchObject({ code: 'LeaseLost' });
    await expect(record.database.asService((tx) => requireLease(tx, key))).rejects.toMatchObject({ code: 'LeaseLost' });
    await expect(
      record.database.asService((tx) => heartbeat(tx, { ...key, leaseNumber: 2, leaseMs: 1 })),
    ).rejects.toMatchObject({ code: 'LeaseLost' });
  });

  it('says how far its own units are, and nothing of others or once it is over', async () => {
    const { database } = record;
    const { jobId, node, unitId, chunkId } = await leased('progress', 2);
    const { unitId: foreign } = await leased('progress elsewhere');
    const heard: { jobId: string; data: object }[] = [];
    let wake = () => {};
    const stop = await database.listen(CHANNELS.transient, (payload) => {
      heard.push(JSON.parse(payload));
      wake();
    });
    const beat = (fraction: number, leaseNumber = 1) =>
      database.singly((statements) =>
        heartbeat(statements, {
          ...{ chunkId, nodeId: node.id, leaseNumber, leaseMs: 60_000 },
          progress: [unitId, foreign].map((id) => ({ unitId: id, fraction })),
        }),
      );
    await expect(beat(0.25, 2)).rejects.toMatchObject({ code: 'LeaseLost' });
    expect(await beat(0.5)).toMatchObject({ continue: true, reason: null, receiptsPending: false });
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const told = { unitId, frame: 1, take: 1, tile: 0, status: 'leased', node: 'progress', fraction: 0.5 };
    expect(heard).toEqual([{ studioId, jobId, type: 'unit.changed', data: told }]);
    await stop();
  });

  it('tells its node to stop when the job is paused or cancelled, and lets it finish after its last commit', async () => {
    const { jobId, node, lease, chunkId } = await leased('stop', 2);
    const key = { chunkId, nodeId: node.id, leaseNumber: 1 };
    const beat = () => record.database.asService((tx) => heartbeat(tx, { ...key, leaseMs: 60_000 }));
    const to = (status: 'paused' | 'active' | 'stopping', pauseReason?: 'user' | 'budget') =>
      record.database.asService((tx) => transitionJob(tx, { jobId, to: status, pauseReason }));
    await to('paused', 'budget');
    expect(await beat()).toMatchObject({ continue: true });
    await to('paused', 'user');
    expect(await beat()).toMatchObject({ continue: false, reason: 'paused' });
    await to('active');
    for (const { unitId } of lease.units) {
      await deliver(record.database, lease, node.id, unitId);
      await commit(unitId, 1);
    }
    expect(await beat()).toMatchObject({ continue: true });
    const finish = () => record.database.asService((tx) => finishLease(tx, { ...key, outcome: 'completed' }));
    await finish();
    await finish();
    const other = await leased('stop-2');
    await record.database.asService((tx) => transitionJob(tx, { jobId: other.jobId, to: 'stopping' }));
    const otherBeat = () =>
      record.database.asService((tx) =>
        heartbeat(tx, { chunkId: other.chunkId, nodeId: other.node.id, leaseNumber: 1, leaseMs: 1000 }),
      );
    expect(await otherBeat()).toMatchObject({ continue: false, reason: 'cancelled' });
    await record.database.asService((tx) => cancelJobChunks(tx, other.jobId));
    expect(await otherBeat()).toMatchObject({ continue: false, reason: 'cancelled' });
    expect(await billed(other.jobId)).toEqual({ lines: 0, journals: 0, spent: '0', reserved: '0' });
  });
});

describe('commitUnit', () => {
  it('commits and bills a unit exactly once, of ten that try at once', async () => {
    const { jobId, node, lease, unitId } = await leased('race');
    await deliver(record.database, lease, node.id, unitId);
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => commit(unitId, 1)));
    const codes = results.map((result) => (result.status === 'fulfilled' ? 'committed' : result.reason.code));
    expect(codes.filter((code) => code === 'committed')).toHaveLength(1);
    expect(codes.filter((code) => code === 'UnitAlreadyCommitted')).toHaveLength(9);
    expect(await lateEvents(jobId)).toHaveLength(9);
    expect(await billed(jobId)).toEqual({ lines: 1, journals: 1, spent: '10', reserved: '0' });
    // Said again by its node: fine. Other bytes for it: too late.
    await deliver(record.database, lease, node.id, unitId);
    const wrong = [{ kind: 'exr' as const, hash: hashOf('other'), sizeBytes: 1 }];
    await expect(deliver(record.database, lease, node.id, unitId, wrong)).rejects.toMatchObject({
      code: 'UnitAlreadyCommitted',
    });
    const [unit] = await record.query<{ artifacts: unknown }>(`SELECT artifacts FROM units WHERE id = '${unitId}'`);
    expect(unit?.artifacts).toEqual(artifactsOf(unitId));
  });

  it('warns of a frame that equals another one of its job, beside what verify found', async () => {
    const { database } = record;
    const { jobId, node, lease } = await leased('twins', 2);
    const [one, other] = lease.units.map(({ unitId }) => unitId);
    const artifacts = artifactsOf('the same');
    for (const unitId of [one!, other!]) await deliver(database, lease, node.id, unitId, artifacts);
    const black = { code: 'Black' as const, message: 'black' };
    const committed = await Promise.all(
      [one!, other!].map((unitId) =>
        database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber, warnings: [black] })),
      ),
    );
    expect(committed.map(({ committed, chunkCompleted }) => ({ committed, chunkCompleted }))).toEqual(
      expect.arrayContaining([
        { committed: 1, chunkCompleted: false },
        { committed: 2, chunkCompleted: true },
      ]),
    );
    const warnings = await record.query<{ warnings: { code: string }[] }>(
      `SELECT warnings FROM units WHERE job_id = $1 ORDER BY committed_at`,
      [jobId],
    );
    expect(warnings.map((row) => row.warnings.map(({ code }) => code))).toEqual([['Black'], ['Black', 'Duplicate']]);
  });

  it('refuses a unit that nobody delivered, and one of another lease', async () => {
    const { jobId, unitId } = await leased('undelivered');
    await expect(commit(unitId, 1)).rejects.toMatchObject({ code: 'LeaseLost' });
    expect(await billed(jobId)).toEqual({ lines: 0, journals: 0, spent: '0', reserved: '10' });
    await expect(commit('00000000-0000-7000-8000-000000000000', 1)).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('commits what was delivered before a pause and refuses what a cancelled job still holds', async () => {
    const { jobId, node, lease } = await leased('cancel', 2);
    const [first, second] = lease.units.map(({ unitId }) => unitId);
    await deliver(record.database, lease, node.id, first!);
    await deliver(record.database, lease, node.id, second!);
    await record.database.asService((tx) => transitionJob(tx, { jobId, to: 'paused', pauseReason: 'user' }));
    await commit(first!, 1);
    await record.database.asService((tx) => transitionJob(tx, { jobId, to: 'stopping', stopReason: 'cancel' }));
    await expect(commit(second!, 1)).rejects.toMatchObject({ code: 'JobStateConflict' });
    await record.database.asService((tx) => cancelJobChunks(tx, jobId));
    await record.database.asService((tx) => transitionJob(tx, { jobId, to: 'cancelled' }));
    await expect(commit(second!, 1)).rejects.toMatchObject({ code: 'JobStateConflict' });
    expect(await lateEvents(jobId)).toHaveLength(2);
    expect(await billed(jobId)).toEqual({ lines: 1, journals: 1, spent: '10', reserved: '0' });
    const balances = await record.database.asService((tx) => jobBalances(tx, jobId));
    expect(balances).toMatchObject({ deposited: 20n, free: 10n, reserved: 0n, earned: 10n, paid: 0n, refunded: 0n });
  });

  it('does not refuse a frame twice, nor one of another lease', async () => {
    const { node, lease, unitId } = await leased('refuse');
    await deliver(record.database, lease, node.id, unitId);
    const refuse = (leaseNumber: number) =>
      record.database.asService((tx) => refuseUnit(tx, { unitId, leaseNumber, code: 'FrameRefused', message: 'NaN' }));
    await expect(refuse(2)).rejects.toMatchObject({ code: 'LeaseLost' });
    expect(await refuse(1)).toHaveLength(1);
    await expect(refuse(1)).rejects.toMatchObject({ code: 'LeaseLost' });
  });
});

it('keeps the name of a node with what it did', async () => {
  const node: TestNode = await addNode(record.database, 'again', { 'attr.test': ['again'] });
  expect((await addNode(record.database, 'again')).id).toBe(node.id);
});
