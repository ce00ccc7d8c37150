/** The gateway's word on leases, to a node that says exactly what the test wants. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loseLease } from '../../../ports/db/chunks.ts';
import { commitUnit, refuseUnit } from '../../../ports/db/commit.ts';
import type { StoredFile } from '../../../ports/db/documents.ts';
import type { GatewayClient } from '../../../ports/gateway/client.ts';
import { joinByHand } from '../../../test/support/nodes.ts';
import { addJob, addStudio } from '../../../test/support/rows.ts';
import { openTestApi, type TestApi } from '../testing/openApi.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a node by hand at the gateway', () => {
  let farm: TestApi;
  let studioId: string;
  const scene = randomBytes(3_000);
  const files: StoredFile[] = [{ path: 'shot/scene.glb', sizeBytes: scene.length, hash: sha256(scene) }];

  beforeAll(async () => {
    farm = await openTestApi({ leaseMs: 3_000, claimWaitMs: 2_000 });
    studioId = await addStudio(farm.record.database, 'north');
    await farm.store.put(studioId, 'blobs', scene, 'application/octet-stream');
  });
  afterAll(() => farm?.close());

  const database = () => farm.record.database;
  const ask = (gateway: GatewayClient, waitMs = 0) => gateway.claim({ version: 1, cachedHashes: [], waitMs });
  const measurements = { renderSeconds: 1, samples: 1, rays: 1, width: 8, height: 8, channels: ['R'] };

  it('wakes a waiting claim with an offer, and gives a chunk to one node only', async () => {
    const one = await joinByHand(farm.url, 'hand-1');
    const two = await joinByHand(farm.url, 'hand-2');
    const waiting = [ask(one.gateway, 2_000), ask(two.gateway, 2_000)];
    const { jobId } = await addJob(database(), { studioId, files });
    const leases = (await Promise.all(waiting)).map(({ lease }) => lease).filter((lease) => lease?.jobId === jobId);
    expect(leases).toHaveLength(1);
    expect(JSON.stringify(leases[0])).not.toContain(studioId);
  });

  it('gives nothing for a lease that ran out: no file, no address, no commit', async () => {
    const late = await joinByHand(farm.url, 'hand-3');
    const { jobId, chunkIds } = await addJob(database(), { studioId, files });
    const { lease } = await ask(late.gateway);
    expect(lease?.jobId).toBe(jobId);
    const unit = lease!.units[0]!;
    const bytes = randomBytes(100);
    const said = {
      leaseNumber: lease!.leaseNumber,
      unitId: unit.unitId,
      artifacts: [{ kind: 'exr' as const, hash: sha256(bytes), sizeBytes: bytes.length }],
    };
    const { puts } = await late.gateway.announce(lease!.chunkId, said);
    expect((await fetch(puts[0]!.url!, { method: 'PUT', body: bytes })).status).toBe(200);
    await database().asService((tx) =>
      loseLease(tx, { chunkId: chunkIds[0]!, leaseNumber: lease!.leaseNumber, reason: 'silent' }),
    );
    const lost = { code: 'LeaseLost' };
    await expect(late.gateway.report(lease!.chunkId, { ...said, measurements })).rejects.toMatchObject(lost);
    const lacking = { ...said, artifacts: [{ kind: 'exr' as const, hash: sha256(randomBytes(100)), sizeBytes: 100 }] };
    await expect(late.gateway.report(lease!.chunkId, { ...lacking, measurements })).rejects.toMatchObject(lost);
    await expect(late.gateway.announce(lease!.chunkId, said)).rejects.toMatchObject(lost);
    await expect(
      late.gateway.fetch(lease!.chunkId, { leaseNumber: lease!.leaseNumber, hashes: [files[0]!.hash] }),
    ).rejects.toMatchObject(lost);
    const beat = { leaseNumber: lease!.leaseNumber, progress: [], log: [] };
    expect(await late.gateway.heartbeat(lease!.chunkId, beat)).toMatchObject({
      continue: false,
      reason: 'lease-lost',
    });
    const [row] = await farm.record.query('SELECT status, artifacts, reserved FROM units WHERE job_id = $1', [jobId]);
    expect(row).toMatchObject({ status: 'offered', artifacts: null, reserved: false });
    const lateEvents = await farm.record.query(`SELECT 1 FROM job_events WHERE job_id = $1 AND type = 'unit.late'`, [
      jobId,
    ]);
    expect(lateEvents).toHaveLength(2);
  });

  it('takes no unit whose bytes are not in the store', async () => {
    const { gateway } = await joinByHand(farm.url, 'hand-4');
    await addJob(database(), { studioId, files, priority: 5 });
    const lease = (await ask(gateway)).lease!;
    const bytes = randomBytes(200);
    const artifacts = [{ kind: 'exr' as const, hash: sha256(bytes), sizeBytes: bytes.length }];
    const said = { leaseNumber: lease.leaseNumber, unitId: lease.units[0]!.unitId, artifacts };
    const { puts } = await gateway.announce(lease.chunkId, said);
    expect((await fetch(puts[0]!.url!, { method: 'PUT', body: randomBytes(200) })).status).toBe(400);
    await expect(gateway.report(lease.chunkId, { ...said, measurements })).rejects.toMatchObject({
      code: 'HashMismatch',
    });
    const again = await gateway.announce(lease.chunkId, said);
    expect((await fetch(again.puts[0]!.url!, { method: 'PUT', body: bytes })).status).toBe(200);
    expect((await gateway.announce(lease.chunkId, said)).puts[0]!.url).toBeNull();
    await gateway.report(lease.chunkId, { ...said, measurements });
  });

  it('answers a report when the frame has been judged, if the node wants to wait', async () => {
    const { gateway } = await joinByHand(farm.url, 'hand-7');
    await addJob(database(), { studioId, files, priority: 5, frames: 3 });
    const lease = (await ask(gateway)).lease!;
    const deliver = async (index: number, waitMs: number) => {
      const bytes = randomBytes(200);
      const artifacts = [{ kind: 'exr' as const, hash: sha256(bytes), sizeBytes: bytes.length }];
      const { unitId } = lease.units[index]!;
      const said = { leaseNumber: lease.leaseNumber, unitId, artifacts };
      const { puts } = await gateway.announce(lease.chunkId, said);
      expect((await fetch(puts[0]!.url!, { method: 'PUT', body: bytes })).status).toBe(200);
      const report = () => gateway.report(lease.chunkId, { ...said, measurements, waitMs });
      return { unitId, leaseNumber: lease.leaseNumber, report };
    };
    const isUploaded = async (unitId: string) => {
      const [row] = await farm.record.query<{ status: string }>('SELECT status FROM units WHERE id = $1', [unitId]);
      return row?.status === 'uploaded';
    };
    for (const [index, verdict] of ['commit', 'refuse'].entries()) {
      const { report, ...unit } = await deliver(index, 10_000);
      let isAnswered = false;
      const reported = report().then(() => {
        isAnswered = true;
      });
      await expect.poll(() => isUploaded(unit.unitId)).toBe(true);
      await sleep(200);
      expect(isAnswered).toBe(false);
      await database().asService<unknown>((tx) =>
        verdict === 'commit' ? commitUnit(tx, unit) : refuseUnit(tx, { ...unit, code: 'FrameRefused', message: 'NaN' }),
      );
      await Promise.race([reported, sleep(5_000, undefined, { ref: false })]);
      expect(isAnswered).toBe(true);
      // What was judged before it is said again is not waited for.
      if (verdict === 'commit') await Promise.race([report(), sleep(5_000).then(() => expect.unreachable())]);
    }
    const { report, unitId } = await deliver(2, 300);
    await report();
    expect(await isUploaded(unitId)).toBe(true);
  });

  it('has no file but those of its lease', async () => {
    const { gateway } = await joinByHand(farm.url, 'hand-5');
    const foreign = await farm.store.put(studioId, 'blobs', randomBytes(50), 'application/octet-stream');
    await addJob(database(), { studioId, files, priority: 5 });
    const lease = (await ask(gateway)).lease!;
    await expect(
      gateway.fetch(lease.chunkId, { leaseNumber: lease.leaseNumber, hashes: [foreign.hash] }),
    ).rejects.toMatchObject({
      code: 'NotFound',
    });
    const other = await joinByHand(farm.url, 'hand-6');
    await expect(
      other.gateway.fetch(lease.chunkId, { leaseNumber: lease.leaseNumber, hashes: [files[0]!.hash] }),
    ).rejects.toMatchObject({
      code: 'LeaseLost',
    });
  });
});
