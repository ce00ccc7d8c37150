import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addJob,
  addNode,
  addQuoted,
  addStudio,
  addSubmission,
  deliver,
  fileOf,
  hashOf,
  mustClaim,
  openTestRecord,
  type TestRecord,
} from '../../test/support/rows.ts';
import { announceBlobs, blobStates, expireAnnouncements, knownBlobs, recordBlobs, unreferencedBlobs } from './blobs.ts';
import { cancelJobChunks, insertEstimateChunk, insertPlan, offerChunk } from './chunks.ts';
import { outlook } from './claim.ts';
import type { Tx } from './client.ts';
import { commitUnit } from './commit.ts';
import { findOrphans } from './janitor.ts';
import {
  acceptQuote,
  endStage,
  getJob,
  getVersion,
  listJobs,
  purgeSubmission,
  setPreparing,
  startStage,
  transitionJob,
} from './jobs.ts';
import { hearNode, joinNode, listNodes, markSilentNodesOffline } from './nodes.ts';
import { committedFrames, framesPage } from './queries/frames.ts';
import { jobParts } from './queries/jobs.ts';
import { whyWaiting } from './queries/why.ts';
import { latestReceipts, nextReceipt, pendingForNode, receiptUnits, storeNodeSignature } from './receipts.ts';

let record: TestRecord;
let studioId: string;

beforeAll(async () => {
  record = await openTestRecord();
  studioId = await addStudio(record.database, 'studio');
});
afterAll(() => record?.close());

const service = <T>(work: (tx: Tx) => Promise<T>) => record.database.asService(work);
const blobs = (...names: string[]) => names.map(fileOf);

describe('a submission', () => {
  it('that is purged leaves nothing, and takes only what no one else needs', async () => {
    const { database } = record;
    await addQuoted(database, { studioId, name: 'kept', files: blobs('kept.glb', 'shared-with-version.png') });
    const waiting = await addSubmission(database, {
      studioId,
      name: 'waiting',
      files: blobs('waiting.glb', 'shared-with-waiting.png'),
    });
    const node = await addNode(database, 'calibrator');
    await service((tx) => recordBlobs(tx, studioId, blobs('waiting.glb', 'shared-with-waiting.png')));
    const before = await record.countRows();

    const files = blobs('mine.glb', 'announced-only.png', 'shared-with-version.png', 'shared-with-waiting.png');
    const jobId = await addSubmission(database, { studioId, name: 'refused', files });
    await service((tx) => recordBlobs(tx, studioId, blobs('mine.glb', 'shared-with-version.png')));
    await service(async (tx) => {
      await setPreparing(tx, jobId);
      await offerChunk(tx, await insertEstimateChunk(tx, { jobId, frames: [1] }));
    });
    await mustClaim(database, node);
    expect(await service((tx) => unreferencedBlobs(tx, jobId))).toEqual(
      [hashOf('mine.glb'), hashOf('announced-only.png')].sort(),
    );
    expect(await database.withStudio(studioId, (tx) => purgeSubmission(tx, jobId))).toEqual(
      [hashOf('mine.glb'), hashOf('announced-only.png')].sort(),
    );
    expect(await record.countRows()).toEqual(before);
    expect(await service((tx) => getJob(tx, jobId))).toBeNull();
    const hashes = files.map(({ hash }) => hash);
    const known = await service((tx) => knownBlobs(tx, studioId, hashes));
    expect([...known].sort()).toEqual([hashOf('shared-with-version.png'), hashOf('shared-with-waiting.png')].sort());
    expect(await service((tx) => purgeSubmission(tx, waiting))).toEqual(
      [hashOf('waiting.glb'), hashOf('shared-with-waiting.png')].sort(),
    );
    await expect(service((tx) => purgeSubmission(tx, jobId))).rejects.toMatchObject({ code: 'JobNotFound' });
  });

  it('takes over what was sent ahead of it, and what nobody came for is forgotten', async () => {
    const { database } = record;
    const [scene, picture, lost] = blobs('ahead.glb', 'ahead.png', 'lost.png');
    await service((tx) => announceBlobs(tx, studioId, [scene!, picture!], 60));
    await service((tx) => announceBlobs(tx, studioId, [lost!], -1));
    const asked = await service((tx) => blobStates(tx, studioId, [scene!, picture!, lost!]));
    expect([...asked.announced].sort()).toEqual([scene!.hash, picture!.hash].sort());
    const jobId = await addSubmission(database, { studioId, name: 'ahead', files: [scene!] });
    expect((await service((tx) => blobStates(tx, studioId, [scene!]))).announced.size).toBe(1);
    expect(await service((tx) => expireAnnouncements(tx))).toEqual([{ studioId, hash: lost!.hash }]);
    await service((tx) => announceBlobs(tx, studioId, [scene!], -1));
    expect(await service((tx) => expireAnnouncements(tx))).toEqual([]);
    expect(await service((tx) => purgeSubmission(tx, jobId))).toEqual([scene!.hash]);
    const next = await addSubmission(database, { studioId, name: 'next', files: [picture!] });
    await service((tx) => announceBlobs(tx, studioId, [picture!], 60));
    // Another upload under way was told that the store has it.
    expect(await service((tx) => purgeSubmission(tx, next))).toEqual([]);
  });

  it('that is quoted stays, and the same files are the same version of the project', async () => {
    const { database } = record;
    const first = await addQuoted(database, { studioId, name: 'film', files: blobs('a.glb', 'b.png') });
    const same = await addQuoted(database, { studioId, name: 'film', files: blobs('a.glb', 'b.png') });
    const next = await addQuoted(database, { studioId, name: 'film', files: blobs('a.glb', 'c.png') });
    const versions = await service(async (tx) => [
      await getVersion(tx, first),
      await getVersion(tx, same),
      await getVersion(tx, next),
    ]);
    expect(versions.map((version) => version?.number)).toEqual([1, 1, 2]);
    expect(versions[0]?.id).toBe(versions[1]?.id);
    await expect(service((tx) => purgeSubmission(tx, first))).rejects.toMatchObject({ code: 'JobStateConflict' });
    await expect(service((tx) => transitionJob(tx, { jobId: first, to: 'paused' }))).rejects.toMatchObject({
      code: 'JobStateConflict',
    });
    await record.query(`UPDATE quotes SET expires_at = now() WHERE job_id = $1`, [first]);
    await expect(service((tx) => acceptQuote(tx, { jobId: first, cap: 100n }))).rejects.toMatchObject({
      code: 'QuoteExpired',
    });
    const { expiredQuotes } = await service((tx) => findOrphans(tx));
    expect(expiredQuotes).toEqual([{ studioId, jobId: first }]);
  });

  it('tells how long its stages took, once', async () => {
    const jobId = await addSubmission(record.database, { studioId, name: 'stages' });
    await service(async (tx) => {
      await startStage(tx, jobId, 'plan');
      await endStage(tx, jobId, 'plan', 2.5);
      await startStage(tx, jobId, 'plan');
      await endStage(tx, jobId, 'plan', 99);
    });
    const job = await service((tx) => getJob(tx, jobId));
    expect(job).toMatchObject({ stage: 'plan', stageSeconds: { plan: 2.5 } });
    expect(Object.keys(job!.stageStarted).sort()).toEqual(['intake', 'plan']);
  });
});

describe('what pages ask', () => {
  it('lists jobs newest first, page by page, and each studio its own', async () => {
    const other = await addStudio(record.database, 'lister');
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await addSubmission(record.database, { studioId: other, name: `job-${i}` }));
    const page = (cursor?: string | null, status?: 'uploading' | 'active') =>
      record.database.withStudio(other, (tx) => listJobs(tx, { limit: 2, cursor, status }));
    const first = await page();
    const second = await page(first.nextCursor);
    const third = await page(second.nextCursor, 'uploading');
    expect([...first.items, ...second.items, ...third.items].map(({ id }) => id)).toEqual(ids.reverse());
    expect(third.nextCursor).toBeNull();
    expect((await page(null, 'active')).items).toEqual([]);
  });

  it('shows frames in order with their nodes, and counts, receipts and parts that agree', async () => {
    const { database } = record;
    const node = await addNode(database, 'painter', { 'attr.test': ['painter'] });
    const needs = { attributes: [{ name: 'attr.test', anyOf: ['painter'] }] };
    const { jobId } = await addJob(database, { studioId, name: 'frames', frames: 5, chunkFrames: 3, needs });
    const lease = await mustClaim(database, node);
    const order = [2, 0].map((i) => lease.units[i]!.unitId);
    const receipt = () =>
      service((tx) =>
        nextReceipt(tx, {
          jobId,
          nodeId: node.id,
          computeRoot: (units) => `0x${hashOf(units.map(({ unitId }) => unitId).join())}`,
        }),
      );
    expect(await receipt()).toBeNull();
    for (const unitId of order) {
      await deliver(database, lease, node.id, unitId);
      await service((tx) =>
        commitUnit(tx, { unitId, leaseNumber: 1, warnings: [{ code: 'Black', message: 'black' }] }),
      );
      expect(await receipt()).toMatchObject({
        unitsRoot: `0x${hashOf(order.slice(0, order.indexOf(unitId) + 1).join())}`,
      });
      expect(await receipt()).toBeNull();
    }
    const [newest] = await service((tx) => latestReceipts(tx, jobId));
    expect(newest).toMatchObject({ sequence: 2, cumulative: 20n, unitCount: 2 });
    // The first receipt can be made again from the lines, although more were written since.
    expect((await service((tx) => receiptUnits(tx, { ...newest!, unitCount: 1 }))).map(({ unitId }) => unitId)).toEqual(
      [order[0]],
    );
    expect((await service((tx) => outlook(tx, node.id)))?.receiptsPending).toBe(true);
    expect(await service((tx) => pendingForNode(tx, node.id))).toMatchObject([
      { sequence: 2, units: order.map((unitId) => ({ unitId, amount: 10n })) },
    ]);
    await service((tx) => storeNodeSignature(tx, { jobId, nodeId: node.id, sequence: 2, signature: '0xsigned' }));
    expect((await service((tx) => outlook(tx, node.id)))?.receiptsPending).toBe(false);
    expect(await service((tx) => pendingForNode(tx, node.id))).toEqual([]);

    const mine = <T>(work: (tx: Tx) => Promise<T>) => database.withStudio(studioId, work);
    const pages = [];
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page: Awaited<ReturnType<typeof framesPage>> = await mine((tx) =>
        framesPage(tx, { jobId, cursor, limit: 2 }),
      );
      pages.push(page.items.map(({ frame, layer, node: by, status }) => [frame, layer, by, status]));
      cursor = page.nextCursor;
    }
    expect(pages).toEqual([
      [
        [1, 'beauty', 'painter', 'committed'],
        [2, 'beauty', 'painter', 'leased'],
      ],
      [
        [3, 'beauty', 'painter', 'committed'],
        [4, 'beauty', null, 'offered'],
      ],
      [[5, 'beauty', null, 'offered']],
    ]);
    await expect(mine((tx) => framesPage(tx, { jobId, cursor: 'nonsense', limit: 2 }))).rejects.toMatchObject({
      code: 'RequestInvalid',
    });
    expect(
      (await mine((tx) => committedFrames(tx, jobId))).map(({ frame, warnings }) => [frame, warnings[0]?.code]),
    ).toEqual([
      [1, 'Black'],
      [3, 'Black'],
    ]);
    const job = (await mine((tx) => getJob(tx, jobId)))!;
    const [parts] = await mine((tx) => jobParts(tx, [job]));
    expect(parts).toMatchObject({
      ...{ version: 1, inspection: { warnings: [] } },
      quote: { unitPrice: 10n, total: 50n },
      frames: { total: 5, committed: 2, rendering: 1, failed: 0, billed: 2, byStatus: { offered: 2 } },
    });
    // The list of files may be long and is nobody's business here.
    expect(parts?.inspection).not.toHaveProperty('files');
    const own = [{ code: 'NoLight' as const, message: 'of the chosen scene' }];
    const chosen = { ...job, submission: { ...job.submission, seen: { ...parts!.inspection!, warnings: own } } };
    expect((await mine((tx) => jobParts(tx, [chosen])))[0]!.inspection).toEqual({
      ...parts!.inspection,
      warnings: own,
    });
    const stranger = await addStudio(database, 'stranger');
    expect(await database.withStudio(stranger, (tx) => framesPage(tx, { jobId, limit: 10 }))).toEqual({
      items: [],
      nextCursor: null,
    });
    expect(await database.withStudio(stranger, (tx) => getJob(tx, jobId))).toBeNull();
  });

  it('says why a job waits', async () => {
    const { database } = record;
    const codes = async (jobId: string) => (await service((tx) => whyWaiting(tx, jobId))).map(({ code }) => code);
    const needs = { attributes: [{ name: 'attr.test', anyOf: ['why'] }] };
    const jobId = await addQuoted(database, { studioId, name: 'why', frames: 2 });
    expect(await codes(jobId)).toEqual(['WaitsForAcceptance']);
    await service((tx) => acceptQuote(tx, { jobId, cap: 20n }));
    expect(await codes(jobId)).toEqual(['Planning']);
    const chunks = [0, 1].map((index) => ({ index, frames: [index + 1], estimateSeconds: 1, needs }));
    const chunkIds = await service((tx) => insertPlan(tx, { jobId, layer: 'beauty', chunks, unitPrice: 10n }));
    expect(await service((tx) => insertPlan(tx, { jobId, layer: 'beauty', chunks, unitPrice: 10n }))).toEqual(chunkIds);
    expect(await record.query(`SELECT 1 FROM units WHERE job_id = $1`, [jobId])).toHaveLength(2);
    for (const id of chunkIds) await service((tx) => offerChunk(tx, id));
    await record.query(`UPDATE nodes SET status = 'offline'`);
    expect(await codes(jobId)).toEqual(['NoNodeOnline']);
    await addNode(database, 'other');
    expect(await codes(jobId)).toEqual(['NeedsNotMet']);
    const node = await addNode(database, 'why', { 'attr.test': ['why'] });
    expect(await codes(jobId)).toEqual(['ReadyForNode']);
    await mustClaim(database, node);
    expect(await codes(jobId)).toEqual(['NodesBusy', 'Rendering']);
    await record.query(`UPDATE sites SET store_silent_since = now()`);
    expect(await codes(jobId)).toEqual(['NodesBusy', 'SiteNotAvailable', 'Rendering']);
    await record.query(`UPDATE sites SET store_silent_since = NULL`);
    const listed = await service((tx) => listNodes(tx));
    expect(listed.filter(({ working }) => working).map(({ name }) => name)).toContain('why');
    expect(JSON.stringify(listed)).not.toContain(hashOf('why token'));
    await service((tx) => transitionJob(tx, { jobId, to: 'paused', pauseReason: 'user' }));
    expect(await codes(jobId)).toEqual(['PausedByUser']);
    await service((tx) => transitionJob(tx, { jobId, to: 'paused', pauseReason: 'budget' }));
    expect(await codes(jobId)).toEqual(['PausedForBudget']);
    await service((tx) => transitionJob(tx, { jobId, to: 'stopping' }));
    expect(await codes(jobId)).toEqual(['Stopping']);
    expect(await service((tx) => cancelJobChunks(tx, jobId))).toBe(2);
    // One studio's eyes would see other studios' nodes as idle.
    await expect(database.withStudio(studioId, (tx) => whyWaiting(tx, jobId))).rejects.toMatchObject({
      code: 'Internal',
    });
  });
});

describe('nodes', () => {
  const input = {
    ...{
      site: 'local',
      tokenHash: hashOf('t1'),
      engine: 'pathtracer',
      engineBuild: 'b',
      tier: 'cpu' as const,
      device: 'd',
    },
    ...{ threads: 4, memoryBytes: 8 * 2 ** 30, score: 1.5 },
  };

  it('come back as themselves with a new token, and cannot take a name or account from another', async () => {
    const account = `0x${'aA'.repeat(20)}`;
    const join = (more: object) =>
      service((tx) => joinNode(tx, { ...input, name: 'n1', account, labels: {}, ...more }));
    const { nodeId } = await join({});
    expect((await join({ tokenHash: hashOf('t2'), score: 2, account: account.toLowerCase() })).nodeId).toBe(nodeId);
    expect(await service((tx) => hearNode(tx, hashOf('t1')))).toBeNull();
    expect(await service((tx) => hearNode(tx, hashOf('t2')))).toMatchObject({
      ...{ id: nodeId, score: 2, labels: { 'amount.worker.vcpu': 4, 'amount.worker.memory': 8192 } },
    });
    await expect(join({ account: `0x${'12'.repeat(20)}`, tokenHash: hashOf('t3') })).rejects.toMatchObject({
      code: 'Forbidden',
    });
    await expect(join({ name: 'n2', tokenHash: hashOf('t3') })).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('are offline after a silence and online when heard again', async () => {
    const node = await addNode(record.database, 'silent');
    await record.query(`UPDATE nodes SET last_seen_at = now() - interval '1 h' WHERE id = $1`, [node.id]);
    expect(await service((tx) => markSilentNodesOffline(tx, 60_000))).toEqual(['silent']);
    const [{ token_hash: token }] = (await record.query<{ token_hash: string }>(
      `SELECT token_hash FROM nodes WHERE id = $1`,
      [node.id],
    )) as [{ token_hash: string }];
    expect(await service((tx) => hearNode(tx, token))).toMatchObject({ id: node.id, status: 'online' });
    expect((await record.query(`SELECT status FROM nodes WHERE id = $1`, [node.id]))[0]).toEqual({ status: 'online' });
  });
});
