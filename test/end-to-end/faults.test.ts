/** What a farm must survive: killed nodes, killed workers, a node that sleeps past its lease, a restart of everything. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../cli/sdk/types.ts';
import {
  allFrames,
  billedFrames,
  startTestFarm,
  submitScene,
  type TestFarm,
  untilCommitted,
  untilEvent,
  untilFinal,
} from '../support/farm.ts';
import { writeCube } from '../support/scenes.ts';

const FRAMES = Array.from({ length: 12 }, (_, i) => i + 1);
/** About a second a frame on one core, so that there is a middle of a frame to be killed in. */
const SLOW = { frames: '1-12', width: 320, height: 180, samples: 16 };

let farm: TestFarm;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-faults-'));
  farm = await startTestFarm({ nodes: 2, variables: { FARM_LEASE_MS: '4000', FARM_HEARTBEAT_MS: '1000' } });
});

afterAll(async () => {
  await farm?.stop();
  await rm(folder, { recursive: true, force: true });
});

const submit = async (name: string): Promise<JobView> =>
  submitScene(farm.client, await writeCube(join(folder, `${name}.glb`), { variant: name }), { ...SLOW, name });

/** Every frame committed once, billed once, at the quoted price; the invoice verifies. */
async function expectWhole(job: JobView): Promise<void> {
  const ended = await untilFinal(farm.client, job.id);
  expect(ended).toMatchObject({ status: 'completed', problem: null });
  const frames = await allFrames(farm.client, job.id);
  expect(frames.map(({ frame, status }) => [frame, status])).toEqual(FRAMES.map((frame) => [frame, 'committed']));
  const invoice = await farm.client.invoice(job.id);
  expect(billedFrames(invoice)).toEqual(FRAMES);
  expect(invoice.total).toBe(job.quote?.total);
  expect(ended.spent).toBe(job.quote?.total);
  const verification = await farm.client.verifyInvoice(job.id);
  expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(verification.ok).toBe(true);
}

describe('a farm under faults', () => {
  it('goes on when a node is killed in the middle of a frame', async () => {
    const job = await submit('node-killed');
    const { data } = await untilCommitted(farm.client, job.id, 2);
    await farm.killAndRestart(String(data.node));
    await expectWhole(job);
  });

  it('goes on when the control and dispatch workers are killed', async () => {
    const job = await submit('workers-killed');
    await untilCommitted(farm.client, job.id, 2);
    await farm.killAndRestart('control', 'dispatch');
    await expectWhole(job);
  });

  it('refuses and does not bill what a node delivers after its lease', async () => {
    const job = await submit('late');
    const { data } = await untilEvent(farm.client, job.id, ({ type }) => type === 'chunk.leased');
    const sleeper = String(data.node);
    const pid = await farm.pid(sleeper);
    process.kill(pid, 'SIGSTOP');
    try {
      await untilEvent(farm.client, job.id, (event) => event.type === 'chunk.lost' && event.data.node === sleeper);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await expectWhole(job);
    const lost = await allFrames(farm.client, job.id);
    const leasedToSleeper = data.frames as number[];
    // The frames of the lost lease were rendered under a newer one; whoever did it was paid once.
    expect(lost.filter(({ frame }) => leasedToSleeper.includes(frame))).toHaveLength(leasedToSleeper.length);
  });

  it('goes on when the whole farm is stopped and started in the middle of a job', async () => {
    const job = await submit('restarted');
    await untilCommitted(farm.client, job.id, 2);
    await farm.restart();
    await expectWhole(job);
  });
});
