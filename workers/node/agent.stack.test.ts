import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FarmError } from '../../domain/errors.ts';
import { receiptUnitsRoot } from '../../domain/money/merkle.ts';
import { DEFAULT_RENDER_SETTINGS } from '../../domain/scene.ts';
import { JOIN_TOKEN, openTestApi, type TestApi } from '../../farm-ui/api/testing/openApi.ts';
import { insertEstimateChunk, offerChunk } from '../../ports/db/chunks.ts';
import { commitUnit } from '../../ports/db/commit.ts';
import type { StoredFile } from '../../ports/db/documents.ts';
import { setPreparing, transitionJob } from '../../ports/db/jobs.ts';
import { nextReceipt } from '../../ports/db/receipts.ts';
import { setResolved } from '../../ports/db/submissions.ts';
import { createGatewayClient, type GatewayClient } from '../../ports/gateway/client.ts';
import type { RenderEngine } from '../../renderer/engine.ts';
import { startTestAgent, type TestAgent } from '../../test/support/nodes.ts';
import { addJob, addStudio, addSubmission } from '../../test/support/rows.ts';
import { PROBE, picture, tinyEngine } from '../../test/support/tinyEngine.ts';
import type { AgentOptions } from './agent.ts';
import { signJoin } from './identity.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Runs as long as the machine needs; the test's own limit ends it. */
async function until<T>(look: () => Promise<T | null | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('a render node at the gateway', () => {
  let farm: TestApi;
  let studioId: string;
  let home: string;
  const scene = randomBytes(3_000);
  const texture = randomBytes(2_000);
  const files: StoredFile[] = [
    { path: 'shot/scene.glb', sizeBytes: scene.length, hash: sha256(scene) },
    { path: 'shot/textures/wood.png', sizeBytes: texture.length, hash: sha256(texture) },
  ];

  beforeAll(async () => {
    farm = await openTestApi({ leaseMs: 3_000, heartbeatMs: 100, claimWaitMs: 2_000 });
    studioId = await addStudio(farm.record.database, 'north');
    for (const bytes of [scene, texture]) await farm.store.put(studioId, 'blobs', bytes, 'application/octet-stream');
    home = await mkdtemp(join(tmpdir(), 'framewright-node-'));
  });
  afterAll(async () => {
    await farm?.close();
    await rm(home, { recursive: true, force: true });
  });

  const database = () => farm.record.database;
  const units = (jobId: string) =>
    database().asService((tx) =>
      tx.selectFrom('units').selectAll().where('jobId', '=', jobId).orderBy('frame').execute(),
    );

  const linesOf = async (jobId: string) => {
    const events = await farm.record.query<{ line: string }>(
      `SELECT data ->> 'line' AS line FROM job_events WHERE job_id = $1 AND type = 'log' ORDER BY seq`,
      [jobId],
    );
    return events.map(({ line }) => line);
  };

  const started: TestAgent[] = [];
  const start = (name: string, options: Partial<AgentOptions> = {}) => {
    const agent = startTestAgent(farm.url, { name, home: join(home, name), ...options });
    started.push(agent);
    return agent;
  };
  // One that a failed test left at work would take the leases of those that follow.
  afterEach(() => Promise.allSettled(started.splice(0).map((agent) => agent.stop())));

  it('stages, renders, delivers, and signs for what was committed', async () => {
    const agent = start('worker-1');
    const { jobId } = await addJob(database(), { studioId, files, frames: 4, chunkFrames: 2, unitPrice: 70n });
    const done = await until(async () => {
      const rows = await units(jobId);
      return rows.every(({ status }) => status === 'uploaded') && rows;
    });
    for (const { frame, artifacts } of done) {
      const exr = artifacts!.find(({ kind }) => kind === 'exr')!;
      expect(await farm.store.get(studioId, 'frames', exr.hash)).toEqual(picture(scene, frame, 'exr'));
    }
    const nodeId = done[0]!.nodeId!;
    for (const { id: unitId, leaseNumber } of done) {
      await database().asService((tx) => commitUnit(tx, { unitId, leaseNumber: leaseNumber! }));
    }
    const computeRoot = (covered: { unitId: string; amount: bigint }[]) => receiptUnitsRoot(covered);
    const receipt = await database().asService((tx) => nextReceipt(tx, { jobId, nodeId, computeRoot }));
    expect(receipt).toMatchObject({ sequence: 1, cumulative: 280n, unitCount: 4 });
    const signed = await until(() =>
      database().asService((tx) =>
        tx
          .selectFrom('receipts')
          .selectAll()
          .where('jobId', '=', jobId)
          .where('nodeSignature', 'is not', null)
          .executeTakeFirst(),
      ),
    );
    expect(signed.nodeSignature).toMatch(/^0x[0-9a-f]{130}$/);
    // A node says last what was logged since its last heartbeat.
    await until(async () => (await linesOf(jobId)).includes('frame 1 done'));
    await agent.stop();
    expect(await readdir(join(home, 'worker-1', 'work'))).toEqual([]);
    const held = (await readdir(join(home, 'worker-1', 'cache'))).filter((name) => name.length === 64);
    expect(held.sort()).toEqual(files.map(({ hash }) => hash).sort());
    const [node] = await farm.record.query<{ status: string }>('SELECT status FROM nodes WHERE id = $1', [nodeId]);
    expect(node).toEqual({ status: 'left' });
  });

  it('renders the next lease while the last frames of the one before leave', async () => {
    const gateway = createGatewayClient(farm.url);
    const { claim, report } = gateway;
    let leases = 0;
    let second = (): void => undefined;
    const secondLease = new Promise<void>((resolve) => {
      second = resolve;
    });
    const patient: GatewayClient = {
      ...gateway,
      claim: async (request, signal) => {
        const answer = await claim(request, signal);
        if (answer.lease && ++leases === 2) second();
        return answer;
      },
      // No unit of the first lease is delivered before the second lease was given.
      report: async (...said) => {
        await secondLease;
        return report(...said);
      },
    };
    const agent = start('worker-ahead', { gateway: patient });
    const { jobId } = await addJob(database(), { studioId, files, frames: 2, chunkFrames: 1 });
    await until(async () => (await units(jobId)).every(({ status }) => status === 'uploaded'));
    await agent.stop();
    expect(await readdir(join(home, 'worker-ahead', 'work'))).toEqual([]);
  });

  it('is the same node after a restart, and fetches nothing that it has', async () => {
    const identity = Wallet.createRandom() as unknown as Wallet;
    const render = async () => {
      const fetched: string[] = [];
      const gateway = createGatewayClient(farm.url);
      const fetch = gateway.fetch;
      const counting: GatewayClient = {
        ...gateway,
        fetch: (chunkId, request, signal) => {
          fetched.push(...request.hashes);
          return fetch(chunkId, request, signal);
        },
      };
      const agent = start('worker-2', { identity, gateway: counting });
      const { jobId } = await addJob(database(), { studioId, files });
      const [unit] = await until(async () => {
        const rows = await units(jobId);
        return rows[0]?.status === 'uploaded' && rows;
      });
      await agent.stop();
      return { fetched, nodeId: unit!.nodeId };
    };
    const first = await render();
    const second = await render();
    expect(first.fetched.sort()).toEqual(files.map(({ hash }) => hash).sort());
    expect(second).toEqual({ fetched: [], nodeId: first.nodeId });
  });

  it('calibrates, and knows of how many frames', async () => {
    const engine = tinyEngine();
    const asked: unknown[] = [];
    const agent = start('worker-3', {
      engine: {
        ...engine,
        estimate: (project, settings, frames, threads, signal, jobFrameCount) => {
          asked.push([frames, jobFrameCount]);
          return engine.estimate(project, settings, frames, threads, signal, jobFrameCount);
        },
      },
    });
    const jobId = await addSubmission(database(), { studioId, files });
    const chunkId = await database().asService(async (tx) => {
      await setPreparing(tx, jobId);
      await setResolved(tx, { jobId, settings: DEFAULT_RENDER_SETTINGS, frames: '1-90', frameCount: 90 });
      const id = await insertEstimateChunk(tx, { jobId, frames: [1, 5] });
      await offerChunk(tx, id);
      return id;
    });
    const chunk = await until(() =>
      database().asService((tx) =>
        tx
          .selectFrom('chunks')
          .selectAll()
          .where('id', '=', chunkId)
          .where('status', '=', 'completed')
          .executeTakeFirst(),
      ),
    );
    expect(chunk.result).toMatchObject({ secondsPerFrame: 0.25, referenceScore: 1, tracedShare: 0.5 });
    expect(asked).toEqual([[[1, 5], 90]]);
    await agent.stop();
  });

  it.each([
    ['cancelled', (jobId: string) => ({ jobId, to: 'stopping' as const, stopReason: 'cancel' as const })],
    ['paused', (jobId: string) => ({ jobId, to: 'paused' as const, pauseReason: 'user' as const })],
  ])('stops in the middle of a frame when the job is %s', async (name, step) => {
    let stopped = false;
    const engine = tinyEngine(async (frame, signal) => {
      if (frame < 2) return;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      stopped = true;
    });
    const agent = start(`worker-${name}`, { engine });
    const { jobId, chunkIds } = await addJob(database(), { studioId, files, frames: 3 });
    await until(async () => (await units(jobId))[0]?.status === 'uploaded');
    await database().asService((tx) => transitionJob(tx, step(jobId)));
    await until(async () => stopped !== undefined);
    const ended = await until(() =>
      database().asService((tx) =>
        tx
          .selectFrom('attempts')
          .selectAll()
          .where('chunkId', '=', chunkIds[0]!)
          .where('outcome', 'is not', null)
          .executeTakeFirst(),
      ),
    );
    expect(ended.outcome).toBe('handed-back');
    expect((await units(jobId)).map(({ status }) => status)).not.toContain('leased');
    await agent.stop();
  });

  describe('told to end', () => {
    /** What became of a job's only chunk, once its node is gone. */
    const ended = (chunkId: string) =>
      farm.record.query(
        `SELECT c.status, a.outcome, u.reserved
         FROM chunks AS c JOIN attempts AS a ON a.chunk_id = c.id JOIN units AS u ON u.chunk_id = c.id
         WHERE c.id = $1`,
        [chunkId],
      );
    const given = [{ status: 'offered', outcome: 'handed-back', reserved: false }];
    const cancel = (jobId: string) =>
      database().asService((tx) => transitionJob(tx, { jobId, to: 'stopping', stopReason: 'cancel' }));

    it('hands the lease back that it is rendering', async () => {
      const { engine, begun } = endlessRender();
      const agent = start('worker-4', { engine });
      const { jobId, chunkIds } = await addJob(database(), { studioId, files });
      await begun;
      await agent.stop();
      expect(await ended(chunkIds[0]!)).toEqual(given);
      await cancel(jobId);
    });

    it('hands a lease back whose answer it did not wait for', async () => {
      const gateway = createGatewayClient(farm.url);
      const { engine } = endlessRender();
      let stopped: Promise<void> | undefined;
      const hasty: GatewayClient = {
        ...gateway,
        claim: async (request, signal) => {
          // Answered in full by the gateway; the node hangs up before it reads that.
          const answer = await gateway.claim(request);
          if (!answer.lease) return answer;
          stopped = agent.stop();
          expect(signal?.aborted).toBe(true);
          throw signal?.reason;
        },
      };
      const agent = start('worker-hasty', { engine, gateway: hasty });
      const { jobId, chunkIds } = await addJob(database(), { studioId, files });
      await until(async () => stopped !== undefined);
      await stopped;
      expect(await ended(chunkIds[0]!)).toEqual(given);
      await cancel(jobId);
    });

    it('hands a lease back whose last word did not get through', async () => {
      const gateway = createGatewayClient(farm.url);
      const { engine, begun } = endlessRender();
      const mute: GatewayClient = {
        ...gateway,
        finish: async () => {
          throw new FarmError('StackNotRunning', 'The gateway cannot be reached.');
        },
      };
      const agent = start('worker-mute', { engine, gateway: mute });
      const { jobId, chunkIds } = await addJob(database(), { studioId, files });
      await begun;
      await agent.stop();
      expect(await ended(chunkIds[0]!)).toEqual(given);
      await cancel(jobId);
    });
  });

  it("tells a renderer's failure with its reason", async () => {
    const engine = tinyEngine(async () => {
      throw new FarmError('SceneInvalid', 'A matrix holds NaN.', { node: 'Cube' });
    });
    const agent = start('worker-5', { engine });
    const { chunkIds } = await addJob(database(), { studioId, files });
    const chunk = await until(() =>
      database().asService((tx) =>
        tx
          .selectFrom('chunks')
          .selectAll()
          .where('id', '=', chunkIds[0]!)
          .where('status', '=', 'failed')
          .executeTakeFirst(),
      ),
    );
    expect(chunk.problem).toMatchObject({
      code: 'SceneInvalid',
      message: 'A matrix holds NaN.',
      place: { node: 'Cube' },
    });
    await agent.stop();
  });

  it('is refused, for good, with a wrong token, a foreign key or an old signature', async () => {
    await expect(start('stranger', { joinToken: 'wrong' }).running).rejects.toMatchObject({ code: 'Unauthenticated' });
    const gateway = createGatewayClient(farm.url);
    const identity = Wallet.createRandom() as unknown as Wallet;
    const issuedAt = new Date().toISOString();
    const request = {
      ...{ version: 1 as const, joinToken: JOIN_TOKEN, name: 'liar', site: 'local', probe: PROBE, labels: {} },
      account: identity.address,
      issuedAt,
      signature: await signJoin(identity, 'liar', issuedAt),
    };
    const other = Wallet.createRandom().address;
    await expect(gateway.join({ ...request, account: other })).rejects.toMatchObject({ code: 'Unauthenticated' });
    await expect(gateway.join({ ...request, name: 'other' })).rejects.toMatchObject({ code: 'Unauthenticated' });
    const past = new Date(Date.now() - 3_600_000).toISOString();
    const old = { ...request, issuedAt: past, signature: await signJoin(identity, 'liar', past) };
    await expect(gateway.join(old)).rejects.toMatchObject({ code: 'Unauthenticated' });
    await expect(gateway.claim({ version: 1, cachedHashes: [], waitMs: 0 })).rejects.toMatchObject({
      code: 'NodeNotRegistered',
    });
  });
});

/** A render that says when it began, and goes on until it is stopped. */
function endlessRender(): { engine: RenderEngine; begun: Promise<void> } {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const engine = tinyEngine((_, signal) => {
    begin();
    return new Promise((resolve) => {
      // Stopped before it began, no event comes any more.
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
  });
  return { engine, begun };
}
