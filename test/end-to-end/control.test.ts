/** Cancel, pause and the cap, as a studio meets them. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FarmClient } from '../../cli/sdk/client.ts';
import { readProject } from '../../cli/sdk/project.ts';
import { pullJob } from '../../cli/sdk/pull.ts';
import { submitProject } from '../../cli/sdk/submit.ts';
import { allFrames, billedFrames, submitScene, untilCommitted, untilEvent, untilFinal } from '../support/farm.ts';
import { writeCube } from '../support/scenes.ts';

const SLOW = { frames: '1-16', width: 320, height: 180, samples: 16 };
const client = new FarmClient(inject('farm'));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-control-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const scene = (name: string): Promise<string> => writeCube(join(folder, `${name}.glb`), { variant: name });
const balance = async (): Promise<bigint> => BigInt((await client.me()).balance ?? '0');

describe('cancel', () => {
  it('stops the nodes, keeps and bills what was committed, and returns the rest', async () => {
    const before = await balance();
    const job = await submitScene(client, await scene('cancelled'), { ...SLOW, name: 'cancelled' });
    await untilCommitted(client, job.id, 2);
    const asked = Date.now();
    await client.cancelJob(job.id);
    await untilEvent(client, job.id, ({ type, data }) => type === 'job.changed' && data.status === 'cancelled');
    const stoppedWithin = Date.now() - asked;
    const ended = await untilFinal(client, job.id);
    const committed = (await allFrames(client, job.id)).filter(({ status }) => status === 'committed');
    expect(committed.length).toBeGreaterThanOrEqual(2);
    expect(committed.length).toBeLessThan(16);
    const invoice = await client.invoice(job.id);
    expect(billedFrames(invoice)).toEqual(committed.map(({ frame }) => frame));
    expect(BigInt(invoice.total)).toBe(BigInt(committed.length) * BigInt(job.quote!.unitPrice));
    expect(ended.spent).toBe(invoice.total);
    expect(await balance()).toBe(before - BigInt(invoice.total));
    const nodes = await client.nodes();
    expect(nodes.filter(({ working }) => working)).toEqual([]);
    // The promise is ten seconds for the nodes; settlement is within the same wait here.
    expect(stoppedWithin).toBeLessThan(60_000);
    const pulled = await pullJob(client, job.id, { folder: join(folder, 'pulled') });
    expect(pulled.frames).toBe(committed.length);
    expect(pulled.exr.every((name) => name.endsWith('.exr'))).toBe(true);
    expect((await readdir(join(folder, 'pulled'))).filter((name) => name.endsWith('.exr'))).toHaveLength(
      committed.length,
    );
    expect((await client.verifyInvoice(job.id)).ok).toBe(true);
  });
});

describe('pause', () => {
  it('stops giving out frames until the job is resumed', async () => {
    const job = await submitScene(client, await scene('paused'), { ...SLOW, name: 'paused' });
    await untilCommitted(client, job.id, 1);
    await client.pauseJob(job.id);
    await expect.poll(async () => (await client.job(job.id)).frames.rendering, { timeout: 10_000 }).toBe(0);
    const held = (await client.job(job.id)).frames.committed;
    expect((await client.why(job.id)).reasons.length).toBeGreaterThan(0);
    await new Promise((done) => setTimeout(done, 2500));
    expect((await client.job(job.id)).frames.committed).toBe(held);
    await client.resumeJob(job.id);
    const ended = await untilFinal(client, job.id);
    expect(ended).toMatchObject({ status: 'completed', frames: { committed: 16, billed: 16 } });
  });
});

describe('the cap', () => {
  it('pauses the job when the next frame does not fit, and lets it go on when it is raised', async () => {
    const quoted = await submitProject(client, await readProject(await scene('capped')), { ...SLOW, name: 'capped' });
    const unit = BigInt(quoted.quote!.unitPrice);
    // Four frames fit and half of a fifth.
    const job = await client.acceptJob(quoted.id, ((unit * 9n) / 2n).toString());
    await untilEvent(client, job.id, ({ type, data }) => type === 'job.changed' && data.pauseReason === 'budget');
    await expect.poll(async () => (await client.job(job.id)).frames.committed, { timeout: 90_000 }).toBe(4);
    const paused = await client.job(job.id);
    expect(paused).toMatchObject({ status: 'paused', pauseReason: 'budget' });
    expect(BigInt(paused.spent) + BigInt(paused.reserved)).toBeLessThanOrEqual(BigInt(paused.cap));
    expect((await client.why(job.id)).reasons.map(({ code }) => code)).toContain('BudgetExceeded');
    await client.raiseCap(job.id, (unit * 20n).toString());
    const ended = await untilFinal(client, job.id);
    expect(ended).toMatchObject({ status: 'completed', frames: { committed: 16, billed: 16 } });
    expect(ended.spent).toBe((unit * 16n).toString());
    expect((await client.verifyInvoice(job.id)).ok).toBe(true);
  });
});
