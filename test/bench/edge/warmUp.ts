/** A farm that has been running for a while: every node, store and agent has done its work before the clock begins. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FarmClient } from '../../../cli/sdk/client.ts';
import { isFinalJob } from '../../../cli/sdk/jobStatus.ts';
import { readProject } from '../../../cli/sdk/project.ts';
import { submitProject } from '../../../cli/sdk/submit.ts';
import { FarmError } from '../../../domain/errors.ts';
import { makeProject } from './shotProject.ts';
import { SHOT_FRAMES, shotSize } from './size.ts';
import { benchSettings } from './tracedFrames.ts';

/** Its project: none of its bytes is one of the measured project's. */
const PROJECT_SIZE = 0.0005;
const FRAMES_A_NODE = 2;
const PATIENCE_MS = 120_000;

/**
 * Has each node render and deliver frames of a tiny project for a studio of its own. Programs are compiled, connections and
 * statements prepared afterwards, as in any farm but one that was started a moment ago; of the measured project no byte is
 * at a site, and no frame is pulled.
 * @param client of a studio that does nothing else
 * @param nodes that are online
 * @throws FarmError `RenderFailed` when the job does not end well, `ServiceFailed` when it does not end
 */
export async function warmUp(client: FarmClient, folder: string, size: number, nodes: number): Promise<void> {
  const { scene } = await makeProject(join(folder, 'warm-up'), 'shot', shotSize(PROJECT_SIZE));
  const frames = `1-${Math.min(SHOT_FRAMES, FRAMES_A_NODE * nodes)}`;
  const wishes = { ...benchSettings(shotSize(size)), frames, name: 'warm-up', cache: false };
  const progress = { uploading() {}, preparing() {} };
  const { id } = await submitProject(client, await readProject(scene), wishes as never, progress);
  await client.acceptJob(id);
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(200)) {
    const { status, problem } = await client.job(id);
    if (status === 'completed') return;
    if (isFinalJob(status)) {
      throw new FarmError('RenderFailed', `The warm-up is ${status}: ${problem?.detail ?? 'no reason'}`, {});
    }
  }
  throw new FarmError('ServiceFailed', 'The warm-up did not end in time.', { nodes });
}

/** Waits for nodes by their names. @throws FarmError `ServiceFailed` when one has not joined within two minutes */
export async function untilOnline(client: FarmClient, names: readonly string[]): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(200)) {
    const online = new Set((await client.nodes()).filter(({ status }) => status === 'online').map(({ name }) => name));
    if (names.every((name) => online.has(name))) return;
  }
  throw new FarmError('ServiceFailed', 'Not all nodes joined within two minutes.', { nodes: names.length });
}
