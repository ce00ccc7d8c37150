import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { verifyInvoice } from '../activities/settle/verifyInvoice.ts';
import { jobBalances } from '../ports/db/ledger.ts';
import { type InProcessFarm, startInProcessFarm } from '../test/replay/inProcessFarm.ts';
import { ScriptedNode } from '../test/replay/scriptedNode.ts';

let farm: InProcessFarm;

beforeAll(async () => {
  farm = await startInProcessFarm(inject('stack'));
});
afterAll(async () => {
  await farm?.stop();
});

describe('renderJob', () => {
  it('takes a job from its files to a paid invoice, each frame once', async () => {
    const nodes = await Promise.all([new ScriptedNode(farm, 'one').start(), new ScriptedNode(farm, 'two').start()]);
    const job = await farm.submit({ frames: '1-10' });
    await farm.prepare(job);
    expect(await farm.row(job)).toMatchObject({ status: 'quoted', frames: '1-10', frameCount: 10 });
    await farm.accept(job);
    const row = await farm.until(job, 'completed');
    await Promise.all(nodes.map((node) => node.stop()));

    expect(row.problem).toBeNull();
    expect(row.committedUnits).toBe(10);
    expect(Object.keys(row.stageSeconds).sort()).toEqual(['assemble', 'intake', 'plan', 'render', 'settle', 'verify']);
    expect(row.outputs).toMatchObject({ film: {}, contactSheet: {}, manifest: {} });
    const balances = await farm.record.database.asService((tx) => jobBalances(tx, job.jobId));
    expect(balances).toMatchObject({ free: 0n, reserved: 0n, earned: 0n, paid: row.spent });
    expect(balances.refunded).toBe(row.cap - row.spent);
    const verification = await verifyInvoice({ ...farm.services, chain: farm.chain }, job);
    expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(verification.ok).toBe(true);
  });
});
