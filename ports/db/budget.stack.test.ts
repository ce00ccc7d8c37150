import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { chunkState, loseLease, offerChunk } from './chunks.ts';
import type { ClaimedLease } from './claim.ts';
import { commitUnit, refuseUnit } from './commit.ts';
import { readEvents } from './events.ts';
import { findOrphans } from './janitor.ts';
import { raiseCap, requireJob } from './jobs.ts';
import { finishLease } from './lease.ts';
import { balance, jobBalances, post } from './ledger.ts';

let record: TestRecord;
let studioId: string;
let nodes: TestNode[];

beforeAll(async () => {
  record = await openTestRecord();
  studioId = await addStudio(record.database, 'studio');
  nodes = await Promise.all(['a', 'b', 'c'].map((name) => addNode(record.database, name)));
});
afterAll(() => record?.close());

const job = (jobId: string) => record.database.asService((tx) => requireJob(tx, jobId));

/** What must hold at any time of a job: the cap, the ledger equal to the columns, reservations equal to units that hold one. */
async function checkBooks(jobId: string, deposited: bigint): Promise<void> {
  const { cap, reserved, spent, committedUnits } = await job(jobId);
  expect(reserved + spent <= cap).toBe(true);
  const balances = await record.database.asService((tx) => jobBalances(tx, jobId));
  expect(balances).toMatchObject({ deposited, free: deposited - reserved - spent, reserved, earned: spent, paid: 0n });
  const [sums] = await record.query<{ total: string; held: string; lines: number; billed: string }>(
    `SELECT (SELECT coalesce(sum(p.amount), 0) FROM ledger_postings AS p)::text AS total,
      (SELECT coalesce(sum(price), 0) FROM units WHERE job_id = $1 AND reserved)::text AS held,
      (SELECT count(*)::int FROM receipt_lines WHERE job_id = $1) AS lines,
      (SELECT coalesce(sum(amount), 0) FROM receipt_lines WHERE job_id = $1)::text AS billed`,
    [jobId],
  );
  expect(sums).toEqual({ total: '0', held: String(reserved), lines: committedUnits, billed: String(spent) });
  const orphans = await record.database.asService((tx) => findOrphans(tx));
  expect(orphans.strayReservations).toEqual([]);
}

describe('the cap', () => {
  it('holds through any order of claims, commits, refusals, lost and ended leases', async () => {
    const step = fc.record({
      what: fc.constantFrom(
        'claim',
        'claim',
        'deliver',
        'commit',
        'commit',
        'refuse',
        'lose',
        'finish',
        'fail',
        'offer',
        'together',
      ),
      which: fc.nat(99),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 12, maxLength: 30 }),
        fc.record({
          frames: fc.integer({ min: 2, max: 8 }),
          chunkFrames: fc.integer({ min: 1, max: 4 }),
          cap: fc.integer({ min: 10, max: 70 }),
        }),
        async (steps, { frames, chunkFrames, cap }) => {
          const { database } = record;
          // Earlier runs' chunks are out of the way.
          await record.query(
            `UPDATE chunks SET status = 'cancelled', lease_ends_at = NULL WHERE status IN ('planned', 'offered', 'leased')`,
          );
          await record.query('UPDATE nodes SET status = $1', ['online']);
          const unitPrice = 10n;
          const { jobId, chunkIds } = await addJob(database, {
            ...{ studioId, name: `run-${run++}`, frames, chunkFrames, unitPrice, cap: BigInt(cap) },
            policy: { failuresPerNode: 1000 },
          });
          const leases: (ClaimedLease & { node: TestNode })[] = [];
          const take = async (node: TestNode) => {
            const lease = await claim(database, node);
            if (lease && !('budget' in lease)) leases.push({ ...lease, node });
          };
          /** Refusals are part of the game; anything else is a defect. */
          const tolerate = (error: { code?: string }) => {
            if (error.code !== 'LeaseLost' && error.code !== 'UnitAlreadyCommitted') throw error;
          };
          for (const { what, which } of steps) {
            const lease = leases[which % Math.max(1, leases.length)];
            const unitId = lease?.units[which % lease.units.length]?.unitId;
            const commit = () =>
              database
                .asService((tx) => commitUnit(tx, { unitId: unitId!, leaseNumber: lease!.leaseNumber }))
                .catch(tolerate);
            if (what === 'claim') await take(nodes[which % 3]!);
            if (what === 'together') await Promise.all([...nodes.map(take), ...(lease ? [commit(), commit()] : [])]);
            if (what === 'offer') await database.asService((tx) => offerChunk(tx, chunkIds[which % chunkIds.length]!));
            if (!lease || !unitId) continue;
            const { chunkId, leaseNumber } = lease;
            const key = { chunkId, leaseNumber, nodeId: lease.node.id };
            if (what === 'deliver') await deliver(database, lease, lease.node.id, unitId).catch(tolerate);
            if (what === 'commit') await commit();
            if (what === 'refuse') {
              const refusal = { unitId, leaseNumber, code: 'FrameRefused', message: 'NaN' };
              await database.asService((tx) => refuseUnit(tx, refusal)).catch(tolerate);
            }
            if (what === 'lose')
              await database.asService((tx) => loseLease(tx, { chunkId, leaseNumber, reason: 'silent' }));
            if (what === 'finish') {
              await database.asService((tx) => finishLease(tx, { ...key, outcome: 'completed' })).catch(tolerate);
            }
            if (what === 'fail') {
              const problem = { code: 'RenderFailed', message: 'broken', place: {} };
              await database.asService((tx) => finishLease(tx, { ...key, outcome: 'failed', problem })).catch(tolerate);
            }
          }
          await checkBooks(jobId, BigInt(cap));
          // Whatever happened, the job can be brought to its end: raise the cap, deliver and commit the rest.
          const total = unitPrice * BigInt(frames);
          if (BigInt(cap) < total) {
            await database.asService((tx) => raiseCap(tx, { jobId, cap: total }));
            const postings = [
              { account: 'wallet', amount: BigInt(cap) - total },
              { account: `job:${jobId}:free`, amount: total - BigInt(cap) },
            ];
            await database.asService((tx) =>
              post(tx, { studioId, jobId, kind: 'deposit', reference: `more:${jobId}`, postings }),
            );
          }
          for (const chunkId of chunkIds) await endChunk(chunkId);
          expect(await job(jobId)).toMatchObject({
            status: 'active',
            spent: total,
            reserved: 0n,
            committedUnits: frames,
          });
          await checkBooks(jobId, BigInt(cap) < total ? total : BigInt(cap));
        },
      ),
      { seed: 20_261_123, numRuns: 8 },
    );
  });

  /** Brings one chunk to its end, from whatever state it is in. */
  async function endChunk(chunkId: string): Promise<void> {
    const { database } = record;
    for (let round = 0; round < 30; round++) {
      const state = await database.asService((tx) => chunkState(tx, chunkId));
      if (state.status === 'completed') return;
      for (const { unitId, status, leaseNumber } of state.units) {
        if (status === 'uploaded')
          await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: leaseNumber! }));
      }
      const { leaseNumber } = state;
      if (state.status === 'leased')
        await database.asService((tx) => loseLease(tx, { chunkId, leaseNumber, reason: 'end' }));
      await database.asService((tx) => offerChunk(tx, chunkId));
      for (const node of nodes) {
        const lease = await claim(database, node);
        if (!lease || 'budget' in lease) continue;
        for (const { unitId } of lease.units) await deliver(database, lease, node.id, unitId);
        await database.asService((tx) => finishLease(tx, { ...lease, nodeId: node.id, outcome: 'completed' }));
      }
    }
    throw new Error('The chunk does not end.');
  }

  it('leases what fits, pauses the job when the next unit does not, and lets it go on when the cap is raised', async () => {
    const { database } = record;
    await record.query(
      `UPDATE chunks SET status = 'cancelled', lease_ends_at = NULL WHERE status IN ('planned', 'offered', 'leased')`,
    );
    const { jobId, chunkIds } = await addJob(database, {
      studioId,
      name: 'capped',
      frames: 4,
      unitPrice: 10n,
      cap: 29n,
    });
    const node = nodes[0]!;
    const lease = await mustClaim(database, node);
    expect(lease.units.map(({ frame }) => frame)).toEqual([1, 2]);
    for (const { unitId } of lease.units) {
      await deliver(database, lease, node.id, unitId);
      await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: 1 }));
    }
    await database.asService((tx) => finishLease(tx, { ...lease, nodeId: node.id, outcome: 'completed' }));
    expect(await claim(database, node)).toEqual({ budget: true });
    expect(await claim(database, node)).toBeNull();
    expect(await job(jobId)).toMatchObject({
      ...{ status: 'paused', pauseReason: 'budget', spent: 20n, reserved: 0n },
      problem: { code: 'BudgetExceeded', place: { cap: '29', nextPrice: '10' } },
    });
    const events = await database.asService((tx) => readEvents(tx, { jobId, after: 0, limit: 100 }));
    expect(events.at(-1)).toMatchObject({ type: 'job.changed', data: { status: 'paused', pauseReason: 'budget' } });
    await expect(database.asService((tx) => raiseCap(tx, { jobId, cap: 29n }))).rejects.toMatchObject({
      code: 'CapTooSmall',
    });
    // A base unit short: it stays paused.
    await record.query(`UPDATE jobs SET cap = 28 WHERE id = '${jobId}'`);
    expect(await database.withStudio(studioId, (tx) => raiseCap(tx, { jobId, cap: 29n }))).toMatchObject({
      status: 'paused',
    });
    expect(await database.withStudio(studioId, (tx) => raiseCap(tx, { jobId, cap: 40n }))).toMatchObject({
      ...{ status: 'active', pauseReason: null, problem: null, cap: 40n },
    });
    expect((await mustClaim(database, node)).units.map(({ frame }) => frame)).toEqual([3, 4]);
    expect(await database.asService((tx) => chunkState(tx, chunkIds[0]!))).toMatchObject({
      status: 'leased',
      leaseNumber: 2,
    });
  });

  it('lets a job go on by itself when a lost lease gives its money back', async () => {
    const { database } = record;
    await record.query(
      `UPDATE chunks SET status = 'cancelled', lease_ends_at = NULL WHERE status IN ('planned', 'offered', 'leased')`,
    );
    const { jobId } = await addJob(database, {
      studioId,
      name: 'back',
      frames: 2,
      chunkFrames: 1,
      unitPrice: 10n,
      cap: 10n,
    });
    const lease = await mustClaim(database, nodes[0]!);
    expect(await claim(database, nodes[1]!)).toEqual({ budget: true });
    expect(await job(jobId)).toMatchObject({ status: 'paused' });
    await database.asService((tx) => loseLease(tx, { ...lease, reason: 'silent' }));
    expect(await job(jobId)).toMatchObject({ status: 'active', pauseReason: null });
    expect(await mustClaim(database, nodes[1]!)).toMatchObject({ jobId });
  });
});

describe('the ledger', () => {
  it('posts a journal once, sums accounts by studio, and refuses what does not balance', async () => {
    const { database } = record;
    const { jobId } = await addJob(database, { studioId, name: 'ledger', frames: 1, cap: 100n, offered: false });
    const entry = { studioId, jobId, kind: 'deposit' as const, reference: 'twice' };
    const postings = [
      { account: 'x', amount: -5n },
      { account: 'y', amount: 2n },
      { account: 'y', amount: 3n },
      { account: 'z', amount: 0n },
    ];
    expect(await database.asService((tx) => post(tx, { ...entry, postings }))).toBe(true);
    expect(await database.asService((tx) => post(tx, { ...entry, postings }))).toBe(false);
    expect(await database.asService((tx) => balance(tx, 'y'))).toBe(5n);
    expect(await database.withStudio(await addStudio(database, 'stranger'), (tx) => balance(tx, 'y'))).toBe(0n);
    await expect(
      database.asService((tx) => post(tx, { ...entry, reference: 'odd', postings: [{ account: 'x', amount: 1n }] })),
    ).rejects.toMatchObject({ code: 'LedgerUnbalanced' });
    // The database itself refuses it too, when the transaction ends.
    await expect(
      database.asService(async (tx) => {
        const { id } = await tx
          .selectFrom('ledgerJournals')
          .select('id')
          .where('jobId', '=', jobId)
          .executeTakeFirstOrThrow();
        await tx
          .insertInto('ledgerPostings')
          .values({ studioId, journalId: id, account: 'thin air', amount: 1n })
          .execute();
      }),
    ).rejects.toMatchObject({ code: 'FW002' });
    const huge = 10n ** 77n;
    await database.asService((tx) =>
      post(tx, {
        ...entry,
        reference: 'huge',
        postings: [
          { account: 'h', amount: huge },
          { account: 'i', amount: -huge },
        ],
      }),
    );
    expect(await database.asService((tx) => balance(tx, 'i', studioId))).toBe(-huge);
  });
});
