import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { GATEWAY_VERSION } from '../../../ports/gateway/protocol.ts';
import { addJob, addNode, addStudio, fileOf } from '../../../test/support/rows.ts';
import { openTestApi } from '../testing/openApi.ts';

it('offers a chunk again at once whose node hung up while it was being leased', async () => {
  const farm = await openTestApi({ leaseMs: 600_000 });
  try {
    const { database, query } = farm.record;
    const studioId = await addStudio(database, 'gone');
    await addNode(database, 'painter');
    await query(`UPDATE nodes SET token_hash = encode(sha256('painter'), 'hex')`);
    const { chunkIds } = await addJob(database, { studioId, files: [fileOf('scene.glb')] });
    const chunk = () =>
      query('SELECT status, lease_number::int AS lease FROM chunks WHERE id = $1', [chunkIds[0]]).then(([row]) => row);
    const node = new AbortController();
    const claim = () =>
      fetch(`${farm.url}/node/v1/claim`, {
        method: 'POST',
        headers: { authorization: 'Bearer painter', 'content-type': 'application/json' },
        body: JSON.stringify({ version: GATEWAY_VERSION, cachedHashes: [], waitMs: 1_000 }),
        signal: node.signal,
      }).catch((error: unknown) => error);
    let claimed: Promise<unknown> = Promise.resolve();
    // The lease needs a row of attempts: until this transaction ends, it cannot be finished.
    await database.asService(async (tx) => {
      await sql`LOCK TABLE attempts IN EXCLUSIVE MODE`.execute(tx);
      claimed = claim();
      const waits = () => query(`SELECT FROM pg_locks WHERE NOT granted AND relation = 'farm.attempts'::regclass`);
      await expect.poll(async () => (await waits()).length, { timeout: 10_000 }).toBe(1);
      node.abort();
      await claimed;
      // The server hears of a closed connection from its event loop.
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    await expect.poll(chunk, { timeout: 10_000 }).toEqual({ status: 'offered', lease: 1 });
    expect(await query('SELECT outcome FROM attempts')).toEqual([{ outcome: 'handed-back' }]);
  } finally {
    await farm.close();
  }
});
