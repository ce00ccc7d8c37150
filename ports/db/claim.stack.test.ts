import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  addJob,
  addNode,
  addStudio,
  addSubmission,
  claim,
  deliver,
  fileOf,
  hashOf,
  mustClaim,
  openTestRecord,
  type TestNode,
  type TestRecord,
} from '../../test/support/rows.ts';
import { chunkState, insertEstimateChunk, loseLease, offerChunk } from './chunks.ts';
import { commitUnit, refuseUnit } from './commit.ts';
import { setPreparing, transitionJob } from './jobs.ts';
import { finishLease } from './lease.ts';
import { setNodeStatus } from './nodes.ts';
import { offerFirst } from './offerFirst.ts';

let record: TestRecord;
let studio: string;
let other: string;
let node: TestNode;

beforeAll(async () => {
  record = await openTestRecord({ max: 20 });
  studio = await addStudio(record.database, 'studio');
  other = await addStudio(record.database, 'other');
  node = await addNode(record.database, 'node');
});
afterAll(() => record?.close());

// Jobs of earlier tests are no longer matched.
beforeEach(async () => {
  await record.query(
    `UPDATE chunks SET status = 'cancelled', lease_ends_at = NULL WHERE status IN ('planned', 'offered', 'leased')`,
  );
  await record.query(`UPDATE nodes SET status = 'offline' WHERE name <> 'node'`);
});

describe('claimChunk', () => {
  it('never gives one chunk to two of 50 nodes that ask at once', async () => {
    const { database } = record;
    const { jobId } = await addJob(database, {
      studioId: studio,
      name: 'herd',
      frames: 30,
      chunkFrames: 1,
      unitPrice: 7n,
    });
    const nodes = await Promise.all(Array.from({ length: 50 }, (_, i) => addNode(database, `herd-${i}`)));
    // A node may come back empty-handed while another one decides; it asks again, as the gateway does.
    const leases = await Promise.all(
      nodes.map(async (asker) => {
        for (let attempt = 0; attempt < 3; attempt++) {
          const lease = await claim(database, asker);
          if (lease && !('budget' in lease)) return lease;
        }
        return null;
      }),
    );
    const given = leases.filter((lease) => lease !== null);
    expect(given.length).toBe(30);
    expect(new Set(given.map(({ chunkId }) => chunkId)).size).toBe(30);
    expect(new Set(given.flatMap(({ units }) => units.map(({ unitId }) => unitId))).size).toBe(30);
    const [job] = await record.query<{ reserved: string }>(`SELECT reserved FROM jobs WHERE id = '${jobId}'`);
    expect(job?.reserved).toBe('210');
    const attempts = await record.query(`SELECT 1 FROM attempts WHERE job_id = '${jobId}'`);
    expect(attempts.length).toBe(30);
  });

  it('answers all that a node needs', async () => {
    const files = [fileOf('shot/scene.glb'), fileOf('shot/texture.png')];
    const { jobId, chunkIds } = await addJob(record.database, { studioId: studio, name: 'answer', frames: 3, files });
    const lease = await mustClaim(record.database, node, 30_000);
    expect(lease).toMatchObject({
      jobId,
      studioId: studio,
      chunkId: chunkIds[0],
      leaseNumber: 1,
      kind: 'render',
      leaseMs: 30_000,
    });
    expect(lease.units.map(({ frame, take, tile, price }) => [frame, take, tile, price])).toEqual([
      [1, 1, 0, 10n],
      [2, 1, 0, 10n],
      [3, 1, 0, 10n],
    ]);
    expect(lease.main).toBe('shot/scene.glb');
    expect(lease.files).toEqual(files);
    expect(lease.settings).toMatchObject({ engine: 'pathtracer', width: 960 });
    expect(await claim(record.database, node)).toBeNull();
  });

  it('takes calibrations first, then the higher priority, then frames in order', async () => {
    const { database } = record;
    const low = await addJob(database, { studioId: studio, name: 'low', priority: 2, frames: 2, chunkFrames: 1 });
    const high = await addJob(database, { studioId: studio, name: 'high', priority: 4, frames: 2, chunkFrames: 1 });
    const preparing = await addSubmission(database, { studioId: studio, name: 'calibrate', priority: 1 });
    const estimate = await database.asService(async (tx) => {
      await setPreparing(tx, preparing);
      const chunkId = await insertEstimateChunk(tx, { jobId: preparing, frames: [1, 12] });
      await offerChunk(tx, chunkId);
      return chunkId;
    });
    const order = [];
    for (let i = 0; i < 5; i++) order.push((await mustClaim(database, node)).chunkId);
    expect(order).toEqual([estimate, ...high.chunkIds, ...low.chunkIds]);
    const result = { secondsPerFrame: 2, referenceScore: 1, tracedShare: 0.1 };
    const finish = {
      chunkId: estimate,
      nodeId: node.id,
      leaseNumber: 1,
      outcome: 'completed' as const,
      estimate: result,
    };
    await database.asService((tx) => finishLease(tx, finish));
    expect(await database.asService((tx) => chunkState(tx, estimate))).toMatchObject({
      status: 'completed',
      result,
      units: [],
    });
    // Asked again, the calibration that is done is answered.
    expect(await database.asService((tx) => insertEstimateChunk(tx, { jobId: preparing, frames: [1] }))).toBe(estimate);
  });

  it('shares between studios that have the same priority: the one with less under way goes first', async () => {
    const { database } = record;
    const first = await addJob(database, { studioId: studio, name: 'share-a', frames: 3, chunkFrames: 1 });
    const second = await addJob(database, { studioId: other, name: 'share-b', frames: 3, chunkFrames: 1 });
    const order = [];
    for (let i = 0; i < 6; i++) order.push((await mustClaim(database, node)).studioId);
    expect(order).toEqual([studio, other, studio, other, studio, other]);
    expect([first.studioId, second.studioId]).toEqual([studio, other]);
  });

  it('prefers the job whose data the node holds', async () => {
    const { database } = record;
    await addJob(database, { studioId: studio, name: 'far', files: [fileOf('far.glb')] });
    const near = await addJob(database, { studioId: studio, name: 'near', files: [fileOf('near.glb')] });
    const lease = await claim(database, node, 60_000, [hashOf('near.glb')]);
    expect(lease).toMatchObject({ jobId: near.jobId });
  });

  it('gives a node nothing whose needs its labels do not meet', async () => {
    const { database } = record;
    const labels = { 'amount.worker.gpu': 1, 'attr.worker.os.family': ['linux'], 'attr.tag': ['a', 'b'] };
    const gpu = await addNode(database, 'gpu', labels);
    const cases: [object, boolean][] = [
      [{}, true],
      [{ amounts: [{ name: 'amount.worker.gpu', min: 1 }] }, true],
      [{ amounts: [{ name: 'amount.worker.gpu', min: 2 }] }, false],
      [{ amounts: [{ name: 'amount.worker.gpu', min: 0, max: 0 }] }, false],
      [{ amounts: [{ name: 'amount.worker.vcpu', min: 2 }] }, true],
      [{ amounts: [{ name: 'amount.missing', min: 1 }] }, false],
      [{ attributes: [{ name: 'attr.worker.os.family', anyOf: ['windows', 'linux'] }] }, true],
      [{ attributes: [{ name: 'attr.worker.os.family', anyOf: ['windows'] }] }, false],
      [{ attributes: [{ name: 'attr.tag', allOf: ['a', 'b'] }] }, true],
      [{ attributes: [{ name: 'attr.tag', allOf: ['a', 'c'] }] }, false],
      [{ attributes: [{ name: 'attr.missing', anyOf: ['x'] }] }, false],
    ];
    for (const [needs, fits] of cases) {
      const { chunkIds } = await addJob(database, { studioId: studio, name: 'needs', needs });
      const lease = await claim(database, gpu);
      expect([needs, lease !== null]).toEqual([needs, fits]);
      await record.query(`UPDATE chunks SET status = 'cancelled', lease_ends_at = NULL WHERE id = '${chunkIds[0]}'`);
    }
  });

  it('sends a refused frame elsewhere while another node fits, and back when none does', async () => {
    const { database } = record;
    const spare = await addNode(database, 'spare');
    const { chunkIds } = await addJob(database, { studioId: studio, name: 'avoid', frames: 1 });
    const lease = await mustClaim(database, node);
    const unitId = lease.units[0]!.unitId;
    await deliver(database, lease, node.id, unitId);
    await database.asService((tx) => finishLease(tx, { ...lease, nodeId: node.id, outcome: 'completed' }));
    // Done but not verified: nothing to claim, nothing lost.
    expect((await database.asService((tx) => chunkState(tx, chunkIds[0]!))).status).toBe('planned');
    expect(await database.asService((tx) => offerChunk(tx, chunkIds[0]!))).toBe('planned');
    const refusal = { unitId, leaseNumber: 1, code: 'FrameRefused', message: 'NaN', reason: 'nan' };
    const refusals = await database.asService((tx) => refuseUnit(tx, refusal));
    expect(refusals).toMatchObject([{ nodeId: node.id, node: 'node', code: 'FrameRefused', reason: 'nan' }]);
    expect(await database.asService((tx) => chunkState(tx, chunkIds[0]!))).toMatchObject({
      status: 'offered',
      avoid: [node.id],
    });
    expect(await claim(database, node)).toBeNull();
    await database.asService((tx) => setNodeStatus(tx, spare.id, 'offline'));
    expect(await mustClaim(database, node)).toMatchObject({ leaseNumber: 2 });
  });

  it('has the first chunks of a job on offer at once, each as if it had been offered alone, and never again', async () => {
    const { database } = record;
    const options = { studioId: studio, name: 'first', frames: 6, chunkFrames: 2, offered: false };
    const { jobId, chunkIds } = await addJob(database, options);
    const offer = (count: number) => database.asService((tx) => offerFirst(tx, { studioId: studio, jobId }, count));
    await database.asService((tx) => transitionJob(tx, { jobId, to: 'paused', pauseReason: 'user' }));
    expect(await offer(3)).toBe(0);
    await database.asService((tx) => transitionJob(tx, { jobId, to: 'active' }));
    expect(await offer(2)).toBe(2);
    const lease = await mustClaim(database, node);
    expect(lease).toMatchObject({ chunkId: chunkIds[0], leaseNumber: 1, units: [{ frame: 1 }, { frame: 2 }] });
    // Parked: all delivered, none judged.
    for (const { unitId } of lease.units) await deliver(database, lease, node.id, unitId);
    await database.asService((tx) => finishLease(tx, { ...lease, nodeId: node.id, outcome: 'completed' }));
    expect(await offer(3)).toBe(1);
    expect(await offer(3)).toBe(0);
    const states = await Promise.all(chunkIds.map((id) => database.asService((tx) => chunkState(tx, id))));
    expect(states.map(({ status }) => status)).toEqual(['planned', 'offered', 'offered']);
    const events = await record.query<{ id: string }>(
      `SELECT data ->> 'chunkId' AS id FROM job_events WHERE job_id = '${jobId}' AND type = 'chunk.offered' ORDER BY seq`,
    );
    expect(events.map(({ id }) => id)).toEqual(chunkIds);
  });

  it('gives a node that failed a job three times no more of it', async () => {
    const { database } = record;
    const { chunkIds } = await addJob(database, { studioId: studio, name: 'blocked', frames: 4, chunkFrames: 1 });
    const problem = { code: 'RenderFailed', message: 'broken', place: {} };
    for (let i = 0; i < 3; i++) {
      const lease = await mustClaim(database, node);
      await database.asService((tx) => finishLease(tx, { ...lease, nodeId: node.id, outcome: 'failed', problem }));
      expect(await database.asService((tx) => chunkState(tx, lease.chunkId))).toMatchObject({
        status: 'failed',
        problem,
      });
    }
    expect(await claim(database, node)).toBeNull();
    const fresh = await addNode(database, 'fresh');
    expect(await mustClaim(database, fresh)).toMatchObject({ chunkId: chunkIds[3] });
  });

  it('does not count against a node that the store of its site was full or silent, but does what only it has met', async () => {
    const { database } = record;
    const { chunkIds } = await addJob(database, { studioId: studio, name: 'full', frames: 10, chunkFrames: 1 });
    const fail = async (place: Record<string, string | number>, code = 'DiskFull'): Promise<string> => {
      const lease = await mustClaim(database, node);
      const problem = { code, message: 'no space', place };
      await database.asService((tx) => finishLease(tx, { ...lease, nodeId: node.id, outcome: 'failed', problem }));
      return lease.chunkId;
    };
    const failed = [];
    for (let i = 0; i < 4; i++) failed.push(await fail({ origin: 'http://store' }));
    for (let i = 0; i < 2; i++) failed.push(await fail({ silentSeconds: 120 }, 'StoreFailed'));
    failed.push(await fail({ silentSeconds: 120, origin: 'http://store' }, 'StoreFailed'));
    for (let i = 0; i < 2; i++) failed.push(await fail({ path: '/cache' }));
    expect(failed).toEqual(chunkIds.slice(0, 9));
    expect(await claim(database, node)).toBeNull();
  });

  it('gives nothing of a job that is paused, stopping or over, and nothing to a node that drains', async () => {
    const { database } = record;
    const { jobId } = await addJob(database, { studioId: studio, name: 'paused', frames: 1 });
    const to = (status: 'paused' | 'active' | 'stopping' | 'cancelled') =>
      database.asService((tx) => transitionJob(tx, { jobId, to: status }));
    await to('paused');
    expect(await claim(database, node)).toBeNull();
    await to('active');
    expect(await claim(database, { ...node, status: 'draining' })).toBeNull();
    await to('stopping');
    expect(await claim(database, node)).toBeNull();
    await to('cancelled');
    expect(await claim(database, node)).toBeNull();
  });

  it('offers a lost chunk again, without the frames that were delivered in time', async () => {
    const { database } = record;
    const { jobId, chunkIds } = await addJob(database, { studioId: studio, name: 'lost', frames: 3 });
    const lease = await mustClaim(database, node);
    const [delivered, ...rest] = lease.units.map(({ unitId }) => unitId);
    await deliver(database, lease, node.id, delivered!);
    const key = { chunkId: chunkIds[0]!, leaseNumber: 1, reason: 'silent' };
    expect(await database.asService((tx) => loseLease(tx, key))).toBe(true);
    expect(await database.asService((tx) => loseLease(tx, key))).toBe(false);
    const state = await database.asService((tx) => chunkState(tx, chunkIds[0]!));
    expect(state.units.map(({ status }) => status)).toEqual(['uploaded', 'offered', 'offered']);
    expect(state).toMatchObject({ status: 'offered', attempts: { lost: 1, failed: 0 } });
    const again = await mustClaim(database, node);
    expect(again.leaseNumber).toBe(2);
    expect(again.units.map(({ unitId }) => unitId)).toEqual(rest);
    // What came in time is committed under the lease that it came with.
    await database.asService((tx) => commitUnit(tx, { unitId: delivered!, leaseNumber: 1 }));
    const [job] = await record.query<object>(`SELECT reserved, spent FROM jobs WHERE id = '${jobId}'`);
    expect(job).toEqual({ reserved: '20', spent: '10' });
  });
});
