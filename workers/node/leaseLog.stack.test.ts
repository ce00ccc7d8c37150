/** What a job's log hears of a lease before its end. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../../farm-ui/api/testing/openApi.ts';
import type { StoredFile } from '../../ports/db/documents.ts';
import { createGatewayClient, type GatewayClient } from '../../ports/gateway/client.ts';
import { startTestAgent, type TestAgent } from '../../test/support/nodes.ts';
import { addJob, addStudio } from '../../test/support/rows.ts';
import { tinyEngine } from '../../test/support/tinyEngine.ts';
import type { AgentOptions } from './agent.ts';

const scene = randomBytes(3_000);
const hash = createHash('sha256').update(scene).digest('hex');
const files: StoredFile[] = [{ path: 'scene.glb', sizeBytes: scene.length, hash }];
let farm: TestApi;
let studioId: string;
let home: string;
let agent: TestAgent | undefined;

beforeAll(async () => {
  farm = await openTestApi({ leaseMs: 3_000, heartbeatMs: 100, claimWaitMs: 2_000 });
  studioId = await addStudio(farm.record.database, 'north');
  await farm.store.put(studioId, 'blobs', scene, 'application/octet-stream');
  home = await mkdtemp(join(tmpdir(), 'framewright-node-'));
});
// One that a failed test left at work would take the leases of those that follow.
afterEach(() => agent?.stop());
afterAll(async () => {
  await farm?.close();
  await rm(home, { recursive: true, force: true });
});

/** Renders a job of one chunk, and answers what its log holds when the lease has ended like that. */
async function logOf(frames: number, outcome: 'completed' | 'failed', options: Partial<AgentOptions>) {
  agent = startTestAgent(farm.url, { name: outcome, home: join(home, outcome), ...options });
  const { jobId, chunkIds } = await addJob(farm.record.database, { studioId, files, frames });
  const ended = async () => {
    const [attempt] = await farm.record.query<{ outcome: string | null }>(
      'SELECT outcome FROM attempts WHERE chunk_id = $1',
      chunkIds,
    );
    return attempt?.outcome;
  };
  await expect.poll(ended, { timeout: 20_000 }).toBe(outcome);
  const lines = await farm.record.query<{ line: string }>(
    `SELECT data ->> 'line' AS line FROM job_events WHERE job_id = $1 AND type = 'log'`,
    [jobId],
  );
  return lines.map(({ line }) => line);
}

it('says of a lease that goes well what was logged before its end, also without a heartbeat', async () => {
  const gateway = createGatewayClient(farm.url);
  const silent: GatewayClient = {
    ...gateway,
    async claim(request, signal) {
      const claimed = await gateway.claim(request, signal);
      return { ...claimed, lease: claimed.lease && { ...claimed.lease, heartbeatMs: 60_000 } };
    },
  };
  expect(await logOf(1, 'completed', { gateway: silent })).toContain('frame 1 done');
});

it('says of a lease that fails what was logged before', async () => {
  const engine = tinyEngine(async (frame) => {
    if (frame === 2) throw new Error('no light in this frame');
  });
  expect(await logOf(2, 'failed', { engine })).toContain('frame 1 done');
});
