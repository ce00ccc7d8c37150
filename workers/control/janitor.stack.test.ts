import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { verifyInvoice } from '../../activities/settle/verifyInvoice.ts';
import type { SiteStores } from '../../ports/store/siteStores.ts';
import { type InProcessFarm, startInProcessFarm } from '../../test/replay/inProcessFarm.ts';
import { ScriptedNode } from '../../test/replay/scriptedNode.ts';
import { addNode, addStoreSite } from '../../test/support/rows.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { cleanUp } from './janitor.ts';
import { watchSites } from './siteWatch.ts';

let farm: InProcessFarm;

beforeAll(async () => {
  farm = await startInProcessFarm(inject('stack'), { dispatch: false });
});
afterAll(async () => {
  await farm?.stop();
});

const janitor = () =>
  cleanUp({
    ...{ database: farm.record.database, store: farm.services.store, client: farm.client },
    ...{ taskQueue: taskQueues().control, log: pino({ level: 'silent' }) },
  });

async function committed(job: { studioId: string; jobId: string }, count: number): Promise<void> {
  while ((await farm.row(job)).committedUnits < count) await new Promise((resolve) => setTimeout(resolve, 20));
}

it('carries a job over the loss of its dispatch worker and of its workflow, each frame once', async () => {
  const first = await farm.startDispatch();
  const node = await new ScriptedNode(farm, 'steady', { unitMs: 60 }).start();
  const job = await farm.submit({ frames: '1-20' });
  await farm.prepare(job);
  await farm.accept(job);
  await committed(job, 3);
  await first.stop();
  // The farm keeps this one.
  await farm.startDispatch();
  await committed(job, 6);
  await farm.client.workflow.getHandle(job.jobId).terminate('lost');
  // The janitor leaves a young job time to get its first workflow.
  await farm.record.query(`UPDATE jobs SET accepted_at = now() - interval '2 minutes' WHERE id = $1`, [job.jobId]);
  await janitor();
  const row = await farm.until(job, 'completed');
  await node.stop();
  expect(row.committedUnits).toBe(20);
  expect((await verifyInvoice({ ...farm.services, chain: farm.chain }, job)).ok).toBe(true);
  await janitor();
  expect((await farm.row(job)).status).toBe('completed');
});

it('lets quotes expire, and forgets submissions that were left lying', async () => {
  const node = await new ScriptedNode(farm, 'steady-2').start();
  const left = await farm.submit();
  const quoted = await farm.submit({ name: 'other' });
  await farm.prepare(quoted);
  await farm.record.query(`UPDATE quotes SET expires_at = now() - interval '1 second' WHERE job_id = $1`, [
    quoted.jobId,
  ]);
  await farm.record.query(`UPDATE jobs SET created_at = now() - interval '2 days' WHERE id = $1`, [left.jobId]);
  await farm.record.query(`UPDATE nodes SET last_seen_at = now() - interval '5 minutes'`);
  await janitor();
  await node.stop();
  expect((await farm.row(quoted)).status).toBe('expired');
  await expect(farm.row(left)).rejects.toMatchObject({ code: 'JobNotFound' });
  const nodes = await farm.record.query<{ status: string }>('SELECT DISTINCT status FROM nodes');
  expect(nodes).toEqual([{ status: 'offline' }]);
});

it('loses a site whose store does not answer, though not at once while its nodes do, and takes it back when it answers', async () => {
  const { database } = farm.record;
  const gone = { endpoint: 'http://127.0.0.1:1', region: 'r', bucket: 'gone', accessKey: 'k', secretKey: 'secret-key' };
  const siteId = await addStoreSite(database, 'berlin', gone);
  await addNode(database, 'alive', {}, 'berlin');
  let answers = false;
  const stores: SiteStores = {
    ...farm.services.stores,
    of: async (id) =>
      answers ? { ...(await farm.services.stores.of(null)), siteId: id } : farm.services.stores.of(id),
  };
  const round = async (silenceMs: number) => {
    await watchSites({ database, stores, log: pino({ level: 'silent' }), silenceMs });
    return (await farm.record.query<{ status: string }>('SELECT status FROM sites WHERE id = $1', [siteId]))[0]?.status;
  };
  expect([await round(60_000), await round(60_000), await round(0)]).toEqual(['online', 'online', 'lost']);
  // That its nodes ask for work does not bring the store back.
  expect(await round(60_000)).toBe('lost');
  answers = true;
  expect(await round(60_000)).toBe('online');
  answers = false;
  await farm.record.query(`UPDATE nodes SET status = 'offline'`);
  expect(await round(60_000)).toBe('lost');
});
