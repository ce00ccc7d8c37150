import { expect, it } from 'vitest';
import { addJob, addStudio, fileOf } from '../../test/support/rows.ts';
import { openTestApi } from './testing/openApi.ts';

it('does not pause, fund or cancel a job that is paid and only waits for its frames to be fetched, and says when there is nothing to pay', async () => {
  const farm = await openTestApi();
  try {
    const { database, query } = farm.record;
    const studioId = await addStudio(database, 'settled');
    const { jobId } = await addJob(database, { studioId, frames: 2, files: [fileOf('scene.glb')] });
    await query(
      `UPDATE jobs SET stage_seconds = '{"settle": 1.5}', accepted_at = now(), delivery = 'awaited' WHERE id = $1`,
      [jobId],
    );
    const key = await farm.key(studioId, 'td');
    const ask = async (verb: string, body: unknown = undefined) => {
      const answer = await fetch(`${farm.url}/v1/jobs/${jobId}/${verb}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const refused = { status: 409, body: { code: 'JobStateConflict', detail: expect.stringContaining('settled') } };
    expect(await ask('pause')).toMatchObject(refused);
    expect(await ask('raise-cap', { cap: String(10n ** 30n) })).toMatchObject(refused);
    // The signal ends the wait; what is whole and paid is not cancelled.
    expect(await ask('cancel')).toMatchObject({ status: 200, body: { status: 'active' } });
    expect(await query(`SELECT payload ->> 'signal' AS signal FROM outbox WHERE topic = 'signal-workflow'`)).toEqual([
      { signal: 'cancelJob' },
    ]);

    // All of it from the frame cache: there is nothing to pay, and no invoice will come.
    await query(`UPDATE jobs SET status = 'completed', delivery = 'on-demand', cached_units = 2 WHERE id = $1`, [
      jobId,
    ]);
    const finance = await farm.key(studioId, 'finance');
    for (const document of ['invoice', 'invoice.pdf']) {
      const answer = await fetch(`${farm.url}/v1/jobs/${jobId}/${document}`, {
        headers: { authorization: `Bearer ${finance}` },
      });
      expect(await answer.json()).toMatchObject({
        ...{ status: 404, code: 'NothingToPay' },
        detail: 'There is nothing to pay, so the job has no invoice: all its frames (2) came from the frame cache.',
      });
    }
  } finally {
    await farm.close();
  }
});
