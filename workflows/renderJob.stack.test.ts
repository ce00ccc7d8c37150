import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { JobKey } from '../activities/services.ts';
import { verifyInvoice } from '../activities/settle/verifyInvoice.ts';
import { acknowledgeFrames } from '../ports/db/deliveries.ts';
import type { UnitArtifact } from '../ports/db/documents.ts';
import { raiseCap } from '../ports/db/jobs.ts';
import { jobBalances } from '../ports/db/ledger.ts';
import { noteStore } from '../ports/db/lostSites.ts';
import { orderReassembly } from '../ports/db/reassembly.ts';
import type { JobRow } from '../ports/db/tables.ts';
import { type InProcessFarm, type Submitted, startInProcessFarm } from '../test/replay/inProcessFarm.ts';
import { ScriptedNode, type ScriptedNodeOptions } from '../test/replay/scriptedNode.ts';
import { addStoreSite } from '../test/support/rows.ts';

let farm: InProcessFarm;
const nodes: ScriptedNode[] = [];

beforeAll(async () => {
  farm = await startInProcessFarm(inject('stack'));
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  // Nodes that are gone must not count as ones that could take a chunk.
  await farm.record.query(`UPDATE nodes SET status = 'offline'`);
});
afterAll(async () => {
  await farm?.stop();
});

let names = 0;
async function addNode(options?: ScriptedNodeOptions): Promise<ScriptedNode> {
  const node = await new ScriptedNode(farm, `node-${++names}`, options).start();
  nodes.push(node);
  return node;
}

async function quoted(wishes: Submitted = {}): Promise<JobKey> {
  const job = await farm.submit({ frames: '1-10', ...wishes });
  await farm.prepare(job);
  return job;
}

/** Waits until so many frames are committed. */
async function untilCommitted(job: JobKey, count: number): Promise<void> {
  while ((await farm.row(job)).committedUnits < count) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Money of an ended job: all that was deposited is paid or back, and the books agree with the chain. */
async function expectSettled(job: JobKey, row: JobRow, frames: number): Promise<void> {
  expect(row.committedUnits).toBe(frames);
  const balances = await farm.record.database.asService((tx) => jobBalances(tx, job.jobId));
  expect(balances).toMatchObject({ free: 0n, reserved: 0n, earned: 0n, paid: row.spent });
  expect(balances.deposited).toBe(row.spent + balances.refunded);
  const units = await farm.record.query<{ frame: number }>(
    `SELECT frame FROM units WHERE job_id = $1 AND status = 'committed'`,
    [job.jobId],
  );
  expect(new Set(units.map(({ frame }) => frame)).size).toBe(frames);
  if (frames === 0) return;
  const verification = await verifyInvoice({ ...farm.services, chain: farm.chain }, job);
  expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(verification.ok).toBe(true);
  const billed = await farm.record.query<{ units: { frame: number }[] }>(
    `SELECT l.units FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.job_id = $1`,
    [job.jobId],
  );
  expect(billed.flatMap(({ units }) => units)).toHaveLength(frames);
}

describe('renderJob', () => {
  it('takes a job from its files to a paid invoice, each frame once', async () => {
    await addNode();
    await addNode();
    const job = await quoted();
    expect(await farm.row(job)).toMatchObject({ status: 'quoted', frames: '1-10', frameCount: 10 });
    await farm.accept(job);
    const row = await farm.until(job, 'completed');
    expect(row.problem).toBeNull();
    expect(Object.keys(row.stageSeconds).sort()).toEqual(['assemble', 'intake', 'plan', 'render', 'settle', 'verify']);
    expect(row.outputs).toMatchObject({ film: {}, contactSheet: {}, manifest: {} });
    await expectSettled(job, row, 10);
  });

  it('is paid while its studio still fetches, and ends when it has acknowledged every frame', async () => {
    await addNode();
    const job = await quoted({ awaitDelivery: true });
    await farm.accept(job);
    await expect.poll(async () => (await farm.row(job)).stageSeconds.settle, { timeout: 60_000 }).toBeDefined();
    const settled = await farm.row(job);
    expect(settled).toMatchObject({ status: 'active', delivery: 'awaited' });
    await expectSettled(job, settled, 10);
    await acknowledgeAll(job, 9);
    expect(await farm.row(job)).toMatchObject({ status: 'active', delivery: 'awaited', deliveredUnits: 9 });
    await acknowledgeAll(job);
    const row = await farm.until(job, 'completed');
    expect(row).toMatchObject({ delivery: 'delivered', deliveredUnits: 10 });
  });

  it('does not wait where the studio had every frame before it was settled', async () => {
    await addNode();
    const job = await quoted({ awaitDelivery: true });
    await farm.accept(job);
    await untilCommitted(job, 10);
    await acknowledgeAll(job);
    expect(await farm.until(job, 'completed')).toMatchObject({ delivery: 'delivered' });
  });

  it('ends with its film, with gaps, and says so when the store of a site is gone where frames lie', async () => {
    await addNode({ unitMs: 60 });
    const job = await quoted({ policy: { storeWaitSeconds: 0.3 } });
    await farm.accept(job);
    await untilCommitted(job, 2);
    const gone = {
      endpoint: 'http://127.0.0.1:1',
      region: 'r',
      bucket: 'gone',
      accessKey: 'k',
      secretKey: 'secret-key',
    };
    const siteId = await addStoreSite(farm.record.database, 'berlin', gone);
    // As if they had been put there; a committed frame changes no more.
    await farm.record.query(`SET session_replication_role = replica`);
    await farm.record.query(`UPDATE units SET site_id = $2 WHERE job_id = $1 AND frame <= 2`, [job.jobId, siteId]);
    await farm.record.query(`SET session_replication_role = DEFAULT`);
    const row = await farm.until(job, 'completed');
    expect(row).toMatchObject({
      problem: null,
      committedUnits: 10,
      outputs: { film: {}, contactSheet: {}, manifest: {} },
    });
    const lines = await farm.record.query<{ line: string }>(
      `SELECT data ->> 'line' AS line FROM job_events WHERE job_id = $1 AND type = 'log' AND data ->> 'node' IS NULL ORDER BY seq`,
      [job.jobId],
    );
    expect(lines.map(({ line }) => line)).toEqual([
      expect.stringMatching(/^berlin does not answer: 2 frames that are committed and billed lie there/),
      expect.stringMatching(/^The contact sheet shows a gap for 2 frames/),
      expect.stringMatching(/^The film shows a gap for 2 frames/),
    ]);
    expect(row.awaySites).toEqual([siteId]);
    // Its store answers again.
    await farm.record.query(`SET session_replication_role = replica`);
    await farm.record.query(`UPDATE units SET site_id = NULL WHERE job_id = $1`, [job.jobId]);
    await farm.record.query(`SET session_replication_role = DEFAULT`);
    const again = () => farm.record.database.asService((tx) => orderReassembly(tx));
    await farm.record.query(`UPDATE sites SET store_silent_since = clock_timestamp() WHERE id = $1`, [siteId]);
    expect(await again()).toEqual([]);
    await farm.record.database.asService((tx) => noteStore(tx, siteId, true));
    expect(await again()).toEqual([job.jobId]);
    // Once in a while, however often the site comes and goes.
    expect(await again()).toEqual([]);
    await vi.waitFor(async () => expect(await farm.row(job)).toMatchObject({ awaySites: [] }), { timeout: 20_000 });
    const { outputs } = await farm.row(job);
    for (const kind of ['film', 'contactSheet', 'manifest'] as const) {
      expect(outputs![kind]!.hash).not.toBe(row.outputs![kind]!.hash);
    }
    const { paid, spent } = { ...(await farm.record.database.asService((tx) => jobBalances(tx, job.jobId))), ...row };
    expect(paid).toBe(spent);
  });

  it('ends without a studio that never fetches, paid all the same', async () => {
    await addNode();
    const job = await quoted({ awaitDelivery: true, policy: { deliveryWaitSeconds: 0.5 } });
    await farm.accept(job);
    const row = await farm.until(job, 'completed');
    expect(row).toMatchObject({ delivery: 'overdue', deliveredUnits: 0 });
    await expectSettled(job, row, 10);
  });

  it('goes on after a pause, and renders nothing in between', async () => {
    await addNode({ unitMs: 80 });
    const job = await quoted();
    await farm.accept(job);
    await untilCommitted(job, 2);
    await farm.steer(job, 'pauseJob');
    // What was delivered before the pause is still committed; then it stands still.
    await farm.record.query(`SELECT pg_sleep(2)`);
    const before = (await farm.row(job)).committedUnits;
    await farm.record.query(`SELECT pg_sleep(1)`);
    expect(await farm.row(job)).toMatchObject({ status: 'paused', pauseReason: 'user', committedUnits: before });
    expect(before).toBeLessThan(10);
    await farm.steer(job, 'resumeJob');
    await expectSettled(job, await farm.until(job, 'completed'), 10);
  });

  it('settles what is committed after a cancel, and refunds the rest', async () => {
    await addNode({ unitMs: 100 });
    const job = await quoted({ frames: '1-40' });
    await farm.accept(job);
    await untilCommitted(job, 3);
    await farm.steer(job, 'cancelJob');
    const row = await farm.until(job, 'cancelled');
    expect(row.committedUnits).toBeGreaterThanOrEqual(3);
    expect(row.committedUnits).toBeLessThan(40);
    expect(row.outputs).toMatchObject({ film: {}, contactSheet: {}, manifest: {} });
    await expectSettled(job, row, row.committedUnits);
  });

  it('refunds everything when it is cancelled before the first frame', async () => {
    await addNode({ script: () => 'vanish' });
    const job = await quoted();
    await farm.accept(job);
    await farm.steer(job, 'cancelJob');
    const row = await farm.until(job, 'cancelled');
    await expectSettled(job, row, 0);
    expect(row.spent).toBe(0n);
  });

  it('pauses where the next frame does not fit, and goes on when the cap is raised and deposited', async () => {
    await addNode();
    const job = await quoted();
    const [quote] = await farm.record.query<{ unit_price: string }>(`SELECT unit_price FROM quotes WHERE job_id = $1`, [
      job.jobId,
    ]);
    const price = BigInt(quote!.unit_price);
    await farm.accept(job, price * 4n);
    const paused = await farm.until(job, 'paused');
    expect(paused).toMatchObject({ pauseReason: 'budget', problem: { code: 'BudgetExceeded' } });
    await untilCommitted(job, 4);
    expect((await farm.chain.job(job.jobId))?.deposited).toBe(price * 4n);
    await farm.steer(job, 'capRaised', String(price * 10n));
    const row = await farm.until(job, 'completed');
    expect(row.cap).toBe(price * 10n);
    await expectSettled(job, row, 10);
  });

  it('deposits a cap that the record has raised already', async () => {
    await addNode();
    const job = await quoted();
    const { cap } = await acceptForOneFrame(job);
    await farm.until(job, 'paused');
    await farm.record.database.asService((tx) => raiseCap(tx, { jobId: job.jobId, cap: cap * 10n }));
    await farm.steer(job, 'capRaised');
    await expectSettled(job, await farm.until(job, 'completed'), 10);
    expect((await farm.chain.job(job.jobId))?.deposited).toBe(cap * 10n);
  });

  it('keeps the old cap when the studio lacks the money for a higher one, and can still be cancelled', async () => {
    await addNode();
    const job = await quoted();
    const { cap } = await acceptForOneFrame(job);
    await farm.until(job, 'paused');
    await farm.steer(job, 'capRaised', String(farm.funds * 100n));
    await expect.poll(async () => (await farm.row(job)).problem?.code, { timeout: 20_000 }).toBe('FundsMissing');
    expect(await farm.row(job)).toMatchObject({ status: 'paused', pauseReason: 'budget', cap });
    await farm.steer(job, 'cancelJob');
    await expectSettled(job, await farm.until(job, 'cancelled'), 1);
  });

  it('fails without a bill when the studio cannot deposit', async () => {
    await addNode();
    const job = await quoted();
    await farm.accept(job, farm.funds * 1000n);
    const row = await farm.until(job, 'failed');
    expect(row.problem?.code).toBe('FundsMissing');
    expect(await farm.chain.job(job.jobId)).toBeNull();
  });

  it('gives a chunk whose node fell silent to another one', async () => {
    let vanished = 0;
    const script = () => (vanished++ === 0 ? ('vanish' as const) : ('deliver' as const));
    await addNode({ leaseMs: 1000, unitMs: 50, script });
    await addNode({ leaseMs: 1000, unitMs: 50, script });
    const job = await quoted();
    await farm.accept(job);
    await expectSettled(job, await farm.until(job, 'completed'), 10);
    const lost = await farm.record.query(`SELECT FROM attempts WHERE job_id = $1 AND outcome = 'lost'`, [job.jobId]);
    expect(lost).toHaveLength(1);
  });

  it('renders a frame again that came with a NaN, elsewhere, and keeps the reason', async () => {
    let bad = 0;
    const script = () => (bad++ === 0 ? ('nan' as const) : ('deliver' as const));
    await addNode({ script });
    await addNode({ script });
    const job = await quoted();
    await farm.accept(job);
    await expectSettled(job, await farm.until(job, 'completed'), 10);
    const refused = await farm.record.query<{ refusals: { nodeId: string }[]; node_id: string }>(
      `SELECT refusals, node_id FROM units WHERE job_id = $1 AND refusals <> '[]'`,
      [job.jobId],
    );
    expect(refused).toEqual([expect.objectContaining({ refusals: [expect.objectContaining({ reason: 'NaN' })] })]);
    expect(refused[0]!.node_id).not.toBe(refused[0]!.refusals[0]!.nodeId);
  });

  it('blames the scene for NaN from two nodes, stops, and settles what is committed', async () => {
    const script = (frame: number) => (frame === 5 ? ('nan' as const) : ('deliver' as const));
    await addNode({ script });
    await addNode({ script });
    const job = await quoted();
    await farm.accept(job);
    const row = await farm.until(job, 'failed');
    expect(row.problem).toMatchObject({ code: 'SceneInvalid', place: { frame: 5 } });
    await expectSettled(job, row, row.committedUnits);
  });

  it('does not try bad input a second time', async () => {
    const node = await addNode({ script: () => 'blame-scene' });
    await addNode({ script: () => 'blame-scene' });
    const job = await quoted({ frames: '1' });
    await farm.accept(job);
    const row = await farm.until(job, 'failed');
    expect(row.problem?.code).toBe('SceneInvalid');
    expect(
      await farm.record.query(`SELECT FROM attempts WHERE job_id = $1 AND outcome = 'failed'`, [job.jobId]),
    ).toHaveLength(1);
    expect(node.delivered).toEqual([]);
    await expectSettled(job, row, 0);
  });

  it('gives up after three failed attempts, each on another node', async () => {
    for (let count = 0; count < 4; count++) await addNode({ script: () => 'fail' });
    const job = await quoted({ frames: '1' });
    await farm.accept(job);
    const row = await farm.until(job, 'failed');
    expect(row.problem).toMatchObject({ code: 'TooManyFailures', place: { failed: 1, reason: 'RenderFailed' } });
    const failed = await farm.record.query<{ node_id: string }>(
      `SELECT DISTINCT node_id FROM attempts WHERE job_id = $1 AND outcome = 'failed'`,
      [job.jobId],
    );
    expect(failed).toHaveLength(3);
  });
});

/** The studio says that it has the first `count` committed frames, and the workflow hears when these are all. */
async function acknowledgeAll(job: JobKey, count = Number.POSITIVE_INFINITY): Promise<void> {
  const units = await farm.record.query<{ id: string; artifacts: UnitArtifact[] }>(
    `SELECT id, artifacts FROM units WHERE job_id = $1 AND status = 'committed' ORDER BY frame`,
    [job.jobId],
  );
  const frames = units.slice(0, count).map(({ id, artifacts }) => ({
    unitId: id,
    hash: artifacts.find(({ kind }) => kind === 'exr')!.hash,
  }));
  const said = await farm.record.database.withStudio(job.studioId, (tx) =>
    acknowledgeFrames(tx, { jobId: job.jobId, frames }),
  );
  if (said.isNews) await farm.steer(job, 'framesDelivered');
}

async function acceptForOneFrame(job: JobKey): Promise<{ cap: bigint }> {
  const [quote] = await farm.record.query<{ unit_price: string }>(`SELECT unit_price FROM quotes WHERE job_id = $1`, [
    job.jobId,
  ]);
  const cap = BigInt(quote!.unit_price);
  await farm.accept(job, cap);
  return { cap };
}
